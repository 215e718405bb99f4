"""Waiting for a condition; there is no other waiting in the tests."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T], timeout: float = 30, poll: float = 0.1) -> T:
    """Returns CONDITION's first true value. Fails after TIMEOUT seconds, with the last value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}; last seen: {value!r}")
        time.sleep(poll)
