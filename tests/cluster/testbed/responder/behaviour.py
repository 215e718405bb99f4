"""How a pod is to behave: told by its annotations, else by words in its image tags (README.md lists both)."""

import re
from dataclasses import dataclass
from typing import Any

PREFIX = "batchrollout.test/"
DEFAULT_DRAIN_MS = 3000


@dataclass(frozen=True)
class Behaviour:
    start_delay: float  # seconds from the container's start until it listens
    drain: float  # seconds it keeps serving after the pod's deletion
    slow: float  # seconds each answer takes
    fail_percent: int  # of the requests
    fail_status: int
    crash: bool

    @classmethod
    def of(cls, pod: dict[str, Any]) -> "Behaviour":
        annotations = pod["metadata"].get("annotations") or {}
        images = [container["image"] for container in pod["spec"]["containers"]]

        def number(name: str, tag: str, default: int) -> int:
            text = annotations.get(PREFIX + name)
            if text is None:
                text = _tag_number(images, tag)
            return int(text) if text is not None and text.isdecimal() else default

        return cls(
            start_delay=number("start-delay-ms", "late", 0) / 1000,
            drain=number("drain-ms", "drain", DEFAULT_DRAIN_MS) / 1000,
            slow=number("slow-ms", "slow", 0) / 1000,
            fail_percent=min(100, number("fail-percent", "fail", 0)),
            fail_status=number("fail-status", "status", 500),
            crash=annotations.get(PREFIX + "crash") == "true" or any(re.search(r":[^/]*\bcrash\b", i) for i in images),
        )


def _tag_number(images: list[str], word: str) -> str | None:
    """The 300 of `web:v2-slow300`."""
    for image in images:
        found = re.search(rf":[^/]*\b{word}(\d+)\b", image)
        if found:
            return found[1]
    return None
