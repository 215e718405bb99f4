"""Releases of what Argo CD, Flux or Helm manage: what is said before, what of their work is noticed, what to commit."""

import json
from collections.abc import Callable

import pytest
import yaml
from helpers.cutter import Cutter
from helpers.istio import route, to, virtual_service
from helpers.restored import assert_restored
from helpers.snapshot import snapshot
from helpers.space import Object, Result, Space
from helpers.untouched import nothing_written
from helpers.workload import IMAGE, Workload

NEW = ("--image", f"{IMAGE}:v2", "--batches", "2", "--settle", "0")
ARGO = "Argo CD application shop"
AUTOSCALER = "horizontalpodautoscaler.autoscaling/web"
BACK = (
    "{who} manages it and seems to have put it back: keep it from that, as `kubectl batchrollout plan` and "
    "docs/gitops.md say, before you go on"
)


def tracked(item: Object, namespace: str) -> Object:
    """With Argo CD's annotation, as it writes it."""
    group = item["apiVersion"].split("/")[0]
    name = item["metadata"]["name"]
    tracking = f"shop:{group}/{item['kind']}:{namespace}/{name}"
    item["metadata"].setdefault("annotations", {})["argocd.argoproj.io/tracking-id"] = tracking
    return item


def sync(space: Space, *items: Object, writer: str = "argocd-controller") -> None:
    """What such a tool does: everything as Git has it."""
    text = "\n---\n".join(yaml.safe_dump(item) for item in items)
    space.kubectl(
        "apply", "--server-side", "--force-conflicts", f"--field-manager={writer}", "--filename", "-", input=text
    )


class Shop:
    """A Deployment, a Service and a route that Argo CD has synced."""

    def __init__(self, space: Space):
        self.space = space
        self.web = Workload(space, replicas=4, mesh=True)
        self.deployment = tracked(self.web.deployment(), space.name)
        self.route = tracked(virtual_service("web", ["web"], route(to("web"))), space.name)
        sync(space, self.deployment, self.web.service(), self.route)
        self.web.wait_rolled_out()

    def run(self, *args: str) -> Result:
        return self.space.plugin(*args)


@pytest.fixture
def shop(space: Space) -> Shop:
    return Shop(space)


def application(said: str) -> Object:
    """The YAML in what is said."""
    start = said.index("\nspec:\n") + 1
    return yaml.safe_load(said[start : said.index("\nor, until", start)])["spec"]


def test_argo_cd_is_told_what_to_ignore(shop: Shop):
    with nothing_written(shop.space):
        plan = shop.run("plan", "web", *NEW)
    assert plan.code == 0, str(plan)
    assert (
        f"\ndeployment.apps/web and virtualservice.networking.istio.io/web are managed by {ARGO}, which undoes the "
        "release where it heals by itself" in plan.out
    )
    spec = application(plan.out)
    name = {"name": "web", "namespace": shop.space.name}
    assert spec == {
        "ignoreDifferences": [
            {"group": "apps", "kind": "Deployment"}
            | name
            | {
                "jsonPointers": ["/spec/replicas", "/spec/paused", "/spec/template/metadata/labels/version"],
                "jqPathExpressions": ['.spec.template.spec.containers[] | select(.name == "web") | .image'],
            },
            {"group": "networking.istio.io", "kind": "VirtualService"} | name | {"jsonPointers": ["/spec/http"]},
        ],
        "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]},
    }
    start = shop.run("start", "web", *NEW)
    assert start.code == 0 and application(start.err) == spec, str(start)


def differing(before: Object, after: Object, path: str = "") -> set[str]:
    """JSON pointers of what differs, down to lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = before.keys() | after.keys()
        return set().union(*(differing(before.get(k), after.get(k), f"{path}/{k}") for k in keys))
    return set() if before == after else {path}


def autoscaler(space: Space, minimum: int) -> Object:
    """One that Argo CD manages. Nobody serves its metric, but the minimum counts all the same."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": minimum,
        "maxReplicas": 6,
        "metrics": [{"type": "Resource", "resource": cpu}],
    }
    metadata: Object = {"name": "web"}
    kind = "HorizontalPodAutoscaler"
    return tracked({"apiVersion": "autoscaling/v2", "kind": kind, "metadata": metadata, "spec": spec}, space.name)


def test_nothing_else_differs_at_any_pause(shop: Shop):
    """What Argo CD is told to ignore is all that a release changes in what it manages."""
    sync(shop.space, autoscaler(shop.space, minimum=4))
    said = application(shop.run("plan", "web", *NEW).out)
    allowed = {i["kind"]: set(i["jsonPointers"]) for i in said["ignoreDifferences"]}
    # The one container's image.
    allowed["Deployment"].add("/spec/template/spec/containers")
    assert allowed["HorizontalPodAutoscaler"] == {"/spec/minReplicas", "/spec/behavior"}
    before = {kind: shop.space.get(kind, "web")["spec"] for kind in allowed}

    def assert_allowed() -> None:
        for kind, pointers in allowed.items():
            assert differing(before[kind], shop.space.get(kind, "web")["spec"], "/spec") <= pointers | {
                "/spec/template/metadata/labels/version"
            }

    for command in (("start", "web", *NEW), ("next", "web")):
        assert shop.run(*command).code == 0
        assert_allowed()
    assert "completed" in shop.run("status", "web").out


