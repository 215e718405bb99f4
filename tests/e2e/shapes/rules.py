"""--match: requests that match go to the new version from the first batch on, wherever they are routed."""

from helpers.istio import route, to, virtual_service
from helpers.probe import Probe
from helpers.proxies import OTHER_CLIENT

from . import Scene, shape

CANARY = {"v2": 100}


def one_route(scene: Scene) -> None:
    scene.space.apply(virtual_service("front", ["web"], route(to("web"))))
    scene.web.create()


def with_header(scene: Scene, name: str, matching: list[str], others: list[str]) -> list[Probe]:
    """Requests with these values of the header, and some without it."""
    return [
        Probe(scene.web.request()),
        *(Probe(scene.web.request(headers={name: value}), CANARY) for value in matching),
        *(Probe(scene.web.request(headers={name: value}), glance=True) for value in others),
    ]


@shape("abort", "--match", "header:x-user=tester")
def header(scene: Scene) -> list[Probe]:
    one_route(scene)
    return with_header(scene, "X-User", ["tester"], ["tester2", "atester", "Tester"])


@shape("finish", "--match", "header:x-user^=test")
def header_prefix(scene: Scene) -> list[Probe]:
    one_route(scene)
    return with_header(scene, "x-user", ["tester", "test"], ["atest", "tes", "Test"])


@shape("abort", "--match", "header:x-user~te(st|xt)er[0-9]+")
def header_regex(scene: Scene) -> list[Probe]:
    one_route(scene)
    return with_header(scene, "x-user", ["tester7", "texter42"], ["tester", "atester7", "tester7a"])


@shape("finish", "--match", "cookie:user=te.ter")
def cookie(scene: Scene) -> list[Probe]:
    """At each place in the header; and no other cookie's value or name."""
    one_route(scene)
    matching = [
        "user=te.ter",
        "user=te.ter; a=b",
        "a=b; user=te.ter; c=d",
        "a=b;user=te.ter;c=d",
        "a=b; user=te.ter",
        "a=b;user=te.ter",
    ]
    others = [
        "superuser=te.ter",
        "a=b; superuser=te.ter",
        "user=te.ter2",
        "a=b; user=te.ter2; c=d",
        "user=tester",
        "a=user=te.ter",
        "user=te.te",
        "User=te.ter",
    ]
    return with_header(scene, "Cookie", matching, others)


@shape("abort", "--match", "cookie:user~[a-m]+[.]?(eu|us)")
def cookie_regex(scene: Scene) -> list[Probe]:
    one_route(scene)
    matching = ["user=ed.eu", "a=b; user=lia.us; c=d", "a=b;user=edeu"]
    return with_header(scene, "Cookie", matching, ["user=zoe.eu", "user=ed.eux", "a=b; user=ed; c=.eu", "user=ed;eu"])


@shape("finish", "--match", "header:x-user=tester,cookie:beta=yes", "--match", "header:x-team^=qa-")
def any_of_several_rules(scene: Scene) -> list[Probe]:
    one_route(scene)
    request = scene.web.request
    return [
        Probe(request()),
        Probe(request(headers={"x-user": "tester"}, cookies={"a": "b", "beta": "yes"}), CANARY),
        Probe(request(headers={"x-team": "qa-1"}), CANARY),
        Probe(request(headers={"x-user": "tester"}), glance=True),
        Probe(request(cookies={"beta": "yes"}), glance=True),
        Probe(request(headers={"x-user": "tester", "x-team": "dev"}, cookies={"beta": "no"}), glance=True),
    ]


@shape("abort", "--match", "header:x-user=tester")
def rule_and_the_routes_own_match(scene: Scene) -> list[Probe]:
    """Both must hold; and what the route does is done for those who match as well."""
    api = [{"uri": {"prefix": "/api"}, "headers": {"x-api": {"exact": "2"}}}, {"uri": {"exact": "/old"}}]
    scene.space.apply(
        virtual_service(
            "front",
            ["web"],
            route(to("web", 75), to("other", 25), match=api, rewrite={"uri": "/new"}),
            route(to("other")),
        )
    )
    scene.web.create()
    scene.other.create()
    tester, request = {"x-user": "tester"}, scene.web.request
    matched, seen = {"v2": 75, "other": 25}, {"path": "/new"}
    return [
        Probe(request(path="/old"), {"split": 75, "other": 25}, seen),
        Probe(request(path="/old", headers=tester), matched, seen),
        Probe(request(path="/api", headers=tester | {"x-api": "2"}), matched, seen),
        Probe(request(path="/api", headers=tester), {"other": 100}),
    ]


@shape("finish", "--match", "header:x-user=tester")
def rule_of_a_delegate(scene: Scene) -> list[Probe]:
    """Behind a match of the VirtualService that delegates, in another namespace."""
    host = scene.web.host
    scene.space.apply(
        virtual_service(
            "root",
            ["web"],
            {
                "match": [{"uri": {"prefix": "/shop"}, "headers": {"x-shop": {"exact": "1"}}}],
                "delegate": {"name": "inner", "namespace": scene.elsewhere.name},
            },
            route(to("other")),
        ),
        virtual_service("inner", [], route(to(host)), namespace=scene.elsewhere.name),
    )
    scene.web.create()
    scene.other.create()
    tester, shop, request = {"x-user": "tester"}, {"x-shop": "1"}, scene.web.request
    return [
        Probe(request(path="/shop", headers=shop)),
        Probe(request(path="/shop", headers=shop | tester), CANARY),
        Probe(request(path="/shop", headers=tester), {"other": 100}),
    ]


@shape("abort", "--match", "header:x-user=tester", "--traffic", "istio")
def rule_without_a_virtual_service(scene: Scene) -> list[Probe]:
    scene.web.create()
    tester, request = {"x-user": "tester"}, scene.web.request
    return [
        Probe(request()),
        Probe(request(headers=tester), CANARY),
        Probe(request(headers=tester, client=OTHER_CLIENT), CANARY),
    ]
