"""ExecuteResult, the result variable, and what exceptions carry."""

from __future__ import annotations

import builtins
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]
    Fails = Callable[[str], eryx.ExecutionError]


class TestExecuteResult:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("print('a')", "a"),
            (r"print('a\n\n')", "a"),
            (r"print('\n\na\n \n')", "\n\na\n "),
            (r"print('a \t')", "a \t"),
            (r"print('a\r\n')", "a\r"),
            ("print()", ""),
            ("print('a'); print('b'); print('c')", "a\nb\nc"),
            ("print('çö → 𝄞 \\0 end')", "çö → 𝄞 \0 end"),
        ],
    )
    def test_newlines_at_the_end_are_removed(self, run: Run, code: str, expected: str) -> None:
        assert run(code).stdout == expected

    def test_bytes_are_exact(self, run: Run) -> None:
        result = run(r"import os; os.write(1, b'\xff\xfe\n\n'); os.write(2, b'e\n')")
        assert result.stdout_bytes == b"\xff\xfe\n\n"
        assert result.stdout == "\ufffd\ufffd"
        assert result.stderr_bytes == b"e\n"

    def test_long_output_comes_whole(self, run: Run) -> None:
        result = run("for number in range(100_000): print('line', number)")
        assert result.stdout == "\n".join(f"line {number}" for number in range(100_000))
        assert not result.stdout_truncated

    def test_figures(self, run: Run) -> None:
        result = run("sum(range(1000))")
        assert isinstance(result.duration_ms, float)
        assert result.duration_ms > 0
        assert isinstance(result.peak_memory_bytes, int)
        assert 0 < result.peak_memory_bytes < 128 * 1024 * 1024
        assert result.fuel_consumed is None
        assert result.callback_invocations == 0
        assert result.memory_limit_hit is False

    def test_peak_memory_follows_the_guest(self, run: Run) -> None:
        small = run("pass").peak_memory_bytes
        large = run("data = bytearray(50_000_000)").peak_memory_bytes
        assert large - small >= 50_000_000 - 4_000_000

    def test_text_forms(self, run: Run) -> None:
        result = run("print('ü' * 200)")
        assert str(result) == result.stdout
        text = repr(result)
        assert "ExecuteResult" in text
        assert "fuel_consumed" in text
        assert "stdout='" + "ü" * 50 + "..." in text
        assert len(text) < 300

    def test_attributes_cannot_be_set(self, run: Run) -> None:
        result: Any = run("pass")
        for name in ("stdout", "result", "fuel_consumed", "other"):
            with pytest.raises(AttributeError):
                setattr(result, name, 1)
        with pytest.raises(AttributeError):
            del result.stdout


