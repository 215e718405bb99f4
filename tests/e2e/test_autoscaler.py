"""Deployments that autoscalers scale: frozen for the time of a release, and afterwards what they were."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from helpers import audit
from helpers.cutter import Cutter, is_write
from helpers.metrics import Metric
from helpers.restored import assert_restored
from helpers.snapshot import assert_same, normal, snapshot
from helpers.space import Object, Space
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

REPLICAS = 4
PER_POD = 100
START = ("start", "web", "--image", f"{IMAGE}:v2", "--batches", "4", "--settle", "100ms")
AUTOSCALER = "horizontalpodautoscaler.autoscaling/web"


@pytest.fixture(scope="module")
def metric(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metric]:
    """One for all tests: the API server takes some seconds to take a new API on."""
    with Metric(Space.of("default", tmp_path_factory.mktemp("metric")), 0) as served:
        yield served


@pytest.fixture
def load(metric: Metric) -> Metric:
    """What the autoscalers of these tests look at: as much as the pods that there are can take."""
    metric.value = REPLICAS * PER_POD
    return metric


def autoscaler(load: Metric, **spec: object) -> Object:
    """One that would not have as few pods as a release leaves to stable."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    limits = {"minReplicas": REPLICAS - 1, "maxReplicas": 10, "metrics": [load.spec(PER_POD)]}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "labels": {"team": "shop"}},
        "spec": {"scaleTargetRef": target} | limits | spec,
    }


def average(space: Space) -> str | None:
    """The metric as the autoscaler has seen it last, for each of the pods of stable."""
    metrics = space.get("hpa", "web").get("status", {}).get("currentMetrics") or []
    return metrics[0]["external"]["current"]["averageValue"] if metrics else None


def wait_for_average(space: Space, expected: int) -> None:
    wait_for("the autoscaler's look", lambda: average(space) == str(expected))


@pytest.fixture
def scaled(space: Space, load: Metric) -> Callable[..., Workload]:
    """Makes a workload whose autoscaler is at work: scaled(mesh=True)."""

    def make(spec: Object | None = None, **options) -> Workload:
        web = Workload(space, replicas=REPLICAS, drain_ms=100, **options).create()
        space.apply(autoscaler(load, **(spec or {})))
        wait_for_average(space, PER_POD)
        return web

    return make


def bare(space: Space, kinds: str = "horizontalpodautoscalers") -> dict[str, Object]:
    """Autoscalers without what their controllers say of them."""
    objects = {f"{o['kind']}/{o['metadata']['name']}": normal(o) for o in space.get(kinds)}
    for item in objects.values():
        item.pop("status", None)
    return objects


def replicas(space: Space, name: str = "web") -> int:
    return space.get("deployment", name)["spec"]["replicas"]


def is_scaling(write: audit.Write) -> bool:
    return write.resource == "deployments/scale"


def scalings(space: Space, since: int = 0) -> list[audit.Write]:
    return [write for write in audit.writes(space.name, since, user_agent="") if is_scaling(write)]


@contextmanager
def frozen(space: Space) -> Iterator[None]:
    """Nothing is scaled by the autoscaler until it is what it was before: from then on it may be."""
    place = audit.mark()
    yield
    writes = audit.writes(space.name, place, user_agent="")
    thawed = max(i for i, write in enumerate(writes) if is_ours(write))
    assert [write for write in writes[:thawed] if is_scaling(write)] == []


def is_ours(write: audit.Write) -> bool:
    return write.resource == "horizontalpodautoscalers" and write.user_agent.startswith("kubectl-batchrollout")


def condition(space: Space) -> Object:
    status = space.plugin("status", "web", "-o", "json", check=True).json()["status"]
    return next(c for c in status["conditions"] if c["type"] == "AutoscalerFrozen")


