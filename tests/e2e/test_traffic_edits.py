"""Somebody else edits routes in the middle of a release: what is theirs is kept, what is ours is reported and never
overwritten."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from helpers import audit
from helpers.istio import destination_rule, route, to, virtual_service
from helpers.routing import routing_snapshot
from helpers.side_by_side import Runs, side_by_side
from helpers.snapshot import assert_same
from helpers.space import Object, Result, Space
from helpers.workload import IMAGE, Workload

OURS = "batchrollout-"

# --- the routes of the user, and ways to edit them --------------------------------------------------------------------


def users_objects() -> list[Object]:
    return [
        virtual_service(
            "front",
            ["web"],
            route(to("web"), name="api", match=[{"uri": {"prefix": "/api"}}], timeout="7s"),
            route(to("other"), match=[{"uri": {"prefix": "/other"}}]),
            route(to("web", 75), to("other", 25), name="main"),
        ),
        destination_rule("front", "web", {"v1": {"version": "v1"}}),
    ]


def named(item: Object, name: str) -> Object:
    """A route, by its name."""
    return next(r for r in item["spec"]["http"] if r.get("name") == name)


@dataclass(frozen=True)
class Edit:
    change: Callable[[Object], object]  # of the object; again on the object as it was before the release
    is_there: Callable[[Object], bool]
    kind: str = "virtualservice"


def insert(index: int) -> Edit:
    new = route(to("other"), name="new", match=[{"uri": {"exact": f"/new/{index}"}}])
    return Edit(lambda o: o["spec"]["http"].insert(index, deepcopy(new)), lambda o: new in o["spec"]["http"])


def add_annotation(item: Object) -> None:
    item["metadata"].setdefault("annotations", {})["note"] = "theirs"


RETRIES = {"attempts": 5, "perTryTimeout": "1s"}
MATCH = [{"uri": {"prefix": "/others"}}]

THEIRS: dict[str, Edit] = {
    "timeout": Edit(
        lambda o: named(o, "main").update(timeout="9s"), lambda o: named(o, "main").get("timeout") == "9s"
    ),
    "timeout of another value": Edit(
        lambda o: named(o, "api").update(timeout="9s"), lambda o: named(o, "api")["timeout"] == "9s"
    ),
    "retries": Edit(
        lambda o: named(o, "api").update(retries=RETRIES), lambda o: named(o, "api").get("retries") == RETRIES
    ),
    "match of a route that is not split": Edit(
        lambda o: next(r for r in o["spec"]["http"] if "name" not in r).update(match=MATCH),
        lambda o: any(r["match"] == MATCH for r in o["spec"]["http"] if "match" in r),
    ),
    "route in front": insert(0),
    "route without a release removed": Edit(
        lambda o: o["spec"].update(http=[r for r in o["spec"]["http"] if r["route"] != [to("other")]]),
        lambda o: not any(r["route"] == [to("other")] for r in o["spec"]["http"]),
    ),
    "host": Edit(lambda o: o["spec"]["hosts"].append("beta.example"), lambda o: "beta.example" in o["spec"]["hosts"]),
    "annotation": Edit(add_annotation, lambda o: o["metadata"].get("annotations", {}).get("note") == "theirs"),
    "policy of a DestinationRule": Edit(
        lambda o: o["spec"].update(trafficPolicy={"connectionPool": {"tcp": {"maxConnections": 77}}}),
        lambda o: o["spec"].get("trafficPolicy", {}).get("connectionPool") == {"tcp": {"maxConnections": 77}},
        "destinationrule",
    ),
}  # fmt: skip


def split_of(item: Object, name: str = "main") -> list[Object]:
    return named(item, name)["route"]


@dataclass(frozen=True)
class Intrusion:
    """Into what is the release's."""

    change: Callable[[Object], object]
    field: str  # that the message names
    kind: str = "virtualservice"
    name: str = "front"


