"""--virtualservice: only these are split."""

from helpers.istio import route, to, virtual_service
from helpers.probe import Probe

from . import Scene, shape


@shape("abort", "--virtualservice", "shop", left_alone=("inside",))
def one_of_two_virtual_services(scene: Scene) -> list[Probe]:
    scene.space.apply(
        virtual_service("inside", ["web"], route(to("web"))),
        virtual_service("shop", [scene.shop], route(to("web"))),
    )
    scene.web.create()
    return [Probe(scene.web.request("tcp", host=scene.shop))]


@shape("finish", "--virtualservice", "front:api,main", left_alone=("front:beta",))
def two_of_three_routes(scene: Scene) -> list[Probe]:
    scene.space.apply(
        virtual_service(
            "front",
            ["web"],
            route(to("web"), name="api", match=[{"uri": {"prefix": "/api"}}]),
            route(to("web"), name="beta", match=[{"uri": {"prefix": "/beta"}}]),
            route(to("web"), name="main"),
        )
    )
    scene.web.create()
    return [Probe(scene.web.request()), Probe(scene.web.request(path="/api"))]
