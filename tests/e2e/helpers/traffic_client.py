"""Sends requests at a constant rate and writes one line of JSON for each: a program of its own, for steady pacing.

    python traffic_client.py RATE '[{"address": ..., "port": ..., ...}, ...]'

The second argument are specifications of requests (request.py), which are sent in turn. Open loop: the next request is sent when it is due,
whether or not the ones before were answered, as independent users would do. Each has a connection of its own. Ends on
SIGTERM, after the requests under way have been answered.
"""

import asyncio
import json
import os
import signal
import ssl
import sys
import time
from typing import Any

MAX_ANSWER = 1 << 20


class Client:
    """Sends one request again and again."""

    def __init__(
        self,
        address: str,
        port: int,
        host: str,
        method: str,
        path: str,
        headers: dict[str, str],
        source: str | None,
        sni: str | None,
        timeout: float,
        authority: str,
    ):
        self._timeout = timeout
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: 0")
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._connection: dict[str, Any] = {"host": address, "port": port, "limit": MAX_ANSWER}
        if source:
            self._connection["local_addr"] = (source, 0)
        if sni:
            context = ssl.create_default_context(cafile=authority)
            # All pods have the same certificate, which cannot have the names of all Services.
            context.check_hostname = False
            self._connection |= {"ssl": context, "server_hostname": sni}

    async def one(self) -> dict[str, Any]:
        """What became of one request."""
        line: dict[str, Any] = {"sent": time.time()}
        try:
            async with asyncio.timeout(self._timeout):
                status, head, body = await self._exchange()
            line |= {"status": status, "set_cookies": set_cookies(head)}
            if status == 200:
                answer = json.loads(body)
                line |= {"version": answer["version"], "pod": answer["pod"], "answer": answer}
            else:
                line["failure"] = f"status {status}: {body[:200].decode(errors='replace').strip()}"
        except TimeoutError:
            line["failure"] = f"no answer within {self._timeout} s"
        except (OSError, ValueError, KeyError, IndexError) as error:
            line["failure"] = f"{type(error).__name__}: {error}"
        line["took"] = time.time() - line["sent"]
        return line

    async def _exchange(self) -> tuple[int, bytes, bytes]:
        reader, writer = await asyncio.open_connection(**self._connection)
        try:
            writer.write(self._request)
            answer = await reader.read(-1)
        finally:
            writer.close()
        head, separator, body = answer.partition(b"\r\n\r\n")
        if not separator:
            raise ConnectionError(f"the connection ended after {len(answer)} bytes")
        return int(head.split(b" ", 2)[1]), head, body


def set_cookies(head: bytes) -> list[str]:
    """What the answer's Set-Cookie headers say: "name=value; Path=/" ..."""
    lines = [line.partition(b":") for line in head.split(b"\r\n")]
    return [value.strip().decode() for name, _, value in lines if name.lower() == b"set-cookie"]


async def run(clients: list[Client], rate: float, stop: asyncio.Event) -> None:
    begun = time.monotonic()
    sent = 0
    under_way: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        due = begun + sent / rate
        delay = due - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        task = asyncio.create_task(report(clients[sent % len(clients)]))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        sent += 1
    await asyncio.gather(*under_way)


async def report(client: Client) -> None:
    line = await client.one()
    line.pop("answer", None)
    line.pop("set_cookies", None)
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody counts any more, so nobody is left to end us either.
        os._exit(1)


async def main() -> None:
    clients = [Client(**spec) for spec in json.loads(sys.argv[2])]
    stop = asyncio.Event()
    # Ctrl-C reaches the whole terminal, but when the traffic ends is our parent's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(clients, float(sys.argv[1]), stop)


if __name__ == "__main__":
    asyncio.run(main())
