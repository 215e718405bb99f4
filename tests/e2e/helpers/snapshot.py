"""Objects as they are, compared with objects as they were."""

import difflib
from collections.abc import Iterable

import yaml

from .space import Object, Space

KINDS = (
    "configmaps,deployments,horizontalpodautoscalers,replicasets,services,virtualservices,destinationrules"
)
# The record, which stays; and what the cluster puts into each namespace, a moment after it was made.
NOT_COMPARED = ("ConfigMap/batchrollout-", "ConfigMap/istio-ca-", "ConfigMap/kube-root-ca.crt")


def snapshot(space: Space, kinds: str = KINDS) -> dict[str, Object]:
    """The namespace's objects by "Kind/name", without what the server changes on its own.

    The uid stays: an object that was deleted and made again is not the same.
    """
    return by_name(space.get(kinds))


def by_name(items: Iterable[Object]) -> dict[str, Object]:
    named = {f"{item['kind']}/{item['metadata']['name']}": normal(item) for item in items}
    return {key: item for key, item in named.items() if not key.startswith(NOT_COMPARED)}


def normal(item: Object) -> Object:
    metadata = {
        key: value
        for key, value in item["metadata"].items()
        if key not in ("resourceVersion", "generation", "managedFields", "creationTimestamp")
    }
    normal = item | {"metadata": metadata}
    if item["kind"] == "HorizontalPodAutoscaler":
        # It tells of each look at the metrics.
        normal.pop("status", None)
    elif "status" in item:
        normal["status"] = {k: v for k, v in item["status"].items() if k not in ("conditions", "observedGeneration")}
    return normal


def assert_same(before: dict[str, Object], after: dict[str, Object]) -> None:
    """Fails with a readable diff."""
    lines: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = (yaml.safe_dump(s[key]).splitlines() if key in s else [] for s in (before, after))
        lines += difflib.unified_diff(old, new, f"before: {key}", f"after: {key}", lineterm="")
    assert not lines, "objects differ:\n" + "\n".join(lines)
