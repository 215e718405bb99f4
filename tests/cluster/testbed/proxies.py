"""The Envoys: the sidecars of two clients in different namespaces, and an ingress gateway.

No pods stand behind them: istiod takes a proxy's namespace, labels and address from what it says of itself.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Proxy:
    name: str
    namespace: str
    labels: dict[str, str]
    address: str
    admin_port: int

    kind = "router"

    @property
    def node_id(self) -> str:
        return f"{self.kind}~{self.address}~{self.name}.{self.namespace}~{self.namespace}.svc.cluster.local"

    @property
    def metadata(self) -> dict[str, object]:
        return {"NAMESPACE": self.namespace, "CLUSTER_ID": "Kubernetes", "LABELS": self.labels}

    def values(self) -> dict[str, str]:
        """What config/envoy.yaml leaves open."""
        return {
            "node_id": self.node_id,
            "node_cluster": f"{self.name}.{self.namespace}",
            "node_metadata": json.dumps(self.metadata),
            "admin_port": str(self.admin_port),
        }


@dataclass(frozen=True)
class Sidecar(Proxy):
    http_proxy_port: int
    outbound_port: int  # takes what its client's address sends anywhere (network.py)

    kind = "sidecar"

    @property
    def metadata(self) -> dict[str, object]:
        # Its listeners for Services wait for connections from the outbound port and bind no ports of their own.
        redirected = {"INTERCEPTION_MODE": "REDIRECT", "HTTP_PROXY_PORT": str(self.http_proxy_port)}
        return super().metadata | redirected


CLIENT = Sidecar("client", "default", {"app": "client"}, "10.244.200.1", 15000, 15007, 15001)
# The outbound port is one for the whole mesh; an EnvoyFilter (config/istio.yaml) gives this one another.
OTHER_CLIENT = Sidecar("client", "other", {"app": "other-client"}, "10.244.200.2", 15100, 15107, 15101)
SIDECARS = (CLIENT, OTHER_CLIENT)

# Its ports are the target ports of the Service istio-ingressgateway (config/objects.yaml).
GATEWAY = Proxy("istio-ingressgateway", "istio-ingress", {"istio": "ingressgateway"}, "10.244.200.3", 15200)
