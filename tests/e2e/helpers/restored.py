"""That an abort brought everything back, and that a release has left no mark."""

from collections.abc import Iterable

from .snapshot import assert_same, snapshot
from .space import Object, Space
from .waiting import wait_for

OURS = "batchrollout/"


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
    assert_unmarked(space.get("deployments,replicasets,pods"))


def assert_unmarked(items: Iterable[Object]) -> None:
    """Deployments and ReplicaSets have nothing of a release's, and pods have the labels of their template, no more.

    Templates can be compared with those before, pods cannot: there may be others.
    """
    items = list(items)
    templates = {}
    for item in items:
        if item["kind"] in ("Deployment", "ReplicaSet"):
            template = item["spec"]["template"]["metadata"]
            templates[item["metadata"]["uid"]] = template["labels"]
            for metadata in (item["metadata"], template):
                marks = metadata.get("labels", {}) | metadata.get("annotations", {})
                assert not [key for key in marks if key.startswith(OURS)], item
    for pod in items:
        if pod["kind"] == "Pod":
            (owner,) = pod["metadata"]["ownerReferences"]
            assert pod["metadata"]["labels"] == templates[owner["uid"]], pod
