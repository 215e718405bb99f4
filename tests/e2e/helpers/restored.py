"""That an abort brought everything back."""

from .snapshot import assert_same, snapshot
from .space import Object, Space
from .waiting import wait_for


def _draining(space: Space) -> int:
    """Pods on their way out; Deployments and ReplicaSets count theirs in their status."""
    sets = space.get("deployments,replicasets")
    return sum(s["status"].get("terminatingReplicas", 0) for s in sets) + sum(
        1 for pod in space.pods() if pod["metadata"].get("deletionTimestamp")
    )


def wait_until_drained(space: Space) -> None:
    wait_for("the old pods to be gone", lambda: _draining(space) == 0)


def assert_restored(before: dict[str, Object], space: Space) -> None:
    """The objects are as they were. Pods that still drain may end first, abort does not wait for them."""
    wait_until_drained(space)
    assert_same(before, snapshot(space))
