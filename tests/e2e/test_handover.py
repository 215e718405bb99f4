"""The end of a release: how the new version becomes the user's Deployment, and the way back from there."""

from collections.abc import Callable

import pytest
import yaml
from helpers.podwatch import PodWatch
from helpers.restored import wait_until_drained
from helpers.snapshot import assert_same, snapshot
from helpers.space import Object, Result, Space
from helpers.untouched import nothing_written
from helpers.workload import IMAGE, Workload

REPLICAS = 4


def start(space: Space, version: str, *args: str) -> Result:
    settle = () if "--settle" in args else ("--settle", "100ms")
    return space.plugin("start", "web", "--image", f"{IMAGE}:{version}", *settle, *args, check=True)


def release(space: Space, version: str, *args: str) -> None:
    start(space, version, "--batches", "2", "--pause", "none", *args)


def uids(space: Space, version: str | None = None) -> set[str]:
    pods = space.ready_pods("app=web" + (f",version={version}" if version else ""))
    return {pod["metadata"]["uid"] for pod in pods}


def create(space: Space, change: Callable[[Object], None], **options) -> Workload:
    """A workload whose Deployment's spec is changed before it is made."""
    web = Workload(space, replicas=REPLICAS, **options)
    deployment = web.deployment()
    change(deployment["spec"])
    space.apply(deployment, web.service())
    web.wait_rolled_out()
    return web


def image(space: Space, deployment: str = "web") -> str:
    return space.get("deployment", deployment)["spec"]["template"]["spec"]["containers"][0]["image"]


def assert_taken_over(space: Space, canary: set[str]) -> None:
    """No pod of the new version was restarted, and the Deployment is settled with them."""
    assert canary <= uids(space), "a pod of the new version was restarted"
    assert len(uids(space)) == REPLICAS
    assert image(space) == f"{IMAGE}:v2"
    assert not space.exists("deployment", "web-v2")
    space.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    wait_until_drained(space)
    assert uids(space) >= canary, "a pod of the new version was restarted afterwards"


SPECS: dict[str, Object] = {
    "no history": {"revisionHistoryLimit": 0},
    "a history of one": {"revisionHistoryLimit": 1},
    "minReadySeconds": {"minReadySeconds": 2},
    "Recreate": {"strategy": {"type": "Recreate"}},
    "no surge": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}},
}


@pytest.mark.parametrize("traffic", ["replicas", "istio"])
@pytest.mark.parametrize("case", SPECS)
def test_takeover_and_abort_after_it(space: Space, case: str, traffic: str):
    """Whatever the Deployment's own strategy is, no pod of the new version is restarted, and N are always ready."""
    web = create(space, lambda spec: spec.update(SPECS[case]), mesh=traffic == "istio")
    space.kubectl("set", "image", "deployment/web", f"web={IMAGE}:v0")
    web.wait_rolled_out()
    space.kubectl("set", "image", "deployment/web", f"web={IMAGE}:v1")
    web.wait_rolled_out()
    wait_until_drained(space)
    before = snapshot(space)
    with PodWatch(space, "app=web") as watch:
        start(space, "v2", "--batches", "2", "--traffic", traffic)
        canary = uids(space, "v2")
        assert len(canary) == REPLICAS // 2
        space.plugin("next", "web", check=True)
        assert_taken_over(space, canary)
        space.plugin("abort", "web", check=True)
    watch.assert_never_below(REPLICAS)
    wait_until_drained(space)
    after = snapshot(space)
    for key in ("Deployment/web", "Service/web"):
        for found in (before, after):
            found[key]["metadata"].pop("annotations", None)
        assert_same({key: before[key]}, {key: after[key]})
    assert not any("RELEASE" in key or "batchrollout" in key for key in after)


def test_equal_template_in_the_history(space: Space):
    """A ReplicaSet of the same template, from an earlier release, is not taken for the current one."""
    create(space, lambda spec: None)
    release(space, "v2")
    space.kubectl("rollout", "undo", "deployment/web")
    space.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    wait_until_drained(space)
    assert image(space) == f"{IMAGE}:v1"
    start(space, "v2", "--batches", "2")
    canary = uids(space, "v2")
    space.plugin("next", "web", check=True)
    assert_taken_over(space, canary)


