"""A Deployment behind a Service."""

from dataclasses import dataclass, field

from .space import Object, Space
from .traffic import Path, Traffic

IMAGE = "registry.test/web"


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
                "ports": [{"name": "http", "port": self.port, "targetPort": "http"}],
            },
        }

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

    def traffic(self, path: Path = "envoy", rate: float = 100, headers: dict[str, str] | None = None) -> Traffic:
        """Constant traffic to the Service: `with workload.traffic() as traffic:`. It starts once one request succeeds.

        PATH "envoy" goes through the client's sidecar, which follows the VirtualServices; "service" goes to the
        ClusterIP on a new connection for each request, so that kube-proxy chooses the pod.
        """
        host = self.host if self.port == 80 else f"{self.host}:{self.port}"
        if path == "envoy":
            return Traffic("127.0.0.1", 15007, host, rate, headers)
        return Traffic(self.cluster_ip(), self.port, host, rate, headers)
