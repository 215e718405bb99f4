"""List and watch of the pods on the API server."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from .. import addresses, api

PATH = "/api/v1/pods"
MAX_EVENT = 8 << 20
# How it looks when the API server ends in the middle.
OUTAGE = (asyncio.IncompleteReadError, OSError)

Pod = dict[str, Any]


class Expired(Exception):
    """The API server has forgotten where we were: list again."""


class _Stream:
    """The body of one GET, line by line or whole."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer

    @classmethod
    async def get(cls, path: str) -> "_Stream":
        reader, writer = await asyncio.open_connection(
            addresses.NODE, 6443, ssl=api.tls_context(), limit=MAX_EVENT
        )
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {addresses.NODE}\r\nAccept: application/json\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        status = int(head.split(None, 2)[1])
        if status == 410:
            raise Expired
        if api.may_be_starting(status):
            raise ConnectionError(f"GET {path}: {status}")
        if status != 200:
            raise RuntimeError(f"GET {path}: {head}")
        if "transfer-encoding: chunked" in head:
            return cls(reader, writer)
        length = int(head.split("content-length:")[1].split(None, 1)[0])
        body = asyncio.StreamReader(limit=MAX_EVENT)
        body.feed_data(b"%x\r\n" % length + await reader.readexactly(length) + b"\r\n0\r\n\r\n")
        body.feed_eof()
        return cls(body, writer)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readline() or b"0", 16):
            yield (await self._reader.readexactly(size + 2))[:-2]

    async def whole(self) -> bytes:
        return b"".join([chunk async for chunk in self._chunks()])

    async def lines(self) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in self._chunks():
            *complete, rest = (rest + chunk).split(b"\n")
            for line in complete:
                yield line

    def close(self) -> None:
        self._writer.close()


async def _list() -> tuple[list[Pod], str]:
    stream = await _Stream.get(PATH)
    try:
        document = json.loads(await stream.whole())
        return document["items"], document["metadata"]["resourceVersion"]
    finally:
        stream.close()


async def _list_patiently() -> tuple[list[Pod], str]:
    """Tests kill the API server; it is back soon."""
    deadline = time.monotonic() + api.OUTAGE_SECONDS
    while True:
        try:
            return await _list()
        except OUTAGE:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(api.OUTAGE_POLL)


async def _watch(version: str) -> AsyncIterator[tuple[str, Pod]]:
    """Events from VERSION on, resumed where they broke off, until the API server cannot resume."""
    while True:
        stream = await _Stream.get(f"{PATH}?watch=true&allowWatchBookmarks=true&resourceVersion={version}")
        try:
            async for line in stream.lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise Expired
                version = event["object"]["metadata"]["resourceVersion"]
                yield event["type"], event["object"]
        except OUTAGE:
            continue
        finally:
            stream.close()


async def pods() -> AsyncIterator[tuple[str, Pod]]:
    """Endless events: ("SEEN", pod) when a pod is new or changed, ("GONE", pod), ("SYNCED", {}) after each list."""
    known: dict[str, Pod] = {}
    while True:
        listed, version = await _list_patiently()
        present = {pod["metadata"]["uid"] for pod in listed}
        for uid in known.keys() - present:
            yield "GONE", known.pop(uid)
        for pod in listed:
            known[pod["metadata"]["uid"]] = pod
            yield "SEEN", pod
        yield "SYNCED", {}
        try:
            async for kind, pod in _watch(version):
                if kind == "BOOKMARK":
                    continue
                uid = pod["metadata"]["uid"]
                if kind == "DELETED":
                    known.pop(uid, None)
                    yield "GONE", pod
                else:
                    known[uid] = pod
                    yield "SEEN", pod
        except (Expired, *OUTAGE):
            continue
