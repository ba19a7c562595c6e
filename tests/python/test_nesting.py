"""Deep programs: as deep as CPython takes them elsewhere, and else an error."""

from __future__ import annotations

import pytest

from eryx import Session

COMPILE = """
def attempt(source, mode="eval"):
    try:
        compile(source, "deep", mode)
    except (SyntaxError, MemoryError, RecursionError) as error:
        return f"{type(error).__name__}: {getattr(error, 'msg', error)}"
    return "taken"
"""
TOO_DEEP = "SyntaxError: too many nested parentheses"
OVERFLOW = "MemoryError: Parser stack overflowed - Python source too complex to parse"
BLOCKS = "SyntaxError: too many statically nested blocks"


@pytest.fixture
def session() -> Session:
    made = Session()
    made.execute(COMPILE)
    return made


class TestBrackets:
    @pytest.mark.parametrize(
        "pair", ["()", "[]", "{}", "f()", "a[]", "a[b:]", "{1:}", "(a:=)", "[x for x in ]"]
    )
    def test_two_hundred_are_taken_and_one_more_is_an_error(
        self, session: Session, pair: str
    ) -> None:
        begin, end, inside = pair[:-1], pair[-1], "" if pair in ("()", "[]", "{}", "f()") else "1"
        done = session.execute(
            f"sizes = (137, 200, 201, 9000)\n"
            f"print([attempt({begin!r} * n + {inside!r} + {end!r} * n) for n in sizes])"
        )
        assert done.stdout == str(["taken", "taken", TOO_DEEP, TOO_DEEP])

    def test_so_it_is_with_literals_that_are_evaluated(self, session: Session) -> None:
        done = session.execute(
            "import ast\n"
            "print(len(repr(ast.literal_eval('[' * 200 + ']' * 200))))\n"
            "try:\n    ast.literal_eval('[' * 201 + ']' * 201)\nexcept SyntaxError as error:\n"
            "    print(error.msg)"
        )
        assert done.stdout == "400\ntoo many nested parentheses"


class TestOtherDepth:
    # What CPython 3.14 answers on Linux: its parser has 6,000 levels.
    @pytest.mark.parametrize("prefix", ["not ", "-", "~"])
    def test_operators_go_as_deep_as_the_parser(self, session: Session, prefix: str) -> None:
        done = session.execute(
            "import ast\n"
            "def parse(n):\n"
            f"    try: ast.parse({prefix!r} * n + 'a')\n"
            "    except MemoryError as error: return f'MemoryError: {error}'\n"
            "    return 'taken'\n"
            "print([parse(n) for n in (5900, 6000, 100000)])"
        )
        assert done.stdout == str(["taken", OVERFLOW, OVERFLOW])

    @pytest.mark.parametrize("inside", ["x", "0"])
    def test_comprehensions_in_comprehensions_are_counted_as_blocks(
        self, session: Session, inside: str
    ) -> None:
        # CPython by itself writes behind a table.
        done = session.execute(
            f"print([attempt('[' * n + {inside!r} + ' for x in y]' * n)"
            " for n in (10, 21, 22, 23, 25, 100, 200)])"
        )
        assert done.stdout == str(["taken"] * 2 + [BLOCKS] * 5)

    def test_the_error_of_too_many_blocks_has_its_place(self, session: Session) -> None:
        done = session.execute(
            "source = 'def f():\\n  ' + '[' * 25 + 'x' + ' for x in y]' * 25\n"
            "try:\n    compile(source, 'deep', 'exec')\nexcept SyntaxError as error:\n"
            "    print(error.lineno, error.offset, error.end_lineno, error.end_offset)"
        )
        assert done.stdout == "2 24 2 77"

    def test_of_a_tree_as_well(self, session: Session) -> None:
        done = session.execute(
            "import ast\n"
            "tree = ast.Name('x', ast.Load())\n"
            "for _ in range(300):\n"
            "    part = ast.comprehension(ast.Name('x', ast.Store()), ast.Name('y', ast.Load()),"
            " [], 0)\n"
            "    tree = ast.ListComp(tree, [part])\n"
            "print(attempt(ast.fix_missing_locations(ast.Expression(tree))))"
        )
        assert done.stdout == BLOCKS

    @pytest.mark.parametrize(
        "wrap",
        [
            "ast.Try([ast.Pass()], [ast.ExceptHandler(None, None, [ast.Pass()])], [inner], [])",
            "ast.If(ast.Name('x', ast.Load()), [inner], [])",
            "ast.Match(ast.Name('x', ast.Load()), [ast.match_case(ast.MatchAs(), None, [inner])])",
        ],
    )
    def test_trees_of_statements_that_are_too_deep_are_a_recursion_error(
        self, session: Session, wrap: str
    ) -> None:
        done = session.execute(
            "import ast\n"
            "def attempt_depth(n):\n"
            "    inner = ast.Pass()\n"
            f"    for _ in range(n): inner = {wrap}\n"
            "    tree = ast.Module([inner], [])\n"
            "    for node in ast.walk(tree):\n"
            "        if 'lineno' in node._attributes:\n"
            "            node.lineno = node.end_lineno = 1\n"
            "            node.col_offset = node.end_col_offset = 0\n"
            "    return attempt(tree, 'exec').partition(':')[0]\n"
            "print([attempt_depth(n) in ('taken', 'RecursionError') for n in (900, 2500, 5000)],"
            " attempt_depth(20000))"
        )
        assert done.stdout == "[True, True, True] RecursionError"

    def test_so_are_patterns(self, session: Session) -> None:
        done = session.execute(
            "import ast\n"
            "def attempt_depth(n):\n"
            "    inner = ast.MatchValue(ast.Constant(1))\n"
            "    for _ in range(n): inner = ast.MatchSequence([inner])\n"
            "    case = ast.match_case(inner, None, [ast.Pass()])\n"
            "    tree = ast.Module([ast.Match(ast.Name('x', ast.Load()), [case])], [])\n"
            "    for node in ast.walk(tree):\n"
            "        if 'lineno' in node._attributes:\n"
            "            node.lineno = node.end_lineno = 1\n"
            "            node.col_offset = node.end_col_offset = 0\n"
            "    return attempt(tree, 'exec').partition(':')[0]\n"
            "print([attempt_depth(n) in ('taken', 'RecursionError') for n in (900, 2500, 8000)],"
            " attempt_depth(30000))"
        )
        assert done.stdout == "[True, True, True] RecursionError"

    def test_a_program_itself_may_be_deep(self) -> None:
        program = "x = " + "[" * 200 + "]" * 200 + "\nprint(len(str(x)))"
        assert Session().execute(program).stdout == "400"
