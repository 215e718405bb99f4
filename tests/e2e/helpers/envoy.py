"""What an Envoy was told, from its administration page: the sidecar of the client, where no other is named."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from .proxies import CLIENT, Proxy
from .waiting import wait_for


def _admin(proxy: Proxy, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.admin_port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, f"Envoy's {path}: {response.status} {body!r}"
        return json.loads(body)
    finally:
        connection.close()


def routes(host: str, proxy: Proxy = CLIENT) -> list[dict[str, Any]]:
    """The routes of the virtual host for HOST (a full name), in their order; empty when there is none."""
    for config in _admin(proxy, "/config_dump?resource=dynamic_route_configs").get("configs", []):
        for virtual_host in config["route_config"].get("virtual_hosts", []):
            if host in virtual_host["domains"]:
                return virtual_host["routes"]
    return []


def connections(host: str, port: int, proxy: Proxy = CLIENT) -> list[dict[str, Any]]:
    """What is done with connections (TCP or TLS) to this port of a Service: each filter chain that leads to it."""
    found = []
    for config in _admin(proxy, "/config_dump?resource=dynamic_listeners").get("configs", []):
        listener = config.get("active_state", {}).get("listener", {})
        for chain in [*listener.get("filter_chains", []), listener.get("default_filter_chain", {})]:
            for network_filter in chain.get("filters", []):
                tcp = network_filter["typed_config"]
                if any(name.split("|")[1::2] == [str(port), host] for name, _ in _clusters(tcp)):
                    found.append(tcp | {"server_names": chain.get("filter_chain_match", {}).get("server_names", [])})
    return found


def _clusters(action: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Names and weights of the clusters of an HTTP route's action or a TCP proxy."""
    if "cluster" in action:
        return [(action["cluster"], 100)]
    return [(c["name"], c.get("weight", 0)) for c in action.get("weighted_clusters", {}).get("clusters", [])]


def weights(route: Mapping[str, Any]) -> dict[str, int]:
    """The weight of each subset of a route; the subset of a plain destination is the empty string."""
    # outbound|80|v1|web.default.svc.cluster.local
    return {name.split("|")[2]: weight for name, weight in _clusters(route.get("route", route))}


def host_weights(route: Mapping[str, Any]) -> dict[str, int]:
    """The weight of each host of a route, all its subsets together."""
    found: dict[str, int] = {}
    for name, weight in _clusters(route.get("route", route)):
        host = name.split("|")[3]
        found[host] = found.get(host, 0) + weight
    return found


def subsets(host: str, proxy: Proxy = CLIENT) -> set[str]:
    """The subsets of HOST that requests can be sent to: their clusters are warm, endpoints included."""
    found = set()
    for config in _admin(proxy, "/config_dump?resource=dynamic_active_clusters").get("configs", []):
        direction, _, subset, name = (config["cluster"]["name"].split("|") + [""] * 3)[:4]
        if direction == "outbound" and name == host and subset:
            found.add(subset)
    return found


# What differs between clusters of one Service by their nature.
NAMES = ("name", "alt_stat_name", "eds_cluster_config", "metadata")


def cluster_settings(host: str, port: int, subset: str = "", proxy: Proxy = CLIENT) -> dict[str, Any]:
    """How an Envoy treats the pods of a subset: connection limits, load balancing, TLS and so on."""
    for config in _admin(proxy, "/config_dump?resource=dynamic_active_clusters").get("configs", []):
        cluster = config["cluster"]
        if cluster["name"] == f"outbound|{port}|{subset}|{host}":
            return {name: value for name, value in cluster.items() if name not in NAMES}
    return {}


def wait_for_subsets(host: str, expected: set[str], timeout: float = 30, proxy: Proxy = CLIENT) -> None:
    """A route to a subset that Envoy does not know yet answers 503: wait for the subset first."""
    wait_for(f"Envoy to know the subsets {expected} of {host}", lambda: expected <= subsets(host, proxy), timeout)


def wait_for_weights(host: str, expected: Mapping[str, int], timeout: float = 30, proxy: Proxy = CLIENT) -> None:
    """Until the last route of HOST, the one without conditions, has these weights by subset."""
    wait_for(
        f"Envoy to split {host} by {dict(expected)}",
        lambda: any(_same(weights(route), expected) for route in routes(host, proxy)[-1:]),
        timeout,
    )


def wait_for_host_weights(host: str, expected: Mapping[str, int], timeout: float = 30, proxy: Proxy = CLIENT) -> None:
    """Until the last route of HOST has these weights by the host (a full name) that they lead to."""
    wait_for(
        f"Envoy to split {host} by {dict(expected)}",
        lambda: any(_same(host_weights(route), expected) for route in routes(host, proxy)[-1:]),
        timeout,
    )


def wait_for_connection_weights(
    host: str, port: int, expected: Mapping[str, int], sni: str | None = None, proxy: Proxy = CLIENT
) -> None:
    """Until connections to this port of HOST, or those of them with this server name, are split so by subset."""

    def seen() -> bool:
        chains = connections(host, port, proxy)
        return any(_same(weights(c), expected) for c in chains if sni is None or sni in c["server_names"])

    wait_for(f"Envoy to split connections to {host}:{port} by {dict(expected)}", seen)


def _same(actual: Mapping[str, int], expected: Mapping[str, int]) -> bool:
    """Without what has no weight."""
    return {s: w for s, w in actual.items() if w} == {s: w for s, w in expected.items() if w}
