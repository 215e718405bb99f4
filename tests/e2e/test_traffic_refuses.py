"""What cannot be split is refused before anything is written, with words that say what to do."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from helpers.istio import destination_rule, route, to, virtual_service
from helpers.side_by_side import two_namespaces
from helpers.space import Object, Result, Space
from helpers.untouched import nothing_written
from helpers.waiting import wait_for
from helpers.without_istio import WithoutIstio
from helpers.workload import IMAGE, Workload

NEW = ("start", "web", "--image", f"{IMAGE}:v2")
ISTIO = ("--traffic", "istio")
USAGE = "See 'kubectl batchrollout start -h' for help and examples\n"

Spaces = tuple[Space, Space]


@pytest.fixture(scope="module")
def shop(cluster: None, tmp_path_factory) -> Iterator[Spaces]:
    """The Service web, and another namespace, for all tests of this module: each takes away what it adds."""
    with two_namespaces(tmp_path_factory.mktemp("shop")) as spaces:
        Workload(spaces[0], replicas=1, labels={"version": "v1"}).create()
        yield spaces


def refused(spaces: Spaces, *flags: str, as_user: Space | None = None, code: int = 1) -> Result:
    """By start, and by --dry-run in the same words."""
    user = as_user or spaces[0]
    with nothing_written(spaces[0]), nothing_written(spaces[1]):
        done = user.plugin(*NEW, *flags, "--dry-run")
        assert (done.code, done.out) == (code, ""), str(done)
        started = user.plugin(*NEW, *flags)
        assert (started.code, started.out, started.err) == (done.code, done.out, done.err)
    return done


# --- the rules of --match -------------------------------------------------------------------------------------------

BAD_RULES = {
    "": "a rule is empty",
    "query:a=b": "begins with neither cookie: nor header:",
    "header:x-user": "has no value; write header:NAME=VALUE",
    "cookie:user": "has no value; write cookie:NAME=VALUE",
    "header:x-user=": "the value is empty",
    "header:x user=a": '"x user" is not the name of a header',
    "cookie:a b=c": '"a b" is not the name of a cookie',
    "cookie:a=b c": "the value of a cookie has no ' '",
    "header:cookie=a": "for the header cookie write cookie:NAME=VALUE",
    "header:uri=/a": '"uri" is not a header to Istio',
    "header:a=1,": "begins with neither cookie: nor header:",
    "header:a=1,header:A=2": 'the header "a" is there twice',
    "header:x-user~(": "a group at character 1 is not closed",
    "header:x-user~[z-a]": "has its ends the wrong way round",
    "header:x-user~(?<=a)b": "look-behind at character 1 is not RE2",
    "header:x-user~(?=a)b": "look-ahead at character 1 is not RE2",
    r"header:x-user~(a)\1": "a back-reference at character 4 is not RE2",
    "header:x-user~a{1001}": "is more than 1000",
    "cookie:user~a;b": "a cookie's value never contains ';'",
    "header:x-user=" + "a" * 1100: "a rule has more than 1024 bytes",
}


@pytest.mark.parametrize("rule", BAD_RULES, ids=lambda rule: rule[:24])
def test_rule(shop: Spaces, rule: str):
    done = refused(shop, *ISTIO, "--match", rule, code=2)
    assert done.err.startswith("error: --match: ") and BAD_RULES[rule] in done.err, str(done)
    assert done.err.endswith(USAGE)


@pytest.mark.parametrize(
    "flags", [["--match", "header:x-user=a"], ["--sticky"], ["--virtualservice", "front"]], ids=lambda flags: flags[0]
)
@pytest.mark.parametrize("mode", ["replicas", "auto"])
def test_flag_that_needs_istio(shop: Spaces, flags: list[str], mode: str):
    done = refused(shop, "--traffic", mode, *flags, code=2)
    assert done.err.startswith(f"error: {flags[0]} needs Istio") and "--traffic istio" in done.err


# --- what is there ----------------------------------------------------------------------------------------------------


def test_cluster_without_istio(shop: Spaces):
    with WithoutIstio(shop[0]) as cluster, nothing_written(shop[0]):
        done = cluster.space.plugin(*NEW, *ISTIO)
        plan = cluster.space.plugin("plan", *NEW[1:])
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: --traffic istio: the cluster does not serve Istio's API (networking.istio.io/v1)\n"
    assert "traffic is split by the ratio of replicas: the cluster does not serve Istio's API" in plan.out, str(plan)


def test_ambient_namespace_without_a_waypoint(shop: Spaces):
    space = shop[0]
    space.kubectl("label", "namespace", space.name, "istio.io/dataplane-mode=ambient")
    try:
        done = refused(shop, *ISTIO)
        assert done.err == (
            f'error: namespace "{space.name}" is in Istio\'s ambient mode without a waypoint, so that nothing follows a '
            f"VirtualService there: set one up (`istioctl waypoint apply -n {space.name} --enroll-namespace`), or use "
            "--traffic replicas\n"
        )
        for kind, name in (("namespace", space.name), ("service", "web")):
            space.kubectl("label", kind, name, "istio.io/use-waypoint=waypoint")
            assert space.plugin("plan", *NEW[1:], *ISTIO).code == 0
            space.kubectl("label", kind, name, "istio.io/use-waypoint-")
    finally:
        space.kubectl("label", "namespace", space.name, "istio.io/dataplane-mode-")


def test_headless_service(shop: Spaces):
    space = shop[0]
    service = Workload(space).service()
    service["metadata"]["name"] = "headless"
    service["spec"]["clusterIP"] = "None"
    space.apply(service)
    try:
        with nothing_written(space):
            done = space.plugin("start", "headless", *NEW[2:], *ISTIO)
        assert (done.code, done.err) == (
            1,
            'error: service "headless" is headless: Istio cannot split its requests by weight; use --traffic replicas\n',
        )
    finally:
        space.kubectl("delete", "service", "headless")


# --- routes and rules of the user that cannot be split --------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    objects: Callable[[Spaces], list[Object]]
    message: str
    flags: tuple[str, ...] = ()


def front(*http: Object, hosts: list[str] | None = None, **spec) -> Callable[[Spaces], list[Object]]:
    """One VirtualService."""
    return lambda _: [virtual_service("front", hosts or ["web"], *deepcopy(http), **spec)]


def rules(*objects: Object) -> Callable[[Spaces], list[Object]]:
    return lambda _: list(deepcopy(objects))


SET_COOKIE = {"response": {"add": {"Set-Cookie": "theirs=1"}}}
TESTER = ("--match", "header:x-user=tester")
V1 = {"version": "v1"}

CASES: dict[str, Case] = {
    "--virtualservice that is not there": Case(
        rules(), '--virtualservice: virtualservice "back" not found in namespace "SPACE"', ("--virtualservice", "back")
    ),
    "--virtualservice without such a route": Case(
        front(route(to("web"), name="main")),
        '--virtualservice: virtualservice "front" in namespace "SPACE" has no http route with the name "beta" to service '
        '"web"',
        ("--virtualservice", "front:main,beta"),
    ),
    "--virtualservice whose route leads elsewhere": Case(
        front(route(to("other"), name="beta", match=[{"uri": {"prefix": "/b"}}]), route(to("web"), name="main")),
        'has no http route with the name "beta" to service "web"',
        ("--virtualservice", "front:beta"),
    ),
    "--virtualservice of another Service": Case(
        front(route(to("other")), hosts=["other"]),
        '--virtualservice: virtualservice "front" in namespace "SPACE" does not route to service "web"',
        ("--virtualservice", "front"),
    ),
    "--virtualservice that leaves a version's name": Case(
        lambda spaces: [
            destination_rule("web", "web", {"v1": V1}),
            virtual_service("front", ["web"], route(to("web", subset="v1"))),
            virtual_service("shop", ["shop.example"], route(to("web"))),
        ],
        'it names the subset "v1", which will have no pods in the end, and --virtualservice leaves it alone',
        ("--virtualservice", "shop"),
    ),
    "route that sets a cookie": Case(
        front(route(to("web"), headers={"response": {"set": {"set-cookie": "theirs=1"}}})),
        "it sets or removes the header Set-Cookie of answers, which --sticky needs",
        ("--sticky",),
    ),
    "destination that sets a cookie": Case(
        front(route(to("web", headers=SET_COOKIE))),
        "its destination sets the header Set-Cookie of answers, which --sticky needs",
        ("--sticky",),
    ),
    "rule on a header that a route matches by a regular expression": Case(
        front(route(to("web"), name="qa", match=[{"headers": {"x-user": {"regex": "[a-z]+x"}}}]), route(to("web"))),
        'route "qa" (spec.http[0]): it matches the header "x-user" already, by a condition that Istio cannot ',
        ("--match", "header:x-user~t.*"),
    ),
    "rule on a header that a delegating route matches": Case(
        lambda spaces: [
            virtual_service(
                "root",
                ["web"],
                {"match": [{"headers": {"x-user": {"prefix": "t"}}}], "delegate": {"name": "inner"}},
                route(to("web")),
            ),
            virtual_service("inner", [], route(to("web"))),
        ],
        'virtualservice "root", which delegates to it, matches the header "x-user" already',
        TESTER,
    ),
    "host that Istio does not complete": Case(
        lambda spaces: [virtual_service("front", [spaces[0].name + ".example"], route(to(f"web.{spaces[0].name}")))],
        'Istio does not complete the host "web.SPACE" and sends these requests nowhere; write '
        '"web.SPACE.svc.cluster.local"',
    ),
    "subset that nobody defines": Case(
        front(route(to("web", subset="v1"))), 'no DestinationRule of the Service defines the subset "v1"'
    ),
    "subset of every version": Case(
        lambda spaces: [
            destination_rule("web", "web", {"all": {"app": "web"}}),
            virtual_service("front", ["web"], route(to("web", subset="all"))),
        ],
        'the subset "all" has no label "version", so that it would select the pods of both versions',
    ),
    "VirtualService that does not route to its own Service": Case(
        front(route(to("other"))), 'is for the Service\'s host and does not route to it'
    ),
    "route with a name of a release": Case(
        front(route(to("web"), name="batchrollout-match")), 'its name begins with "batchrollout-"'
    ),
    "DestinationRule for some clients": Case(
        rules(destination_rule("web", "web", {}, workloadSelector={"matchLabels": {"app": "client"}})),
        "it has a workloadSelector",
    ),
    "DestinationRules exported differently": Case(
        rules(destination_rule("a", "web", {}), destination_rule("b", "web", {}, exportTo=["."])),
        "its exportTo differs from that of the Service's other DestinationRules",
    ),
    "DestinationRule that fewer see than the routes": Case(
        lambda spaces: [
            destination_rule("web", "web", {}, exportTo=["."]),
            virtual_service("front", ["web"], route(to("web"))),
        ],
        "clients elsewhere would not know the subsets of the release",
    ),
    "subset with a name of a release": Case(
        rules(destination_rule("web", "web", {"batchrollout-stable": V1})), "a name that belongs to releases"
    ),
    "subset of another version elsewhere": Case(
        lambda spaces: [
            destination_rule("web", "web", {"v1": V1}),
            destination_rule(
                "web", f"web.{spaces[0].name}.svc.cluster.local", {"v1": {"version": "v0"}}, namespace=spaces[1].name
            ),
        ],
        'its subset "v1" selects another version than the subset of the same name that clients elsewhere use',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_routes(shop: Spaces, name: str):
    case, space = CASES[name], shop[0]
    objects = case.objects(shop)
    if objects:
        space.apply(*objects)
    try:
        done = refused(shop, *ISTIO, *case.flags)
        assert done.err.startswith("error: ")
        assert case.message.replace("SPACE", space.name) in done.err, str(done)
    finally:
        for item in objects:
            metadata = {"namespace": space.name} | item["metadata"]
            space.kubectl("delete", item["kind"], metadata["name"], "-n", metadata["namespace"])


BAD_CHOICES = {
    "a/b/c": '"b/c" is not a name',
    "front:": "the name of a route is missing",
    "front:main,": "the name of a route is missing",
    "Front": '"Front" is not a name',
    "/front": '"" is not a name',
}


@pytest.mark.parametrize("choice", BAD_CHOICES)
def test_choice(shop: Spaces, choice: str):
    done = refused(shop, *ISTIO, "--virtualservice", choice, code=2)
    assert done.err.startswith("error: --virtualservice: ") and BAD_CHOICES[choice] in done.err
    assert done.err.endswith(USAGE)


def test_choice_that_is_there_twice(shop: Spaces):
    done = refused(shop, *ISTIO, "--virtualservice", "front:a", "--virtualservice", "front:b", code=2)
    assert "this VirtualService is named twice; give all its routes at once" in done.err


# --- rights -----------------------------------------------------------------------------------------------------------

WRITE = ["create", "patch", "delete"]
READ = ["get", "list", "watch"]


def user_without_rights_elsewhere(space: Space, directory) -> Space:
    """May do anything at home, and see Istio's objects everywhere."""
    user = space.service_account("releaser", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], directory)
    name = f"reader-of-{space.name}"
    role = [{"apiGroups": ["networking.istio.io"], "resources": ["*"], "verbs": READ}]
    subject = {"kind": "ServiceAccount", "name": "releaser", "namespace": space.name}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    space.apply(
        kind | {"kind": "ClusterRole", "rules": role},
        kind | {"kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
    )
    return user


def test_rights_that_miss_in_another_namespace(shop: Spaces, tmp_path):
    """The server is asked by dry runs, so that nothing is half done."""
    space, elsewhere = shop
    host = f"web.{space.name}.svc.cluster.local"
    user = user_without_rights_elsewhere(space, tmp_path)
    objects = {
        ("patch", "virtualservices"): virtual_service("front", [host], route(to(host)), namespace=elsewhere.name),
        ("create", "destinationrules"): destination_rule("web", host, {}, namespace=elsewhere.name),
    }
    try:
        for (verb, resource), item in objects.items():
            space.apply(item)
            done = refused(shop, *ISTIO, as_user=user)
            assert "Error from server (Forbidden): " in done.err
            assert f'cannot {verb} resource "{resource}" in API group "networking.istio.io" in the namespace ' in done.err
            assert f'"{elsewhere.name}"' in done.err
            space.kubectl("delete", item["kind"], item["metadata"]["name"], "-n", elsewhere.name)
        # Without them, this user's rights are enough.
        assert user.plugin(*NEW, *ISTIO, "--dry-run").code == 0
    finally:
        space.kubectl("delete", "clusterrole,clusterrolebinding", f"reader-of-{space.name}")


def test_admission_refuses_the_split_routes(shop: Spaces):
    """What istiod's webhook says of a later state of a route is heard before the first write."""
    space = shop[0]
    policy: Object = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": space.name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
                "resourceRules": [
                    {
                        "apiGroups": ["networking.istio.io"],
                        "apiVersions": ["v1"],
                        "operations": ["UPDATE"],
                        "resources": ["virtualservices"],
                    }
                ],
            },
            "validations": [{"expression": "false", "message": "routes are frozen"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": space.name},
        "spec": {"policyName": space.name, "validationActions": ["Deny"]},
    }
    space.apply(virtual_service("front", ["web"], route(to("web"))))
    try:
        space.apply(policy, binding)
        probe = ("annotate", "virtualservice", "front", "a=b", "--overwrite", "--dry-run=server")
        wait_for("the policy to be in force", lambda: space.kubectl(*probe, check=False).code != 0)
        done = refused(shop)
        assert "virtualservice.networking.istio.io/front" in done.err and "routes are frozen" in done.err, str(done)
    finally:
        space.kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", space.name)
        space.kubectl("delete", "virtualservice", "front")
