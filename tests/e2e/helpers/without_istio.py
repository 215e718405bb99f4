"""An API server in front of the real one that does not know Istio's kinds."""

import socket
from typing import IO

from .cutter import Cutter
from .space import Space

NOT_FOUND = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}'


class WithoutIstio(Cutter):
    """`with WithoutIstio(space) as cluster:` its run() starts the plugin."""

    def __init__(self, space: Space):
        super().__init__(space)

    def _exchange(self, client: socket.socket, server: socket.socket, requests: IO[bytes], responses: IO[bytes]) -> bool:
        line = requests.peek(1)  # type: ignore[attr-defined]
        if b"istio.io" not in line.split(b"\r\n", 1)[0]:
            return super()._exchange(client, server, requests, responses)
        while requests.readline() not in (b"\r\n", b""):
            pass
        head = f"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: {len(NOT_FOUND)}\r\n\r\n"
        client.sendall(head.encode() + NOT_FOUND)
        return True