# At the second batch the http routes are: the clone of api, api, the one to /other, the clone of main, main.
INTRUSIONS: dict[str, Intrusion] = {
    "weight": Intrusion(lambda o: split_of(o)[0].update(weight=1), "spec.http[4].route[0].weight is 1, expected "),
    "share taken out": Intrusion(lambda o: split_of(o).pop(1), "spec.http[4].route"),
    "destination added": Intrusion(lambda o: split_of(o).append(to("other", 5)), "spec.http[4].route"),
    "subset of a share": Intrusion(
        lambda o: split_of(o, "api")[0]["destination"].update(subset="v1"), "spec.http[1].route[0].destination.subset"
    ),
    "match of a clone": Intrusion(
        lambda o: named(o, f"{OURS}match-api")["match"][0].update(uri={"prefix": "/"}), "spec.http[0]"
    ),
    "timeout of a clone": Intrusion(lambda o: named(o, f"{OURS}match-main").update(timeout="1s"), "spec.http[3]"),
    "version of a clone": Intrusion(
        lambda o: split_of(o, f"{OURS}match-api")[0]["destination"].update(subset=f"{OURS}stable"), "spec.http[0]"
    ),
    "clone taken out": Intrusion(
        lambda o: o["spec"]["http"].remove(named(o, f"{OURS}match-main")),
        'spec.http is without {"name":"batchrollout-match-main"',
    ),
    "route taken out": Intrusion(
        lambda o: o["spec"]["http"].remove(named(o, "main")), 'spec.http is without {"name":"main"'
    ),
    "subset of the user's": Intrusion(
        lambda o: o["spec"]["subsets"][0]["labels"].update(version="v7"), "spec.subsets[0]", "destinationrule"
    ),
    "subset of ours": Intrusion(
        lambda o: o["spec"]["subsets"][1]["labels"].update(version="v7"),
        "destinationrule.networking.istio.io/batchrollout-web is of this release",
        "destinationrule",
        "batchrollout-web",
    ),
}  # fmt: skip


# --- a release that is edited -----------------------------------------------------------------------------------------


class Release:
    """Of the Service web, with these objects of the user's."""

    def __init__(self, space: Space, *objects: Object):
        self.space = space
        Workload(space, name="other", replicas=1).create()
        web = Workload(space, replicas=2, labels={"version": "v1"})
        space.apply(*(objects or users_objects()))
        web.create()
        self.before = routing_snapshot(space)

    def start(self, *flags: str) -> "Release":
        self.run("start", "web", "--image", f"{IMAGE}:v2", "--batches", "3", "--settle", "0", *flags)
        return self

    def run(self, *args: str) -> Result:
        return self.space.plugin(*args, check=True)

    def status(self) -> Object:
        return self.run("status", "web", "-o", "json").json()["status"]

    def edit(self, kind: str, name: str, change: Callable[[Object], object]) -> Object:
        """Returns the object as it was."""
        item = self.space.get(kind, name)
        before = deepcopy(item)
        change(item)
        assert item != before
        self.put(item)
        return before

    def put_back(self, before: Object) -> None:
        now = self.space.get(before["kind"], before["metadata"]["name"])
        metadata = before["metadata"] | {"resourceVersion": now["metadata"]["resourceVersion"]}
        self.put(before | {"metadata": metadata})

    def put(self, item: Object) -> None:
        """Just this; `kubectl replace` would add an annotation."""
        name, kind = item["metadata"]["name"], item["kind"].lower() + "s"
        path = f"/apis/{item['apiVersion']}/namespaces/{self.space.name}/{kind}/{name}"
        self.space.kubectl("replace", "--raw", path, "--filename", "-", input=json.dumps(item))


def assert_kept(release: Release, edit: Edit) -> None:
    assert edit.is_there(release.space.get(edit.kind, "front"))


def assert_as_edited(release: Release, edit: Edit, version: str) -> None:
    """The objects are what the edit alone makes of those before."""
    expected = deepcopy(release.before)
    for key, item in expected.items():
        if key.lower() == f"{edit.kind}/{release.space.name}/front":
            edit.change(item)
        item["spec"] = json.loads(json.dumps(item["spec"]).replace('"v1"', f'"{version}"'))
    assert_same(expected, routing_snapshot(release.space))


def keep(case: str, space: Space, _elsewhere: Space) -> None:
    edit = THEIRS[case]
    release = Release(space)
    for end, version in ((("abort", "web"), "v1"), (("next", "web", "--all"), "v2")):
        release.start("--match", "header:x-user=tester")
        release.run("next", "web")
        before = release.edit(edit.kind, "front", edit.change)
        changed = next(c for c in release.status()["conditions"] if c["type"] == "ChangedByOthers")
        assert changed["status"] == "False", changed
        release.run("next", "web")
        assert_kept(release, edit)
        release.run(*end)
        assert_as_edited(release, edit, version)
        if version == "v1":
            # For the next release the user's objects are as they were at first.
            original = release.before[f"{before['kind']}/{space.name}/front"]
            release.put_back(deepcopy(original))


