"""How a release is described and shown: traffic modes, files, steps, pauses, the formats that scripts read."""

import json

import pytest
import yaml
from helpers.space import Object, Result, Space
from helpers.untouched import nothing_written
from helpers.workload import IMAGE, Workload

NEW = ("--image", f"{IMAGE}:v2")
FAST = ("--settle", "0")

NO_SIDECAR = "no sidecar in the pods, and no VirtualService routes to the Service"


def start(space: Space, *args: str, input: str | None = None) -> Result:
    return space.plugin("start", "web", *args, *FAST, input=input, check=True)


def status(space: Space) -> Object:
    return space.plugin("status", "web", "-o", "json", check=True).json()


def where(space: Space) -> tuple[str, int]:
    now = status(space)["status"]
    return now["phase"], now["batch"]


def scales(space: Space) -> dict[str, int]:
    return {d["metadata"]["name"]: d["spec"]["replicas"] for d in space.get("deployments")}


# --- how traffic is split -------------------------------------------------------------------------------------------


def virtual_service(host: str) -> Object:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "front"},
        "spec": {"hosts": [host], "http": [{"route": [{"destination": {"host": host}}]}]},
    }


def assert_split_by(space: Space, mode: str, reason: str, *flags: str) -> None:
    words = {"istio": "Istio weights", "replicas": "the ratio of replicas"}
    line = f"traffic is split by {words[mode]}: {reason}"
    shown = space.plugin("plan", "web", *NEW, *flags, check=True)
    assert shown.out.splitlines()[1] == line
    started = start(space, *NEW, "--batches", "1", "--pause", "each", "--hold", *flags)
    assert line in started.err.splitlines()
    assert status(space)["status"]["traffic"] == mode
    own = space.exists("virtualservice", "batchrollout-web") or space.exists("destinationrule", "batchrollout-web")
    assert own == (mode == "istio")
    space.plugin("abort", "web", check=True)


def test_detects_label_of_the_pods(space, workload):
    workload(replicas=1, mesh=True)
    assert_split_by(space, "istio", "the pods are labeled sidecar.istio.io/inject=true")
    assert_split_by(space, "replicas", "as --traffic says", "--traffic", "replicas")


@pytest.mark.parametrize("label", ["istio-injection=enabled", "istio.io/rev=stable"])
def test_detects_label_of_the_namespace(space, workload, label):
    space.kubectl("label", "namespace", space.name, label)
    workload(replicas=1)
    name = label if label.startswith("istio-injection") else "istio.io/rev"
    assert_split_by(space, "istio", f"the namespace is labeled {name}")


def test_pods_that_opt_out_have_no_sidecar(space, workload):
    space.kubectl("label", "namespace", space.name, "istio-injection=enabled")
    workload(replicas=1, labels={"sidecar.istio.io/inject": "false"})
    assert_split_by(space, "replicas", NO_SIDECAR)


@pytest.mark.parametrize("host", ["web", "web.{namespace}.svc.cluster.local"])
def test_detects_virtual_service(space, workload, host):
    workload(replicas=1)
    space.apply(virtual_service(host.format(namespace=space.name)))
    assert_split_by(space, "istio", "virtualservice/front routes to the Service")


def test_without_signs_of_istio(space, workload):
    workload(replicas=1)
    assert_split_by(space, "replicas", NO_SIDECAR)
    assert_split_by(space, "istio", "as --traffic says", "--traffic", "istio")


# --- what is released -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["yaml", "json", "stdin", "several documents"])
def test_template_from_a_file(space, workload, tmp_path, form):
    web = workload(replicas=2)
    deployment = Workload(space, replicas=7, image=f"{IMAGE}:v2").deployment()
    deployment["spec"]["template"]["metadata"]["annotations"] = {"note": "from the file"}
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 7
    text = yaml.safe_dump(deployment)
    if form == "json":
        text = json.dumps(deployment)
    if form == "several documents":
        text = yaml.safe_dump_all([web.service(), deployment, {"kind": "List", "apiVersion": "v1", "items": []}])
    file = tmp_path / "web.manifest"
    file.write_text(text)
    start(space, "-f", "-" if form == "stdin" else str(file), "--batches", "2", input=text if form == "stdin" else None)

    canary = space.get("deployment", "web-v2")["spec"]
    assert canary["replicas"] == 1, "the file's replicas are not what is released"
    assert canary["selector"] == {"matchLabels": {"app": "web", "version": "v2"}}
    assert canary["template"]["metadata"]["labels"] == {"app": "web", "version": "v2"}
    assert canary["template"]["metadata"]["annotations"] == {"note": "from the file"}
    assert canary["template"]["spec"]["terminationGracePeriodSeconds"] == 7
    space.plugin("next", "web", check=True)
    spec = space.get("deployment", "web")["spec"]
    assert spec["replicas"] == 2
    assert spec["template"]["metadata"]["labels"] == {"app": "web", "version": "v2"}
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 7


