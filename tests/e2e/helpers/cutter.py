"""An API server in front of the real one that kills its client right before, or right after, a given request.

Before: the request has not been forwarded. After: the server has answered, and the answer is not delivered, so that the
client can have done nothing after it. All requests count, reads and watches too.
"""

import os
import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import yaml

from .space import Result, Space

WRITES = (b"POST", b"PUT", b"PATCH", b"DELETE")
API_SERVER = ("10.0.0.1", 6443)


def head_of(stream: IO[bytes]) -> bytes:
    """A request's or response's first lines with the empty one that ends them; empty at the stream's end."""
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join([*lines, b"\r\n"]) if lines else b""


def field(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


def body_of(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """The body that follows HEAD, piece by piece, as it is on the wire; a watch's never ends."""
    if b"chunked" not in field(head, b"transfer-encoding"):
        yield stream.read(int(field(head, b"content-length") or 0))
        return
    while size := stream.readline():
        piece = stream.read(int(size, 16) + 2)
        yield size + piece
        if int(size, 16) == 0:
            return
    raise ConnectionError("the server ended within a body")


class Middle:
    """An API server that hands each request on to the real one. `with Middle(space) as middle: middle.space.plugin(...)`.

    Subclasses do what they like in exchange().
    """

    def __init__(self, space: Space):
        self._connections: list[socket.socket] = []
        pki = Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"]) / "pki"
        self._server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server_tls.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
        self._client_tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._client_tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        config = yaml.safe_load(space.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        kubeconfig = space.kubeconfig.with_suffix(".middle")
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(config))
        self.space = Space(space.name, kubeconfig)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread that waits in accept() does not wake up when its socket is closed.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            self._end(connection)

    @staticmethod
    def _end(connection: socket.socket) -> None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        ends = [connection]
        try:
            client = self._server_tls.wrap_socket(connection, server_side=True)
            ends.append(client)
            to_server = socket.create_connection(API_SERVER)
            ends.append(to_server)
            server = self._client_tls.wrap_socket(to_server, server_hostname=API_SERVER[0])
            ends.append(server)
            self._connections += [client, server]
            with client.makefile("rb") as requests, server.makefile("rb") as responses:
                while request := head_of(requests):
                    body = requests.read(int(field(request, b"content-length") or 0))
                    self.exchange(request, body, client, server, responses)
        except (OSError, ValueError):
            pass  # either side is gone, and so is the other
        finally:
            for end in reversed(ends):
                self._end(end)

    def exchange(
        self, request: bytes, body: bytes, client: socket.socket, server: socket.socket, responses: IO[bytes]
    ) -> None:
        """Hands a request on, and its answer back: at once, piece by piece, since it may be a watch."""
        server.sendall(request + body)
        response = head_of(responses)
        if not response:
            raise ConnectionError("the server has ended")
        client.sendall(response)
        for piece in body_of(response, responses):
            client.sendall(piece)


def is_write(request: bytes) -> bool:
    method, target = request.split(b" ")[:2]
    return method in WRITES and b"dryRun" not in target


def every(request: bytes) -> bool:
    return bool(request)


WRITE = "write"
# /apis/apps/v1/namespaces/NAMESPACE/deployments/NAME; the namespace, or the name, may be left out.
_PATH = re.compile(r"/api(?:s/[^/]+)?/[^/]+(?:/namespaces/[^/]+)?/([^/]+)(/.+)?")


def kind_of(request: bytes) -> str:
    """WRITE, or what is read: "watch pods", "GET deployments/NAME" ..."""
    if is_write(request):
        return WRITE
    method, target = request.decode().split(" ")[:2]
    path, _, query = target.partition("?")
    if known := _PATH.fullmatch(path):
        path = known[1] + ("/NAME" if known[2] else "")
    return f"{'watch' if 'watch=1' in query else method} {path}"


class Cutter(Middle):
    """`with Cutter(space, 5, before=True) as cutter:` its run() starts the plugin; the fifth request of all runs ends it.

    COUNTS tells which requests are counted; all are kept.
    """

    def __init__(self, space: Space, number: int, before: bool, counts: Callable[[bytes], bool] = every):
        super().__init__(space)
        self._number = number
        self.before = before
        self._counts = counts
        self._lock = threading.Lock()
        self._counted = 0
        self.requests: list[str] = []
        self.killed = False
        self._process: subprocess.Popen[str] | None = None
        # Its first request may come before Popen() has returned.
        self._is_known = threading.Event()

    def writes(self) -> int:
        """How many have reached the server."""
        reached = self.requests[:-1] if self.killed and self.before else self.requests
        return sum(is_write(request.encode()) for request in reached)

    def run(self, *args: str, timeout: float = 60) -> Result:
        """The plugin; its exit status is -9 where it was killed."""
        self._is_known.clear()
        self._process = self.space.start_plugin(*args)
        self._is_known.set()
        try:
            out, err = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, err = self._process.communicate()
            raise AssertionError(f"{args} did not end in {timeout} s:\n{out}{err}") from None
        return Result(args, self._process.returncode, out, err)

    def exchange(
        self, request: bytes, body: bytes, client: socket.socket, server: socket.socket, responses: IO[bytes]
    ) -> None:
        last = self._is_last(request)
        if last and self.before:
            self._kill()
        server.sendall(request + body)
        response = head_of(responses)
        if not response:
            raise ConnectionError("the server has ended")
        watch = b"watch=1" in request.split(b"\r\n")[0]
        # The server is done with it when the answer is complete; a watch is begun, and never is.
        whole = b"" if watch else b"".join(body_of(response, responses))
        if last:
            self._kill()
        client.sendall(response + whole)
        if watch:
            for piece in body_of(response, responses):
                client.sendall(piece)

    def _is_last(self, request: bytes) -> bool:
        with self._lock:
            if self.killed:
                raise ConnectionError("the client is dead")
            self.requests.append(b" ".join(request.split(b" ")[:2]).decode())
            if not self._counts(request):
                return False
            self._counted += 1
            self.killed = self._counted == self._number
            return self.killed

    def _kill(self) -> None:
        self._is_known.wait()
        assert self._process
        os.kill(self._process.pid, signal.SIGKILL)
        raise ConnectionError("the client is dead")
