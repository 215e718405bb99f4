"""The testbed itself: the ways that a request can take through Envoys, and what they obey."""

import pytest
from helpers import envoy
from helpers.proxies import CLIENT, GATEWAY, OTHER_CLIENT, Proxy, Sidecar
from helpers.routes import INGRESS, backends, destinations, gateway, header, http_route, istio, service_parent, subsets
from helpers.space import Space
from helpers.waiting import wait_for
from helpers.workload import TCP_PORT, TLS_PORT, Workload, two_versions


def with_subsets(space: Space, **options) -> Workload:
    web = two_versions(space, **options)
    space.apply(subsets(web.host, "v1", "v2"))
    return web


def test_gateway_serves_its_hosts(space):
    web = with_subsets(space)
    shop = f"{space.name}.example"

    def split(weights: dict[str, int]) -> None:
        http = [{"route": destinations(web.host, weights)}]
        space.apply(istio("VirtualService", "front", hosts=[shop], gateways=["front"], http=http))
        envoy.wait_for_weights(shop, weights, proxy=GATEWAY)

    space.apply(gateway("front", shop))
    split({"v1": 80, "v2": 20})
    with web.traffic("gateway", host=shop, rate=150) as traffic:
        traffic.assert_split({"v1": 80, "v2": 20})
        split({"v2": 100})
        traffic.assert_split({"v2": 100}, requests=100)
    traffic.assert_no_failures()
    # A VirtualService of a gateway is none of the mesh's.
    assert web.ask(100).versions.keys() == {"v1", "v2"}
    assert [r.status for r in web.ask(way="gateway", host="unknown.example").failures] == [404]


def test_gateway_passes_tls_on_by_its_server_name(space):
    web = with_subsets(space, more_ports=[TLS_PORT])
    shop = f"{space.name}.example"
    route = {"match": [{"sniHosts": [shop]}], "route": destinations(web.host, {"v1": 25, "v2": 75}, port=9443)}
    space.apply(
        gateway("front", shop, port=443, protocol="TLS", tls={"mode": "PASSTHROUGH"}),
        istio("VirtualService", "front", hosts=[shop], gateways=["front"], tls=[route]),
    )
    envoy.wait_for_connection_weights(web.host, 9443, {"v1": 25, "v2": 75}, sni=shop, proxy=GATEWAY)
    with web.traffic("gateway", port=443, sni=shop, rate=100) as traffic:
        traffic.assert_split({"v1": 25, "v2": 75})
    traffic.assert_no_failures()


@pytest.mark.parametrize(
    "matched", [{"sourceNamespace": OTHER_CLIENT.namespace}, {"sourceLabels": dict(OTHER_CLIENT.labels)}]
)
def test_route_for_one_client_only(space, matched):
    web = with_subsets(space)
    routes = [
        {"match": [matched], "route": destinations(web.host, {"v2": 100})},
        {"route": destinations(web.host, {"v1": 100})},
    ]
    space.apply(istio("VirtualService", "web", hosts=[web.host], http=routes))
    envoy.wait_for_weights(web.host, {"v1": 100})
    assert web.ask(20).versions == {"v1": 20}
    # istiod gives each client only the routes that it can reach.
    envoy.wait_for_weights(web.host, {"v2": 100}, proxy=OTHER_CLIENT)
    assert web.ask(20, client=OTHER_CLIENT).versions == {"v2": 20}


def test_virtual_service_exported_to_one_namespace(space):
    web = with_subsets(space)
    route = {"route": destinations(web.host, {"v2": 100})}
    space.apply(istio("VirtualService", "web", hosts=[web.host], http=[route], exportTo=[CLIENT.namespace]))
    envoy.wait_for_weights(web.host, {"v2": 100})
    assert web.ask(20).versions == {"v2": 20}
    assert web.ask(100, client=OTHER_CLIENT).versions.keys() == {"v1", "v2"}


