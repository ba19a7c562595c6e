"""Sandbox: construction and execution."""

from __future__ import annotations

import gc
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]
    Fails = Callable[[str], eryx.ExecutionError]


class TestSandbox:
    def test_prints(self, run: Run) -> None:
        assert run("print('hello')").stdout == "hello"

    def test_parameters_are_keyword_only(self) -> None:
        with pytest.raises(TypeError):
            eryx.Sandbox(eryx.ResourceLimits())  # type: ignore[call-arg]

    def test_wrong_types_of_arguments(self) -> None:
        with pytest.raises(TypeError):
            eryx.Sandbox(resource_limits={})  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            eryx.Sandbox(on_stdout="print")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            eryx.Sandbox(on_stderr=1)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            eryx.Sandbox(result_variable=1)  # type: ignore[arg-type]

    @pytest.mark.parametrize("code", [b"print()", None, 1, ["print()"]])
    def test_code_must_be_text(self, sandbox: eryx.Sandbox, code: object) -> None:
        with pytest.raises(TypeError):
            sandbox.execute(code)  # type: ignore[arg-type]
        assert sandbox.execute("print(1)").stdout == "1"

    def test_each_run_starts_clean(self, sandbox: eryx.Sandbox) -> None:
        sandbox.execute(
            "x = 1\nimport math\nmath.pi = 3\nimport builtins\nbuiltins.leak = 1\n"
            "open('/data/file', 'w').write('old')"
        )
        result = sandbox.execute(
            "import os, math, builtins\n"
            "print('x' in globals(), math.pi > 3.1, hasattr(builtins, 'leak'), os.listdir('/data'))"
        )
        assert result.stdout == "False True False []"

    def test_a_failed_run_leaves_a_usable_sandbox(self, sandbox: eryx.Sandbox) -> None:
        for code in ("1/0", "def", "import os; os._exit(3)", "raise SystemExit(2)"):
            with pytest.raises(eryx.ExecutionError):
                sandbox.execute(code)
            assert sandbox.execute("print('fine')").stdout == "fine"

    def test_sandboxes_share_nothing(self) -> None:
        first, second = eryx.Sandbox(), eryx.Sandbox()
        first.execute("open('/tmp/file', 'w').write('x')")
        assert second.execute("import os; print(os.listdir('/tmp'))").stdout == "[]"

    @pytest.mark.parametrize("code", ["", " \n\t\n", "# only a comment", "\n\n", "pass"])
    def test_code_that_does_nothing(self, run: Run, code: str) -> None:
        result = run(code)
        assert (result.stdout, result.stderr) == ("", "")

    def test_runs_as_main(self, run: Run) -> None:
        assert run("print(__name__)").stdout == "__main__"
        assert run("import sys; print(sys.modules['__main__'].__dict__ is globals())").stdout == (
            "True"
        )

    def test_version_and_platform(self, run: Run) -> None:
        output = run("import sys; print(sys.version_info[:2], sys.platform)").stdout
        assert output == "(3, 14) wasi"

    def test_traceback_has_the_callers_lines(self, fails: Fails) -> None:
        error = fails("def f():\n    return 1 / 0\n\n\nf()\n")
        assert error.exc_type == "ZeroDivisionError"
        assert 'File "<user>", line 5, in <module>' in error.traceback
        assert 'File "<user>", line 2, in f' in error.traceback
        assert error.traceback.count("File ") == 2

    def test_top_level_await(self, run: Run) -> None:
        result = run(
            """
            import asyncio

            async def numbers():
                for number in range(3):
                    await asyncio.sleep(0)
                    yield number

            class Context:
                async def __aenter__(self):
                    return "in"
                async def __aexit__(self, *error):
                    print("out")

            async for number in numbers():
                print(number)
            async with Context() as word:
                print(word)
            result = await asyncio.gather(asyncio.sleep(0.01, "a"), asyncio.sleep(0.001, "b"))
            """
        )
        assert result.stdout == "0\n1\n2\nin\nout"
        assert result.result == ["a", "b"]

    def test_asyncio_run(self, run: Run) -> None:
        assert run("import asyncio\nprint(asyncio.run(asyncio.sleep(0, 'x')))").stdout == "x"

    def test_destructors_run_at_once(self, run: Run) -> None:
        result = run(
            """
            class Loud:
                def __del__(self):
                    print("gone")
            thing = Loud()
            del thing
            print("after")
            """
        )
        assert result.stdout == "gone\nafter"

    def test_program_is_finalised(self, run: Run) -> None:
        result = run(
            """
            import atexit, sys
            atexit.register(print, "atexit")
            class Loud:
                def __del__(self):
                    print("gone")
            thing = Loud()
            sys.stdout.write("no newline")
            """
        )
        assert result.stdout == "no newlineatexit\ngone"

    def test_logging_is_shut_down_after_what_the_program_has_for_its_exit(self, run: Run) -> None:
        result = run(
            """
            import atexit, logging, logging.handlers, sys
            handler = logging.handlers.MemoryHandler(99, target=logging.StreamHandler(sys.stdout))
            logging.getLogger().addHandler(handler)
            logging.warning("kept until the end")
            atexit.register(logging.warning, "from an exit function")
            print("the program")
            """
        )
        assert result.stdout == "the program\nkept until the end\nfrom an exit function"
        again = run("import logging\nlogging.getLogger().warning('to stderr')")
        assert again.stderr == "to stderr"

    def test_exit_codes(self, sandbox: eryx.Sandbox) -> None:
        for code in (
            "raise SystemExit",
            "import sys; sys.exit(0)",
            "exit()",
            "raise SystemExit(0)",
        ):
            assert sandbox.execute("print('x')\n" + code).stdout == "x"
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("print('before')\nimport sys; sys.exit(3)")
        assert caught.value.exit_code == 3
        assert caught.value.stdout == "before"
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("import sys; sys.exit('no way')")
        assert caught.value.exit_code == 1
        assert caught.value.stderr == "no way"

    def test_standard_input(self, sandbox: eryx.Sandbox) -> None:
        assert sandbox.execute("import sys; print(repr(sys.stdin.read()))").stdout == "''"
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("input()")
        assert caught.value.exc_type == "EOFError"
        assert sandbox.execute("print(input(), input())", stdin="å\nb\n").stdout == "å b"
        code = "import sys; print(sys.stdin.buffer.read())"
        assert sandbox.execute(code, stdin=b"\x00\xff").stdout == r"b'\x00\xff'"
        with pytest.raises(TypeError):
            sandbox.execute("pass", stdin=1)  # type: ignore[arg-type]

    def test_large_standard_input(self, sandbox: eryx.Sandbox) -> None:
        code = "import sys; print(len(sys.stdin.buffer.read()))"
        assert sandbox.execute(code, stdin=b"x" * 3_000_001).stdout == "3000001"

    def test_arguments(self, sandbox: eryx.Sandbox) -> None:
        code = "import sys; print(sys.argv[1:])"
        assert sandbox.execute(code).stdout == "[]"
        assert sandbox.execute(code, arguments=["a", "", "ü ñ"]).stdout == "['a', '', 'ü ñ']"
        with pytest.raises(TypeError):
            sandbox.execute(code, arguments="abc")
        with pytest.raises(TypeError):
            sandbox.execute(code, arguments=[1])  # type: ignore[list-item]
        with pytest.raises(ValueError, match="null"):
            sandbox.execute(code, arguments=["a\0b"])
        assert sandbox.execute("print(1)").stdout == "1"

    def test_direct_writes_are_captured(self, run: Run) -> None:
        result = run(
            r"""
            import os, sys
            print("a", flush=True)
            os.write(1, b"b\n")
            os.write(2, b"c\n")
            sys.__stdout__.buffer.write(b"d\n")
            """
        )
        assert result.stdout == "a\nb\nd"
        assert result.stderr == "c"

    def test_randomness_differs(self) -> None:
        code = (
            "import os, random, uuid, secrets\n"
            "result = [os.urandom(8).hex(), random.random(), str(uuid.uuid4()),"
            " secrets.token_hex(8)]"
        )
        first, second = eryx.Sandbox(), eryx.Sandbox()
        seen = [first.execute(code).result, first.execute(code).result, second.execute(code).result]
        for values in zip(*seen, strict=True):
            assert len(set(values)) == 3

    def test_hash_seed_is_not_the_same_in_all(self) -> None:
        sandboxes = [eryx.Sandbox() for _ in range(50)]
        seen = {sandbox.execute("result = hash('eryx')").result for sandbox in sandboxes}
        assert len(seen) > 1

    def test_cancel_without_a_run_does_nothing(self, sandbox: eryx.Sandbox) -> None:
        sandbox.cancel()
        assert sandbox.execute("print(1)").stdout == "1"
        sandbox.cancel()
        assert sandbox.execute("print(2)").stdout == "2"

    def test_sandbox_is_freed(self) -> None:
        sandbox = eryx.Sandbox()
        sandbox.execute("print(1)")
        reference = weakref.ref(sandbox)
        del sandbox
        gc.collect()
        assert reference() is None

    def test_clock_is_right(self, run: Run) -> None:
        before = time.time()
        result = run("import time; result = [time.time(), time.monotonic(), time.time_ns()]")
        assert before - 1 <= result.result[0] <= time.time() + 1
        assert abs(result.result[2] / 1e9 - result.result[0]) < 1

    def test_sleep_takes_its_time(self, run: Run) -> None:
        assert run("import time; time.sleep(0.05)").duration_ms >= 50


