"""A release for each shape of routes (shapes/): real requests show its weights and none of them fails, the user's other
settings stay in force, and all objects are as before in the end."""

import json
from collections.abc import Iterator

import pytest
from helpers import envoy
from helpers.restored import wait_until_drained
from helpers.routing import routing_snapshot
from helpers.side_by_side import Runs, side_by_side
from helpers.snapshot import assert_same, snapshot
from helpers.space import Object, Space
from helpers.traffic import Traffic
from helpers.workload import IMAGE
from shapes import Scene, Shape, chosen, connections, destination_rules, rules, virtual_services

WEIGHT = 25  # in the first of four batches

MODULES = (virtual_services, connections, destination_rules, rules, chosen)
SHAPES = {name: value for module in MODULES for name, value in vars(module).items() if isinstance(value, Shape)}


class Release:
    """From the user's objects to the end."""

    def __init__(self, scene: Scene, shape: Shape):
        self.space = scene.space
        self.shape = shape
        self.probes = shape.set_up(scene)
        self.host = scene.web.host
        wait_until_drained(self.space)
        self.before = snapshot(self.space)
        self.routing = routing_snapshot(self.space)

    def run(self, *args: str) -> None:
        result = self.space.plugin(*args)
        assert result.code == 0, str(result)

    def go(self) -> None:
        constant = [probe.request for probe in self.probes if not probe.glance]
        # Both ends of TLS are slow here.
        with Traffic(constant, 20 if any(request.sni for request in constant) else 60) as traffic:
            settings = self.settings(self.shape.subset)
            self.start()
            assert self.settings("batchrollout-canary") == settings
            self.assert_left_alone()
            self.end()
        traffic.assert_no_failures()
        wait_until_drained(self.space)
        if self.shape.end == "abort":
            assert_same(self.before, snapshot(self.space))

    def settings(self, subset: str) -> list[Object]:
        """What Envoys do besides choosing a pod of the subset: limits, load balancing, TLS ..."""
        return [envoy.cluster_settings(self.host, 80, subset, proxy) for proxy in self.shape.clients]

    def start(self) -> None:
        self.run("start", "web", "--image", f"{IMAGE}:v2", "--batches", "4", "--settle", "1s", *self.shape.flags)
        if "--match" in self.shape.flags:
            # The first batch is for requests that match alone.
            for probe in self.probes:
                probe.assert_split(0)
            self.run("next", "web")
        for probe in self.probes:
            if not probe.glance:
                probe.assert_split(WEIGHT)

    def assert_left_alone(self) -> None:
        now = routing_snapshot(self.space)
        for key, before in self.routing.items():
            kind, _, name = key.split("/")
            if kind == "DestinationRule" or name in self.shape.left_alone:
                assert now[key] == before
            for route in before["spec"].get("http", []):
                if f"{name}:{route.get('name')}" in self.shape.left_alone:
                    assert route in now[key]["spec"]["http"]

    def end(self) -> None:
        if self.shape.end != "abort":
            self.run("next", "web", "--all")
            self.assert_ended("v2")
        if self.shape.end != "finish":
            self.run("abort", "web")
            self.assert_ended("v1")

    def assert_ended(self, version: str) -> None:
        for probe in self.probes:
            probe.assert_only_image("web-", f"{IMAGE}:{version}")
        # Names of versions, wherever they stand, are those of the one that runs.
        assert_same({k: in_version(version, o) for k, o in self.routing.items()}, routing_snapshot(self.space))


def in_version(version: str, item: Object) -> Object:
    return item | {"spec": json.loads(json.dumps(item["spec"]).replace('"v1"', f'"{version}"'))}


@pytest.fixture(scope="module")
def releases(cluster: None, request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Runs]:
    def run(case: str, *spaces: Space) -> None:
        Release(Scene(*spaces), SHAPES[case]).go()

    with side_by_side(request, "test_shape", tmp_path_factory.mktemp("shapes"), run) as runs:
        yield runs


@pytest.mark.parametrize("case", SHAPES)
def test_shape(releases: Runs, case: str):
    releases[case].result()
