"""The pages of docs/agents: their examples are run, and are whole and short."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from eryx._vendor.packaging.requirements import Requirement
from eryx._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "agents").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(match.group(1), id=f"{page.stem}-{number}")
    for page in PAGES
    for number, match in enumerate(BLOCK.finditer(page.read_text()))
]
MOST_LINES = 40


def test_every_framework_has_one_whole_example() -> None:
    assert len(PAGES) == 10
    assert len(EXAMPLES) == 9


@pytest.mark.parametrize("code", EXAMPLES)
def test_example(code: str, tmp_path: Path) -> None:
    lines = [line for line in code.splitlines() if line]
    assert len(lines) < MOST_LINES
    program = tmp_path / "example.py"
    program.write_text(code)
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = re.findall(r"# prints: (.*)$", code, re.MULTILINE)
    assert expected
    for text in expected:
        assert text in done.stdout


def brought_by(extra: str) -> set[str]:
    """The distributions that an extra of ours brings, and what these need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["optional-dependencies"][extra]]
    found: dict[str, set[str]] = {}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        known = found.get(name)
        if known is not None and requirement.extras <= known:
            continue
        wanted = found[name] = (known or set()) | requirement.extras
        for text in metadata.requires(name) or ():
            inner = Requirement(text)
            marker = inner.marker
            if marker is None or any(marker.evaluate({"extra": each}) for each in {"", *wanted}):
                waiting.append(inner)
    return set(found)


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "README"])
def test_the_extra_brings_all_that_an_example_imports(page: Path) -> None:
    (example,) = BLOCK.findall(page.read_text())
    owners = metadata.packages_distributions()
    there = brought_by(page.stem)
    for node in ast.walk(ast.parse(example)):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        for top in {name.partition(".")[0] for name in names} - {"eryx"} - sys.stdlib_module_names:
            assert there & set(map(canonicalize_name, owners[top])), top
