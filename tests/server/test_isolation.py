"""The service with its sandboxes in worker processes, which are killed while it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from processes import Server, free_port, serving

import eryx
from eryx.server import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICE, BOB = 0, 1


@pytest.fixture(scope="module")
def server(
    keys: list[tuple[str, ApiKey]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("isolation")
    tables = "".join(f'[[keys]]\nname = "{key.name}"\nsha256 = "{key.sha256}"\n' for _, key in keys)
    settings = f'store = "file://{folder}/store"\nisolation = "process"\nprocesses = 1\n{tables}'
    with serving(folder, settings) as server:
        yield server


@pytest.fixture
def clients(
    server: Server, keys: list[tuple[str, ApiKey]]
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with server.client(keys[ALICE][0]) as alice, server.client(keys[BOB][0]) as bob:
        yield alice, bob


def workers(server: Server) -> set[int]:
    """The processes that run sandboxes."""
    found = set()
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        for child in task.joinpath("children").read_text().split():
            with suppress(FileNotFoundError):  # it has ended
                if os.readlink(f"/proc/{child}/exe").endswith("/eryx-worker"):
                    found.add(int(child))
    return found


def made(client: httpx.Client) -> str:
    answer = client.post("/v1/sessions")
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


def run(client: httpx.Client, session: str, code: str) -> dict[str, Any]:
    answer = client.post(f"{session}/runs", json={"code": code})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def own_worker(server: Server, client: httpx.Client) -> tuple[str, int]:
    """A session of a holder without others, and the process that it alone is in."""
    before = workers(server)
    session = made(client)
    (worker,) = workers(server) - before
    return session, worker


class TestWorkers:
    def test_each_key_has_its_own(
        self, server: Server, clients: tuple[httpx.Client, httpx.Client]
    ) -> None:
        alice, bob = clients
        of_alice, worker = own_worker(server, alice)
        assert run(alice, of_alice, "x = 1; x + 1")["value"] == 2
        of_bob, other = own_worker(server, bob)
        assert worker != other
        second = made(alice)  # shares the worker of the first
        assert alice.post("/v1/runs", json={"code": "6 * 7"}).json()["value"] == 42
        assert workers(server) == {worker, other}
        assert alice.get("/v1/status").json()["workers"] == 2
        os.kill(other, signal.SIGKILL)
        assert run(bob, of_bob, "1")["error"]["type"] == "WorkerCrashedError"
        assert run(alice, of_alice, "x")["value"] == 1
        for session in (of_alice, second):
            assert alice.delete(session).status_code == 204
        assert bob.delete(of_bob).status_code == 204

    def test_a_run_whose_worker_dies(
        self, server: Server, clients: tuple[httpx.Client, httpx.Client]
    ) -> None:
        """It says so, with what it had printed; the session is as it was when it was saved."""
        bob = clients[BOB]
        session = made(bob)
        run(bob, session, "x = [1]; open('/data/f', 'w').write('kept')")
        assert bob.post(f"{session}/save").status_code == 200
        bob.post(f"{session}/checkpoint", json={"name": "c"})
        found: list[dict[str, Any]] = []
        code = "x.append(2); print('so far', flush=True); import time; time.sleep(20)"
        thread = threading.Thread(target=lambda: found.append(run(bob, session, code)))
        thread.start()
        deadline = time.monotonic() + 20
        while bob.get(session).json()["state"] != "running":
            assert time.monotonic() < deadline
        time.sleep(0.3)
        for worker in workers(server):
            os.kill(worker, signal.SIGKILL)
        thread.join()
        assert found[0]["error"]["type"] == "WorkerCrashedError"
        assert "the session goes on from what was saved" in found[0]["error"]["message"]
        assert found[0]["stdout"] == "so far"
        record = bob.get(session).json()
        assert (record["state"], record["checkpoints"]) == ("live", [])
        assert run(bob, session, "x, open('/data/f').read()")["value"] == [[1], "kept"]
        assert bob.delete(session).status_code == 204

    def test_what_was_never_saved_starts_anew(
        self, server: Server, clients: tuple[httpx.Client, httpx.Client]
    ) -> None:
        alice = clients[ALICE]
        session = made(alice)
        run(alice, session, "x = 1")
        for worker in workers(server):
            os.kill(worker, signal.SIGKILL)
        answer = alice.post(f"{session}/fork")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "crashed")
        assert "the session starts anew" in answer.json()["error"]["message"]
        assert "NameError" in run(alice, session, "x")["error"]["message"]
        assert run(alice, session, "y = 2; y")["value"] == 2
        fork = alice.post(f"{session}/fork").headers["location"]
        assert run(alice, fork, "y")["value"] == 2
        for each in (session, fork):
            assert alice.delete(each).status_code == 204

    def test_many_crashes(self, server: Server, clients: tuple[httpx.Client, httpx.Client]) -> None:
        """Each is one answer, and the process stays the same."""
        bob = clients[BOB]
        session = made(bob)
        for number in range(10):
            for worker in workers(server):
                os.kill(worker, signal.SIGKILL)
            assert run(bob, session, "1")["error"]["type"] == "WorkerCrashedError"
            assert run(bob, session, f"{number}")["value"] == number
        assert server.process.poll() is None
        assert bob.delete(session).status_code == 204


def test_they_end_with_the_service(keys: list[tuple[str, ApiKey]], tmp_path: Path) -> None:
    """And what was in them goes on in the next one."""
    settings = f'store = "file://{tmp_path}/store"\nisolation = "process"'
    with serving(tmp_path, settings) as server, server.client() as client:
        session = made(client)
        run(client, session, "x = 41")
        there = workers(server)
        assert len(there) == 1
        assert server.end() == 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in there)
    with serving(tmp_path, settings) as server, server.client() as client:
        assert run(client, session, "x + 1")["value"] == 42


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ('[quota]\nallowed_hosts = ["example.com"]', {"network": eryx.NetConfig()}),
        ("e2b = true", {"files": eryx.VfsStorage()}),
    ],
)
def test_what_workers_cannot_do_is_said_at_the_start(
    settings: str, options: Any, tmp_path: Path
) -> None:
    wanted = None
    try:
        eryx.Session(isolation="process", **options)
    except eryx.EryxError as error:
        wanted = str(error)
    file = tmp_path / "settings.toml"
    file.write_text(settings)
    if wanted is None:
        with serving(tmp_path, f'isolation = "process"\n{settings}') as server:
            assert server.client().post("/v1/sessions").status_code == 201
        return
    done = subprocess.run(
        [
            *(sys.executable, "-m", "eryx", "serve", "--isolation", "process"),
            *("--settings", str(file), "--http", str(free_port())),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert wanted in done.stderr
