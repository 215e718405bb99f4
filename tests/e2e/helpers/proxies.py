"""The Envoys of the embedded cluster: two clients' sidecars and an ingress gateway (tests/cluster/README.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proxy:
    namespace: str
    labels: tuple[tuple[str, str], ...]  # pairs; as a mapping: dict(proxy.labels)
    admin_port: int  # of its administration page, on 127.0.0.1


@dataclass(frozen=True)
class Sidecar(Proxy):
    """Of a client: a pod of the mesh that requests come from."""

    address: str  # the client's: what is sent from here goes through the sidecar, as with the redirection in a real pod
    http_proxy_port: int


@dataclass(frozen=True)
class Gateway(Proxy):
    address: str  # of its Service; ports 80, 8080, 443, 8443, 31400 and 15443 as a Gateway names them


CLIENT = Sidecar("default", (("app", "client"),), 15000, "10.244.200.1", 15007)
OTHER_CLIENT = Sidecar("other", (("app", "other-client"),), 15100, "10.244.200.2", 15107)
GATEWAY = Gateway("istio-ingress", (("istio", "ingressgateway"),), 15200, "10.96.0.80")