@pytest.fixture(scope="module")
def kept(cluster: None, request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Runs]:
    with side_by_side(request, "test_kept", tmp_path_factory.mktemp("edits"), keep) as runs:
        yield runs


@pytest.mark.parametrize("case", THEIRS)
def test_kept(kept: Runs, case: str):
    kept[case].result()


# --- what is ours -----------------------------------------------------------------------------------------------------

ROUTING = {"virtualservices", "destinationrules"}


def assert_refuses(release: Release, field: str, *verb: str) -> None:
    """With exit status 6, the field's name, and no write to any route."""
    before, place = routing_snapshot(release.space), audit.mark()
    done = release.space.plugin(*verb)
    assert done.code == 6, str(done)
    assert field in done.err and "somebody" in done.err, str(done)
    assert_same(before, routing_snapshot(release.space))
    assert not [write for write in audit.writes(release.space.name, place) if write.resource in ROUTING]


def assert_reported(release: Release, field: str, phase: str) -> None:
    status = release.status()
    assert status["phase"] == phase
    changed = next(c for c in status["conditions"] if c["type"] == "ChangedByOthers")
    assert (changed["status"], changed["reason"]) == ("True", "ManagedFieldChanged")
    assert field in changed["message"]
    assert changed["message"] in release.run("status", "web").out


def intrude(release: Release, intrusion: Intrusion) -> None:
    field, change = intrusion.field, (intrusion.kind, intrusion.name, intrusion.change)
    before = release.edit(*change)
    assert_reported(release, field, "Paused")
    assert_refuses(release, field, "next", "web")
    assert_reported(release, field, "Failed")
    release.put_back(before)
    release.run("next", "web")

    before = release.edit(*change)
    assert_refuses(release, field, "abort", "web")
    release.put_back(before)
    release.run("abort", "web")
    assert_same(release.before, routing_snapshot(release.space))


def refuse(case: str, space: Space, _elsewhere: Space) -> None:
    release = Release(space).start("--match", "header:x-user=tester")
    release.run("next", "web")
    intrude(release, INTRUSIONS[case])


@pytest.fixture(scope="module")
def refused(cluster: None, request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Runs]:
    with side_by_side(request, "test_refused", tmp_path_factory.mktemp("intrusions"), refuse) as runs:
        yield runs


@pytest.mark.parametrize("case", INTRUSIONS)
def test_refused(refused: Runs, case: str):
    refused[case].result()


def test_virtual_service_of_the_release(space: Space):
    release = Release(space, *users_objects()[1:]).start("--traffic", "istio")
    intrude(
        release,
        Intrusion(
            lambda o: o["spec"]["http"][0]["route"][1].update(weight=99),
            "spec.http[0].route[1].weight is 99",
            name="batchrollout-web",
        ),
    )


def test_weights_of_another_time(space: Space):
    """Somebody sends all back to the old version, by the very numbers that the release itself wrote at first."""
    release = Release(space, virtual_service("front", ["web"], route(to("web")))).start()

    def send_back(front: Object) -> None:
        old, new = front["spec"]["http"][0]["route"]
        old["weight"], new["weight"] = 100, 0

    release.edit("virtualservice", "front", send_back)
    field = "spec.http[0].route"
    assert_reported(release, field, "Paused")
    assert_refuses(release, field, "next", "web")
    # And abort wants the same.
    release.run("abort", "web")
    assert_same(release.before, routing_snapshot(space))


def test_object_that_is_gone(space: Space):
    """The user's has to come back; the release's own is made again."""
    release = Release(space).start()
    front = space.get("virtualservice", "front")
    space.kubectl("delete", "virtualservice", "front")
    gone = "virtualservice.networking.istio.io/front was there when the release began, and is gone"
    assert_reported(release, gone, "Paused")
    assert_refuses(release, gone, "next", "web")
    front["metadata"] = {"name": "front"}
    space.apply(front)
    space.kubectl("delete", "destinationrule", "batchrollout-web")
    release.run("next", "web")
    assert space.exists("destinationrule", "batchrollout-web")
    release.run("next", "web", "--all")
    assert release.status()["phase"] == "Completed"
