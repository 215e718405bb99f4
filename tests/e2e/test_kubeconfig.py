"""Where the cluster is and who one is there: what kubectl takes from a kubeconfig, the plugin takes the same way."""

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.space import Object, Result, Space

ADDRESS = "https://10.0.0.1:6443"


class Kubeconfig:
    """A kubeconfig to be changed, in a directory of its own."""

    def __init__(self, space: Space, directory: Path):
        self.space = space
        self.directory = directory
        self.config = yaml.safe_load(space.kubeconfig.read_text())
        self.cluster: Object = self.config["clusters"][0]["cluster"]
        self.user: Object = self.config["users"][0]["user"]
        self.context: Object = self.config["contexts"][0]["context"]

    def data(self, entry: Object, key: str) -> bytes:
        return base64.b64decode(entry[f"{key}-data"])

    def to_file(self, entry: Object, key: str, path: str) -> None:
        """From inline to a file beside the kubeconfig, named relative to it."""
        file = self.directory / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(self.data(entry, key))
        del entry[f"{key}-data"]
        entry[key] = path

    def token(self) -> str:
        """Of a ServiceAccount that may see releases."""
        self.space.kubectl("create", "serviceaccount", "reader")
        self.space.kubectl("create", "rolebinding", "reader", "--clusterrole=view", f"--serviceaccount={self.space.name}:reader")
        return self.space.kubectl("create", "token", "reader").out.strip()

    def write(self, name: str = "config") -> Path:
        file = self.directory / name
        file.write_text(yaml.safe_dump(self.config))
        return file


@pytest.fixture
def kubeconfig(space: Space, tmp_path: Path) -> Kubeconfig:
    directory = tmp_path / "kube"
    directory.mkdir()
    return Kubeconfig(space, directory)


