"""The API server asked without kubectl, which takes ten times as long: for tests that look thousands of times."""

import http.client
import json
import os
import ssl
import threading
from pathlib import Path
from typing import Any

from .space import Object, Space

API_SERVER = ("10.0.0.1", 6443)
FOLDERS = {
    "ConfigMap": ("/api/v1", "configmaps"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "DestinationRule": ("/apis/networking.istio.io/v1", "destinationrules"),
    "Pod": ("/api/v1", "pods"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "Service": ("/api/v1", "services"),
    "VirtualService": ("/apis/networking.istio.io/v1", "virtualservices"),
}
# Each thread has a connection that is kept.
_kept = threading.local()


def _connect() -> http.client.HTTPSConnection:
    pki = Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"]) / "pki"
    tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return http.client.HTTPSConnection(*API_SERVER, timeout=30, context=tls)


def _exchange(method: str, path: str) -> tuple[int, bytes]:
    if not hasattr(_kept, "connection"):
        _kept.connection = _connect()
    _kept.connection.request(method, path)
    response = _kept.connection.getresponse()
    return response.status, response.read()


def _ask(method: str, path: str) -> tuple[int, Any]:
    try:
        status, body = _exchange(method, path)
    except (OSError, http.client.HTTPException):
        # The server has closed a connection that was not used for long. A second time it is a failure.
        del _kept.connection
        status, body = _exchange(method, path)
    assert status in (200, 202, 404), f"{method} {path}: {status} {body!r}"
    return status, json.loads(body)


def _path(space: Space, kind: str, name: str = "") -> str:
    folder, plural = FOLDERS[kind]
    return f"{folder}/namespaces/{space.name}/{plural}{'/' if name else ''}{name}"


def objects(space: Space, *kinds: str) -> list[Object]:
    """All of these kinds, as `kubectl get` shows them."""
    found = []
    for kind in kinds:
        _, answer = _ask("GET", _path(space, kind))
        about = {"apiVersion": answer["apiVersion"], "kind": kind}
        found += [about | item for item in answer["items"]]
    return found


def one(space: Space, kind: str, name: str) -> Object | None:
    status, answer = _ask("GET", _path(space, kind, name))
    return answer if status == 200 else None


def delete(space: Space, kind: str, name: str) -> None:
    """In the background, as to what it owns; also where there is none."""
    _ask("DELETE", _path(space, kind, name))
