"""kill -9 after each write of a whole release; then it is gone on with, or taken back, and both end right."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers.cutter import Cutter
from helpers.restored import assert_restored, wait_until_drained
from helpers.snapshot import assert_same, snapshot
from helpers.space import Object, Space
from helpers.workload import IMAGE, Workload

AT_ONCE = 4  # releases in namespaces of their own
REPLICAS = 2
VERBS = (
    ("start", "web", "--image", f"{IMAGE}:v2", "--batches", "2", "--settle", "50ms"),
    ("next", "web"),
)
REVISION = "deployment.kubernetes.io/revision"


class Release:
    """A workload in a namespace of its own, whose release is cut."""

    def __init__(self, directory: Path, mesh: bool):
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.space = Space.of(name, directory)
        self.space.kubectl("create", "namespace", name)
        Workload(self.space, replicas=REPLICAS, mesh=mesh, drain_ms=100).create()
        wait_until_drained(self.space)
        self.before = snapshot(self.space)

    def cut(self, after: int | None) -> Cutter:
        """Runs the release; ends right after a write."""
        with Cutter(self.space, after) as cutter:
            for verb in VERBS:
                done = cutter.run(*verb)
                if cutter.killed:
                    assert done.code == -9, str(done)
                    break
                assert done.code == 0, str(done)
        return cutter

    def status(self) -> Object:
        return self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]

    def image(self) -> str:
        return self.space.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"]

    def go_on(self) -> None:
        if self.status()["phase"] != "Completed":
            self.space.plugin("next", "web", "--all", check=True)
        assert self.status()["phase"] == "Completed"
        wait_until_drained(self.space)
        after = snapshot(self.space)
        assert self.image() == f"{IMAGE}:v2"
        old, new = self.before["Deployment/web"]["spec"], after["Deployment/web"]["spec"]
        new["template"]["spec"]["containers"] = old["template"]["spec"]["containers"]
        assert new == old
        self.assert_rest_is_the_same(after)
        assert len(self.space.ready_pods("app=web")) == REPLICAS

    def take_back(self) -> None:
        finishing = self.image() != f"{IMAGE}:v1"
        self.space.plugin("abort", "web", check=True)
        assert self.status()["phase"] == "Aborted"
        if not finishing:
            assert_restored(self.before, self.space)
            return
        # The new version was in the Deployment's history: a revision more, and a ReplicaSet of 0 pods.
        wait_until_drained(self.space)
        after = snapshot(self.space)
        for objects in (self.before, after):
            for item in objects.values():
                item["metadata"].get("annotations", {}).pop(REVISION, None)
                item["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision-history", None)
        assert_same(*({"Deployment/web": objects["Deployment/web"]} for objects in (self.before, after)))
        self.assert_rest_is_the_same(after)

    def assert_rest_is_the_same(self, after: dict[str, Object]) -> None:
        """But for the Deployment, and ReplicaSets of its history."""

        def rest(objects: dict[str, Object]) -> dict[str, Object]:
            return {k: o for k, o in objects.items() if o["kind"] != "ReplicaSet" and k != "Deployment/web"}

        assert_same(rest(self.before), rest(after))
        sets = [o for o in after.values() if o["kind"] == "ReplicaSet"]
        assert sorted(s["spec"]["replicas"] for s in sets) in ([REPLICAS], [0, REPLICAS])
        assert all("version" not in s["metadata"]["labels"] for s in sets)
        assert all("version" not in s["spec"]["template"]["metadata"]["labels"] for s in sets)

    def end(self) -> None:
        self.space.kubectl("delete", "namespace", self.space.name, "--wait=false")


@pytest.mark.parametrize("recover", [Release.go_on, Release.take_back], ids=["gone on with", "taken back"])
@pytest.mark.parametrize("mesh", [False, True], ids=["replicas", "istio"])
def test_killed_after_each_write(cluster, tmp_path, mesh: bool, recover: Callable[[Release], None]):
    whole = Release(tmp_path, mesh)
    writes = whole.cut(None).writes
    recover(whole)
    whole.end()
    assert len(writes) >= 15, writes
    print("\n".join(writes))

    def cut_and_recover(after: int) -> str | None:
        release = Release(tmp_path, mesh)
        try:
            cutter = release.cut(after)
            # Conflicts, which are tried again, make it more writes than there were.
            assert cutter.killed or len(cutter.writes) < after
            recover(release)
            return None
        except AssertionError as error:
            return f"killed after write {after} ({writes[after - 1]}):\n{error}\n{release.space.dump()}"
        finally:
            release.end()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(cut_and_recover, range(1, len(writes) + 1)) if failure]
    assert not failures, f"{len(failures)} of {len(writes)} cuts:\n" + "\n".join(failures)