def test_version_label_that_is_there_already(space):
    """Then there is nothing to tag, and the released Deployment has the new version's label."""
    Workload(space, replicas=2, labels={"version": "blue"}).create()
    sets = space.get("replicasets")
    done = start(space, *NEW, "--batches", "2")
    assert "labeled" not in done.out and "paused, " not in done.out
    spec = status(space)["spec"]
    assert (spec["stableVersion"], spec["version"]) == ("blue", "v2")
    old = space.get("replicaset", sets[0]["metadata"]["name"])
    assert old["metadata"]["labels"] == sets[0]["metadata"]["labels"]
    assert old["spec"]["template"] == sets[0]["spec"]["template"]
    space.plugin("next", "web", check=True)
    assert space.get("deployment", "web")["spec"]["template"]["metadata"]["labels"] == {"app": "web", "version": "v2"}


def test_version_by_flag(space, workload):
    workload(replicas=1)
    start(space, "--image", f"web={IMAGE}:v2", "--version", "Green_1", "--batches", "1", "--hold")
    assert scales(space) == {"web": 0, "web-green-1": 1}
    canary = space.get("deployment", "web-green-1")
    assert canary["spec"]["template"]["metadata"]["labels"]["version"] == "Green_1"
    assert canary["metadata"]["labels"]["app"] == "web", "the copy has the labels of the Deployment"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in canary["metadata"].get("annotations", {})


# --- batches and pauses ---------------------------------------------------------------------------------------------


def test_steps_with_weights_of_their_own(space, workload):
    workload(replicas=4, mesh=True)
    start(space, *NEW, "--steps", "1@5%,50%,3@90%,100%")
    assert status(space)["spec"]["batches"] == [
        {"canary": 1, "stable": 4, "weight": 5},
        {"canary": 2, "stable": 2, "weight": 50},
        {"canary": 3, "stable": 1, "weight": 90},
        {"canary": 4, "stable": 0, "weight": 100},
    ]
    seen = []
    for _ in range(3):
        now = status(space)["status"]
        route = space.get("virtualservice", "batchrollout-web")["spec"]["http"][0]["route"]
        weights = {r["destination"]["subset"]: r.get("weight", 0) for r in route}
        seen.append((scales(space), list(weights.values())))
        assert now["canary"]["weight"] == weights["batchrollout-canary"]
        assert now["stable"]["weight"] == weights["batchrollout-stable"]
        space.plugin("next", "web", check=True)
    assert seen == [
        ({"web": 4, "web-v2": 1}, [95, 5]),
        ({"web": 2, "web-v2": 2}, [50, 50]),
        ({"web": 1, "web-v2": 3}, [10, 90]),
    ]
    assert where(space) == ("Completed", 4)


@pytest.mark.parametrize("traffic", ["replicas", "istio"])
def test_keep_stable(space, workload, traffic):
    workload(replicas=4)
    start(space, *NEW, "--batches", "2", "--keep-stable", "--traffic", traffic, "--hold")
    assert scales(space) == {"web": 4, "web-v2": 2}
    assert status(space)["status"]["canary"]["weight"] == (33 if traffic == "replicas" else 50)
    space.plugin("next", "web", check=True)
    assert scales(space) == {"web": 4, "web-v2": 4}
    space.plugin("next", "web", check=True)
    assert scales(space) == {"web": 4}
    assert where(space) == ("Completed", 2)


def test_pause_none(space, workload):
    workload(replicas=2)
    done = start(space, *NEW, "--batches", "2", "--pause", "none")
    assert "release of service web: completed, deployment.apps/web runs v2" in done.out
    assert where(space) == ("Completed", 2)


def test_pause_first(space, workload):
    workload(replicas=3)
    start(space, *NEW, "--batches", "3", "--pause", "first")
    assert where(space) == ("Paused", 1)
    space.plugin("next", "web", check=True)
    assert where(space) == ("Completed", 3)


