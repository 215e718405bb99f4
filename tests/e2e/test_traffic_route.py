"""What `route` says that requests get in the middle of a release, with rules, weights and cookies of its own, compared
with what Envoys do with them."""

import math
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from helpers.counts import Response
from helpers.istio import gateway, route, to, virtual_service
from helpers.person import Crowd, Person
from helpers.request import Request, send_each
from helpers.space import Object, Space
from helpers.workload import IMAGE, Workload

REQUESTS = 1000
KINDS = 300  # of requests, among these
SIGMAS = 4

PATHS = ["/", "/api/x", "/api", "/shop/cart?id=7", "/shop", "/old/a", "/other", "/static/a.css", "/STATIC", "/x/../api/y"]
METHODS = ["GET", "GET", "GET", "POST"]
HEADERS = {
    "x-user": ["tester", "tester2", "Tester", "somebody", ""],
    "x-team": ["qa-1", "qa", "dev"],
    "x-api": ["2", "3"],
}
COOKIES = ["a=b", "beta=yes", "beta=yes; a=b", "a=b;beta=yes;c=d", "a=b; alphabeta=yes", "beta=yess"]
RULES = ["--match", "header:x-user~tester[0-9]?,cookie:beta=yes", "--match", "header:x-team^=qa-"]


def marked(name: str, *destinations: Object, **fields: Any) -> Object:
    """A route that tells the pod which one it was."""
    return route(*destinations, name=name, headers={"request": {"set": {"x-route": name}}}, **fields)


def objects(space: Space) -> list[Object]:
    shop = f"{space.name}.example"
    api = [{"uri": {"prefix": "/api"}, "headers": {"x-api": {"exact": "2"}}}, {"method": {"exact": "POST"}}]
    return [
        gateway("front", shop),
        virtual_service(
            "front",
            ["web", shop],
            marked("api", to("web"), match=api),
            {"match": [{"uri": {"prefix": "/shop"}}], "delegate": {"name": "shop"}},
            marked("old", to("web", 60), to("other", 40), match=[{"uri": {"prefix": "/old/"}}], rewrite={"uri": "/new/"}),
            marked("other", to("other"), match=[{"uri": {"exact": "/other"}}]),
            marked("static", to("web"), match=[{"uri": {"prefix": "/static"}, "ignoreUriCase": True}]),
            marked("main", to("web", 3), to("other", 1)),
            gateways=["front", "mesh"],
        ),
        virtual_service(
            "shop",
            [],
            marked("cart", to("web"), match=[{"uri": {"prefix": "/shop/cart"}, "queryParams": {"id": {"regex": "[0-9]+"}}}]),
            marked("rest", to("other")),
        ),
    ]


@dataclass(frozen=True)
class Asked:
    """A request, as one asks for it and as one sends it."""

    inside: bool  # the mesh; else through the gateway
    path: str
    method: str
    headers: tuple[tuple[str, str], ...]

    def flags(self, space: Space) -> list[str]:
        host = ["--from", "default/mesh"] if self.inside else ["--from", f"{space.name}/front", "--host", f"{space.name}.example"]
        flags = [*host, "--path", self.path, "--method", self.method]
        for name, value in self.headers:
            flags += ["--header", f"{name}: {value}"]
        return flags

    def request(self, web: Workload) -> Request:
        headers = dict(self.headers)
        if self.inside:
            return web.request("tcp", headers, method=self.method, path=self.path)
        host = f"{web.space.name}.example"
        return web.request("gateway", headers, host=host, method=self.method, path=self.path)


@dataclass(frozen=True)
class Predicted:
    rule: str
    versions: dict[str, float]

    @classmethod
    def by(cls, space: Space, asked: Asked) -> "Predicted":
        status = space.plugin("route", "web", "-o", "json", *asked.flags(space), check=True).json()["status"]
        versions = {v.get("version"): v["probability"] for v in status["versions"]}
        return cls(status["rule"]["name"], versions)

    def allows(self, response: Response) -> bool:
        if response.failure or not response.answer:
            return False
        # The route of the user's that a rule of the release was made of does the same.
        seen = response.answer["headers"].get("x-route")
        return self.rule.endswith(str(seen)) and self.versions.get(str(response.version), 0) > 0


def random_request(chance: random.Random, cookies: list[str]) -> Asked:
    headers = [(name, chance.choice(values)) for name, values in HEADERS.items() if chance.random() < 0.25]
    if chance.random() < 0.6:
        headers.append(("cookie", chance.choice(cookies)))
    return Asked(chance.random() < 0.6, chance.choice(PATHS), chance.choice(METHODS), tuple(headers))


@pytest.fixture
def web(space: Space) -> Workload:
    Workload(space, name="other", replicas=1, labels={"version": "other"}).create()
    web = Workload(space, replicas=4)
    space.apply(*objects(space))
    web.create()
    space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--batches", "4", "--settle", "1s", "--sticky", *RULES, check=True)
    space.plugin("next", "web", check=True)
    return web


def cookies_of_the_release(web: Workload) -> list[str]:
    """One of each that it gives."""
    people = Crowd(lambda cookies: web.request("tcp", cookies=cookies, path="/static"), [Person() for _ in range(60)])
    people.visit()
    return sorted({f"{name}={value}" for person in people.people for name, value in person.cookies.items()})


def test_a_thousand_random_requests(space: Space, web: Workload):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    own = cookies_of_the_release(web)
    assert len(own) == 4, "a cookie for each batch with a weight"
    cookies = COOKIES + own * 2 + [f"a=b; {cookie}" for cookie in own] + [f"beta=yes; {own[0]}", f"x{own[0]}", f"{own[0]}1"]
    unique = list({random_request(chance, cookies): None for _ in range(KINDS)})
    asked = chance.choices(unique, k=REQUESTS)
    with ThreadPoolExecutor(4) as pool:
        predicted = dict(zip(unique, pool.map(lambda one: Predicted.by(space, one), unique), strict=True))

    responses = send_each([one.request(web) for one in asked])
    wrong = [
        f"{one}\n  said {predicted[one]}\n  got {answered.version} {answered.failure} {answered.answer}"
        for one, answered in zip(asked, responses, strict=True)
        if not predicted[one].allows(answered)
    ]
    assert not wrong, f"{len(wrong)} of {REQUESTS} requests:\n" + "\n".join(wrong[:10])

    # All kinds of routes were met, and all probabilities together are what was seen.
    kinds = {p.rule.removeprefix("batchrollout-").split("-")[0] for p in predicted.values()}
    assert {"match", "canary", "stable"} <= kinds, kinds
    counts = Counter(response.version for response in responses)
    for version in ("v1", "v2", "other"):
        chances = [predicted[one].versions.get(version, 0) for one in asked]
        sigma = math.sqrt(sum(p * (1 - p) for p in chances))
        assert abs(counts[version] - sum(chances)) <= SIGMAS * sigma, f"{version}: {counts}, expected {sum(chances):.0f}"
