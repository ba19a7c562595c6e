"""The value of the last expression of a program."""

from __future__ import annotations

from typing import Any

import pytest

import eryx

WITH_VALUE: list[tuple[str, object]] = [
    ("x = 1; 'done'", "done"),
    ("import os; (5)", 5),
    ("y = 2\nx = 1; -5", -5),
    ("5\n# a comment\n\n  # and another", 5),
    ("'''a\nb'''", "a\nb"),
    ("1 + 1", 2),
    ("x", 3),
    ("x;", 3),
    ("y = 1; y", 1),
    ("y = 1; str(y)", "1"),
    ("y = '''a'''\nabs( len (y))\n", 1),
    ("if x: y = 1\nx.bit_count()  \n\n", 2),
    ("import math; print(x); math.floor(abs(x))", 3),
    ("print(x)\n0 if not(x) else abs(x)", 3),
    ("import os; len('a:b')", 3),
    ("y = 'ü'; len(y + ';')  # ;", 2),
    ("y = [\n  1]; len(y);", 1),
    ("y = {1: 2}; len(y)", 1),
    ("y = 1; (len)('a')", 1),
    ("y = f'{x};'; y[0]", "3"),
    ("y = 1; \\\nstr(y)", "1"),
    ("'abc'", "abc"),
    ("'''a\nb'''", "a\nb"),
    ("True", True),
    ("not x", False),
    ("[i for i in range(3)]", [0, 1, 2]),
    ("{'k': [1, (2, 3)]}", {"k": [1, [2, 3]]}),
    ("1 if x else 2", 1),
    ("x or 3", 3),
    ("0 < x < 5", True),
    ("(y := 4)", 4),
    ("x.real", 3),
    ("[1, x][-1]", 3),
    ("(lambda: x)()", 3),
    ("len('a;b')", 3),
    ("print(x, end='')or x # ü", 3),
    ("(\nx\n)", 3),
    ("[\n  1,\n  x,\n]", [1, 3]),
    ("def f():\n    return 3\n\nf()", 3),
    ("def f(n):\n    return n\n\n# comment (\nf( # another\n  5\n)\n\n# and one more\n", 5),
    ("async def f():\n    return 7\nawait f()", 7),
    ("async def f():\n    return 7\nx and await f()", 7),
    ("try:\n    z = 1\nfinally:\n    pass\nz", 1),
    ("with open('/tmp/f', 'w') as file:\n    pass\nfile.closed", True),
    ("import math\nmath.floor(2.5)", 2),
    ("\ufeffx", 3),
    ("x\r\n", 3),
    ("print(x)\n5", 5),
    ("print(x)\n'ü'", "ü"),
    ("'ü'; x", 3),
    ("print(x)\nf'a'", "a"),
    ("print(x)\n__debug__", True),
    ("str('ü')  # ü", "ü"),
    ("\fx", 3),
    ("\f5", 5),
    ("print(x)\r5", 5),
    ("x: int\nx", 3),
    ("'\\ud800'[:1]", "\ud800"),
]

WITHOUT_VALUE = [
    "x = 'a;b'",
    "x = 1;",
    "x = '''a\nb'''",
    "",
    "pass",
    "y = 1",
    "print(1)",
    "None",
    "if x:\n    5\nelse:\n    6",
    "if not x: pass\nelse: (\nx)",
    "for i in range(2): i",
    "if x: x; str(x)",
    "if x: \\\n  x; str(x)",
    "if True: [\n1]; str(x)",
    "x; y = str(x)",
    "str(x); import os.path",
    "class A: x; str(x)",
    "str(x); None",
    "str(x); assert(True)",
    "str(x)\nassert(1)",
    "str(x)\nnot(print(x)) if False else None",
    "str(x)\nNone if True else str(x)",
    "if x: \\\nstr(x)",
    "if x: (\nstr(x))",
    "if x: str((\n(x), (x)))",
    "if True: y = 1; (\nstr)(x)",
    "str(x); del(x)",
    "x; y: int",
    "x; [x][0]: int",
    "while False: x",
    "try:\n    x\nfinally:\n    pass",
    "with open('/tmp/f', 'w') as file: file.name",
    "match x:\n    case 3: x",
    "from os import path",
    "from math import *",
    "import os.path",
    "class A:\n    x",
    "def f(): x",
    "async def f(): return 7\ny = await f()",
    "x += 1",
    "y = 2\ndel y",
    "assert x",
    "import os as system",
    "print(x)\nNone",
    "import sys\nsys.exit(0)",
    "y: int",
    "y: int = 5",
    "[x][0]: int",
    "type Number = int",
]

