"""`eryx serve --mcp`, to which the client of the official SDK talks."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, MCPError, StdioServerParameters

import eryx
from eryx.mcp._conversations import CONVERSATION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

# The protocol with sessions, and the newer one without.
MODES = ("legacy", "auto")
VARIABLES = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


class Talk:
    """A client and what it was told meanwhile."""

    def __init__(self) -> None:
        self.client: Any = None
        self.progress: list[tuple[float, str]] = []
        self.has_progress = asyncio.Event()
        self.log: list[tuple[str, str]] = []

    async def take_log(self, params: Any) -> None:
        self.log.append((params.logger, params.data))

    async def take_progress(self, done: float, total: float | None, text: str | None) -> None:
        self.progress.append((done, text or ""))
        self.has_progress.set()

    async def run(self, code: str, **others: Any) -> Any:
        """Calls run_python."""
        arguments = {"code": code, **others}
        return await self.client.call_tool(
            "run_python", arguments, progress_callback=self.take_progress
        )

    async def texts(self, code: str, **others: Any) -> list[str]:
        """The texts of its answer."""
        answer = await self.run(code, **others)
        return [block.text for block in answer.content if block.type == "text"]


@asynccontextmanager
async def connected(target: Any, mode: str = "auto") -> AsyncIterator[Talk]:
    talk = Talk()
    async with Client(target, mode=mode, logging_callback=talk.take_log, log_level="info") as made:
        talk.client = made
        yield talk


def stdio(*options: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "eryx", "serve", "--mcp", *options], env=VARIABLES
    )


@contextmanager
def http_server(*options: str) -> Iterator[str]:
    """The server over HTTP; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "eryx", "serve", "--mcp", "--http", "0", *options],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"eryx: serving at (http://127\.0\.0\.1:\d+/mcp)\n", line)
        assert found, line
        yield found[1]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def talk(target: Any, use: Callable[[Talk], Awaitable[None]], mode: str = "auto") -> None:
    """Connects, and does something."""

    async def connect_and_use() -> None:
        async with asyncio.timeout(120), connected(target, mode) as made:
            await use(made)

    asyncio.run(connect_and_use())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http_server("--timeout", "20s") as address:
        yield address


@pytest.fixture(params=["stdio", "http"])
def target(request: pytest.FixtureRequest, address: str) -> Any:
    """Both transports."""
    return stdio("--timeout", "20s") if request.param == "stdio" else address


@pytest.mark.parametrize("mode", MODES)
class TestBothTransportsAndProtocols:
    def test_session(self, target: Any, mode: str) -> None:
        """All that a conversation is made of, and what the client is told meanwhile."""

        async def use(talk: Talk) -> None:
            tools = (await talk.client.list_tools()).tools
            assert [tool.name for tool in tools] == ["run_python", "reset"]
            assert "sandbox" in tools[0].description
            assert await talk.texts("print('hello')") == ["hello\n"]
            assert await talk.texts("x = 20") == ["(no output)"]
            answer = await talk.run("x + 22")
            assert answer.content[0].text == "42"
            assert answer.structured_content["value"] == 42
            assert not answer.is_error
            assert (await talk.client.call_tool("reset", {})).content[0].text
            assert "NameError" in (await talk.texts("x"))[-1]

        talk(target, use, mode)

    def test_errors(self, target: Any, mode: str) -> None:
        async def use(talk: Talk) -> None:
            answer = await talk.run("import sys; print('e', file=sys.stderr); x = 1; 1 / 0")
            assert answer.is_error
            assert answer.content[0].text == "[stderr]\ne\n"
            assert answer.content[1].text.startswith("Traceback")
            assert answer.content[1].text.endswith("ZeroDivisionError: division by zero")
            assert answer.structured_content["error"]["type"] == "ExecutionError"
            assert await talk.texts("x") == ["1"]

        talk(target, use, mode)

    def test_timeout_of_a_call(self, target: Any, mode: str) -> None:
        async def use(talk: Talk) -> None:
            await talk.run("x = 1")
            answer = await talk.run("while True: pass", timeout_ms=300)
            assert answer.is_error
            assert "timed out" in answer.content[-1].text
            assert await talk.texts("import time; time.sleep(0.5); x") == ["1"]

        talk(target, use, mode)

    def test_output_is_told_while_it_runs(self, target: Any, mode: str) -> None:
        async def use(talk: Talk) -> None:
            code = "import time\nfor n in range(3): print('line', n); time.sleep(0.4)"
            run = asyncio.ensure_future(talk.run(code))
            await talk.has_progress.wait()
            assert not run.done()
            await run
            assert "".join(text for _, text in talk.progress) == "line 0\nline 1\nline 2\n"
            assert sorted(done for done, _ in talk.progress) == [done for done, _ in talk.progress]
            assert {name for name, _ in talk.log} == {"stdout"}
            assert "".join(text for _, text in talk.log) == "line 0\nline 1\nline 2\n"

        talk(target, use, mode)

    def test_cancelled_call_stops_the_run_and_keeps_the_state(self, target: Any, mode: str) -> None:
        async def use(talk: Talk) -> None:
            run = asyncio.ensure_future(
                talk.run("x = 5\nprint('begun')\nimport time; time.sleep(19)")
            )
            await talk.has_progress.wait()
            begun = time.monotonic()
            run.cancel()
            await asyncio.wait([run])
            assert await talk.texts("x") == ["5"]
            assert time.monotonic() - begun < 15  # far less than the run would have taken

        talk(target, use, mode)

    def test_files_are_resources(self, target: Any, mode: str) -> None:
        async def use(talk: Talk) -> None:
            assert (await talk.client.list_resources()).resources == []
            answer = await talk.run(
                "import os; os.mkdir('a b'); open('a b/t.csv', 'w').write('x,y\\n')\n"
                "open('b.bin', 'wb').write(b'\\xff\\x00')"
            )
            links = [block for block in answer.content if block.type == "resource_link"]
            assert [link.name for link in links] == ["a b/t.csv", "b.bin"]
            listed = (await talk.client.list_resources()).resources
            assert [file.uri for file in listed] == [link.uri for link in links]
            assert str(listed[0].uri) == "eryx:///data/a%20b/t.csv"
            assert listed[0].mime_type == "text/csv"
            text, blob = [
                (await talk.client.read_resource(file.uri)).contents[0] for file in listed
            ]
            assert (text.text, blob.blob) == ("x,y\n", "/wA=")
            for uri in ("eryx:///data/none", "eryx:///etc/passwd", "eryx:///data/../data/b.bin"):
                with pytest.raises(MCPError):
                    await talk.client.read_resource(uri)

        talk(target, use, mode)