@pytest.mark.parametrize("flags", [(), ("--server-side", "--force-conflicts")], ids=["client", "server"])
def test_applied_again_after_the_release(space: Space, flags: tuple[str, ...]):
    """Whoever applies the new version's manifest after the release finds it there: no pod is restarted."""
    web = Workload(space, replicas=REPLICAS)
    old = [web.deployment(), web.service()]
    space.kubectl("apply", *flags, "-f", "-", input=yaml.safe_dump_all(old))
    web.wait_rolled_out()
    release(space, "v2")
    pods = uids(space)
    new = Workload(space, replicas=REPLICAS, image=f"{IMAGE}:v2").deployment()
    applied = space.kubectl("apply", *flags, "-f", "-", input=yaml.safe_dump(new))
    assert "deployment.apps/web" in applied.out
    space.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert uids(space) == pods


def test_rollout_undo_after_the_release(space: Space):
    create(space, lambda spec: None)
    release(space, "v2")
    undone = space.kubectl("rollout", "undo", "deployment/web")
    assert "rolled back" in undone.out
    space.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert image(space) == f"{IMAGE}:v1"


# --- abort after it -------------------------------------------------------------------------------------------------


def test_abort_below_a_release_of_another_service(space: Space):
    """The Deployment behind both Services would be rolled back beneath the release that is on its way."""
    web = create(space, lambda spec: None)
    internal = web.service()
    internal["metadata"]["name"] = "web-internal"
    space.apply(internal)
    release(space, "v2")
    again = ("web-internal", "--image", f"{IMAGE}:v3", "--batches", "2", "--settle", "100ms")
    space.plugin("start", *again, check=True)
    for command in ("abort", "undo"):
        with nothing_written(space):
            done = space.plugin(command, "web")
        assert done.code == 5, done
        assert 'deployment.apps/web-v3 is the copy of a release of service "web-internal"' in done.err
        assert f"`kubectl batchrollout abort web-internal -n {space.name}`" in done.err
    space.plugin("abort", "web-internal", check=True)
    wait_until_drained(space)
    space.plugin("abort", "web", check=True)
    assert image(space) == f"{IMAGE}:v1"


def test_abort_of_a_deployment_that_was_deleted_since(space: Space):
    """Neither the version before nor a revision can be had from what is left."""
    create(space, lambda spec: None)
    release(space, "v2")
    space.kubectl("delete", "deployment", "web", "--cascade=foreground")
    for command, code in (("abort", 6), ("undo", 1)):
        with nothing_written(space):
            done = space.plugin(command, "web")
        assert done.code == code, done
        assert "deployment.apps/web is gone" in done.err and "apply its manifest again" in done.err


# --- swap -----------------------------------------------------------------------------------------------------------


def by_version(spec: Object) -> None:
    spec["selector"]["matchLabels"]["version"] = "v1"
    spec["template"]["metadata"]["labels"]["version"] = "v1"


def add_autoscaler(space: Space) -> None:
    space.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": REPLICAS,
                "maxReplicas": REPLICAS + 2,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ],
            },
        }
    )


@pytest.mark.parametrize("traffic", ["replicas", "istio"])
@pytest.mark.parametrize("selects", ["by version", "by app"])
def test_swap(space: Space, selects: str, traffic: str):
    """The copy stays, under its name, and has all that the Deployment had; the old one is gone."""
    create(space, by_version if selects == "by version" else lambda spec: None, mesh=traffic == "istio")
    flags = () if selects == "by version" else ("--handover", "swap")
    space.kubectl("label", "deployment/web", "app.kubernetes.io/instance=shop")
    add_autoscaler(space)
    plan = space.plugin("plan", "web", "--image", f"{IMAGE}:v2", *flags, check=True)
    assert "hand-over: swap, " in plan.out
    with PodWatch(space, "app=web") as watch:
        start(space, "v2", "--batches", "2", "--traffic", traffic, *flags)
        canary = uids(space, "v2")
        space.kubectl("annotate", "deployment/web", "example.com/meanwhile=somebody")
        space.plugin("next", "web", check=True)
    watch.assert_never_below(REPLICAS)
    assert not space.exists("deployment", "web")
    after = space.get("deployment", "web-v2")
    assert canary <= uids(space), "a pod of the new version was restarted"
    assert after["spec"]["selector"] == {"matchLabels": {"app": "web", "version": "v2"}}
    assert after["metadata"]["annotations"]["example.com/meanwhile"] == "somebody"
    assert after["metadata"]["labels"]["app.kubernetes.io/instance"] == "shop", "a label that is no tool's mark here"
    assert "batchrollout" not in yaml.safe_dump(after["metadata"]["labels"] | after["metadata"]["annotations"])
    assert space.get("horizontalpodautoscaler", "web")["spec"]["scaleTargetRef"]["name"] == "web-v2"

    # The next release goes from there; and what it takes back is there again.
    before = snapshot(space)
    pods = uids(space)
    start(space, "v3", "--batches", "2", "--traffic", traffic, *flags)
    space.plugin("abort", "web", check=True)
    wait_until_drained(space)
    assert_same(before, snapshot(space))
    assert len(uids(space) & pods) >= REPLICAS // 2