def test_next_to_and_all(space, workload):
    workload(replicas=4)
    start(space, *NEW, "--batches", "4")
    for wrong, message in {
        "1": "--to 1: the release is at batch 1 of 4; the next is 2",
        "5": "--to 5: the release is at batch 1 of 4; the next is 2",
        "0": '--to: "0" is not a whole number from 1 to 100',
    }.items():
        with nothing_written(space):
            done = space.plugin("next", "web", "--to", wrong)
        assert (done.code, done.err.splitlines()[0]) == (2, f"error: {message}")
    with nothing_written(space):
        assert space.plugin("next", "web", "--to", "2", "--all").code == 2
    space.plugin("next", "web", "--to", "3", check=True)
    assert where(space) == ("Paused", 3)
    assert scales(space) == {"web": 1, "web-v2": 3}
    space.plugin("next", "svc/web", "--all", check=True)
    assert where(space) == ("Completed", 4)


def test_hold(space, workload):
    """At 100 %, before the Deployment itself gets the new version, the last look can be taken."""
    workload(replicas=2)
    start(space, *NEW, "--batches", "2", "--hold", "--pause", "none")
    assert where(space) == ("Paused", 2)
    assert scales(space) == {"web": 0, "web-v2": 2}
    assert space.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"] == f"{IMAGE}:v1"
    space.plugin("next", "web", check=True)
    assert where(space) == ("Completed", 2)
    assert scales(space) == {"web": 2}


def test_next_and_abort_where_there_is_nothing_to_do(space, workload):
    workload(replicas=1)
    for verb in ("next", "abort", "status"):
        with nothing_written(space):
            done = space.plugin(verb, "web")
        assert done.code == 1 and done.out == ""
        assert done.err.startswith("error: ") and "web" in done.err and "start" in done.err, done.err
    start(space, *NEW, "--batches", "1")
    with nothing_written(space):
        done = space.plugin("next", "web")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        'error: the release of service "web" to v2 is completed: there is no batch to go on with\n'
    )


def test_abort_twice(space, workload):
    workload(replicas=2)
    start(space, *NEW, "--batches", "2")
    first = space.plugin("abort", "web", check=True)
    with nothing_written(space):
        second = space.plugin("abort", "web", check=True)
    line = "release of service web: aborted, deployment.apps/web runs v1 as before"
    assert line in first.out.splitlines() and second.out == line + "\n"
    # And the next release goes as if there had been none.
    start(space, *NEW, "--batches", "1")
    assert where(space) == ("Completed", 1)


def test_abort_after_the_end_brings_the_old_version_back(space, workload):
    workload(replicas=2)
    start(space, *NEW, "--batches", "1")
    space.plugin("abort", "web", check=True)
    spec = space.get("deployment", "web")["spec"]
    assert spec["template"]["spec"]["containers"][0]["image"] == f"{IMAGE}:v1"
    assert spec["template"]["metadata"]["labels"] == {"app": "web"}
    assert where(space)[0] == "Aborted"


# --- what scripts read ----------------------------------------------------------------------------------------------


def test_status_as_json(space, workload):
    workload(replicas=4, mesh=True)
    start(space, *NEW, "--batches", "2")
    release = status(space)
    started = release["status"].pop("startedAt")
    assert len(started) == len("2026-01-01T00:00:00Z") and started.endswith("Z")
    conditions = release["status"].pop("conditions")
    assert {c["type"]: c["status"] for c in conditions} == {
        "Progressing": "False",
        "Failed": "False",
        "ChangedByOthers": "False",
    }
    assert all(c.keys() == {"type", "status", "reason", "message"} for c in conditions)
    assert release == {
        "apiVersion": "batchrollout/v1",
        "kind": "Release",
        "metadata": {"name": "web", "namespace": space.name},
        "spec": {
            "service": "web",
            "deployment": "web",
            "canaryDeployment": "web-v2",
            "stableVersion": "v1",
            "version": "v2",
            "replicas": 4,
            "askedBatches": "2",
            "batches": [
                {"canary": 2, "stable": 2, "weight": 50},
                {"canary": 4, "stable": 0, "weight": 100},
            ],
            "traffic": "istio",
            "clusterDomain": "cluster.local",
            "sticky": False,
            "pause": "each",
            "handover": "takeover",
            "hpa": "freeze",
            "settleMilliseconds": 0,
            "timeoutMilliseconds": 600000,
            "keepStable": False,
            "hold": False,
        },
        "status": {
            "phase": "Paused",
            "batch": 1,
            "batches": 2,
            "traffic": "istio",
            "stable": {"deployment": "web", "version": "v1", "replicas": 2, "ready": 2, "weight": 50},
            "canary": {"deployment": "web-v2", "version": "v2", "replicas": 2, "ready": 2, "weight": 50},
        },
    }
    as_yaml = yaml.safe_load(space.plugin("status", "web", "-o", "yaml", check=True).out)
    as_yaml["status"].pop("startedAt"), as_yaml["status"].pop("conditions")
    assert as_yaml == release
    assert space.plugin("status", "web", "-o", "name", check=True).out == "release.batchrollout/web\n"
    wrong = space.plugin("status", "web", "-o", "xml")
    assert wrong.code == 2 and "allowed formats are" in wrong.err


