"""Constant traffic, counted by version, and judgements on it."""

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .counts import Counts, Response
from .request import Request, response_of, send
from .waiting import wait_for

CLIENT = Path(__file__).with_name("traffic_client.py")


class Traffic:
    """Requests at a constant rate from `with` to its end, by a process of their own; several are sent in turn."""

    def __init__(self, request: Request | Sequence[Request], rate: float):
        self._requests = [request] if isinstance(request, Request) else list(request)
        self._rate = rate
        self._responses: list[Response] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> "Traffic":
        # A new Service takes a moment to reach the proxies: traffic begins when it is there.
        for request in self._requests:
            wait_for(f"an answer from {request.host}", lambda request=request: send(request).answered == 1)
        self._process = subprocess.Popen(
            [sys.executable, str(CLIENT), str(self._rate), json.dumps([request.spec() for request in self._requests])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self, lines) -> None:
        for line in lines:
            self._responses.append(response_of(json.loads(line)))

    def stop(self) -> None:
        """Ends the traffic; every request sent has its response counted after this."""
        if self._process and self._reader:
            self._process.terminate()
            assert self._process.wait(timeout=30) == 0, "the traffic client failed"
            self._reader.join()
            self._process = None

    def mark(self) -> float:
        """A moment, to count from: `counts(since=mark)`."""
        return time.time()

    def counts(self, since: float = 0, until: float = math.inf) -> Counts:
        """Of the requests sent in this span. Those still under way are not in it."""
        return Counts([r for r in list(self._responses) if since <= r.sent < until])

    def measure(self, requests: int, timeout: float = 120) -> Counts:
        """Waits until so many requests that were sent from now on have been answered."""
        since = self.mark()

        def enough() -> Counts | None:
            assert self._process and self._process.poll() is None, "the traffic client is not running"
            counts = self.counts(since)
            return counts if len(counts.responses) >= requests else None

        return wait_for(f"{requests} requests", enough, timeout)

    def assert_split(self, expected: Mapping[str | None, float], requests: int = 400, sigmas: float = 3) -> Counts:
        """Measures from now on that the versions are answering by these weights, e.g. {"v1": 75, "v2": 25}.

        One in 370 right splits is three standard deviations off by chance. So a measurement that is off is followed
        by one of four times as many requests, which decides: a wrong split is further off in that one.
        """
        counts = self.measure(requests)
        if counts.deviation(expected) > sigmas:
            counts = self.measure(4 * requests)
        off = counts.deviation(expected)
        assert off <= sigmas, f"{dict(counts.versions)} is {off:.1f} standard deviations off {dict(expected)}"
        return counts

    def assert_no_failures(self, since: float = 0) -> None:
        self.counts(since).assert_no_failures()
