"""An API server in front of the real one that kills its client right after a given write.

The write has been stored, its answer has not been delivered: the client can have done nothing after it.
"""

import os
import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

import yaml

from .space import Result, Space

WRITES = (b"POST", b"PUT", b"PATCH", b"DELETE")
API_SERVER = ("10.0.0.1", 6443)


def _head(stream: IO[bytes]) -> bytes:
    """A request's or response's first lines with the empty one that ends them; empty at the stream's end."""
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join([*lines, b"\r\n"]) if lines else b""


def _field(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


class Cutter:
    """`with Cutter(space, 5) as cutter:` its run() starts the plugin, and kills it after the fifth write of all runs."""

    def __init__(self, space: Space, after: int | None = None):
        self._after = after
        self.writes: list[str] = []
        self.killed = False
        self._process: subprocess.Popen[str] | None = None
        self._sockets: list[socket.socket] = []
        pki = Path(os.environ["BATCHROLLOUT_CLUSTER_DIR"]) / "pki"
        self._server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server_tls.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
        self._client_tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._client_tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        config = yaml.safe_load(space.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        kubeconfig = space.kubeconfig.with_suffix(".cut")
        kubeconfig.write_text(yaml.safe_dump(config))
        self._space = Space(space.name, kubeconfig)

    def __enter__(self) -> "Cutter":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for connection in self._sockets:
            connection.close()

    def run(self, *args: str, timeout: float = 60) -> Result:
        """The plugin; its exit status is -9 where it was killed."""
        self._process = self._space.start_plugin(*args)
        out, err = self._process.communicate(timeout=timeout)
        return Result(args, self._process.returncode, out, err)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            client = self._server_tls.wrap_socket(connection, server_side=True)
            server = self._client_tls.wrap_socket(
                socket.create_connection(API_SERVER), server_hostname=API_SERVER[0]
            )
            self._sockets += [client, server]
            with client.makefile("rb") as requests, server.makefile("rb") as responses:
                while self._exchange(client, server, requests, responses):
                    pass
        except OSError:
            pass  # either side is gone, and so is the other
        finally:
            connection.close()

    def _exchange(self, client: socket.socket, server: socket.socket, requests: IO[bytes], responses: IO[bytes]) -> bool:
        request = _head(requests)
        if not request:
            return False
        server.sendall(request + requests.read(int(_field(request, b"content-length") or 0)))
        response = _head(responses)
        if not response:
            return False
        method, target = request.split(b" ")[:2]
        if method not in WRITES or b"dryRun" in target:
            self._relay(client, response, responses)
            return True
        # The head last seen; the answer is complete when the body is.
        body = responses.read(int(_field(response, b"content-length") or 0))
        if b"chunked" in _field(response, b"transfer-encoding"):
            body = b"".join(self._chunks(responses))
        self._wrote(f"{method.decode()} {target.decode()} {response.split(b' ')[1].decode()}")
        client.sendall(response + body)
        return True

    def _wrote(self, what: str) -> None:
        self.writes.append(what)
        if len(self.writes) == self._after and self._process:
            os.kill(self._process.pid, signal.SIGKILL)
            self.killed = True
            raise ConnectionError("the client is dead")

    @staticmethod
    def _chunks(responses: IO[bytes]):
        while True:
            size = responses.readline()
            if not size:
                raise ConnectionError("the server ended within a chunk")
            chunk = responses.read(int(size, 16) + 2)
            yield size + chunk
            if int(size, 16) == 0:
                return

    def _relay(self, client: socket.socket, response: bytes, responses: IO[bytes]) -> None:
        """At once, chunk by chunk: it may be a watch."""
        client.sendall(response)
        if b"chunked" in _field(response, b"transfer-encoding"):
            for chunk in self._chunks(responses):
                client.sendall(chunk)
        else:
            client.sendall(responses.read(int(_field(response, b"content-length") or 0)))
