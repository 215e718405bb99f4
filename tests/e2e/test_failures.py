"""When something goes wrong: pods that cannot start, people who interfere, tools that are stopped, rights that miss."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from helpers import audit
from helpers.restored import assert_restored
from helpers.side_by_side import Runs, side_by_side
from helpers.snapshot import snapshot
from helpers.space import Object, Space
from helpers.untouched import nothing_written
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

NEW = ("--image", f"{IMAGE}:v2")
FAST = ("--settle", "0", "--batches", "2")


def status(space: Space) -> Object:
    return space.plugin("status", "web", "-o", "json", check=True).json()["status"]


def where(space: Space) -> tuple[str, int]:
    now = status(space)
    return now["phase"], now["batch"]


def stuck(space: Space, **options: int) -> tuple[str, str]:
    """A new version whose pods do not get ready before they are told to, which makes a wait of any length."""
    annotations = {"batchrollout.test/not-ready": "true"}
    file = space.kubeconfig.with_name("stuck.json")
    file.write_text(json.dumps(Workload(space, image=f"{IMAGE}:v2", annotations=annotations, **options).deployment()))
    return "-f", str(file)


def heal_while_running(space: Space, *args: str) -> None:
    """The plugin, while all pods of the new version get ready after all, whenever they come."""
    process = space.start_plugin(*args)
    deadline = time.monotonic() + 60
    while process.poll() is None:
        assert time.monotonic() < deadline, f"{args} does not end"
        for pod in space.pods("version=v2"):
            # It may be gone by now.
            space.kubectl("annotate", "pod", pod["metadata"]["name"], "batchrollout.test/not-ready-", check=False)
    out, err = process.communicate()
    assert process.returncode == 0, out + err


def start_stuck(space: Space, *flags: str) -> subprocess.Popen[str]:
    """A start that waits for its canary."""
    process = space.start_plugin("start", "web", *stuck(space), *FAST, *flags)
    wait_for("the canary's pods", lambda: space.exists("deployment", "web-v2") and space.pods("version=v2"))
    return process


def ended(process: subprocess.Popen[str], timeout: float = 30) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


# --- pods that cannot start -----------------------------------------------------------------------------------------


def image(tag: str) -> Callable[[Space], tuple[str, ...]]:
    return lambda _: ("--image", f"{IMAGE}:{tag}")


def too_large(space: Space) -> tuple[str, ...]:
    new = Workload(space, image=f"{IMAGE}:v2").deployment()
    new["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "5000"}}
    file = space.kubeconfig.with_suffix(".large.json")
    file.write_text(json.dumps(new))
    return "-f", str(file), "--force"


# What is wrong with the new version, how it is asked for, and what is said of its pod.
BROKEN: dict[str, tuple[Callable[[Space], tuple[str, ...]], str, str]] = {
    "no image": (image("v2-nopull"), "ImagePullBackOff", ""),
    "crash": (image("v2-crash"), "CrashLoopBackOff", ""),
    "too large": (too_large, "Unschedulable", "Insufficient cpu"),
}
# As many as run at a time.
CANNOT_START = ("no image, replicas", "no image, istio", "crash, replicas", "crash, istio", "too large, replicas")
# As long as the start of a pod, and what becomes of it, takes at the very most on a busy machine.
LONG = 20


def start_broken(case: str, space: Space, _: Space) -> None:
    Workload(space, replicas=2).create()
    before = snapshot(space)
    what, traffic = case.split(", ")
    version, word, detail = BROKEN[what]
    reason = f"{word}: pod/web-v2-"
    begun = time.monotonic()
    process = space.start_plugin(
        "start", "web", *version(space), "--version", "v2", *FAST, "--timeout", f"{LONG}s", "--traffic", traffic
    )
    assert process.stderr
    shown = next((line for line in process.stderr if line.startswith(reason)), None)
    assert shown and detail in shown, "the reason was not shown while it waited"
    assert process.poll() is None, "the reason is shown at once, not at the end"
    code, _, err = ended(process)
    assert code == 4 and time.monotonic() - begun >= LONG
    assert f"error: timed out after {LONG}s waiting until 1 pod of deployment.apps/web-v2 is Ready" in err
    assert word in err and detail in err, "the reason is said again at the end"
    assert "go back:  kubectl batchrollout abort web" in err
    assert_failed(space, reason)
    space.plugin("abort", "web", check=True)
    assert where(space)[0] == "Aborted"
    assert_restored(before, space)


def assert_failed(space: Space, reason: str) -> None:
    """Before the first batch, for that reason."""
    now = status(space)
    assert (now["phase"], now["batch"]) == ("Failed", 0)
    failed = next(c for c in now["conditions"] if c["type"] == "Failed")
    assert failed["status"] == "True" and reason.split(":")[0] in failed["message"]
    people = space.plugin("status", "web", check=True).out
    assert "failed on the way to batch 1 of 2" in people and reason in people
    assert len(space.ready_pods("app=web")) == 2, "the old version serves as before"


@pytest.fixture(scope="module")
def broken(
    cluster: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    test, directory = "test_pod_that_cannot_start", tmp_path_factory.mktemp("broken")
    with side_by_side(request, test, directory, start_broken) as runs:
        yield runs


@pytest.mark.parametrize("case", CANNOT_START)
def test_pod_that_cannot_start(broken: Runs, case: str):
    broken[case].result()


def test_quota_and_retry_when_the_cause_is_gone(space, workload):
    workload(replicas=2)
    space.kubectl("create", "quota", "few", "--hard=pods=2")
    wait_for("the quota", lambda: space.get("quota", "few").get("status", {}).get("used", {}).get("pods") == "2")
    done = space.plugin("start", "web", *NEW, *FAST, "--timeout", "12s", "--force")
    assert done.code == 4
    assert "exceeded quota: few" in done.err
    again = space.plugin("next", "web")
    assert again.code == 4 and where(space) == ("Failed", 0), "the same batch, not the one after it"

    raise_it = {"spec": {"hard": {"pods": "10"}}}
    space.kubectl("patch", "quota", "few", "--patch", json.dumps(raise_it))
    wait_for("the quota", lambda: space.get("quota", "few")["status"]["hard"]["pods"] == "10")
    # The ReplicaSet controller tries again after a while of its own, which grows: have it look now.
    replica_set = space.get("replicasets", "--selector", "version=v2")[0]["metadata"]["name"]
    space.kubectl("annotate", "replicaset", replica_set, "look=again")
    wait_for("the batch", lambda: space.plugin("next", "web").code == 0)
    assert where(space) == ("Paused", 1)
    space.plugin("next", "web", check=True)
    assert where(space) == ("Completed", 2)


def test_abort_never_waits_for_the_canary(space, workload):
    """A canary of which no pod gets ready, whose pods take longer to go than the abort has time, holds nothing up."""
    workload(replicas=2)
    assert space.plugin("start", "web", *stuck(space, drain_ms=20_000), *FAST, "--timeout", "8s").code == 4
    space.plugin("abort", "web", check=True)
    assert space.pods("version=v2"), "still on their way out"
    assert where(space)[0] == "Aborted"


def test_canary_that_breaks_while_paused(space, workload):
    workload(replicas=4, mesh=True)
    before = snapshot(space)
    space.plugin("start", "web", *NEW, *FAST, check=True)
    for pod in space.pods("version=v2"):
        space.kubectl("annotate", "pod", pod["metadata"]["name"], "batchrollout.test/crash=true")
    wait_for("the crash", lambda: status(space)["canary"]["ready"] == 0)
    assert "CrashLoopBackOff: pod/web-v2-" in space.plugin("status", "web", check=True).out
    space.plugin("abort", "web", check=True)
    assert_restored(before, space)


# --- tools that are stopped -----------------------------------------------------------------------------------------


def waits_to_settle(space: Space) -> subprocess.Popen[str]:
    process = space.start_plugin("start", "web", *NEW, "--settle", "3s", "--batches", "2", "--traffic", "istio")
    wait_for("the subsets", lambda: space.exists("destinationrule", "batchrollout-web"))
    return process


def waits_in_an_abort(space: Space) -> subprocess.Popen[str]:
    """For stable's pods, of which the quota allows no more."""
    space.plugin("start", "web", *NEW, *FAST, check=True)
    wait_for("the old pod to be gone", lambda: len(space.pods()) == 2)
    space.kubectl("create", "quota", "few", "--hard=pods=2")
    wait_for("the quota", lambda: space.get("quota", "few").get("status", {}).get("used", {}).get("pods") == "2")
    process = space.start_plugin("abort", "web")
    wait_for("the abort", lambda: space.get("deployment", "web")["spec"]["replicas"] == 2)
    return process


