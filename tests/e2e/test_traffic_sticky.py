"""--sticky: people stay on the version that they got, and move to the new one at most once."""

from collections.abc import Iterator, Mapping

import pytest
from helpers.counts import Counts
from helpers.istio import route, to, virtual_service
from helpers.person import Crowd, Person
from helpers.request import Request
from helpers.snapshot import assert_same
from helpers.routing import routing_snapshot
from helpers.space import Space
from helpers.traffic import Traffic
from helpers.workload import IMAGE, Workload

PEOPLE = 600
# What is off is off by far more, and what is right is off by so much in one of 15,000 measurements.
SIGMAS = 4


class Site:
    """The Service web behind a VirtualService, and its visitors."""

    def __init__(self, space: Space):
        self.space = space
        self.web = Workload(space, replicas=4)
        space.apply(virtual_service("front", ["web"], route(to("web"), name="main")))
        self.web.create()
        self.routing = routing_snapshot(space)

    def request(self, cookies: Mapping[str, str]) -> Request:
        # Others' cookies stand around the release's.
        return self.web.request(cookies={"a": "1"} | dict(cookies) | {"z": "2"})

    def crowd(self, count: int) -> Crowd:
        return Crowd(self.request, [Person() for _ in range(count)])

    def run(self, *args: str) -> None:
        self.space.plugin(*args, check=True)

    def start(self, image: str, *flags: str) -> None:
        self.run("start", "web", "--image", f"{IMAGE}:{image}", "--sticky", "--settle", "1s", *flags)

    def assert_gone(self) -> None:
        """The routes are the user's own, and nobody is given a cookie."""
        assert_same(self.routing, routing_snapshot(self.space))
        newcomers = self.crowd(50)
        newcomers.visit()
        assert not any(person.cookies for person in newcomers.people)


@pytest.fixture
def site(space: Space) -> Site:
    return Site(space)


@pytest.fixture
def traffic(site: Site) -> Iterator[Traffic]:
    with site.web.traffic(rate=50) as traffic:
        yield traffic


def assert_share(counts: Counts, new: str | None, weight: int, old: str | None = "v1") -> None:
    off = counts.deviation({old: 100 - weight, new: weight})
    assert off <= SIGMAS, f"{dict(counts.versions)} is {off:.1f} standard deviations off {weight}% {new}"


def assert_stays(crowd: Crowd) -> None:
    for person in crowd.people:
        assert len(set(person.versions)) == 1, f"{person} moved within a batch"


def test_people_stay_until_their_batch_comes(site: Site, traffic: Traffic):
    site.start("v2", "--batches", "4")
    everybody = site.crowd(0)
    on_new: list[Person] = []
    for weight in (25, 50, 75):
        if weight > 25:
            site.run("next", "web")
        everybody.forget()
        newcomers = site.crowd(PEOPLE // (1 if weight == 25 else 3))
        # Who comes for the first time gets a version by weight ...
        assert_share(newcomers.visit(3), "v2", weight)
        # ... and of those who have been here before, so many have moved that the share is the same.
        if everybody.people:
            assert_share(everybody.visit(2), "v2", weight)
        everybody.people += newcomers.people
        assert_stays(everybody)
        assert all(person.versions == ["v2"] * len(person.versions) for person in on_new), "somebody went back"
        on_new = [person for person in everybody.people if person.versions[-1] == "v2"]
        # Without cookies, each request is somebody new.
        traffic.assert_split({"v1": 100 - weight, "v2": weight}, requests=200)
    site.run("next", "web")
    traffic.stop()
    traffic.assert_no_failures()
    site.assert_gone()


def test_abort_takes_everybody_back(site: Site, traffic: Traffic):
    """And the cookies that people still have count for nothing afterwards."""
    site.start("v2", "--steps", "2@40%,100%")
    people = site.crowd(PEOPLE)
    people.visit()
    on_new = Crowd(site.request, [p for p in people.people if p.versions == ["v2"]])
    site.run("abort", "web")
    assert set(on_new.visit().versions) == {None}
    site.assert_gone()

    # The same version again, in other steps; then another one.
    for image, weight in (("v2", 10), ("v3", 30)):
        site.start(image, "--steps", f"2@{weight}%,100%")
        assert_share(on_new.visit(), image, weight)
        on_new.forget()
        on_new.visit(2)
        assert_stays(on_new)
        site.run("abort", "web")
    traffic.stop()
    traffic.assert_no_failures()
    site.assert_gone()


def test_with_a_rule(site: Site):
    """Who matches gets the new version all the while, and is drawn like everybody else without the match."""
    site.start("v2", "--batches", "2", "--match", "header:x-user=tester")

    def as_tester(cookies: Mapping[str, str]) -> Request:
        return site.web.request(headers={"x-user": "tester"}, cookies=cookies)

    people = site.crowd(PEOPLE)
    testers = Crowd(as_tester, people.people)
    assert set(testers.visit().versions) == {"v2"}
    people.forget()
    assert set(people.visit(2).versions) == {"v1"}
    site.run("next", "web")
    assert set(testers.visit().versions) == {"v2"}
    people.forget()
    assert_share(people.visit(2), "v2", 50)
    assert_stays(people)
    site.run("abort", "web")
    site.assert_gone()


def test_beside_another_service(site: Site):
    """Who got another Service of the list is still to be drawn; who got a version stays on it beside the other one."""
    Workload(site.space, name="other", replicas=1, labels={"version": "other"}).create()
    list_of_two = virtual_service("front", ["web"], route(to("web", 60), to("other", 40), name="main"))
    site.space.apply(list_of_two)
    site.routing = routing_snapshot(site.space)
    site.start("v2", "--batches", "2")
    people = site.crowd(PEOPLE)
    seen = people.visit(4)
    off = seen.deviation({"v1": 30, "v2": 30, "other": 40})
    assert off <= SIGMAS, dict(seen.versions)
    for person in people.people:
        assert len(set(person.versions) - {"other"}) <= 1, f"{person} has seen both versions"
    site.run("abort", "web")
    site.assert_gone()
