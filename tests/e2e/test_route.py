"""What `route` says a request gets, compared with what istiod and Envoy do to it."""

import http.client
import itertools
import json
import math
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml
from helpers import proxies
from helpers.proxy import Proxy
from helpers.space import Space
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

REQUESTS = 1000
# Ports of the Service under test, and of nothing else.
PORT, OTHER_PORT, TCP_PORT, ODD_PORT = 9180, 9181, 9182, 9183
GATEWAY_PORT, LABELLED_PORT = 9190, 9191
CLIENT = "127.0.0.7"  # where a sidecar of our own listens
SIGMAS = 3
FROM_DEFAULT = ("--from", "default/mesh")  # the cluster's own client


# --- requests ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    path: str = "/"
    method: str = "GET"
    host: str = ""
    port: int = PORT
    headers: tuple[tuple[str, str], ...] = ()

    def flags(self) -> list[str]:
        headers = itertools.chain.from_iterable(("--header", f"{name}:{value}") for name, value in self.headers)
        return ["--path", self.path, "--method", self.method, "--host", self.host, "--port", str(self.port), *headers]


@dataclass(frozen=True)
class Response:
    status: int
    rule: str | None  # the response header by which each rule of the tests tells that it was this one
    version: str | None
    location: str | None = None


def send(request: Request, address: str = "127.0.0.1", source: str = "") -> Response:
    """By hand: what http.client would add or refuse must not decide what is tested."""
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {request.host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    with socket.create_connection((address, request.port), timeout=10, source_address=(source, 0)) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        response = http.client.HTTPResponse(connection, method=request.method)
        response.begin()
        body = response.read()
    version = json.loads(body)["version"] if response.status == 200 and body.startswith(b"{") else None
    return Response(response.status, response.getheader("x-rule"), version, response.getheader("location"))


def through_sidecar(space: Space) -> Callable[[Request], Response]:
    """Sends to the Service web as the cluster's own client does, whose sidecar gets what comes from its address."""
    address = space.get("service", "web")["spec"]["clusterIP"]
    return lambda request: send(request, address, proxies.CLIENT.address)


# --- predictions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    outcome: str
    status: int
    rule: str | None
    versions: dict[str | None, float] = field(default_factory=dict)

    def allows(self, response: Response) -> bool:
        if (response.status, response.rule) != (self.status, self.rule):
            return False
        if self.outcome == "passthrough":
            return True  # to where the client wanted: the Service, by kube-proxy
        # A HEAD has no body to say it.
        return response.version is None or self.versions.get(response.version, 0) > 0


def predict(space: Space, request: Request, *flags: str) -> Prediction:
    route = space.plugin("route", "web", "-o", "json", *request.flags(), *flags, check=True).json()
    assert (route["apiVersion"], route["kind"]) == ("batchrollout/v1", "Route")
    status = route["status"]
    problems = [d["problem"] for d in status["destinations"] if "problem" in d]
    return Prediction(
        outcome=status["outcome"],
        status=status.get("status", 503 if problems else 200),
        rule=status.get("rule", {}).get("name"),
        versions={v.get("version"): v["probability"] for v in status["versions"]},
    )


def predictions(space: Space, requests: Iterable[Request], *flags: str) -> dict[Request, Prediction]:
    unique = list(dict.fromkeys(requests))
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(unique, pool.map(lambda request: predict(space, request, *flags), unique), strict=True))


def deviation(counts: Counter[str | None], shares: dict[str | None, float]) -> float:
    """The greatest distance of a version's count from what was predicted, in standard deviations."""
    total = counts.total()
    off = 0.0
    for version in counts.keys() | shares.keys():
        share = shares.get(version, 0)
        sigma = math.sqrt(total * share * (1 - share))
        distance = abs(counts[version] - total * share)
        off = max(off, distance / sigma if sigma else (math.inf if distance else 0))
    return off


def assert_split(prediction: Prediction, count: int, once: Callable[[], Response]) -> None:
    """One in 370 right splits is three standard deviations off by chance, so that a second look decides."""
    for requests in (count, 4 * count):
        counts = Counter(once().version for _ in range(requests))
        off = deviation(counts, prediction.versions)
        if off <= SIGMAS:
            return
    raise AssertionError(f"{dict(counts)} is {off:.1f} standard deviations off {prediction.versions}")


