"""Answers the requests: the address that a connection was made to says which pod is asked."""

import asyncio
import http
import json

from .. import addresses
from .runtime import Process, Runtime

MAX_HEAD = 64 << 10


class Connection(asyncio.Protocol):
    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._process: Process | None = None
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ip, port = transport.get_extra_info("sockname")
        self._process = self._runtime.at(self._ip)
        if self._process:
            self._process.connections.add(self)
        elif (self._ip, port) != addresses.RESPONDER_HEALTH:
            # The process ended between the kernel's handshake and now.
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._process:
            self._process.connections.discard(self)

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next_request()

    def _next_request(self) -> None:
        assert self._transport
        if self._busy or self._transport.is_closing():
            return
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            if len(self._buffer) > MAX_HEAD:
                self._transport.abort()
            return
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._answer(request_line, headers)

    def _answer(self, request_line: str, headers: dict[str, str]) -> None:
        method, path, protocol = request_line.split(" ")
        keep = protocol == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        process = self._process
        if process is None:
            self._write(200, {"healthy": True}, keep)
            return
        metadata = process.pod["metadata"]
        document = {
            "pod": metadata["name"],
            "namespace": metadata["namespace"],
            "version": metadata.get("labels", {}).get("version"),
            "image": process.pod["spec"]["containers"][0]["image"],
            "ip": self._ip,
            "method": method,
            "path": path,
            "headers": headers,
        }
        status = process.behaviour.fail_status if _must_fail(process) else 200
        if process.behaviour.slow:
            self._busy = True
            asyncio.get_running_loop().call_later(process.behaviour.slow, self._write, status, document, keep)
        else:
            self._write(status, document, keep)

    def _write(self, status: int, document: dict, keep: bool) -> None:
        assert self._transport
        if self._transport.is_closing():
            return
        body = json.dumps(document).encode() + b"\n"
        head = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        if not keep:
            head += "Connection: close\r\n"
        self._transport.write(head.encode() + b"\r\n" + body)
        self._busy = False
        if not keep:
            self._transport.close()
        elif self._buffer:
            self._next_request()


def _must_fail(process: Process) -> bool:
    """Spreads the failures evenly, so that a share of 25 percent is every fourth request and not a matter of luck."""
    process.failure_share += process.behaviour.fail_percent
    if process.failure_share < 100:
        return False
    process.failure_share -= 100
    return True
