"""kill -9 before and after every write of every verb, and at each kind of read; then it is gone on with, or taken back,
and both end right.

Where to cut is found by counting. The first write, the second, and so on, on both sides, until a run comes to its end.
That run also tells what is read: pods listed, Deployments watched, a write tried without effect ... Each of these happens
many times, of which one is drawn, by a seed of the case's own, and one of its sides: there it is cut, too.

Not at every time: reads are most of the requests (a release makes 270 of them in replicas mode, 430 with Istio), and
change nothing. A process that is killed at a read leaves the cluster as the write before it did, and whoever goes on
knows nothing else: to cut a release of its own at each of them, on both sides, and to end it in both ways, would be
thousands of releases that end as the hundreds here. What may differ is how far the controllers have come by then. For
that, test_killed_at_every_request() kills one release of each story at each request, read, watch or write, that lies
between what has been written and the write that comes next.

With CUT_AT=every in the environment each read is cut each time that it happens, on both sides. That takes hours: one story
at a time (-k) is for whoever has changed how the plugin goes on.

A namespace is used for one cut after the other: what is left over of one is seen by the next.
"""

import os
import random
import threading
import traceback
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from helpers import direct
from helpers.cutter import WRITE, Cutter, is_write, kind_of
from helpers.quiet import quiet_snapshot
from helpers.restored import assert_unmarked
from helpers.snapshot import assert_same
from helpers.space import Object, Space
from helpers.workload import IMAGE, Workload

AT_ONCE = 6  # namespaces
REPLICAS = 2
START = ("start", "web", "--image", f"{IMAGE}:v2", "--batches", "2", "--settle", "50ms")
NEXT, ABORT = ("next", "web"), ("abort", "web")
MOST_KILLS = 3000
READ_CUTS = 12  # at least
EVERY_READ = os.environ.get("CUT_AT") == "every"
MOST_FAILURES = 3  # of a namespace's cuts
RECORD = "batchrollout-web"
REVISION = "deployment.kubernetes.io/revision"
MODES = {"replicas": False, "istio": True}


@dataclass(frozen=True)
class Story:
    """Verbs that run whole, then those that are cut somewhere."""

    whole: tuple[tuple[str, ...], ...]
    cut: tuple[tuple[str, ...], ...]
    least: int = 0  # as many writes there are for sure
    handover: str = "takeover"

    @property
    def swaps(self) -> bool:
        return self.handover == "swap"


@dataclass(frozen=True)
class Place:
    """Right before, or right after, a request: the NUMBER-th of its kind."""

    kind: str
    number: int
    before: bool

    def is_of_kind(self, request: bytes) -> bool:
        return kind_of(request) == self.kind

    def __str__(self) -> str:
        return f"{'before' if self.before else 'after'} {self.kind} {self.number}"


def handing_over(handover: str) -> tuple[str, ...]:
    return (*START, "--handover", handover)


def image_of(item: Object) -> str:
    return item["spec"]["template"]["spec"]["containers"][0]["image"]


def objects_but(objects: dict[str, Object], *kinds: str) -> dict[str, Object]:
    return {key: item for key, item in objects.items() if item["kind"] not in ("Pod", *kinds)}


