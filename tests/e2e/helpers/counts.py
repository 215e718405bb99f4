"""Responses, counted by version."""

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Response:
    sent: float  # seconds since the epoch
    took: float  # seconds
    status: int | None
    version: str | None
    pod: str | None
    failure: str | None
    answer: dict[str, Any] | None = None  # all that the pod said; not kept of constant traffic
    set_cookies: list[str] = field(default_factory=list)  # "name=value; Path=/" ...; not kept of constant traffic

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
