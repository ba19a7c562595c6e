"""The HTTP clients that programs use, unchanged, against real servers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx import NetConfig, ResourceLimits, Sandbox, Session
from servers import (
    Authority,
    HeaderFloodServer,
    HttpServer,
    Nginx,
    RawServer,
    ResetServer,
    TcpServer,
    closed_port,
    garbage,
    nginx_program,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT = ResourceLimits(execution_timeout_ms=120_000)

# Where the packages are in the guest.
SITE = "/site"

# Each has a function `await fetch(method, url, body, timeout)` that gives status and body, follows
# redirects and keeps connections open.
CLIENTS = {
    "urllib": """
        import urllib.error, urllib.request
        async def fetch(method, url, body=None, timeout=30):
            request = urllib.request.Request(url, data=body, method=method)
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    data = answer.read()
                    if answer.headers.get("Content-Encoding") == "gzip":
                        import gzip
                        data = gzip.decompress(data)
                    return answer.status, data
            except urllib.error.HTTPError as error:
                return error.code, error.read()
    """,
    "http.client": """
        import gzip, http.client, urllib.parse
        connections = {}
        async def fetch(method, url, body=None, timeout=30):
            while True:
                parts = urllib.parse.urlsplit(url)
                key = parts.scheme, parts.netloc
                if key not in connections:
                    kind = getattr(http.client, f"{parts.scheme.upper()}Connection")
                    connections[key] = kind(parts.netloc, timeout=timeout)
                path = f"{parts.path}?{parts.query}" if parts.query else parts.path
                try:
                    connections[key].request(method, path, body)
                    answer = connections[key].getresponse()
                    data = answer.read()
                except (OSError, http.client.HTTPException):
                    connections.pop(key).close()
                    raise
                if answer.status not in (301, 302):
                    break
                url = urllib.parse.urljoin(url, answer.headers["Location"])
            if answer.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
            return answer.status, data
    """,
    "asyncio streams": """
        import asyncio, gzip, urllib.parse
        open_ones = {}
        async def fetch(method, url, body=None, timeout=30):
            async with asyncio.timeout(timeout):
                return await exchange(method, url, body or b"")
        async def exchange(method, url, body):
            parts = urllib.parse.urlsplit(url)
            key = parts.scheme, parts.hostname, parts.port
            if key not in open_ones:
                open_ones[key] = await asyncio.open_connection(
                    parts.hostname, parts.port, ssl=parts.scheme == "https" or None)
            reader, writer = open_ones[key]
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            head = f"{method} {path} HTTP/1.1\\r\\nHost: {parts.netloc}\\r\\n"
            writer.write(f"{head}Content-Length: {len(body)}\\r\\n\\r\\n".encode() + body)
            await writer.drain()
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode("latin-1").split("\\r\\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            status = int(head[0].split()[1])
            data = b""
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await reader.readline(), 16):
                    data += await reader.readexactly(size)
                    await reader.readline()
                await reader.readline()
            else:
                data = await reader.readexactly(int(headers["content-length"]))
            if status in (301, 302):
                url = urllib.parse.urljoin(url, headers["location"])
                return await exchange(method, url, body)
            if headers.get("content-encoding") == "gzip":
                data = gzip.decompress(data)
            return status, data
    """,
    "requests": """
        import requests
        session = requests.Session()
        async def fetch(method, url, body=None, timeout=30):
            answer = session.request(method, url, data=body, timeout=timeout)
            return answer.status_code, answer.content
    """,
    "urllib3": """
        import urllib3
        pool = urllib3.PoolManager(retries=urllib3.Retry(connect=0, read=0, redirect=5))
        async def fetch(method, url, body=None, timeout=30):
            answer = pool.request(method, url, body=body, timeout=timeout)
            return answer.status, answer.data
    """,
    "httpx": """
        import httpx
        client = httpx.Client(follow_redirects=True)
        async def fetch(method, url, body=None, timeout=30):
            answer = client.request(method, url, content=body, timeout=timeout)
            return answer.status_code, answer.content
    """,
    "httpx async": """
        import httpx
        client = httpx.AsyncClient(follow_redirects=True)
        async def fetch(method, url, body=None, timeout=30):
            answer = await client.request(method, url, content=body, timeout=timeout)
            return answer.status_code, answer.content
    """,
    "aiohttp": """
        import aiohttp
        client = aiohttp.ClientSession()
        async def fetch(method, url, body=None, timeout=30):
            total = aiohttp.ClientTimeout(total=timeout)
            async with client.request(method, url, data=body, timeout=total) as answer:
                return answer.status, await answer.read()
    """,
}

KEEPS_ALIVE = [name for name in CLIENTS if name != "urllib"]

# The connection that the client has is dead; it opens another one, or says what is wrong.
AGAIN = """
import sys
result = "failed"
try:
    result = (await fetch("GET", sys.argv[1] + "/hello"))[0]
