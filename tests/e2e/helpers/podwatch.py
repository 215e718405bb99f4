"""Pods watched from `with` to its end: not one moment between two looks is missed."""

import json
import subprocess
import threading
from dataclasses import dataclass
from typing import IO

from .space import Object, Space, is_ready
from .waiting import wait_for


@dataclass(frozen=True)
class Moment:
    """After one event."""

    ready: int
    total: int
    what: str


class PodWatch:
    """How many pods were ready, after each event, in the order in which the API server saw them."""

    def __init__(self, space: Space, selector: str):
        self._space = space
        self._selector = selector
        self._pods: dict[str, Object] = {}
        self.moments: list[Moment] = []
        self.ever: dict[str, Object] = {}  # each pod that there was, by uid, as it was seen last
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> "PodWatch":
        command = ["kubectl", "get", "pods", "--selector", self._selector]
        command += ["--watch", "--output-watch-events", "--output", "json"]
        self._process = subprocess.Popen(
            command, env=self._space.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        there = len(self._space.pods(self._selector))
        wait_for("the watch to have begun", lambda: len(self._pods) >= there)
        self.moments.clear()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process and self._reader
        ended_early = self._process.poll() is not None
        self._process.terminate()
        self._process.wait(timeout=30)
        self._reader.join()
        assert not ended_early, "the watch of the pods ended by itself"

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            event = json.loads(line)
            pod = event["object"]
            self.ever[pod["metadata"]["uid"]] = pod
            if event["type"] == "DELETED":
                self._pods.pop(pod["metadata"]["uid"], None)
            else:
                self._pods[pod["metadata"]["uid"]] = pod
            ready = sum(map(is_ready, self._pods.values()))
            self.moments.append(Moment(ready, len(self._pods), f"{event['type']} {pod['metadata']['name']}"))

    def assert_never_below(self, replicas: int) -> None:
        assert self.moments, "nothing happened to the pods"
        least = min(self.moments, key=lambda moment: moment.ready)
        assert least.ready >= replicas, f"only {least.ready} of {replicas} pods were ready, after {least.what}"