WAITS: dict[str, Callable[[Space], subprocess.Popen[str]]] = {
    "for pods": start_stuck,
    "to settle": waits_to_settle,
    "in an abort": waits_in_an_abort,
}


@pytest.mark.parametrize(
    "wait, number", [*((wait, signal.SIGINT) for wait in WAITS), ("for pods", signal.SIGTERM), ("for pods", signal.SIGHUP)]
)
def test_interrupt_stops_the_tool_not_the_release(space, workload, wait, number):
    workload(replicas=2)
    before = snapshot(space)
    process = WAITS[wait](space)
    wait_for("the wait", lambda: status(space)["phase"] == "Progressing")
    begun = time.monotonic()
    process.send_signal(number)
    code, _, err = ended(process)
    assert time.monotonic() - begun < 10
    assert code == 130, err
    assert "stopped; the release stays where it is, and nothing is lost" in err
    assert "go back:  kubectl batchrollout abort web" in err
    assert ("go on:    kubectl batchrollout next web" in err) == (wait != "in an abort")
    assert "interrupted" in err.splitlines()[-1]

    # Nobody holds it now: no waiting for a sign of life.
    now = status(space)
    assert now["phase"] == "Progressing"
    assert any("driven by nobody" in c["message"] for c in now["conditions"])
    if wait == "for pods":
        heal_while_running(space, "next", "web")
        assert where(space) == ("Paused", 1)
    elif wait == "to settle":
        space.plugin("next", "web", check=True)
        assert where(space) == ("Paused", 1)
    else:
        space.kubectl("delete", "quota", "few")
    space.plugin("abort", "web", "--now", check=True)
    assert where(space)[0] == "Aborted"
    wait_for("the old pods", lambda: len(space.ready_pods("app=web")) == 2)
    assert_restored(before, space)


