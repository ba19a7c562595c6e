"""Secrets with the HTTP clients that programs use, unchanged."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from eryx import NetConfig, ResourceLimits, Sandbox
from guest_memory import find_in_guests
from servers import Authority, HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE = "the/real+key." + "0123456789"

# Each has a function `await fetch(method, url, headers, body)` that gives the body of the answer.
CLIENTS = {
    "requests": """
        import requests
        session = requests.Session()
        async def fetch(method, url, headers, body=None):
            return session.request(method, url, headers=headers, data=body).text
    """,
    "urllib3": """
        import urllib3
        pool = urllib3.PoolManager()
        async def fetch(method, url, headers, body=None):
            return pool.request(method, url, headers=headers, body=body).data.decode()
    """,
    "httpx": """
        import httpx
        client = httpx.Client()
        async def fetch(method, url, headers, body=None):
            return client.request(method, url, headers=headers, content=body).text
    """,
    "httpx async": """
        import httpx
        client = httpx.AsyncClient()
        async def fetch(method, url, headers, body=None):
            return (await client.request(method, url, headers=headers, content=body)).text
    """,
    "aiohttp": """
        import aiohttp
        client = aiohttp.ClientSession()
        async def fetch(method, url, headers, body=None):
            async with client.request(method, url, headers=headers, data=body) as answer:
                return await answer.text()
    """,
}

# Several requests over one connection: with the key, without it, with a large body, chunked.
PROGRAM = """
    import json, os
    url = sys.argv[1]
    key = {"Authorization": "Bearer " + os.environ["API_KEY"]}
    result = []
    for method, headers, body in (
        ("GET", key, None),
        ("GET", {}, None),
        ("POST", key, b"x" * 300_000),
        ("PUT", {**key, "X-Also": os.environ["API_KEY"]}, b"key=" + os.environ["API_KEY"].encode()),
    ):
        echo = json.loads(await fetch(method, url + "/echo", headers, body))
        result.append([echo["headers"].get("Authorization"), len(echo["body"])])
    if "httpx" in sys.modules or "aiohttp" in sys.modules:
        close = client.close if "aiohttp" in sys.modules else getattr(client, "aclose", None)
        if close:
            await close()
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module", params=["http", "https"])
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[HttpServer]:
    with HttpServer(None if request.param == "http" else authority.context()) as made:
        yield made


@pytest.mark.parametrize("client", CLIENTS)
def test_a_key_in_headers(
    client: str, server: HttpServer, site: Path, authority: Authority
) -> None:
    sandbox = Sandbox(
        network=NetConfig().allow_localhost().with_root_cert(authority.der),
        volumes=[(site, "/site", True)],
        resource_limits=ResourceLimits(execution_timeout_ms=120_000),
        secrets={"API_KEY": {"value": VALUE, "allowed_hosts": ["127.0.0.1", "localhost"]}},
    )
    code = "\n".join(
        dedent(part)
        for part in ("import sys\nsys.path.insert(0, '/site')", CLIENTS[client], PROGRAM)
    )
    count = len(server.headers)
    connections = server.connections
    done = sandbox.execute(code, arguments=[server.url])
    hidden = "Bearer " + "*" * len(VALUE)
    assert done.result == [[hidden, 0], [None, 0], [hidden, 300_000], [hidden, 48]]
    sent = [headers.get("Authorization") for headers in server.headers[count:]]
    assert sent == [f"Bearer {VALUE}", None, f"Bearer {VALUE}", f"Bearer {VALUE}"]
    assert server.headers[-1]["X-Also"] == VALUE
    assert server.connections == connections + 1
    assert find_in_guests(VALUE.encode()) == []