class Scene:
    """A workload in a namespace of its own, whose releases are cut."""

    def __init__(self, directory: Path, mesh: bool, story: Story):
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.story = story
        self.space = Space.of(name, directory)
        self.space.kubectl("create", "namespace", name)
        self.web = Workload(self.space, replicas=REPLICAS, mesh=mesh, drain_ms=100).create(wait=False)
        self.before = quiet_snapshot(self.space)

    def reset(self) -> None:
        """The first version again, with pods that have no label of ours, and nothing of a release."""
        objects = quiet_snapshot(self.space)
        if image_of(objects["Deployment/web"]) != f"{IMAGE}:v1":
            # What a user would do, and it must be possible after each takeover.
            self.space.kubectl("rollout", "undo", "deployment/web")
            objects = quiet_snapshot(self.space)
        for item in self._sets(objects):
            if image_of(item) != f"{IMAGE}:v1":
                direct.delete(self.space, "ReplicaSet", item["metadata"]["name"])
        direct.delete(self.space, "ConfigMap", RECORD)
        self.before = quiet_snapshot(self.space)
        assert image_of(self.before["Deployment/web"]) == f"{IMAGE}:v1"
        assert "version" not in self.before["Deployment/web"]["spec"]["template"]["metadata"]["labels"]

    def renew(self) -> None:
        """The same after a swap: the Deployment is another one now."""
        direct.delete(self.space, "ConfigMap", RECORD)
        self.space.kubectl("delete", "deployments", "--all", "--cascade=foreground")
        self.web.create(wait=False)
        self.before = quiet_snapshot(self.space)

    @staticmethod
    def _sets(objects: dict[str, Object]) -> list[Object]:
        return [item for item in objects.values() if item["kind"] == "ReplicaSet"]

    def cut(self, place: Place) -> Cutter:
        """Runs the release until it is killed, or to its end where it does not come to that place."""
        for verb in self.story.whole:
            self.space.plugin(*verb, check=True)
        with Cutter(self.space, place.number, place.before, place.is_of_kind) as cutter:
            for verb in self.story.cut:
                done = cutter.run(*verb)
                if cutter.killed:
                    assert done.code == -9, str(done)
                    break
                assert done.code == 0, str(done)
        return cutter

    def has_record(self) -> bool:
        return direct.one(self.space, "ConfigMap", RECORD) is not None

    def status(self) -> Object:
        return self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]

    def new_pods(self) -> set[str]:
        """Which no hand-over may restart, but the one that is there to do it."""
        if self.story.handover == "rolling":
            return set()
        pods = (pod["metadata"] for pod in direct.objects(self.space, "Pod"))
        return {pod["uid"] for pod in pods if pod["labels"].get("version") == "v2" and "deletionTimestamp" not in pod}

    # --- and then -------------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        if not self.has_record():
            assert_same(objects_but(self.before), objects_but(quiet_snapshot(self.space)))
            self.space.plugin(*self.story.whole[0] if self.story.whole else START, check=True)
        pods = self.new_pods()
        if self.status()["phase"] != "Completed":
            self.space.plugin("next", "web", "--all", check=True)
        self.assert_finished(pods)

    def take_back(self) -> None:
        if not self.has_record():
            assert self.space.plugin(*ABORT).code == 1
        else:
            self.space.plugin(*ABORT, check=True)
            assert self.status()["phase"] == "Aborted"
        self.assert_taken_back()

    def take_back_again(self) -> None:
        """An abort is gone on with by abort; next does not turn it round."""
        status = self.status()
        if status["phase"] == "Progressing":
            done = self.space.plugin(*NEXT)
            assert done.code == 1 and "is being aborted; `kubectl batchrollout abort web" in done.err, str(done)
        self.take_back()

    # --- as it must be --------------------------------------------------------------------------------------------

    def assert_finished(self, pods: set[str]) -> None:
        """PODS of the new version that were there after the cut are there still."""
        assert self.status()["phase"] == "Completed"
        after = quiet_snapshot(self.space)
        name = "web-v2" if self.story.swaps else "web"
        assert {o["metadata"]["name"] for o in after.values() if o["kind"] == "Deployment"} == {name}
        assert_same(*(objects_but(objects, "Deployment", "ReplicaSet") for objects in (self.before, after)))
        old, new = deepcopy(self.before["Deployment/web"]["spec"]), after[f"Deployment/{name}"]["spec"]
        old["template"]["spec"]["containers"][0]["image"] = f"{IMAGE}:v2"
        if self.story.handover != "rolling":
            old["template"]["metadata"]["labels"]["version"] = "v2"
        if self.story.swaps:
            old["selector"]["matchLabels"]["version"] = "v2"
        assert_same({name: old}, {name: new})
        self.assert_sets(after, name)
        running = {o["metadata"]["uid"]: o for o in after.values() if o["kind"] == "Pod"}
        assert len(running) == REPLICAS
        assert pods <= running.keys(), "pods of the new version were replaced"

    def assert_sets(self, after: dict[str, Object], name: str) -> None:
        """The new version's ReplicaSet has all pods; those of the history are as they were, but for their pods."""
        assert_unmarked(after.values())
        for item in self._sets(after):
            assert [owner["name"] for owner in item["metadata"]["ownerReferences"]] == [name]
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert labels.items() <= item["metadata"]["labels"].items()
            is_new = image_of(item) == f"{IMAGE}:v2"
            was_copys = is_new and self.story.handover != "rolling"
            assert item["metadata"]["name"].startswith("web-v2-") == was_copys
            assert labels.get("version") == ("v2" if was_copys else None)
            assert item["spec"]["replicas"] == (REPLICAS if is_new else 0)
        if not self.story.swaps:
            assert len(self._sets(after)) == len(self._sets(self.before)) + 1

    def assert_taken_back(self) -> None:
        after = quiet_snapshot(self.space)
        assert_unmarked(after.values())
        before = objects_but(self.before)
        new_sets = {key for key, item in after.items() if item["kind"] == "ReplicaSet"} - before.keys()
        others = {key: item for key, item in objects_but(after).items() if key not in new_sets}
        if new_sets or self.story.swaps:
            # It had been in the Deployment's history already, or the Deployment was gone.
            before = deepcopy(before)
            for item in (*before.values(), *others.values()):
                if item["kind"] in ("Deployment", "ReplicaSet"):
                    self._forget_history(item)
        if self.story.swaps:
            # A Deployment that was made again has made ReplicaSets again.
            before, others = ({k: o for k, o in s.items() if o["kind"] != "ReplicaSet"} for s in (before, others))
        else:
            assert all(after[key]["spec"]["replicas"] == 0 for key in new_sets)
        assert_same(before, others)
        assert sum(1 for item in after.values() if item["kind"] == "Pod") == REPLICAS

    def _forget_history(self, item: Object) -> None:
        for name in (REVISION, "deployment.kubernetes.io/revision-history"):
            item["metadata"].get("annotations", {}).pop(name, None)
        if self.story.swaps:
            item["metadata"].pop("uid")
            item["metadata"].pop("ownerReferences", None)

    def end(self) -> None:
        self.space.kubectl("delete", "namespace", self.space.name, "--wait=false")


