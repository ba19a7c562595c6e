"""What one run can have of its own."""

from __future__ import annotations

import asyncio
import inspect
import io
import sys
from collections.abc import Callable
from typing import Any, Literal

import pytest

import eryx
from eryx import _option_types


class TestSignatures:
    @pytest.mark.parametrize("kind", [eryx.Sandbox, eryx.Session, eryx.PooledSandbox])
    def test_all_ways_to_run_take_the_same(self, kind: type[eryx.Sandbox]) -> None:
        declared = ["self", "code", *_option_types.RunOptions.__annotations__]
        for method in (kind.execute, kind.execute_async):
            parameters = inspect.signature(method).parameters
            assert list(parameters) == declared


class TestInputs:
    def test_values_and_bytes_are_globals(self) -> None:
        inputs = {"rows": [{"a": None}, 1.5, "ü\0"], "logo": b"\0\x89x", "empty": b"", "n": 2**70}
        done = eryx.Sandbox().execute("print(rows, logo, empty, n)", inputs=inputs)
        assert (
            done.stdout == "[{'a': None}, 1.5, 'ü\\x00'] b'\\x00\\x89x' b'' 1180591620717411303424"
        )

    def test_other_buffers(self) -> None:
        inputs = {"a": bytearray(b"x"), "b": memoryview(b"y")}
        assert eryx.Sandbox().execute("(a + b).decode()", inputs=inputs).value == "xy"

    def test_of_a_session_stay_as_its_variables_do(self) -> None:
        session = eryx.Session()
        session.execute("", inputs={"x": 1})
        assert session.execute("x").value == 1

    @pytest.mark.parametrize("name", ["", "a b", "if", "__name__", "1"])
    def test_names_that_cannot_be(self, name: str) -> None:
        with pytest.raises(ValueError, match="cannot be the name of a global"):
            eryx.Sandbox().execute("", inputs={name: 1})

    def test_what_json_cannot_hold_is_named(self) -> None:
        with pytest.raises(TypeError, match="the input 'x' is neither bytes"):
            eryx.Sandbox().execute("", inputs={"x": {1}})
        with pytest.raises(TypeError, match="names of inputs are str"):
            eryx.Sandbox().execute("", inputs={1: 1})  # type: ignore[dict-item]

    def test_too_large_for_the_guest(self) -> None:
        sandbox = eryx.Sandbox()
        with pytest.raises(eryx.EryxError):
            sandbox.execute("", inputs={"x": bytes(200 << 20)})
        assert sandbox.execute("1").value == 1


class TestEnvironment:
    def test_is_there_for_the_run(self) -> None:
        session = eryx.Session()
        session.execute("import os; os.environ['KEPT'] = 'k'")
        code = "[os.environ.get(name) for name in ('A', 'KEPT')]"
        assert session.execute(code, env={"A": "1", "KEPT": "2"}).value == ["1", "2"]
        assert session.execute(code).value == [None, "k"]

    def test_is_put_back_after_a_failure(self) -> None:
        session = eryx.Session()
        with pytest.raises(eryx.ExecutionError):
            session.execute("1 / 0", env={"A": "1"})
        assert session.execute("import os; os.environ.get('A')").value is None

    @pytest.mark.parametrize("env", [{"": "x"}, {"a=b": "x"}, {"a": "\0"}])
    def test_what_cannot_be(self, env: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="env:"):
            eryx.Sandbox().execute("", env=env)
        with pytest.raises(TypeError, match="of env are str"):
            eryx.Sandbox().execute("", env={"a": 1})  # type: ignore[dict-item]


class TestPathsOfModules:
    def test_for_the_run_alone(self) -> None:
        session = eryx.Session()
        session.execute("import os; os.mkdir('/tmp/lib'); open('/tmp/lib/m.py', 'w').write('x=1')")
        before = session.execute("import sys; sys.path").value
        path = {"PYTHONPATH": "/tmp/lib::/nowhere"}
        found = session.execute("import m; [m.x, *sys.path]", env=path).value
        assert found == [1, before[0], "/tmp/lib", "/nowhere", *before[1:]]
        assert session.execute("sys.path").value == before

    def test_changed_by_the_program(self) -> None:
        session = eryx.Session()
        for change in ("sys.path.clear()", "sys.path = 7", "del sys.path"):
            session.execute(f"import sys; {change}", env={"PYTHONPATH": "/a"})
            assert session.execute("1", env={"PYTHONPATH": "/a"}).value == 1