def compare(
    space: Space, requests: list[Request], once: Callable[[Request], Response], *flags: str
) -> dict[Request, Prediction]:
    """Sends the requests and fails with every one that got something else than `route` said."""
    predicted = predictions(space, requests, *flags)
    answers = [(request, once(request)) for request in requests]
    wrong = [f"{r}\n  said {predicted[r]}\n  got  {a}" for r, a in answers if not predicted[r].allows(a)]
    assert not wrong, f"{len(wrong)} of {len(requests)} requests:\n" + "\n".join(wrong[:10])
    return predicted


# --- objects ----------------------------------------------------------------------------------------------------------


def version(space: Space, name: str, replicas: int = 1) -> Workload:
    return Workload(space, name=f"web-{name}", replicas=replicas, image=f"{IMAGE}:{name}", labels={"version": name})


def make_web(space: Space, replicas: dict[str, int], ports: dict[str, int]) -> None:
    """A Service web over Deployments web-v1, web-v2 …, which have the label app: web-vN each."""
    for name, count in replicas.items():
        deployment = version(space, name, count).deployment()
        deployment["spec"]["template"]["metadata"]["labels"]["group"] = "web"
        space.apply(deployment)
    space.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {
                "selector": {"group": "web"},
                "ports": [{"name": n, "port": p, "targetPort": 8080} for n, p in ports.items()],
            },
        }
    )
    wait_for("pods with addresses of their own", lambda: have_own_addresses(space, list(replicas)), 60)


def have_own_addresses(space: Space, names: list[str]) -> bool:
    """kwok sometimes gives two pods one address, and so makes them one endpoint: then it is asked for another."""
    for name in names:
        space.kubectl("rollout", "status", f"deployment/web-{name}", "--timeout=60s")
    owners = {pod["status"]["podIP"]: pod["metadata"]["name"] for pod in space.ready_pods("group=web")}
    others = [p["metadata"]["name"] for p in space.ready_pods("group=web") if p["metadata"]["name"] not in owners.values()]
    for name in others:
        space.kubectl("delete", "pod", name)
    return not others


def destination_rule() -> dict[str, Any]:
    subsets = [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "web"},
        "spec": {"host": "web", "subsets": subsets},
    }


def virtual_service(name: str, http_routes: list[dict[str, Any]], **spec) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": {"hosts": ["web"]} | spec | {"http": http_routes},
    }


def to(**weights: int) -> list[dict[str, Any]]:
    """Destinations: to(v1=3, v2=1). The subset `none` is the Service without a subset."""
    entries = []
    for subset, weight in weights.items():
        destination = {"host": "web"} | ({} if subset == "none" else {"subset": subset})
        entries.append({"destination": destination, "weight": weight})
    return entries


def rule(name: str, *matches: dict[str, Any], **fields) -> dict[str, Any]:
    """A rule that says which one it is in a response header; to v1 unless something else is said."""
    marked = {"name": name, "headers": {"response": {"set": {"x-rule": name}}}}
    if matches:
        marked["match"] = list(matches)
    if not fields.keys() & {"redirect", "directResponse", "delegate"}:
        fields = {"route": to(v1=1)} | fields
    return marked | fields