def test_destination_rule_that_is_not_exported(space):
    web = with_subsets(space)
    for client in (CLIENT, OTHER_CLIENT):
        envoy.wait_for_subsets(web.host, {"v1", "v2"}, proxy=client)
    space.apply(subsets(web.host, "v1", "v2", exportTo=["."]))
    for client in (CLIENT, OTHER_CLIENT):
        wait_for("the subsets to be gone", lambda: not envoy.subsets(web.host, client))


def test_destination_rule_of_a_clients_namespace_is_that_clients(space, request):
    web = with_subsets(space)
    rule = subsets(web.host, "v2", name=space.name)
    rule["metadata"]["namespace"] = OTHER_CLIENT.namespace
    request.addfinalizer(lambda: space.kubectl("delete", "destinationrule", space.name, "-n", OTHER_CLIENT.namespace))
    space.apply(rule)
    wait_for("the client's own subset", lambda: envoy.subsets(web.host, OTHER_CLIENT) == {"v2"})
    assert envoy.subsets(web.host) == {"v1", "v2"}


@pytest.mark.parametrize("client", [CLIENT, OTHER_CLIENT], ids=["client", "other"])
def test_tcp_routes_split_connections(space, client: Sidecar):
    web = with_subsets(space, more_ports=[TCP_PORT])
    with web.traffic("tcp", port=9000, client=client, rate=150) as traffic:
        envoy.wait_for_subsets(web.host, {"v1", "v2"}, proxy=client)
        route = {"match": [{"port": 9000}], "route": destinations(web.host, {"v1": 30, "v2": 70})}
        space.apply(istio("VirtualService", "web", hosts=[web.host], tcp=[route]))
        envoy.wait_for_connection_weights(web.host, 9000, {"v1": 30, "v2": 70}, proxy=client)
        traffic.assert_split({"v1": 30, "v2": 70})
    traffic.assert_no_failures()


def test_tls_routes_split_connections_by_server_name(space):
    web = with_subsets(space, more_ports=[TLS_PORT])
    beta = f"beta.{space.name}.example"
    with web.traffic("tcp", port=9443, sni=web.host, rate=100) as traffic:
        envoy.wait_for_subsets(web.host, {"v1", "v2"})
        routes = [
            {"match": [{"port": 9443, "sniHosts": [web.host]}], "route": destinations(web.host, {"v1": 30, "v2": 70})},
            {"match": [{"port": 9443, "sniHosts": [beta]}], "route": destinations(web.host, {"v2": 100})},
        ]
        space.apply(istio("VirtualService", "web", hosts=[web.host, beta], tls=routes))
        envoy.wait_for_connection_weights(web.host, 9443, {"v1": 30, "v2": 70}, sni=web.host)
        traffic.assert_split({"v1": 30, "v2": 70})
    traffic.assert_no_failures()
    assert web.ask(20, "tcp", port=9443, sni=beta).versions == {"v2": 20}


@pytest.mark.parametrize("way", ["envoy", "tcp"])
def test_request_is_matched_by_what_it_carries(space, way):
    web = with_subsets(space)
    matches = [
        {"headers": {"x-user": {"exact": "tester"}}},
        {"headers": {"cookie": {"regex": "(.*; *)?user=tester(;.*)?"}}},
        {"method": {"exact": "POST"}, "uri": {"prefix": "/new"}},
    ]
    routes = [
        {"match": matches, "route": destinations(web.host, {"v2": 100})},
        {"route": destinations(web.host, {"v1": 100})},
    ]
    space.apply(istio("VirtualService", "web", hosts=[web.host], http=routes))
    envoy.wait_for_weights(web.host, {"v1": 100})
    assert web.ask(10, way).versions == {"v1": 10}
    assert web.ask(10, way, {"X-User": "tester"}).versions == {"v2": 10}
    assert web.ask(10, way, cookies={"a": "b", "user": "tester"}).versions == {"v2": 10}
    assert web.ask(10, way, cookies={"a": "b", "user": "somebody"}).versions == {"v1": 10}
    posted = web.ask(10, way, method="POST", path="/new/thing?x=y")
    assert posted.versions == {"v2": 10}
    seen = posted.responses[0].answer
    assert seen and (seen["method"], seen["path"]) == ("POST", "/new/thing?x=y")