def test_second_next_names_the_holder(space, workload):
    workload(replicas=2)
    first = start_stuck(space)
    whoami = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    place = audit.mark()
    second = space.plugin("next", "web")
    assert second.code == 5
    assert second.err.startswith(f'error: the release of service "web" is being driven by {whoami}@')
    assert f" (start); wait for it, or `kubectl batchrollout abort web -n {space.name}`" in second.err
    agent = [write for write in audit.writes(space.name, place) if write.resource != "configmaps"]
    assert agent == []
    assert f"driven by: {whoami}@" in space.plugin("status", "web", check=True).out
    first.kill()
    first.wait()


def test_next_after_kill_goes_on_with_the_same_batch(space, workload):
    """And at once: on the same machine the holder is seen to be gone."""
    workload(replicas=4)
    space.plugin("start", "web", *NEW, "--settle", "0", "--batches", "4", check=True)
    for _ in range(3):
        process = space.start_plugin("next", "web")
        wait_for("batch 2", lambda: space.get("deployment", "web-v2")["spec"]["replicas"] == 2, poll=0.01)
        process.kill()
        process.wait()
        if where(space) != ("Progressing", 1):
            assert where(space) == ("Paused", 2), "it was faster than its killer"
            break
        space.kubectl("scale", "deployment/web-v2", "--replicas=1")
    else:
        begun = time.monotonic()
        space.plugin("next", "web", check=True)
        assert time.monotonic() - begun < 10
        assert where(space) == ("Paused", 2)
    space.plugin("next", "web", "--all", check=True)
    assert where(space) == ("Completed", 4)


def test_abort_while_a_start_runs(space, workload):
    workload(replicas=2, mesh=True)
    before = snapshot(space)
    first = start_stuck(space)
    aborted = space.plugin("abort", "web", check=True)
    code, out, err = ended(first)
    assert code == 5, out + err
    assert "has taken this release over (abort)" in err
    assert "aborted, deployment.apps/web runs v1 as before" in aborted.out
    assert_restored(before, space)


def test_two_starts_at_the_same_moment(space, workload):
    workload(replicas=2)
    processes = [space.start_plugin("start", "web", *NEW, *FAST) for _ in range(4)]
    codes = sorted(ended(process)[0] for process in processes)
    assert codes == [0, 5, 5, 5]
    assert where(space) == ("Paused", 1)


# --- somebody else's changes ----------------------------------------------------------------------------------------


