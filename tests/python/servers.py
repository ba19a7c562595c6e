"""Real servers on loopback for tests, each in threads of its own."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import http.server
import json
import os
import random
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"


class TcpServer:
    """Accepts connections and serves each in a thread, until the with statement ends."""

    def __init__(self, *, host: str = HOST, tls: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._tls = tls
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.errors: list[BaseException] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def open_connections(self) -> int:
        """Number of connections that are being served."""
        with self._lock:
            return len(self._open)

    def wait_until_idle(self, seconds: float = 20) -> bool:
        """Whether all connections end within some time."""
        end = time.monotonic() + seconds
        while self.open_connections:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def serve(self, connection: socket.socket) -> None:
        """What the server does with a connection; it is closed afterwards."""
        raise NotImplementedError

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        plain = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self.serve(connection)
        except OSError as error:  # the guest may go away at any time
            self.errors.append(error)
        finally:
            connection.close()
            with self._lock:
                self._open.discard(plain)


class EchoServer(TcpServer):
    """Sends back what it gets; its own end comes after the peer's."""

    def serve(self, connection: socket.socket) -> None:
        while data := connection.recv(65536):
            connection.sendall(data)
        if not isinstance(connection, ssl.SSLSocket):
            connection.shutdown(socket.SHUT_WR)


class SilentServer(TcpServer):
    """Reads, and never says anything."""

    received = 0

    def serve(self, connection: socket.socket) -> None:
        while data := connection.recv(65536):
            self.received += len(data)


class DeafServer(TcpServer):
    """Never reads, so that what is sent to it piles up."""

    def serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while not self._closed:
            time.sleep(0.01)


