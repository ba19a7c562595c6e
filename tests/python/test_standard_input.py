"""What a program reads from its standard input."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from typing import IO, TYPE_CHECKING, Any

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_ALL = "import sys; print(repr(sys.stdin.buffer.read()))"


class Pipe:
    """A pipe: `reader` is for the sandbox, `put` and `close` for the test."""

    def __init__(self) -> None:
        descriptor, self._writer = os.pipe()
        self.reader: IO[bytes] = open(descriptor, "rb", buffering=0)  # noqa: SIM115

    def put(self, data: bytes) -> None:
        os.write(self._writer, data)

    def close(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1

    def close_all(self) -> None:
        self.close()
        self.reader.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close_all()


class TestFiles:
    def test_file(self, sandbox: eryx.Sandbox, tmp_path: Path) -> None:
        data = bytes(range(256)) * 1000
        (tmp_path / "data").write_bytes(data)
        code = "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
        with open(tmp_path / "data", "rb") as file:
            digest = sandbox.execute(code, stdin=file).stdout
        assert digest == sandbox.execute(code, stdin=data).stdout

    def test_text_file(self, sandbox: eryx.Sandbox, tmp_path: Path) -> None:
        (tmp_path / "data").write_bytes("grün\r\n".encode())
        with open(tmp_path / "data", encoding="utf-8") as file:
            assert sandbox.execute(READ_ALL, stdin=file).stdout == repr("grün\r\n".encode())

    def test_nothing_is_read_ahead(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        pipe.put(b"abcdef")
        assert sandbox.execute("import os; print(os.read(0, 2))", stdin=pipe.reader).stdout == (
            "b'ab'"
        )
        assert pipe.reader.read(10) == b"cdef"

    def test_end_is_told_again_and_again(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        pipe.close()
        code = "import os; print(os.read(0, 2), os.read(0, 2))"
        assert sandbox.execute(code, stdin=pipe.reader).stdout == "b'' b''"

    def test_next_run_has_none_of_it(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        pipe.put(b"abc")
        sandbox.execute("import os; os.read(0, 1)", stdin=pipe.reader)
        assert sandbox.execute(READ_ALL).stdout == "b''"

    def test_directory_is_an_error_of_the_program(self, sandbox: eryx.Sandbox) -> None:
        with _Directory() as file:
            code = "try:\n    input()\nexcept OSError as error:\n    print('OSError')"
            assert sandbox.execute(code, stdin=file).stdout == "OSError"

    def test_no_descriptor_is_left_open(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        pipe.put(b"1\n2\n3\n")
        before = len(os.listdir("/proc/self/fd"))
        sandbox.execute("input()", stdin=pipe.reader)
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute("1/0", stdin=pipe.reader)
        assert len(os.listdir("/proc/self/fd")) == before

    @pytest.mark.parametrize("wrong", [1, object(), ["x"], {}])
    def test_what_is_no_file(self, sandbox: eryx.Sandbox, wrong: Any) -> None:
        with pytest.raises(TypeError, match="stdin must be"):
            sandbox.execute("pass", stdin=wrong)
        assert sandbox.execute("print(1)").stdout == "1"

    def test_closed_file(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        pipe.reader.close()
        with pytest.raises(ValueError, match="closed file"):
            sandbox.execute("pass", stdin=pipe.reader)


class _Directory:
    """What open() would refuse."""

    def __init__(self) -> None:
        self._number = os.open("/", os.O_RDONLY)

    def fileno(self) -> int:
        return self._number

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._number)


class TestWaiting:
    def test_lines_come_one_by_one(self, pipe: Pipe) -> None:
        def answer(text: str) -> None:
            if text.strip() == "3":
                pipe.close()
            else:
                pipe.put(b"%d\n" % (int(text) + 1))

        sandbox = eryx.Sandbox(on_stdout=lambda text: answer(text) if text.strip() else None)
        pipe.put(b"1\n")
        code = "while line := __import__('sys').stdin.readline():\n    print(line, end='')"
        assert sandbox.execute(code, stdin=pipe.reader).stdout == "1\n2\n3"

    def test_timeout(self, pipe: Pipe) -> None:
        """The program is asked to end, and does, unless the machine gave it no time to."""
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        for _ in range(20):
            with eryx.Session(resource_limits=limits) as session:
                session.execute("x = 1")
                with pytest.raises(eryx.TimeoutError) as caught:
                    session.execute("input()", stdin=pipe.reader)
                if str(caught.value).rstrip().endswith("execution timed out"):
                    assert session.execute("print(x)").stdout == "1"
                    return
        pytest.fail("it was ended each time")

    @pytest.mark.parametrize("code", ["input()", "import os; os.read(0, 1)", READ_ALL])
    def test_cancel(self, pipe: Pipe, code: str) -> None:
        timers = [threading.Timer(0.1, lambda: sandbox.cancel())]

        def cancel_once(_: str) -> None:
            """Not for the second piece of a line, nor for what is printed later."""
            if timers:
                timers.pop().start()

        sandbox = eryx.Sandbox(on_stdout=cancel_once)
        with pytest.raises(eryx.CancelledError):
            sandbox.execute("print(1)\n" + code, stdin=pipe.reader)
        assert sandbox.execute("print(1)").stdout == "1"

    def test_event_loop_goes_on(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        async def main() -> str:
            run = asyncio.create_task(sandbox.execute_async("print(input())", stdin=pipe.reader))
            await asyncio.sleep(0.1)
            pipe.put(b"late\n")
            return (await run).stdout

        assert asyncio.run(main()) == "late"

    def test_cancelled_task(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        async def main() -> None:
            async with asyncio.timeout(0.1):
                await sandbox.execute_async("input()", stdin=pipe.reader)

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        pipe.put(b"still there\n")
        assert sandbox.execute("print(input())", stdin=pipe.reader).stdout == "still there"

    def test_select(self, sandbox: eryx.Sandbox, pipe: Pipe) -> None:
        code = "import select; print(select.select([0], [], [], 0.05)[0])"
        assert sandbox.execute(code, stdin=pipe.reader).stdout == "[]"
        pipe.put(b"x")
        assert sandbox.execute(code, stdin=pipe.reader).stdout == "[0]"
        assert sandbox.execute(code, stdin="x").stdout == "[0]"

    def test_input_and_network_at_once(self, pipe: Pipe) -> None:
        """Both are waited for with one descriptor."""
        network = eryx.NetConfig(allowed_networks=["127.0.0.0/8"])
        sandbox = eryx.Sandbox(network=network)
        code = """