class TestFilename:
    def test_is_in_tracebacks(self) -> None:
        session = eryx.Session()
        session.execute("def f(): 1 / 0", filename="cell 1")
        with pytest.raises(eryx.ExecutionError) as caught:
            session.execute("f()", filename="cell 2")
        assert 'File "cell 2", line 1, in <module>\n    f()' in str(caught.value)
        assert 'File "cell 1", line 1, in f\n    def f(): 1 / 0' in str(caught.value)
        with pytest.raises(ValueError, match="filename must be printable"):
            session.execute("", filename="a\nb")

    def test_is_the_first_argument(self) -> None:
        code = "import sys; sys.argv"
        assert eryx.Sandbox().execute(code, filename="x.py", arguments=["a"]).value == ["x.py", "a"]


class TestLimits:
    def test_are_those_of_the_run_alone(self) -> None:
        session = eryx.Session()
        tight = eryx.ResourceLimits(max_output_bytes=4)
        assert session.execute("print('abcdefgh')", limits=tight).stdout_truncated
        assert not session.execute("print('abcdefgh')").stdout_truncated
        session.execute("x = 1", limits=eryx.ResourceLimits(max_result_bytes=0))
        fork = session.fork()
        assert fork.execute("result = 5").result == 5

    def test_time(self) -> None:
        sandbox = eryx.Sandbox()
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute("while True: pass", timeout_ms=30)
        assert sandbox.execute("import time; time.sleep(0.1); 1").value == 1
        limited = eryx.Sandbox(resource_limits=eryx.ResourceLimits(execution_timeout_ms=30))
        assert limited.execute("import time; time.sleep(0.1); 1", timeout_ms=None).value == 1
        with pytest.raises(ValueError, match="must not be negative"):
            sandbox.execute("", timeout_ms=-1)
        with pytest.raises(TypeError, match="limits must be ResourceLimits"):
            sandbox.execute("", limits=5)  # type: ignore[arg-type]

    def test_of_a_pooled_sandbox(self) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            with pool.acquire() as sandbox, pytest.raises(eryx.TimeoutError):
                sandbox.execute("while True: pass", timeout_ms=30)
            with pool.acquire() as sandbox:
                assert sandbox.execute("import time; time.sleep(0.1); 1").value == 1


class TestNoTime:
    """What may take no time at all is not begun, and costs no state."""

    @pytest.mark.parametrize("isolation", [None, "process"])
    def test_session_stays(self, isolation: Literal["process"] | None) -> None:
        session = eryx.Session(isolation=isolation)
        session.execute("x = 41")
        for _ in range(5):
            with pytest.raises(eryx.TimeoutError, match="after 0 ms"):
                session.execute("x = 0\nwhile True: pass", timeout_ms=0)
            assert session.execute("x + 1").value == 42

    def test_threads_stay(self) -> None:
        session = eryx.Session()
        session.execute(
            "import threading\ngo = threading.Event()\nseen = []\n"
            "thread = threading.Thread(target=lambda: (go.wait(), seen.append(1)))\nthread.start()"
        )
        with pytest.raises(eryx.TimeoutError):
            session.execute("go.set()", timeout_ms=0)
        assert session.execute("go.set(); thread.join(); seen").value == [1]

    def test_a_fork_still_draws_numbers_of_its_own(self) -> None:
        session = eryx.Session()
        session.execute("import random; random.random()")
        forks = [session.fork() for _ in range(2)]
        for fork in forks:
            with pytest.raises(eryx.TimeoutError):
                fork.execute("1", timeout_ms=0)
        assert len({fork.execute("random.random()").value for fork in forks}) == 2

    def test_sandbox(self, sandbox: eryx.Sandbox) -> None:
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute("print(1)", timeout_ms=0)
        assert sandbox.execute("1").value == 1


