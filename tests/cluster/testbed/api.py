"""The few requests that the testbed itself sends: to the API server, and to the health pages of the programs."""

import http.client
import json
import os
import ssl
import subprocess
from pathlib import Path
from typing import Any

from . import addresses, paths

# So long may the API server be away: tests kill it, and it is started again.
OUTAGE_SECONDS = 60.0
OUTAGE_POLL = 0.2


def may_be_starting(status: int) -> bool:
    """Whether a server that has just started answers so, before it knows the users' rights."""
    return status in (401, 403, 429) or status >= 500


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(paths.PKI / "ca.crt"))
    context.load_cert_chain(paths.PKI / "testbed.crt", paths.PKI / "testbed.key")
    return context


def _fetch(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, bytes] | None:
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def get(port: int, path: str, host: str = "127.0.0.1", host_header: str | None = None) -> tuple[int, bytes] | None:
    """Status and body of a plain HTTP GET; None when nothing answers."""
    headers = {"Host": host_header} if host_header else {}
    return _fetch(http.client.HTTPConnection(host, port, timeout=2), path, headers)


def get_api(path: str) -> tuple[int, Any] | None:
    """Status and document of a GET on the API server; None when it does not answer."""
    connection = http.client.HTTPSConnection(addresses.NODE, 6443, timeout=5, context=tls_context())
    answer = _fetch(connection, path, {"Accept": "application/json"})
    if answer is None:
        return None
    status, body = answer
    return status, json.loads(body) if body.startswith(b"{") else body


def kubectl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"KUBECONFIG": str(paths.KUBECONFIG)}
    return subprocess.run(
        [paths.VENV_BIN / "kubectl", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def kubectl_or_fail(*arguments: str | Path) -> str:
    result = kubectl(*arguments)
    if result.returncode != 0:
        raise RuntimeError(f"kubectl {' '.join(map(str, arguments))}: {result.stderr.strip()}")
    return result.stdout
