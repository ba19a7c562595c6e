"""Fetches pages and files of indexes, none of which is trusted: size, time and place are bounded.

It is what unearth takes for a session as well.
"""

from __future__ import annotations

import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from eryx._errors import InitializationError
from eryx._files import read_file
from eryx.packages._extra import library
from eryx.packages._tree import MAX_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from eryx.packages._indexes import Indexes

MAX_PAGE_BYTES = 32 << 20  # of what an index says of one package
MAX_METADATA_BYTES = 4 << 20
_MAX_REDIRECTS = 10
_ATTEMPTS = 3
_PIECE = 64 << 10
_BUSY = {429, 502, 503, 504}


class FetchError(InitializationError):
    """Something could not be fetched, or is not what was promised: nothing else is tried then."""

    __module__ = "eryx"


@dataclass
class Page:
    """What a server has answered, as unearth wants to see it."""

    url: str
    content: bytes
    headers: Mapping[str, str]
    status_code: int = 200
    reason_phrase: str = "OK"
    encoding: str | None = "utf-8"


_EMPTY_HEADERS = {"Content-Type": "text/html"}
_PAGES = ("text/html", "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json")


def shown(url: str) -> str:
    """An address without what is secret in it, fit for a terminal."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    plain = f"{parts.scheme}://{host}{parts.path}"[:300]
    return plain if plain.isprintable() else ascii(plain)


def file_path(url: str) -> str:
    """The path of a file: address; empty for others."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else ""


