"""What the client's sidecar was told, from its administration page."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from .waiting import wait_for

ADMIN = ("127.0.0.1", 15000)


def _admin(path: str) -> Any:
    connection = http.client.HTTPConnection(*ADMIN, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, f"Envoy's {path}: {response.status} {body!r}"
        return json.loads(body)
    finally:
        connection.close()


def routes(host: str) -> list[dict[str, Any]]:
    """The routes of the virtual host for HOST (a full name), in their order; empty when there is none."""
    for config in _admin("/config_dump?resource=dynamic_route_configs").get("configs", []):
        for virtual_host in config["route_config"].get("virtual_hosts", []):
            if host in virtual_host["domains"]:
                return virtual_host["routes"]
    return []


def weights(route: Mapping[str, Any]) -> dict[str, int]:
    """The weight of each subset of a route; the subset of a plain destination is the empty string."""

    def subset(cluster: str) -> str:
        return cluster.split("|")[2]  # outbound|80|v1|web.default.svc.cluster.local

    action = route.get("route", {})
    if "cluster" in action:
        return {subset(action["cluster"]): 100}
    return {subset(c["name"]): c.get("weight", 0) for c in action.get("weighted_clusters", {}).get("clusters", [])}


def subsets(host: str) -> set[str]:
    """The subsets of HOST that requests can be sent to: their clusters are warm, endpoints included."""
    found = set()
    for config in _admin("/config_dump?resource=dynamic_active_clusters").get("configs", []):
        direction, _, subset, name = (config["cluster"]["name"].split("|") + [""] * 3)[:4]
        if direction == "outbound" and name == host and subset:
            found.add(subset)
    return found


def wait_for_subsets(host: str, expected: set[str], timeout: float = 30) -> None:
    """A route to a subset that Envoy does not know yet answers 503: wait for the subset first."""
    wait_for(f"Envoy to know the subsets {expected} of {host}", lambda: expected <= subsets(host), timeout)


def wait_for_weights(host: str, expected: Mapping[str, int], timeout: float = 30) -> None:
    """Until the last route of HOST, the one without conditions, has these weights by subset."""

    def seen() -> bool:
        found = routes(host)
        actual = {s: w for s, w in weights(found[-1]).items() if w} if found else {}
        return actual == {s: w for s, w in expected.items() if w}

    wait_for(f"Envoy to split {host} by {dict(expected)}", seen, timeout)
