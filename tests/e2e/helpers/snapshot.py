"""Objects as they are, compared with objects as they were."""

import difflib

import yaml

from .space import Object, Space

KINDS = "deployments,replicasets,services,virtualservices,destinationrules"


def snapshot(space: Space, kinds: str = KINDS) -> dict[str, Object]:
    """The namespace's objects by "Kind/name", without what the server changes on its own.

    The uid stays: an object that was deleted and made again is not the same.
    """
    return {f"{o['kind']}/{o['metadata']['name']}": normal(o) for o in space.get(kinds)}


def normal(item: Object) -> Object:
    metadata = {
        key: value
        for key, value in item["metadata"].items()
        if key not in ("resourceVersion", "generation", "managedFields", "creationTimestamp")
    }
    normal = item | {"metadata": metadata}
    if "status" in item:
        normal["status"] = {k: v for k, v in item["status"].items() if k not in ("conditions", "observedGeneration")}
    return normal


def assert_same(before: dict[str, Object], after: dict[str, Object]) -> None:
    """Fails with a readable diff."""
    lines: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = (yaml.safe_dump(s[key]).splitlines() if key in s else [] for s in (before, after))
        lines += difflib.unified_diff(old, new, f"before: {key}", f"after: {key}", lineterm="")
    assert not lines, "objects differ:\n" + "\n".join(lines)
