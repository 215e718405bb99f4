"""An external metric, as an adapter like Prometheus' serves it to the HorizontalPodAutoscaler controller."""

import json
import os
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from .space import Object, Space
from .waiting import wait_for

GROUP = "external.metrics.k8s.io"
VERSION = f"{GROUP}/v1beta1"
NAME = f"v1beta1.{GROUP}"
ADDRESS = "10.0.0.1"


class Metric:
    """`with Metric(space, 400) as load:` the metric "load" is 400 in all namespaces; set load.value to what it should be.

    The API is served behind a Service in the space."""

    def __init__(self, space: Space, value: int):
        self._space = space
        self.value = value

    def spec(self, average: int) -> Object:
        """For an autoscaler that wants so much of it for each pod."""
        target = {"type": "AverageValue", "averageValue": str(average)}
        return {"type": "External", "external": {"metric": {"name": "load"}, "target": target}}

    def __enter__(self) -> "Metric":
        self._server = ThreadingHTTPServer((ADDRESS, 0), self._handler())
        pki = Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"]) / "pki"
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._space.apply(*self._objects(self._server.server_address[1]))
        wait_for("the metrics API", self._is_available)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._space.kubectl("delete", f"apiservice/{NAME}", "service/metrics", "endpointslice/metrics")
        self._server.shutdown()
        self._server.server_close()

    def _is_available(self) -> bool:
        path = f"/apis/{VERSION}/namespaces/{self._space.name}/load"
        return self._space.kubectl("get", "--raw", path, check=False).code == 0

    def _objects(self, port: int) -> list[Object]:
        metadata = {"name": "metrics", "namespace": self._space.name}
        return [
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 443}]}},
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata | {"labels": {"kubernetes.io/service-name": "metrics"}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
                "ports": [{"port": port}],
            },
            {
                "apiVersion": "apiregistration.k8s.io/v1",
                "kind": "APIService",
                "metadata": {"name": NAME},
                "spec": {
                    "group": GROUP,
                    "version": "v1beta1",
                    "groupPriorityMinimum": 100,
                    "versionPriority": 100,
                    "insecureSkipTLSVerify": True,
                    "service": metadata | {"port": 443},
                },
            },
        ]

    def _answer(self, path: str) -> Object | None:
        if path == f"/apis/{VERSION}":
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": VERSION, "resources": []}
        if not path.endswith("/load"):
            return None
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        item = {"metricName": "load", "metricLabels": {}, "timestamp": now, "value": str(self.value)}
        return {"kind": "ExternalMetricValueList", "apiVersion": VERSION, "metadata": {}, "items": [item]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metric = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = metric._answer(self.path.partition("?")[0])
                body = json.dumps(answer).encode() if answer else b"not found"
                self.send_response(200 if answer else 404)
                self.send_header("Content-Type", "application/json" if answer else "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