def test_status_for_people(space, workload):
    workload(replicas=4, mesh=True)
    start(space, *NEW, "--batches", "2")
    assert space.plugin("status", "web", check=True).out == (
        "release of service web to v2: paused at batch 1 of 2\n"
        "\n"
        "ROLE     DEPLOYMENT   VERSION   READY   REPLICAS   WEIGHT\n"
        "stable   web          v1        2       2          50%\n"
        "canary   web-v2       v2        2       2          50%\n"
        "\n"
        "go on:    kubectl batchrollout next web\n"
        "go back:  kubectl batchrollout abort web\n"
    )
    hint = space.plugin("status", "web", "-n", space.name, check=True).out
    assert f"kubectl batchrollout next web -n {space.name}\n" in hint


def test_status_watched_to_the_end(space, workload):
    workload(replicas=2)
    start(space, *NEW, "--batches", "2")
    watching = space.start_plugin("status", "web", "--watch", "-o", "json")
    assert watching.stdout
    out = ""
    while not out.endswith("\n}\n"):
        out += watching.stdout.readline()
    space.plugin("next", "web", check=True)
    out += watching.stdout.read()
    assert watching.wait(timeout=30) == 0
    decoder, seen = json.JSONDecoder(), []
    while out:
        document, end = decoder.raw_decode(out)
        seen.append(document["status"]["phase"])
        out = out[end:].lstrip()
    assert seen[0] == "Paused" and seen[-1] == "Completed" and "Progressing" in seen


def test_list(make_space):
    one, other = make_space(), make_space()
    assert one.plugin("list", check=True).err == f"No releases found in {one.name} namespace.\n"
    for space, image in ((one, "v2"), (other, "v3")):
        Workload(space, replicas=2).create()
        start(space, "--image", f"{IMAGE}:{image}", "--batches", "2")
    other.plugin("abort", "web", check=True)

    header, row = one.plugin("list", check=True).out.splitlines()
    assert header.split() == ["SERVICE", "PHASE", "BATCH", "FROM", "TO", "TRAFFIC", "STARTED"]
    assert row.split()[:6] == ["web", "Paused", "1/2", "v1", "v2", "replicas"]
    everywhere = [line.split() for line in one.plugin("list", "-A", check=True).out.splitlines()]
    assert everywhere[0][0] == "NAMESPACE"
    assert [one.name, "web", "Paused", "1/2", "v1", "v2", "replicas"] in [row[:7] for row in everywhere]
    assert [other.name, "web", "Aborted"] in [row[:3] for row in everywhere]
    releases = one.plugin("list", "-o", "json", check=True).json()
    assert (releases["apiVersion"], releases["kind"]) == ("batchrollout/v1", "ReleaseList")
    assert [(r["kind"], r["metadata"]["name"], r["status"]["phase"]) for r in releases["items"]] == [
        ("Release", "web", "Paused")
    ]


def test_plan_and_dry_run_write_nothing(space, workload):
    workload(replicas=4, mesh=True)
    flags = ("web", *NEW, "--batches", "2")
    with nothing_written(space):
        plan = space.plugin("plan", *flags, check=True)
        dry = space.plugin("start", *flags, "--dry-run", check=True)
    assert plan.out == dry.out and plan.err == dry.err == ""
    lines = plan.out.splitlines()
    assert lines[:8] == [
        "service/web: deployment.apps/web, v1 to v2, 4 replicas",
        "traffic is split by Istio weights: the pods are labeled sidecar.istio.io/inject=true",
        "makes virtualservice/batchrollout-web for the time of the release",
        "hand-over: takeover, deployment.apps/web takes the pods of deployment.apps/web-v2 over, none is restarted",
        "",
        "BATCH   CANARY   STABLE   WEIGHT   THEN",
        "1       2        2        50%      pause",
        "2       4        0        100%     finish",
    ]
    assert lines[-1] == "Nothing was changed."
    assert "  - routes send 50% of the requests to web-v2" in lines
