"""Stores of sessions, each against the real thing: a folder, a Redis server, S3's protocol."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from processes import free_port, serving

from eryx.server._store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from eryx.server._store import Store


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server (Debian's package of that name)")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for_redis(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _wait_for_redis(port: int) -> None:
    import redis

    client = redis.Redis(port=port)
    for _ in range(200):
        try:
            client.ping()
            return
        except redis.exceptions.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("redis-server does not answer")


@pytest.fixture(scope="module")
def bucket() -> Iterator[tuple[str, str]]:
    """A bucket of moto's server, which speaks the protocol of S3, and where it is."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="sessions")
    yield "s3://sessions/prefix", endpoint
    server.stop()


@pytest.fixture(params=["file", "redis", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    return open_store(_url(request.param, request, tmp_path, monkeypatch))


def _url(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    if kind == "file":
        return f"file://{tmp_path}/store"
    if kind == "redis":
        found: str = request.getfixturevalue("redis_url")
        return found
    url, endpoint = request.getfixturevalue("bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    return f"{url}/{secrets.token_hex(4)}"


class TestEach:
    def test_what_is_written_is_read(self, store: Store) -> None:
        name = f"alice/{secrets.token_hex(12)}"
        state = bytes(range(256)) * 1000
        assert store.read(name) is None
        store.write(name, b'{"a": 1}', b"old")
        store.write(name, b'{"a": 2}', state)
        assert store.read(name) == (b'{"a": 2}', state)
        store.remove(name)
        store.remove(name)
        assert store.read(name) is None

    def test_records_are_those_of_one_holder(self, store: Store) -> None:
        holder = f"h{secrets.token_hex(4)}"
        for identity in ("a", "b"):
            store.write(f"{holder}/{identity}", identity.encode(), b"\n\nstate")
        store.write(f"{holder}x/c", b"c", b"state")
        assert store.records(holder) == {"a": b"a", "b": b"b"}
        assert store.records("nobody") == {}

    def test_a_lease_has_one_node(self, store: Store) -> None:
        name = f"alice/{secrets.token_hex(12)}"
        assert store.claim(name, "one", 60) == "one"
        assert store.claim(name, "two", 60) == "one"
        assert store.claim(name, "one", 60) == "one"
        store.release(name, "two")
        assert store.claim(name, "two", 60) == "one"
        store.release(name, "one")
        assert store.claim(name, "two", 60) == "two"

    def test_a_lease_that_is_not_renewed_ends(self, store: Store) -> None:
        name = f"alice/{secrets.token_hex(12)}"
        store.claim(name, "one", 0.2)
        time.sleep(0.5)
        assert store.claim(name, "two", 60) == "two"
        assert store.claim(name, "one", 60) == "two"


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_of_many_who_come_at_once_one_has_the_lease(
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = open_store(_url(kind, request, tmp_path, monkeypatch))
    name = f"alice/{secrets.token_hex(12)}"
    start, found = threading.Barrier(8), []

    def claim(node: str) -> None:
        start.wait()
        found.append(store.claim(name, node, 60))

    threads = [threading.Thread(target=claim, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize("kind", ["redis", "s3"])
def test_a_session_goes_from_node_to_node(
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first ends as it is told to, the second goes on where it was."""
    url = _url(kind, request, tmp_path, monkeypatch)
    with serving(tmp_path, f'store = "{url}"') as server, server.client() as client:
        session = client.post("/v1/sessions").headers["location"]
        client.post(f"{session}/runs", json={"code": "g = iter(range(9)); next(g)"})
        assert server.end() == 0
    with serving(tmp_path, f'store = "{url}"') as server, server.client() as client:
        done = client.post(f"{session}/runs", json={"code": "next(g)"}).json()
        assert done["value"] == 1
        assert client.get("/v1/status").json()["restored"] == 1
        assert client.delete(session).status_code == 204
        assert client.get("/v1/sessions").json() == {"sessions": []}