RULES = [
    rule("exact", {"uri": {"exact": "/exact"}}),
    rule("prefix", {"uri": {"prefix": "/pre/"}}, route=to(v2=1)),
    rule("regex", {"uri": {"regex": "/re/[a-z]+[0-9]?"}}),
    rule("ignore-case", {"uri": {"exact": "/CaSe"}, "ignoreUriCase": True}, {"uri": {"prefix": "/MIX/"}, "ignoreUriCase": True}),
    rule("method", {"method": {"exact": "POST"}, "uri": {"prefix": "/m"}}, {"method": {"regex": "PUT|DELETE"}}),
    rule("redirect", {"uri": {"prefix": "/old"}}, redirect={"uri": "/new", "redirectCode": 302}),
    rule("direct", {"uri": {"prefix": "/tea"}}, directResponse={"status": 418}),
    rule("two", {"headers": {"x-user": {"exact": "tester"}}, "queryParams": {"q": {"exact": "1"}}}, route=to(v2=1)),
    rule("header", {"headers": {"x-user": {"exact": "tester"}, "x-level": {}}}),
    rule("cookie", {"headers": {"cookie": {"regex": "(?:.*; *)?user=(?:a|b)(?: *;.*)?"}}}, route=to(v2=1)),
    rule("header-prefix", {"headers": {"X-Level": {"prefix": "1"}}}),
    rule("header-regex", {"headers": {"x-level": {"regex": "[2-4]+"}}}, route=to(v2=1)),
    rule("query", {"queryParams": {"q": {"regex": "[a-c]+"}}}, {"queryParams": {"flag": {}, "q": {"exact": ""}}}),
    rule("without", {"uri": {"prefix": "/w"}, "withoutHeaders": {"x-user": {"exact": "other"}, "x-level": {}}}, route=to(v2=1)),
    rule("without-any", {"uri": {"prefix": "/w"}, "withoutHeaders": {"x-user": {"regex": ".*"}}}),
    rule("authority", {"authority": {"prefix": "web.test-"}, "uri": {"prefix": "/a"}}, {"authority": {"exact": "web"}}),
    rule("scheme", {"scheme": {"exact": "https"}}, route=to(v2=1)),
    rule("port", {"port": OTHER_PORT, "uri": {"prefix": "/p"}}),
    rule("not-for-us", {"gateways": ["nowhere/at-all"]}, {"sourceNamespace": "elsewhere"}, {"sourceLabels": {"a": "b"}}),
    rule("for-mesh", {"gateways": ["mesh"], "sourceLabels": {"a": "b"}, "uri": {"prefix": "/g"}}),
    rule("delegated", {"uri": {"prefix": "/d"}}, delegate={"name": "delegate"}),
    rule("split", {"uri": {"prefix": "/s"}}, route=to(v1=3, v2=1)),
    rule("never", {"uri": {"prefix": "/n"}}, route=to(v1=0, v2=5)),
    rule("alone", {"uri": {"exact": "/lone"}}, route=[{"destination": {"host": "web", "subset": "v2"}, "weight": 0}]),
    rule("everybody", {"uri": {"prefix": "/e"}}, route=to(none=1)),
    rule("missing", {"uri": {"prefix": "/missing"}}, route=[{"destination": {"host": "web", "subset": "v9"}}]),
]  # fmt: skip

DELEGATE = [
    rule("delegated-x", {"uri": {"exact": "/d/x"}, "headers": {"x-level": {"exact": "5"}}}),
    rule("delegated-outside", {"uri": {"exact": "/elsewhere"}}),
    rule("delegated-rest", route=to(v2=1)),
]
for delegated in DELEGATE:
    # Istio puts the root's name in front.
    delegated["name"] = delegated["name"].removeprefix("delegated-")

PATHS = [
    "/", "/exact", "/exact/", "/Exact", "/pre", "/pre/", "/pre/x", "/PRE/x", "/re/abc", "/re/abc1", "/re/abc12",
    "/re/", "/case", "/CASE", "/cased", "/mix/", "/MiX/y", "/m", "/more", "/old", "/old/x", "/tea", "/w", "/wx", "/a", "/p", "/g",
    "/d", "/d/x", "/d/y", "/elsewhere", "/s", "/s/x", "/n", "/lone", "/e", "/missing", "/x/../exact", "/./exact", "/x/..;y/exact",
    "/%65xact", "/exac%74", "/pre%2Fx", "//exact", "/exact%20", "/re\\abc", "/s/%2e%2e/tea", "/d/./x", "/unknown",
]  # fmt: skip
QUERIES = ["", "", "", "", "?", "?q=1", "?q=2&q=1", "?q=1&q=2", "?q=abc", "?q=%61", "?flag&q=", "?q", "?flag", "?q=abc&flag=1"]
METHODS = ["GET"] * 6 + ["POST", "PUT", "DELETE", "HEAD"]
HEADERS = {
    "x-user": ["tester", "other", "Tester", "", "tester,other"],
    "x-level": ["1", "12", "3", "23", "5", ""],
    "Cookie": ["user=a", "a=b; user=b", "user=ab", "xuser=a", "a=b;user=a;c=d", "user=c; user=b"],
    "x-forwarded-proto": ["http", "https"],
}