def scaled(space: Space) -> None:
    space.kubectl("scale", "deployment/web", "--replicas=7")


def edited(space: Space) -> None:
    space.kubectl("set", "env", "deployment/web", "A=b")


def deleted(space: Space) -> None:
    space.kubectl("delete", "deployment", "web")


def copy_edited(space: Space) -> None:
    space.kubectl("set", "env", "deployment/web-v2", "A=b")


FOREIGN: dict[str, tuple[Callable[[Space], None], str]] = {
    "scaled": (
        scaled,
        "deployment.apps/web was scaled to 7 by somebody else during the release; scale it back to 4, or `kubectl "
        "batchrollout abort web -n NAMESPACE`",
    ),
    "edited": (
        edited,
        "the pod template of deployment.apps/web was changed by somebody else during the release; take that change "
        "back, or `kubectl batchrollout abort web -n NAMESPACE`",
    ),
    "deleted": (
        deleted,
        "deployment.apps/web is gone: somebody deleted it; `kubectl batchrollout abort web -n NAMESPACE` makes it again",
    ),
    "copy edited": (
        copy_edited,
        "the pod template of deployment.apps/web-v2, which has the new version, was changed by somebody else during the "
        "release; take that change back, or `kubectl batchrollout abort web -n NAMESPACE`",
    ),
}


@pytest.mark.parametrize("change", FOREIGN)
def test_change_by_somebody_else(space, workload, change):
    workload(replicas=4)
    space.plugin("start", "web", *NEW, *FAST, check=True)
    interfere, message = FOREIGN[change]
    interfere(space)
    specs = {d["metadata"]["name"]: d["spec"] for d in space.get("deployments")}
    done = space.plugin("next", "web")
    assert done.code == 6, str(done)
    assert done.err.splitlines()[-1] == "error: " + message.replace("NAMESPACE", space.name)
    assert {d["metadata"]["name"]: d["spec"] for d in space.get("deployments")} == specs, "nothing was overwritten"
    assert where(space) == ("Failed", 1)


def test_deleted_deployment_is_made_again(space, workload):
    workload(replicas=4)
    before = space.get("deployment", "web")["spec"]
    space.plugin("start", "web", *NEW, *FAST, check=True)
    deleted(space)
    space.plugin("abort", "web", check=True)
    assert space.get("deployment", "web")["spec"] == before
    assert not space.exists("deployment", "web-v2")
    assert len(space.ready_pods("app=web")) >= 4


def test_changed_since_its_end(space, workload):
    """The version before is not what somebody would have back who has changed the Deployment since."""
    workload(replicas=2)
    space.plugin("start", "web", *NEW, *FAST, "--pause", "none", check=True)
    edited(space)
    space.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    with nothing_written(space):
        done = space.plugin("abort", "web")
    assert done.code == 6, str(done)
    assert "deployment.apps/web does not run v2 any more" in done.err and "undo web" in done.err
    space.plugin("undo", "web", "--to-revision", "1", "--now", check=True)


def test_scaled_back(space, workload):
    workload(replicas=4)
    space.plugin("start", "web", *NEW, *FAST, check=True)
    scaled(space)
    assert space.plugin("next", "web").code == 6
    space.kubectl("scale", "deployment/web", "--replicas=4")
    space.plugin("next", "web", check=True)
    assert where(space) == ("Completed", 2)