class TestCallbacks:
    def test_are_added_for_the_run(self) -> None:
        session = eryx.Session(callbacks=[{"name": "one", "fn": lambda: 1}])
        more = [{"name": "two", "fn": lambda: 2}]
        assert session.execute("[await one(), await two()]", callbacks=more).value == [1, 2]
        with pytest.raises(eryx.ExecutionError, match="NameError"):
            session.execute("await two()")
        assert session.execute("await one()").value == 1

    def test_one_of_the_same_name_counts(self) -> None:
        sandbox = eryx.Sandbox(callbacks=[{"name": "f", "fn": lambda: 1}])
        own = [{"name": "f", "fn": lambda: 2}]
        assert sandbox.execute("await f()", callbacks=own).value == 2
        assert sandbox.execute("await f()").value == 1
        with pytest.raises(ValueError, match="two callbacks named"):
            sandbox.execute("", callbacks=[*own, *own])


class TestOutput:
    def test_comes_by_lines(self) -> None:
        pieces: list[str] = []
        code = "print(1, 2, 3)\nprint(4)\nprint('a\\nb')\nprint('rest', end='')"
        done = eryx.Sandbox().execute(code, on_stdout=pieces.append)
        assert pieces == ["1 2 3\n", "4\n", "a\n", "b\n", "rest"]
        assert done.stdout == "1 2 3\n4\na\nb\nrest"

    def test_what_has_no_newline_comes_when_the_guest_waits(self) -> None:
        events: list[str] = []
        code = "print('? ', end='')\nx = input()\nprint('! ', end='')\nawait f()"
        eryx.Sandbox().execute(
            code,
            on_stdout=events.append,
            stdin=lambda: events.append("asked") or "x",  # type: ignore[func-returns-value]
            callbacks=[{"name": "f", "fn": lambda: events.append("called")}],
        )
        assert events == ["? ", "asked", "! ", "called"]

    def test_what_has_no_newline_comes_while_the_guest_computes(self) -> None:
        pieces: list[str] = []
        sandbox = eryx.Sandbox()

        def take(text: str) -> None:
            pieces.append(text)
            sandbox.cancel()

        with pytest.raises(eryx.CancelledError):
            sandbox.execute("print('on', end='')\nwhile True: pass", on_stdout=take)
        assert pieces == ["on"]

    def test_streams_keep_their_order(self) -> None:
        pieces: list[tuple[int, str]] = []
        code = "import sys\nprint('a', end='')\nprint('b', end='', file=sys.stderr)\nprint('c')"
        eryx.Sandbox().execute(
            code,
            on_stdout=lambda text: pieces.append((1, text)),
            on_stderr=lambda text: pieces.append((2, text)),
        )
        assert pieces == [(1, "a"), (2, "b"), (1, "c\n")]

    def test_long_lines_come_in_pieces(self) -> None:
        pieces: list[str] = []
        code = "for i in range(1000): print('0123456789', end='')\nprint()"
        done = eryx.Sandbox().execute(code, on_stdout=pieces.append)
        assert "".join(pieces) == done.stdout + "\n"
        assert 2 <= len(pieces) < 20

    def test_a_handler_of_the_run_replaces_one_of_the_sandbox(self) -> None:
        first: list[str] = []
        second: list[str] = []
        errors: list[str] = []
        sandbox = eryx.Sandbox(on_stdout=first.append, on_stderr=errors.append)
        sandbox.execute("import sys; print(1); print(2, file=sys.stderr)", on_stdout=second.append)
        sandbox.execute("print(3)")
        assert (first, second, errors) == (["3\n"], ["1\n"], ["2\n"])


class TestTraceback:
    def test_of_a_session_is_in_the_error_alone(self) -> None:
        with pytest.raises(eryx.ExecutionError, match="ZeroDivisionError") as caught:
            eryx.Session().execute("1 / 0")
        assert caught.value.stderr == ""
        with pytest.raises(eryx.ExecutionError) as caught:
            eryx.Session(print_traceback=True).execute("1 / 0")
        assert caught.value.stderr.endswith("ZeroDivisionError: division by zero")

    def test_of_a_sandbox_is_printed_if_not_refused(self) -> None:
        for asked, shown in ((None, True), (True, True), (False, False)):
            with pytest.raises(eryx.ExecutionError) as caught:
                eryx.Sandbox(print_traceback=asked).execute("1 / 0")
            assert ("ZeroDivisionError" in caught.value.stderr) == shown