def test_kube_proxy_heeds_no_route(space):
    web = with_subsets(space)
    route = {"route": destinations(web.host, {"v2": 100})}
    space.apply(istio("VirtualService", "web", hosts=[web.host], http=[route]))
    envoy.wait_for_weights(web.host, {"v2": 100})
    assert web.ask(100, "service").versions.keys() == {"v1", "v2"}


def rules(v1: int, v2: int) -> list[dict]:
    """Of an HTTPRoute: testers get v2, the others what the weights say."""
    matches = [header("x-user", "tester"), header("cookie", "(.*; *)?user=tester(;.*)?", "RegularExpression")]
    return [
        {"matches": matches, "backendRefs": backends({"web-v2": 1})},
        {"backendRefs": backends({"web-v1": v1, "web-v2": v2})},
    ]


def assert_obeyed(host: str, web: Workload, v1: int, v2: int, proxy: Proxy, **way) -> None:
    """Requests that go this way, which PROXY sees as for HOST, are treated as the rules say."""
    hosts = {f"web-{v}.{web.space.name}.svc.cluster.local": w for v, w in (("v1", v1), ("v2", v2))}
    envoy.wait_for_host_weights(host, hosts, proxy=proxy)
    with web.traffic(rate=150, host=host, **way) as traffic:
        traffic.assert_split({"v1": v1, "v2": v2})
    traffic.assert_no_failures()
    assert web.ask(20, headers={"X-User": "tester"}, host=host, **way).versions == {"v2": 20}
    assert web.ask(20, cookies={"a": "b", "user": "tester"}, host=host, **way).versions == {"v2": 20}


@pytest.fixture
def two_services(space: Space, gateway_api: None) -> Workload:
    """Behind one Service, and behind one for each version: the Gateway API splits between Services."""
    web = two_versions(space)
    space.apply(web.version_service("v1"), web.version_service("v2"))
    return web


def test_http_route_of_a_gateway(space, two_services):
    shop = f"{space.name}.example"
    for v1, v2 in ((90, 10), (1, 3)):
        space.apply(http_route("front", INGRESS, rules(v1, v2), [shop]))
        assert_obeyed(shop, two_services, v1, v2, GATEWAY, way="gateway")


@pytest.mark.parametrize("client", [CLIENT, OTHER_CLIENT], ids=["client", "other"])
def test_http_route_of_a_service(space, two_services, client: Sidecar):
    space.apply(http_route("web", service_parent("web"), rules(60, 40)))
    assert_obeyed(two_services.host, two_services, 60, 40, client, client=client)


def test_http_route_of_a_client_for_somebody_elses_service(space, two_services, request):
    """Of a route that is not in the Service's namespace, only the clients in its own take notice."""
    to_v2 = {"backendRefs": backends({"web-v2": 1}, namespace=space.name)}
    route = http_route(space.name, service_parent("web", namespace=space.name), [to_v2])
    route["metadata"]["namespace"] = OTHER_CLIENT.namespace
    request.addfinalizer(lambda: space.kubectl("delete", "httproute", space.name, "-n", OTHER_CLIENT.namespace))
    space.apply(route)
    v2 = f"web-v2.{space.name}.svc.cluster.local"
    envoy.wait_for_host_weights(two_services.host, {v2: 100}, proxy=OTHER_CLIENT)
    assert two_services.ask(20, client=OTHER_CLIENT).versions == {"v2": 20}
    assert two_services.ask(100).versions.keys() == {"v1", "v2"}
