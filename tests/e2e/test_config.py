"""New contents for ConfigMaps and Secrets (--config): copies for the new version, the user's own stay as they are."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from helpers.cutter import Cutter, is_write
from helpers.restored import wait_until_drained
from helpers.snapshot import KINDS, assert_same, snapshot
from helpers.space import Object, Space
from helpers.untouched import nothing_written
from helpers.workload import IMAGE, Workload

FAST = ("--settle", "0", "--batches", "2")
PASSWORD = "correct-horse-battery"
ENCODED = base64.b64encode(PASSWORD.encode()).decode()


def config_map(mode: str, name: str = "settings") -> Object:
    metadata = {"name": name, "labels": {"team": "shop"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mode": mode}}


def secret(password: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token"},
        "stringData": {"password": password},
    }


class Configured(Workload):
    """Its pods have a ConfigMap as a volume and a value of a Secret in their environment."""

    def deployment(self) -> Object:
        deployment = super().deployment()
        pod = deployment["spec"]["template"]["spec"]
        pod["volumes"] = [{"name": "settings", "configMap": {"name": "settings"}}]
        container = pod["containers"][0]
        container["volumeMounts"] = [{"name": "settings", "mountPath": "/etc/settings"}]
        reference = {"name": "token", "key": "password"}
        container["env"] = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": reference}}]
        return deployment


@pytest.fixture
def web(space: Space) -> Configured:
    space.apply(config_map("old"), secret("old-password"))
    web = Configured(space, replicas=2, drain_ms=100)
    web.create()
    wait_until_drained(space)
    return web


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write(*documents: Object | str) -> str:
        file = tmp_path / "config.yaml"
        file.write_text("\n---\n".join(d if isinstance(d, str) else yaml.safe_dump(d) for d in documents))
        return str(file)

    return write


def everything(space: Space) -> dict[str, Object]:
    return snapshot(space, f"{KINDS},secrets")


def configuration(space: Space) -> set[str]:
    return {key for key in everything(space) if key.startswith(("ConfigMap/", "Secret/"))}


def named(space: Space, deployment: str = "web") -> tuple[str, str]:
    """The ConfigMap and the Secret that the pod template names."""
    pod = space.get("deployment", deployment)["spec"]["template"]["spec"]
    env = pod["containers"][0]["env"][0]
    return pod["volumes"][0]["configMap"]["name"], env["valueFrom"]["secretKeyRef"]["name"]


def release(space: Space, version: str, *args: str) -> None:
    start = space.plugin("start", "web", "--version", version, *args, *FAST, "--pause", "none", check=True)
    assert f"runs {version}" in start.out, str(start)
    wait_until_drained(space)


OWN = {"ConfigMap/settings", "Secret/token"}


def test_plan_says_which_copies_there_will_be(space, web, write):
    file = write(config_map("new"), secret(PASSWORD))
    with nothing_written(space):
        plan = space.plugin("plan", "web", "--image", f"{IMAGE}:v2", "--config", file, check=True)
    assert "makes configmap/settings-v2 for v2, with new contents for settings\n" in plan.out
    assert "makes secret/token-v2 for v2, with new contents for token\n" in plan.out
    assert "the configuration of the new version is there: configmap/settings-v2, secret/token-v2\n" in plan.out
    assert PASSWORD not in plan.out + plan.err and ENCODED not in plan.out + plan.err


def test_new_version_gets_copies(space, web, write):
    before = everything(space)
    file = write(config_map("new"), secret(PASSWORD))
    space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--config", file, *FAST, check=True)
    assert named(space) == ("settings", "token")
    assert named(space, "web-v2") == ("settings-v2", "token-v2")
    copy = space.get("configmap", "settings-v2")
    assert copy["data"] == {"mode": "new"}
    assert copy["metadata"]["labels"]["team"] == "shop"
    assert space.get("secret", "token-v2")["data"] == {"password": ENCODED}
    # The records alone are releases.
    assert len(space.plugin("list", "-o", "json", check=True).json()["items"]) == 1

    space.plugin("next", "web", check=True)
    assert named(space) == ("settings-v2", "token-v2")
    after = everything(space)
    assert_same({key: before[key] for key in OWN}, {key: after[key] for key in OWN})


def test_secrets_are_nowhere_else(space, web, write):
    file = write(config_map("new"), secret(PASSWORD))
    flags = ("--image", f"{IMAGE}:v2", "--config", file, *FAST, "-v", "9")
    done = [space.plugin("start", "web", *flags, check=True), space.plugin("next", "web", "-v", "9", check=True)]
    seen = "".join(d.out + d.err for d in done)
    seen += space.kubectl("get", "configmaps,deployments,replicasets,events", "-o", "yaml").out
    seen += space.plugin("status", "web", "-o", "json", check=True).out
    for hidden in (PASSWORD, ENCODED):
        assert hidden not in seen


def test_version_before_last_goes(space, web, write):
    release(space, "v2", "--image", f"{IMAGE}:v2", "--config", write(config_map("two"), secret("two")))
    assert configuration(space) == OWN | {"ConfigMap/settings-v2", "Secret/token-v2"}

    # The same image, other contents; the template names the copy now, the file the object that it is a copy of.
    release(space, "v3", "--config", write(config_map("three")))
    assert named(space) == ("settings-v3", "token-v2")
    assert configuration(space) == OWN | {"ConfigMap/settings-v2", "ConfigMap/settings-v3", "Secret/token-v2"}

    # By the name of the copy it works too. The copy for v2 goes; its Secret is in use.
    file = write(config_map("four", "settings-v3"), secret("four"))
    plan = space.plugin("plan", "web", "--version", "v4", "--config", file, check=True)
    assert "drops configmap/settings-v2 at the end\n" in plan.out
    release(space, "v4", "--config", file)
    assert named(space) == ("settings-v4", "token-v4")
    copies = {"ConfigMap/settings-v3", "ConfigMap/settings-v4", "Secret/token-v2", "Secret/token-v4"}
    assert configuration(space) == OWN | copies
    assert space.get("configmap", "settings-v4")["data"] == {"mode": "four"}


def test_undo_goes_back_to_the_copies_before(space, web, write):
    release(space, "v2", "--image", f"{IMAGE}:v2", "--config", write(config_map("two")))
    release(space, "v3", "--config", write(config_map("three")))
    space.plugin("undo", "web", "--now", check=True)
    assert named(space) == ("settings-v2", "token")
    assert space.get("configmap", "settings-v2")["data"] == {"mode": "two"}
    # What the undone version had stays for a way forward, and goes once no version needs it.
    release(space, "v4", "--config", write(config_map("four")))
    assert configuration(space) == OWN | {"ConfigMap/settings-v2", "ConfigMap/settings-v4"}
    # The first revision names the user's own objects, an older copy's is told to miss it.
    release(space, "v5", "--config", write(config_map("five")))
    release(space, "v6", "--config", write(config_map("six")))
    sets = space.get("replicasets")
    old = next(s for s in sets if s["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] == "settings-v4")
    revision = old["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    undo = space.plugin("undo", "web", "--to-revision", revision, "--dry-run", check=True)
    assert "configmap/settings-v4, which the template of v4 names, is not there" in undo.out + undo.err


@pytest.mark.parametrize("batches", [1, 2])
def test_abort_takes_the_copies_away(space, web, write, batches):
    before = everything(space)
    file = write(config_map("new"), secret(PASSWORD))
    hold = ("--hold",) if batches == 2 else ()
    space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--config", file, *FAST, *hold, check=True)
    if batches == 2:
        space.plugin("next", "web", check=True)
    assert "Secret/token-v2" in everything(space)
    space.plugin("abort", "web", check=True)
    wait_until_drained(space)
    assert_same(before, everything(space))


@pytest.mark.parametrize("handover", ["takeover", "swap", "rolling"])
def test_abort_after_the_hand_over(space, web, write, handover):
    file = write(config_map("new"), secret(PASSWORD))
    release(space, "v2", "--image", f"{IMAGE}:v2", "--config", file, "--handover", handover)
    assert configuration(space) == OWN | {"ConfigMap/settings-v2", "Secret/token-v2"}
    space.plugin("abort", "web", check=True)
    assert named(space) == ("settings", "token")
    assert configuration(space) == OWN


def test_lost_record_takes_its_copies_along(space, web, write):
    before = everything(space)
    file = write(config_map("new"), secret(PASSWORD))
    space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--config", file, *FAST, check=True)
    assert "Secret/token-v2" in everything(space)
    space.kubectl("delete", "configmap", "batchrollout-web")
    space.plugin("abort", "web", check=True)
    wait_until_drained(space)
    assert_same(before, everything(space))


@pytest.mark.parametrize("writes", [1, 2, 3, 6])
def test_killed_while_it_begins(space, web, write, writes):
    """After the record, after the ConfigMap, after the Secret, later: abort takes all away; only what has begun with
    all of its configuration can be gone on with."""
    before = everything(space)
    file = write(config_map("new"), secret(PASSWORD))
    with Cutter(space, writes, before=False, counts=is_write) as cutter:
        done = cutter.run("start", "web", "--image", f"{IMAGE}:v2", "--config", file, *FAST)
    assert cutter.killed, str(done)
    made = [key for key in ("ConfigMap/settings-v2", "Secret/token-v2") if key in everything(space)]
    assert len(made) == min(writes - 1, 2), "\n".join(cutter.requests)
    gone_on = space.plugin("next", "web")
    if writes < 3:
        missing = "configmap/settings-v2" if writes == 1 else "secret/token-v2"
        assert gone_on.code == 6, str(gone_on)
        assert f"{missing} is not there: `start` was stopped before it had written it" in gone_on.err
    else:
        assert gone_on.code == 0, str(gone_on)
    space.plugin("abort", "web", check=True)
    wait_until_drained(space)
    assert_same(before, everything(space))


def test_swap_keeps_the_copies_of_two_versions(space, write):
    space.apply(config_map("old"), secret("old-password"))
    web = Configured(space, replicas=2, drain_ms=100, labels={"version": "v1"})
    web.create()
    for version in ("v2", "v3", "v4"):
        file = write(config_map(version))
        release(space, version, "--image", f"{IMAGE}:{version}", "--config", file, "--handover", "swap")
    assert configuration(space) == OWN | {"ConfigMap/settings-v3", "ConfigMap/settings-v4"}
    assert named(space, "web-v4") == ("settings-v4", "token")


def test_template_from_a_file(space, web, write, tmp_path):
    """The user's file names the user's own object, and the release lets it name the copy."""
    release(space, "v2", "--image", f"{IMAGE}:v2", "--config", write(config_map("two")))
    manifest = tmp_path / "web.yaml"
    manifest.write_text(yaml.safe_dump(Configured(space, replicas=2, image=f"{IMAGE}:v3").deployment()))
    release(space, "v3", "-f", str(manifest), "--config", write(config_map("three")))
    assert named(space) == ("settings-v3", "token")


def test_rights_by_name_are_enough(space, web, write, tmp_path):
    """Secrets need not be listed: who may not is told what stays."""
    everything_else = {
        "apiGroups": ["", "apps", "discovery.k8s.io", "autoscaling"],
        "resources": [
            "configmaps",
            "services",
            "pods",
            "deployments",
            "replicasets",
            "endpointslices",
            "horizontalpodautoscalers",
        ],
        "verbs": ["*"],
    }
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}
    these = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["token", "token-v2"], "verbs": ["*"]}
    limited = space.service_account("limited", [everything_else, secrets, these], tmp_path)
    file = write(config_map("new"), secret(PASSWORD))
    flags = ("--image", f"{IMAGE}:v2", "--traffic", "replicas", "--config", file)
    start = limited.plugin("start", "web", *flags, *FAST, check=True)
    assert "may not list secrets: copies for older versions will not be dropped" in start.err
    limited.plugin("abort", "web", check=True)
    assert configuration(space) == OWN

    none = space.service_account("none", [everything_else], tmp_path)
    with nothing_written(space):
        refused = none.plugin("start", "web", *flags, *FAST)
    assert refused.code == 1 and "secrets" in refused.err and PASSWORD not in refused.err


BAD = {
    "not named": (config_map("x", "other"), 'names no ConfigMap "other"; of this kind it names: settings'),
    "kind": (config_map("x") | {"kind": "Service"}, 'is of kind "Service", not a ConfigMap or Secret'),
    "namespace": (
        config_map("x") | {"metadata": {"name": "settings", "namespace": "elsewhere"}},
        'configmap/settings is of namespace "elsewhere"',
    ),
    "value": (config_map("x") | {"data": {"port": 80}}, "data.port must be a string"),
    "key": (config_map("x") | {"data": {"a b": "c"}}, "a b"),
    "base64": (secret("x") | {"data": {"password": "hunter2?"}}, "secret/token: data.password: is not base64"),
    "too long": (config_map("x" * (1 << 20) + "y"), "more than the limit of 1048576"),
    "field": (config_map("x") | {"spec": {}}, 'a ConfigMap has no field "spec"'),
    "syntax": ("kind: Secret\nstringData:\n  password: *hunter2\n", "config.yaml: not valid YAML or JSON at line 3"),
    "empty": ("# nothing\n", "there is no document"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused_before_anything_is_written(space, web, write, case):
    document, says = BAD[case]
    with nothing_written(space):
        refused = space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--config", write(document), *FAST)
    assert refused.code == 1, str(refused)
    assert says in refused.err
    assert "hunter2" not in refused.err


def test_name_that_is_taken(space, web, write):
    space.apply(config_map("mine", "settings-v2"))
    with nothing_written(space):
        refused = space.plugin("start", "web", "--image", f"{IMAGE}:v2", "--config", write(config_map("new")), *FAST)
    assert refused.code == 1
    assert "configmap/settings-v2 exists already, and the copy of settings would have this name" in refused.err


def test_flags_that_do_not_go_together(space, web, write):
    file = write(config_map("new"))
    with nothing_written(space):
        alone = space.plugin("start", "web", "--config", file, *FAST)
        twice = space.plugin("start", "web", "-f", "-", "--config", "-", *FAST, input="")
    assert alone.code == 2 and "name the new version with --version" in alone.err
    assert twice.code == 2 and "standard input (-) can be only one of the files" in twice.err
