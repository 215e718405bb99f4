"""Traffic to watch: the program behind tests/cluster/traffic."""

import argparse
import signal
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from .space import Space
from .traffic import Counts, Traffic
from .workload import Way, Workload

SECOND = 1.0


def summary(counts: Counts) -> str:
    """v1 75 (75.0%)  v2 25 (25.0%)  failed 0"""
    parts = [
        f"{version or 'no version'} {number:4} ({100 * number / counts.answered:5.1f}%)"
        for version, number in sorted(counts.versions.items(), key=lambda item: item[0] or "")
    ]
    return "   ".join([*parts, f"failed {len(counts.failures)}"])


def show(traffic: Traffic, requests: int | None, stop: threading.Event) -> None:
    begun = since = traffic.mark()
    while not stop.wait(SECOND):
        now = traffic.mark()
        counts = traffic.counts(since, now)
        print(time.strftime("%H:%M:%S"), summary(counts), flush=True)
        since = now
        if requests and len(traffic.counts(begun).responses) >= requests:
            return


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/cluster/traffic")
    parser.add_argument("service")
    parser.add_argument("--path", choices=get_args(Way), default="envoy")
    parser.add_argument("--host")
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--requests", type=int)
    parser.add_argument("-n", "--namespace", default="default")
    options = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with TemporaryDirectory() as directory:
        workload = Workload(Space.of(options.namespace, Path(directory)), name=options.service)
        with workload.traffic(options.path, options.rate, host=options.host) as traffic:
            show(traffic, options.requests, stop)
    total = traffic.counts()
    print(f"total    {summary(total)}")
    for failure in total.failures[:20]:
        print(f"         {failure}")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
