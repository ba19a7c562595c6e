"""The protocol of e2b, with the client from PyPI that nobody here wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from e2b import AuthenticationException, NotFoundException, RateLimitException, SandboxException
from e2b_code_interpreter import AsyncSandbox, Sandbox
from processes import Server, free_port, serving

from eryx.server import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("e2b"), "e2b = true\n[quota]\nsessions = 3") as server:
        yield server


@pytest.fixture(autouse=True)
def addresses(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2B_API_URL", server.url)
    monkeypatch.setenv("E2B_SANDBOX_URL", server.url)
    monkeypatch.setenv("E2B_API_KEY", "e2b_" + "0" * 40)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox.create()
    yield sandbox
    sandbox.kill()


class TestCode:
    def test_results_logs_and_state(self, sandbox: Sandbox) -> None:
        done = sandbox.run_code(
            "import sys; x = 1; print('out'); print('err', file=sys.stderr); x + 1"
        )
        assert done.text == "2"
        assert (done.logs.stdout, done.logs.stderr) == (["out\n"], ["err\n"])
        assert done.error is None
        assert sandbox.run_code("x").text == "1"

    def test_errors(self, sandbox: Sandbox) -> None:
        error = sandbox.run_code("def f(): 1 / 0\nf()").error
        assert error is not None
        assert (error.name, error.value) == ("ZeroDivisionError", "division by zero")
        assert "in f" in error.traceback

    def test_rich_results(self, sandbox: Sandbox) -> None:
        png = "iVBORw0KGgo="
        code = (
            "import base64\n"
            "class Picture:\n"
            f"    def _repr_png_(self): return base64.b64decode('{png}')\n"
            "    def __repr__(self): return 'a picture'\n"
            "display({'x': 1})\nPicture()"
        )
        first, last = sandbox.run_code(code).results
        assert (first.text, first.is_main_result) == ("{'x': 1}", False)
        assert (last.png, last.text, last.is_main_result) == (png, "a picture", True)

    def test_output_while_it_runs(self, sandbox: Sandbox) -> None:
        seen: list[str] = []
        sandbox.run_code("print(1); print(2)", on_stdout=lambda message: seen.append(message.line))
        assert seen == ["1\n", "2\n"]

    def test_environment(self, sandbox: Sandbox) -> None:
        code = "import os; os.environ.get('NAME')"
        assert sandbox.run_code(code, envs={"NAME": "value"}).text == "'value'"
        assert sandbox.run_code(code).text is None

    def test_contexts(self, sandbox: Sandbox) -> None:
        context = sandbox.create_code_context(cwd="/home/user/work")
        assert (
            sandbox.run_code("import os; os.getcwd()", context=context).text == "'/home/user/work'"
        )
        sandbox.run_code("y = 1", context=context)
        error = sandbox.run_code("y").error
        assert error is not None
        assert error.name == "NameError"
        sandbox.run_code("open('/home/user/shared', 'w').write('x')", context=context)
        assert sandbox.run_code("open('shared').read()").text == "'x'"
        sandbox.restart_code_context(context)
        error = sandbox.run_code("y", context=context).error
        assert error is not None
        assert len(sandbox.list_code_contexts()) == 2
        sandbox.remove_code_context(context)
        assert len(sandbox.list_code_contexts()) == 1
        with pytest.raises(NotFoundException):
            sandbox.run_code("1", context=context)

    def test_other_languages(self, sandbox: Sandbox) -> None:
        with pytest.raises(SandboxException, match="there is no javascript here"):
            sandbox.run_code("1", language="javascript")

    def test_asynchronously(self) -> None:
        import asyncio

        async def main() -> str | None:
            sandbox = await AsyncSandbox.create()
            text = (await sandbox.run_code("6 * 7")).text
            await sandbox.kill()
            return text

        assert asyncio.run(main()) == "42"


class TestFiles:
    def test_up_and_down(self, sandbox: Sandbox) -> None:
        data = bytes(range(256)) * 100
        sandbox.files.write("in.bin", data)
        sandbox.run_code("d = open('in.bin', 'rb').read(); open('out.bin', 'wb').write(d[::-1])")
        assert bytes(sandbox.files.read("/home/user/out.bin", format="bytes")) == data[::-1]

    def test_several_at_once(self, sandbox: Sandbox) -> None:
        sandbox.files.write_files(
            [{"path": "a/one", "data": "1"}, {"path": "/home/user/two", "data": "2"}]
        )
        assert sandbox.run_code("open('a/one').read() + open('two').read()").text == "'12'"
        assert [entry.name for entry in sandbox.files.list("/home/user")] == ["a", "two"]
        assert [entry.path for entry in sandbox.files.list("a")] == ["/home/user/a/one"]

    def test_exists_and_remove(self, sandbox: Sandbox) -> None:
        sandbox.files.write("f", "x")
        assert sandbox.files.exists("f")
        sandbox.files.remove("f")
        assert not sandbox.files.exists("f")
        with pytest.raises(NotFoundException):
            sandbox.files.read("f")

    def test_other_places(self, sandbox: Sandbox) -> None:
        with pytest.raises(SandboxException, match="files are under /home/user"):
            sandbox.files.read("/etc/passwd")


class TestLife:
    def test_connect_list_and_kill(self) -> None:
        sandbox = Sandbox.create(timeout=100, metadata={"a": "b"}, envs={"NAME": "v"})
        other = Sandbox.connect(sandbox.sandbox_id)
        assert other.run_code("import os; os.environ['NAME']").text == "'v'"
        assert sandbox.get_info().metadata == {"a": "b"}
        assert sandbox.sandbox_id in [one.sandbox_id for one in Sandbox.list().next_items()]
        assert sandbox.is_running()
        assert sandbox.kill()
        assert not sandbox.kill()

    def test_its_time(self) -> None:
        sandbox = Sandbox.create(timeout=0)
        with pytest.raises(SandboxException):
            sandbox.run_code("1")

    def test_quota(self) -> None:
        sandboxes = [Sandbox.create() for _ in range(3)]
        with pytest.raises(RateLimitException):
            Sandbox.create(retries=0)
        for sandbox in sandboxes:
            sandbox.kill()

    def test_processes_are_refused_with_the_reason(self, sandbox: Sandbox) -> None:
        with pytest.raises(SandboxException, match="have no processes"):
            sandbox.commands.run("ls")


def test_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    key, stored = new_key("alice")
    settings = f'e2b = true\n[[keys]]\nname = "alice"\nsha256 = "{stored.sha256}"'
    with serving(tmp_path_factory.mktemp("keys"), settings) as server:
        options = {"api_url": server.url, "sandbox_url": server.url}
        with pytest.raises(AuthenticationException, match="a key is needed"):
            Sandbox.create(api_key="e2b_wrong", **options)
        sandbox = Sandbox.create(api_key=key, **options)
        assert sandbox.run_code("1 + 1").text == "2"
        headers = {"E2b-Sandbox-Id": sandbox.sandbox_id, "X-Access-Token": "guess"}
        answer = httpx.post(f"{server.url}/execute", headers=headers, json={"code": "1"})
        assert (answer.status_code, answer.text) == (401, "the access token is another one")
        assert sandbox.kill()


def test_debug_mode(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the client has ports of its own and neither creates nor kills."""
    for name in ("E2B_API_URL", "E2B_SANDBOX_URL", "E2B_API_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("e2b_code_interpreter.code_interpreter_sync.JUPYTER_PORT", free_port())
    monkeypatch.setattr("e2b.ConnectionConfig.envd_port", free_port())
    from e2b import ConnectionConfig
    from e2b_code_interpreter import code_interpreter_sync

    ports = code_interpreter_sync.JUPYTER_PORT, ConnectionConfig.envd_port
    with serving(tmp_path_factory.mktemp("debug"), "e2b = true", *ports):
        sandbox = Sandbox.create(debug=True)
        assert sandbox.sandbox_id == "debug_sandbox_id"
        sandbox.files.write("a", "x")
        assert sandbox.run_code("open('a').read()").text == "'x'"
        assert sandbox.kill()


def test_in_worker_processes(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies is an error of its run; files stay, and the next run has a new one."""
    import os
    import signal

    from test_isolation import workers

    settings = 'e2b = true\nisolation = "process"'
    with serving(tmp_path_factory.mktemp("workers"), settings) as server:
        monkeypatch.setenv("E2B_API_URL", server.url)
        monkeypatch.setenv("E2B_SANDBOX_URL", server.url)
        sandbox = Sandbox.create()
        assert sandbox.run_code("x = 1; open('f', 'w').write('text')").text == "4"
        assert sandbox.files.read("f") == "text"
        for worker in workers(server):
            os.kill(worker, signal.SIGKILL)
        error = sandbox.run_code("x").error
        assert error is not None
        assert error.name == "WorkerCrashedError"
        assert sandbox.run_code("open('f').read()").text == "'text'"
        error = sandbox.run_code("x").error
        assert error is not None
        assert error.name == "NameError"
        assert sandbox.kill()
