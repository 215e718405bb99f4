"""Trouble between the tool and the API server, and on the tool's own machine. A release and an abort still end right."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from helpers.podwatch import PodWatch
from helpers.quiet import quiet_snapshot
from helpers.snapshot import assert_same
from helpers.space import PLUGIN, Object, Result, Space, execute
from helpers.traffic import Traffic
from helpers.trouble import Trouble
from helpers.waiting import wait_for
from helpers.workload import IMAGE, Workload

REPLICAS = 3
START = ("start", "web", "--image", f"{IMAGE}:v2", "--batches", "3", "--settle", "500ms")
TROUBLE_PERCENT = 12
TRIES = 10  # of a command that ended with an error


class Release:
    """A workload with a mesh, its release under traffic."""

    def __init__(self, space: Space):
        self.space = space
        self.web = Workload(space, replicas=REPLICAS, mesh=True, start_delay_ms=300, drain_ms=3000).create()
        self.before = self.objects()

    def objects(self) -> dict[str, Object]:
        return {key: item for key, item in quiet_snapshot(self.space).items() if item["kind"] != "Pod"}

    def status(self) -> Object:
        return self.space.plugin("status", "web", "-o", "json", check=True).json()["status"]

    def where(self) -> tuple[str, int]:
        """As the record says; "" without one."""
        if not self.space.exists("configmap", "batchrollout-web"):
            return "", 0
        status = self.status()
        return status["phase"], status["batch"]

    def assert_taken_back(self) -> None:
        assert self.where()[0] == "Aborted"
        assert_same(self.before, self.objects())

    def assert_finished(self) -> None:
        assert self.where() == ("Completed", 3)
        after = self.objects()
        assert {key for key in after if key.startswith("Deployment/")} == {"Deployment/web"}
        template = after["Deployment/web"]["spec"]["template"]
        assert template["spec"]["containers"][0]["image"] == f"{IMAGE}:v2"
        others = (
            {key: item for key, item in objects.items() if item["kind"] not in ("Deployment", "ReplicaSet")}
            for objects in (self.before, after)
        )
        assert_same(*others)


@pytest.fixture
def release(space: Space) -> Release:
    return Release(space)


def insist(release: Release, trouble: Trouble, reached: tuple[str, int], *args: str) -> int:
    """Runs a command until it ends well: how often it did not."""
    for failures in range(TRIES):
        done = trouble.space.plugin(*args)
        if done.code == 0:
            assert release.where() == reached, str(done)
            return failures
        assert done.code == 1, str(done)
        last = done.err.splitlines()[-1]
        assert last.startswith(("error: ", "Error from server", "Unable to connect", "The connection to the server")), str(done)
        print(last)
        if args[0] == "start" and release.where()[0] in ("Progressing", "Failed"):
            args = ("next", "web")
    raise AssertionError(f"{args} failed {TRIES} times")


@pytest.mark.parametrize("seed", [1, 2])
def test_server_in_trouble(release: Release, seed: int):
    with (
        PodWatch(release.space, "app=web") as watch,
        release.web.traffic("envoy", 50) as traffic,
        Trouble(release.space, seed, TROUBLE_PERCENT) as trouble,
    ):
        failures = insist(release, trouble, ("Paused", 1), *START)
        failures += insist(release, trouble, ("Paused", 2), "next", "web")
        failures += insist(release, trouble, ("Aborted", 2), "abort", "web")
        release.assert_taken_back()
        failures += insist(release, trouble, ("Completed", 3), *START, "--pause", "none")
        release.assert_finished()
        end(traffic, watch)
    print(f"seed {seed}: {failures} commands failed; {dict(trouble.done)}")
    assert len(trouble.done) >= 8, "hardly any trouble"
    assert failures <= 8


def end(traffic: Traffic, watch: PodWatch) -> None:
    traffic.stop()
    traffic.counts().assert_no_failures()
    watch.assert_never_below(REPLICAS)


# --- the API server dies --------------------------------------------------------------------------------------------


def kill_api_server() -> None:
    """kill -9. The testbed starts it again, which takes some seconds."""
    run = Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"])
    listening = execute("ss", "-Hltnp", "src", "10.0.0.1:6443", env=dict(os.environ), check=True).out
    (run / "killed").write_text("kube-apiserver")
    os.kill(int(listening.partition("pid=")[2].partition(",")[0]), signal.SIGKILL)


def api_server_is_ready(space: Space) -> bool:
    return space.kubectl("get", "--raw", "/readyz", check=False).code == 0


@pytest.mark.parametrize("verb", ["next", "abort"])
def test_api_server_killed_and_restarted(release: Release, verb: str):
    """In the middle of a batch, or of the way back. The process that runs lives through it."""
    with release.web.traffic("envoy", 50) as traffic:
        release.space.plugin(*START, check=True)
        process = release.space.start_plugin(verb, "web")
        wait_for("the command", lambda: release.status()["phase"] == "Progressing", poll=0.02)
        kill_api_server()
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, out + err
        wait_for("the API server", lambda: api_server_is_ready(release.space))
        if verb == "next":
            assert release.where() == ("Paused", 2)
            release.space.plugin("next", "web", check=True)
            release.assert_finished()
        else:
            release.assert_taken_back()
        traffic.stop()
        traffic.counts().assert_no_failures()
    everything_works_again(release)


def everything_works_again(release: Release) -> None:
    """All programs of the cluster have found the new server."""
    other = Workload(release.space, name="other", replicas=1, mesh=True).create()
    wait_for("an answer through Envoy", lambda: other.ask(1).answered == 1)
    wait_for("an answer through kube-proxy", lambda: other.ask(1, "service").answered == 1)


# --- the tool's own machine -----------------------------------------------------------------------------------------


def on_full_disk(space: Space, *args: str, out: str = "/dev/null") -> Result:
    """The plugin, where the home, the working and the temporary directory have no byte left, nor has OUT if so."""
    script = (
        'mount -t tmpfs -o size=4k full "$1" && cp "$KUBECONFIG" "$1/config" && '
        'cd "$1" && { cat /dev/zero >fill 2>/dev/null; out=$2; shift 2; '
        "exec env HOME=$PWD TMPDIR=$PWD KUBECONFIG=$PWD/config \"$@\" >$out; }"
    )
    place = space.kubeconfig.with_suffix(".full")
    place.mkdir(exist_ok=True)
    return space.run("unshare", "--mount", "sh", "-c", script, "sh", place, out, PLUGIN, *args)


def test_full_disk(release: Release):
    """Nothing is written to a disk, so nothing is missed; an output that cannot be written does not stop a release."""
    done = on_full_disk(release.space, *START)
    assert done.code == 0, str(done)
    assert release.where() == ("Paused", 1)
    done = on_full_disk(release.space, "next", "web", out="/dev/full")
    assert done.code == 1 and "error: standard output: " in done.err, str(done)
    assert release.where() == ("Paused", 2), "the batch was reached, only nobody could be told"
    done = on_full_disk(release.space, "status", "web", "-o", "json", out="/dev/full")
    assert done.code == 1 and "error: standard output: " in done.err, str(done)
    done = on_full_disk(release.space, "abort", "web", out="/dev/full")
    assert done.code == 1 and "error: standard output: " in done.err, str(done)
    release.assert_taken_back()


CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long off(void) { const char *text = getenv("CLOCK_OFF"); return text ? atol(text) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int code = real(clock, now);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += off();
	return code;
}

time_t time(time_t *ret)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec exact;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &exact);
	*now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
	return 0;
}
"""