def test_abort_after_a_swap(space: Space):
    create(space, by_version)
    before = space.get("deployment", "web")["spec"]
    with PodWatch(space, "app=web") as watch:
        release(space, "v2")
        assert not space.exists("deployment", "web")
        space.plugin("abort", "web", check=True)
    watch.assert_never_below(REPLICAS)
    assert space.get("deployment", "web")["spec"] == before
    assert not space.exists("deployment", "web-v2")


def test_handover_that_the_selector_does_not_allow(space: Space):
    create(space, by_version)
    with nothing_written(space):
        done = space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--handover", "takeover")
    assert done.code == 1
    assert 'has the label "version" in its selector and can never own pods of another version' in done.err


# --- rolling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("traffic", ["replicas", "istio"])
def test_rolling(space: Space, traffic: str):
    """The plain way: the Deployment gets new pods, behind the copy, which carries everything meanwhile."""
    web = create(space, lambda spec: None, mesh=traffic == "istio", start_delay_ms=300, drain_ms=3000)
    with web.traffic("envoy" if traffic == "istio" else "service", 100) as requests:
        start(space, "v2", "--batches", "2", "--handover", "rolling", "--traffic", traffic, "--settle", "2s")
        space.plugin("next", "web", check=True)
        wait_until_drained(space)
        requests.stop()
        requests.assert_no_failures()
    assert image(space) == f"{IMAGE}:v2"
    labels = space.get("deployment", "web")["spec"]["template"]["metadata"]["labels"]
    assert "version" not in labels
    assert not space.exists("deployment", "web-v2")
    assert len(uids(space)) == REPLICAS


# --- undo and history -----------------------------------------------------------------------------------------------


def test_undo_in_the_same_batches(space: Space):
    create(space, lambda spec: None, mesh=True)
    start(space, "v2", "--batches", "2")
    with nothing_written(space):
        early = space.plugin("undo", "web")
    assert early.code == 1
    assert f"take it back with `kubectl batchrollout abort web -n {space.name}`" in early.err
    space.plugin("next", "web", check=True)
    with nothing_written(space):
        planned = space.plugin("undo", "web", "--dry-run", check=True)
    assert "service/web: deployment.apps/web, v2 to v1, 4 replicas" in planned.out
    with PodWatch(space, "app=web") as watch:
        undone = space.plugin("undo", "web", check=True)
        assert "release of service web to v1: paused at batch 1 of 2" in undone.out
        old = uids(space, "v1")
        assert len(old) == REPLICAS // 2
        space.plugin("next", "web", check=True)
    watch.assert_never_below(REPLICAS)
    assert image(space) == f"{IMAGE}:v1"
    assert old <= uids(space), "a pod of the surviving version was restarted"


def test_undo_at_once(space: Space):
    create(space, lambda spec: None)
    release(space, "v2")
    space.plugin("undo", "web", "--now", check=True)
    assert image(space) == f"{IMAGE}:v1"
    status = space.plugin("status", "web", "-o", "json", check=True).json()["status"]
    assert (status["phase"], status["batches"]) == ("Completed", 1)


