"""That a command wrote nothing at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from . import audit
from .snapshot import assert_same
from .space import Object, Space

KINDS = (
    "deployments,replicasets,services,configmaps,secrets,horizontalpodautoscalers,virtualservices,destinationrules"
)


def _contents(space: Space) -> dict[str, Object]:
    """Without what controllers count: pods may still be on their way out."""
    contents = {}
    for item in space.get(KINDS):
        metadata = {k: v for k, v in item["metadata"].items() if k not in ("resourceVersion", "managedFields")}
        contents[f"{item['kind']}/{metadata['name']}"] = {
            k: v for k, v in item.items() if k not in ("status", "metadata")
        } | {"metadata": metadata}
    return contents


@contextmanager
def nothing_written(space: Space) -> Iterator[None]:
    """Neither is an object another one than before, nor did the plugin try (a dry run is no try)."""
    before, place = _contents(space), audit.mark()
    yield
    assert_same(before, _contents(space))
    assert audit.writes(space.name, place) == []
