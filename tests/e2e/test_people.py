"""Two people on two machines run start, next and abort at the same time, again and again.

One wins and the other is told; or both do, one after the other. What the cluster has then is what a single person could
have made, who runs the commands of those who won one by one. In the end the release can be finished or taken back, and
nothing is left over.

The second comes when the first has made so many requests, by the round's seed: no clock decides how they interleave.
"""

import itertools
import random
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pytest
from helpers.cutter import Middle
from helpers.inventory import inventory
from helpers.quiet import quiet_snapshot
from helpers.restored import assert_unmarked
from helpers.space import PLUGIN, Space
from helpers.workload import IMAGE, Workload

ROUNDS = 50
AT_ONCE = 5  # namespaces, with their share of the rounds each
REPLICAS = 2
BATCHES = 2
VERSIONS = ("v1", "v2", "v3")
VERBS = ("start", "next", "abort")
# A process namespace of its own is another machine for the plugin: no process id of the other's means anything there.
OTHER_MACHINE = ("unshare", "--pid", "--mount-proc", "--fork", "--kill-child")


@dataclass(frozen=True)
class State:
    """Of a Service, as far as these commands change it."""

    phase: str  # "" without a record
    batch: int  # where it is paused; else 0
    version: str  # of the Deployment
    before: str  # its version when the release began
    target: str

    def seen(self) -> tuple[str, int, str]:
        return self.phase, self.batch, self.version


def after(state: State, verb: str, new: str) -> State | None:
    """What one person makes of it; None where that is refused."""
    under_way = state.phase == "Paused"
    if verb == "start":
        return None if under_way else State("Paused", 1, state.version, state.version, new)
    if verb == "abort":
        return replace(state, phase="Aborted", batch=0, version=state.before) if state.phase else None
    if not under_way:
        return None
    if state.batch + 1 < BATCHES:
        return replace(state, batch=state.batch + 1)
    return replace(state, phase="Completed", batch=0, version=state.target)


@dataclass(frozen=True)
class Ended:
    """How somebody's command ended."""

    verb: str
    code: int
    out: str
    err: str

    def may_have_run(self) -> tuple[bool, ...]:
        """Who was taken over in the middle has done a part, and the other has gone on from there."""
        if self.code == 0:
            return (True,)
        return (False, True) if "taken this release" in self.err else (False,)

    def met_the_other(self) -> bool:
        """It was told what one person alone is never told."""
        return any(words in self.err for words in ("is being driven by", "taken this release", "at the same moment"))

    def __str__(self) -> str:
        return f"{self.verb}: exit status {self.code}\n{self.out}{self.err}"


class Gate(Middle):
    """Tells when its client has made so many requests."""

    def __init__(self, space: Space, requests: int):
        super().__init__(space)
        self._left = requests
        self._lock = threading.Lock()
        self.reached = threading.Event()

    def exchange(
        self, request: bytes, body: bytes, client: socket.socket, server: socket.socket, responses: IO[bytes]
    ) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self.reached.set()
        super().exchange(request, body, client, server, responses)