class TestStreaming:
    def test_chunks_come_while_the_run_goes_on(self) -> None:
        arrivals: list[tuple[str, float]] = []
        sandbox = eryx.Sandbox(on_stdout=lambda chunk: arrivals.append((chunk, time.monotonic())))
        result = sandbox.execute(
            "import time\nprint('a', flush=True)\ntime.sleep(0.2)\nprint('b', flush=True)"
        )
        assert "".join(chunk for chunk, _ in arrivals) == "a\nb\n"
        assert arrivals[-1][1] - arrivals[0][1] >= 0.15
        assert result.stdout == "a\nb"

    def test_streams_are_kept_apart(self) -> None:
        out: list[str] = []
        errors: list[str] = []
        sandbox = eryx.Sandbox(on_stdout=out.append, on_stderr=errors.append)
        result = sandbox.execute("import sys; print('o'); print('e', file=sys.stderr)")
        assert ("".join(out), "".join(errors)) == ("o\n", "e\n")
        assert (result.stdout, result.stderr) == ("o", "e")

    def test_one_handler_is_enough(self) -> None:
        errors: list[str] = []
        sandbox = eryx.Sandbox(on_stderr=errors.append)
        assert sandbox.execute("import sys; print('o'); print('e', file=sys.stderr)").stdout == "o"
        assert "".join(errors) == "e\n"

    def test_characters_are_never_split(self) -> None:
        chunks: list[str] = []
        sandbox = eryx.Sandbox(on_stdout=chunks.append)
        sandbox.execute(
            "import os\n"
            "for byte in '→é𝄞'.encode(): os.write(1, bytes([byte]))\n"
            "os.write(1, b'\\xff\\xfe|')\n"
            "print('ü' * 100_000)"
        )
        assert "".join(chunks) == "→é𝄞\ufffd\ufffd|" + "ü" * 100_000 + "\n"

    def test_what_a_handler_raises_does_not_stop_the_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[Any] = []
        monkeypatch.setattr("sys.unraisablehook", seen.append)

        def handler(chunk: str) -> None:
            raise LookupError(chunk)

        result = eryx.Sandbox(on_stdout=handler).execute("print('a', flush=True)\nprint('b')")
        assert result.stdout == "a\nb"
        assert {type(item.exc_value) for item in seen} == {LookupError}

    def test_keyboard_interrupt_in_a_handler_ends_the_run(self) -> None:
        def handler(chunk: str) -> None:
            raise KeyboardInterrupt

        sandbox = eryx.Sandbox(on_stdout=handler)
        with pytest.raises(KeyboardInterrupt):
            sandbox.execute("print('a', flush=True)\nwhile True: pass")
        assert sandbox.execute("pass").stdout == ""

    def test_handler_may_not_run_the_same_sandbox(self) -> None:
        problems: list[str] = []

        def handler(chunk: str) -> None:
            with pytest.raises(eryx.EryxError) as caught:
                sandbox.execute("print('inner')")
            problems.append(str(caught.value))

        sandbox = eryx.Sandbox(on_stdout=handler)
        assert sandbox.execute("print('outer')").stdout == "outer"
        assert "already running" in problems[0]

    def test_handler_may_run_another_sandbox(self) -> None:
        other = eryx.Sandbox()
        inner: list[str] = []
        sandbox = eryx.Sandbox(
            on_stdout=lambda chunk: inner.append(other.execute(f"print({chunk!r}.upper())").stdout)
        )
        assert sandbox.execute("print('outer')").stdout == "outer"
        assert inner[0].startswith("OUTER")
