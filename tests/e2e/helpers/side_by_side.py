"""Tests that wait most of their time, run some at a time: each in namespaces of its own."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from .routing import delete_elsewhere
from .space import Space

AT_ONCE = 5

Runs = dict[str, Future[None]]


@contextmanager
def two_namespaces(directory: Path) -> Iterator[tuple[Space, Space]]:
    """New ones; what happened in the first is added to an error."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    spaces = Space.of(name, directory), Space.of(f"{name}-else", directory)
    try:
        for space in spaces:
            space.kubectl("create", "namespace", space.name)
        yield spaces
    except Exception as error:
        error.add_note(spaces[0].dump())
        raise
    finally:
        delete_elsewhere(spaces[0])
        for space in spaces:
            space.kubectl("delete", "namespace", space.name, "--wait=false")


@contextmanager
def side_by_side(
    request: pytest.FixtureRequest, test: str, directory: Path, run: Callable[[str, Space, Space], None]
) -> Iterator[Runs]:
    """For all cases that are to be tested of a test with a parameter `case`: RUN with the case and two namespaces.

    The test then only asks for its case's result.
    """

    def alone(case: str) -> None:
        with two_namespaces(directory) as spaces:
            run(case, *spaces)

    items = [item for item in request.session.items if getattr(item, "originalname", "") == test]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(alone, case) for case in (item.callspec.params["case"] for item in items)}
        pool.shutdown(cancel_futures=True)
