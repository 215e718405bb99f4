"""Runs inside the network namespace: starts the cluster's programs, watches over them, ends them.

Its standard output is the progress that `up` shows; the last line is `ready`.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from . import api, components, network, paths, pki, proxies
from .process import Component

START_TIMEOUT = 180.0
POLL = 0.05
STOP_GRACE = 2.0

BAD_VIRTUAL_SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: testbed-probe, namespace: default}
spec: {hosts: [probe], http: [{route: [{destination: {host: probe}, weight: -1}]}]}
"""


class Stopped(Exception):
    """Someone asked us to end."""


class Supervisor:
    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._components: list[Component] = []
        self._stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop.set())

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._begun:5.1f}s] {text}", flush=True)

    def _run(self, component: Component) -> None:
        self._components.append(component)

    def _check(self) -> None:
        for component in self._components:
            status = component.exit_status()
            if status is not None and _was_killed(component):
                component.start()
                paths.KILLED.unlink()
            elif status is not None:
                raise RuntimeError(
                    f"{component.name} ended with status {status}; the end of {component.log}:\n{component.tail()}"
                )

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not holds():
            self._check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {START_TIMEOUT:.0f} s in vain for {what}; the logs are in {paths.LOGS}")
            if self._stop.wait(POLL):
                raise Stopped
        self.say(what)

    def start(self) -> None:
        paths.LOGS.mkdir(exist_ok=True)
        network.set_up()
        pki.make_all()

        self._run(components.etcd())
        self._wait("etcd is healthy", lambda: _ok(2379, "/health"))
        self._run(components.api_server())
        self._wait("the API server is ready", _api_ready)

        self._run(components.controller_manager())
        self._run(components.scheduler())
        self._run(components.kube_proxy())
        api.kubectl_or_fail("apply", "--server-side", "--filename", paths.CONFIG / "objects.yaml")
        # The rest acts as user testbed, whose rights were in those objects.
        self._wait("the testbed has its rights", _testbed_may_list_pods)
        self._run(components.kwok())
        self._run(components.responder())
        self._run(components.istiod())
        api.kubectl_or_fail("apply", "--server-side", "--filename", paths.ISTIO_CRDS)
        self._wait("Istio's resources are served", _crds_established)
        api.kubectl_or_fail("apply", "--server-side", "--filename", paths.CONFIG / "istio.yaml")
        self._wait("the node is ready", _node_ready)
        self._wait("the default service account is there", _default_account_exists)
        self._wait("the responder knows the pods", lambda: _ok(18090, "/"))
        self._wait("kube-proxy is healthy", lambda: _ok(10256, "/healthz"))
        self._wait("istiod is ready", lambda: _ok(18080, "/ready"))
        # Started earlier, it would wait ever longer between its attempts to reach istiod.
        for proxy in (*proxies.SIDECARS, proxies.GATEWAY):
            self._run(components.envoy(proxy))
        api.kubectl_or_fail("apply", "--server-side", "--filename", components.render("webhook.yaml"))
        self._wait("istiod refuses a bad VirtualService", _refuses_bad_virtual_service)
        self._wait("the sidecars have their routes", lambda: all(map(_has_routes, proxies.SIDECARS)))
        self._wait("the gateway is ready", lambda: _ok(proxies.GATEWAY.admin_port, "/ready"))

        paths.READY.touch()
        print("ready", flush=True)

    def watch(self) -> None:
        """Returns when asked to stop; raises when a component ended by itself."""
        while not self._stop.wait(0.5):
            self._check()

    def stop(self) -> None:
        paths.READY.unlink(missing_ok=True)
        for component in reversed(self._components):
            component.terminate()
        deadline = time.monotonic() + STOP_GRACE
        for component in reversed(self._components):
            component.wait_or_kill(max(0.0, deadline - time.monotonic()))


def _was_killed(component: Component) -> bool:
    """By a test, which wants to see it started again."""
    return paths.KILLED.exists() and paths.KILLED.read_text() == component.name


def _ok(port: int, path: str) -> bool:
    answer = api.get(port, path)
    return answer is not None and answer[0] == 200


def _api_ready() -> bool:
    answer = api.get_api("/readyz")
    return answer is not None and answer[0] == 200


def _testbed_may_list_pods() -> bool:
    answer = api.get_api("/api/v1/pods?limit=1")
    return answer is not None and answer[0] == 200


def _crds_established() -> bool:
    answer = api.get_api("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    if answer is None or answer[0] != 200:
        return False

    def established(crd: dict) -> bool:
        # A new one has neither, or null.
        conditions = crd.get("status", {}).get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    served = api.get_api("/apis/networking.istio.io/v1")
    return all(map(established, answer[1]["items"] or [])) and served is not None and served[0] == 200


def _node_ready() -> bool:
    answer = api.get_api("/api/v1/nodes/n1")
    if answer is None or answer[0] != 200:
        return False
    node = answer[1]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or [])
    # The taint goes a moment after the condition comes; nothing is scheduled before.
    return ready and not node["spec"].get("taints")


def _default_account_exists() -> bool:
    answer = api.get_api("/api/v1/namespaces/default/serviceaccounts/default")
    return answer is not None and answer[0] == 200


def _refuses_bad_virtual_service() -> bool:
    probe = paths.RUN / "probe.yaml"
    probe.write_text(BAD_VIRTUAL_SERVICE)
    # Every other refusal, such as of a webhook that cannot be reached, does not name the weight.
    return "weight" in api.kubectl("create", "--dry-run=server", "--filename", probe).stderr


def _has_routes(sidecar: proxies.Sidecar) -> bool:
    # The proxy's port is opened when its listener and its routes have arrived; it knows no such host.
    answer = api.get(sidecar.http_proxy_port, "/", host_header="nobody.invalid")
    listeners = api.get(sidecar.admin_port, "/listeners")
    return answer is not None and listeners is not None and f":{sidecar.outbound_port}\n".encode() in listeners[1]


def main() -> int:
    supervisor = Supervisor()
    try:
        supervisor.start()
        # `up` has gone; what is said from here on goes to the log.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        supervisor.watch()
        return 0
    except Stopped:
        return 0
    except Exception as failure:
        print(f"error: {failure}", flush=True)
        paths.FAILURE.write_text(f"{failure}\n")
        return 1
    finally:
        supervisor.stop()