def random_request(chance: random.Random, hosts: list[str], ports: list[int]) -> Request:
    headers = []
    for name, values in HEADERS.items():
        if chance.random() < 0.25:
            headers.append((name, chance.choice(values)))
            # The same header twice: each value is looked at alone.
            if name != "Cookie" and chance.random() < 0.2:
                headers.append((name, chance.choice(values)))
    port = chance.choice(ports)
    host = chance.choice(hosts)
    if chance.random() < 0.2:
        host = f"{host}:{port}"
    return Request(chance.choice(PATHS) + chance.choice(QUERIES), chance.choice(METHODS), host, port, tuple(headers))


# --- http through a sidecar -------------------------------------------------------------------------------------------


@pytest.fixture
def web(space: Space) -> Space:
    """web, three pods v1 and one v2, with the rules above; the proxy knows them."""
    ports = {"http": PORT, "http-other": OTHER_PORT, "tcp": TCP_PORT, "odd": ODD_PORT}
    make_web(space, {"v1": 3, "v2": 1}, ports)
    space.apply(destination_rule())
    wait_for_status(space, Request(host=full_name(space), path="/"), 200)
    space.apply(virtual_service("web", RULES), virtual_service("delegate", DELEGATE, hosts=[]))
    for port in (PORT, OTHER_PORT):
        wait_for_status(space, Request(host=full_name(space), port=port, path="/tea"), 418)
    wait_for_status(space, Request(host=full_name(space), path="/d"), 200)
    return space


def full_name(space: Space) -> str:
    return f"web.{space.name}.svc.cluster.local"


def wait_for_status(space: Space, request: Request, status: int) -> None:
    once = through_sidecar(space)

    def answers() -> bool:
        try:
            return once(request).status == status
        except OSError:
            return False

    wait_for(f"status {status} of {request}", answers)


# What random requests meet seldom.
SELDOM = [
    Request("/", headers=(("x-user", "tester"), ("x-level", "5"))),
    Request("/d/x", headers=(("x-level", "5"),)),
    Request("/?q=1", headers=(("x-user", "tester"),)),
    Request("/", headers=(("x-forwarded-proto", "https"),)),
    Request("/missing"),
]
# No request gets these: not-for-us says why, the delegate's routes have other names, and a header that is missing counts
# as empty, so that nothing is without one that matches ".*".
UNREACHABLE = {"not-for-us", "delegated", "delegated-outside", "without-any"}


def test_a_thousand_random_requests(web):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    # The client is in the namespace default: "web" alone is nothing to it.
    hosts = [full_name(web)] * 10
    hosts += [f"web.{web.name}", f"WEB.{web.name}.svc", f"{full_name(web)}.", "web", "10.96.0.1"]
    requests = [replace(request, host=full_name(web)) for request in SELDOM]
    requests += [random_request(chance, hosts, [PORT] * 3 + [OTHER_PORT]) for _ in range(REQUESTS - len(SELDOM))]
    once = through_sidecar(web)
    predicted = compare(web, requests, once, *FROM_DEFAULT)
    # Each rule was among them.
    names = {r["headers"]["response"]["set"]["x-rule"] for r in RULES + DELEGATE}
    assert {p.rule for p in predicted.values()} == names - UNREACHABLE | {None}
    # Weights, and the pods where there are none, not to be told from one request.
    for path in ("/s", "/e"):
        request = Request(path, host=full_name(web))
        prediction = predict(web, request, *FROM_DEFAULT)
        assert prediction.versions == {"v1": 0.75, "v2": 0.25}
        assert_split(prediction, 400, lambda request=request: once(request))