@pytest.fixture(scope="session")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes the clock of a process wrong by $CLOCK_OFF seconds."""
    directory = tmp_path_factory.mktemp("clock")
    source, library = directory / "clock.c", directory / "clock.so"
    source.write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def test_clocks_an_hour_off(release: Release, wrong_clock: Path):
    """Of one person it is ahead, of the other behind: nothing but the times in the history is wrong."""
    ahead = {"LD_PRELOAD": str(wrong_clock), "CLOCK_OFF": "3600"}
    behind = ahead | {"CLOCK_OFF": "-3600"}
    # By that clock the certificates of a cluster that has just been made are not valid yet.
    unchecked = "--insecure-skip-tls-verify"
    release.space.plugin(*START, env=ahead, check=True)
    started = release.status()["startedAt"]
    killed = release.space.start_plugin("next", "web", env=ahead)
    wait_for("the next", lambda: release.status()["phase"] == "Progressing", poll=0.02)
    busy = release.space.plugin("next", "web", unchecked, env=behind)
    assert busy.code == 5, str(busy)
    killed.kill()
    killed.wait()
    release.space.plugin("next", "web", unchecked, env=behind, check=True)
    assert release.where() == ("Paused", 2)
    release.space.plugin("abort", "web", unchecked, env=behind, check=True)
    release.assert_taken_back()
    ended = release.space.plugin("history", "web", "-o", "json", check=True).json()["items"][-1]
    assert ended["startedAt"] == started > ended["endedAt"], ended
    release.space.plugin(*START, "--pause", "none", env=ahead, check=True)
    release.assert_finished()
    release.space.plugin("history", "web", check=True)
