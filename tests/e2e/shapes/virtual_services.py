"""Which VirtualServices route to the Service, and what is in them."""

from helpers.istio import gateway, route, to, virtual_service
from helpers.probe import Probe
from helpers.proxies import OTHER_CLIENT
from helpers.workload import TCP_PORT

from . import Scene, shape


@shape("abort", "--traffic", "istio")
def no_virtual_service(scene: Scene) -> list[Probe]:
    scene.web.more_ports = [TCP_PORT]
    scene.web.create()
    return [Probe(scene.web.request("tcp")), Probe(scene.web.request("tcp", port=9000))]


@shape("finish")
def one_virtual_service(scene: Scene) -> list[Probe]:
    scene.space.apply(virtual_service("front", ["web"], route(to("web"))))
    scene.web.create()
    return [Probe(scene.web.request()), Probe(scene.web.request("tcp"))]


@shape("abort")
def two_virtual_services(scene: Scene) -> list[Probe]:
    scene.space.apply(
        virtual_service("inside", ["web"], route(to("web"))),
        virtual_service("shop", [scene.shop], route(to(scene.web.host))),
    )
    scene.web.create()
    return [Probe(scene.web.request()), Probe(scene.web.request("tcp", host=scene.shop))]


@shape("finish")
def virtual_service_in_another_namespace(scene: Scene) -> list[Probe]:
    host = scene.web.host
    scene.space.apply(virtual_service("front", [host], route(to(host)), namespace=scene.elsewhere.name))
    scene.web.create()
    return [Probe(scene.web.request()), Probe(scene.web.request(client=OTHER_CLIENT))]


@shape("abort")
def routes_with_and_without_a_name(scene: Scene) -> list[Probe]:
    api = [{"uri": {"prefix": "/api"}, "headers": {"x-api": {"exact": "2"}}}]
    scene.space.apply(
        virtual_service(
            "front",
            ["web"],
            route(to("web"), name="api", match=api, timeout="7s", retries={"attempts": 0}),
            route(to("web"), match=[{"uri": {"prefix": "/static"}}, {"method": {"exact": "PUT"}}]),
            route(to("other"), match=[{"uri": {"prefix": "/other"}}]),
            route(to("web", headers={"request": {"set": {"x-route": "main"}}}), name="main"),
        )
    )
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request(path="/api/x", headers={"x-api": "2"})),
        Probe(scene.web.request(method="PUT")),
        Probe(scene.web.request(path="/other/x"), {"other": 100}),
        Probe(scene.web.request(path="/api/x")),
    ]


@shape("finish")
def delegate(scene: Scene) -> list[Probe]:
    scene.space.apply(
        virtual_service(
            "root", ["web"], {"match": [{"uri": {"prefix": "/shop"}}], "delegate": {"name": "inner"}}, route(to("other"))
        ),
        virtual_service(
            "inner", [], route(to("web"), match=[{"uri": {"prefix": "/shop/cart"}}]), route(to("web", 90), to("other", 10))
        ),
    )
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request(path="/shop/cart")),
        Probe(scene.web.request(path="/shop"), {"split": 90, "other": 10}),
        Probe(scene.web.request(), {"other": 100}),
    ]


@shape("finish")
def bound_to_a_gateway(scene: Scene) -> list[Probe]:
    """Sidecars get a VirtualService of the release meanwhile."""
    scene.space.apply(
        gateway("front", scene.shop),
        virtual_service("front", [scene.shop], route(to("web")), gateways=["front"]),
    )
    scene.web.create()
    return [Probe(scene.web.request("gateway", host=scene.shop)), Probe(scene.web.request())]


@shape("abort")
def bound_to_a_gateway_and_the_mesh(scene: Scene) -> list[Probe]:
    scene.space.apply(
        gateway("front", scene.shop, namespace=scene.elsewhere.name),
        virtual_service(
            "front",
            [scene.shop, scene.web.host],
            route(to("web"), match=[{"gateways": ["mesh"], "uri": {"prefix": "/inside"}}]),
            route(to("web", 3), to("other", 1)),
            gateways=[f"{scene.elsewhere.name}/front", "mesh"],
        ),
    )
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request("gateway", host=scene.shop, path="/inside"), {"split": 75, "other": 25}),
        Probe(scene.web.request(path="/inside")),
    ]


@shape("finish")
def third_destination(scene: Scene) -> list[Probe]:
    """A quarter of 70 is no whole number: the weights of the list grow."""
    scene.space.apply(virtual_service("front", ["web"], route(to("other", 30), to("web", 70))))
    scene.web.create()
    scene.other.create()
    return [Probe(scene.web.request(), {"split": 70, "other": 30})]


@shape("abort")
def rewritten_path(scene: Scene) -> list[Probe]:
    old = [{"uri": {"prefix": "/old/"}}]
    scene.space.apply(
        virtual_service("front", ["web"], route(to("web"), match=old, rewrite={"uri": "/new/"}), route(to("other")))
    )
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request(path="/old/thing"), seen={"path": "/new/thing"}),
        Probe(scene.web.request(path="/new/thing"), {"other": 100}, seen={"path": "/new/thing"}),
    ]


@shape("abort")
def route_of_one_client(scene: Scene) -> list[Probe]:
    namespace = [{"sourceNamespace": OTHER_CLIENT.namespace}]
    scene.space.apply(
        virtual_service("front", ["web"], route(to("web", 1), to("other", 1), match=namespace), route(to("web")))
    )
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request(client=OTHER_CLIENT), {"split": 50, "other": 50}),
        Probe(scene.web.request()),
    ]
