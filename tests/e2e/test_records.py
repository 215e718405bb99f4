"""Records: what becomes of a release when somebody deletes or damages its record, or another version wrote it."""

import json

import pytest
from helpers.cutter import Cutter, is_write
from helpers.restored import assert_restored
from helpers.snapshot import snapshot
from helpers.space import Space
from helpers.untouched import nothing_written
from helpers.workload import IMAGE, Workload

RECORD = "batchrollout-web"
START = ("start", "web", "--image", f"{IMAGE}:v2", "--batches", "2", "--settle", "100ms")


def release_text(space: Space) -> str:
    return space.get("configmap", RECORD)["data"]["release"]


def put_release(space: Space, text: str) -> None:
    patch = json.dumps({"data": {"release": text}})
    space.kubectl("patch", "configmap", RECORD, "--type", "merge", "-p", patch)


def lose_record(space: Space, how: str) -> None:
    if how == "deleted":
        space.kubectl("delete", "configmap", RECORD)
    else:
        put_release(space, release_text(space)[: len(release_text(space)) // 2])


@pytest.mark.parametrize("how", ["deleted", "damaged"])
@pytest.mark.parametrize("traffic", ["replicas", "istio"])
def test_abort_without_a_record(space: Space, traffic: str, how: str):
    """What the objects carry is enough to bring the old version back; what is not known is said."""
    Workload(space, replicas=4, mesh=traffic == "istio").create()
    before = snapshot(space)
    space.plugin(*START, "--traffic", traffic, check=True)
    lose_record(space, how)
    for command in (("next", "web"), START):
        with nothing_written(space):
            refused = space.plugin(*command)
        assert refused.code == 1 and "kubectl batchrollout abort web" in refused.err, refused
    aborted = space.plugin("abort", "web", check=True)
    assert "record" in aborted.err and "not known" in aborted.err, aborted
    assert "release of service web: aborted, deployment.apps/web runs v1 as before" in aborted.out
    assert_restored(before, space)
    # And the next release goes as if nothing had happened.
    space.plugin(*START, "--pause", "none", check=True)


@pytest.mark.parametrize("number", [2, 3, 6])
def test_abort_without_a_record_before_the_copy_is_there(space: Space, number: int):
    """Autoscalers, labels and routes are changed before the copy is made: it is not the only one that carries a release."""
    Workload(space, replicas=2, mesh=True).create()
    before = snapshot(space)
    with Cutter(space, number, before=False, counts=is_write) as cutter:
        assert cutter.run(*START).code == -9
    assert not space.exists("deployment", "web-v2")
    lose_record(space, "deleted")
    with nothing_written(space):
        refused = space.plugin(*START)
    assert refused.code == 1 and "kubectl batchrollout abort web" in refused.err, refused
    space.plugin("abort", "web", check=True)
    assert_restored(before, space)


def test_abort_where_nothing_carries_a_release(space: Space):
    Workload(space, replicas=1).create()
    with nothing_written(space):
        done = space.plugin("abort", "web")
    assert done.code == 1 and done.err.startswith("error: "), done


def test_record_of_a_newer_version(space: Space):
    """Nobody but the version that wrote it touches a release that may mean more than this one knows."""
    Workload(space, replicas=2).create()
    space.plugin(*START, check=True)
    text = release_text(space)
    newer = json.loads(text)
    newer["format"] += 1
    put_release(space, json.dumps(newer))
    for command in (["next", "web"], ["abort", "web"], ["abort", "web", "--now"], list(START), ["status", "web"]):
        with nothing_written(space):
            done = space.plugin(*command)
        assert done.code == 1, done
        assert "it was written by a newer version of kubectl-batchrollout; use that one" in done.err, done
    put_release(space, text)
    space.plugin("abort", "web", check=True)


def test_record_of_the_version_before(space: Space):
    """Format 1 knew one hand-over only, and goes on with that."""
    Workload(space, replicas=2).create()
    space.plugin(*START, "--handover", "rolling", check=True)
    older = json.loads(release_text(space))
    older["format"] = 1
    for member in ("handover", "askedBatches", "askedSteps"):
        older["spec"].pop(member, None)
    put_release(space, json.dumps(older))
    done = space.plugin("next", "web", check=True)
    assert "release of service web: completed, deployment.apps/web runs v2" in done.out
    assert json.loads(release_text(space))["format"] == older["format"] + 1
    assert json.loads(release_text(space))["spec"]["handover"] == "rolling"
