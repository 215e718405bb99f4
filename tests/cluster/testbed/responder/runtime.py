"""Decides from when until when each pod's process listens, and tells the kubelet (kwok) by a pod condition."""

import asyncio
import http.client
import json
import sys
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

from .. import addresses, api
from .behaviour import PREFIX, Behaviour
from .gate import Gate

CONDITION = PREFIX + "Listening"


class Closable(Protocol):
    def close(self) -> None: ...


class Process:
    """The process in one pod."""

    def __init__(self, pod: dict[str, Any]):
        self.pod = pod
        self.behaviour = Behaviour.of(pod)
        self.listening = False
        self.connections: set[Closable] = set()
        self.failure_share = 0  # percent of a failure that is due, carried from request to request
        self.run: str | None = None  # the run of the container that was started last
        self.draining = False
        self.timer: asyncio.TimerHandle | None = None  # a change that is due later, and can be called off
        self.changing = asyncio.Lock()  # one that has begun is made to its end before the next

    @property
    def ip(self) -> str:
        return self.pod["status"].get("podIP", "")

    @property
    def name(self) -> str:
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"


def _run_of(pod: dict[str, Any]) -> str | None:
    """When the container started, which names this run of it; None when it does not run."""
    for status in pod["status"].get("containerStatuses", []):
        running = status["state"].get("running")
        if running:
            return f"{running['startedAt']} {status['restartCount']}"
    return None


class Runtime:
    def __init__(self, gate: Gate):
        self._gate = gate
        self._processes: dict[str, Process] = {}  # by the pod's uid
        self._by_ip: dict[str, Process] = {}  # only those that listen
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reporter = _Reporter()

    def at(self, ip: str) -> Process | None:
        return self._by_ip.get(ip)

    async def failed(self) -> None:
        """Raises when some change could not be made."""
        await self._failure

    def seen(self, pod: dict[str, Any]) -> None:
        process = self._processes.setdefault(pod["metadata"]["uid"], Process(pod))
        process.pod = pod
        process.behaviour = Behaviour.of(pod)
        run = _run_of(pod)
        if pod["metadata"].get("deletionTimestamp"):
            self._drain(process)
        elif run is None or process.behaviour.crash:
            process.run = None
            self._schedule(process, listening=False, delay=0)
        elif run != process.run:
            process.run = run
            self._schedule(process, listening=True, delay=process.behaviour.start_delay)

    def gone(self, pod: dict[str, Any]) -> None:
        process = self._processes.pop(pod["metadata"]["uid"], None)
        if process:
            self._schedule(process, listening=False, delay=0)

    def _drain(self, process: Process) -> None:
        if process.draining:
            return
        process.draining = True
        grace = process.pod["metadata"].get("deletionGracePeriodSeconds") or 0
        delay = min(process.behaviour.drain, grace) if process.listening else 0
        self._schedule(process, listening=False, delay=delay)

    def _schedule(self, process: Process, listening: bool, delay: float) -> None:
        if process.timer:
            process.timer.cancel()
        process.timer = asyncio.get_running_loop().call_later(
            delay, lambda: self._spawn(self._change(process, listening))
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and not self._failure.done():
            self._failure.set_exception(error)

    async def _change(self, process: Process, listening: bool) -> None:
        async with process.changing:
            if process.listening == listening:
                return
            process.listening = listening
            await (self._open(process) if listening else self._close(process))
            # Only now may the pod become Ready, or go: whoever hears of it finds it so.
            await self._reporter.set_condition(process.pod, listening)

    async def _open(self, process: Process) -> None:
        self._by_ip[process.ip] = process
        await self._gate.open(process.ip)

    async def _close(self, process: Process) -> None:
        # A later pod may have the address by now.
        if self._by_ip.get(process.ip) is process:
            await self._gate.close(process.ip)
        if self._by_ip.get(process.ip) is process:
            del self._by_ip[process.ip]
        for connection in list(process.connections):
            connection.close()


class _Reporter:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4)
        self._local = threading.local()

    async def set_condition(self, pod: dict[str, Any], listening: bool) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._patch, pod, listening)

    def _patch(self, pod: dict[str, Any], listening: bool) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        condition = {
            "type": CONDITION,
            "status": "True" if listening else "False",
            "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        # The uid makes sure that this is not a later pod of the same name.
        body = json.dumps({"metadata": {"uid": metadata["uid"]}, "status": {"conditions": [condition]}})
        status, answer = self._send(path, body)
        # 404: the pod is gone; 409: another has its name. Both are as good as told.
        if status not in (200, 404, 409):
            raise RuntimeError(f"PATCH {path}: {status} {answer.decode(errors='replace')}")

    def _send(self, path: str, body: str) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        deadline = time.monotonic() + api.OUTAGE_SECONDS
        while time.monotonic() < deadline:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPSConnection(addresses.NODE, 6443, timeout=10, context=api.tls_context())
                self._local.connection = connection
            try:
                connection.request("PATCH", path, body, headers)
                response = connection.getresponse()
                answer = response.read()
                if not api.may_be_starting(response.status):
                    return response.status, answer
                problem = str(response.status)
            except (OSError, http.client.HTTPException) as error:
                # A kept connection may have been closed meanwhile.
                self._local.connection = None
                problem = repr(error)
            print(f"PATCH {path}: {problem}", file=sys.stderr, flush=True)
            time.sleep(api.OUTAGE_POLL)
        raise RuntimeError(f"PATCH {path}: the API server cannot be reached")