def assert_frozen(space: Space, load: Metric, value: int, wish: int) -> None:
    """In batch 2 of 4 stable has half of its pods, below the autoscaler's minimum."""
    load.value = value
    wait_for_average(space, value // 2)
    line = f"{AUTOSCALER} is frozen; it would like {wish} pods, the release keeps {REPLICAS}"
    assert line in space.plugin("status", "web", check=True).out
    now = condition(space)
    assert (now["status"], now["reason"], now["message"]) == ("True", "Frozen", line)
    assert replicas(space) == 2


def begin(space: Space) -> None:
    done = space.plugin(*START, check=True)
    assert f"{AUTOSCALER} is frozen for the time of the release" in done.err
    space.plugin("next", "web", check=True)


@pytest.mark.parametrize("mesh", [False, True], ids=["replicas", "istio"])
def test_release_of_an_autoscaled_deployment(space, load, scaled, mesh: bool):
    scaled(mesh=mesh)
    before = bare(space)
    with frozen(space):
        begin(space)
        assert_frozen(space, load, 10, 3)
        assert_frozen(space, load, 700, 7)
        space.plugin("next", "web", "--all", check=True)
    assert_same(before, bare(space))
    # It is at work again, and the audit log tells of it.
    wait_for("the autoscaler", lambda: replicas(space) == 7)
    wait_for("the log", lambda: scalings(space))


@pytest.mark.parametrize("mesh", [False, True], ids=["replicas", "istio"])
def test_aborted_release_of_an_autoscaled_deployment(space, load, scaled, mesh: bool):
    # Rules of its own are kept, too.
    scale_up = {"scaleUp": {"policies": [{"type": "Pods", "value": 5, "periodSeconds": 1}], "selectPolicy": "Min"}}
    scaled({"behavior": scale_up}, mesh=mesh)
    before, objects = bare(space), snapshot(space)
    with frozen(space):
        begin(space)
        # It remembers for some minutes that it wanted more than this, and will not scale down at once.
        assert_frozen(space, load, 10, 3)
        space.plugin("abort", "web", check=True)
    assert_same(before, bare(space))
    assert_restored(objects, space)
    load.value = 600
    wait_for("the autoscaler", lambda: replicas(space) == 6)


def test_aborted_after_it_was_completed(space, load, scaled):
    """The autoscaler is at work again by then, and has another number of replicas in mind."""
    scaled({"minReplicas": 1})
    before = bare(space)
    space.plugin(*START, "--pause", "none", check=True)
    load.value = 600
    wait_for("the autoscaler", lambda: replicas(space) == 6)
    space.plugin("abort", "web", check=True)
    assert replicas(space) == 6
    assert space.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"] == f"{IMAGE}:v1"
    assert_same(before, bare(space))


# 1 is the record, 2 what carries the release; later ones are in the third batch.
@pytest.mark.parametrize("after", [3, 4, 10, 21])
def test_killed_in_the_middle(space, load, scaled, after: int):
    scaled()
    before, objects = bare(space), snapshot(space)
    with frozen(space), Cutter(space, after, before=False, counts=is_write) as cutter:
        cutter.run(*START)
        while not cutter.killed:
            assert cutter.run("next", "web").code in (0, -9)
        space.plugin("abort", "web", check=True)
    assert_same(before, bare(space))
    assert_restored(objects, space)


def patch(space: Space, **spec: object) -> None:
    space.kubectl("patch", "hpa", "web", "--type=merge", "--patch", json.dumps({"spec": spec}))


@pytest.mark.parametrize("verb", [("next", "web", "--all"), ("abort", "web")], ids=["next", "abort"])
def test_edits_of_the_autoscaler_are_kept(space, load, scaled, verb: tuple[str, ...]):
    scaled()
    before = bare(space)
    begin(space)
    patch(space, maxReplicas=12)
    space.kubectl("label", "hpa", "web", "team=other", "--overwrite")
    space.plugin(*verb, check=True)
    before["HorizontalPodAutoscaler/web"]["spec"]["maxReplicas"] = 12
    before["HorizontalPodAutoscaler/web"]["metadata"]["labels"]["team"] = "other"
    assert_same(before, bare(space))


def test_what_would_thaw_the_autoscaler_is_reported(space, load, scaled):
    scaled()
    before = bare(space)
    begin(space)
    # 2 is neither what it was before nor 1, and just what stable has: nothing is scaled for it.
    patch(space, minReplicas=2)
    assert f"{AUTOSCALER}: spec.minReplicas" in space.plugin("status", "web", check=True).out
    assert condition(space)["status"] == "False"
    refused = space.plugin("next", "web")
    assert refused.code == 6 and "spec.minReplicas" in refused.err, str(refused)
    refused = space.plugin("abort", "web")
    assert refused.code == 6 and "spec.minReplicas" in refused.err, str(refused)
    # Everything else is back.
    assert replicas(space) == REPLICAS and not space.exists("deployment", "web-v2")
    patch(space, minReplicas=1)
    space.plugin("abort", "web", check=True)
    assert_same(before, bare(space))


def test_autoscaler_that_is_left_to_itself(space, load, scaled):
    scaled()
    before = bare(space)
    done = space.plugin(*START, "--hpa", "ignore", check=True)
    note = f'{AUTOSCALER} goes on scaling deployment "web", which therefore keeps its size beside the copy'
    assert note in done.err
    load.value = 600
    wait_for("the autoscaler", lambda: replicas(space) == 6)
    space.plugin("next", "web", "--all", check=True)
    # It was emptied for the hand-over, and has as many as the release knows of until the autoscaler looks again.
    wait_for("the autoscaler", lambda: replicas(space) == 6)
    assert_same(before, bare(space))
    assert not any(is_ours(write) for write in audit.writes(space.name))


def test_plan_says_what_happens_to_the_autoscaler(space, load, scaled):
    scaled()
    plan = space.plugin("plan", *START[1:], check=True).out
    assert f"{AUTOSCALER} is frozen for the time of the release" in plan
    assert f"  - {AUTOSCALER} leaves deployment.apps/web as it is\n" in plan
    assert f"  - {AUTOSCALER} is as before\n" in plan
    plan = space.plugin("plan", *START[1:], "--hpa", "ignore", check=True).out
    assert "deployment.apps/web is scaled to at least 3" in plan
    refused = space.plugin("plan", *START[1:], "--hpa", "melt")
    assert refused.code == 2 and '--hpa: "melt" is not one of freeze, ignore, refuse' in refused.err


# --- KEDA -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def keda(space: Space) -> Iterator[None]:
    """The kind, without the operator."""
    names = {"kind": "ScaledObject", "plural": "scaledobjects", "singular": "scaledobject"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": schema}
    name = "scaledobjects.keda.sh"
    space.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {"group": "keda.sh", "names": names, "scope": "Namespaced", "versions": [version]},
        }
    )
    space.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
    yield
    space.kubectl("delete", "crd", name)


