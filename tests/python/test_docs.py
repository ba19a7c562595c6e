"""The examples in the documents and docstrings are run."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import eryx

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()
]
BLOCKS = [
    pytest.param(match.group(1), id=f"{path.name}-{number}")
    for path in DOCUMENTS
    for number, match in enumerate(BLOCK.finditer(path.read_text()))
]


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("code", BLOCKS)
def test_block_of_a_document(code: str) -> None:
    """A block runs; where a line ends in `# prints: TEXT` that text is printed."""
    output = run(code)
    for expected in re.findall(r"# prints: (.*)$", code, re.MULTILINE):
        assert expected in output


def test_docstrings() -> None:
    for name in eryx.__all__:
        getattr(eryx, name)  # some are imported only now
    failed, attempted = doctest.testmod(eryx)
    assert attempted >= 8
    assert failed == 0


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "python").glob("*.py")), ids=str)
def test_example(path: Path) -> None:
    assert run(path.read_text()) != ""
