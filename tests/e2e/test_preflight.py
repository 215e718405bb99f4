"""What of the cluster will not let a release happen, or is touched by it, is said before the first write."""

import copy
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from helpers.routes import INGRESS, backends, http_route
from helpers.space import Object, Result, Space
from helpers.untouched import nothing_written
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

# A hand-over by a rolling update has the most pods at a time.
PLAN = ("--batches", "2", "--settle", "0", "--handover", "rolling")
NEW = ("--image", f"{IMAGE}:v2", *PLAN)


@pytest.fixture(scope="module")
def shop(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """A namespace with a workload of 2 replicas, for all tests of this module: each leaves it as it was."""
    space = Space.of(f"test-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("shop"))
    space.kubectl("create", "namespace", space.name)
    Workload(space, replicas=2).create()
    yield space
    space.kubectl("delete", "namespace", space.name, "--wait=false")


@contextmanager
def there_is(space: Space, *objects: Object) -> Iterator[None]:
    """Objects for the time of a test."""
    space.apply(*objects)
    try:
        yield
    finally:
        for item in objects:
            space.kubectl("delete", item["kind"], item["metadata"]["name"])


def made(api_version: str, kind: str, name: str, **members) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}} | members


@contextmanager
def quota(space: Space, **hard: str) -> Iterator[None]:
    with there_is(space, made("v1", "ResourceQuota", "few", spec={"hard": hard})):
        wait_for("the quota", lambda: "used" in space.get("quota", "few").get("status", {}))
        yield


def new_version(space: Space, **spec) -> str:
    """A manifest of the new version, with more in the spec of its pods."""
    deployment = Workload(space, replicas=2, image=f"{IMAGE}:v2").deployment()
    deployment["spec"]["template"]["spec"] |= copy.deepcopy(spec)
    return json.dumps(deployment)


def container(**members) -> list[Object]:
    return [{"name": "web", "image": f"{IMAGE}:v2"} | members]


FILE = ("-f", "-", *PLAN)


def assert_cannot_work(space: Space, what: str, *flags: str, input: str | None = None) -> None:
    """Refused by `start`; shown by `plan` and the like with everything else; done all the same with --force."""
    flags = flags or (FILE if input else NEW)
    with nothing_written(space):
        done = space.plugin("start", "web", *flags, input=input)
        assert done.code == 1 and done.out == "", str(done)
        assert done.err == f"error: {what}; or go on all the same with --force\n"
        for command in (("plan", "web", *flags), ("start", "web", *flags, "--dry-run")):
            shown = space.plugin(*command, input=input)
            assert shown.code == 1, str(shown)
            assert f"\ncannot work: {what}\n" in shown.out and "\nBatch 1 brings to hold" in shown.out
            assert shown.err == (
                "error: start would refuse this release, for what cannot work; --force goes on all the same\n"
            )
        forced = space.plugin("plan", "web", *flags, "--force", input=input)
        assert forced.code == 0 and f"\ncannot work: {what}\n" in forced.out, str(forced)


def notes_of(done: Result) -> list[str]:
    """What a plan says besides how traffic is split."""
    assert done.code == 0, str(done)
    head = done.out.split("\n\n", 1)[0].splitlines()
    return [line for line in head[1:] if not line.startswith(("traffic is split", "splits ", "makes ", "hand-over: "))]


def plan_notes(space: Space, *flags: str, input: str | None = None) -> list[str]:
    with nothing_written(space):
        return notes_of(space.plugin("plan", "web", *(flags or (FILE if input else NEW)), input=input))


def test_nothing_to_say(shop: Space):
    assert plan_notes(shop) == []


# --- quotas -----------------------------------------------------------------------------------------------------------


def test_quota_of_pods(shop: Space):
    with quota(shop, pods="2"):
        assert_cannot_work(
            shop,
            "resourcequota/few allows 2 of pods, 2 are used, and the release needs 2 more when there are 0 pods of v1 "
            "and 4 of v2: raise the quota",
        )


def test_quota_that_is_enough(shop: Space):
    with quota(shop, pods="4", configmaps="9"):
        assert plan_notes(shop) == []


