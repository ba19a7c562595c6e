"""Tools of MCP servers in sandboxes: the reference servers of npm, and ours."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import eryx
from toolchain import mcp_servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLES = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    (made / "a.txt").write_text("hello")
    return made


@pytest.fixture(scope="module")
def manager(folder: Path) -> Iterator[eryx.MCPManager]:
    """Connected to both reference servers."""
    with eryx.MCPManager() as made:
        node, *program = mcp_servers.command("server-everything")
        assert made.connect("everything", node, [*program, "stdio"], timeout_secs=60) > 5
        node, *program = mcp_servers.command("server-filesystem")
        assert made.connect("file-system", node, [*program, str(folder)], timeout_secs=60) > 5
        yield made


class TestReferenceServers:
    @pytest.mark.parametrize(
        "code",
        [
            "await mcp.everything.echo(message='hi')",
            "await mcp['everything']['echo'](message='hi')",
            "await mcp.everything['echo'](message='hi')",
            "await mcp['everything'].echo('hi')",
            "await invoke('mcp.everything.echo', message='hi')",
            "mcp.everything.echo.sync(message='hi')",
        ],
    )
    def test_ways_to_call(self, manager: eryx.MCPManager, code: str) -> None:
        for made in (eryx.Sandbox(mcp=manager), eryx.Session(mcp=manager)):
            assert made.execute(code).value == "Echo: hi"

    def test_names_with_hyphens(self, manager: eryx.MCPManager, folder: Path) -> None:
        sandbox = eryx.Sandbox(mcp=manager)
        assert "42" in sandbox.execute("await mcp.everything.get_sum(a=2, b=40)").value
        assert "42" in sandbox.execute("await mcp.everything['get-sum'](a=2, b=40)").value
        code = f"await mcp.file_system.read_text_file(path={str(folder / 'a.txt')!r})"
        assert sandbox.execute(code).value["content"] == "hello"
        assert "mcp.file_system.read_text_file" in [tool["name"] for tool in manager.list_tools()]

    def test_error_of_a_tool(self, manager: eryx.MCPManager) -> None:
        code = "await mcp.file_system.read_text_file(path='/etc/passwd')"
        with pytest.raises(eryx.ExecutionError, match="Access denied"):
            eryx.Sandbox(mcp=manager).execute(code)
        caught = f"try: {code}\nexcept RuntimeError as error: print(error)"
        assert "Access denied" in eryx.Sandbox(mcp=manager).execute(caught).stdout

    def test_structured_content(self, manager: eryx.MCPManager) -> None:
        code = "await mcp.everything.get_structured_content(location='New York')"
        assert eryx.Sandbox(mcp=manager).execute(code).value["humidity"] == 82

    def test_pictures(self, manager: eryx.MCPManager) -> None:
        value = eryx.Sandbox(mcp=manager).execute("await mcp.everything.get_tiny_image()").value
        assert [block["mimeType"] for block in value if block["type"] == "image"] == ["image/png"]

    def test_with_other_callbacks(self, manager: eryx.MCPManager) -> None:
        sandbox = eryx.Sandbox(mcp=manager, callbacks={"double": lambda n: 2 * n})
        code = "[await double(n=21), await mcp.everything.echo(message='x')]"
        assert sandbox.execute(code).value == [42, "Echo: x"]
        names = sandbox.execute("[callback['name'] for callback in list_callbacks()]").value
        assert {"double", "mcp.everything.echo"} <= set(names)

    def test_what_a_model_is_told_of_them(self, manager: eryx.MCPManager, folder: Path) -> None:
        """As programs write their names, and of each no more than a line."""
        session = eryx.Session(mcp=manager)
        text = eryx.prompt(session)
        assert "    class file_system:\n" in text
        assert "        async def read_text_file(path: str, " in text
        assert "invoke(" not in text
        said = re.findall(r"'''(.*)'''", text)
        assert len(said) > 20
        assert max(map(len, said)) == 120
        path = str(folder / "a.txt")
        code = f"(await mcp.file_system.read_text_file(path={path!r}))['content']"
        assert session.check(code) == []
        assert session.check("await mcp.file_system.read_text_fil(path='x')")

    def test_several_at_a_time_on_a_loop(self, manager: eryx.MCPManager) -> None:
        code = (
            "import asyncio\n"
            "await asyncio.gather(*(mcp.everything.echo(message=str(n)) for n in range(5)))"
        )
        value = asyncio.run(eryx.Sandbox(mcp=manager).execute_async(code)).value
        assert value == [f"Echo: {n}" for n in range(5)]

    def test_call_that_takes_too_long(self, manager: eryx.MCPManager) -> None:
        limits = eryx.ResourceLimits(callback_timeout_ms=500)
        sandbox = eryx.Sandbox(mcp=manager, resource_limits=limits)
        code = "await mcp.everything.trigger_long_running_operation(duration=30, steps=2)"
        begun = time.monotonic()
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute(code)
        assert time.monotonic() - begun < 20
        assert sandbox.execute("await mcp.everything.echo(message='on')").value == "Echo: on"

    def test_descriptions(self, manager: eryx.MCPManager) -> None:
        tools = {tool["name"]: tool for tool in manager.list_tools()}
        assert tools["mcp.everything.echo"]["description"]
        assert "message" in tools["mcp.everything.echo"]["schema"]["properties"]
        assert manager.server_names == ["everything", "file-system"]
        assert repr(manager).startswith("MCPManager(servers=['everything', 'file-system'], tools=")


class TestBothDirections:
    def test_sandbox_in_a_sandbox(self) -> None:
        """A program calls the tool of our own server."""
        with eryx.MCPManager() as manager:
            arguments = ["-m", "eryx", "serve", "--mcp"]
            assert manager.connect("python", sys.executable, arguments, VARIABLES, 60) == 2
            sandbox = eryx.Sandbox(mcp=manager)
            code = "(await mcp.python.run_python(code='6 * 7'))['value']"
            assert sandbox.execute(code).value == 42

    def test_server_that_offers_tools_of_servers(self, tmp_path: Path) -> None:
        """The command line, with a configuration file."""
        node, *program = mcp_servers.command("server-everything")
        path = tmp_path / "mcp.json"
        path.write_text(
            json.dumps({"mcpServers": {"every": {"command": node, "args": [*program, "stdio"]}}})
        )
        code = "print(await mcp.every.echo(message='through'))"
        done = subprocess.run(
            [sys.executable, "-m", "eryx", "--mcp-config", str(path), "-c", code],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("Echo: through\n", "")


class TestConnecting:
    def test_empty(self) -> None:
        manager = eryx.MCPManager()
        assert manager.server_names == []
        assert repr(manager) == "MCPManager(servers=[], tools=0)"
        assert manager.list_tools() == []
        assert eryx.Sandbox(mcp=manager).execute("print(1)").stdout == "1"
        manager.close()
        manager.close()
        with pytest.raises(eryx.EryxError, match="is closed"):
            manager.connect("x", "true")

    def test_what_cannot_be_connected_to(self) -> None:
        with eryx.MCPManager() as manager:
            with pytest.raises(eryx.InitializationError, match="No such file"):
                manager.connect("x", "/nonexistent/command")
            with pytest.raises(eryx.InitializationError, match="it wrote: trouble"):
                manager.connect("x", "sh", ["-c", "echo trouble >&2; exit 3"])
            with pytest.raises(eryx.InitializationError, match=r"not answered within 0\.5 s"):
                manager.connect("x", "sleep", ["60"], timeout_secs=0.5)
            with pytest.raises(eryx.InitializationError):
                manager.connect_url("x", "http://127.0.0.1:9/mcp", timeout_secs=20)
            assert manager.server_names == []

    def test_arguments_that_are_wrong(self, manager: eryx.MCPManager) -> None:
        with pytest.raises(ValueError, match="'everything' already"):
            manager.connect("everything", "true")
        for name in ("", "a.b", "a\n"):
            with pytest.raises(ValueError, match="name must be"):
                manager.connect(name, "true")
        with pytest.raises(TypeError, match="args must be"):
            manager.connect("x", "true", "args")
        with pytest.raises(TypeError, match="mcp must be an MCPManager"):
            eryx.Sandbox(mcp=True)  # type: ignore[arg-type]

    def test_call_after_close(self) -> None:
        manager = eryx.MCPManager()
        arguments = ["-m", "eryx", "serve", "--mcp"]
        manager.connect("python", sys.executable, arguments, VARIABLES, 60)
        sandbox = eryx.Sandbox(mcp=manager)
        manager.close()
        with pytest.raises(eryx.ExecutionError, match="not connected any more"):
            sandbox.execute("await mcp.python.reset()")

    def test_process_ends_without_close(self) -> None:
        """A manager that is forgotten holds up nothing."""
        code = (
            "import eryx, sys\nmanager = eryx.MCPManager()\n"
            "print(manager.connect('p', sys.executable, ['-m', 'eryx', 'serve', '--mcp'], "
            f"{VARIABLES!r}, 60))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
        )
        assert (done.stdout, done.returncode) == ("2\n", 0)

    def test_without_the_sdk(self) -> None:
        code = (
            "import sys; sys.modules['mcp'] = None\nimport eryx\n"
            "try: eryx.MCPManager().connect('x', 'true')\n"
            "except eryx.EryxError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        assert "pip install 'eryx-sandbox[mcp]'" in done.stdout


class TestDiscovery:
    def test_forms_of_different_programs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MCP_TEST_KEY", "k")
        monkeypatch.delenv("MCP_TEST_NONE", raising=False)
        files = {
            "claude.json": '{"mcpServers": {"a": {"command": "one", "args": ["$MCP_TEST_KEY"]}}}',
            "vscode.json": '{// comment\n"servers": {"b": {"type": "stdio", "command": "two",'
            ' "env": {"K": "${env:MCP_TEST_KEY}", "U": "http://x"}},},}',
            "zed.json": '{"context_servers": {"c": {"command": {"path": "three", "args": ["x"]}}}}',
            "codex.toml": '[mcp_servers.d]\ncommand = "four"\nargs = ["${MCP_TEST_NONE:-use}d"]\n',
            "later.json": '{"mcpServers": {"a": {"command": "five"}}}',
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        found = eryx.discover_servers([tmp_path / name for name in files])
        assert [(server.name, server.command, server.args) for server in found] == [
            ("a", "five", ()),
            ("b", "two", ()),
            ("c", "three", ("x",)),
            ("d", "four", ("used",)),
        ]
        assert found[1].env == {"K": "k", "U": "http://x"}
        assert found[0].source == str(tmp_path / "later.json")

    def test_what_is_passed_over(self, tmp_path: Path) -> None:
        servers = {
            "disabled": {"command": "x", "disabled": True},
            "not-enabled": {"command": "x", "enabled": False},
            "remote": {"url": "http://x"},
            "typed": {"type": "http", "command": "x"},
            "empty": {"command": ""},
            "wrong": {"command": 5},
            "args": {"command": "x", "args": "y"},
            "no-dict": 7,
        }
        (tmp_path / "a.json").write_text(json.dumps({"mcpServers": servers}))
        (tmp_path / "b.json").write_text("{broken")
        (tmp_path / "c.json").write_text("[" * 100_000)
        (tmp_path / "d.toml").write_text("= broken")
        (tmp_path / "e.json").write_bytes(b"\xff\xfe\x00")
        names = ("a.json", "b.json", "c.json", "d.toml", "e.json", "missing.json", ".")
        assert eryx.discover_servers([tmp_path / name for name in names]) == []

    def test_known_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home, project = tmp_path / "home", tmp_path / "project"
        (home / ".cursor").mkdir(parents=True)
        project.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.chdir(project)
        (home / ".cursor" / "mcp.json").write_text('{"mcpServers": {"a": {"command": "user"}}}')
        assert [server.command for server in eryx.discover_servers()] == ["user"]
        (project / ".mcp.json").write_text('{"mcpServers": {"a": {"command": "project"}}}')
        assert [server.command for server in eryx.discover_servers()] == ["project"]

    def test_one_that_fails_stops_nothing(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        python = {"command": sys.executable, "args": ["-m", "eryx", "serve", "--mcp"]}
        servers = {
            "broken": {"command": "/nonexistent/x"},
            "a.b": {"command": "true"},
            "python": {**python, "env": VARIABLES},
        }
        path = tmp_path / "mcp.json"
        path.write_text(json.dumps({"mcpServers": servers}))
        with caplog.at_level(logging.WARNING, "eryx.mcp"):
            manager = eryx.connect_servers([path], 60)
        assert manager is not None
        assert manager.server_names == ["python"]
        manager.close()
        assert "broken" in caplog.text
        assert "without dots" in caplog.text

    def test_none(self, tmp_path: Path) -> None:
        assert eryx.connect_servers([tmp_path / "missing.json"]) is None
        (tmp_path / "a.json").write_text('{"mcpServers": {"x": {"command": "/nonexistent/x"}}}')
        assert eryx.connect_servers([tmp_path / "a.json"]) is None
