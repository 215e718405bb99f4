"""Processes: named surely (a number alone may be another process by now), started, watched, ended."""

import ctypes
import os
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """A process id with the start time that tells it from a later process of the same number."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name, in parentheses, may hold anything; state is the first field behind it, start time the 20th.
        fields = stat[stat.rindex(")") + 2 :].split()
        return None if fields[0] in "ZX" else cls(pid, fields[19])

    @classmethod
    def load(cls, file: Path) -> "Identity | None":
        """The process that FILE names, when it still runs."""
        try:
            pid, started = file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        now = cls.of(int(pid))
        return now if now is not None and now.started == started else None

    def save(self, file: Path) -> None:
        file.write_text(f"{self.pid} {self.started}\n")

    def end(self, grace: float) -> None:
        """Asks the process to end, waits, and after GRACE seconds kills it."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # The handle cannot change its process any more, so this check holds for the signals below.
            if Identity.of(self.pid) != self:
                return
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if not select.select([handle], [], [], grace)[0]:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [], grace)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Component:
    """One program of the cluster, its log, and how it ends."""

    def __init__(self, name: str, argv: list[str], log: Path, env: dict[str, str] | None = None):
        self.name = name
        self.log = log
        self._argv = argv
        self._env = os.environ | (env or {})
        self.start()

    def start(self) -> None:
        """Starts it, again where it has ended."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._env,
                # Should the supervisor be killed outright, nothing is left running.
                preexec_fn=_die_with_parent,
            )
        self.pid = self._process.pid

    def exit_status(self) -> int | None:
        return self._process.poll()

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def terminate(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()

    def wait_or_kill(self, timeout: float) -> None:
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
