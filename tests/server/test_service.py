"""The HTTP service: a real server in a process of its own, and a client over a socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from processes import Server, free_port, serving

from eryx.server import ApiKey, Quota, Settings, new_key, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, f'store = "file://{folder}/store"\nmax_body_bytes = 100_000') as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def made(client: httpx.Client, **body: Any) -> str:
    """A new session, its path."""
    answer = client.post("/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


def run(client: httpx.Client, session: str, code: str, **more: Any) -> dict[str, Any]:
    answer = client.post(f"{session}/runs", json={"code": code, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class TestRuns:
    def test_a_program_without_a_session(self, client: httpx.Client) -> None:
        body = {"code": "print(a, env); a * 2", "inputs": {"a": 21, "env": None}}
        found = client.post("/v1/runs", json=body).json()
        assert (found["stdout"], found["value"], found["error"]) == ("21 None", 42, None)

    def test_what_a_run_is_given(self, client: httpx.Client) -> None:
        code = "import os, sys; [input(), os.environ['NAME'], sys.argv[1:], __name__]"
        body = {"code": code, "stdin": "a line\n", "env": {"NAME": "x"}, "arguments": ["1", "2"]}
        found = client.post("/v1/runs", json=body).json()
        assert found["value"] == ["a line", "x", ["1", "2"], "__main__"]

    def test_a_session_keeps_its_state(self, client: httpx.Client) -> None:
        session = made(client)
        assert run(client, session, "x = 1")["error"] is None
        assert run(client, session, "x += 1; x")["value"] == 2
        record = client.get(session).json()
        assert (record["runs"], record["state"]) == (2, "live")

    def test_errors_of_the_program(self, client: httpx.Client) -> None:
        found = run(client, made(client), "print('before'); 1 / 0", filename="cell 1")
        assert found["error"]["type"] == "ExecutionError"
        assert "ZeroDivisionError" in found["error"]["message"]
        assert '"cell 1"' in found["error"]["message"]
        assert found["stdout"] == "before"

    def test_displays(self, client: httpx.Client) -> None:
        code = "class P:\n def _repr_html_(self): return '<b>x</b>'\nP()"
        (display,) = run(client, made(client), code)["display"]
        assert display["mime"]["text/html"] == "<b>x</b>"

    def test_its_time(self, client: httpx.Client) -> None:
        found = run(client, made(client), "while True: pass", timeout_ms=200)
        assert found["error"]["type"] == "TimeoutError"

    @pytest.mark.parametrize("accept", ["application/x-ndjson", "text/event-stream"])
    def test_streams(self, client: httpx.Client, accept: str) -> None:
        """Output comes while the program runs."""
        session = made(client)
        code = (
            "import time; print('one', flush=True)\n"
            "while not __import__('os').path.exists('/data/go'): time.sleep(0.01)\n"
            "print('two'); 3"
        )
        seen = []
        with client.stream(
            "POST", f"{session}/runs", json={"code": code}, headers={"Accept": accept}
        ) as answer:
            assert answer.headers["content-type"].startswith(accept)
            lines = answer.iter_lines()
            for line in lines:
                text = line.removeprefix("data: ")
                if text.startswith("{"):
                    seen.append(json.loads(text))
                    break
            assert seen[0] == {"type": "output", "stream": "stdout", "text": "one\n"}
            assert client.post(f"{session}/cancel").json() == {"cancelled": True}
            seen += [
                json.loads(line.removeprefix("data: "))
                for line in lines
                if line.removeprefix("data: ").startswith("{")
            ]
        assert seen[-1]["type"] == "done"
        assert seen[-1]["error"]["type"] == "CancelledError"
        assert run(client, session, "1 + 1")["value"] == 2

    def test_a_client_that_goes_away_ends_the_run(self, server: Server) -> None:
        with server.client() as client:
            session = made(client)
            with (
                pytest.raises(httpx.ReadTimeout),
                httpx.Client(base_url=server.url, timeout=0.5) as impatient,
            ):
                impatient.post(f"{session}/runs", json={"code": "x = 1\nwhile True: pass"})
            assert run(client, session, "x")["value"] == 1  # long before its 30 seconds

    def test_runs_of_one_session_wait_for_each_other(self, client: httpx.Client) -> None:
        session = made(client)
        run(client, session, "seen = []")
        code = "seen.append(n); import time; time.sleep(0.05); seen.append(n)"
        threads = [
            threading.Thread(target=run, args=(client, session, code), kwargs={"inputs": {"n": n}})
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = run(client, session, "seen")["value"]
        assert seen[::2] == seen[1::2]
        assert sorted(seen) == [0, 0, 1, 1, 2, 2, 3, 3]


class TestSessions:
    def test_list_and_close(self, client: httpx.Client) -> None:
        session = made(client)
        identity = session.rpartition("/")[2]
        listed = {one["id"] for one in client.get("/v1/sessions").json()["sessions"]}
        assert identity in listed
        assert client.delete(session).status_code == 204
        assert code_of(client.get(session)) == (404, "no_session")
        assert code_of(client.delete(session)) == (404, "no_session")

    def test_fork(self, client: httpx.Client) -> None:
        session = made(client)
        run(client, session, "numbers = iter(range(10)); next(numbers)")
        fork = client.post(f"{session}/fork").headers["location"]
        assert run(client, fork, "next(numbers)")["value"] == 1
        assert run(client, session, "next(numbers)")["value"] == 1

    def test_checkpoints(self, client: httpx.Client) -> None:
        session = made(client)
        run(client, session, "x = 1")
        body = {"name": "before"}
        assert client.post(f"{session}/checkpoint", json=body).json()["checkpoints"] == ["before"]
        run(client, session, "x = 2")
        assert client.post(f"{session}/rollback", json=body).status_code == 200
        assert run(client, session, "x")["value"] == 1
        wrong = client.post(f"{session}/rollback", json={"name": "other"})
        assert code_of(wrong) == (404, "no_checkpoint")

    def test_reset(self, client: httpx.Client) -> None:
        session = made(client)
        run(client, session, "x = 1")
        assert client.post(f"{session}/reset").status_code == 200
        assert "NameError" in run(client, session, "x")["error"]["message"]

    def test_memory(self, client: httpx.Client) -> None:
        session = made(client, memory_bytes=40 << 20)
        assert "MemoryError" in run(client, session, "x = bytearray(60 << 20)")["error"]["message"]

    def test_files(self, client: httpx.Client) -> None:
        session = made(client)
        data = bytes(range(256))
        path = f"{session}/files/in/table.bin"
        assert client.put(path, content=data).status_code == 204
        code = "d = open('/data/in/table.bin', 'rb').read(); open('/data/out', 'wb').write(d[::-1])"
        assert run(client, session, code)["error"] is None
        assert client.get(f"{session}/files/out").content == data[::-1]
        assert client.get(f"{session}/files").json() == {"path": "/", "files": ["in", "out"]}
        assert client.delete(f"{session}/files/out").status_code == 204
        assert code_of(client.get(f"{session}/files/out")) == (404, "no_file")

    def test_living_threads_are_a_conflict(self, client: httpx.Client) -> None:
        session = made(client)
        code = "import threading; threading.Thread(target=threading.Event().wait, daemon=True)"
        run(client, session, f"{code}.start()")
        assert code_of(client.post(f"{session}/fork")) == (409, "state")


class TestRequests:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({}, "code: Field required"),
            ({"code": 1}, "code: Input should be a valid string"),
            ({"code": "1", "colour": 1}, "colour: Extra inputs are not permitted"),
            ({"code": "1", "inputs": {"a b": 1}}, "'a b' cannot be the name of a global"),
            ({"code": "1", "timeout_ms": -1}, "timeout_ms: Input should be greater"),
        ],
    )
    def test_malformed(self, client: httpx.Client, body: Any, message: str) -> None:
        answer = client.post("/v1/runs", json=body)
        assert code_of(answer) == (422, "malformed")
        assert message in answer.json()["error"]["message"]

    def test_not_json(self, client: httpx.Client) -> None:
        assert code_of(client.post("/v1/runs", content=b"{")) == (422, "malformed")

    def test_too_large(self, client: httpx.Client) -> None:
        answer = client.post("/v1/runs", json={"code": "#" * 100_001})
        assert code_of(answer) == (413, "too_large")

    @pytest.mark.parametrize("session", ["x", "..", "0" * 24, "%2e%2e%2fetc"])
    def test_no_such_session(self, client: httpx.Client, session: str) -> None:
        assert client.get(f"/v1/sessions/{session}").status_code == 404

    def test_no_such_route(self, client: httpx.Client) -> None:
        assert code_of(client.get("/v1/nothing")) == (404, "no_route")
        assert code_of(client.put("/v1/runs")) == (405, "no_method")

    def test_request_ids(self, client: httpx.Client) -> None:
        given = client.get("/healthz", headers={"X-Request-ID": "abc-1"})
        assert given.headers["x-request-id"] == "abc-1"
        drawn = client.get("/healthz", headers={"X-Request-ID": "a b"}).headers["x-request-id"]
        assert len(drawn) == 16

    def test_what_it_says_of_itself(self, client: httpx.Client) -> None:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ok"}
        run(client, made(client), "1")
        found = client.get("/v1/status").json()
        assert found["live_sessions"] >= 1
        assert found["runs"]["ok"] >= 1


@pytest.fixture(scope="module")
def guarded(
    keys: list[tuple[str, ApiKey]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    alice, bob = (key.sha256 for _, key in keys)
    settings = f"""
        max_runs = 2
        max_waiting = 1
        [quota]
        run_seconds = 5
        [[keys]]
        name = "alice"
        sha256 = "{alice}"
        sessions = 2
        concurrent_runs = 1
        [[keys]]
        name = "bob"
        sha256 = "{bob}"
        runs_per_minute = 3
    """
    with serving(tmp_path_factory.mktemp("guarded"), settings) as server:
        yield server


class TestQuotas:
    def test_keys(self, guarded: Server, keys: list[tuple[str, ApiKey]]) -> None:
        with guarded.client() as nobody, guarded.client(keys[0][0]) as alice:
            assert code_of(nobody.get("/v1/sessions")) == (401, "unauthorized")
            assert code_of(nobody.post("/v1/runs", json={"code": 1})) == (401, "unauthorized")
            assert nobody.get("/readyz").status_code == 200
            session = made(alice)
            with guarded.client(keys[1][0]) as bob:
                assert code_of(bob.get(session)) == (404, "no_session")
                assert bob.get("/v1/sessions").json() == {"sessions": []}
            by_other_header = httpx.get(
                f"{guarded.url}{session}", headers={"X-API-Key": keys[0][0]}
            )
            assert by_other_header.status_code == 200
            assert alice.delete(session).status_code == 204

    def test_sessions(self, guarded: Server, keys: list[tuple[str, ApiKey]]) -> None:
        with guarded.client(keys[0][0]) as alice:
            sessions = [made(alice), made(alice)]
            answer = alice.post("/v1/sessions")
            assert code_of(answer) == (429, "sessions")
            assert int(answer.headers["retry-after"]) > 0
            for session in sessions:
                alice.delete(session)

    def test_runs_a_minute(self, guarded: Server, keys: list[tuple[str, ApiKey]]) -> None:
        with guarded.client(keys[1][0]) as bob:
            answers = [bob.post("/v1/runs", json={"code": "1"}) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            assert 0 < int(answers[-1].headers["retry-after"]) <= 61

    def test_longest_run(self, guarded: Server, keys: list[tuple[str, ApiKey]]) -> None:
        with guarded.client(keys[0][0]) as alice:
            began = time.monotonic()
            body = {"code": "while True: pass", "timeout_ms": 86_400_000}
            found = alice.post("/v1/runs", json=body).json()
            assert found["error"]["type"] == "TimeoutError"
            assert time.monotonic() - began < 20

    def test_runs_at_a_time(self, guarded: Server, keys: list[tuple[str, ApiKey]]) -> None:
        """One runs, one waits, and what comes then is refused."""
        statuses = []

        def ask() -> None:
            with guarded.client(keys[0][0]) as alice:
                body = {"code": "import time; time.sleep(1)"}
                statuses.append(alice.post("/v1/runs", json=body).status_code)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(set(statuses)) == [200, 429]


class TestStore:
    def test_idle_sessions_go_and_come_back(self, tmp_path: Path) -> None:
        settings = f'store = "file://{tmp_path}/store"\nidle_seconds = 0.4'
        with serving(tmp_path, settings) as server, server.client() as client:
            session = made(client)
            run(
                client,
                session,
                "g = (n for n in range(5)); next(g); open('/data/f', 'w').write('x')",
            )
            deadline = time.monotonic() + 20
            while client.get("/v1/status").json()["live_sessions"]:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert client.get("/v1/sessions").json()["sessions"][0]["state"] == "stored"
            assert run(client, session, "next(g), open('/data/f').read()")["value"] == [1, "x"]
            assert client.get("/v1/status").json()["restored"] == 1

    def test_they_outlive_the_process(self, tmp_path: Path) -> None:
        """It ends within its time, with what it had, and the next one goes on."""
        settings = f'store = "file://{tmp_path}/store"\ndrain_seconds = 10'
        with serving(tmp_path, settings) as server, server.client() as client:
            session = made(client)
            run(client, session, "x = 41")
            assert server.end() == 0
        with serving(tmp_path, settings) as server, server.client() as client:
            assert run(client, session, "x + 1")["value"] == 42
            assert client.delete(session).status_code == 204
            assert not list((tmp_path / "store").rglob("*.session"))

    def test_runs_are_waited_for_at_the_end(self, tmp_path: Path) -> None:
        settings = f'store = "file://{tmp_path}/store"\ndrain_seconds = 20'
        with serving(tmp_path, settings) as server, server.client() as client:
            session = made(client)
            found: list[dict[str, Any]] = []
            code = "open('/data/began', 'w').close(); import time; time.sleep(1.5); x = 1; 'done'"
            thread = threading.Thread(target=lambda: found.append(run(client, session, code)))
            thread.start()
            deadline = time.monotonic() + 20
            while client.get(session).json()["state"] != "running":
                assert time.monotonic() < deadline
            assert server.end() == 0
            thread.join()
            assert found[0]["value"] == "done", found[0]["error"]
        with serving(tmp_path, settings) as server, server.client() as client:
            assert run(client, session, "x")["value"] == 1

    def test_two_nodes(self, tmp_path: Path) -> None:
        """A session is on one of them; when that is killed the other goes on from the last save."""
        settings = f'store = "file://{tmp_path}/store"\nlease_seconds = 2\n'
        with (
            serving(tmp_path, settings + 'node = "first"') as first,
            serving(tmp_path, settings + 'node = "second"') as second,
            first.client() as one,
            second.client() as other,
        ):
            session = made(one)
            run(one, session, "x = 1")
            assert one.post(f"{session}/save").json()["bytes"] > 1000
            run(one, session, "x = 2")
            answer = other.get(session)
            assert code_of(answer) == (409, "elsewhere")
            assert answer.headers["eryx-node"] == "first"
            first.end(signal.SIGKILL)
            deadline = time.monotonic() + 30
            while other.get(session).status_code == 409:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert run(other, session, "x")["value"] == 1

    def test_without_one(self, tmp_path: Path) -> None:
        with serving(tmp_path) as server, server.client() as client:
            assert code_of(client.post(f"{made(client)}/save")) == (409, "no_store")


class TestSettings:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("max_runs = 0", "max_runs must be a whole number above 0"),
            ("colour = 1", "colour is no setting"),
            ("[quota]\ncolour = 1", "colour is no setting"),
            ("[[keys]]\nname = 'a'", "a key has no sha256"),
            ("[[keys]]\nname = 'a/b'\nsha256 = ''", "the name of a key has letters"),
            ("[[keys]]\nname = 'a'\nsha256 = 'x'", "64 hexadecimal digits"),
            ("max_runs = ", "Invalid value"),
        ],
    )
    def test_wrong_files(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "settings.toml"
        path.write_text(text)
        with pytest.raises(ValueError, match=message) as caught:
            read_settings(path)
        assert str(path) in str(caught.value)

    def test_quotas_of_keys(self, tmp_path: Path) -> None:
        path = tmp_path / "settings.toml"
        stored = new_key("a")[1]
        path.write_text(
            f"[quota]\nsessions = 5\n[[keys]]\nname = 'a'\nsha256 = '{stored.sha256}'\n"
            "run_seconds = 2\n"
        )
        found = read_settings(path)
        assert found.keys == (ApiKey("a", stored.sha256, Quota(sessions=5, run_seconds=2)),)

    def test_those_of_the_document(self, tmp_path: Path) -> None:
        document = Path(__file__).parents[2].joinpath("docs", "server.md").read_text()
        text = document.partition("```toml\n")[2].partition("```")[0]
        path = tmp_path / "settings.toml"
        path.write_text(text)
        found = read_settings(path)
        assert found.keys[0].quota.runs_per_minute == 60
        assert found.keys[0].quota.allowed_hosts == ("api.example.com",)

    def test_unknown_store(self) -> None:
        from eryx.server import create_app

        with pytest.raises(ValueError, match="nowhere"):
            create_app(Settings(store="nowhere://x"))

    def test_everybody_only_at_home(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "eryx", "serve", "--http", f"0.0.0.0:{free_port()}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
        assert "everybody could run programs" in done.stderr
