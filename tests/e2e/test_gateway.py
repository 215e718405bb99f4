"""Releases that HTTPRoutes of the Gateway API split: bound to a Gateway, and to the Service itself for the mesh."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import deepcopy

import pytest
from helpers.restored import wait_until_drained
from helpers.routes import INGRESS, backends, http_route, service_parent
from helpers.snapshot import KINDS, assert_same, snapshot
from helpers.space import Object, Result, Space
from helpers.traffic import Traffic
from helpers.untouched import nothing_written
from helpers.workload import IMAGE, Workload

pytestmark = pytest.mark.usefixtures("gateway_api")

NEW = ("--image", f"{IMAGE}:v2")
REPLICAS = 4
RATE = 110
OTHER_WEIGHT = 20


def users_route(shop: str) -> Object:
    """With a conditional rule, a timeout, filters, another Service: all of which is nobody's but theirs."""
    set_header = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-a", "value": "b"}]}}
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "other", "port": 80}}}
    rules: list[Object] = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/api"}, "method": "GET"}],
            "timeouts": {"request": "7s"},
            "filters": [mirror],
            "backendRefs": [{"name": "web", "port": 80, "filters": [set_header]}],
        },
        {"matches": [{"path": {"type": "Exact", "value": "/other"}}], "backendRefs": backends({"other": 1})},
        {"backendRefs": backends({"web": 100 - OTHER_WEIGHT, "other": OTHER_WEIGHT})},
    ]
    return http_route("front", INGRESS, rules, [shop])


def mesh_route() -> Object:
    return http_route("mesh", service_parent("web"), [{"backendRefs": backends({"web": 1})}])


def objects(space: Space) -> dict[str, Object]:
    """Without what the controllers of the Gateway API say of routes: they count their generations."""
    found = snapshot(space, f"{KINDS},httproutes")
    return {k: {m: v for m, v in o.items() if m != "status" or o["kind"] != "HTTPRoute"} for k, o in found.items()}


def without_shares(route: Object) -> list[Object]:
    """The rules, without the backends that a release changes, and without weights."""
    rules = deepcopy(route["spec"]["rules"])
    for rule in rules:
        rule["backendRefs"] = [b | {"weight": 0} for b in rule["backendRefs"] if b["name"] == "other"]
    return rules


class Scene:
    """The workload with its routes as they were before, and traffic that comes by the Gateway and from the mesh."""

    def __init__(self, space: Space, mesh: str):
        self.space = space
        self.shop = f"{space.name}.example"
        self.web = Workload(
            space, replicas=REPLICAS, mesh=mesh == "ours", start_delay_ms=300, drain_ms=2000
        ).create()
        Workload(space, name="other", replicas=1, labels={"version": "other"}).create()
        space.apply(users_route(self.shop))
        if mesh == "theirs":
            space.apply(mesh_route())
        self.before = objects(self.space)
        self.gateway: Traffic
        self.mesh: Traffic

    def run(self, *args: str) -> None:
        result = self.space.plugin(*args)
        print(result)
        assert result.code == 0, str(result)

    def status(self) -> Object:
        return self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]

    def assert_paused_at(self, batch: int, weight: int) -> None:
        status = self.status()
        assert (status["phase"], status["batch"], status["traffic"]) == ("Paused", batch, "gateway")
        assert (status["stable"]["weight"], status["canary"]["weight"]) == (100 - weight, weight)
        ours = 100 - OTHER_WEIGHT
        through_gateway = {
            "v1": ours * (100 - weight) / 100,
            "v2": ours * weight / 100,
            "other": OTHER_WEIGHT,
        }
        mesh = {"v1": 100 - weight, "v2": weight}
        with ThreadPoolExecutor() as both:
            list(both.map(Traffic.assert_split, (self.gateway, self.mesh), (through_gateway, mesh)))
        self.assert_foreign_untouched()

    def assert_foreign_untouched(self) -> None:
        now = objects(self.space)
        shares = [b["weight"] for b in now["HTTPRoute/front"]["spec"]["rules"][2]["backendRefs"]]
        assert 100 * shares[-1] == OTHER_WEIGHT * sum(shares), "the other Service keeps its part"
        assert without_shares(now["HTTPRoute/front"]) == without_shares(self.before["HTTPRoute/front"])
        assert now["Service/web"] == self.before["Service/web"]

    def assert_nothing_failed(self) -> None:
        for traffic in (self.gateway, self.mesh):
            traffic.stop()
            traffic.assert_no_failures()