def test_route_edited_by_somebody_else(space, workload):
    """What is not ours is kept; where the weights themselves were changed, it stops instead of overwriting them."""
    workload(replicas=4)
    route = [{"destination": {"host": "web"}}]
    front = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "front"},
        "spec": {"hosts": ["web"], "http": [{"name": "main", "route": route}]},
    }
    space.apply(front)
    space.plugin("start", "web", *NEW, *FAST, check=True)

    def patch(*operations: Object) -> None:
        space.kubectl("patch", "virtualservice", "front", "--type=json", "--patch", json.dumps(operations))

    patch({"op": "add", "path": "/spec/http/0/timeout", "value": "9s"})
    patch({"op": "add", "path": "/metadata/labels", "value": {"team": "shop"}})
    destinations = space.get("virtualservice", "front")["spec"]["http"][0]["route"]
    assert [d["weight"] for d in destinations] == [50, 50]
    patch({"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 77})
    done = space.plugin("next", "web")
    assert done.code == 6, str(done)
    assert "virtualservice.networking.istio.io/front" in done.err
    now = space.get("virtualservice", "front")["spec"]["http"][0]
    assert [d["weight"] for d in now["route"]] == [77, 50] and now["timeout"] == "9s"

    patch({"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 50})
    space.plugin("next", "web", check=True)
    assert where(space) == ("Completed", 2)
    now = space.get("virtualservice", "front")
    assert now["spec"]["http"] == [{"name": "main", "timeout": "9s", "route": route}]
    assert now["metadata"]["labels"] == {"team": "shop"}


def test_record_deleted_by_somebody_else(space, workload):
    workload(replicas=2)
    first = start_stuck(space)
    space.kubectl("delete", "configmap", "batchrollout-web")
    code, _, err = ended(first)
    assert code == 6
    assert "the record configmap/batchrollout-web is gone: somebody deleted it" in err
    assert not space.exists("configmap", "batchrollout-web")


# --- rights ---------------------------------------------------------------------------------------------------------

READ = ["get", "list", "watch"]
ALL_RIGHTS: dict[str, tuple[str, str, list[str]]] = {
    "services": ("", "services", READ),
    "deployments": ("apps", "deployments", [*READ, "create", "patch", "delete"]),
    "replicasets": ("apps", "replicasets", [*READ, "patch"]),
    "pods": ("", "pods", [*READ, "patch"]),
    "endpointslices": ("discovery.k8s.io", "endpointslices", READ),
    "configmaps": ("", "configmaps", [*READ, "create", "patch", "update"]),
    "autoscalers": ("autoscaling", "horizontalpodautoscalers", READ),
    "virtualservices": ("networking.istio.io", "virtualservices", [*READ, "create", "patch", "delete"]),
    "destinationrules": ("networking.istio.io", "destinationrules", [*READ, "create", "patch", "delete"]),
}


def rules(without: str = "") -> list[Object]:
    """All the rights that a release needs but one, "deployments:create"."""
    missing, _, verb = without.partition(":")
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": [v for v in verbs if (key, v) != (missing, verb)]}
        for key, (group, resource, verbs) in ALL_RIGHTS.items()
        if key != missing or verb
    ]


def test_namespaced_rights_are_enough(space, workload, tmp_path):
    workload(replicas=2, mesh=True)
    before = snapshot(space)
    user = space.service_account("releaser", rules(), tmp_path)
    user.plugin("start", "web", *NEW, *FAST, check=True)
    user.plugin("abort", "web", check=True)
    assert_restored(before, space)
    done = user.plugin("start", "web", *NEW, *FAST, check=True)
    assert 'may not list virtualservices in all namespaces: only those in' in done.err
    user.plugin("next", "web", check=True)
    assert where(space) == ("Completed", 2)


@pytest.mark.parametrize(
    "right, verb, resource",
    [
        ("services", "list", "services"),
        ("deployments", "list", "deployments"),
        ("configmaps:create", "create", "configmaps"),
        ("deployments:create", "create", "deployments"),
        ("deployments:patch", "patch", "deployments"),
        ("replicasets:patch", "patch", "replicasets"),
        ("pods:patch", "patch", "pods"),
        ("virtualservices:create", "create", "virtualservices"),
        ("endpointslices", "list", "endpointslices"),
    ],
)
def test_missing_right_is_named(space, workload, tmp_path, right, verb, resource):
    workload(replicas=2, mesh=True)
    before = snapshot(space)
    user = space.service_account("releaser", rules(right), tmp_path)
    done = user.plugin("start", "web", *NEW, *FAST)
    assert done.code == 1, str(done)
    line = done.err.splitlines()[-1]
    assert line.startswith("Error from server (Forbidden): ")
    assert f'cannot {verb} resource "{resource}"' in line
    # Somebody with the right takes it back, or goes on.
    if space.exists("configmap", "batchrollout-web"):
        assert where(space) == ("Failed", 0)
        space.plugin("abort", "web", check=True)
    assert_restored(before, space)


def test_user_without_any_right(space, workload, tmp_path):
    workload(replicas=1)
    user = space.service_account("guest", [], tmp_path)
    done = user.plugin("start", "web", *NEW)
    assert done.code == 1
    name = f"system:serviceaccount:{space.name}:guest"
    assert done.err.startswith("Error from server (Forbidden): ") and f'User "{name}" cannot list resource "' in done.err