def run(space: Space, *args: str | Path, **environment: str | None) -> Result:
    """`list ARGS`; an environment variable that is None is unset."""
    env: dict[str, Any] = {k: v for k, v in (os.environ | environment).items() if v is not None}
    command = [str(Path(__file__).parents[2] / "build" / "kubectl-batchrollout"), "list", *map(str, args)]
    done = subprocess.run(
        command, env=env, cwd=space.kubeconfig.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    return Result(tuple(command), done.returncode, done.stdout, done.stderr)


def assert_sees(done: Result, namespace: str) -> None:
    """It got through, and asked in this namespace."""
    assert (done.code, done.out, done.err) == (0, "", f"No releases found in {namespace} namespace.\n"), str(done)


def same(kubeconfig: Kubeconfig) -> None:
    pass


def files(kubeconfig: Kubeconfig) -> None:
    kubeconfig.to_file(kubeconfig.cluster, "certificate-authority", "pki/ca.crt")
    kubeconfig.to_file(kubeconfig.user, "client-certificate", "pki/me.crt")
    kubeconfig.to_file(kubeconfig.user, "client-key", "pki/me.key")


def token_inline(kubeconfig: Kubeconfig) -> None:
    token = kubeconfig.token()
    kubeconfig.user.clear()
    kubeconfig.user["token"] = token


def token_in_file(kubeconfig: Kubeconfig) -> None:
    (kubeconfig.directory / "token").write_text(kubeconfig.token() + "\n")
    kubeconfig.user.clear()
    kubeconfig.user["tokenFile"] = str(kubeconfig.directory / "token")


def without_check(kubeconfig: Kubeconfig) -> None:
    del kubeconfig.cluster["certificate-authority-data"]
    kubeconfig.cluster["insecure-skip-tls-verify"] = True


def other_name(kubeconfig: Kubeconfig) -> None:
    kubeconfig.cluster["server"] = ADDRESS + "/"
    kubeconfig.cluster["tls-server-name"] = "kubernetes.default.svc"


@pytest.mark.parametrize("change", [same, files, token_inline, token_in_file, without_check, other_name])
def test_ways_to_say_it(kubeconfig: Kubeconfig, change: Callable[[Kubeconfig], None]):
    change(kubeconfig)
    assert_sees(run(kubeconfig.space, KUBECONFIG=str(kubeconfig.write())), kubeconfig.space.name)
    assert_sees(run(kubeconfig.space, "--kubeconfig", kubeconfig.write(), KUBECONFIG="/nowhere"), kubeconfig.space.name)


def test_file_of_the_home_directory(kubeconfig: Kubeconfig):
    (kubeconfig.directory / ".kube").mkdir()
    kubeconfig.write(".kube/config")
    assert_sees(run(kubeconfig.space, KUBECONFIG=None, HOME=str(kubeconfig.directory)), kubeconfig.space.name)


def test_list_of_files(kubeconfig: Kubeconfig):
    """Merged stanza by stanza, the first to name something wins; what is not there is passed over."""
    config = kubeconfig.config
    parts: dict[str, Object] = {
        "cluster": {"clusters": config["clusters"]},
        "user": {"users": config["users"]},
        "context": {"contexts": config["contexts"], "current-context": config["current-context"]},
        "loser": {
            "current-context": "other",
            "clusters": [{"name": config["clusters"][0]["name"], "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": config["users"][0]["name"], "user": {"token": "wrong"}}],
            "contexts": [{"name": "other", "context": {"cluster": "nowhere", "user": "nobody"}}],
        },
    }
    for name, part in parts.items():
        (kubeconfig.directory / name).write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config"} | part))
    names = ["missing", "context", "user", "cluster", "loser"]
    path = ":".join(str(kubeconfig.directory / name) for name in names)
    assert_sees(run(kubeconfig.space, KUBECONFIG=path), kubeconfig.space.name)


def test_contexts_and_namespaces(kubeconfig: Kubeconfig):
    config = kubeconfig.config
    config["contexts"].append({"name": "elsewhere", "context": kubeconfig.context | {"namespace": "default"}})
    config["contexts"].append({"name": "plain", "context": {k: v for k, v in kubeconfig.context.items() if k != "namespace"}})
    environment = {"KUBECONFIG": str(kubeconfig.write())}
    space = kubeconfig.space
    assert_sees(run(space, **environment), space.name)
    assert_sees(run(space, "--context", "elsewhere", **environment), "default")
    assert_sees(run(space, "--context=plain", **environment), "default")
    assert_sees(run(space, "--context", "plain", "-n", space.name, **environment), space.name)
    assert_sees(run(space, "--namespace=kube-system", **environment), "kube-system")


def test_parts_by_flags(kubeconfig: Kubeconfig):
    """--server, --certificate-authority, --token, --client-certificate ... where the kubeconfig says nothing."""
    space, token = kubeconfig.space, kubeconfig.token()
    files(kubeconfig)
    pki = kubeconfig.directory / "pki"
    server = ("--server", ADDRESS, "--certificate-authority", pki / "ca.crt")
    nothing = {"KUBECONFIG": "/dev/null"}
    assert_sees(run(space, *server, "--token", token, "-n", space.name, **nothing), space.name)
    certificate = ("--client-certificate", pki / "me.crt", "--client-key", pki / "me.key")
    assert_sees(run(space, *server, *certificate, **nothing), "default")


# --- what does not work, in kubectl's words -------------------------------------------------------------------------


def compare_with_kubectl(space: Space, *flags: str | Path, env: dict[str, str]) -> str:
    """What both say; they exit with 1."""
    ours = run(space, *flags, **env)
    theirs = subprocess.run(
        ["kubectl", "get", "configmaps", *map(str, flags)],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ours.code, theirs.returncode) == (1, 1), f"{ours}\n{theirs}"
    # client-go tries discovery several times and logs each failure first.
    assert ours.err == theirs.stderr.splitlines(keepends=True)[-1]
    return ours.err


def test_wrong_token(kubeconfig: Kubeconfig):
    kubeconfig.user.clear()
    kubeconfig.user["token"] = "wrong"
    env = {"KUBECONFIG": str(kubeconfig.write())}
    said = run(kubeconfig.space, **env)
    assert (said.code, said.err) == (1, "error: You must be logged in to the server (Unauthorized)\n")
    assert compare_with_kubectl(kubeconfig.space, env=env) == said.err


def test_unknown_context(kubeconfig: Kubeconfig):
    done = run(kubeconfig.space, "--context", "x", KUBECONFIG=str(kubeconfig.write()))
    assert done.code == 1
    assert done.err.startswith('error: context "x" does not exist') and done.err.count("\n") == 1


def test_server_that_is_not_there(kubeconfig: Kubeconfig):
    kubeconfig.cluster["server"] = "https://127.0.0.1:1"
    env = {"KUBECONFIG": str(kubeconfig.write())}
    said = compare_with_kubectl(kubeconfig.space, env=env)
    assert said.startswith("The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?")


def test_file_that_is_no_kubeconfig(kubeconfig: Kubeconfig):
    file = kubeconfig.directory / "config"
    file.write_text("a: [")
    done = run(kubeconfig.space, KUBECONFIG=str(file))
    assert done.code == 1
    assert done.err.startswith("error: ") and str(file) in done.err and done.err.count("\n") == 1


def test_missing_file(kubeconfig: Kubeconfig):
    done = run(kubeconfig.space, "--kubeconfig", "/nowhere/config")
    assert done.code == 1
    assert "/nowhere/config" in done.err and "o such file or directory" in done.err


def wrong_authority(kubeconfig: Kubeconfig) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out ca.crt -subj /CN=x"
    subprocess.run(command.split(), cwd=kubeconfig.directory, check=True, capture_output=True)
    del kubeconfig.cluster["certificate-authority-data"]
    kubeconfig.cluster["certificate-authority"] = "ca.crt"


def no_authority(kubeconfig: Kubeconfig) -> None:
    del kubeconfig.cluster["certificate-authority-data"]


def wrong_name(kubeconfig: Kubeconfig) -> None:
    kubeconfig.cluster["tls-server-name"] = "elsewhere.example"


@pytest.mark.parametrize("change", [wrong_authority, no_authority, wrong_name])
def test_certificate_that_is_not_trusted(kubeconfig: Kubeconfig, change: Callable[[Kubeconfig], None]):
    change(kubeconfig)
    done = run(kubeconfig.space, KUBECONFIG=str(kubeconfig.write()))
    assert done.code == 1 and done.out == ""
    assert done.err.startswith("Unable to connect to the server: ") and "certificate" in done.err, done.err


def test_no_secret_is_shown(kubeconfig: Kubeconfig):
    token = kubeconfig.token()
    kubeconfig.user.clear()
    kubeconfig.user["token"] = token
    done = run(kubeconfig.space, "-v", "9", KUBECONFIG=str(kubeconfig.write()))
    assert done.code == 0 and f"GET {ADDRESS}/" in done.err
    assert token not in done.err + done.out


def test_credentials_go_over_https_only(kubeconfig: Kubeconfig):
    kubeconfig.cluster["server"] = "http://10.0.0.1:6443"
    kubeconfig.user.clear()
    kubeconfig.user["token"] = "secret"
    done = run(kubeconfig.space, KUBECONFIG=str(kubeconfig.write()))
    assert done.code == 1 and "https" in done.err and "secret" not in done.err
