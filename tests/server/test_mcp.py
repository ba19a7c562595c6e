"""The Model Context Protocol at the service, with the client of the official SDK."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from processes import Server, serving

from eryx.mcp._conversations import CONVERSATION
from eryx.server import MissingServerError, Settings, create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from eryx.server import ApiKey


@pytest.fixture(scope="module")
def server(
    keys: list[tuple[str, ApiKey]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mcp")
    alice, bob = (key.sha256 for _, key in keys)
    settings = f"""
        store = "file://{folder}/store"
        [quota]
        run_seconds = 5
        [[keys]]
        name = "alice"
        sha256 = "{alice}"
        sessions = 4
        [[keys]]
        name = "bob"
        sha256 = "{bob}"
        runs_per_minute = 2
    """
    with serving(folder, settings) as server:
        yield server


@asynccontextmanager
async def connected(server: Server, key: str | None, mode: str = "legacy") -> AsyncIterator[Any]:
    """A client that shakes hands, or one of the newer protocol."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def run(client: Any, code: str, **more: Any) -> Any:
    return await client.call_tool("run_python", {"code": code}, **more)


def value(answer: Any) -> Any:
    assert not answer.is_error, answer.content
    return answer.structured_content["value"]


def in_loop(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(function(), 60))


def listed(server: Server, key: str) -> list[dict[str, Any]]:
    with server.client(key) as client:
        found: list[dict[str, Any]] = client.get("/v1/sessions").json()["sessions"]
        return found


def wait_until_it_runs(server: Server) -> None:
    with server.client() as client:
        deadline = time.monotonic() + 20
        while client.get("/v1/status").json()["running"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)


class TestSessions:
    def test_a_client_has_a_session_of_its_holder(
        self, server: Server, keys: list[tuple[str, ApiKey]]
    ) -> None:
        """The service lists it, and its requests reach it."""
        key = keys[0][0]

        async def main() -> None:
            async with connected(server, key) as client:
                assert {tool.name for tool in (await client.list_tools()).tools} == {
                    "run_python",
                    "reset",
                }
                await run(client, "x = 20; open('/data/f', 'w').write('text')")
                assert value(await run(client, "x + 22")) == 42
                (session,) = await asyncio.to_thread(listed, server, key)
                assert (session["runs"], session["state"]) == (2, "live")
                with server.client(key) as http:
                    path = f"/v1/sessions/{session['id']}"
                    done = http.post(f"{path}/runs", json={"code": "x"}).json()
                    assert done["value"] == 20
                    assert http.get(f"{path}/files/f").text == "text"
                (resource,) = (await client.list_resources()).resources
                (contents,) = (await client.read_resource(str(resource.uri))).contents
                assert contents.text == "text"
                await client.call_tool("reset", {})
                assert "NameError" in (await run(client, "x")).content[0].text

        in_loop(main)
        deadline = time.monotonic() + 20
        while listed(server, key):  # the client has ended its session
            assert time.monotonic() < deadline
            time.sleep(0.05)

    @pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
    def test_conversations_that_have_a_name(
        self, server: Server, keys: list[tuple[str, ApiKey]], mode: str
    ) -> None:
        """They go on in the next connection; the id of a session is the name of one."""
        key = keys[0][0]

        async def main() -> None:
            meta = {CONVERSATION: f"the plan, {mode}"}
            async with connected(server, key, mode) as client:
                answer = await run(client, "x = 1", meta=meta)
                assert answer.meta[CONVERSATION] == meta[CONVERSATION]
            async with connected(server, key, mode) as client:
                assert value(await run(client, "x += 1; x", meta=meta)) == 2
                (session,) = await asyncio.to_thread(listed, server, key)
                meta = {CONVERSATION: session["id"]}
                assert value(await run(client, "x", meta=meta)) == 2
                missing = await run(client, "x", meta={CONVERSATION: "0" * 24})
                assert missing.is_error
                assert "there is no session" in missing.content[0].text
            with server.client(key) as http:
                assert http.delete(f"/v1/sessions/{session['id']}").status_code == 204

        in_loop(main)

    def test_holders_do_not_meet(self, server: Server, keys: list[tuple[str, ApiKey]]) -> None:
        """Neither by the name of a conversation nor by the session of a client."""

        async def main() -> None:
            meta = {CONVERSATION: "same"}
            async with (
                connected(server, keys[0][0]) as alice,
                connected(server, keys[1][0]) as bob,
            ):
                await run(alice, "x = 'of alice'", meta=meta)
                await run(bob, "x = 'of bob'", meta=meta)
                assert value(await run(alice, "x", meta=meta)) == "of alice"
            with server.client(keys[0][0]) as http:
                for session in http.get("/v1/sessions").json()["sessions"]:
                    http.delete(f"/v1/sessions/{session['id']}")

        in_loop(main)
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "a", "version": "1"},
            },
        }
        accept = {"Accept": "application/json, text/event-stream"}
        with server.client(keys[0][0]) as alice, server.client(keys[1][0]) as bob:
            begun = alice.post("/mcp", json=body, headers=accept)
            assert begun.status_code == 200, begun.text
            name = {**accept, "Mcp-Session-Id": begun.headers["mcp-session-id"]}
            listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
            assert bob.post("/mcp", json=listing, headers=name).status_code == 404
            alice.delete("/mcp", headers=name)


