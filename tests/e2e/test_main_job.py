"""The main job (issue 3, "It is done when"): a release under constant traffic, finished and taken back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import deepcopy

import pytest
from helpers.inventory import inventory
from helpers.podwatch import PodWatch
from helpers.snapshot import assert_same, snapshot
from helpers.space import Object, Space
from helpers.traffic import Traffic
from helpers.workload import IMAGE, Workload

REPLICAS = 10
RATE = 110
# --batches 4 of 10 replicas: replicas and weight of the canary at each pause.
CANARY = {1: 2, 2: 5, 3: 7}
WEIGHT = {1: 25, 2: 50, 3: 75}
OTHER_WEIGHT = 20


def users_virtual_service() -> Object:
    """With a conditional route, retries, timeouts, headers, a third destination: all of which is nobody's but theirs."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "front", "labels": {"team": "shop"}, "annotations": {"owner": "somebody"}},
        "spec": {
            "hosts": ["web"],
            "http": [
                {
                    "name": "api",
                    "match": [{"uri": {"prefix": "/api"}, "headers": {"x-api": {"exact": "2"}}}],
                    "retries": {"attempts": 3, "perTryTimeout": "2s", "retryOn": "connect-failure"},
                    "timeout": "7s",
                    "route": [{"destination": {"host": "web", "port": {"number": 80}}}],
                },
                {
                    "match": [{"uri": {"prefix": "/other"}}],
                    "route": [{"destination": {"host": "other"}}],
                },
                {
                    # Without retries: a request that fails is seen to fail.
                    "retries": {"attempts": 0},
                    "headers": {"request": {"set": {"x-route": "main"}}},
                    "route": [
                        {"destination": {"host": "web"}, "weight": 100 - OTHER_WEIGHT},
                        {"destination": {"host": "other"}, "weight": OTHER_WEIGHT},
                    ],
                },
            ],
        },
    }


def users_destination_rule() -> Object:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "front"},
        "spec": {
            "host": "web",
            "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 1000}}},
            "subsets": [{"name": "everything", "labels": {"app": "web"}}],
        },
    }


class Scene:
    """The workload, its objects as they were before, and both traffics."""

    def __init__(self, space: Space, mode: str):
        self.space = space
        self.mode = mode
        self.web = Workload(
            space, replicas=REPLICAS, mesh=mode != "replicas", start_delay_ms=500, drain_ms=3000
        ).create()
        if mode == "istio, own objects":
            Workload(space, name="other", replicas=2, labels={"version": "other"}).create()
            space.apply(users_virtual_service(), users_destination_rule())
        self.before = snapshot(space)
        self.inventory = inventory(space)
        self.pods = self.uids()
        self.canary: set[str] = set()
        self.envoy: Traffic
        self.service: Traffic
        self.watch: PodWatch

    def uids(self, selector: str = "app=web") -> set[str]:
        return {pod["metadata"]["uid"] for pod in self.space.ready_pods(selector)}

    def run(self, *args: str) -> None:
        result = self.space.plugin(*args)
        assert result.code == 0, str(result)
        print(result)

    def status(self) -> Object:
        return self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]

    def start(self) -> None:
        self.run("start", "web", "--image", f"{IMAGE}:v2", "--batches", "4")

    def assert_paused_at(self, batch: int) -> None:
        canary, weight = CANARY[batch], WEIGHT[batch]
        status = self.status()
        assert (status["phase"], status["batch"], status["batches"]) == ("Paused", batch, 4)
        assert status["stable"] == {
            "deployment": "web",
            "version": "v1",
            "replicas": REPLICAS - canary,
            "ready": REPLICAS - canary,
            "weight": 100 - weight if self.mode != "replicas" else 100 * (REPLICAS - canary) // REPLICAS,
        }
        assert status["canary"]["replicas"] == status["canary"]["ready"] == canary

        new = self.uids("app=web,version=v2")
        assert len(new) == canary and self.canary < new
        self.canary = new
        # No pod of the old version is a new one.
        stable = self.uids("app=web,version=v1")
        assert len(stable) == REPLICAS - canary and stable <= self.pods
        self.pods = self.pods & stable
        self.assert_split(canary, weight)
        self.assert_foreign_untouched()

    def assert_split(self, canary: int, weight: int) -> None:
        replicas = {"v1": REPLICAS - canary, "v2": canary}
        ours = 100 - OTHER_WEIGHT
        through_envoy: dict[str | None, float] = {
            "replicas": replicas,
            "istio": {"v1": 100 - weight, "v2": weight},
            "istio, own objects": {
                "v1": ours * (100 - weight) / 100,
                "v2": ours * weight / 100,
                "other": OTHER_WEIGHT,
            },
        }[self.mode]
        with ThreadPoolExecutor() as both:
            list(both.map(Traffic.assert_split, (self.envoy, self.service), (through_envoy, replicas)))

    def assert_foreign_untouched(self) -> None:
        """Also while a release is on its way, all that is not ours is as it was."""
        if self.mode != "istio, own objects":
            return
        now = snapshot(self.space, "virtualservices,destinationrules,services")
        assert now["DestinationRule/front"] == self.before["DestinationRule/front"]
        assert now["Service/web"] == self.before["Service/web"]
        front, original = deepcopy(now["VirtualService/front"]), deepcopy(self.before["VirtualService/front"])
        for virtual_service in (front, original):
            for route in virtual_service["spec"]["http"]:
                route["route"] = [r for r in route["route"] if r["destination"]["host"] != "web"]
        assert front == original

    def assert_nothing_failed(self) -> None:
        for traffic in (self.envoy, self.service):
            traffic.stop()
            traffic.assert_no_failures()
            sent = traffic.counts().responses
            pace = len(sent) / (sent[-1].sent - sent[0].sent)
            assert pace >= 100, f"only {pace:.0f} requests a second were sent"
        self.watch.assert_never_below(REPLICAS)

    def assert_only_record_left(self) -> None:
        assert inventory(self.space) - {"configmap/batchrollout-web"} == self.inventory