class TestResultVariable:
    @pytest.mark.parametrize(
        "value",
        [
            {"a": [1, 2.5, None, True, {"b": "é→𝄞"}]},
            [],
            {},
            "",
            0,
            0.0,
            False,
            "\0\n\"'\\",
            2**63,
            -(2**200),
            1e300,
            [[[[[1]]]]],
        ],
    )
    def test_values_come_back(self, run: Run, value: object) -> None:
        result = run(f"result = {value!r}")
        assert result.result == value
        assert type(result.result) is type(value)
        assert result.result_json is not None
        assert result.result_error is None

    def test_no_variable(self, run: Run) -> None:
        result = run("pass")
        assert (result.result, result.result_json, result.result_error) == (None, None, None)

    def test_none_is_told_from_no_variable(self, run: Run) -> None:
        result = run("result = None")
        assert (result.result, result.result_json, result.result_error) == (None, "null", None)

    @pytest.mark.parametrize(
        ("expression", "name"),
        [
            ("object()", "object"),
            ("b'x'", "bytes"),
            ("{1, 2}", "set"),
            ("{(1, 2): 3}", "tuple"),
            ("float('nan')", "float"),
            ("[1, float('inf')]", "float"),
        ],
    )
    def test_what_json_cannot_hold(self, run: Run, expression: str, name: str) -> None:
        result = run(f"print('x'); result = {expression}")
        assert result.stdout == "x"
        assert (result.result, result.result_json) == (None, None)
        assert result.result_error is not None
        assert "JSON" in result.result_error
        assert name in result.result_error

    def test_variable_of_an_earlier_run_is_gone(self, sandbox: eryx.Sandbox) -> None:
        sandbox.execute("result = 1")
        assert sandbox.execute("pass").result_json is None
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute("result = 1\n1/0")
        assert sandbox.execute("pass").result_json is None

    def test_other_name(self) -> None:
        sandbox = eryx.Sandbox(result_variable="answer")
        assert sandbox.execute("result = 1; answer = 2").result == 2
        assert sandbox.execute("result = 1").result_json is None

    @pytest.mark.parametrize("name", ["", "a b", "x'; import os; '", "a.b", "1a", "a\0", "a\n"])
    def test_name_must_be_an_identifier(self, name: str) -> None:
        with pytest.raises(ValueError, match="identifier"):
            eryx.Sandbox(result_variable=name)

    def test_with_top_level_await(self, run: Run) -> None:
        assert run("import asyncio\nresult = await asyncio.sleep(0, 'x')").result == "x"

    def test_deep_nesting_is_bounded(self, run: Run) -> None:
        result = run("result = []\nfor _ in range(100_000): result = [result]")
        assert (result.result, result.result_json) == (None, None)
        assert result.result_error

    def test_nesting_within_the_bound(self, run: Run) -> None:
        value = run("result = []\nfor _ in range(90): result = [result]").result
        depth = 0
        while value:
            value, depth = value[0], depth + 1
        assert depth == 90

    def test_size_is_bounded(self) -> None:
        limits = eryx.ResourceLimits(max_result_bytes=1000)
        sandbox = eryx.Sandbox(resource_limits=limits)
        assert sandbox.execute("result = 'x' * 900").result == "x" * 900
        result = sandbox.execute("result = 'x' * 1000")
        assert (result.result, result.result_json) == (None, None)
        assert result.result_error

    def test_circular_value(self, run: Run) -> None:
        result = run("result = []; result.append(result)")
        assert result.result_json is None
        assert result.result_error

    def test_value_whose_methods_misbehave(self, run: Run) -> None:
        result = run(
            """
            class Odd(dict):
                def items(self):
                    raise RuntimeError(self)
                def __repr__(self):
                    raise KeyError
            result = Odd(a=1)
            """
        )
        assert result.result_json is None
        assert result.result_error

    def test_value_whose_methods_end_the_program(self, fails: Fails) -> None:
        fails(
            """
            class Odd(dict):
                def items(self):
                    raise SystemExit(9)
            result = Odd(a=1)
            """
        )


class TestForgedReports:
    """A program can reach what the runtime reports with; the host must not trust it."""

    @pytest.mark.parametrize(
        "data",
        [
            "b'[' * 10**6",
            "b'{\"a\":' * 10**5",
            "b'9' * 10**6",
            "b'[1, 2' + b'3' * 5000 + b']'",
            "b'\\xff'",
            "b'nul'",
            "b''",
            "b'\\0'",
            "b'\"' * 10**6",
            "b'\"\\\\'",
            "b'Infinity['",
        ],
    )
    def test_json(self, run: Run, data: str) -> None:
        result = run(f"import _eryx; _eryx.report(1, {data})")
        assert (result.result, result.result_json) == (None, None)
        assert result.result_error

    def test_brackets_in_strings_are_no_nesting(self, run: Run) -> None:
        value = "[" * 1000 + '"' + "{" * 1000 + "\\" + "1" * 5000
        assert run(f"result = {value!r}").result == value

    def test_other_fields(self, fails: Fails) -> None:
        error = fails(
            "import _eryx\n"
            "for field in range(20):\n"
            "    try: _eryx.report(field, b'\\xff\\0[')\n"
            "    except Exception: pass\n"
            "raise ValueError('real')"
        )
        assert error.exc_type == "ValueError"

    def test_size(self) -> None:
        sandbox = eryx.Sandbox(resource_limits=eryx.ResourceLimits(max_result_bytes=1000))
        result = sandbox.execute("import _eryx; _eryx.report(1, b'\"' + b'x' * 10**6 + b'\"')")
        assert result.result_json is None


