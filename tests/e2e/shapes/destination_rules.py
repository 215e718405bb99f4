"""The user's subsets and policies, and which clients they are for."""

from helpers.istio import destination_rule, route, to, virtual_service
from helpers.probe import Probe
from helpers.proxies import CLIENT, OTHER_CLIENT
from helpers.space import Object

from . import Scene, shape

VERSION_1 = {"version": "v1"}
ROOT_NAMESPACE = "istio-system"


def policy(connections: int) -> Object:
    return {"connectionPool": {"tcp": {"maxConnections": connections}}}


@shape("finish, then abort", subset="v1")
def subset_of_the_users(scene: Scene) -> list[Probe]:
    """Named after the version, with a policy of its own."""
    scene.web.labels = VERSION_1
    rule = destination_rule("front", "web", {"v1": VERSION_1, "all": {"app": "web"}}, trafficPolicy=policy(800))
    rule["spec"]["subsets"][0]["trafficPolicy"] = policy(900)
    scene.space.apply(rule, virtual_service("front", ["web"], route(to("web", subset="v1"))))
    scene.web.create()
    return [Probe(scene.web.request())]


@shape("abort", subset="v1")
def subset_of_the_users_taken_back(scene: Scene) -> list[Probe]:
    return subset_of_the_users.set_up(scene)


@shape("finish, then abort", subset="prod")
def two_destination_rules(scene: Scene) -> list[Probe]:
    """Istio merges them, and the release's. Only the first one's policy counts."""
    scene.web.labels = VERSION_1
    scene.space.apply(
        destination_rule("a", "web", {"all": {"app": "web"}}, trafficPolicy=policy(800)),
        destination_rule("b", scene.web.host, {"prod": VERSION_1}),
        virtual_service("front", ["web"], route(to("web", subset="prod"))),
    )
    scene.web.create()
    return [Probe(scene.web.request())]


@shape("abort")
def rule_in_the_clients_namespace(scene: Scene) -> list[Probe]:
    """Clients there see only the rules there; the others only those of the Service's namespace."""
    scene.space.apply(
        destination_rule(
            scene.space.name, scene.web.host, {}, namespace=OTHER_CLIENT.namespace, trafficPolicy=policy(700)
        ),
        virtual_service("front", ["web"], route(to("web"))),
    )
    scene.web.create()
    return [Probe(scene.web.request(client=OTHER_CLIENT)), Probe(scene.web.request())]


@shape("finish")
def wildcard_rule_in_the_clients_namespace(scene: Scene) -> list[Probe]:
    """The release's would hide it, as its host is closer."""
    wildcard = f"*.{scene.space.name}.svc.cluster.local"
    scene.space.apply(
        destination_rule(
            scene.space.name, wildcard, {}, namespace=OTHER_CLIENT.namespace, trafficPolicy=policy(700)
        ),
        virtual_service("front", ["web"], route(to("web"))),
    )
    scene.web.create()
    return [Probe(scene.web.request(client=OTHER_CLIENT)), Probe(scene.web.request())]


@shape("abort")
def wildcard_rule_of_the_service(scene: Scene) -> list[Probe]:
    wildcard = f"*.{scene.space.name}.svc.cluster.local"
    scene.space.apply(
        destination_rule("all", wildcard, {}, trafficPolicy=policy(600)),
        virtual_service("front", ["web"], route(to("web"))),
    )
    scene.web.create()
    return [Probe(scene.web.request())]


@shape("finish, then abort", subset="v1")
def rule_in_the_root_namespace(scene: Scene) -> list[Probe]:
    scene.web.labels = VERSION_1
    scene.space.apply(
        destination_rule(
            scene.space.name, scene.web.host, {"v1": VERSION_1}, namespace=ROOT_NAMESPACE, trafficPolicy=policy(500)
        ),
        virtual_service("front", ["web"], route(to("web", subset="v1"))),
    )
    scene.web.create()
    return [Probe(scene.web.request()), Probe(scene.web.request(client=OTHER_CLIENT))]


@shape("finish, then abort", subset="prod")
def rule_in_the_root_namespace_with_a_name_of_its_own(scene: Scene) -> list[Probe]:
    scene.web.labels = VERSION_1
    scene.space.apply(
        destination_rule(scene.space.name, scene.web.host, {"prod": VERSION_1}, namespace=ROOT_NAMESPACE),
        virtual_service("front", ["web"], route(to("web", subset="prod"))),
    )
    scene.web.create()
    return [Probe(scene.web.request())]


@shape("abort")
def exported_to_one_namespace(scene: Scene) -> list[Probe]:
    """Clients elsewhere get a VirtualService of the release meanwhile."""
    split = route(to("web", 3), to("other", 1))
    scene.space.apply(virtual_service("front", ["web"], split, exportTo=[CLIENT.namespace]))
    scene.web.create()
    scene.other.create()
    return [
        Probe(scene.web.request(), {"split": 75, "other": 25}),
        Probe(scene.web.request(client=OTHER_CLIENT)),
    ]


@shape("finish", clients=(CLIENT,))
def rules_and_routes_exported_to_one_namespace(scene: Scene) -> list[Probe]:
    exports = [".", CLIENT.namespace]
    scene.space.apply(
        destination_rule("front", "web", {}, exportTo=exports, trafficPolicy=policy(400)),
        virtual_service("front", ["web"], route(to("web")), exportTo=exports),
    )
    scene.web.create()
    return [Probe(scene.web.request())]