def test_argo_cd_is_told_of_what_a_swap_deletes(shop: Shop):
    """No field of what is missing can be ignored."""
    plan = shop.run("plan", "web", *NEW, "--handover", "swap")
    assert plan.code == 0 and "ignoreDifferences" not in plan.out, str(plan)
    assert (
        "\ndeployment.apps/web and virtualservice.networking.istio.io/web are managed by "
        f"{ARGO}, which undoes the release where it heals by itself, or is synced meanwhile. Until the result is "
        "committed: argocd app set shop --sync-policy none\n"
        "deployment.apps/web is deleted at the end; what syncs makes it again: commit deployment.apps/web-v2 in its "
        "place before automatic syncs are switched on\n"
    ) in plan.out, str(plan)


def test_what_to_commit_after_a_swap(shop: Shop):
    sync(shop.space, autoscaler(shop.space, minimum=4))
    done = shop.run("start", "web", *NEW, "--handover", "swap", "--pause", "none")
    assert done.code == 0, str(done)
    assert "\n- deployment.apps/web-v2 in place of deployment.apps/web, with its selector\n" in done.out
    assert f"\n- {AUTOSCALER}: it scales deployment.apps/web-v2 now (spec.scaleTargetRef)\n" in done.out
    # As the next sync would do.
    sync(shop.space, shop.deployment)
    status = shop.run("status", "web").out
    assert "deployment.apps/web, which the release has deleted, is there again: somebody else made it" in status
    assert BACK.format(who=ARGO) in status


def test_what_to_commit(shop: Shop):
    assert "commit" not in shop.run("start", "web", *NEW).out
    done = shop.run("next", "web")
    assert done.code == 0 and done.out.endswith(
        f"\ncommit the new version, or {ARGO} will bring the old one back:\n"
        f'- deployment.apps/web: the image of container "web" is {IMAGE}:v2\n'
        "- deployment.apps/web: the label version of the pod template is v2\n"
    ), str(done)


def test_nothing_to_commit_after_an_abort(shop: Shop):
    before = snapshot(shop.space)
    shop.run("start", "web", *NEW)
    done = shop.run("abort", "web")
    assert done.code == 0 and "commit" not in done.out
    assert_restored(before, shop.space)


def edit_image(deployment: Object) -> Object:
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = f"{IMAGE}:v0"
    return deployment


def test_a_synced_template_is_noticed(shop: Shop):
    """Git got another version meanwhile."""
    assert shop.run("start", "web", *NEW).code == 0
    sync(shop.space, edit_image(shop.deployment))
    done = shop.run("next", "web")
    assert done.code == 6, str(done)
    assert "the pod template of deployment.apps/web was changed by somebody else" in done.err
    assert f"\n{BACK.format(who=ARGO)}\n" in done.err
    assert BACK.format(who=ARGO) in shop.run("status", "web").out


def test_a_synced_route_is_noticed_and_not_fought(shop: Shop):
    assert shop.run("start", "web", *NEW).code == 0
    sync(shop.space, shop.route)
    synced = shop.space.get("virtualservice", "web")["spec"]
    done = shop.run("next", "web")
    assert done.code == 6, str(done)
    assert "virtualservice.networking.istio.io/web" in done.err and f"\n{BACK.format(who=ARGO)}\n" in done.err
    assert shop.space.get("virtualservice", "web")["spec"] == synced
    # What is as before the release is no obstacle to an abort.
    assert shop.run("abort", "web").code == 0


def test_a_synced_autoscaler_is_noticed(shop: Shop):
    """It is frozen again by the next step, and nothing was scaled for it: stable has as many as its minimum."""
    item = autoscaler(shop.space, minimum=2)
    sync(shop.space, item)
    assert shop.run("start", "web", *NEW).code == 0
    sync(shop.space, item)
    assert shop.space.get("hpa", "web")["spec"]["minReplicas"] == 2
    assert (
        f"{AUTOSCALER} was frozen, and somebody else has changed that: it scales deployment.apps/web again\n"
        f"{BACK.format(who=ARGO)}\n"
    ) in shop.run("status", "web").out
    done = shop.run("next", "web")
    assert done.code == 0, str(done)
    spec = shop.space.get("hpa", "web")["spec"]
    assert spec["minReplicas"] == 2 and "behavior" not in spec


