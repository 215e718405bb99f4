"""Objects that say where requests go: Istio's and the Gateway API's."""

from collections.abc import Mapping, Sequence

from .proxies import GATEWAY
from .space import Object

# The Gateway that tests/cluster/gateway-api makes, as the parent of a route.
INGRESS: Object = {"name": "ingress", "namespace": GATEWAY.namespace}


def istio(kind: str, name: str, /, **spec) -> Object:
    return {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def subsets(host: str, *versions: str, name: str = "web", **spec) -> Object:
    """A DestinationRule with a subset for each version, of the version's name."""
    named = [{"name": v, "labels": {"version": v}} for v in versions]
    return istio("DestinationRule", name, host=host, subsets=named, **spec)


def destinations(host: str, weights: Mapping[str, int], port: int | None = None) -> list[Object]:
    """The `route` list of a VirtualService: weights by subset of one host."""
    at = {"port": {"number": port}} if port else {}
    return [{"destination": {"host": host, "subset": s} | at, "weight": w} for s, w in weights.items()]


def gateway(name: str, *hosts: str, port: int = 80, protocol: str = "HTTP", **server) -> Object:
    """A Gateway of Istio on the ingress gateway, with one server."""
    listener = {"number": port, "name": protocol.lower(), "protocol": protocol}
    servers = [{"port": listener, "hosts": list(hosts)} | server]
    return istio("Gateway", name, selector=dict(GATEWAY.labels), servers=servers)


def http_route(name: str, parent: Object, rules: Sequence[Object], hostnames: Sequence[str] = ()) -> Object:
    """An HTTPRoute bound to a Gateway (such as INGRESS), or to a Service: service_parent()."""
    spec: Object = {"parentRefs": [parent], "rules": list(rules)}
    if hostnames:
        spec["hostnames"] = list(hostnames)
    metadata = {"name": name}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}


def service_parent(name: str, **reference) -> Object:
    return {"group": "", "kind": "Service", "name": name} | reference


def backends(weights: Mapping[str, int], port: int = 80, **reference) -> list[Object]:
    """The `backendRefs` list of a rule: weights by Service."""
    return [{"name": service, "port": port, "weight": weight} | reference for service, weight in weights.items()]


def header(name: str, value: str, kind: str = "Exact") -> Object:
    """A `matches` entry of a rule."""
    return {"headers": [{"name": name, "value": value, "type": kind}]}
