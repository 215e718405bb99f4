"""What cannot be released is refused with an error of its own, and nothing is written."""

import json
import uuid
from collections.abc import Callable, Iterator

import pytest
import yaml
from helpers.space import Object, Result, Space
from helpers.untouched import nothing_written
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

NEW = ("--image", f"{IMAGE}:v2")
USAGE = "See 'kubectl batchrollout start -h' for help and examples\n"


@pytest.fixture(scope="module")
def shop(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """A namespace with a good workload, for all tests of this module: each leaves it as it was."""
    space = Space.of(f"test-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("shop"))
    space.kubectl("create", "namespace", space.name)
    Workload(space, replicas=2).create()
    yield space
    space.kubectl("delete", "namespace", space.name, "--wait=false")


def start(space: Space, *args: str, service: str = "web", input: str | None = None) -> Result:
    with nothing_written(space):
        done = space.plugin("start", service, *args, input=input)
    assert done.out == "", str(done)
    return done


def assert_refused(done: Result, message: str, code: int = 1) -> None:
    assert done.code == code, str(done)
    assert done.err == f"error: {message}\n{USAGE if code == 2 else ''}"


# --- the flags ------------------------------------------------------------------------------------------------------

BAD_FLAGS = {
    "nothing to release": ([], "say what to release: either --image or -f"),
    "image and file": ([*NEW, "-f", "/dev/null"], "say what to release: either --image or -f"),
    "empty image": (["--image", ""], '--image "" is not [CONTAINER=]IMAGE'),
    "container without image": (["--image", "web="], '--image "web=" is not [CONTAINER=]IMAGE'),
    "image without container": (["--image", "=a:b"], '--image "=a:b" is not [CONTAINER=]IMAGE'),
    "image with a space": (["--image", "a b:c"], '--image "a b:c" is not [CONTAINER=]IMAGE'),
    "image without tag": (
        ["--image", IMAGE],
        f'image "{IMAGE}" has no tag to name the version by: use --version',
    ),
    "image by digest": (
        ["--image", f"{IMAGE}@sha256:{'0' * 64}"],
        f'image "{IMAGE}@sha256:{"0" * 64}" has no tag to name the version by: use --version',
    ),
    "batches no number": ([*NEW, "--batches", "x"], '--batches: "x" is not a whole number from 1 to 100'),
    "no batches": ([*NEW, "--batches", "0"], '--batches: "0" is not a whole number from 1 to 100'),
    "too many batches": ([*NEW, "--batches", "101"], '--batches: "101" is not a whole number from 1 to 100'),
    "fraction of a batch": ([*NEW, "--batches", "1.5"], '--batches: "1.5" is not a whole number from 1 to 100'),
    "batches and steps": ([*NEW, "--batches", "2", "--steps", "100%"], "--batches and --steps exclude each other"),
    "empty steps": ([*NEW, "--steps", ""], None),
    "step of nothing": ([*NEW, "--steps", "0,100%"], None),
    "step too many replicas": ([*NEW, "--steps", "3,100%"], None),
    "step over 100 %": ([*NEW, "--steps", "101%"], None),
    "step no number": ([*NEW, "--steps", "many"], None),
    "step of two weights": ([*NEW, "--traffic", "istio", "--steps", "1@5%@5%,100%"], None),
    "weight without percent": ([*NEW, "--traffic", "istio", "--steps", "1@5,100%"], None),
    "descending steps": ([*NEW, "--steps", "100%,1"], '--steps: step 2: "1" is less than the step before it'),
    "last step not everything": (
        [*NEW, "--steps", "1"],
        '--steps: the last step must be everything, 100%, not "1"',
    ),
    "weight apart without Istio": (
        [*NEW, "--traffic", "replicas", "--steps", "1@5%,100%"],
        '--steps: step 1: "1@5%": a weight apart from the replicas needs Istio or the Gateway API; without them the '
        "ratio of replicas is the weight",
    ),
    "traffic": ([*NEW, "--traffic", "x"], '--traffic: "x" is not one of auto, istio, gateway, replicas'),
    "pause": ([*NEW, "--pause", "last"], '--pause: "last" is not one of each, first, none'),
    "settle": ([*NEW, "--settle", "2"], '--settle: "2" is not a duration like 500ms, 2s, 1m30s or 1h'),
    "timeout": ([*NEW, "--timeout", "-1s"], '--timeout: "-1s" is not a duration like 500ms, 2s, 1m30s or 1h'),
    "no timeout": ([*NEW, "--timeout", "0"], "--timeout: must be more than 0"),
    "same name": (["--image", "registry.test/other:v1"], None),
    "version no label": ([*NEW, "--version", "a/b"], None),
    "version too long": ([*NEW, "--version", "v" * 64], None),
    "empty version": ([*NEW, "--version", ""], None),
    "unknown flag": ([*NEW, "--bathces", "2"], None),
    "abbreviated flag": ([*NEW, "--batch", "2"], None),
}


@pytest.mark.parametrize("case", BAD_FLAGS)
def test_flags(shop: Space, case: str):
    flags, message = BAD_FLAGS[case]
    done = start(shop, *flags)
    print(done)
    assert done.code == 2, str(done)
    assert done.err.startswith("error: ") and done.err.endswith(USAGE)
    if message is not None:
        assert_refused(done, message, 2)


# --- the target -----------------------------------------------------------------------------------------------------


def assert_target_refused(space: Space, message: str, *flags: str, service: str = "web") -> None:
    """By `start`, and by what only shows what it would do."""
    assert_refused(start(space, *NEW, *flags, service=service), message)
    for other in (("plan", service, *NEW, *flags), ("start", service, *NEW, *flags, "--dry-run")):
        done = space.plugin(*other)
        assert done.out == ""
        assert_refused(done, message)


def test_service_that_is_not_there(shop: Space):
    assert_target_refused(shop, f'service "none" not found in namespace "{shop.name}"', service="none")


@pytest.mark.parametrize("name", ["deployment/web", "svc/web/x", "svc/", "Web", "-", "web_1"])
def test_name_that_is_no_service(shop: Space, name: str):
    done = start(shop, *NEW, service=name)
    assert done.code == 2, str(done)
    assert done.err.startswith("error: ")


@pytest.mark.parametrize("arguments", [[], ["web", "other"]])
def test_number_of_arguments(shop: Space, arguments: list[str]):
    with nothing_written(shop):
        assert shop.plugin("start", *arguments, *NEW).code == 2


def service(name: str, **spec) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]} | spec}