def lines_of(*lines: object) -> Callable[[], object]:
    iterator = iter(lines)
    return lambda: next(iterator)


class TestReaders:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: io.StringIO("a\nb\n"),
            lambda: io.BytesIO(b"a\nb"),
            lambda: lines_of("a", "b\n"),
            lambda: lines_of(b"a", "b", None),
        ],
    )
    def test_lines(self, make: Callable[[], Any]) -> None:
        code = "import sys\n[input(), input(), sys.stdin.read()]"
        assert eryx.Sandbox().execute(code, stdin=make()).value == ["a", "b", ""]

    def test_are_asked_when_a_line_is_wanted(self) -> None:
        source = io.StringIO("a\nb\nc\n")
        eryx.Sandbox().execute("input()", stdin=source)
        assert source.read() == "b\nc\n"
        eryx.Sandbox().execute("pass", stdin=lambda: pytest.fail("it was asked"))

    def test_long_lines(self) -> None:
        done = eryx.Sandbox().execute("len(input())", stdin=io.StringIO("ab" * 200_000 + "\n"))
        assert done.value == 400_000

    def test_async_functions_in_both_ways_to_run(self) -> None:
        async def ask() -> str:
            await asyncio.sleep(0.01)
            return "typed"

        assert eryx.Sandbox().execute("input()", stdin=ask).value == "typed"
        done = asyncio.run(eryx.Sandbox().execute_async("input()", stdin=ask))
        assert done.value == "typed"

    def test_a_stream_of_asyncio(self) -> None:
        async def run() -> object:
            reader = asyncio.StreamReader()
            reader.feed_data(b"one\ntwo\n")
            reader.feed_eof()
            done = await eryx.Sandbox().execute_async("import sys; sys.stdin.read()", stdin=reader)
            return done.value

        assert asyncio.run(run()) == "one\ntwo\n"

    def test_a_slow_one_does_not_outlive_the_deadline(self) -> None:
        async def ask() -> str:
            await asyncio.sleep(600)
            return ""

        with pytest.raises(eryx.TimeoutError):
            eryx.Sandbox().execute("input()", stdin=ask, timeout_ms=50)
        with pytest.raises(eryx.TimeoutError):
            asyncio.run(eryx.Sandbox().execute_async("input()", stdin=ask, timeout_ms=50))

    @pytest.mark.parametrize("broken", [lambda: 1 / 0, lambda: 5])
    def test_what_fails_is_reported_and_the_end(
        self, broken: Callable[[], object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reported: list[object] = []
        monkeypatch.setattr(sys, "unraisablehook", lambda hook: reported.append(hook.exc_value))
        with pytest.raises(eryx.ExecutionError, match="EOFError") as caught:
            eryx.Sandbox().execute("input()", stdin=broken)
        assert reported == [caught.value.__cause__]

    def test_descriptors_are_closed(self) -> None:
        import os

        sandbox = eryx.Sandbox()
        sandbox.execute("input()", stdin=lines_of("a"))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            sandbox.execute("input()", stdin=lines_of("a"))
            asyncio.run(sandbox.execute_async("input()", stdin=lines_of("a")))
        assert len(os.listdir("/proc/self/fd")) == before


class TestContextManagers:
    def test_a_sandbox_is_closed(self) -> None:
        with eryx.Sandbox() as sandbox:
            assert sandbox.execute("1").value == 1
        with pytest.raises(eryx.EryxError, match="closed"):
            sandbox.execute("1")
        sandbox.close()
        sandbox.cancel()

    @pytest.mark.parametrize("kind", [eryx.Sandbox, eryx.Session])
    def test_async(self, kind: type[eryx.Sandbox]) -> None:
        async def run() -> None:
            async with kind() as sandbox:
                running = asyncio.ensure_future(sandbox.execute_async("while True: pass"))
                await asyncio.sleep(0.02)
            with pytest.raises(eryx.CancelledError):
                await running
            with pytest.raises(eryx.EryxError, match="closed"):
                await sandbox.execute_async("1")

        asyncio.run(run())

    def test_a_pool(self) -> None:
        async def run() -> None:
            async with eryx.SandboxPool() as pool, pool.acquire() as sandbox:
                assert (await sandbox.execute_async("1")).value == 1
            assert pool.is_closed

        asyncio.run(run())