def test_reasons(web):
    flags = ["--path", "/wx", "--cookie", "a=b", "--cookie", "user=c", "--host", full_name(web), *FROM_DEFAULT]
    route = web.plugin("route", "svc/web", "-o", "yaml", "--header", "X-Level: 7", *flags, check=True).out
    passed_over = {(r["index"], r.get("match")): r["reason"] for r in yaml.safe_load(route)["status"]["passedOver"]}
    place = {r["name"]: index for index, r in enumerate(RULES)}
    assert passed_over[place["exact"], 0] == 'path "/wx" is not "/exact"'
    assert passed_over[place["cookie"], 0] == (
        'header cookie "a=b; user=c" does not match the regular expression "(?:.*; *)?user=(?:a|b)(?: *;.*)?"'
    )
    assert passed_over[place["without"], 0] == 'header x-level "7" is there, which is excluded'
    assert passed_over[place["port"], 0] == f"it is for port {OTHER_PORT}, the request for port {PORT}"
    assert passed_over[place["not-for-us"], 0] == (
        "it is for gateway nowhere/at-all; the request comes from the mesh"
    )
    assert passed_over[place["not-for-us"], 2] == (
        "it is for clients with the labels a=b; the labels of this client are not known"
    )
    text = web.plugin("route", "web", "--path", "/s", check=True).out
    assert text.splitlines()[:5] == [
        f"GET /s of {full_name(web)}:{PORT} from the mesh in {web.name}",
        f'virtualservice {web.name}/web, spec.http[{place["split"]}] "split", match[0]',
        f"  75%     v1         subset v1 of {full_name(web)}:{PORT}, 3 ready pods",
        f"  25%     v2         subset v2 of {full_name(web)}:{PORT}, 1 ready pod",
        "passed over:",
    ]


def test_connections_and_undeclared_protocols(web):
    tcp = {"match": [{"port": TCP_PORT, "sourceNamespace": "default"}], "route": to(v2=1)}
    elsewhere = {"match": [{"port": TCP_PORT, "destinationSubnets": ["192.0.2.0/24"]}], "route": to(v1=1)}
    web.apply(virtual_service("web", RULES, tcp=[elsewhere, tcp]))
    request = Request("/s", host="any.host.at.all", port=TCP_PORT)
    once = through_sidecar(web)

    def only_v2_answers() -> bool:
        try:
            return {once(request).version for _ in range(20)} == {"v2"}
        except OSError:
            return False  # the listener is being replaced

    wait_for("the tcp route", only_v2_answers)
    route = web.plugin("route", "web", "-o", "json", *request.flags(), *FROM_DEFAULT, check=True).json()["status"]
    assert (route["protocol"], route["rule"]["index"]) == ("tcp", 1)
    assert route["versions"] == [{"version": "v2", "probability": 1}]
    assert "it is for the addresses 192.0.2.0/24" in route["passedOver"][0]["reason"]
    # The name "odd" declares no protocol: http is recognised, and the Host header does not matter.
    requests = [Request(path, host="any.host.at.all", port=ODD_PORT) for path in ("/exact", "/tea", "/d", "/unknown")]
    compare(web, requests, once, *FROM_DEFAULT)


# --- which of several VirtualServices -------------------------------------------------------------------------------


def test_several_virtualservices_of_one_host(make_space, tmp_path):
    """A client of its own, with labels, in a namespace of its own."""
    shop, client = make_space(), make_space()
    make_web(shop, {"v1": 1, "v2": 1}, {"http": LABELLED_PORT})
    listener = {"port": {"number": LABELLED_PORT, "protocol": "HTTP", "name": "http"}, "bind": CLIENT, "hosts": ["*/*"]}
    client.apply(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Sidecar",
            "metadata": {"name": "mine"},
            "spec": {"egress": [listener]},
        }
    )
    host = full_name(shop)

    def in_client(name: str, *rules: dict[str, Any], **spec) -> None:
        document = virtual_service(name, list(rules), hosts=[host], **spec)
        for entry in rules:
            for destination in entry.get("route", []):
                destination["destination"]["host"] = host
        client.apply(document)

    request = Request("/", host=host, port=LABELLED_PORT)
    flags = ("--from", f"{client.name}/mesh", "--label", "app=mine")
    with Proxy("sidecar", client.name, {"app": "mine"}, tmp_path / "envoy.log") as proxy:

        def rule_is(name: str | None) -> bool:
            try:
                return (response := send(request, CLIENT)).status == 200 and response.rule == name
            except OSError:
                return False

        def assert_rule(name: str | None) -> dict[str, Any]:
            proxy.wait_until(f"the rule {name}", lambda: rule_is(name))
            paths = ("/", "/only", "/x")
            compare(shop, [replace(request, path=p) for p in paths], lambda r: send(r, CLIENT), *flags)
            return shop.plugin("route", "web", "-o", "json", *request.flags(), *flags, check=True).json()["status"]

        assert_rule(None)
        shop.apply(destination_rule())
        shop.apply(virtual_service("web", [rule("wildcard")], hosts=[f"*.{shop.name}.svc.cluster.local"]))
        assert_rule("wildcard")
        # An exact host hides it, wherever that is from.
        shop.apply(virtual_service("labels", [rule("labels", {"sourceLabels": {"app": "mine"}})]))
        assert_rule("labels")
        # Exported to this namespace alone, though younger.
        in_client("mine", rule("mine", {"sourceNamespace": client.name}), exportTo=["."])
        hidden = {entry["name"]: entry["reason"] for entry in assert_rule("mine")["hidden"]}
        assert hidden["labels"] == (
            f"virtualservice {client.name}/mine has the same host, and its exportTo makes it come first"
        )
        # Not for this client any more: the next one has the host.
        in_client("mine", rule("mine", {"sourceNamespace": "elsewhere"}), exportTo=["."])
        hidden = {entry["name"]: entry["reason"] for entry in assert_rule("labels")["hidden"]}
        assert hidden["mine"].startswith("none of its http rules is for this client: of the first, it is for clients in")
        # A rule that the client's namespace has for the host, and that lacks the subset, hides the Service's. (One for
        # more hosts would be there for the releases of other tests, too, and its namespace on its way out.)
        client.apply(destination_rule() | {"spec": {"host": f"*.{shop.name}.svc.cluster.local"}})
        proxy.wait_until("no subset", lambda: send(request, CLIENT).status == 503)
        compare(shop, [request], lambda r: send(r, CLIENT), *flags)


