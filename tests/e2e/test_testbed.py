"""The testbed itself: what the other tests rely on."""

import http.client
import json
import math
import time

import pytest
from helpers import audit, envoy
from helpers.routes import destinations, istio, subsets
from helpers.snapshot import assert_same, snapshot
from helpers.space import is_ready, waiting_reasons
from helpers.traffic import Counts, Response
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload, two_versions


def split(host: str, weights: dict[str, int]) -> dict:
    return istio("VirtualService", "web", hosts=[host], http=[{"route": destinations(host, weights)}])


def ask(ip: str, headers: dict[str, str] | None = None, port: int = 8080) -> dict | None:
    """The answer to one request to a pod's own address; None when the connection is refused."""
    connection = http.client.HTTPConnection(ip, port, timeout=5)
    try:
        connection.request("GET", "/path", headers=headers or {})
        return json.loads(connection.getresponse().read())
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


def test_ready_pods_answer_through_both_paths(space, workload):
    web = workload(labels={"version": "v1"})
    for path in ("service", "envoy"):
        with web.traffic(path) as traffic:
            counts = traffic.measure(200)
        counts.assert_no_failures()
        assert counts.versions == {"v1": counts.answered}
        assert counts.pods.keys() == {pod["metadata"]["name"] for pod in space.pods()}


def test_answer_says_who_was_asked_what(space, workload):
    workload(replicas=1)
    pod = space.pods()[0]
    answer = ask(pod["status"]["podIP"], {"X-Test": "yes"})
    assert answer.pop("headers")["x-test"] == "yes"
    assert answer == {
        "pod": pod["metadata"]["name"],
        "namespace": space.name,
        "version": None,
        "image": f"{IMAGE}:v1",
        "ip": pod["status"]["podIP"],
        "method": "GET",
        "path": "/path",
    }


def test_virtual_service_weights_split_requests(space):
    web = two_versions(space, 2, 2)
    with web.traffic("envoy", rate=150) as traffic:
        space.apply(subsets(web.host, "v1", "v2"))
        envoy.wait_for_subsets(web.host, {"v1", "v2"})
        space.apply(split(web.host, {"v1": 75, "v2": 25}))
        envoy.wait_for_weights(web.host, {"v1": 75, "v2": 25})
        traffic.assert_split({"v1": 75, "v2": 25})
        space.apply(split(web.host, {"v1": 0, "v2": 100}))
        envoy.wait_for_weights(web.host, {"v1": 0, "v2": 100})
        traffic.assert_split({"v2": 100}, requests=100)
    traffic.assert_no_failures()


def test_cluster_ip_splits_by_replicas(space):
    web = two_versions(space, 3, 1)
    with web.traffic("service", rate=150) as traffic:
        traffic.assert_split({"v1": 3, "v2": 1})
    traffic.assert_no_failures()


def test_istiod_refuses_a_bad_virtual_service(space):
    bad = split(f"web.{space.name}.svc.cluster.local", {"v1": 0, "v2": 0})
    refused = space.kubectl("create", "--filename", "-", input=json.dumps(bad), check=False)
    assert refused.code == 1
    assert "admission webhook" in refused.err and "total destination weight = 0" in refused.err


def test_start_delay_makes_a_pod_late(space):
    begun = time.monotonic()
    web = Workload(space, replicas=1, start_delay_ms=2500).create(wait=False)
    pod = wait_for("the container to run", lambda: next((p for p in space.pods() if "podIP" in p["status"]), None))
    assert not is_ready(pod)
    assert ask(pod["status"]["podIP"]) is None, "connections are refused until the process listens"
    web.wait_rolled_out()
    assert time.monotonic() - begun >= 2.5
    assert ask(pod["status"]["podIP"])