# For every statement of some modules: whether its value is kept, and whether it is an expression.
OF_MODULES = """
import ast, importlib, inspect, textwrap
from _eryx_runtime import values

found, wrong = 0, []
for name in ("argparse", "dataclasses", "enum", "inspect", "statistics"):
    source = inspect.getsource(importlib.import_module(name))
    lines = source.split("\\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.end_lineno - node.lineno < 20:
            text = textwrap.dedent("\\n".join(lines[node.lineno - 1 : node.end_lineno]))
            try:
                program = compile(text, "<user>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            except SyntaxError:
                continue  # it can't be outside a function
            values.keep(program, text, "<user>")
            kept = values._state.is_returned or values._state.is_placed
            found += 1
            if kept != isinstance(ast.parse(text).body[-1], ast.Expr):
                wrong.append(text)
result = {"found": found, "wrong": wrong}
"""


@pytest.fixture
def session() -> Any:
    session = eryx.Session()
    session.execute("x = 3")
    return session


class TestValue:
    @pytest.mark.parametrize(("code", "value"), WITH_VALUE)
    def test_is_that_of_the_last_expression(
        self, session: eryx.Session, code: str, value: object
    ) -> None:
        done = session.execute(code)
        assert done.value == value
        assert type(done.value) is type(value)
        assert done.value_repr is not None

    @pytest.mark.parametrize("code", WITHOUT_VALUE)
    def test_other_programs_have_none(self, session: eryx.Session, code: str) -> None:
        done = session.execute(code)
        assert done.value is None
        assert done.value_repr is None

    def test_is_kept_of_expressions_alone(self) -> None:
        result = eryx.Sandbox().execute(OF_MODULES).result
        assert result["found"] > 2000
        assert result["wrong"] == []

    def test_what_json_cannot_hold_is_there_as_text(self, session: eryx.Session) -> None:
        for code, shown in (("b'x'", "b'x'"), ("{1, }", "{1}"), ("float('nan')", "nan")):
            done = session.execute(code)
            assert (done.value, done.value_repr) == (None, shown)

    def test_a_long_text_is_cut(self, session: eryx.Session) -> None:
        done = session.execute("'a' * 100_000")
        assert len(done.value) == 100_000
        assert len(done.value_repr or "") < 20_000
        done = session.execute("list(range(100_000))")
        assert len(done.value) == 100_000
        assert (done.value_repr or "").endswith("100000 in all]")
        done = session.execute("[['x' * 50] * 900]")
        assert " characters ... " in (done.value_repr or "")

    def test_a_large_one_is_left_out(self) -> None:
        limits = eryx.ResourceLimits(max_result_bytes=100)
        done = eryx.Sandbox(resource_limits=limits).execute("'a' * 1000")
        assert done.value is None
        assert done.value_repr == repr("a" * 1000)

    def test_a_repr_that_fails_does_no_harm(self, session: eryx.Session) -> None:
        done = session.execute("class A:\n    def __repr__(self): 1 / 0\nA()")
        assert done.value_repr == "<A object: its repr() failed: ZeroDivisionError>"

    def test_a_coroutine_is_not_run(self, session: eryx.Session) -> None:
        done = session.execute("async def f(): print('ran')\nf()")
        assert done.stdout == ""
        assert (done.value_repr or "").startswith("<coroutine object f")

    def test_a_program_that_fails_has_none(self, session: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            session.execute("x = 5\n1 / 0")
        assert "value" not in dir(caught.value)
        assert session.execute("x").value == 5

    def test_leaves_no_name_behind(self, session: eryx.Session) -> None:
        session.execute("[i for i in 'ab']")
        assert (
            session.execute("[name for name in globals() if not name.isidentifier()]").value == []
        )

    def test_stands_beside_the_result_variable(self, session: eryx.Session) -> None:
        done = session.execute("result = 1\n2")
        assert (done.result, done.value) == (1, 2)

    def test_warnings_come_once(self, session: eryx.Session) -> None:
        for code in ("'\\d' + str(x)", "async def f(): return '\\d'\nawait f()"):
            assert session.execute(code).stderr.count("SyntaxWarning") == 1

    def test_lines_of_tracebacks_stay(self, session: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError, match="line 3, in <module>\n    x and 1 / 0\n"):
            session.execute("\n\nx and 1 / 0")

    def test_a_factory_sandbox_has_values(self) -> None:
        factory = eryx.SandboxFactory(setup_code="x = 3")
        assert factory.create_sandbox().execute("x + 1").value == 4
