"""An API server in front of the real one that does not know Istio's kinds."""

import socket
from typing import IO

from .cutter import Middle

NOT_FOUND = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}'


class WithoutIstio(Middle):
    """`with WithoutIstio(space) as cluster: cluster.space.plugin(...)`."""

    def exchange(
        self, request: bytes, body: bytes, client: socket.socket, server: socket.socket, responses: IO[bytes]
    ) -> None:
        if b"istio.io" not in request.split(b"\r\n", 1)[0]:
            super().exchange(request, body, client, server, responses)
            return
        head = f"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: {len(NOT_FOUND)}\r\n\r\n"
        client.sendall(head.encode() + NOT_FOUND)
