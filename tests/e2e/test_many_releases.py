"""Many releases and aborts in a row under constant traffic (issue 5, "It is done when").

Each version follows on what the one before has left, and is one that there was already: the history of the Deployment
holds ReplicaSets with an equal template, of the name that the copy's would have. Pods start late and drain.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from helpers.podwatch import PodWatch
from helpers.restored import assert_restored, wait_until_drained
from helpers.snapshot import assert_same, snapshot
from helpers.side_by_side import Runs, side_by_side
from helpers.space import Object, Space
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

REPLICAS = 3
RATE = 50  # requests a second on each of two ways
ROUNDS_IN_ALL = 21
VERSIONS = ("v1", "v2", "v3")
# Proxies of a machine with much to do learn late; a batch is a pod.
FLAGS = ("--settle", "500ms", "--batches", str(REPLICAS))


class Scene:
    """A workload under traffic, from release to release."""

    def __init__(self, space: Space, mode: str):
        self.space = space
        self.web = Workload(
            space, replicas=REPLICAS, mesh=mode == "istio", start_delay_ms=300, drain_ms=3000
        ).create()
        self.version = VERSIONS[0]
        self.new = ""
        self.watch: PodWatch
        self.before: dict[str, Object] = {}
        self.pods: set[str] = set()
        self.ever: set[str] = set()

    def begin(self) -> None:
        self.new = VERSIONS[(VERSIONS.index(self.version) + 1) % len(VERSIONS)]
        wait_until_drained(self.space)
        self.before = snapshot(self.space)
        self.pods = {pod["metadata"]["uid"] for pod in self.space.pods("app=web")}
        self.ever = set(self.watch.ever) | self.pods
        assert len(self.pods) == REPLICAS

    def run(self, *args: str) -> None:
        self.space.plugin(*args, check=True)

    def start(self, *flags: str) -> None:
        self.run("start", "web", "--image", f"{IMAGE}:{self.new}", *FLAGS, *flags)

    def status(self) -> Object:
        return self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]

    def uids(self) -> set[str]:
        return {pod["metadata"]["uid"] for pod in self.space.ready_pods("app=web")}

    def assert_finished(self) -> None:
        assert self.status()["phase"] == "Completed"
        after = self.uids()
        canaries = {uid for uid in self.watch.ever if uid not in self.ever}
        assert len(after) == REPLICAS
        assert after == canaries, "a pod of the new version was replaced"
        self._assert_objects_of_finished()
        self.version = self.new

    def _assert_objects_of_finished(self) -> None:
        after = snapshot(self.space)
        template = after["Deployment/web"]["spec"]["template"]
        assert template["spec"]["containers"][0]["image"] == f"{IMAGE}:{self.new}"
        assert template["metadata"]["labels"]["version"] == self.new
        for objects in (self.before, after):
            objects["Deployment/web"]["spec"].pop("template")
        assert after["Deployment/web"]["spec"] == self.before["Deployment/web"]["spec"]
        others = [
            {key: o for key, o in objects.items() if o["kind"] not in ("Deployment", "ReplicaSet")}
            for objects in (self.before, after)
        ]
        assert_same(*others)
        assert [key for key in after if key.startswith("Deployment/")] == ["Deployment/web"]
        sets = [o for o in after.values() if o["kind"] == "ReplicaSet"]
        assert len(sets) <= len(VERSIONS) + 1
        for item in sets:
            owners = item["metadata"].get("ownerReferences", [])
            assert [owner["name"] for owner in owners] == ["web"], item["metadata"]

    def assert_taken_back(self, stable: int) -> None:
        """STABLE: so many pods of the old version the release had left."""
        assert self.status()["phase"] == "Aborted"
        assert_restored(self.before, self.space)
        after = self.uids()
        assert len(after) == REPLICAS
        assert len(after & self.pods) >= stable, "a pod of the old version that had survived was replaced"


# --- what is done again and again -----------------------------------------------------------------------------------


def batch_by_batch(scene: Scene) -> None:
    scene.start()
    for _ in range(REPLICAS - 1):
        scene.run("next", "web")
    scene.assert_finished()


def in_one_go(scene: Scene) -> None:
    scene.start("--pause", "none")
    scene.assert_finished()


def held_and_finished(scene: Scene) -> None:
    scene.start("--pause", "none", "--hold")
    scene.run("next", "web")
    scene.assert_finished()


def back_after_first(scene: Scene) -> None:
    scene.start()
    scene.run("abort", "web")
    scene.assert_taken_back(REPLICAS - 1)


def back_after_second(scene: Scene) -> None:
    scene.start()
    scene.run("next", "web")
    scene.run("abort", "web")
    scene.assert_taken_back(REPLICAS - 2)


def back_from_everything(scene: Scene) -> None:
    scene.start("--pause", "none", "--hold")
    scene.run("abort", "web")
    scene.assert_taken_back(0)


def back_while_going_on(scene: Scene) -> None:
    """Somebody aborts while another's next is under way."""
    scene.start()
    other = scene.space.start_plugin("next", "web")
    wait_for("the next", lambda: scene.status()["phase"] == "Progressing" or other.poll() is not None, poll=0.02)
    scene.run("abort", "web")
    out, err = other.communicate(timeout=60)
    assert other.returncode in (0, 5), out + err
    scene.assert_taken_back(REPLICAS - 2)


ROUNDS: tuple[Callable[[Scene], None], ...] = (
    batch_by_batch,
    back_after_first,
    back_from_everything,
    in_one_go,
    back_while_going_on,
    held_and_finished,
    back_after_second,
)


def run_rounds(mode: str, space: Space, _: Space) -> None:
    scene = Scene(space, mode)
    with ExitStack() as stack:
        scene.watch = stack.enter_context(PodWatch(space, "app=web"))
        traffics = [stack.enter_context(scene.web.traffic(way, RATE)) for way in ("envoy", "service")]
        for number in range(ROUNDS_IN_ALL):
            go = ROUNDS[number % len(ROUNDS)]
            print(f"{mode}: round {number}, {go.__name__}, from {scene.version}")
            scene.begin()
            go(scene)
            for traffic in traffics:
                traffic.counts().assert_no_failures()
            scene.watch.assert_never_below(REPLICAS)
        for traffic in traffics:
            traffic.stop()
            traffic.counts().assert_no_failures()
    scene.watch.assert_never_below(REPLICAS)


@pytest.fixture(scope="module")
def both(
    cluster: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    with side_by_side(request, "test_many_releases", tmp_path_factory.mktemp("many"), run_rounds) as runs:
        yield runs


@pytest.mark.parametrize("case", ["replicas", "istio"])
def test_many_releases(both: Runs, case: str):
    both[case].result()