def test_quota_of_what_pods_ask_for(shop: Space):
    with quota(shop, **{"requests.memory": "3Gi"}):
        assert_cannot_work(
            shop,
            "resourcequota/few allows 3Gi of requests.memory, 0 are used, and the release needs 4Gi more when there "
            "are 0 pods of v1 and 4 of v2: raise the quota",
            input=new_version(shop, containers=container(resources={"requests": {"memory": "1Gi"}})),
        )


def test_quota_of_what_pods_do_not_say(shop: Space):
    with quota(shop, **{"limits.cpu": "100"}):
        assert_cannot_work(
            shop,
            "resourcequota/few limits limits.cpu, so that pods must say how much they want, and container "
            '"web" has no resources.limits.cpu',
        )


def test_quota_of_other_objects(shop: Space):
    with quota(shop, **{"count/replicasets.apps": "1"}):
        assert_cannot_work(
            shop,
            "resourcequota/few allows 1 of count/replicasets.apps, 1 are used, and the release makes 2 more: raise the "
            "quota",
        )


def test_quota_of_services_in_gateway_mode(gateway_api: None, shop: Space):
    route = http_route("front", INGRESS, [{"backendRefs": backends({"web": 1})}], [shop.name])
    with there_is(shop, route), quota(shop, services="2"):
        assert_cannot_work(
            shop, "resourcequota/few allows 2 of services, 1 are used, and the release makes 2 more: raise the quota"
        )


def test_several_things_cannot_work(shop: Space):
    with quota(shop, pods="2", **{"count/replicasets.apps": "1"}), nothing_written(shop):
        done = shop.plugin("start", "web", *NEW)
        assert done.code == 1 and done.out == ""
        first, *refusals, last = done.err.splitlines()
        assert first == "error: this release cannot work:"
        assert {line.partition(",")[0] for line in refusals} == {
            "- resourcequota/few allows 1 of count/replicasets.apps",
            "- resourcequota/few allows 2 of pods",
        }
        assert last == "go on all the same with --force"


# --- limits -----------------------------------------------------------------------------------------------------------


def test_limit_range(shop: Space):
    limits = [{"type": "Container", "max": {"memory": "1Gi"}, "min": {"cpu": "100m"}}]
    with there_is(shop, made("v1", "LimitRange", "small", spec={"limits": limits})):
        assert_cannot_work(
            shop,
            "limitrange/small: the limit of memory must be at most 1Gi for a Container, and the new pods' container "
            '"web" has 2Gi',
            input=new_version(shop, containers=container(resources={"limits": {"memory": "2Gi", "cpu": "1"}})),
        )
        # The API server's defaults make the rest.
        fits = new_version(shop, containers=container(resources={"limits": {"cpu": "1"}}))
        assert plan_notes(shop, input=fits) == []


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_one_pod_for_each_node(shop: Space):
    what = "lets only one of the pods be on each node: the release has 4 pods of v2 beside 0 of v1 at a time, and there "
    port = container(ports=[{"name": "http", "containerPort": 8080, "hostPort": 8080}])
    assert_cannot_work(
        shop, f"hostPort 8080 {what}are 1 places for them", input=new_version(shop, containers=port)
    )
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    assert_cannot_work(
        shop, f"required podAntiAffinity {what}are 1 places for them", input=new_version(shop, affinity=apart)
    )


def test_no_node_for_the_pods(shop: Space):
    assert_cannot_work(
        shop,
        "none of the 1 nodes may have the new pods, by their nodeSelector, node affinity and tolerations",
        input=new_version(shop, nodeSelector={"disk": "ssd"}),
    )
    assert_cannot_work(
        shop,
        "topologySpreadConstraints: no node that the new pods may be on has the label zone",
        input=new_version(
            shop,
            topologySpreadConstraints=[
                {
                    "maxSkew": 1,
                    "topologyKey": "zone",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": {"app": "web"}},
                }
            ],
        ),
    )


def test_room_on_the_nodes(shop: Space):
    """The node has 100 CPUs."""
    assert_cannot_work(
        shop,
        "no node is large enough for a new pod, which asks for cpu 101",
        input=new_version(shop, containers=container(resources={"requests": {"cpu": "101"}})),
    )
    full = new_version(shop, containers=container(resources={"requests": {"cpu": "60"}}))
    assert plan_notes(shop, input=full) == [
        "the nodes have room for 1 more pods of this size now (cpu 60), and the release has up to 2 more than there "
        "are: batches wait for room, until --timeout"
    ]


