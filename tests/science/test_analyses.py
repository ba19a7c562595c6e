"""Analyses as a model would write them: they print what they print natively.

The texts beside them are what CPython 3.14 prints with the wheels of PyPI, at the same versions.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import eryx
from eryx import science

FOLDER = Path(__file__).with_name("analyses")
PROGRAMS = sorted(FOLDER.glob("*.py"))


@cache
def factory(*names: str) -> eryx.SandboxFactory:
    return science.factory(*names)


def _needs(path: Path) -> tuple[str, ...]:
    """What a program imports of these, and what it says that it needs."""
    text = path.read_text()
    said = re.search(r"^# needs (.+)$", text, re.MULTILINE)
    known = ("numpy", "pandas", "matplotlib", "seaborn", "openpyxl")
    found = [name for name in known if f"import {name}" in text]
    return tuple(dict.fromkeys([*found, *(said[1].split(", ") if said else [])]))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=[pytest.mark.needs(*_needs(path)), pytest.mark.sample]
        )
        for path in PROGRAMS
    ],
)
def test_an_analysis_gives_the_numbers_of_native_python(path: Path) -> None:
    done = factory(*_needs(path)).create_sandbox().execute(path.read_text())
    assert done.stdout.split("\n") == path.with_suffix(".txt").read_text().rstrip("\n").split("\n")
