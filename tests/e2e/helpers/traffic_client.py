"""Sends requests at a constant rate and writes one line of JSON for each: a program of its own, for steady pacing.

    python traffic_client.py '{"address": ..., "port": ..., "host": ..., "rate": ..., "timeout": ..., "headers": {}}'

Open loop: the next request is sent when it is due, whether or not the ones before were answered, as independent users
would do. Each has a connection of its own. Ends on SIGTERM, after the requests under way have been answered.
"""

import asyncio
import json
import os
import signal
import sys
import time

MAX_ANSWER = 1 << 20


class Client:
    def __init__(self, address: str, port: int, host: str, rate: float, timeout: float, headers: dict[str, str]):
        self._address, self._port, self._rate, self._timeout = address, port, rate, timeout
        lines = ["GET / HTTP/1.1", f"Host: {host}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def run(self, stop: asyncio.Event) -> None:
        begun = time.monotonic()
        sent = 0
        under_way: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            due = begun + sent / self._rate
            delay = due - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            task = asyncio.create_task(self._one())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            sent += 1
        await asyncio.gather(*under_way)

    async def _one(self) -> None:
        line: dict[str, object] = {"sent": time.time()}
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await self._exchange()
            line["status"] = status
            if status == 200:
                answer = json.loads(body)
                line |= {"version": answer["version"], "pod": answer["pod"]}
            else:
                line["failure"] = f"status {status}: {body[:200].decode(errors='replace').strip()}"
        except TimeoutError:
            line["failure"] = f"no answer within {self._timeout} s"
        except (OSError, ValueError, KeyError, IndexError) as error:
            line["failure"] = f"{type(error).__name__}: {error}"
        line["took"] = time.time() - float(str(line["sent"]))
        try:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody counts any more, so nobody is left to end us either.
            os._exit(1)

    async def _exchange(self) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self._address, self._port, limit=MAX_ANSWER)
        try:
            writer.write(self._request)
            answer = await reader.read(-1)
        finally:
            writer.close()
        head, separator, body = answer.partition(b"\r\n\r\n")
        if not separator:
            raise ConnectionError(f"the connection ended after {len(answer)} bytes")
        return int(head.split(b" ", 2)[1]), body


async def main() -> None:
    client = Client(**json.loads(sys.argv[1]))
    stop = asyncio.Event()
    # Ctrl-C reaches the whole terminal, but when the traffic ends is our parent's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await client.run(stop)


if __name__ == "__main__":
    asyncio.run(main())