class Pair:
    """Two people and the Service that they share."""

    def __init__(self, directory: Path, mesh: bool, seed: int):
        self.random = random.Random(seed)
        self.space = Space.of(f"test-{uuid.uuid4().hex[:8]}", directory)
        self.space.kubectl("create", "namespace", self.space.name)
        Workload(self.space, replicas=REPLICAS, mesh=mesh, drain_ms=100).create()
        self.inventory = inventory(self.space)
        self.state = State("", 0, "v1", "v1", "v1")
        self.stories: list[str] = []
        self.met = 0

    def arguments(self, verb: str, new: str) -> tuple[str, ...]:
        if verb != "start":
            return (verb, "web")
        return ("start", "web", "--image", f"{IMAGE}:{new}", "--batches", str(BATCHES), "--settle", "50ms")

    def round(self) -> None:
        new = VERSIONS[(VERSIONS.index(self.state.version) + 1) % len(VERSIONS)]
        # The first has something to do.
        first = self.random.choice([verb for verb in VERBS if after(self.state, verb, new)])
        verbs = first, self.random.choice(VERBS)
        lead = self.random.choice([0, 0, self.random.randrange(120)])
        machines = [(), OTHER_MACHINE]
        self.random.shuffle(machines)
        both = self.run_both(verbs, new, lead, machines)
        story = f"{self.state}\n{verbs[1]} after {lead} requests of {verbs[0]}; machines: {machines}\n"
        story += "\n".join(map(str, both))
        self.stories.append(story)
        told = [person for person in both if person.code != 0]
        for person in told:
            assert person.code in (1, 5) and person.err.splitlines()[-1].startswith("error: "), story
        self.met += sum(person.met_the_other() for person in told)
        seen = self.look()
        possible = [state for state in self.possible(both, new) if state.seen() == seen]
        assert possible, f"{story}\nand then: {seen}"
        self.state = possible[0]

    def run_both(
        self, verbs: tuple[str, str], new: str, lead: int, machines: list[tuple[str, ...]]
    ) -> list[Ended]:
        with Gate(self.space, lead) as gate:
            first = self.start(machines[0], gate.space, self.arguments(verbs[0], new))
            # It may end with fewer.
            while lead and not gate.reached.wait(0.02) and first.poll() is None:
                pass
            second = self.start(machines[1], self.space, self.arguments(verbs[1], new))
            ended = []
            for verb, process in zip(verbs, (first, second), strict=True):
                out, err = process.communicate(timeout=90)
                ended.append(Ended(verb, process.returncode, out, err))
            return ended

    @staticmethod
    def start(machine: tuple[str, ...], space: Space, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*machine, str(PLUGIN), *arguments],
            env=space.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def possible(self, both: list[Ended], new: str) -> Iterator[State]:
        """What one person can have made, with the commands of both that did something, in either order."""
        for order in itertools.permutations(both):
            for runs in itertools.product(*(person.may_have_run() for person in order)):
                state: State | None = self.state
                for person, ran in zip(order, runs, strict=True):
                    if ran and state:
                        state = after(state, person.verb, new)
                if state:
                    yield state

    def look(self) -> tuple[str, int, str]:
        """What the record says, and the objects must agree."""
        deployments = {d["metadata"]["name"]: d for d in self.space.get("deployments")}
        image = deployments["web"]["spec"]["template"]["spec"]["containers"][0]["image"]
        version = image.rpartition(":")[2]
        if not self.space.exists("configmap", "batchrollout-web"):
            assert set(deployments) == {"web"}
            return "", 0, version
        status = self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]
        paused = status["phase"] == "Paused"
        assert len(deployments) == (2 if paused else 1), (status, set(deployments))
        return status["phase"], status["batch"] if paused else 0, version

    def end(self) -> None:
        """Finished or taken back, nothing is left over."""
        if self.state.phase == "Paused":
            verb = self.random.choice([("next", "web", "--all"), ("abort", "web")])
            self.space.plugin(*verb, check=True)
        after = quiet_snapshot(self.space)
        assert sum(1 for item in after.values() if item["kind"] == "Pod") == REPLICAS
        left = inventory(self.space) - self.inventory
        assert {name for name in left if not name.startswith("replicaset.apps/web-")} <= {"configmap/batchrollout-web"}
        assert_unmarked(after.values())
        for item in after.values():
            if item["kind"] == "ReplicaSet":
                assert [owner["name"] for owner in item["metadata"]["ownerReferences"]] == ["web"]
        self.space.kubectl("delete", "namespace", self.space.name, "--wait=false")


def run_rounds(directory: Path, mesh: bool, seed: int) -> tuple[int, str]:
    pair = Pair(directory, mesh, seed)
    try:
        for _ in range(ROUNDS // AT_ONCE):
            pair.round()
        pair.end()
    except Exception as error:
        return pair.met, f"seed {seed}, round {len(pair.stories)}: {error}\n{pair.space.dump()}"
    return pair.met, ""


@pytest.mark.parametrize("mesh", [False, True], ids=["replicas", "istio"])
def test_two_people_at_the_same_time(cluster, tmp_path, mesh: bool):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda seed: run_rounds(tmp_path, mesh, seed), range(1, AT_ONCE + 1)))
    failures = [failure for _, failure in results if failure]
    assert not failures, "\n\n".join(failures)
    met = sum(count for count, _ in results)
    print(f"in each other's way in {met} of {ROUNDS} rounds")
    assert met > ROUNDS / 5, "hardly ever were they in each other's way"