class Client:
    """One user's connections to indexes. Not for several threads at once."""

    def __init__(self, indexes: Indexes, *, deadline_s: float | None = None) -> None:
        """deadline_s: seconds for all that is fetched; None for no end."""
        self._indexes = indexes
        self._end = None if deadline_s is None else time.monotonic() + deadline_s
        self._http: Any = None
        self._unsafe: Any = None

    def close(self) -> None:
        """Ends its connections."""
        for client in (self._http, self._unsafe):
            if client is not None:
                client.close()
        self._http = self._unsafe = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- As unearth wants it ----

    def __hash__(self) -> int:
        return id(self)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Page:
        """A page of an index; an empty one if it has no such page. Raises FetchError."""
        path = file_path(url)
        if path:
            return Page(url, read_file(path, MAX_PAGE_BYTES), _EMPTY_HEADERS)
        parts: list[bytes] = []
        own = {**(headers or {}), "Accept-Encoding": "gzip", "Cache-Control": "max-age=0"}
        with self._open(url, own, allowed=(404,)) as response:
            final, status = str(response.url), response.status_code
            found = {"Content-Type": response.headers.get("Content-Type", "text/html")}
            if status == 200:
                parts.extend(self._plain(response, MAX_PAGE_BYTES))
        if status == 404:
            return Page(url, b"", _EMPTY_HEADERS)
        if not found["Content-Type"].lower().startswith(_PAGES):
            raise FetchError(f"{shown(url)}: is no page of an index")
        return Page(final, b"".join(parts), found)

    def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Page:
        """Asked by unearth for addresses that look like files: those are no pages."""
        return Page(url, b"", {"Content-Type": "application/octet-stream"})

    @contextmanager
    def get_stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Asked by unearth for files without a hash, which does not happen here."""
        raise FetchError(f"{shown(url)}: is not fetched in pieces")
        yield

    def iter_secure_origins(self) -> Iterable[tuple[str, str, str]]:
        """Where pages may come from; `_open` decides."""
        yield ("*", "*", "*")

    # ---- Files ----

    def fetch(
        self, url: str, most: int = MAX_BYTES, report: Callable[[int, int], None] | None = None
    ) -> bytes:
        """The contents of a file. report: is told how many bytes there are of how many (or 0).

        Raises FetchError.
        """
        path = file_path(url)
        if path:
            return read_file(path, most)
        parts: list[bytes] = []
        size = 0
        with self._open(url, {"Accept-Encoding": "identity"}) as response:
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() and len(length) < 20 else 0
            if total > most:
                raise FetchError(f"{shown(url)}: is larger than {most >> 20} MiB")
            for piece in self._plain(response, most):
                parts.append(piece)
                size += len(piece)
                if report is not None:
                    report(size, total)
        return b"".join(parts)

    # ---- Connections ----

    def _left(self, what: str) -> float:
        if self._end is None:
            return self._indexes.timeout_s
        left = self._end - time.monotonic()
        if left <= 0:
            raise FetchError(f"{what}: the time for fetching packages is over")
        return min(left, self._indexes.timeout_s)

    def _hurry(self, event: str, about: dict[str, Any]) -> None:
        """Has a new connection keep to the time for everything, however it drips."""
        if event not in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            return
        stream = about["return_value"]
        read = stream.read

        def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
            left = self._left("the index")
            data: bytes = read(max_bytes, left if timeout is None else min(left, timeout))
            return data

        stream.read = read_in_time

    @contextmanager
    def _open(
        self, url: str, headers: Mapping[str, str], allowed: tuple[int, ...] = ()
    ) -> Iterator[Any]:
        """A response, redirections followed; only 200 and what is allowed. Raises FetchError."""
        httpx = library("httpx2", "fetching packages")
        attempt = 0
        try:
            for _ in range(_MAX_REDIRECTS):
                with self._client(url).stream(
                    "GET",
                    url,
                    headers=headers,
                    timeout=self._left(shown(url)),
                    extensions={"trace": self._hurry},
                ) as response:
                    if response.has_redirect_location:
                        url = follow(url, urljoin(url, response.headers["Location"]))
                        continue
                    if response.status_code in _BUSY and attempt < _ATTEMPTS:
                        attempt += 1
                        time.sleep(min(0.2 * attempt, self._left(shown(url))))
                        continue
                    if response.status_code not in (200, *allowed):
                        raise FetchError(f"{shown(url)}: HTTP status {response.status_code}")
                    yield response
                    return
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            text = str(error) or type(error).__name__
            raise FetchError(f"{shown(url)}: cannot be fetched: {text[:300]}") from None
        raise FetchError(f"{shown(url)}: too many redirections")

    def _client(self, url: str) -> Any:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            raise FetchError(f"{shown(url)}: is not an address of the web")
        trusted = self._indexes.trusted_hosts
        is_trusted = host in trusted or f"{host}:{parts.port}" in trusted
        if parts.scheme == "http" and not is_trusted and not _is_here(host):
            raise FetchError(f"{shown(url)}: does without TLS, and is none of the trusted hosts")
        if is_trusted:
            if self._unsafe is None:
                self._unsafe = self._make_client(verify=False)
            return self._unsafe
        if self._http is None:
            self._http = self._make_client(verify=True)
        return self._http

    def _make_client(self, *, verify: bool) -> Any:
        import ssl

        httpx = library("httpx2", "fetching packages")
        auth = library("unearth.auth", "fetching packages")
        indexes = self._indexes
        context = ssl.create_default_context(cafile=indexes.cert)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if indexes.client_cert:
            context.load_cert_chain(indexes.client_cert)
        urls = [*indexes.extra_index_urls, *([indexes.index_url] if indexes.index_url else [])]
        return httpx.Client(
            verify=context,
            proxy=indexes.proxy,
            follow_redirects=False,
            auth=auth.MultiDomainBasicAuth(prompting=False, index_urls=urls),
            headers={"User-Agent": "eryx"},
        )

    def _plain(self, response: Any, most: int) -> Iterator[bytes]:
        """The body, unpacked, in pieces: no more than `most`."""
        url = str(response.url)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "", "gzip"):
            raise FetchError(f"{shown(url)}: has the encoding {encoding[:40]!r}")
        unpacker = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
        size = 0
        for raw in response.iter_raw():
            self._left(shown(url))
            try:
                pieces = [raw] if unpacker is None else _unpacked(unpacker, raw)
                for piece in pieces:
                    size += len(piece)
                    if size > most:
                        raise FetchError(f"{shown(url)}: is larger than {most >> 20} MiB")
                    yield piece
            except zlib.error as error:
                raise FetchError(f"{shown(url)}: is damaged: {error}") from None
        if unpacker is not None and not unpacker.eof:
            raise FetchError(f"{shown(url)}: is cut off")


def _unpacked(unpacker: Any, raw: bytes) -> Iterator[bytes]:
    while raw and not unpacker.eof:
        yield unpacker.decompress(raw, _PIECE)
        raw = unpacker.unconsumed_tail


def follow(source: str, target: str) -> str:
    """An address that another one leads to. Raises FetchError if it may not lead there."""
    kinds = urlsplit(source).scheme, urlsplit(target).scheme
    if kinds[1] not in ("http", "https") and kinds[0] != "file":
        raise FetchError(f"{shown(source)}: leads to {shown(target)}, which is not on the web")
    if kinds == ("https", "http"):
        raise FetchError(f"{shown(source)}: leads to {shown(target)}, which does without TLS")
    return target


def _is_here(host: str) -> bool:
    """Whether it is this machine, where nobody listens in."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
