"""An API server in front of the real one that is in trouble: what it does to each request is drawn, from a seed."""

import random
import socket
import struct
import threading
from collections import Counter
from typing import IO

from .cutter import Middle, body_of, head_of
from .space import Space

REFUSALS = {
    "429": (b"429 Too Many Requests", b"Retry-After: 1\r\n"),
    "500": (b"500 Internal Server Error", b""),
    "503": (b"503 Service Unavailable", b""),
}
PLAIN = ("dropped before", "dropped after", "reset", "delayed", "truncated", "503 after", *REFUSALS)


class Broken(ConnectionError):
    """The connection ends here, because the lot fell on it."""


def answer(status: bytes, more: bytes = b"") -> bytes:
    text = b"upstream trouble"
    return b"HTTP/1.1 %b\r\n%bContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (status, more, len(text), text)


class Trouble(Middle):
    """`with Trouble(space, seed=1, percent=10) as trouble: trouble.space.plugin(...)`."""

    def __init__(self, space: Space, seed: int, percent: int):
        super().__init__(space)
        self._random = random.Random(seed)
        self._percent = percent
        self._lock = threading.Lock()
        self.done: Counter[str] = Counter()

    def _draw(self, watch: bool) -> tuple[str, float]:
        """What happens to a request, and how much of it (0 to 1)."""
        with self._lock:
            kind = ""
            if self._random.randrange(100) < self._percent * (2 if watch else 1):
                kind = self._random.choice(("watch cut", "reset", *REFUSALS) if watch else PLAIN)
                self.done[kind] += 1
            return kind, self._random.random()

    def exchange(
        self, request: bytes, body: bytes, client: socket.socket, server: socket.socket, responses: IO[bytes]
    ) -> None:
        watch = b"watch=1" in request.split(b"\r\n")[0]
        kind, part = self._draw(watch)
        if kind in REFUSALS:
            client.sendall(answer(*REFUSALS[kind]))
            return
        if kind == "delayed":
            threading.Event().wait(part)
        if kind == "dropped before":
            raise Broken
        if kind == "reset":
            self._reset(client)
        server.sendall(request + body)
        response = head_of(responses)
        if not response:
            raise ConnectionError("the server has ended")
        if watch:
            self._hand_events_on(client, response, responses, int(part * 8) if kind else None)
            return
        whole = response + b"".join(body_of(response, responses))
        if kind == "dropped after":
            raise Broken
        if kind == "503 after":
            client.sendall(answer(REFUSALS["503"][0]))
            return
        if kind == "truncated":
            client.sendall(whole[: int(len(whole) * part)])
            raise Broken
        client.sendall(whole)

    @staticmethod
    def _reset(client: socket.socket) -> None:
        """The connection ends without a farewell."""
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(client.detach())
        raise Broken

    @staticmethod
    def _hand_events_on(client: socket.socket, response: bytes, responses: IO[bytes], last: int | None) -> None:
        """Up to the event number LAST, of which half comes."""
        client.sendall(response)
        for number, piece in enumerate(body_of(response, responses)):
            if number == last:
                client.sendall(piece[: len(piece) // 2])
                raise Broken
            client.sendall(piece)