class Places:
    """Where to cut next: before and after each write, until there are no more; then at one read of each kind."""

    def __init__(self, seed: str) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._next = 0
        self._reads: list[Place] | None = None  # known once a release has come to its end
        self.cuts: Counter[bool] = Counter()  # how many, by whether it was at a write

    def take(self) -> Place | None:
        with self._lock:
            if self._reads is not None:
                return self._reads.pop() if self._reads else None
            self._next += 1
            return Place(WRITE, (self._next + 1) // 2, self._next % 2 == 1)

    def report(self, place: Place, cutter: Cutter) -> None:
        with self._lock:
            if cutter.killed:
                self.cuts[place.kind == WRITE] += 1
                print(f"killed {place}: {cutter.requests[-1]}")
            elif self._reads is None:
                self._reads = self._choose([kind_of(request.encode()) for request in cutter.requests])
            elif place.kind != WRITE and place.number > 1:
                # It has read less often this time.
                self._reads.append(replace(place, number=place.number // 2))

    def _choose(self, kinds: list[str]) -> list[Place]:
        """One for each kind of read, and more where there are few kinds. Those that only come before the first write, when
        there is nothing yet, stand for each other: two of them."""
        if EVERY_READ:
            return [
                Place(kind, number, before)
                for kind, count in Counter(kinds).items()
                for number in range(1, count + 1)
                for before in (True, False)
                if kind != WRITE
            ]
        later = [kind for kind in kinds[kinds.index(WRITE) :] if kind != WRITE]
        only_before = sorted(set(kinds) - {WRITE, *later})
        chosen = [*sorted(set(later)), *self._random.sample(only_before, min(2, len(only_before)))]
        chosen += self._random.choices(later, k=max(0, READ_CUTS - len(chosen)))
        return [Place(kind, self._random.randint(1, kinds.count(kind)), self._random.random() < 0.5) for kind in chosen]


def cut_everywhere(directory: Path, mesh: bool, story: Story, recover: Callable[[Scene], None]) -> None:
    places = Places(f"{mesh} {story} {recover.__name__}")

    def work(_: int) -> list[str]:
        scene = Scene(directory, mesh, story)
        failures: list[str] = []
        # Without the limit a release that never comes to its end would be cut for ever.
        while len(failures) < MOST_FAILURES and (place := places.take()):
            try:
                cutter = scene.cut(place)
                places.report(place, cutter)
                if cutter.killed:
                    recover(scene)
                (scene.renew if story.swaps else scene.reset)()
            except Exception:
                failures.append(f"{place}:\n{traceback.format_exc()}\n{scene.space.dump()}")
                scene.end()
                scene = Scene(directory, mesh, story)
        scene.end()
        return failures

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for each in pool.map(work, range(AT_ONCE)) for failure in each]
    print(f"{places.cuts[True]} cuts at writes, {places.cuts[False]} at reads")
    assert not failures, f"{len(failures)} of {places.cuts.total()} cuts:\n" + "\n".join(failures)
    assert places.cuts[True] >= 2 * story.least, places.cuts
    assert places.cuts[False] >= READ_CUTS // 2, places.cuts


@pytest.mark.parametrize("recover", [Scene.go_on, Scene.take_back], ids=["gone on with", "taken back"])
@pytest.mark.parametrize("mode", MODES)
def test_start_next_and_takeover_cut(cluster, tmp_path, mode: str, recover: Callable[[Scene], None]):
    cut_everywhere(tmp_path, MODES[mode], Story((), (START, NEXT), least=20), recover)


@pytest.mark.parametrize("recover", [Scene.go_on, Scene.take_back], ids=["gone on with", "taken back"])
@pytest.mark.parametrize("handover", ["swap", "rolling"])
@pytest.mark.parametrize("mode", MODES)
def test_other_handover_cut(cluster, tmp_path, mode: str, handover: str, recover: Callable[[Scene], None]):
    story = Story((handing_over(handover),), (NEXT,), least=6, handover=handover)
    cut_everywhere(tmp_path, MODES[mode], story, recover)


@pytest.mark.parametrize("mode", MODES)
def test_abort_cut(cluster, tmp_path, mode: str):
    cut_everywhere(tmp_path, MODES[mode], Story((START,), (ABORT,), least=8), Scene.take_back_again)


@pytest.mark.parametrize("handover", ["takeover", "swap", "rolling"])
@pytest.mark.parametrize("mode", MODES)
def test_abort_of_finished_release_cut(cluster, tmp_path, mode: str, handover: str):
    story = Story((handing_over(handover), NEXT), (ABORT,), least=4, handover=handover)
    cut_everywhere(tmp_path, MODES[mode], story, Scene.take_back_again)


# --- one release, killed all the time -------------------------------------------------------------------------------

KILLED_RELEASES = (
    Story((), (START, NEXT)),
    Story((handing_over("swap"),), (NEXT,), handover="swap"),
    Story((handing_over("rolling"),), (NEXT,), handover="rolling"),
    Story((START,), (ABORT,)),
    Story((START, NEXT), (ABORT,)),
)
GOALS = {"start": "Paused", "next": "Completed", "abort": "Aborted"}


@pytest.mark.parametrize("mode", MODES)
def test_killed_at_every_request(cluster, tmp_path, mode: str):
    def work(story: Story) -> str:
        scene = Scene(tmp_path, MODES[mode], story)
        try:
            kill_all_the_time(scene)
        except Exception:
            return f"{story}:\n{traceback.format_exc()}\n{scene.space.dump()}"
        scene.end()
        return ""

    with ThreadPoolExecutor(len(KILLED_RELEASES)) as pool:
        failures = [failure for failure in pool.map(work, KILLED_RELEASES) if failure]
    assert not failures, "\n".join(failures)


def kill_all_the_time(scene: Scene) -> None:
    for verb in scene.story.whole:
        scene.space.plugin(*verb, check=True)
    pods: set[str] = set()
    for verb in scene.story.cut:
        kills = kill_until_done(scene, verb, pods)
        print(f"{scene.story.handover}, {verb[0]}: killed {kills} times")
        assert kills > 20
    if ABORT in scene.story.cut:
        scene.assert_taken_back()
    else:
        scene.assert_finished(pods)


def kill_until_done(scene: Scene, verb: tuple[str, ...], pods: set[str]) -> int:
    """Each process comes a request further than the one before, and past a write once one was killed before it; then all
    begins anew, from what was written. Returns how often it was killed; adds to PODS those of the new version that there
    were."""
    goal, number, kills = GOALS[verb[0]], 1, 0
    cutter = Cutter(scene.space, number, before=True)
    while kills < MOST_KILLS:
        with cutter:
            done = cutter.run(*verb)
        if not cutter.killed:
            assert done.code == 0, str(done)
            return kills
        assert done.code == -9, str(done)
        kills += 1
        pods |= scene.new_pods()
        writes = cutter.writes()
        if writes > (verb[0] != "start"):
            # More than that it is this process that drives the release.
            number = 0
            verb = NEXT if verb[0] == "start" else verb
            if scene.status()["phase"] == goal:
                return kills
        if cutter.before and is_write(cutter.requests[-1].encode()):
            cutter = Cutter(scene.space, writes + 1, before=False, counts=is_write)
        else:
            number += 1
            cutter = Cutter(scene.space, number, before=True)
    raise AssertionError(f"{verb[0]} did not end")