def test_deleted_pod_serves_through_its_grace_and_is_gone(space, workload):
    workload(replicas=1, drain_ms=3000)
    pod = space.pods()[0]
    name, ip = pod["metadata"]["name"], pod["status"]["podIP"]
    deleted = time.monotonic()
    space.kubectl("delete", "pod", name, "--wait=false")

    def terminating_endpoint():
        slices = space.get("endpointslices")
        endpoints = [e for s in slices for e in s["endpoints"] or [] if ip in e["addresses"]]
        return [e for e in endpoints if e["conditions"]["terminating"]]

    endpoint = wait_for("the endpoint to say terminating", terminating_endpoint)[0]
    assert endpoint["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert ask(ip), "it serves while it drains"
    space.kubectl("wait", f"pod/{name}", "--for=delete", "--timeout=20s")
    assert 3 <= time.monotonic() - deleted < 20
    assert ask(ip) is None, "then connections are refused"


def test_scaling_under_traffic_loses_no_request(space, workload):
    web = workload(replicas=4, labels={"version": "v1"})
    with web.traffic("envoy") as through_envoy, web.traffic("service") as through_service:
        for replicas in (10, 4):
            web.scale(replicas)
            wait_for(f"{replicas} pods", lambda: len(space.pods()) == replicas and len(space.ready_pods()) == replicas)
            for traffic in (through_envoy, through_service):
                # Every pod gets its share, hence all proxies know all of them.
                wait_for(
                    f"{replicas} pods to answer", lambda: len(traffic.counts(time.time() - 1).pods) == replicas
                )
    for traffic in (through_envoy, through_service):
        traffic.assert_no_failures()
        sent = traffic.counts().responses
        assert len(sent) / (sent[-1].sent - sent[0].sent) > 90, "the client kept its pace"


def test_crashing_pod_says_so_and_recovers(space):
    Workload(space, replicas=1, image=f"{IMAGE}:v2-crash").create(wait=False)
    pod = wait_for("a crash", lambda: next((p for p in space.pods() if waiting_reasons(p)), None))
    assert waiting_reasons(pod) == ["CrashLoopBackOff"]
    assert not is_ready(pod)
    assert ask(pod["status"]["podIP"]) is None
    status = pod["status"]["containerStatuses"][0]
    assert status["restartCount"] > 0 and status["lastState"]["terminated"]["exitCode"] == 1


def test_running_pod_can_be_told_to_crash_and_to_recover(space, workload):
    workload(replicas=1)
    name = space.pods()[0]["metadata"]["name"]
    space.kubectl("annotate", "pod", name, "batchrollout.test/crash=true")
    wait_for("the crash", lambda: waiting_reasons(space.get("pod", name)) == ["CrashLoopBackOff"])
    ip = space.get("pod", name)["status"]["podIP"]
    wait_for("refusal", lambda: ask(ip) is None)
    space.kubectl("annotate", "pod", name, "batchrollout.test/crash-")
    space.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=20s")
    assert ask(ip)


def test_pod_crashes_later(space):
    web = Workload(space, replicas=1, annotations={"batchrollout.test/crash-after-ms": "500"}).create()
    wait_for("the crash", lambda: waiting_reasons(space.pods(web.selector)[0]) == ["CrashLoopBackOff"])


def test_pull_error_says_so(space):
    Workload(space, replicas=1, image=f"{IMAGE}:v2-nopull").create(wait=False)
    pod = wait_for("the reason", lambda: next((p for p in space.pods() if waiting_reasons(p)), None))
    assert waiting_reasons(pod) == ["ImagePullBackOff"]
    assert pod["status"]["phase"] == "Pending"


def test_pod_that_cannot_be_scheduled_says_so(space):
    web = Workload(space, replicas=1)
    deployment = web.deployment()
    deployment["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "5000"}}
    space.apply(deployment)

    def unschedulable():
        conditions = [c for p in space.pods() for c in p["status"].get("conditions", [])]
        return [c for c in conditions if c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable"]

    assert "Insufficient cpu" in wait_for("the reason", unschedulable)[0]["message"]


def test_readiness_can_be_taken_and_given_back(space, workload):
    workload(replicas=1)
    name = space.pods()[0]["metadata"]["name"]
    space.kubectl("annotate", "pod", name, "batchrollout.test/not-ready=true")
    space.kubectl("wait", f"pod/{name}", "--for=condition=Ready=False", "--timeout=20s")
    space.kubectl("annotate", "pod", name, "batchrollout.test/not-ready-")
    space.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=20s")


def test_slow_and_failing_pods(space, workload):
    web = workload(replicas=1, image=f"{IMAGE}:v2-slow300-fail25")
    with web.traffic("service", rate=40) as traffic:
        counts = traffic.measure(80)
    assert 15 <= len(counts.failures) <= 25
    assert all(r.status == 500 for r in counts.failures)
    assert all(r.took >= 0.3 for r in counts.responses)


def test_deviation_is_in_standard_deviations():
    def counts(**numbers: int) -> Counts:
        return Counts([Response(0, 0, 200, v, "pod", None) for v, n in numbers.items() for _ in range(n)])

    assert counts(v1=75, v2=25).deviation({"v1": 3, "v2": 1}) == 0
    # sqrt(100 * 0.5 * 0.5) = 5
    assert counts(v1=60, v2=40).deviation({"v1": 1, "v2": 1}) == 2
    assert counts(v1=100).deviation({"v1": 100, "v2": 0}) == 0
    assert counts(v1=99, v2=1).deviation({"v1": 100}) == math.inf
    assert counts(v2=100).deviation({"v1": 100}) == math.inf


def test_service_account_with_few_rights(space, tmp_path):
    reader = space.service_account("reader", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}], tmp_path)
    assert reader.kubectl("get", "pods").code == 0
    refused = reader.kubectl("get", "services", check=False)
    assert "forbidden" in refused.err and f"system:serviceaccount:{space.name}:reader" in refused.err


def test_snapshot_sees_changes_that_matter_only(space, workload):
    web = workload(replicas=2)
    before = snapshot(space)
    space.kubectl("rollout", "restart", "deployment/web")
    web.wait_rolled_out()
    with pytest.raises(AssertionError, match="kubectl.kubernetes.io/restartedAt"):
        assert_same(before, snapshot(space))
    assert_same(before, before)


def test_audit_log_shows_writes(space, workload):
    place = audit.mark()
    workload(replicas=2)
    space.kubectl("scale", "--replicas=1", "deployment/web")
    seen = [(w.verb, w.resource, w.name, w.code) for w in audit.writes(space.name, place, user_agent="kubectl/")]
    assert ("create", "services", "web", 201) in seen
    assert ("patch", "deployments/scale", "web", 200) in seen
