"""Who wrote what to the API server, from its audit log."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Write:
    verb: str
    resource: str  # with subresource: deployments/scale
    name: str
    code: int
    user: str
    user_agent: str


def _log() -> Path:
    return Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"]) / "logs" / "audit.log"


def mark() -> int:
    """A place in the log, to read from: `writes(ns, since=mark)`."""
    return _log().stat().st_size


def writes(namespace: str, since: int = 0, user_agent: str = "kubectl-batchrollout") -> list[Write]:
    """The requests, other than reads, in a namespace; only of programs whose User-Agent begins with USER_AGENT.

    Dry runs are no writes, and requests that were refused are: look at the code.
    """
    found = []
    with _log().open("rb") as log:
        assert log.seek(0, os.SEEK_END) >= since, "the audit log is another one than when the place was marked"
        log.seek(since)
        for line in log:
            if not line.endswith(b"\n"):
                break  # it is being written
            event = json.loads(line)
            target = event.get("objectRef", {})
            if target.get("namespace") != namespace or "dryRun=" in event["requestURI"]:
                continue
            if event["stage"] != "ResponseComplete" or not event.get("userAgent", "").startswith(user_agent):
                continue
            resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
            found.append(
                Write(
                    event["verb"],
                    resource,
                    target.get("name", ""),
                    event["responseStatus"]["code"],
                    event["user"]["username"],
                    event["userAgent"],
                )
            )
    return found
