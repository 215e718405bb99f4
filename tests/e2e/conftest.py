"""Fixtures of the functional tests. They run inside the embedded cluster's network namespace: start them with
tests/e2e/run, which brings the cluster up when it is not."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.space import ROOT, Space, execute
from helpers.workload import Workload


def pytest_configure() -> None:
    """A shell starts what it does not wait for with signals ignored, and whatever that starts inherits it: tests of what
    a Ctrl-C does would see nothing."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def cluster() -> None:
    """The embedded cluster, which the tests are inside of."""
    run = os.environ.get("BATCHROLLOUT_CLUSTER_DIR")
    if not run or not (Path(run) / "ready").exists():
        pytest.exit("not inside the embedded cluster; run tests/e2e/run", returncode=2)


@pytest.fixture(scope="session")
def gateway_api(cluster: None) -> None:
    """The Gateway API. It is there from the first test that asks for it on, for as long as the cluster is up."""
    execute(ROOT / "tests" / "cluster" / "gateway-api", env=dict(os.environ), check=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    setattr(item, f"failed_in_{report.when}", report.failed)
    return report


@pytest.fixture
def make_space(cluster: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], Space]]:
    """Makes namespaces that go with the test."""
    spaces: list[Space] = []

    def make() -> Space:
        name = f"test-{uuid.uuid4().hex[:8]}"
        space = Space.of(name, tmp_path)
        space.kubectl("create", "namespace", name)
        spaces.append(space)
        return space

    yield make
    for space in spaces:
        if getattr(request.node, "failed_in_call", False):
            print(space.dump())
        # The next test has a namespace of its own and need not wait for this one to be gone.
        space.kubectl("delete", "namespace", space.name, "--wait=false")


@pytest.fixture
def space(make_space: Callable[[], Space]) -> Space:
    """A namespace for this test alone; kubectl and the plugin use it without being told."""
    return make_space()


@pytest.fixture
def workload(space: Space) -> Callable[..., Workload]:
    """Makes a Deployment and a Service that are up when it returns: workload(replicas=10, mesh=True)."""

    def make(**options) -> Workload:
        return Workload(space, **options).create()

    return make
