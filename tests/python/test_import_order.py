"""Rules for the modules of the package that no linter checks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "eryx"


def sources() -> dict[str, str]:
    """The text of each module, by its name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("eryx", *path.relative_to(PACKAGE).with_suffix("").parts)
        if "_vendor" not in parts:
            name = ".".join(part for part in parts if part != "__init__")
            found[name] = path.read_text(encoding="utf-8")
    return found


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All that is run sometime, so without what type checkers see only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from (inner for other in child.orelse for inner in (other, *statements(other)))
        else:
            yield child
            yield from statements(child)


def imports(texts: dict[str, str]) -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports, in functions as well."""
    found: dict[str, set[str]] = {name: set() for name in texts}
    for module, text in texts.items():
        for statement in statements(ast.parse(text)):
            if isinstance(statement, ast.Import):
                found[module].update(each.name for each in statement.names)
            elif isinstance(statement, ast.ImportFrom):
                assert statement.level == 0, f"{module} imports something by a relative name"
                for each in statement.names:
                    inner = f"{statement.module}.{each.name}"
                    found[module].add(inner if inner in texts else str(statement.module))
        found[module] &= texts.keys() - {module}
    return found


def circle(texts: dict[str, str]) -> list[str]:
    """Modules that import each other in a ring; empty if there is none."""
    try:
        TopologicalSorter(imports(texts)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other() -> None:
    """The factory, the pool and its leases did, and so did sandboxes and native modules."""
    texts = sources()
    assert {"eryx", "eryx._sandbox", "eryx.native._build"} <= texts.keys()
    assert sum(len(each) for each in imports(texts).values()) > 100
    assert circle(texts) == []


@pytest.mark.parametrize(
    ("text", "is_circle"),
    [
        ("import eryx._pool", True),
        ("from eryx import _pool", True),
        ("def later():\n    from eryx._pool import SandboxPool", True),
        ("if TYPE_CHECKING:\n    from eryx._pool import SandboxPool", False),
        ("if not TYPE_CHECKING:\n    from eryx._pool import SandboxPool", True),
        ("import eryx._errors", False),
    ],
)
def test_a_circle_is_found(text: str, is_circle: bool) -> None:
    texts = sources()
    texts["eryx._pool_waiter"] += f"\n{text}\n"
    texts["eryx._pool"] += "\nfrom eryx._pool_waiter import Waiter\n"
    assert bool(circle(texts)) == is_circle