@pytest.fixture(params=["theirs", "ours"])
def scene(request: pytest.FixtureRequest, space: Space) -> Iterator[Scene]:
    """The mesh has a route of the user's, or none, so that the release makes one."""
    scene = Scene(space, request.param)
    with ExitStack() as stack:
        scene.gateway = stack.enter_context(scene.web.traffic("gateway", RATE, host=scene.shop))
        scene.mesh = stack.enter_context(scene.web.traffic("envoy", RATE))
        yield scene


def test_release_in_batches(scene: Scene):
    scene.run("start", "web", *NEW, "--batches", "4")
    scene.assert_paused_at(1, 25)
    scene.run("next", "web", "--to", "3")
    scene.assert_paused_at(3, 75)
    scene.run("next", "web")

    assert scene.status()["phase"] == "Completed"
    after = objects(scene.space)
    expected = deepcopy(scene.before["Deployment/web"]["spec"])
    expected["template"]["spec"]["containers"][0]["image"] = f"{IMAGE}:v2"
    expected["template"]["metadata"]["labels"]["version"] = "v2"
    assert after["Deployment/web"]["spec"] == expected
    same = ("Service/", "HTTPRoute/")
    assert_same(*({k: v for k, v in o.items() if k.startswith(same)} for o in (scene.before, after)))
    scene.mesh.assert_split({"v2": 100})
    scene.gateway.assert_split({"v2": 100 - OTHER_WEIGHT, "other": OTHER_WEIGHT})
    scene.assert_nothing_failed()


def test_release_taken_back(scene: Scene):
    scene.run("start", "web", *NEW, "--batches", "2")
    scene.assert_paused_at(1, 50)
    scene.run("abort", "web")

    assert scene.status()["phase"] == "Aborted"
    wait_until_drained(scene.space)
    assert_same(scene.before, objects(scene.space))
    scene.mesh.assert_split({None: 100})
    scene.assert_nothing_failed()


# --- A/B ------------------------------------------------------------------------------------------------------------


def test_rules_choose_the_new_version(space):
    """Exact headers, and cookies by a regular expression, which istiod is known to understand."""
    shop = f"{space.name}.example"
    web = Workload(space, replicas=2).create()
    by_method = {"matches": [{"method": "POST"}], "backendRefs": backends({"web": 1})}
    space.apply(
        http_route("front", INGRESS, [by_method, {"backendRefs": backends({"web": 1})}], [shop]),
        mesh_route(),
    )
    before = objects(space)
    rules = ("--match", "header:x-user=tester", "--match", "cookie:group=beta", "--match", "header:x-team^=in-")
    space.plugin("start", "web", *NEW, "--batches", "2", *rules, check=True)
    ways = ({"way": "gateway", "host": shop}, {"way": "envoy"})
    for way in ways:
        assert web.ask(40, **way).versions == {"v1": 40}
        assert web.ask(20, headers={"X-User": "tester"}, **way).versions == {"v2": 20}
        assert web.ask(20, headers={"X-User": "tester"}, method="POST", **way).versions == {"v2": 20}
        assert web.ask(20, headers={"X-User": "tester2"}, **way).versions == {"v1": 20}
        assert web.ask(20, headers={"X-Team": "in-house"}, **way).versions == {"v2": 20}
        assert web.ask(20, headers={"X-Team": "within-house"}, **way).versions == {"v1": 20}
        assert web.ask(20, cookies={"a": "b", "group": "beta", "c": "d"}, **way).versions == {"v2": 20}
        assert web.ask(20, cookies={"a": "b", "group": "beta2"}, **way).versions == {"v1": 20}
    space.plugin("next", "web", check=True)
    for way in ways:
        assert web.ask(20, headers={"X-User": "tester"}, **way).versions == {"v2": 20}
        with web.traffic(rate=150, **way) as traffic:
            traffic.assert_split({"v1": 50, "v2": 50})
        traffic.assert_no_failures()
    space.plugin("abort", "web", check=True)
    wait_until_drained(space)
    assert_same(before, objects(space))