# --- gateways -------------------------------------------------------------------------------------------------------


def test_gateway(space, tmp_path):
    make_web(space, {"v1": 1, "v2": 1}, {"http": GATEWAY_PORT + 5})
    labels = {"istio": f"ingress-{space.name}"}
    server = {"port": {"number": GATEWAY_PORT, "protocol": "HTTP", "name": "http"},
              "hosts": ["*.example.com", f"{space.name}/web.example.org", "elsewhere/web.example.net"]}  # fmt: skip
    gateway = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public"},
        "spec": {"selector": labels, "servers": [server]},
    }
    first = [rule("all", route=to(v2=1))]
    second = [
        rule("api", {"uri": {"prefix": "/api"}}, {"uri": {"prefix": "/mesh"}, "gateways": ["mesh"]}),
        rule("labelled", {"sourceLabels": labels, "method": {"exact": "POST"}}),
        rule("port", {"port": GATEWAY_PORT, "queryParams": {"p": {}}}),
        rule("other-port", {"port": 80}),
        rule("secure", {"scheme": {"exact": "https"}}),
    ]
    space.apply(
        gateway,
        destination_rule(),
        virtual_service("a", first, hosts=["shop.example.com", "web.example.org"], gateways=["public"]),
        virtual_service("b", second, hosts=["shop.example.com"], gateways=["mesh", f"{space.name}/public"]),
        virtual_service("c", [rule("wide", {"uri": {"prefix": "/w"}})], hosts=["*.example.com"], gateways=["public"]),
        virtual_service("d", [rule("never")], hosts=["shop.example.com", "web.example.net"]),
    )
    chance = random.Random(1)
    hosts = ["shop.example.com", "SHOP.example.com:80", "www.example.com", "web.example.org", "web.example.net", "example.com"]
    paths = ["/", "/api", "/mesh", "/w", "/?p", "/api/../w"]
    headers = [(), (), (("x-forwarded-proto", "https"),)]
    requests = [
        Request(chance.choice(paths), chance.choice(["GET", "POST"]), chance.choice(hosts), GATEWAY_PORT, chance.choice(headers))
        for _ in range(200)
    ]
    flags = ("--from", f"{space.name}/public", *(f"--label={key}={value}" for key, value in labels.items()))
    with Proxy("router", space.name, labels, tmp_path / "envoy.log") as proxy:

        def is_there() -> bool:
            try:
                return send(Request("/w", host="www.example.com", port=GATEWAY_PORT)).status == 200
            except OSError:
                return False

        proxy.wait_until("the gateway's routes", is_there)
        predicted = compare(space, requests, send, *flags)
    assert {p.rule for p in predicted.values()} == {"all", "api", "labelled", "port", "wide", None}
    # The first host under which the gateway has the Service, and its first port.
    text = space.plugin("route", "web", "--from", f"{space.name}/public", check=True).out
    assert text.startswith(f"GET / of shop.example.com through gateway {space.name}/public\n")