class TestAnswers:
    def test_displays_are_pictures(self) -> None:
        code = """
class Plot:
    def _repr_png_(self): return b'\\x89PNG'
display({'text/html': '<b>x</b>', 'text/plain': 'a table'}, raw=True)
display({'image/svg+xml': '<svg/>'}, raw=True)
Plot()
"""

        async def use(talk: Talk) -> None:
            blocks = (await talk.run(code)).content
            pictures = [(block.mime_type, block.data) for block in blocks if block.type == "image"]
            assert pictures == [("image/svg+xml", "PHN2Zy8+"), ("image/png", "iVBORw==")]
            assert "a table" in [block.text for block in blocks if block.type == "text"]

        talk(stdio(), use)

    def test_arguments_that_are_wrong(self) -> None:
        async def use(talk: Talk) -> None:
            for wrong in (
                {"code": 5},
                {},
                {"code": "1", "timeout_ms": "x"},
                {"code": "1", "timeout_ms": 0},
                {"code": "1", "other": 1},
            ):
                try:
                    assert (await talk.client.call_tool("run_python", wrong)).is_error
                except MCPError:
                    pass
            with pytest.raises(MCPError):
                await talk.client.call_tool("no_such_tool", {})
            assert await talk.texts("1 + 1") == ["2"]

        talk(stdio(), use)

    def test_flood_of_output(self) -> None:
        """The client is told little of it while it runs, and gets what is kept in the end."""

        async def use(talk: Talk) -> None:
            answer = await talk.run("for n in range(200_000): print(n)")
            assert answer.structured_content["stdout"].endswith("199999\n")
            assert len(answer.content[0].text) < 200_000
            assert sum(len(text) for _, text in talk.progress) < 1_000_000

        talk(stdio(), use)


class TestState:
    def test_run_that_cannot_be_stopped(self) -> None:
        code = "x = 2\nwhile True:\n try:\n  while True: pass\n except BaseException: pass"

        async def use(talk: Talk) -> None:
            await talk.run("x = 1")
            answer = await talk.run(code, timeout_ms=300)
            assert "undone" in answer.content[-1].text
            assert await talk.texts("x") == ["1"]

        talk(stdio(), use)

    def test_crash(self) -> None:
        async def use(talk: Talk) -> None:
            await talk.run("x = 1")
            assert (await talk.run("import os; os.abort()")).is_error
            assert await talk.texts("x") == ["1"]

        talk(stdio(), use)

    def test_clients_have_sessions_of_their_own(self, address: str) -> None:
        async def use() -> None:
            async with connected(address) as first, connected(address) as second:
                await first.run("x = 1; open('mine', 'w').close()")
                assert "NameError" in (await second.texts("x"))[-1]
                assert (await second.client.list_resources()).resources == []
                assert await first.texts("x") == ["1"]

        asyncio.run(use())

    def test_protocol_without_sessions_can_name_a_conversation(self, address: str) -> None:
        async def use(talk: Talk) -> None:
            async def run(code: str, name: str | None) -> Any:
                meta: Any = {} if name is None else {CONVERSATION: name}
                return await talk.client.call_tool("run_python", {"code": code}, meta=meta)

            await run("x = 1", "one")
            assert (await run("x", "one")).structured_content["value"] == 1
            assert (await run("x", "two")).is_error
            first = await run("x = 3", None)
            given = first.meta[CONVERSATION]
            assert (await run("x", given)).structured_content["value"] == 3
            assert (await run("x", None)).is_error

        talk(address, use, "2026-07-28")

    def test_least_recently_used_session_is_given_up(self) -> None:
        async def use(address: str) -> None:
            async with connected(address) as first, connected(address) as second:
                await first.run("x = 1")
                await second.run("x = 2")
                async with connected(address) as third:
                    await third.run("x = 3")
                    assert await second.texts("x") == ["2"]
                    assert "NameError" in (await first.texts("x"))[-1]

        with http_server("--max-sessions", "2") as address:
            asyncio.run(use(address))