# --- how it is chosen, and what is refused --------------------------------------------------------------------------


def refused(space: Space, *args: str, code: int = 1) -> str:
    with nothing_written(space):
        done = space.plugin("start", "web", *NEW, *args)
    assert done.code == code, str(done)
    return done.err


def notes(space: Space, *args: str) -> str:
    done: Result = space.plugin("plan", "web", *NEW, *args, check=True)
    return done.out.split("\n\n")[0]


def test_is_chosen_where_an_http_route_is(space):
    Workload(space, replicas=1).create()
    reason = 'no HTTPRoute sends requests to service "web", and no mesh is seen that would follow one'
    assert reason in refused(space, "--traffic", "gateway")
    space.apply(mesh_route())
    assert "traffic is split by HTTPRoute weights: httproute/mesh routes to the Service" in notes(space)
    shown = space.plugin("plan", "web", *NEW, check=True).out
    stable, canary = "service/batchrollout-web-stable", "service/batchrollout-web-canary"
    assert f"{stable} is for the pods of v1, {canary} for those of v2" in shown
    assert "splits httproute/mesh in namespace" in shown
    # A VirtualService counts more, and what is not split is said.
    route = [{"destination": {"host": "web"}}]
    space.apply(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "front"},
            "spec": {"hosts": ["web"], "http": [{"route": route}]},
        }
    )
    seen = notes(space)
    assert "traffic is split by Istio weights: virtualservice/front routes to the Service" in seen
    assert 'httproute.gateway.networking.k8s.io "mesh"' in seen and "is left alone" in seen
    seen = notes(space, "--traffic", "gateway")
    assert 'virtualservice.networking.istio.io "front"' in seen and "is left alone" in seen


def test_what_it_refuses(space):
    Workload(space, replicas=1).create()
    space.apply(http_route("front", INGRESS, [{"backendRefs": backends({"web": 33333, "other": 66667})}]))
    assert "smaller weights in the same proportion" in refused(space)
    space.apply(http_route("front", INGRESS, [{"backendRefs": backends({"web": 1})}]))
    assert "--sticky needs Istio" in refused(space, "--sticky", code=2)
    assert "--virtualservice needs Istio" in refused(space, "--virtualservice", "front", code=2)
    grpc = http_route("calls", INGRESS, [{"backendRefs": backends({"web": 1})}]) | {"kind": "GRPCRoute"}
    space.apply(grpc)
    assert 'grpcroute.gateway.networking.k8s.io "calls"' in refused(space)


def test_route_of_another_namespace(make_space):
    """It must be allowed to name the release's own Services."""
    space, edge = make_space(), make_space()
    shop = f"{space.name}.example"
    web = Workload(space, replicas=2).create()
    grant = {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "edge"},
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": edge.name}],
            "to": [{"group": "", "kind": "Service", "name": "web"}],
        },
    }
    space.apply(grant)
    edge.apply(http_route("front", INGRESS, [{"backendRefs": backends({"web": 1}, namespace=space.name)}], [shop]))
    before = objects(edge)
    assert "no ReferenceGrant" in refused(space, "--batches", "2")
    grant["spec"]["to"] = [{"group": "", "kind": "Service"}]
    space.apply(grant)
    with web.traffic("gateway", 150, host=shop) as traffic:
        space.plugin("start", "web", *NEW, "--batches", "2", check=True)
        traffic.assert_split({"v1": 50, "v2": 50})
        space.plugin("abort", "web", check=True)
        traffic.assert_split({None: 100}, requests=100)
    traffic.assert_no_failures()
    assert_same(before, objects(edge))