except Exception as error:
    print(type(error).__name__, error)
"""

BASIC = """
    import json
    url = sys.argv[1]
    result = {"hello": await fetch("GET", url + "/hello")}
    status, body = await fetch("POST", url + "/echo", b"some \\xe9 bytes" * 1000)
    echoed = json.loads(body)
    result["echo"] = status, echoed["method"], echoed["body"] == "some \\xe9 bytes" * 1000
    status, body = await fetch("GET", url + "/echo?a=1&b=%20")
    result["query"] = json.loads(body)["query"]
    result["missing"] = (await fetch("GET", url + "/missing"))[0]
    result["moved"] = await fetch("GET", url + "/redirect?to=/hello")
    result["chunked"] = len((await fetch("GET", url + "/chunked?count=20"))[1].splitlines())
    result["gzip"] = len((await fetch("GET", url + "/gzip"))[1])
    result["large"] = len((await fetch("GET", url + "/bytes?size=3000000"))[1])
    result = {key: text(value) for key, value in result.items()}
"""

START = f"""
    import sys
    sys.path.insert(0, {SITE!r})
    def text(value):
        if isinstance(value, bytes):
            return value.decode("latin-1")
        return [text(entry) for entry in value] if isinstance(value, tuple) else value
"""


def program(client: str, code: str) -> str:
    return dedent(START) + dedent(CLIENTS[client]) + dedent(code)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def http() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


@pytest.fixture(scope="module")
def https(authority: Authority) -> Iterator[HttpServer]:
    with HttpServer(authority.context()) as server:
        yield server


@pytest.fixture(scope="module")
def make(site: Path, authority: Authority) -> Any:
    """Makes a sandbox with the packages that may reach this machine."""

    def make_sandbox(made: type[Sandbox] = Sandbox, **network: Any) -> Sandbox:
        config = NetConfig(**network).allow_localhost().with_root_cert(authority.der)
        return made(network=config, volumes=[(site, SITE, True)], resource_limits=PATIENT)

    return make_sandbox


class TestClients:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("client", CLIENTS)
    def test_requests(
        self, client: str, scheme: str, http: HttpServer, https: HttpServer, make: Any
    ) -> None:
        server = http if scheme == "http" else https
        done = make().execute(program(client, BASIC), arguments=[server.url])
        assert done.result == {
            "hello": [200, "hello"],
            "echo": [200, "POST", True],
            "query": {"a": "1", "b": " "},
            "missing": 404,
            "moved": [200, "hello"],
            "chunked": 20,
            "gzip": 9000,
            "large": 3_000_000,
        }, done.stderr
        encrypted = {entry.tls for entry in done.connections if entry.connected}
        assert encrypted == {scheme == "https"}

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("client", KEEPS_ALIVE)
    def test_keep_alive(
        self, client: str, scheme: str, http: HttpServer, https: HttpServer, make: Any
    ) -> None:
        server = http if scheme == "http" else https
        before = server.connections
        code = """
            for _ in range(20):
                assert await fetch("GET", sys.argv[1] + "/hello") == (200, b"hello")
        """
        done = make().execute(program(client, code), arguments=[server.url])
        assert server.connections == before + 1
        assert len([entry for entry in done.connections if entry.connected]) == 1

    @pytest.mark.parametrize("client", CLIENTS)
    def test_timeout(self, client: str, http: HttpServer, make: Any) -> None:
        code = """
            import time
            began = time.monotonic()
            try:
                await fetch("GET", sys.argv[1] + "/slow?seconds=30", timeout=0.2)
            except Exception as error:
                print(type(error).__name__, error)
            result = time.monotonic() - began
        """
        done = make().execute(program(client, code), arguments=[http.url])
        assert "time" in done.stdout.lower()
        assert 0.2 <= done.result < 20

    @pytest.mark.parametrize("client", CLIENTS)
    def test_refused_by_the_rules(self, client: str, http: HttpServer, make: Any) -> None:
        code = """
            for url in (f"{sys.argv[1]}/redirect?to=http://10.0.0.1:80/", "http://10.0.0.1:80/"):
                try:
                    print(await fetch("GET", url))
                except Exception as error:
                    print("refused")
        """
        done = make().execute(program(client, code), arguments=[http.url])
        assert done.stdout == "refused\nrefused"
        assert [entry.host for entry in done.connections if entry.refused] == ["10.0.0.1"] * 2

    @pytest.mark.parametrize("client", CLIENTS)
    @pytest.mark.parametrize(
        "fault", ["nobody", "reset", "reset in the body", "short", "garbage", "flood", "nothing"]
    )
    def test_faulty_servers(self, client: str, fault: str, make: Any) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"
        servers: dict[str, TcpServer] = {
            "reset": ResetServer(),
            "reset in the body": ResetServer(head),
            "short": RawServer(head, read_first=True),
            "garbage": RawServer(garbage(5000), read_first=True),
            "flood": HeaderFloodServer(),
            "nothing": RawServer(b"", read_first=True),
        }
        code = """
            try:
                print(await fetch("GET", sys.argv[1], timeout=20))
            except Exception as error:
                print("failed", type(error).__name__)
        """
        if fault == "nobody":
            url = f"http://127.0.0.1:{closed_port()}/"
            done = make().execute(program(client, code), arguments=[url])
        else:
            with servers[fault] as server:
                url = f"http://127.0.0.1:{server.port}/"
                done = make().execute(program(client, code), arguments=[url])
        assert done.stdout.startswith("failed")
        assert "Timeout" not in done.stdout

    @pytest.mark.parametrize("client", KEEPS_ALIVE)
    def test_a_session(self, client: str, https: HttpServer, make: Any) -> None:
        """Connections end with their run; the client then opens new ones, or says so."""
        with make(Session) as session:
            code = "import sys\nresult = (await fetch('GET', sys.argv[1] + '/hello'))[0]"
            for _ in range(2):
                first = session.execute(program(client, code), arguments=[https.url])
                assert first.result == 200
                again = session.execute(AGAIN, arguments=[https.url])
                assert again.result in (200, "failed")


class TestUntrusted:
    """A certificate that is not to be trusted is refused, whatever the client asks for."""

    WEAKENED = (
        ("urllib", "urllib.request.urlopen(url, context=weak)"),
        ("http.client", "http.client.HTTPSConnection(host, context=weak).request('GET', '/')"),
        ("requests", "requests.get(url, verify=False)"),
        ("urllib3", "urllib3.PoolManager(ssl_context=weak, retries=0).request('GET', url)"),
        ("urllib3", "urllib3.PoolManager(cert_reqs='CERT_NONE', retries=0).request('GET', url)"),
        ("httpx", "httpx.get(url, verify=False)"),
        ("aiohttp", "await client.get(url, ssl=False)"),
    )

    @pytest.mark.parametrize(("client", "weaken"), WEAKENED)
    def test_verification_cannot_be_switched_off(self, client: str, weaken: str, make: Any) -> None:
        code = f"""
            import ssl, urllib.parse
            weak = ssl.create_default_context()
            weak.check_hostname = False
            weak.verify_mode = ssl.CERT_NONE
            url = sys.argv[1]
            host = urllib.parse.urlsplit(url).netloc
            try:
                print({weaken})
            except Exception as error:
                print("refused", error)
        """
        with HttpServer(Authority().context()) as server:
            done = make().execute(program(client, code), arguments=[server.url])
            assert done.stdout.startswith("refused")
            assert "certificate" in done.stdout.lower()
            assert server.requests == []

    @pytest.mark.parametrize("client", CLIENTS)
    @pytest.mark.parametrize(
        ("fault", "words"), [("expired", "expired"), ("name", "mismatch"), ("root", "issuer")]
    )
    def test_the_reason_is_told(
        self, client: str, fault: str, words: str, authority: Authority, make: Any
    ) -> None:
        context = {
            "expired": lambda: authority.context(expired=True),
            "name": lambda: authority.context("other.example"),
            "root": lambda: Authority().context(),
        }[fault]()
        code = """
            try:
                print(await fetch("GET", sys.argv[1]))
            except Exception as error:
                seen = [error]
                while seen[-1] is not None and len(seen) < 9:
                    seen.append(seen[-1].__cause__ or seen[-1].__context__)
                print("refused", *seen)
        """
        with HttpServer(context) as server:
            done = make().execute(program(client, code), arguments=[server.url])
        assert done.stdout.startswith("refused")
        assert words in done.stdout.lower()


class TestLargeBodies:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_gigabyte_is_streamed(
        self, scheme: str, http: HttpServer, https: HttpServer, make: Any
    ) -> None:
        server = http if scheme == "http" else https
        done = make().execute(
            dedent(
                """
                import sys, urllib.request
                size = 0
                with urllib.request.urlopen(sys.argv[1] + "/endless") as answer:
                    while piece := answer.read(1 << 20):
                        size += len(piece)
                result = size
                """
            ),
            arguments=[server.url],
        )
        assert done.result == 10**9
        assert done.peak_memory_bytes < 64 << 20
        (connection,) = done.connections
        assert connection.tls == (scheme == "https")
        assert 10**9 < connection.bytes_in < 1.01 * 10**9

    def test_a_gigabyte_does_not_fit(self, http: HttpServer, make: Any) -> None:
        with pytest.raises(eryx.ExecutionError, match="MemoryError") as caught:
            make().execute(
                "import sys, urllib.request\n"
                "urllib.request.urlopen(sys.argv[1] + '/endless').read()",
                arguments=[http.url],
            )
        assert caught.value.peak_memory_bytes <= 128 << 20

    def test_the_byte_limit_ends_it(self, http: HttpServer, make: Any) -> None:
        done = make(max_bytes=5_000_000).execute(
            dedent(
                """
                import sys, urllib.request
                size = 0
                try:
                    with urllib.request.urlopen(sys.argv[1] + "/endless") as answer:
                        while piece := answer.read(100_000):
                            size += len(piece)
                except OSError as error:
                    print(error)
                result = size
                """
            ),
            arguments=[http.url],
        )
        assert done.result <= 5_000_000
        assert "bytes" in done.stdout
        assert sum(entry.bytes_in + entry.bytes_out for entry in done.connections) <= 5_000_000


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Nginx]:
    if nginx_program() is None:
        pytest.skip("nginx is not installed")
    with Nginx(tmp_path_factory.mktemp("nginx") / "root", authority) as server:
        yield server


class TestNginx:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("client", CLIENTS)
    def test_requests(self, client: str, scheme: str, nginx: Nginx, make: Any) -> None:
        code = """
            import hashlib
            url = sys.argv[1]
            result = {
                "text": await fetch("GET", url + "/text"),
                "moved": await fetch("GET", url + "/moved"),
                "words": len((await fetch("GET", url + "/words"))[1]),
                "missing": (await fetch("GET", url + "/missing"))[0],
            }
            large = (await fetch("GET", url + "/large"))[1]
            result["large"] = hashlib.sha256(large).hexdigest()
            result["put"] = (await fetch("PUT", url + "/upload/" + sys.argv[2], large))[0] // 100
            result = {key: text(value) for key, value in result.items()}
        """
        url = nginx.url if scheme == "http" else nginx.tls_url
        name = f"{client}-{scheme}".replace(" ", "-")
        done = make().execute(program(client, code), arguments=[url, name])
        content = garbage(Nginx.LARGE)
        assert done.result == {
            "text": [200, "from nginx\n"],
            "moved": [200, "from nginx\n"],
            "words": 110_000,
            "missing": 404,
            "large": hashlib.sha256(content).hexdigest(),
            "put": 2,
        }
        assert nginx.uploaded(name) == content

    def test_compressed_and_chunked(self, nginx: Nginx, make: Any) -> None:
        done = make().execute(
            dedent(
                """
                import gzip, sys, urllib.request
                request = urllib.request.Request(
                    sys.argv[1] + "/words", headers={"Accept-Encoding": "gzip"})
                with urllib.request.urlopen(request) as answer:
                    data = answer.read()
                print(answer.headers["Transfer-Encoding"], answer.headers["Content-Encoding"])
                print(len(data) < 5000, len(gzip.decompress(data)))
                """
            ),
            arguments=[nginx.url],
        )
        assert done.stdout == "chunked gzip\nTrue 110000"

    def test_a_thousand_requests_on_one_connection(self, nginx: Nginx, make: Any) -> None:
        code = """
            for _ in range(1000):
                assert await fetch("GET", sys.argv[1] + "/text") == (200, b"from nginx\\n")
        """
        for url in (nginx.url, nginx.tls_url):
            done = make().execute(program("http.client", code), arguments=[url])
            assert len([entry for entry in done.connections if entry.connected]) == 1
