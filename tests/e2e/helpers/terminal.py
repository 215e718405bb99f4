"""A terminal: a program runs in it, and what it shows can be looked at, now or as it was after each output."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

from .waiting import wait_for

CONTROL = re.compile(r"\x1b\[(\d*)([AJm])|\x1b\[(\d+;)*\d*m|(\r)|(\n)|(\x1b.?|[\x00-\x1f\x7f-\x9f])|([^\x00-\x1f\x7f-\x9f]+)")


class Screen:
    """The few things that the plugin tells a terminal; all else is an error."""

    def __init__(self, width: int):
        self._width = width
        self._lines: list[str] = [""]
        self._row = self._column = 0

    def feed(self, text: str) -> None:
        for match in CONTROL.finditer(text):
            number, command, _, home, feed, unknown, plain = match.groups()
            assert unknown is None, f"the terminal was told {unknown!r}"
            if command == "A":
                self._row -= int(number or 1)
                assert self._row >= 0, "the cursor was moved above what the program wrote"
            elif command == "J":
                self._lines = [*self._lines[: self._row], self._lines[self._row][: self._column]]
            elif home:
                self._column = 0
            elif feed:
                self._down()
            elif plain:
                self._write(plain)

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append("")

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self._width:
                self._column = 0
                self._down()
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._lines if line.strip()]


class Terminal:
    """Runs a program with a terminal of this width as its standard input, output and error."""

    def __init__(self, command: list[str | Path], env: dict[str, str], width: int = 100):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        self.raw = ""
        self._screen = Screen(width)
        self.frames: list[list[str]] = []
        self._process = subprocess.Popen(
            [str(word) for word in command], env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def _read(self, timeout: float) -> bool:
        """False at the end."""
        if not select.select([self._master], [], [], timeout)[0]:
            return True
        try:
            text = os.read(self._master, 65536).decode()
        except OSError:
            return False  # Linux' way to say that nobody has the other side open
        self.raw += text
        self._screen.feed(text)
        self.frames.append(self._screen.lines())
        return bool(text)

    def wait_for(self, what: str, condition: Callable[[list[str]], bool], timeout: float = 30) -> list[str]:
        """Until a screen is as it should be."""

        def seen() -> list[str] | None:
            self._read(0.1)
            lines = self._screen.lines()
            return lines if condition(lines) else None

        return wait_for(what, seen, timeout, poll=0) or []

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def end(self, timeout: float = 60) -> int:
        """Waits for the program's end; its exit status."""
        deadline = time.monotonic() + timeout
        while self._read(0.1):
            assert time.monotonic() < deadline, f"the program does not end; its screen: {self._screen.lines()}"
        os.close(self._master)
        return self._process.wait(timeout=timeout)

    def lines(self) -> list[str]:
        return self._screen.lines()