class TestOptions:
    def test_limits(self) -> None:
        async def use(talk: Talk) -> None:
            assert "MemoryError" in (await talk.texts("bytearray(10**8)"))[-1]
            assert "timed out" in (await talk.texts("while True: pass", timeout_ms=60_000))[-1]

        talk(stdio("--memory", "64M", "--timeout", "300ms"), use)

    def test_functions_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "helper.py").write_text("FACTOR = 2\n")
        (tmp_path / "tools.py").write_text(
            "from helper import FACTOR\nfrom os.path import join\n\n"
            "def double(n: int) -> int:\n    '''Doubles a number.'''\n    return FACTOR * n\n\n"
            "def _hidden(): pass\n"
        )

        async def use(talk: Talk) -> None:
            tool = (await talk.client.list_tools()).tools[0]
            assert "async def double(n: int) -> int:" in tool.description
            assert "hidden" not in tool.description
            assert "join" not in tool.description
            assert await talk.texts("await double(21)") == ["42"]

        talk(stdio("--tools", str(tmp_path / "tools.py")), use)

    def test_volumes_and_environment(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("x = 42")
        options = ("-v", f"{tmp_path}:/lib:ro", "-e", "PYTHONPATH=/lib")

        async def use(talk: Talk) -> None:
            assert await talk.texts("import a; a.x") == ["42"]

        talk(stdio(*options), use)

    def test_files_that_are_left(self, tmp_path: Path) -> None:
        """Also by a run that fails, and by one that the client does not want any more."""
        out = tmp_path / "out"

        async def use(talk: Talk) -> None:
            await talk.run("open('a.txt', 'w').write('1'); 1 / 0")
            assert (out / "a.txt").read_text() == "1"
            code = "open('b.txt', 'w').write('2')\nprint('begun')\nimport time; time.sleep(19)"
            run = asyncio.ensure_future(talk.run(code))
            await talk.has_progress.wait()
            run.cancel()
            await asyncio.wait([run])
            await talk.run("")
            assert (out / "b.txt").read_text() == "2"

        talk(stdio("--out", str(out)), use)

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["--memory", "64M"], 2, "--memory goes with --mcp"),
            (["--mcp", "--http", "1", "--http", "2"], 2, "--mcp is served at one address"),
            (["--mcp", "--http", "x"], 2, "argument --http: must be PORT or HOST:PORT, not 'x'"),
            (["--mcp", "--timeout", "x"], 2, "argument --timeout: must be a time"),
            (["--mcp", "--tools", "/nonexistent.py"], 1, "No such file"),
            (["--mcp", "--http", "192.0.2.1:80"], 1, "cannot serve at 192.0.2.1:80"),
        ],
    )
    def test_what_is_wrong(self, arguments: list[str], code: int, message: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "eryx", "serve", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code
        assert message in done.stderr
        assert "Traceback" not in done.stderr

    def test_file_of_tools_that_fails(self, tmp_path: Path) -> None:
        (tmp_path / "tools.py").write_text("1 / 0\n")
        (tmp_path / "none.py").write_text("x = 1\n")
        for name, message in (("tools.py", "ZeroDivisionError"), ("none.py", "no functions")):
            done = subprocess.run(
                [sys.executable, "-m", "eryx", "--tools", str(tmp_path / name), "-c", "1"],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 1
            assert message in done.stderr
            assert "Traceback" not in done.stderr

    def test_tools_for_a_program(self, tmp_path: Path) -> None:
        (tmp_path / "tools.py").write_text("tools = {'triple': lambda n: 3 * n}\n")
        done = subprocess.run(
            [sys.executable, "-m", "eryx", "--tools", "tools.py", "-c", "print(await triple(n=5))"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd=tmp_path,
        )
        assert done.stdout == "15\n"

    def test_without_the_sdk(self) -> None:
        code = (
            "import sys; sys.modules['mcp'] = None\n"
            "from eryx._cli import main; sys.exit(main(['serve', '--mcp']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert "pip install 'eryx-sandbox[mcp]'" in done.stderr

    def test_end_of_input_ends_the_server(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "eryx", "serve", "--mcp"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_import_of_the_package_brings_nothing_of_mcp() -> None:
    code = "import sys, eryx; eryx.MCPManager; print([n for n in sys.modules if n == 'mcp'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert eryx.mcp.MCPManager is eryx.MCPManager