# --- volumes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ReadWriteOncePod", "ReadWriteOnce", "ReadWriteMany"])
def test_volumes(shop: Space, mode: str):
    claim_spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "none"}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    manifest = new_version(shop, volumes=volumes)
    with there_is(shop, made("v1", "PersistentVolumeClaim", "data", spec=claim_spec)):
        if mode == "ReadWriteOncePod":
            assert_cannot_work(
                shop,
                "persistentvolumeclaim/data is ReadWriteOncePod: one pod at a time may use it, and the release has 4 "
                "pods with it at a time",
                input=manifest,
            )
        elif mode == "ReadWriteOnce":
            assert plan_notes(shop, input=manifest) == [
                "persistentvolumeclaim/data is ReadWriteOnce: only pods on the node that has it mounted can start; "
                "both versions write to it"
            ]
        else:
            assert plan_notes(shop, input=manifest) == []


# --- neighbours -------------------------------------------------------------------------------------------------------

CRDS = {
    "verticalpodautoscalers": ("autoscaling.k8s.io", "VerticalPodAutoscaler"),
    "servicemonitors": ("monitoring.coreos.com", "ServiceMonitor"),
    "podmonitors": ("monitoring.coreos.com", "PodMonitor"),
}


def crd(plural: str, group: str, kind: str) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # Groups of kubernetes.io and k8s.io are the project's own, and need its word.
        "metadata": {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, a test"}},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture(scope="module")
def other_kinds(shop: Space) -> Iterator[None]:
    """Kinds that others install, for the time of this module."""
    definitions = [crd(plural, *rest) for plural, rest in CRDS.items()]
    shop.apply(*definitions)
    for definition in definitions:
        name = definition["metadata"]["name"]
        shop.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
    for plural, (group, _) in CRDS.items():
        wait_for("the kind", lambda name=f"{plural}.{group}": shop.kubectl("get", name, check=False).code == 0)
    yield
    for definition in definitions:
        shop.kubectl("delete", "crd", definition["metadata"]["name"])


def by_version(**members) -> Object:
    return {"selector": {"matchLabels": {"app": "web", "version": "v1"}}} | members


def neighbours() -> list[Object]:
    """They know one version only, or the Deployment; and others that are nobody's business."""
    v1 = {"matchLabels": {"version": "v1"}}
    both = {"matchLabels": {"app": "web"}}
    relabel = {"action": "keep", "sourceLabels": ["__meta_kubernetes_pod_label_version"], "regex": "v1"}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return [
        made("policy/v1", "PodDisruptionBudget", "one", spec=by_version(maxUnavailable=1)),
        made("policy/v1", "PodDisruptionBudget", "both", spec={"selector": both, "maxUnavailable": 1}),
        made("networking.k8s.io/v1", "NetworkPolicy", "one", spec={"podSelector": v1}),
        made(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "let-in",
            spec={"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"podSelector": v1}]}]},
        ),
        made("networking.k8s.io/v1", "NetworkPolicy", "both", spec={"podSelector": both}),
        made("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "one", spec={"targetRef": target}),
        made("monitoring.coreos.com/v1", "PodMonitor", "one", spec={"selector": v1}),
        made("monitoring.coreos.com/v1", "PodMonitor", "both", spec={"selector": both}),
        made(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "one",
            spec={"selector": both, "endpoints": [{"port": "http", "relabelings": [relabel]}]},
        ),
        made("security.istio.io/v1", "PeerAuthentication", "one", spec={"selector": v1, "mtls": {"mode": "STRICT"}}),
        made("security.istio.io/v1", "PeerAuthentication", "all", spec={"mtls": {"mode": "STRICT"}}),
        made("security.istio.io/v1", "AuthorizationPolicy", "one", spec={"selector": v1, "rules": [{}]}),
        made("security.istio.io/v1", "RequestAuthentication", "one", spec={"selector": v1}),
        made(
            "networking.istio.io/v1",
            "Sidecar",
            "one",
            spec={"workloadSelector": {"labels": {"version": "v1"}}, "egress": [{"hosts": ["./*"]}]},
        ),
    ]


def test_neighbours(space: Space, other_kinds: None):
    """Of pods that their user labels by version."""
    Workload(space, replicas=2, labels={"version": "v1"}).create()
    space.apply(*neighbours())
    end = "pods by the labels version=v1: it selects the pods of v1 and not those of v2"
    wanted = [
        "poddisruptionbudget.policy/one protects pods by the labels app=web,version=v1: it selects the pods of v1 and "
        "not those of v2",
        f"networkpolicy.networking.k8s.io/let-in lets in {end}",
        f"networkpolicy.networking.k8s.io/one is for {end}",
        'verticalpodautoscaler.autoscaling.k8s.io/one is for deployment "web" and not for its copy: until the end, the '
        "new pods ask for what the template says",
        "servicemonitor.monitoring.coreos.com/one keeps or drops pods by their label version (regex "
        '"v1"): see that it scrapes both versions',
        f"podmonitor.monitoring.coreos.com/one scrapes {end}",
        f"peerauthentication.security.istio.io/one is for {end}",
        f"authorizationpolicy.security.istio.io/one is for {end}",
        f"requestauthentication.security.istio.io/one is for {end}",
        f"sidecar.networking.istio.io/one is for {end}",
    ]
    assert plan_notes(space) == wanted
    done = space.plugin("start", "web", *NEW, check=True)
    for line in wanted:
        assert f"\n{line}\n" in "\n" + done.err


def test_selector_of_a_label_that_the_release_brings(shop: Space):
    with there_is(shop, made("policy/v1", "PodDisruptionBudget", "one", spec=by_version(maxUnavailable=1))):
        assert plan_notes(shop) == [
            "poddisruptionbudget.policy/one protects pods by the labels app=web,version=v1: it selects the pods of v1 "
            "during the release, and not now, when they are labeled with their version"
        ]


def test_budget_without_room(shop: Space):
    spec = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": "100%"}
    with there_is(shop, made("policy/v1", "PodDisruptionBudget", "tight", spec=spec)):
        wait_for("the budget", lambda: shop.get("pdb", "tight").get("status", {}).get("expectedPods") == 2)
        assert plan_notes(shop) == [
            "poddisruptionbudget.policy/tight allows no disruption of these pods now: their nodes cannot be drained"
        ]


def test_other_service_for_the_same_pods(space: Space):
    web = Workload(space, replicas=2, mesh=True).create()
    other = web.service()
    other["metadata"]["name"] = "inside"
    space.apply(other)
    assert plan_notes(space) == [
        "service/inside selects the same pods: requests to it reach both versions by the ratio of their pods, not by "
        "the weights"
    ]
    assert plan_notes(space, *NEW, "--traffic", "replicas") == []


def test_autoscaler_of_the_copy(shop: Space):
    """As an earlier release leaves it, of which the copy became the Deployment."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-v2"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3}
    with there_is(shop, made("autoscaling/v2", "HorizontalPodAutoscaler", "old", spec=spec)):
        assert_cannot_work(
            shop,
            'horizontalpodautoscaler.autoscaling/old is for deployment "web-v2", as the copy is called, and would scale '
            "it in the middle of the release: delete it, point it to another Deployment, or choose another --version",
        )
        assert plan_notes(shop, *NEW, "--version", "v3") == []


# --- going on all the same, and with few rights -----------------------------------------------------------------------


def test_force_begins(space: Space):
    Workload(space, replicas=2).create()
    with quota(space, pods="3"):
        done = space.plugin("start", "web", *NEW, "--force")
        assert done.code == 0, str(done)
        assert "cannot work: resourcequota/few allows 3 of pods" in done.err
        assert space.plugin("abort", "web").code == 0


def test_what_may_not_be_read_is_said_and_done_without(shop: Space, tmp_path):
    resources = {
        "": ["services", "pods", "configmaps", "limitranges"],
        "apps": ["deployments", "replicasets"],
        "policy": ["poddisruptionbudgets"],
        "networking.k8s.io": ["networkpolicies"],
    }
    verbs = ["get", "list", "watch", "create", "patch"]
    rules = [{"apiGroups": [group], "resources": names, "verbs": verbs} for group, names in resources.items()]
    user = shop.service_account("releaser", rules, tmp_path)
    with quota(shop, pods="2"):
        done = user.plugin("plan", "web", *NEW, "--traffic", "replicas")
    assert done.code == 0, str(done)
    line = next(line for line in done.out.splitlines() if line.startswith("may not list resourcequotas"))
    assert line.endswith(": what they mean to the release could not be looked at")
    assert "limitranges" not in line and "nodes" not in line