def test_undo_to_a_revision(space: Space):
    web = create(space, lambda spec: None, image=f"{IMAGE}:v0")
    space.kubectl("set", "image", "deployment/web", f"web={IMAGE}:v1")
    web.wait_rolled_out()
    release(space, "v2")
    with nothing_written(space):
        unknown = space.plugin("undo", "web", "--to-revision", "9")
    assert unknown.code == 1
    assert "deployment.apps/web has no such revision in its history; there is: " in unknown.err
    space.plugin("undo", "web", "--to-revision", "1", "--now", check=True)
    assert image(space) == f"{IMAGE}:v0"


def test_undo_of_what_somebody_has_changed(space: Space):
    web = create(space, lambda spec: None)
    release(space, "v2")
    space.kubectl("set", "image", "deployment/web", f"web={IMAGE}:v3")
    web.wait_rolled_out()
    wait_until_drained(space)
    with nothing_written(space):
        done = space.plugin("undo", "web")
    assert done.code == 1
    assert "does not run v2 any more" in done.err
    assert f"`kubectl batchrollout undo web -n {space.name} --to-revision REVISION`" in done.err


def test_undo_to_a_version_whose_name_is_taken(space: Space):
    """What runs is still labeled v2, like the revision to go to: that gets a name of its own, ours or the user's."""
    web = create(space, lambda spec: None)
    release(space, "v2")
    revision = space.get("deployment", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    space.kubectl("set", "env", "deployment/web", "WRONG=yes")
    web.wait_rolled_out()
    wait_until_drained(space)
    back = ("undo", "web", "--to-revision", revision)
    with nothing_written(space):
        taken = space.plugin(*back, "--version", "v2")
        named = space.plugin(*back, "--version", "again", "--dry-run", check=True)
    assert taken.code == 2 and 'would be called "v2" like the one that runs: use --version' in taken.err
    assert "service/web: deployment.apps/web, v2 to again, 4 replicas" in named.out
    space.plugin(*back, "--now", check=True)
    template = space.get("deployment", "web")["spec"]["template"]
    assert template["metadata"]["labels"]["version"] == "v2-2"
    assert "env" not in template["spec"]["containers"][0]


def test_undo_of_an_aborted_release(space: Space):
    create(space, lambda spec: None)
    start(space, "v2", "--batches", "2")
    space.plugin("abort", "web", check=True)
    with nothing_written(space):
        done = space.plugin("undo", "web")
    assert done.code == 1
    assert f"`kubectl batchrollout undo web -n {space.name} --to-revision REVISION`" in done.err
    assert f"`kubectl rollout history deployment/web -n {space.name}`" in done.err


def test_history(space: Space):
    create(space, lambda spec: None)
    release(space, "v2")
    start(space, "v3", "--batches", "2")
    space.plugin("abort", "web", check=True)
    space.plugin("undo", "web", "--to-revision", "1", "--now", check=True)
    header, *rows = (line.split() for line in space.plugin("history", "web", check=True).out.splitlines())
    assert header == ["STARTED", "BY", "FROM", "TO", "BATCH", "RESULT", "TOOK"]
    assert [(row[2], row[3], row[4], row[5]) for row in rows] == [
        ("v1", "v2", "2/2", "Completed"),
        ("v2", "v3", "1/2", "Aborted"),
        ("v2", "v1", "1/1", "Completed"),
    ]
    assert all("@" in row[1] and row[6].endswith("s") for row in rows)
    document = space.plugin("history", "web", "-o", "json", check=True).json()
    assert [entry["result"] for entry in document["items"]] == ["Completed", "Aborted", "Completed"]
    assert yaml.safe_load(space.plugin("history", "web", "-o", "yaml", check=True).out) == document
    assert space.plugin("history", "web", "-o", "name", check=True).out == "release.batchrollout/web\n"


def test_history_of_a_release_on_its_way_and_of_one_whose_record_was_lost(space: Space):
    create(space, lambda spec: None)
    release(space, "v2")
    start(space, "v3", "--batches", "2")
    row = space.plugin("history", "web", check=True).out.splitlines()[-1].split()
    assert row[2:] == ["v2", "v3", "1/2", "Paused"] and "@" in row[1]
    space.kubectl("delete", "configmap", "batchrollout-web")
    space.plugin("abort", "web", check=True)
    _, *rows = (line.split() for line in space.plugin("history", "web", check=True).out.splitlines())
    assert rows == [["<unknown>", "<unknown>", "v2", "v3", "?/2", "Aborted"]]
