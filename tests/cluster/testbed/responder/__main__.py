"""python -m testbed.responder, inside the network namespace."""

import asyncio
import ssl

from .. import addresses, paths
from .gate import Gate
from .runtime import Runtime
from .server import Connection
from .watch import pods


async def _follow_pods(runtime: Runtime, synced: asyncio.Event) -> None:
    async for kind, pod in pods():
        if kind == "SEEN":
            runtime.seen(pod)
        elif kind == "GONE":
            runtime.gone(pod)
        else:
            synced.set()


def _server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths.PKI / "pod.crt", paths.PKI / "pod.key")
    return context


async def main() -> None:
    gate = Gate()
    await gate.set_up()
    runtime = Runtime(gate)
    synced = asyncio.Event()
    follow = asyncio.create_task(_follow_pods(runtime, synced))
    failed = asyncio.create_task(runtime.failed())
    await asyncio.wait({asyncio.create_task(synced.wait()), follow}, return_when=asyncio.FIRST_COMPLETED)
    loop = asyncio.get_running_loop()
    for port in addresses.POD_PORTS:
        # Not shared: an Envoy that were told to listen on one of them would take requests away from the pods.
        await loop.create_server(lambda: Connection(runtime), "0.0.0.0", port, backlog=1024)
    for port in addresses.POD_TLS_PORTS:
        await loop.create_server(lambda: Connection(runtime), "0.0.0.0", port, backlog=1024, ssl=_server_tls())
    await loop.create_server(lambda: Connection(runtime), *addresses.RESPONDER_HEALTH)
    # Neither ends but by an error, which ends the program, and with it the cluster: better than wrong answers.
    await asyncio.gather(follow, failed)


if __name__ == "__main__":
    asyncio.run(main())
