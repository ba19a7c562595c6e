"""A package index over HTTP (PEP 503, PEP 658, PEP 691), which may be hostile on purpose."""

from __future__ import annotations

import base64
import hashlib
import html
import http.server
import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from servers import HOST

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

Answer = tuple[int, dict[str, str], bytes]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass
class Offer:
    """A file of the index, and what the index says of it."""

    data: bytes
    sha256: str | None = None  # None for the right one; empty for none
    metadata: bytes | None = None
    requires_python: str = ""
    yanked: bool = False


@dataclass
class Index:
    """Files by their names, and answers for paths that stand for themselves."""

    as_html: bool = False
    password: str | None = None  # of the user "me"
    tls: ssl.SSLContext | None = None
    offers: dict[str, Offer] = field(default_factory=dict)
    answers: dict[str, Answer | Callable[[http.server.BaseHTTPRequestHandler], None]] = field(
        default_factory=dict
    )
    requests: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    def add(self, filename: str, data: bytes, **more: Any) -> None:
        self.offers[filename] = Offer(data, **more)

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{HOST if self.tls is None else 'localhost'}:{self.port}/simple/"

    def url_with_password(self) -> str:
        return self.url.replace("://", f"://me:{self.password}@")

    def __enter__(self) -> Self:
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.requests.append(self.path)
                index.authorizations.append(self.headers.get("Authorization"))
                index.handle(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing is printed."""

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def handle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        answer = self._answer(handler)
        if callable(answer):
            answer(handler)
            return
        status, headers, body = answer
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if "Content-Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> Any:
        expected = base64.b64encode(f"me:{self.password}".encode()).decode()
        given = handler.headers.get("Authorization")
        if self.password is not None and given != f"Basic {expected}":
            return 401, {"WWW-Authenticate": "Basic"}, b""
        if handler.path in self.answers:
            return self.answers[handler.path]
        _, kind, name, *_ = [*handler.path.split("/"), "", ""]
        if kind == "simple":
            return self._page(name)
        offer = self.offers.get(name.removesuffix(".metadata"))
        if offer is None or (name.endswith(".metadata") and offer.metadata is None):
            return 404, {}, b""
        body = offer.metadata if name.endswith(".metadata") else offer.data
        return 200, {"Content-Type": "application/octet-stream"}, body

    def _page(self, project: str) -> Answer:
        files = {
            filename: offer
            for filename, offer in self.offers.items()
            if normalized(filename.split("-")[0]) == project
        }
        if not files:
            return 404, {}, b""
        if self.as_html:
            lines = [self._anchor(*item) for item in files.items()]
            return 200, {"Content-Type": "text/html"}, "\n".join(lines).encode()
        document = {
            "meta": {"api-version": "1.1"},
            "name": project,
            "files": [self._entry(*item) for item in files.items()],
        }
        kind = "application/vnd.pypi.simple.v1+json"
        return 200, {"Content-Type": kind}, json.dumps(document).encode()

    def _entry(self, filename: str, offer: Offer) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "filename": filename,
            "url": f"/files/{filename}",
            "hashes": {"sha256": digest} if (digest := _digest(offer)) else {},
            "yanked": offer.yanked,
        }
        if offer.requires_python:
            entry["requires-python"] = offer.requires_python
        if offer.metadata is not None:
            entry["core-metadata"] = {"sha256": hashlib.sha256(offer.metadata).hexdigest()}
        return entry

    def _anchor(self, filename: str, offer: Offer) -> str:
        fragment = f"#sha256={digest}" if (digest := _digest(offer)) else ""
        more = f' data-requires-python="{html.escape(offer.requires_python)}"'
        more = more if offer.requires_python else ""
        more += ' data-yanked="broken"' if offer.yanked else ""
        return f'<a href="../../files/{filename}{fragment}"{more}>{filename}</a>'


def _digest(offer: Offer) -> str:
    return hashlib.sha256(offer.data).hexdigest() if offer.sha256 is None else offer.sha256
