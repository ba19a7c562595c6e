"""The page docs/science.md: its examples print what they say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "science.md").read_text()
EXAMPLES = re.findall(r"^```py\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.sample
@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, id=str(number), marks=pytest.mark.needs(*re.findall(r'"(\w+)"', line)))
        for number, code in enumerate(EXAMPLES)
        for line in re.findall(r"science\.factory\((.*)\)", code)
    ],
)
def test_example(code: str) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, {"__name__": "__main__"})
    expected = re.findall(r"# prints: (.*)$", code, re.MULTILINE)
    assert output.getvalue().splitlines() == expected


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2
