"""Constant traffic, counted by version, and judgements on it."""

import http.client
import json
import math
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Literal

from .waiting import wait_for

Path = Literal["envoy", "service"]

CLIENT = FilePath(__file__).with_name("traffic_client.py")


@dataclass(frozen=True)
class Response:
    sent: float  # seconds since the epoch
    took: float  # seconds
    status: int | None
    version: str | None
    pod: str | None
    failure: str | None

    def __str__(self) -> str:
        at = time.strftime("%H:%M:%S", time.gmtime(self.sent)) + f"{self.sent % 1:.3f}"[1:]
        return f"{at} after {self.took * 1000:.0f} ms: {self.failure or self.version}"


@dataclass
class Counts:
    """What was answered in some span of time. Failures are in no version's count."""

    responses: list[Response]
    versions: Counter[str | None] = field(init=False)
    pods: Counter[str | None] = field(init=False)
    failures: list[Response] = field(init=False)

    def __post_init__(self) -> None:
        answered = [r for r in self.responses if r.failure is None]
        self.versions = Counter(r.version for r in answered)
        self.pods = Counter(r.pod for r in answered)
        self.failures = [r for r in self.responses if r.failure is not None]

    @property
    def answered(self) -> int:
        return self.versions.total()

    def assert_no_failures(self) -> None:
        assert self.responses, "no request was sent"
        some = "\n".join(map(str, self.failures[:20]))
        assert not self.failures, f"{len(self.failures)} of {len(self.responses)} requests failed:\n{some}"

    def deviation(self, expected: Mapping[str | None, float]) -> float:
        """The greatest distance of a version's count from its expectation, in standard deviations.

        EXPECTED are weights, relative to their sum. A version that should get nothing and got something, or should
        get all and did not, is infinitely far off.
        """
        total = sum(expected.values())
        return max(
            self._distance(self.versions[version], expected.get(version, 0) / total)
            for version in expected.keys() | self.versions.keys()
        )

    def _distance(self, count: int, share: float) -> float:
        mean = self.answered * share
        sigma = math.sqrt(mean * (1 - share))
        if sigma == 0:
            return 0 if count == mean else math.inf
        return abs(count - mean) / sigma


class Traffic:
    """Requests at a constant rate from `with` to its end, by a process of their own."""

    def __init__(
        self,
        address: str,
        port: int,
        host: str,
        rate: float,
        headers: dict[str, str] | None = None,
        timeout: float = 5,
    ):
        self._spec = {
            "address": address,
            "port": port,
            "host": host,
            "rate": rate,
            "timeout": timeout,
            "headers": headers or {},
        }
        self._responses: list[Response] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> "Traffic":
        # A new Service takes a moment to reach the proxies: traffic begins when it is there.
        wait_for(f"an answer from {self._spec['host']}", self._answers)
        self._process = subprocess.Popen(
            [sys.executable, str(CLIENT), json.dumps(self._spec)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(str(self._spec["address"]), int(str(self._spec["port"])), timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": self._spec["host"]} | self._spec["headers"])
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _read(self, lines) -> None:
        for line in lines:
            entry = json.loads(line)
            names = ("status", "version", "pod", "failure")
            self._responses.append(Response(entry["sent"], entry["took"], *(entry.get(name) for name in names)))

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