class TestQuotas:
    def test_keys(self, server: Server) -> None:
        for headers in ({}, {"Authorization": "Bearer eryx_guess"}):
            answer = httpx.post(f"{server.url}/mcp", json={}, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"

    def test_runs_and_sessions(self, server: Server, keys: list[tuple[str, ApiKey]]) -> None:
        """What goes over a quota is an answer that a model can read."""

        async def main() -> None:
            async with connected(server, keys[0][0]) as alice:
                for number in range(4):
                    await run(alice, "1", meta={CONVERSATION: f"{number}"})
                answer = await run(alice, "1", meta={CONVERSATION: "one more"})
                assert answer.is_error
                assert answer.content[0].text == "sessions: 4 sessions are allowed: close one"
            with server.client(keys[0][0]) as http:
                for session in http.get("/v1/sessions").json()["sessions"]:
                    http.delete(f"/v1/sessions/{session['id']}")
                # And runs by either protocol count together.
            async with connected(server, keys[1][0]) as bob:
                answers = [await run(bob, "1") for _ in range(3)]
            assert answers[-1].is_error
            assert "runs_per_minute: 2 runs a minute" in answers[-1].content[0].text
            with server.client(keys[1][0]) as http:
                assert http.post("/v1/runs", json={"code": "1"}).status_code == 429

        in_loop(main)

    def test_its_time(self, server: Server, keys: list[tuple[str, ApiKey]]) -> None:
        async def main() -> None:
            async with connected(server, keys[0][0]) as alice:
                arguments = {"code": "x = 1\nwhile True: pass", "timeout_ms": 200}
                answer = await alice.call_tool("run_python", arguments)
                assert answer.structured_content["error"]["type"] == "TimeoutError"
                assert value(await run(alice, "x")) == 1

        in_loop(main)


class TestService:
    def test_a_client_that_stays_does_not_hold_up_its_end(self, tmp_path: Path) -> None:
        """A run is waited for and answered; named conversations are in the store then."""
        settings = f'store = "file://{tmp_path}/store"\ndrain_seconds = 30'
        meta = {CONVERSATION: "goes on"}

        async def first(server: Server) -> None:
            async with connected(server, None) as client:
                await run(client, "x = 1", meta=meta)
                code = "import time; time.sleep(1); x = 2; 'done'"
                running = asyncio.ensure_future(run(client, code, meta=meta))
                await asyncio.to_thread(wait_until_it_runs, server)
                began = time.monotonic()
                ending = asyncio.to_thread(server.end)
                end = asyncio.ensure_future(ending)
                assert value(await running) == "done"
                assert await end == 0
                assert time.monotonic() - began < 20

        async def second(server: Server) -> None:
            async with connected(server, None) as client:
                assert value(await run(client, "x", meta=meta)) == 2

        with serving(tmp_path, settings) as server:
            in_loop(lambda: first(server))
        with serving(tmp_path, settings) as server:
            in_loop(lambda: second(server))

    def test_in_worker_processes(self, tmp_path: Path) -> None:
        import os
        import signal

        from test_isolation import workers

        async def main(server: Server) -> None:
            async with connected(server, None) as client:
                await run(client, "x = 1; open('/data/f', 'w').write('text')")
                assert value(await run(client, "x + 1")) == 2
                assert len((await client.list_resources()).resources) == 1
                for worker in workers(server):
                    os.kill(worker, signal.SIGKILL)
                answer = await run(client, "x")
                assert answer.structured_content["error"]["type"] == "WorkerCrashedError"
                assert "the session starts anew" in answer.content[-1].text
                assert value(await run(client, "6 * 7")) == 42

        with serving(tmp_path, 'isolation = "process"') as server:
            in_loop(lambda: main(server))

    def test_pages_of_other_names_are_refused(self, tmp_path: Path) -> None:
        """Without keys a browser on this machine could be made to ask."""
        with serving(tmp_path) as server:
            headers = {"Host": "attacker.example", "Content-Type": "application/json"}
            answer = httpx.post(f"{server.url}/mcp", json={}, headers=headers)
            assert answer.status_code == 421

    def test_without_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def paths(settings: Settings) -> set[str]:
            return {route.path for route in create_app(settings).routes}  # type: ignore[attr-defined]

        assert "/mcp" in paths(Settings())
        assert "/mcp" not in paths(Settings(mcp=False))
        monkeypatch.setattr("eryx.server._mcp.find_spec", lambda name: None)
        assert "/mcp" not in paths(Settings())
        with pytest.raises(MissingServerError, match=r"eryx-sandbox\[mcp\]"):
            create_app(Settings(mcp=True))