def test_service_without_selector(shop: Space):
    shop.apply(service("bare"))
    assert_target_refused(
        shop, 'service "bare" has no selector: its Deployment cannot be found', service="bare"
    )


def test_service_of_type_external_name(shop: Space):
    shop.apply(service("outside", type="ExternalName", externalName="example.com", selector={"app": "web"}))
    assert_target_refused(
        shop, 'service "outside" is of type ExternalName: there are no pods behind it', service="outside"
    )


def test_service_without_deployment(shop: Space):
    shop.apply(service("lonely", selector={"app": "nobody"}))
    assert_target_refused(shop, 'no Deployment is behind service "lonely"', service="lonely")


def test_several_deployments(space: Space):
    Workload(space, replicas=1, labels={"part-of": "shop"}).create()
    Workload(space, name="admin", replicas=1, labels={"part-of": "shop"}).create()
    space.apply(service("shop", selector={"part-of": "shop"}))
    assert_target_refused(
        space, '2 Deployments are behind service "shop" (admin, web): choose one with --deployment', service="shop"
    )
    assert_target_refused(
        space,
        'deployment "api" is not behind service "shop"; there is: admin, web',
        "--deployment=api",
        service="shop",
    )
    chosen = space.plugin("plan", "shop", *NEW, "--deployment", "web", check=True)
    assert chosen.out.startswith("service/shop: deployment.apps/web, v1 to v2, 1 replica\n")


def refused_workload(space: Space, change: Callable[[Object], None], message: str) -> None:
    web = Workload(space, replicas=1)
    deployment = web.deployment()
    change(deployment)
    space.apply(deployment, web.service())
    wait_for("the controller", lambda: "observedGeneration" in space.get("deployment", "web")["status"])
    assert_target_refused(space, message)


def test_deployment_of_0_replicas(space: Space):
    refused_workload(
        space,
        lambda d: d["spec"].update(replicas=0),
        'deployment "web" has 0 replicas: nothing serves, there is nothing to release in batches',
    )


def test_paused_deployment(space: Space):
    refused_workload(
        space,
        lambda d: d["spec"].update(paused=True),
        'deployment "web" is paused: `kubectl rollout resume deployment/web` first',
    )