# --- the command ----------------------------------------------------------------------------------------------------


def test_without_a_virtualservice(space, workload):
    workload(replicas=2, labels={"version": "v1"})
    route = space.plugin("route", "web", "-o", "json", check=True).json()
    assert (route["metadata"], "rule" in route["status"]) == ({"name": "web", "namespace": space.name}, False)
    assert route["status"]["versions"] == [{"version": "v1", "probability": 1}]
    assert space.plugin("route", "web", check=True).out == (
        f"GET / of web.{space.name}.svc.cluster.local from the mesh in {space.name}\n"
        "no virtualservice has a part in it\n"
        f"  100%    v1         web.{space.name}.svc.cluster.local:80, 2 ready pods\n"
    )


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--path", "x"], 2, '--path: "x" does not begin with /'),
        (["--header", "x"], 2, '--header: "x" is not NAME:VALUE'),
        (["--header", "Host: x"], 2, "--header: the host is given with --host"),
        (["--label", "x"], 2, '--label: "x" is not KEY=VALUE'),
        (["--from", "x"], 2, '--from: "x" is not NAMESPACE/GATEWAY or NAMESPACE/mesh'),
        (["--port", "81"], 2, '--port: service "web" has no TCP port 81'),
        (["--from", "x/y"], 1, "gateway.networking.istio.io x/y not found"),
        (["-o", "name"], 2, "-o: a route has no name; take json or yaml"),
    ],
)
def test_what_is_refused(space, flags, code, message):
    space.apply(Workload(space).service())
    done = space.plugin("route", "web", *flags)
    assert (done.code, done.out, done.err.splitlines()[0]) == (code, "", f"error: {message}")


def test_what_a_user_with_few_rights_sees(space, workload, tmp_path):
    workload(replicas=1, labels={"version": "v1"})
    resources = {"": ["services", "pods"], "discovery.k8s.io": ["endpointslices"],
                 "networking.istio.io": ["virtualservices", "destinationrules"]}  # fmt: skip
    rules = [{"apiGroups": [g], "resources": r, "verbs": ["get", "list"]} for g, r in resources.items()]
    user = space.service_account("viewer", rules, tmp_path)
    done = user.plugin("route", "web", "-o", "json", check=True)
    assert done.json()["status"]["versions"] == [{"version": "v1", "probability": 1}]
    assert f'note: may not list virtualservices in all namespaces: only those in "{space.name}" are seen' in done.err
    assert user.plugin("route", "nothing").err.endswith(f'error: service "nothing" not found in namespace "{space.name}"\n')


def test_at_a_batch_to_come(space, workload):
    """What a batch will do is what is there when it is reached."""
    workload(replicas=4, mesh=True)
    start = ["start", "web", "--image", f"{IMAGE}:v2", "--batches", "2", "--match", "header:x-user=tester"]
    space.plugin(*start, "--settle", "0s", check=True)
    host = f"web.{space.name}.svc.cluster.local"
    asked = [Request(host=host, port=80), Request(host=host, port=80, headers=(("x-user", "tester"),))]
    batches = range(1, 4)
    expected = {k: [predict(space, request, "--at-batch", str(k)) for request in asked] for k in batches}
    assert [[p.versions for p in expected[k]] for k in batches] == [
        [{"v1": 1.0}, {"v2": 1.0}],
        [{"v1": 0.5, "v2": 0.5}, {"v2": 1.0}],
        [{"v2": 1.0}, {"v2": 1.0}],
    ]
    assert [predict(space, request).versions for request in asked] == [p.versions for p in expected[1]]
    space.plugin("next", "web", check=True)
    assert [predict(space, request).versions for request in asked] == [p.versions for p in expected[2]]
    for batch in ("4", "0", "x"):
        assert space.plugin("route", "web", "--at-batch", batch).code == 2
    space.plugin("abort", "web", check=True)
    assert "no release of service" in space.plugin("route", "web", "--at-batch", "1").err
