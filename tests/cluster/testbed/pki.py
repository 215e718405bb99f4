"""Certificates: one authority, one server certificate, a client certificate for each user."""

import base64
import subprocess
from pathlib import Path

from . import addresses, paths


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)


def _request(name: str, subject: str, *extra: str | Path) -> None:
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "365",
        "-keyout", paths.PKI / f"{name}.key", "-out", paths.PKI / f"{name}.crt", "-subj", subject, *extra,
    )  # fmt: skip


def _signed(name: str, subject: str, usage: str, *extensions: str) -> None:
    signer = ["-CA", paths.PKI / "ca.crt", "-CAkey", paths.PKI / "ca.key"]
    added = ["basicConstraints=critical,CA:false", f"extendedKeyUsage={usage}", *extensions]
    _request(name, subject, *signer, *(word for extension in added for word in ("-addext", extension)))


def make_authority() -> None:
    paths.PKI.mkdir(mode=0o700)
    _request("ca", "/CN=batchrollout testbed", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def make_server(name: str, *names: str) -> None:
    _signed(name, f"/CN={name}", "serverAuth", "subjectAltName=" + ",".join(names))


def make_client(user: str, group: str) -> None:
    subject = f"/O={group}/CN={user}" if group else f"/CN={user}"
    _signed(user.removeprefix("system:"), subject, "clientAuth")


def make_service_account_key() -> None:
    key = paths.PKI / "service-account.key"
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    _openssl("pkey", "-in", key, "-pubout", "-out", paths.PKI / "service-account.pub")


def write_kubeconfig(user: str, file: Path) -> None:
    """A kubeconfig that carries its certificates inline, as most do."""
    name = user.removeprefix("system:")

    def data(pem: str) -> str:
        return base64.b64encode((paths.PKI / pem).read_bytes()).decode()

    text = f"""\
apiVersion: v1
kind: Config
current-context: testbed
clusters:
- name: testbed
  cluster:
    server: {addresses.API_SERVER}
    certificate-authority-data: {data("ca.crt")}
users:
- name: {name}
  user:
    client-certificate-data: {data(name + ".crt")}
    client-key-data: {data(name + ".key")}
contexts:
- name: testbed
  context: {{cluster: testbed, user: {name}, namespace: default}}
"""
    file.touch(mode=0o600)
    file.write_text(text)


def make_all() -> None:
    make_authority()
    make_service_account_key()
    make_server(
        "kube-apiserver",
        f"IP:{addresses.NODE}", f"IP:{addresses.KUBERNETES_SERVICE}", "IP:127.0.0.1", "DNS:localhost",
        "DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc",
    )  # fmt: skip
    make_server("istiod", "DNS:istiod.istio-system.svc", "DNS:istiod.istio-system")
    make_server("pod", "DNS:pod.test")
    users = {
        "admin": "system:masters",
        "system:kube-controller-manager": "",
        "system:kube-scheduler": "",
        "system:kube-proxy": "",
        "testbed": "testbed",
    }
    for user, group in users.items():
        make_client(user, group)
        name = user.removeprefix("system:")
        write_kubeconfig(user, paths.KUBECONFIG if user == "admin" else paths.RUN / f"{name}.kubeconfig")
