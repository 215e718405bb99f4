"""A namespace in which nothing moves any more."""

from .direct import objects
from .snapshot import by_name
from .space import Object, Space, is_ready
from .waiting import wait_for

KINDS = ("ConfigMap", "Deployment", "ReplicaSet", "Service", "VirtualService", "DestinationRule", "Pod")


def _rests(item: Object) -> bool:
    """Its controller has seen it and has nothing left to do."""
    status = item.get("status", {})
    if item["metadata"].get("deletionTimestamp"):
        return False
    if item["kind"] == "Pod":
        return is_ready(item)
    if item["kind"] not in ("Deployment", "ReplicaSet"):
        return True
    wanted = item["spec"]["replicas"]
    return (
        status.get("observedGeneration") == item["metadata"]["generation"]
        and status.get("replicas", 0) == status.get("readyReplicas", 0) == wanted
        and status.get("terminatingReplicas", 0) == 0
        and status.get("updatedReplicas", wanted) == wanted
    )


def quiet_snapshot(space: Space) -> dict[str, Object]:
    """As snapshot(), with the pods, once nothing moves: one look for both."""

    def look() -> dict[str, Object] | None:
        items = objects(space, *KINDS)
        return by_name(items) if all(map(_rests, items)) else None

    return wait_for("all to be at rest", look)
