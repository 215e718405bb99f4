"""Istio's objects, as the tests write them."""

from collections.abc import Mapping
from typing import Any

from .proxies import GATEWAY
from .space import Object

HTTP_SERVER: Object = {"number": 80, "name": "http", "protocol": "HTTP"}


def istio(kind: str, name: str, spec: Object, namespace: str | None = None) -> Object:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def virtual_service(name: str, hosts: list[str], *http: Object, namespace: str | None = None, **spec: Any) -> Object:
    """With these http routes; without hosts it is a delegate."""
    spec = ({"hosts": hosts} if hosts else {}) | ({"http": list(http)} if http else {}) | spec
    return istio("VirtualService", name, spec, namespace)


def destination_rule(
    name: str, host: str, subsets: Mapping[str, Mapping[str, str]], namespace: str | None = None, **spec: Any
) -> Object:
    """SUBSETS are labels by the subset's name."""
    listed = [{"name": subset, "labels": dict(labels)} for subset, labels in subsets.items()]
    return istio("DestinationRule", name, {"host": host} | ({"subsets": listed} if listed else {}) | spec, namespace)


def gateway(name: str, *hosts: str, namespace: str | None = None) -> Object:
    """Plain HTTP on port 80 of the ingress gateway."""
    server = {"port": HTTP_SERVER, "hosts": list(hosts)}
    return istio("Gateway", name, {"selector": dict(GATEWAY.labels), "servers": [server]}, namespace)


def to(host: str, weight: int | None = None, subset: str | None = None, port: int | None = None, **entry: Any) -> Object:
    """An entry of a route's list of destinations."""
    destination: Object = {"host": host}
    if subset:
        destination["subset"] = subset
    if port:
        destination["port"] = {"number": port}
    return {"destination": destination} | ({} if weight is None else {"weight": weight}) | entry


def route(*destinations: Object, **route: Any) -> Object:
    """A route, with its match, its name and so on by name: route(to("web"), name="main", timeout="5s")."""
    return {**route, "route": list(destinations)}
