"""Errors of programs that the parser takes and the compiler does not: the line is shown."""

from __future__ import annotations

import re

import pytest

from eryx import ExecutionError, Sandbox, Session


def failure(source: str) -> ExecutionError:
    with pytest.raises(ExecutionError) as caught:
        Sandbox().execute(source)
    return caught.value


class TestCompilerStage:
    # What CPython 3.14 prints of a file with that source.
    @pytest.mark.parametrize(
        ("source", "line", "marks", "message"),
        [
            ("x = 1\ndef f(a, a): pass", 2, "         ^", "duplicate argument 'a' in"),
            ("return 1", 1, "^^^^^^^^", "'return' outside function"),
            ("if 1:\n    break", 2, "^^^^^", "'break' outside loop"),
            ("continue", 1, "^^^^^^^^", "'continue' not properly in loop"),
            ("nonlocal x", 1, "^^^^^^^^^^", "nonlocal declaration not allowed at module level"),
            ("def f():\n    nonlocal x", 2, "^^^^^^^^^^", "no binding for nonlocal 'x' found"),
            ("def f(x):\n    global x", 2, "^^^^^^^^", "name 'x' is parameter and global"),
            ("def f():\n    await x", 2, "^^^^^^^", "'await' outside async function"),
            ("yield 1", 1, "^^^^^^^", "'yield' outside function"),
            ("class A[T, T]: pass", 1, "           ^", "duplicate type parameter 'T'"),
            ("from __future__ import nope", 1, " " * 23 + "^^^^", "future feature nope is not"),
            ("\ufeffreturn 'é'", 1, "^^^^^^^^^^", "'return' outside function"),
        ],
    )
    def test_shows_the_line(self, source: str, line: int, marks: str, message: str) -> None:
        error = failure(source)
        text = source.removeprefix("\ufeff").splitlines()[line - 1].strip()
        shown = f'  File "<user>", line {line}\n    {text}\n    {marks}\nSyntaxError: {message}'
        assert error.traceback.startswith(shown)
        assert error.stderr == error.traceback.rstrip("\n")

    def test_a_session_shows_each_program_its_own_line(self) -> None:
        session = Session()
        session.execute("first = 1\nsecond = 2\n")
        with pytest.raises(ExecutionError, match=re.escape("    return 2\n    ^^^^^^^^\n")):
            session.execute("x = 1\nreturn 2")
        done = session.execute(
            "import sys\nerror = sys.last_exc\nprint(repr(error.text), error.args)"
        )
        assert done.stdout == (
            "'return 2\\n' (\"'return' outside function\", ('<user>', 2, 1, 'return 2\\n', 2, 9))"
        )

    def test_of_a_module_it_is_read_from_its_file(self) -> None:
        error = failure("open('m.py', 'w').write('x = 1\\nreturn x\\n')\nimport m")
        assert '  File "/data/m.py", line 2\n    return x\n    ^^^^^^^^\n' in error.traceback
