"""A request, and where it is sent from and to."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .counts import Counts, Response
from .traffic_client import Client

AT_ONCE = 10


@dataclass(frozen=True)
class Request:
    address: str
    port: int
    host: str  # the Host header
    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None  # the address that it is sent from; None leaves that to the kernel
    sni: str | None = None  # the server name of a TLS connection; None sends plain text
    timeout: float = 5

    def spec(self) -> dict[str, Any]:
        """As the traffic client takes it."""
        spec = {name: getattr(self, name) for name in self.__dataclass_fields__}
        authority = Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"]) / "pki" / "ca.crt"
        return spec | {"headers": dict(self.headers), "authority": str(authority)}


def with_cookies(headers: Mapping[str, str] | None, cookies: Mapping[str, str] | None) -> dict[str, str]:
    """The headers with a Cookie header as browsers send it."""
    joined = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return dict(headers or {}) | ({"Cookie": joined} if joined else {})


def send(request: Request, count: int = 1) -> Counts:
    """Sends the request COUNT times, each on a connection of its own, and counts what is answered."""
    return Counts(_send([Client(**request.spec())] * count))


def send_each(requests: Sequence[Request]) -> list[Response]:
    """Sends these requests, and returns what each was answered."""
    return _send([Client(**request.spec()) for request in requests])


def _send(clients: Sequence[Client]) -> list[Response]:
    async def all_of_them() -> list[dict[str, Any]]:
        few = asyncio.Semaphore(AT_ONCE)

        async def one(client: Client) -> dict[str, Any]:
            async with few:
                return await client.one()

        return await asyncio.gather(*map(one, clients))

    return [response_of(entry) for entry in asyncio.run(all_of_them())]


def response_of(entry: Mapping[str, Any]) -> Response:
    names = ("status", "version", "pod", "failure", "answer")
    known = (entry.get(name) for name in names)
    return Response(entry["sent"], entry["took"], *known, entry.get("set_cookies", []))
