"""The pages of docs/agents: their examples are run, and are whole and short."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