def scaled_object(annotations: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": "queue"} | ({"annotations": annotations} if annotations else {})
    spec = {"scaleTargetRef": {"name": "web"}, "maxReplicaCount": 9}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata, "spec": spec}


def paused(space: Space) -> str | None:
    return space.get("scaledobject", "queue")["metadata"].get("annotations", {}).get("autoscaling.keda.sh/paused")


@pytest.mark.parametrize("verb", [("next", "web", "--all"), ("abort", "web")], ids=["next", "abort"])
def test_scaled_object_is_paused(space, keda, verb: tuple[str, ...]):
    Workload(space, replicas=2).create()
    # Not by kubectl apply, which would leave an annotation: the map goes with the one that is ours.
    space.kubectl("create", "--filename", "-", input=json.dumps(scaled_object()))
    before = bare(space, "scaledobjects")
    done = space.plugin(*START, check=True)
    assert "scaledobject.keda.sh/queue is paused for the time of the release" in done.err
    assert paused(space) == "true"
    assert "scaledobject.keda.sh/queue is paused\n" in space.plugin("status", "web", check=True).out
    space.kubectl("annotate", "scaledobject", "queue", "example.com/note=mine")
    space.plugin(*verb, check=True)
    before["ScaledObject/queue"]["metadata"]["annotations"] = {"example.com/note": "mine"}
    assert_same(before, bare(space, "scaledobjects"))


def test_scaled_object_that_is_paused_already(space, keda):
    Workload(space, replicas=2).create()
    space.apply(scaled_object({"autoscaling.keda.sh/paused": "true"}))
    before = bare(space, "scaledobjects")
    assert "is paused, and stays so" in space.plugin(*START, check=True).err
    space.plugin("abort", "web", check=True)
    assert_same(before, bare(space, "scaledobjects"))


@pytest.mark.parametrize(
    "annotations, flags, message",
    [
        (None, ("--hpa", "refuse"), 'scaledobject.keda.sh/queue scales deployment "web" and would fight the release'),
        (
            {"autoscaling.keda.sh/paused-replicas": "2"},
            (),
            'scaledobject.keda.sh/queue keeps deployment "web" at a number of replicas',
        ),
    ],
    ids=["refuse", "number"],
)
def test_scaled_object_that_is_refused(space, keda, annotations, flags: tuple[str, ...], message: str):
    Workload(space, replicas=2).create()
    space.apply(scaled_object(annotations))
    done = space.plugin(*START, *flags)
    assert done.code == 1 and message in done.err, str(done)
