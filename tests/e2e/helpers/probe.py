"""Requests of one kind, and who has to answer them while a release splits a Service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .counts import Counts
from .request import Request, send

OLD, NEW = "v1", "v2"


@dataclass(frozen=True)
class Probe:
    request: Request
    # Weights by who answers: "split" is divided by the release's weight; else a version.
    shares: Mapping[str, float] = field(default_factory=lambda: {"split": 100})
    seen: Mapping[str, Any] = field(default_factory=dict)  # what the pod is to see: {"path": "/rewritten"}
    glance: bool = False  # a near miss: it is enough to look where nothing else goes to the new version

    def expected(self, weight: int) -> dict[str | None, float]:
        """By version, when WEIGHT percent go to the new one."""
        expected: dict[str | None, float] = {}
        for who, share in self.shares.items():
            parts = {OLD: share * (100 - weight) / 100, NEW: share * weight / 100} if who == "split" else {who: share}
            for version, part in parts.items():
                expected[version] = expected.get(version, 0) + part
        return {version: part for version, part in expected.items() if part}

    def ask(self, count: int) -> Counts:
        counts = send(self.request, count)
        counts.assert_no_failures()
        for response in counts.responses:
            assert response.answer
            seen = {name: response.answer[name] for name in self.seen}
            assert seen == self.seen, f"{self} reached a pod that saw {seen}"
        return counts

    def assert_split(self, weight: int, requests: int = 400, sigmas: float = 3) -> None:
        """As Traffic.assert_split, with requests of its own, all at once."""
        expected = self.expected(weight)
        counts = self.ask(requests if len(expected) > 1 else 40)
        if counts.deviation(expected) > sigmas:
            counts = self.ask(4 * requests)
        off = counts.deviation(expected)
        assert off <= sigmas, f"{self}: {dict(counts.versions)} is {off:.1f} standard deviations off {expected}"

    def assert_only_image(self, name: str, image: str) -> None:
        """Of the pods whose names begin with NAME, only those with IMAGE answer."""
        images = {r.answer["image"] for r in self.ask(40).responses if r.answer and r.answer["pod"].startswith(name)}
        assert images <= {image}, f"{self} is answered by {images}"

    def __str__(self) -> str:
        request = self.request
        said = "".join(f" {name}: {value}" for name, value in request.headers.items())
        return f"{request.method} {request.sni or request.host}{request.path}{said}"
