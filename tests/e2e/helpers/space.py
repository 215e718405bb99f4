"""A namespace of one's own, and who one is in it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "build" / "kubectl-batchrollout"
TIMEOUT = 120

Object = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    args: tuple[str, ...]
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"$ {' '.join(self.args)}\n{self.out}{self.err}(exit status {self.code})"

    def json(self) -> Any:
        return json.loads(self.out)


def execute(
    *args: str | Path, env: dict[str, str], input: str | None = None, timeout: float = TIMEOUT, check: bool = False
) -> Result:
    done = subprocess.run(
        [str(arg) for arg in args],
        env=env,
        input=input,
        # Without an input of its own, a command must not read the terminal of whoever runs the tests.
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    result = Result(tuple(map(str, args)), done.returncode, done.stdout, done.stderr)
    if check:
        assert result.code == 0, str(result)
    return result


class Space:
    """A namespace, seen by the user of a kubeconfig whose context names that namespace."""

    def __init__(self, name: str, kubeconfig: Path):
        self.name = name
        self.kubeconfig = kubeconfig
        self.env = os.environ | {"KUBECONFIG": str(kubeconfig)}

    @classmethod
    def of(cls, name: str, directory: Path) -> "Space":
        """The namespace NAME, seen by the cluster's administrator; its kubeconfig is written into DIRECTORY."""
        config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
        config["contexts"][0]["context"]["namespace"] = name
        kubeconfig = directory / f"{name}.kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(config))
        return cls(name, kubeconfig)

    def kubectl(self, *args: str, input: str | None = None, check: bool = True, timeout: float = TIMEOUT) -> Result:
        return execute("kubectl", *args, env=self.env, input=input, timeout=timeout, check=check)

    def run(self, *args: str | Path, input: str | None = None, timeout: float = TIMEOUT) -> Result:
        """Any program, with this space's KUBECONFIG."""
        return execute(*args, env=self.env, input=input, timeout=timeout)

    def plugin(
        self,
        *args: str,
        input: str | None = None,
        env: dict[str, str] | None = None,
        timeout: float = TIMEOUT,
        check: bool = False,
    ) -> Result:
        """Runs kubectl-batchrollout. Its exit status is for the test to judge, unless CHECK is set."""
        return execute(PLUGIN, *args, env=self.env | (env or {}), input=input, timeout=timeout, check=check)

    def start_plugin(self, *args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """kubectl-batchrollout as a process of its own, for tests that interrupt or kill it."""
        return subprocess.Popen(
            [str(PLUGIN), *args],
            env=self.env | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def apply(self, *objects: Object | str) -> None:
        """Applies objects, or YAML text with objects in it."""
        text = "\n---\n".join(o if isinstance(o, str) else yaml.safe_dump(o) for o in objects)
        self.kubectl("apply", "--filename", "-", input=text)

    def get(self, *args: str) -> Any:
        """`kubectl get ARGS`: the object, or the list's items."""
        document = self.kubectl("get", *args, "--output", "json").json()
        return document["items"] if document["kind"] == "List" else document

    def exists(self, *args: str) -> bool:
        return bool(self.kubectl("get", *args, "--ignore-not-found", "--output", "name").out)

    def pods(self, selector: str = "") -> list[Object]:
        return self.get("pods", *(["--selector", selector] if selector else []))

    def ready_pods(self, selector: str = "") -> list[Object]:
        return [pod for pod in self.pods(selector) if is_ready(pod)]

    def dump(self) -> str:
        """What one wants to see when a test failed."""
        kinds = "deployments,replicasets,pods,services,endpointslices,configmaps,virtualservices,destinationrules"
        seen = self.kubectl("get", kinds, "--show-labels", "--output", "wide", check=False)
        events = self.kubectl("get", "events", "--sort-by", ".metadata.creationTimestamp", check=False)
        return f"{seen}\n{events}"

    def service_account(self, name: str, rules: list[Object], directory: Path) -> "Space":
        """The same namespace, seen by a new ServiceAccount (with a token) that may do what the RULES of a Role say."""
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.name}
        metadata = {"name": name, "namespace": self.name}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        self.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules},
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": role,
                "subjects": [subject],
            },
        )
        token = self.kubectl("create", "token", name).out.strip()
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"] = [{"name": name, "user": {"token": token}}]
        config["contexts"][0]["context"]["user"] = name
        file = directory / f"{name}.kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return Space(self.name, file)


def is_ready(pod: Object) -> bool:
    """Ready, and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def waiting_reasons(pod: Object) -> list[str]:
    """Why the pod's containers do not run: CrashLoopBackOff, ImagePullBackOff ..."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return [s["state"]["waiting"]["reason"] for s in statuses if "waiting" in s["state"]]
