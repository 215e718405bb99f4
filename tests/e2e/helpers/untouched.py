"""That a command wrote nothing at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from . import audit
from .space import Space

KINDS = (
    "deployments,replicasets,services,configmaps,secrets,horizontalpodautoscalers,virtualservices,destinationrules"
)


def _versions(space: Space) -> dict[str, str]:
    return {
        f"{item['kind']}/{item['metadata']['name']}": f"{item['metadata']['uid']} {item['metadata']['resourceVersion']}"
        for item in space.get(KINDS)
    }


@contextmanager
def nothing_written(space: Space) -> Iterator[None]:
    """Neither is an object another one than before, nor did the plugin try (a dry run is no try)."""
    before, place = _versions(space), audit.mark()
    yield
    assert _versions(space) == before
    assert audit.writes(space.name, place) == []
