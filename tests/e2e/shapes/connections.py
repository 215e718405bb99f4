"""Routes of connections: what Istio takes for TCP, and TLS that it passes on."""

from helpers.istio import istio, route, to, virtual_service
from helpers.probe import Probe
from helpers.proxies import GATEWAY, OTHER_CLIENT
from helpers.workload import TCP_PORT, TLS_PORT

from . import Scene, shape

TCP, TLS = TCP_PORT["port"], TLS_PORT["port"]


@shape("abort")
def tcp_route(scene: Scene) -> list[Probe]:
    scene.web.more_ports = scene.other.more_ports = [TCP_PORT]
    tcp = route(to("web", 80, port=TCP), to("other", 20, port=TCP), match=[{"port": TCP}])
    scene.space.apply(virtual_service("front", ["web"], route(to("web")), tcp=[tcp]))
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request("tcp", port=TCP), {"split": 80, "other": 20}),
        Probe(scene.web.request("tcp", port=TCP, client=OTHER_CLIENT), {"split": 80, "other": 20}),
        Probe(scene.web.request("tcp")),
    ]


@shape("finish")
def tls_route(scene: Scene) -> list[Probe]:
    scene.web.more_ports = scene.other.more_ports = [TLS_PORT]
    host, beta = scene.web.host, f"beta.{scene.shop}"
    tls = [
        route(to("web", port=TLS), match=[{"port": TLS, "sniHosts": [host]}]),
        route(to("other", port=TLS), match=[{"port": TLS, "sniHosts": [beta]}]),
    ]
    scene.space.apply(virtual_service("front", [host, beta], route(to("web")), tls=tls))
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request("tcp", port=TLS, sni=host)),
        Probe(scene.web.request("tcp", port=TLS, sni=beta), {"other": 100}),
    ]


@shape("abort")
def tls_through_a_gateway(scene: Scene) -> list[Probe]:
    scene.web.more_ports = [TLS_PORT]
    server = {
        "port": {"number": 443, "name": "tls", "protocol": "TLS"},
        "hosts": [scene.shop],
        "tls": {"mode": "PASSTHROUGH"},
    }
    tls = route(to("web", port=TLS), match=[{"sniHosts": [scene.shop]}])
    scene.space.apply(
        istio("Gateway", "front", {"selector": dict(GATEWAY.labels), "servers": [server]}),
        virtual_service("front", [scene.shop], gateways=["front"], tls=[tls]),
    )
    scene.web.create()
    return [Probe(scene.web.request("gateway", port=443, sni=scene.shop))]