def test_deployment_of_another_controller(space: Space):
    space.kubectl("create", "configmap", "owner")
    owner = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": space.get("configmap", "owner")["metadata"]["uid"],
        "controller": True,
    }
    refused_workload(
        space,
        lambda d: d["metadata"].update(ownerReferences=[owner]),
        'deployment "web" is owned by ConfigMap/owner, which would undo what a release changes',
    )


def test_selector_by_the_absence_of_the_version(space: Space):
    def change(deployment: Object) -> None:
        deployment["spec"]["selector"]["matchExpressions"] = [{"key": "version", "operator": "DoesNotExist"}]

    refused_workload(
        space,
        change,
        'deployment "web" selects its pods by the absence of the label "version", which a release gives them',
    )


def test_deployment_whose_pods_are_not_ready(space: Space):
    web = Workload(space, replicas=2).create()
    pod = space.pods()[0]["metadata"]["name"]
    space.kubectl("annotate", "pod", pod, "batchrollout.test/not-ready=true")
    wait_for("the pod", lambda: space.get("deployment", "web")["status"].get("availableReplicas") == 1)
    assert_target_refused(
        space, 'deployment "web" has 1 of 2 pods available: what runs now must be healthy before a release'
    )
    space.kubectl("annotate", "pod", pod, "batchrollout.test/not-ready-")
    web.wait_rolled_out()
    assert space.plugin("plan", "web", *NEW).code == 0


def test_deployment_in_the_middle_of_a_rollout(space: Space):
    Workload(space, replicas=2).create()
    space.kubectl("set", "image", "deployment/web", f"web={IMAGE}:v3-notready")
    wait_for("the rollout", lambda: space.get("deployment", "web")["status"]["replicas"] == 3)
    assert_target_refused(
        space,
        'deployment "web" is in the middle of a rollout: wait for `kubectl rollout status deployment/web`',
    )


def test_autoscaled_deployment(space: Space):
    Workload(space, replicas=1).create()
    space.kubectl("autoscale", "deployment/web", "--name=scaler", "--min=1", "--max=3", "--cpu=80%")
    wait_for("the autoscaler's first look", lambda: "conditions" in space.get("hpa", "scaler").get("status", {}))
    assert_refused(
        start(space, *NEW, "--hpa", "refuse"),
        'horizontalpodautoscaler.autoscaling/scaler scales deployment "web" and would fight the release; --hpa freeze '
        "holds it still until the end",
    )
    # One of another Deployment is in nobody's way.
    target = [{"op": "replace", "path": "/spec/scaleTargetRef/name", "value": "other"}]
    space.kubectl("patch", "hpa", "scaler", "--type=json", "--patch", json.dumps(target))
    assert space.plugin("plan", "web", *NEW, "--hpa", "refuse").code == 0


def test_name_of_the_copy_is_taken(space: Space):
    Workload(space, replicas=1).create()
    Workload(space, name="web-v2", replicas=1).create()
    assert_target_refused(
        space,
        'deployment.apps/web-v2 exists already, and the copy of deployment "web" would have this name: delete it, or '
        "choose another --version",
    )
    assert space.plugin("plan", "web", *NEW, "--version", "v2b").code == 0


def test_server_refuses_the_name_of_the_copy(shop: Space):
    done = start(shop, *NEW, "--version", "v..2")
    assert done.code in (1, 2)
    assert 'web-v..2' in done.err