@pytest.fixture(params=["replicas", "istio", "istio, own objects"])
def scene(request: pytest.FixtureRequest, space: Space) -> Iterator[Scene]:
    scene = Scene(space, request.param)
    with ExitStack() as stack:
        scene.watch = stack.enter_context(PodWatch(space, "app=web"))
        scene.envoy = stack.enter_context(scene.web.traffic("envoy", RATE))
        scene.service = stack.enter_context(scene.web.traffic("service", RATE))
        yield scene


def test_release_in_four_batches(scene: Scene):
    scene.start()
    scene.assert_paused_at(1)
    for batch in (2, 3):
        scene.run("next", "web")
        scene.assert_paused_at(batch)
    scene.run("next", "web")

    assert scene.status()["phase"] == "Completed"
    # The Deployment has the new image, and is else as before; it has taken the pods over, whose label it has, too.
    expected = deepcopy(scene.before["Deployment/web"]["spec"])
    expected["template"]["spec"]["containers"][0]["image"] = f"{IMAGE}:v2"
    expected["template"]["metadata"]["labels"]["version"] = "v2"
    after = snapshot(scene.space)
    assert after["Deployment/web"]["spec"] == expected
    unchanged = {key for key in scene.before if key.split("/")[0] not in ("Deployment", "ReplicaSet")}
    assert_same(*({key: objects[key] for key in unchanged} for objects in (scene.before, after)))
    old = {key: value for key, value in scene.before.items() if key.startswith("ReplicaSet/web-")}
    for key, replica_set in old.items():
        assert after[key]["metadata"]["labels"] == replica_set["metadata"]["labels"]
        assert after[key]["spec"]["template"] == replica_set["spec"]["template"]
    left = inventory(scene.space) - scene.inventory
    assert left == {"configmap/batchrollout-web"} | {n for n in left if n.startswith("replicaset.apps/web-")}
    assert len(left) == 2
    pods = scene.space.ready_pods("app=web")
    assert len(pods) == REPLICAS
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {f"{IMAGE}:v2"}
    assert scene.canary < {pod["metadata"]["uid"] for pod in pods}, "a pod of the new version was restarted"
    # kubectl knows the version before, and the way back to it.
    assert len(old) == 1
    history = scene.space.kubectl("rollout", "history", "deployment/web").out.split("\n")
    assert [line.split()[0] for line in history if line[:1].isdigit()] == ["1", "2"]
    scene.service.assert_split({"v2": 100})
    scene.assert_nothing_failed()


def test_release_taken_back(scene: Scene):
    scene.start()
    scene.assert_paused_at(1)
    scene.run("next", "web")
    scene.assert_paused_at(2)
    scene.run("abort", "web")

    assert scene.status()["phase"] == "Aborted"
    assert_same(scene.before, snapshot(scene.space))
    scene.assert_only_record_left()
    pods = scene.uids()
    assert len(pods) == REPLICAS and scene.pods <= pods, "a pod that had survived so far was replaced"
    scene.service.assert_split({None: 100})
    scene.assert_nothing_failed()