def test_synced_replicas_are_told_and_no_obstacle(shop: Shop):
    assert shop.run("start", "web", *NEW).code == 0
    assert "was scaled to" not in shop.run("status", "web").out
    sync(shop.space, shop.deployment)
    assert shop.space.get("deployment", "web")["spec"]["replicas"] == 4
    told = f"deployment.apps/web was scaled to 4 by somebody else; batch 1 leaves it 2\n{BACK.format(who=ARGO)}"
    assert f"{told}\n" in shop.run("status", "web").out
    conditions = shop.run("status", "web", "-o", "json").json()["status"]["conditions"]
    changed = next(c for c in conditions if c["type"] == "ChangedByOthers")
    assert (changed["status"], changed["message"]) == ("True", told)
    done = shop.run("next", "web")
    assert done.code == 0 and "completed" in done.out, str(done)


def deletes_web(request: bytes) -> bool:
    method, target = request.split(b" ")[:2]
    return method == b"DELETE" and target.split(b"?")[0].endswith(b"/deployments/web")


def test_what_a_swap_has_deleted_is_not_deleted_again(shop: Shop):
    """Argo CD makes it again before the release has ended."""
    before = {kind: shop.space.get(kind, "web")["spec"] for kind in ("deployment", "virtualservice")}
    assert shop.run("start", "web", *NEW, "--handover", "swap").code == 0
    with Cutter(shop.space, 1, before=False, counts=deletes_web) as cutter:
        done = cutter.run("next", "web")
    assert done.code == -9 and not shop.space.exists("deployment", "web"), str(done)
    sync(shop.space, shop.deployment)
    shop.web.wait_rolled_out()
    made = shop.space.get("deployment", "web")
    done = shop.run("next", "web")
    assert done.code == 6, str(done)
    assert "deployment.apps/web was deleted and made again by somebody else during the release" in done.err
    assert f"\n{BACK.format(who=ARGO)}\n" in done.err
    assert BACK.format(who=ARGO) in shop.run("status", "web").out
    now = shop.space.get("deployment", "web")
    assert (now["metadata"]["uid"], now["spec"]) == (made["metadata"]["uid"], made["spec"])
    done = shop.run("abort", "web")
    assert done.code == 0, str(done)
    assert {kind: shop.space.get(kind, "web")["spec"] for kind in before} == before
    assert not shop.space.exists("deployment", "web-v2")


def test_somebody_else_is_named_where_it_was_not_the_tool(shop: Shop):
    assert shop.run("start", "web", *NEW).code == 0
    edited = json.dumps([{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 1}])
    shop.space.kubectl(
        "patch", "virtualservice", "web", "--type=json", "--field-manager=kubectl-edit", "--patch", edited
    )
    done = shop.run("next", "web")
    assert done.code == 6, str(done)
    assert f"(the last to write it was kubectl-edit, and not {ARGO}, which manages it)" in done.err


FLUX_LABELS = {"name": "apps", "namespace": "flux-system"}
MARKS: dict[str, tuple[Callable[[Object], None], str]] = {
    "Argo CD by its label": (
        lambda m: m.update(labels={"argocd.argoproj.io/instance": "shop"}),
        f"is managed by {ARGO}, which undoes",
    ),
    "Argo CD by the label of charts": (
        lambda m: m.update(labels={"app.kubernetes.io/instance": "shop"}),
        f"is managed by {ARGO}, which undoes",
    ),
    "Flux": (
        lambda m: m.update(labels={f"kustomize.toolkit.fluxcd.io/{k}": v for k, v in FLUX_LABELS.items()}),
        "is managed by Flux kustomization flux-system/apps, which undoes the release when it reconciles the next time. "
        "Until the result is committed: flux suspend kustomization apps -n flux-system\n"
        "(afterwards: flux resume kustomization apps -n flux-system)\n",
    ),
    "Flux and Helm": (
        lambda m: m.update(labels={f"helm.toolkit.fluxcd.io/{k}": v for k, v in FLUX_LABELS.items()}),
        "is managed by Flux helmrelease flux-system/apps, which undoes the release at an upgrade",
    ),
    "Helm": (
        lambda m: m.update(
            labels={"app.kubernetes.io/managed-by": "Helm"},
            annotations={"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
        ),
        "is managed by Helm release shop/web: no `helm upgrade web -n shop` until the release has ended\n",
    ),
}


@pytest.mark.parametrize("mark", MARKS)
def test_marks(space: Space, mark: str):
    edit, expected = MARKS[mark]
    web = Workload(space, replicas=1)
    deployment = web.deployment()
    edit(deployment["metadata"])
    sync(space, deployment, web.service())
    web.wait_rolled_out()
    plan = space.plugin("plan", "web", *NEW)
    assert plan.code == 0 and f"\ndeployment.apps/web {expected}" in plan.out, str(plan)


def test_label_of_charts_alone_says_nothing(space: Space):
    web = Workload(space, replicas=1)
    deployment = web.deployment()
    deployment["metadata"]["labels"] = {"app.kubernetes.io/instance": "shop"}
    space.apply(deployment, web.service())
    web.wait_rolled_out()
    plan = space.plugin("plan", "web", *NEW)
    assert plan.code == 0 and "managed by" not in plan.out
