"""A Deployment behind a Service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .counts import Counts
from .proxies import CLIENT, GATEWAY, Sidecar
from .request import Request, send, with_cookies
from .space import Object, Space
from .traffic import Traffic

IMAGE = "registry.test/web"

Way = Literal["envoy", "tcp", "gateway", "service"]

# Further ports for a Service. Pods answer in HTTP on each, on the second one within TLS.
TCP_PORT: Object = {"name": "tcp", "port": 9000, "targetPort": 9090}
TLS_PORT: Object = {"name": "tls", "port": 9443, "targetPort": 8443}


@dataclass
class Workload:
    """A Deployment and a Service of the same name. Fill in what matters to the test, then create()."""

    space: Space
    name: str = "web"
    replicas: int = 4
    image: str = f"{IMAGE}:v1"
    labels: dict[str, str] = field(default_factory=dict)  # of the pods, besides app
    annotations: dict[str, str] = field(default_factory=dict)  # of the pods
    mesh: bool = False  # label the pods for Istio's sidecar injection
    start_delay_ms: int = 0
    drain_ms: int | None = None
    port: int = 80
    more_ports: list[Object] = field(default_factory=list)  # of the Service

    @property
    def host(self) -> str:
        return f"{self.name}.{self.space.name}.svc.cluster.local"

    @property
    def selector(self) -> str:
        return f"app={self.name}"

    def deployment(self) -> Object:
        labels = {"app": self.name} | self.labels
        if self.mesh:
            labels["sidecar.istio.io/inject"] = "true"
        annotations = dict(self.annotations)
        if self.start_delay_ms:
            annotations["batchrollout.test/start-delay-ms"] = str(self.start_delay_ms)
        if self.drain_ms is not None:
            annotations["batchrollout.test/drain-ms"] = str(self.drain_ms)
        metadata: Object = {"labels": labels}
        if annotations:
            metadata["annotations"] = annotations
        container = {"name": "web", "image": self.image, "ports": [{"name": "http", "containerPort": 8080}]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "labels": {"app": self.name}},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": {"app": self.name}},
                "template": {"metadata": metadata, "spec": {"containers": [container]}},
            },
        }

    def service(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name, "labels": {"app": self.name}},
            "spec": {
                "selector": {"app": self.name},
                "ports": [{"name": "http", "port": self.port, "targetPort": "http"}, *self.more_ports],
            },
        }

    def version_service(self, version: str) -> Object:
        """A Service of the pods of one version only."""
        service = self.service()
        service["metadata"]["name"] = f"{self.name}-{version}"
        service["spec"]["selector"] = {"app": self.name, "version": version}
        return service

    def create(self, wait: bool = True) -> "Workload":
        self.space.apply(self.deployment(), self.service())
        if wait:
            self.wait_rolled_out()
        return self

    def wait_rolled_out(self, timeout: int = 60) -> None:
        self.space.kubectl("rollout", "status", f"deployment/{self.name}", f"--timeout={timeout}s")

    def scale(self, replicas: int) -> None:
        self.space.kubectl("scale", f"deployment/{self.name}", f"--replicas={replicas}")

    def cluster_ip(self) -> str:
        return self.space.get("service", self.name)["spec"]["clusterIP"]

    def request(
        self,
        way: Way = "envoy",
        headers: Mapping[str, str] | None = None,
        *,
        client: Sidecar = CLIENT,
        host: str | None = None,
        port: int | None = None,
        method: str = "GET",
        path: str = "/",
        cookies: Mapping[str, str] | None = None,
        sni: str | None = None,
    ) -> Request:
        """A request to the Service. These are the ways it can take:

        "envoy": to the HTTP proxy of the CLIENT's sidecar, which follows the VirtualServices for HTTP.
        "tcp": to the ClusterIP from the CLIENT's address, so that its sidecar sees a connection to this Service and
        PORT, and follows the VirtualServices for what the port is: HTTP, TCP, or (give an SNI) TLS.
        "gateway": to the ingress gateway's PORT; give the HOST, or the SNI, that a Gateway serves.
        "service": to the ClusterIP past all sidecars, so that kube-proxy chooses the pod.
        """
        to = port or (80 if way == "gateway" else self.port)
        name = host or (self.host if to == 80 else f"{self.host}:{to}")
        match way:
            case "envoy":
                address, at, source = "127.0.0.1", client.http_proxy_port, None
            case "tcp":
                address, at, source = self.cluster_ip(), to, client.address
            case "gateway":
                address, at, source = GATEWAY.address, to, None
            case "service":
                address, at, source = self.cluster_ip(), to, None
        return Request(address, at, name, method, path, with_cookies(headers, cookies), source, sni)

    def ask(self, count: int = 1, way: Way = "envoy", headers: Mapping[str, str] | None = None, **options) -> Counts:
        """Sends COUNT requests, as request() describes them, and counts the answers."""
        return send(self.request(way, headers, **options), count)

    def traffic(
        self, way: Way = "envoy", rate: float = 100, headers: Mapping[str, str] | None = None, **options
    ) -> Traffic:
        """Constant traffic of such requests: `with workload.traffic() as traffic:`. It starts once one succeeds."""
        return Traffic(self.request(way, headers, **options), rate)


def two_versions(space: Space, v1: int = 2, v2: int = 2, **options) -> Workload:
    """Deployments of two versions behind one Service."""
    web = Workload(space, replicas=v1, labels={"version": "v1"}, **options)
    other = Workload(space, name=f"{web.name}-v2", replicas=v2, image=f"{IMAGE}:v2").deployment()
    pod_labels = {"app": web.name, "version": "v2"}
    other["spec"]["selector"]["matchLabels"] = pod_labels
    other["spec"]["template"]["metadata"]["labels"] = pod_labels
    space.apply(other)
    web.create()
    space.kubectl("rollout", "status", f"deployment/{web.name}-v2", "--timeout=60s")
    return web