def test_admission_refuses_the_copy(space: Space):
    Workload(space, replicas=1).create()
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": space.name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
                "resourceRules": [
                    {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
                ],
            },
            "validations": [{"expression": "false", "message": "no new Deployments on a Friday"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": space.name},
        "spec": {"policyName": space.name, "validationActions": ["Deny"]},
    }
    try:
        space.apply(policy, binding)
        probe = ("create", "deployment", "probe", "--image=a:b", "--dry-run=server")
        wait_for("the policy to be in force", lambda: space.kubectl(*probe, check=False).code != 0)
        done = start(space, *NEW)
        assert done.code == 1
        assert done.err.startswith('The deployments "web-v2" is invalid: ValidatingAdmissionPolicy ')
        assert done.err.endswith("denied request: no new Deployments on a Friday\n")
    finally:
        space.kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", space.name)


def test_release_on_its_way(space: Space):
    Workload(space, replicas=2).create()
    space.plugin("start", "web", *NEW, "--batches", "2", "--settle", "0", check=True)
    message = (
        'service "web" has a release to v2 on its way (Paused, batch 1 of 2): go on with `kubectl batchrollout next '
        f"web -n {space.name}`, or `kubectl batchrollout abort web -n {space.name}`"
    )
    for image in (f"{IMAGE}:v2", f"{IMAGE}:v3"):
        assert_refused(start(space, "--image", image), message, 5)


# --- the new version ------------------------------------------------------------------------------------------------


def test_nothing_new(shop: Space):
    assert_refused(
        start(shop, "--image", f"{IMAGE}:v1", "--version", "v2"),
        'nothing to release: deployment "web" has this template already',
    )
    assert_refused(
        start(shop, "--image", f"{IMAGE}:v1"),
        'nothing to release: deployment "web" has this template already',
    )


def test_unknown_container(shop: Space):
    assert_refused(
        start(shop, "--image", f"sidecar={IMAGE}:v2"), 'deployment "web" has no container "sidecar"; there is: web'
    )


def test_container_that_has_to_be_named(space: Space):
    web = Workload(space, replicas=1)
    deployment = web.deployment()
    deployment["spec"]["template"]["spec"]["containers"].append({"name": "log", "image": "registry.test/log:v1"})
    space.apply(deployment, web.service())
    web.wait_rolled_out()
    assert_refused(
        start(space, "--image", "registry.test/new:v2"),
        'deployment "web" has several containers (web, log): say which with --image CONTAINER=IMAGE',
    )
    # The repository tells which.
    plan = space.plugin("plan", "web", "--image", "registry.test/log:v2", check=True)
    assert plan.out.startswith("service/web: deployment.apps/web, v1 to v2, 1 replica\n")


def manifest(shop: Space, change: Callable[[Object], None]) -> str:
    deployment = Workload(shop, image=f"{IMAGE}:v2").deployment()
    change(deployment)
    return yaml.safe_dump(deployment)


FILES: dict[str, tuple[Callable[[Object], object], str]] = {
    "another name": (
        lambda d: d["metadata"].update(name="shop"),
        '-f: there is no Deployment "web" in the file',
    ),
    "another kind": (lambda d: d.update(kind="StatefulSet"), '-f: there is no Deployment "web" in the file'),
    "old version": (
        lambda d: d.update(apiVersion="extensions/v1beta1"),
        '-f: Deployment "web" is not of apiVersion apps/v1',
    ),
    "no template": (lambda d: d["spec"].pop("template"), '-f: Deployment "web" has no spec.template'),
    "other labels": (
        lambda d: d["spec"]["template"]["metadata"].update(labels={"app": "shop"}),
        '-f: the labels of the pod template do not match the selector of deployment "web"',
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_files(shop: Space, case: str):
    change, message = FILES[case]
    assert_refused(start(shop, "-f", "-", input=manifest(shop, change)), message)


def test_template_that_the_server_refuses(shop: Space):
    text = manifest(shop, lambda d: d["spec"]["template"]["spec"].pop("containers"))
    done = start(shop, "-f", "-", "--version", "v2", input=text)
    assert done.code == 1
    assert done.err == 'The Deployment "web-v2" is invalid: spec.template.spec.containers: Required value\n'


@pytest.mark.parametrize(
    "text", ["", "a: [", "{", "kind: Deployment\n\tmetadata: {}", "- 1\n- 2\n", "\x00", "a: *x", json.dumps("web")]
)
def test_files_that_are_none(shop: Space, text: str):
    done = start(shop, "-f", "-", "--version", "v2", input=text)
    assert done.code in (1, 2), str(done)
    assert done.err.startswith("error: -f") and done.err.count("\n") == 1, done.err


def test_values_in_a_file_are_not_told(shop: Space):
    """There may be a Secret beside the Deployment, and messages end in logs."""
    text = "kind: Secret\nstringData:\n  password: *hunter2\n"
    assert_refused(
        start(shop, "-f", "-", "--version", "v2", input=text),
        "-f -: yaml: line 3, column 13: an alias of an unknown anchor (text that begins with * needs quotes)",
    )


def test_file_that_is_not_there(shop: Space):
    done = start(shop, "-f", "/nowhere/web.yaml")
    assert done.code == 1
    assert done.err.startswith("error: -f: open /nowhere/web.yaml: ") and done.err.endswith(": No such file or directory\n")
