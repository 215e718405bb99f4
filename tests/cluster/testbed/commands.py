"""up, down, status."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from . import paths
from .process import Identity

STOP_TIMEOUT = 15.0


@contextmanager
def _lock() -> Iterator[None]:
    """Two `up`, or an `up` and a `down`, of one cluster take turns."""
    paths.RUN.mkdir(parents=True, exist_ok=True)
    with paths.LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another up or down of this cluster", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear_run_directory() -> None:
    for entry in paths.RUN.iterdir():
        if entry == paths.LOCK:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _stop() -> bool:
    supervisor = Identity.load(paths.SUPERVISOR)
    if supervisor is None:
        return False
    supervisor.end(STOP_TIMEOUT)
    paths.SUPERVISOR.unlink(missing_ok=True)
    return True


def _start() -> bool:
    unshare = ["unshare", "--net"]
    if os.geteuid() != 0:
        unshare.append("--map-root-user")
    paths.LOGS.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment["PYTHONPATH"] = str(paths.SOURCE)
    environment["BATCHROLLOUT_CLUSTER_DIR"] = str(paths.RUN)
    # ip and nft live where only root's PATH leads by default.
    environment["PATH"] = f"{environment['PATH']}:/usr/sbin:/sbin"
    with (paths.LOGS / "supervisor.log").open("wb") as log:
        supervisor = subprocess.Popen(
            [*unshare, sys.executable, "-m", "testbed", "supervise"],
            cwd=paths.RUN,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C on a later command of the same terminal must not end the cluster.
            start_new_session=True,
            # The lock is ours, not the cluster's.
            close_fds=True,
        )
    identity = Identity.of(supervisor.pid)
    assert identity is not None and supervisor.stdout is not None
    identity.save(paths.SUPERVISOR)
    try:
        for line in supervisor.stdout:
            if line == "ready\n":
                return True
            print(line, end="", flush=True)
    except KeyboardInterrupt:
        print("interrupted; ending what was started", file=sys.stderr)
    identity.end(STOP_TIMEOUT)
    supervisor.wait()
    print(f"the cluster did not start; its logs are in {paths.LOGS}", file=sys.stderr)
    return False


def up() -> int:
    with _lock():
        if Identity.load(paths.SUPERVISOR) and paths.READY.exists():
            print("the cluster is up already")
            return 0
        # One that is there but not complete was left behind by an `up` that was killed.
        _stop()
        _clear_run_directory()
        if not _start():
            return 1
        print("the cluster is up; try: tests/cluster/in kubectl get nodes")
        return 0


def down() -> int:
    with _lock():
        print("the cluster is down" if _stop() else "the cluster was not up")
        return 0


def status() -> int:
    if Identity.load(paths.SUPERVISOR):
        print("up" if paths.READY.exists() else "starting or stopping")
        return 0 if paths.READY.exists() else 3
    print("down")
    if paths.FAILURE.exists():
        print(paths.FAILURE.read_text(), end="")
    return 3