class TestExceptions:
    def test_text_is_the_traceback(self, fails: Fails) -> None:
        error = fails("def f():\n    raise LookupError('no such thing')\nf()")
        assert str(error).startswith("Traceback (most recent call last):\n")
        assert str(error).rstrip().endswith("LookupError: no such thing")
        assert (error.exc_type, error.exc_message) == ("LookupError", "no such thing")
        assert error.traceback == str(error)

    @pytest.mark.parametrize(
        ("code", "name"),
        [
            ("def", "SyntaxError"),
            ("if True:\nx", "IndentationError"),
            ("import nothing_of_that_name", "ModuleNotFoundError"),
            ("from os import nothing_of_that_name", "ImportError"),
            ("x", "NameError"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt"),
            ("raise BaseException('x')", "BaseException"),
            ("class E(Exception): pass\nraise E", "E"),
            ("raise ExceptionGroup('g', [ValueError(1)])", "ExceptionGroup"),
            ("return 1", "SyntaxError"),
        ],
    )
    def test_type_is_named(self, fails: Fails, code: str, name: str) -> None:
        error = fails(code)
        assert name in error.exc_type
        assert name in str(error)

    def test_syntax_error_shows_the_line(self, fails: Fails) -> None:
        error = fails("x = 1\ny = = 2\n")
        assert 'File "<user>", line 2' in str(error)
        assert "y = = 2" in str(error)

    def test_chained_exceptions_are_shown(self, fails: Fails) -> None:
        text = str(
            fails("try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise KeyError(1) from e")
        )
        assert "ZeroDivisionError" in text
        assert "direct cause" in text

    def test_carries_what_was_written(self, fails: Fails) -> None:
        error = fails("import sys\nprint('out')\nprint('err', file=sys.stderr)\n1/0")
        assert error.stdout == "out"
        assert error.stdout_bytes == b"out\n"
        assert error.stderr.startswith("err\n")
        assert error.stderr.count("ZeroDivisionError") == 1
        assert error.duration_ms > 0
        assert error.fuel_consumed is None
        assert error.peak_memory_bytes > 0

    def test_exception_without_a_run(self) -> None:
        error = eryx.ExecutionError("x")
        assert (error.stdout, error.stderr, error.duration_ms) == ("", "", 0.0)
        assert (error.fuel_consumed, error.peak_memory_bytes) == (None, 0)
        assert (error.exc_type, error.exc_message, error.traceback) == ("", "", "")

    def test_exceptions_can_be_pickled(self, fails: Fails) -> None:
        error = fails("print('x')\n1/0")
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is eryx.ExecutionError
        assert (str(again), again.stdout, again.exc_type) == (str(error), "x", "ZeroDivisionError")

    def test_timeout_is_the_builtin_one_as_well(self) -> None:
        sandbox = eryx.Sandbox(resource_limits=eryx.ResourceLimits(execution_timeout_ms=50))
        with pytest.raises(builtins.TimeoutError, match="timed out"):
            sandbox.execute("while True: pass")

    def test_message_may_hold_anything(self, fails: Fails) -> None:
        error = fails("raise ValueError('\\0 \\ud800 é')")
        assert error.exc_type == "ValueError"
        assert "é" in error.exc_message

    def test_str_of_the_exception_may_fail(self, fails: Fails) -> None:
        error = fails("class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E")
        assert "E" in error.exc_type
