"""What a person sees while the plugin waits, and what a pipe gets."""

import json
import re

import pytest
from helpers.space import PLUGIN, Space
from helpers.terminal import Terminal
from helpers.workload import IMAGE, Workload

COLOR = re.compile(r"\x1b\[[0-9;]*m")
WAITING = "waiting until 2 pods of deployment.apps/web-v2 are Ready and endpoints of the Service"


def start(space: Space, width: int = 100, *flags: str, **environment: str) -> Terminal:
    """In istio mode, with pods that take a moment to start."""
    env = {k: v for k, v in space.env.items() if k not in ("NO_COLOR", "TERM")} | {"TERM": "xterm"} | environment
    command = [PLUGIN, "start", "web", "--image", f"{IMAGE}:v2", "--batches", "2", "--settle", "100ms", *flags]
    return Terminal(command, env, width)


@pytest.fixture
def web(space: Space) -> Workload:
    return Workload(space, replicas=4, mesh=True, start_delay_ms=700, drain_ms=500).create()


def test_live_lines_while_it_waits(space, web):
    terminal = start(space)
    lines = terminal.wait_for("a wait", lambda seen: bool(seen) and seen[-1] == WAITING)
    stable, canary = lines[-3:-1]
    assert re.fullmatch(r"stable  web +v1 +\[#+\] +4/4 ready  100% of requests", stable)
    assert re.fullmatch(r"canary  web-v2 +v2 +\[[#.]+\] +[012]/2 ready    0% of requests", canary)
    assert terminal.end() == 0
    assert "\x1b[32mstable" in terminal.raw and "\x1b[33mcanary" in terminal.raw

    # What was live is gone; what was done stays, each once and in order.
    lines = terminal.lines()
    assert not any("of requests" in line or line.startswith("waiting") for line in lines)
    for done in ("deployment.apps/web resumed", "deployment.apps/web-v2 created", "deployment.apps/web scaled to 2"):
        assert lines.count(done) == 1
    assert lines[-6:] == [
        "release of service web to v2: paused at batch 1 of 2",
        "ROLE     DEPLOYMENT   VERSION   READY   REPLICAS   WEIGHT",
        "stable   web          v1        2       2          50%",
        "canary   web-v2       v2        2       2          50%",
        "go on:    kubectl batchrollout next web",
        "go back:  kubectl batchrollout abort web",
    ]
    # At no moment were there two sets of live lines.
    assert all(sum(line.startswith("waiting") for line in frame) <= 1 for frame in terminal.frames)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_width(space, web, width):
    terminal = start(space, width)
    assert terminal.end() == 0
    live = [line for frame in terminal.frames for line in frame if line.startswith(("stable  web", "canary  web"))]
    bars = [line for line in live if "[" in line]
    assert bars and all(len(line) < width for line in bars), "a line that wraps is not taken back wholly"
    assert all(re.search(r"\d/\d ready +\d+% of requests$", line) for line in bars), "what counts is there"
    assert not any(line.startswith("waiting") or "[#" in line for line in terminal.lines())


def test_no_color(space, web):
    terminal = start(space, 100, NO_COLOR="1")
    assert terminal.end() == 0
    assert any(line.startswith("waiting") for frame in terminal.frames for line in frame), "lines are still live"
    assert not COLOR.search(terminal.raw)


def test_dumb_terminal(space, web):
    terminal = start(space, 100, TERM="dumb")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.raw
    assert any(line.startswith(WAITING[:20]) for line in terminal.lines())


def test_pipe(space, web):
    done = space.plugin(
        "start", "web", "--image", f"{IMAGE}:v2", "--batches", "2", "--settle", "100ms", env={"TERM": "xterm"}, check=True
    )
    assert "\x1b" not in done.out + done.err and "\r" not in done.out + done.err
    waits = [line for line in done.out.splitlines() if line.startswith("waiting until ")]
    assert f"{WAITING}; stable web 4/4 ready; canary web-v2 0/2 ready" in waits
    assert len(waits) == len(set(waits)), "a line that says nothing new"


def test_interrupt(space, web):
    terminal = start(space, 100, "--version", "v2", "--timeout", "1m")
    terminal.wait_for("a wait", lambda seen: bool(seen) and seen[-1] == WAITING)
    terminal.interrupt()
    assert terminal.end() == 130
    lines = terminal.lines()
    assert not any("of requests" in line or line.startswith("waiting") for line in lines)
    assert "stopped; the release stays where it is, and nothing is lost" in lines
    assert "go on:    kubectl batchrollout next web" in lines


@pytest.mark.parametrize("in_terminal", [True, False], ids=["terminal", "pipe"])
def test_escapes_of_the_server_are_shown_not_obeyed(space, web, in_terminal):
    """A condition's message is text of whoever may write it: here, of a scheduler that wants to clear the screen."""
    space.kubectl("scale", "deployment/web", "--replicas=1")
    web.wait_rolled_out()
    evil = Workload(space, image=f"{IMAGE}:v2").deployment()
    evil["spec"]["template"]["spec"]["schedulerName"] = "nobody"
    file = space.kubeconfig.with_name("evil.json")
    file.write_text(json.dumps(evil))
    env = space.env | {"TERM": "xterm"}
    command = [PLUGIN, "start", "web", "-f", file, "--batches", "1", "--settle", "0", "--timeout", "12s"]
    terminal = Terminal(command if in_terminal else ["sh", "-c", '"$@" 2>&1 | cat', "sh", *command], env, 200)
    terminal.wait_for("the canary", lambda seen: "deployment.apps/web-v2 created" in seen)
    pod = terminal.wait_for("its pod", lambda _: bool(space.pods("version=v2"))) and space.pods("version=v2")[0]
    assert pod
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "\x1b[2Jgone\x1b]0;title\x07 \u009b1m\r\nsecond line",
    }
    space.kubectl(
        "patch", "pod", pod["metadata"]["name"], "--subresource=status",
        "--patch", json.dumps({"status": {"conditions": [condition]}}),
    )  # fmt: skip
    shown = terminal.wait_for("the reason", lambda seen: any(line.startswith("Unschedulable: ") for line in seen))
    text = "\n".join(shown)
    assert "gone" in text and "title" in text
    assert "\x1b[2J" not in terminal.raw and "\x07" not in terminal.raw and "\u009b" not in terminal.raw
    terminal.end()
    assert "\x1b[2J" not in terminal.raw and "\x07" not in terminal.raw and "\u009b" not in terminal.raw
    status = space.plugin("status", "web", check=True).out
    assert "gone" in status and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", status)
