"""Makes the kernel refuse connections to pods that do not listen.

One socket on 0.0.0.0 takes the connections of all pods, so it cannot refuse those of one. A packet filter can: it
resets every attempt to connect to a pod address that is not in the set of listening ones.
"""

import asyncio

from .. import addresses

TABLE = f"""\
table ip testbed {{
    set listening {{
        type ipv4_addr
    }}
    chain input {{
        type filter hook input priority filter; policy accept;
        ip daddr {addresses.PODS} tcp flags & (syn | ack) == syn ip daddr != @listening reject with tcp reset
    }}
}}
"""


async def _nft(script: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "nft", "-f", "-", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate(script.encode())
    if process.returncode != 0:
        raise RuntimeError(f"nft: {errors.decode().strip()}; the script was:\n{script}")


class Gate:
    def __init__(self) -> None:
        self._commands: list[str] = []
        self._done: asyncio.Future[None] | None = None
        self._lock = asyncio.Lock()

    async def set_up(self) -> None:
        await _nft(TABLE)

    async def open(self, ip: str) -> None:
        await self._apply(f"add element ip testbed listening {{ {ip} }}")

    async def close(self, ip: str) -> None:
        # Adding first makes it no error when the address is not there.
        await self._apply(
            f"add element ip testbed listening {{ {ip} }}\ndelete element ip testbed listening {{ {ip} }}"
        )

    async def _apply(self, command: str) -> None:
        """Returns when the command took effect. What comes in while nft runs goes into its next run together."""
        self._commands.append(command)
        async with self._lock:
            if command_batch := self._commands:
                self._commands = []
                await _nft("\n".join(command_batch) + "\n")