import select, socket
server = socket.create_connection(("127.0.0.1", PORT))
seen = []
while len(seen) < 2:
    for ready in select.select([0, server], [], [])[0]:
        if ready == 0:
            seen.append(input())
        else:
            seen.append(server.recv(10).decode())
            server.sendall(b"ok")
            server.close()
            while not input() == "done": pass
            seen.append("done")
print(seen)
"""
        with socket.create_server(("127.0.0.1", 0)) as server:

            def serve() -> None:
                connection, _ = server.accept()
                with connection:
                    time.sleep(0.1)
                    connection.sendall(b"hello")
                    connection.recv(10)
                pipe.put(b"done\n")

            thread = threading.Thread(target=serve)
            thread.start()
            port = server.getsockname()[1]
            done = sandbox.execute(code.replace("PORT", str(port)), stdin=pipe.reader)
            thread.join()
        assert done.stdout == "['hello', 'done']"


class TestArguments:
    def test_bytes_of_arguments_arrive(self, sandbox: eryx.Sandbox) -> None:
        code = "import sys; print(ascii(sys.argv[1:]))"
        assert sandbox.execute(code, arguments=["ü", "\udcff"]).stdout == r"['\xfc', '\udcff']"

    @pytest.mark.parametrize("wrong", ["\ud800", "a\0b"])
    def test_what_cannot_be_an_argument(self, sandbox: eryx.Sandbox, wrong: str) -> None:
        with pytest.raises(ValueError, match=r"surrogate|null"):
            sandbox.execute("pass", arguments=[wrong])