class DripServer(TcpServer):
    """Reads something, then sends its bytes one at a time."""

    def __init__(self, data: bytes, interval: float, **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type]
        self._data = data
        self._interval = interval

    def serve(self, connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in self._data:
            connection.sendall(bytes([byte]))
            time.sleep(self._interval)


class ResetServer(TcpServer):
    """Reads something, may send something, and resets the connection."""

    def __init__(self, data: bytes = b"", **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type]
        self._data = data

    def serve(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(self._data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class RawServer(TcpServer):
    """Sends the same bytes to everybody, whatever they say, and closes."""

    def __init__(self, data: bytes, *, read_first: bool = False, **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type]
        self._data = data
        self._read_first = read_first

    def serve(self, connection: socket.socket) -> None:
        if self._read_first:
            connection.recv(65536)
        connection.sendall(self._data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def garbage(size: int, seed: int = 1) -> bytes:
    """Bytes without any meaning, the same for the same seed."""
    return random.Random(seed).randbytes(size)


class HalfCloseServer(TcpServer):
    """Says goodbye at once, and counts what it is sent after that."""

    received = b""

    def serve(self, connection: socket.socket) -> None:
        connection.sendall(b"goodbye")
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(65536):
            self.received += data


class HeaderFloodServer(TcpServer):
    """Answers with headers that do not end."""

    def serve(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        line = b"X-Flood: " + b"x" * 1000 + b"\r\n"
        while not self._closed:
            connection.sendall(line * 100)


@contextlib.contextmanager
def full_server() -> Iterator[int]:
    """A port where connects hang, because nobody accepts and the queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((HOST, 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((HOST, port))
        time.sleep(0.05)
        yield port


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


# ---- HTTP ----


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpBackend
    timeout = 60

    ROUTES: ClassVar[dict[str, Callable[[_Handler, dict[str, str]], None]]] = {}

    def do_GET(self) -> None:
        self.server.note(self)
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        route = self.ROUTES.get(address.path)
        self.body = self._read_body()
        if route is None:
            self.answer(b"not found", status=404)
        else:
            route(self, query)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def answer(
        self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def as_json(self, value: object) -> None:
        self.answer(json.dumps(value).encode(), headers={"Content-Type": "application/json"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is printed."""


def _echo(handler: _Handler, query: dict[str, str]) -> None:
    handler.as_json(
        {
            "method": handler.command,
            "path": handler.path,
            "query": query,
            "headers": dict(handler.headers.items()),
            "body": handler.body.decode("latin-1"),
        }
    )


def _chunked(handler: _Handler, query: dict[str, str]) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for number in range(int(query.get("count", "5"))):
        piece = f"piece {number}\n".encode()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.flush()
    handler.wfile.write(b"0\r\n\r\n")


def _endless(handler: _Handler, query: dict[str, str]) -> None:
    """A body that is announced with its size, 1 GB by default."""
    size = int(query.get("size", str(10**9)))
    handler.send_response(200)
    handler.send_header("Content-Length", str(size))
    handler.end_headers()
    piece = bytes(65536)
    try:
        while size > 0:
            handler.wfile.write(piece[:size])
            size -= len(piece)
    except OSError:
        handler.close_connection = True


def _redirect(handler: _Handler, query: dict[str, str]) -> None:
    handler.answer(b"", status=302, headers={"Location": query.get("to", "/hello")})


def _slow(handler: _Handler, query: dict[str, str]) -> None:
    time.sleep(float(query.get("seconds", "0.2")))
    handler.answer(b"slow")


_Handler.ROUTES = {
    "/hello": lambda handler, query: handler.answer(b"hello"),
    "/echo": _echo,
    "/bytes": lambda handler, query: handler.answer(bytes(int(query["size"]))),
    "/status": lambda handler, query: handler.answer(b"as you wish", status=int(query["code"])),
    "/gzip": lambda handler, query: handler.answer(
        gzip.compress(b"unpacked " * 1000), headers={"Content-Encoding": "gzip"}
    ),
    "/cookie": lambda handler, query: handler.answer(
        handler.headers.get("Cookie", "").encode(), headers={"Set-Cookie": "taste=sweet"}
    ),
    "/chunked": _chunked,
    "/endless": _endless,
    "/redirect": _redirect,
    "/slow": _slow,
}


class _HttpBackend(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.tls = tls
        self.connections = 0
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.errors: list[BaseException] = []
        super().__init__((HOST, 0), _Handler)

    def note(self, handler: _Handler) -> None:
        self.requests.append(f"{handler.command} {handler.path}")
        self.headers.append(dict(handler.headers.items()))

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.connections += 1
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        if self.tls is not None:
            request.settimeout(60)
            request = self.tls.wrap_socket(request, server_side=True)
        try:
            super().finish_request(request, client_address)
        finally:
            if self.tls is not None:
                request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """The guest may go away at any time."""
        error = sys.exception()
        if error is not None:
            self.errors.append(error)


class HttpServer:
    """HTTP/1.1 with keep-alive, over TLS if there is a context for that.

    /hello, /echo (all about the request as JSON), /bytes?size=, /status?code=, /gzip, /cookie,
    /chunked?count=, /endless?size=, /redirect?to=, /slow?seconds=
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._backend = _HttpBackend(tls)
        self.port: int = self._backend.server_address[1]
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{HOST if tls is None else 'localhost'}:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._backend.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._backend.shutdown()
        self._backend.server_close()

    @property
    def connections(self) -> int:
        """Number of connections that were accepted."""
        return self._backend.connections

    @property
    def requests(self) -> list[str]:
        """Methods and paths of the requests so far."""
        return self._backend.requests

    @property
    def headers(self) -> list[dict[str, str]]:
        """Headers of the requests so far."""
        return self._backend.headers


# ---- TLS ----


class Authority:
    """A certificate authority that was made just now."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.der = ssl.PEM_cert_to_DER_cert(self._authority.cert_pem.bytes().decode())

    def certificate(self, *names: str, expired: bool = False) -> trustme.LeafCert:
        """A certificate with its key for names or addresses, localhost by default."""
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        return self._authority.issue_cert(
            *(names or ("localhost", HOST)),
            not_before=past - datetime.timedelta(days=1) if expired else None,
            not_after=past if expired else None,
        )

    def context(
        self, *names: str, expired: bool = False, protocols: list[str] | None = None
    ) -> ssl.SSLContext:
        """What a server needs that shows such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate(*names, expired=expired).configure_cert(context)
        if protocols:
            context.set_alpn_protocols(protocols)
        return context


# ---- Names ----


class DnsServer:
    """Answers queries for A and AAAA over UDP.

    `answers` has a list for each name: what the first lookup gets, the second, and so on; the last
    one stays. An answer is a list of addresses, empty for a name without any; None is no answer at
    all. Names that are not there do not exist.
    """

    def __init__(self, answers: dict[str, list[list[str] | None]] | None = None) -> None:
        self.answers = answers or {}
        self.queries: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self.address = f"{HOST}:{self.port}"
        self._asked: dict[tuple[str, int], int] = {}
        self._closed = False

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closed = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (HOST, self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, peer = self._socket.recvfrom(4096)
            if self._closed:
                return
            answer = self.answer(query)
            if answer is not None:
                with contextlib.suppress(OSError):
                    self._socket.sendto(answer, peer)

    def answer(self, query: bytes) -> bytes | None:
        """What is sent back for a query; None for nothing."""
        labels = []
        position = 12
        while size := query[position]:
            labels.append(query[position + 1 : position + 1 + size].decode("latin-1"))
            position += 1 + size
        end = position + 5
        (kind,) = struct.unpack("!H", query[position + 1 : position + 3])
        name = ".".join(labels).lower()
        self.queries.append(name)
        question = query[12:end]
        rounds = self.answers.get(name)
        if rounds is None:
            return query[:2] + struct.pack("!HHHHH", 0x8183, 1, 0, 0, 0) + question
        turn = self._asked.get((name, kind), 0)
        self._asked[name, kind] = turn + 1
        addresses = rounds[min(turn, len(rounds) - 1)]
        if addresses is None:
            return None
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        records = b""
        count = 0
        for address in addresses:
            if (socket.AF_INET6 if ":" in address else socket.AF_INET) != family:
                continue
            data = socket.inet_pton(family, address)
            records += struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data
            count += 1
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0) + question + records


class HostileDnsServer(DnsServer):
    """Changes good answers before it sends them."""

    def __init__(
        self, change: Callable[[bytes, bytes], bytes], answers: dict[str, list[list[str] | None]]
    ) -> None:
        """change: is given a query and its good answer."""
        super().__init__(answers)
        self._change = change

    def answer(self, query: bytes) -> bytes | None:
        """The answer after the change."""
        good = super().answer(query)
        return None if good is None else self._change(query, good)


def dns_alias(query: bytes, name: str, address: str) -> bytes:
    """An answer that says: see NAME, which has ADDRESS."""
    target = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    alias = struct.pack("!HHHIH", 0xC00C, 5, 1, 0, len(target)) + target
    data = socket.inet_aton(address)
    record = target + struct.pack("!HHIH", 1, 1, 0, len(data)) + data
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 2, 0, 0)
    return head + query[12 : query.index(b"\0", 12) + 5] + alias + record


# ---- nginx ----

_NGINX_CONFIGURATION = """
daemon off;
master_process off;
error_log {directory}/error.log;
pid {directory}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 64m;
    keepalive_timeout 60;
    keepalive_requests 100000;
    gzip on;
    gzip_types *;
    gzip_min_length 100;
    default_type text/plain;
    server {{
        listen {host}:{port};
        listen {host}:{tls_port} ssl;
        ssl_certificate {directory}/certificate.pem;
        ssl_certificate_key {directory}/key.pem;
        root {directory}/files;
        location = /text {{ return 200 "from nginx\\n"; }}
        location = /moved {{ return 301 /text; }}
        location /upload {{ dav_methods PUT; }}
    }}
}}
"""


def nginx_program() -> str | None:
    """Where nginx is, if it is there."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Nginx:
    """nginx with files: /text, /moved, /large (8 MiB), /words (compressed if wanted), PUT /upload/.

    Over TLS the names are localhost and 127.0.0.1.
    """

    LARGE = 8 * 1024 * 1024

    def __init__(self, directory: Path, authority: Authority) -> None:
        self._directory = directory
        program = nginx_program()
        assert program is not None
        self._program = program
        self.port = closed_port()
        self.tls_port = closed_port()
        self.url = f"http://{HOST}:{self.port}"
        self.tls_url = f"https://localhost:{self.tls_port}"
        (directory / "files" / "upload").mkdir(parents=True)
        (directory / "files" / "large").write_bytes(garbage(self.LARGE))
        (directory / "files" / "words").write_text("many words " * 10_000)
        leaf = authority.certificate()
        leaf.private_key_pem.write_to_path(str(directory / "key.pem"))
        for pem in leaf.cert_chain_pems:
            pem.write_to_path(str(directory / "certificate.pem"), append=True)
        configuration = _NGINX_CONFIGURATION.format(
            directory=directory, host=HOST, port=self.port, tls_port=self.tls_port
        )
        (directory / "nginx.conf").write_text(configuration)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._program, "-p", str(self._directory), "-c", str(self._directory / "nginx.conf")],
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((HOST, self.tls_port), timeout=1).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    self._process.kill()
                    _, text = self._process.communicate()
                    raise AssertionError(f"nginx does not start: {text.decode()}") from None
                time.sleep(0.02)

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)

    def uploaded(self, name: str) -> bytes:
        """What was put there."""
        return (self._directory / "files" / "upload" / name).read_bytes()
