"""That an abort brought everything back."""

from .snapshot import assert_same, snapshot
from .space import Object, Space
from .waiting import wait_for


def _draining(space: Space) -> int:
    """Pods on their way out; Deployments and ReplicaSets count theirs in their status, a little later."""
    objects = space.get("deployments,replicasets,pods")
    gone = sum(1 for o in objects if o["kind"] == "Pod" and o["metadata"].get("deletionTimestamp"))
    return gone + sum(o["status"].get("terminatingReplicas", 0) for o in objects if o["kind"] != "Pod")


def wait_until_drained(space: Space) -> None:
    wait_for("the old pods to be gone", lambda: _draining(space) == 0)


def assert_restored(before: dict[str, Object], space: Space) -> None:
    """The objects are as they were. Pods that still drain may end first, abort does not wait for them."""
    wait_until_drained(space)
    assert_same(before, snapshot(space))
