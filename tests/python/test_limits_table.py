"""Limits are written down once, in include/eryx/limits.h; what tells of them tells the same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from eryx import ResourceLimits
from eryx._eryx import LIMITS, UNLIMITED

ROOT = Path(__file__).resolve().parents[2]

# Of the package alone, which has threads to wait for.
QUEUE = ("queue_timeout_ms", UNLIMITED)

# An option of each run in C.
DISPLAYS = ("max_display_bytes", 16 << 20)

DEFAULTS = dict((*LIMITS, QUEUE, DISPLAYS))


def in_words(name: str, value: int) -> str:
    """A default as the README tells it."""
    if value == UNLIMITED:
        return "none"
    if name.endswith("_bytes"):
        return f"{value >> 20} MiB"
    return f"{value:,}"


def rows() -> dict[str, tuple[str, str]]:
    """Default and consequence by name, of the README's table."""
    text = (ROOT / "README.md").read_text()
    found = re.findall(r"^\| `(\w+)`[^|]*\| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    return {name: (default, reached) for name, default, reached in found}


class TestLimitsTable:
    """The C struct, `ResourceLimits` and the README."""

    def test_the_package_has_the_same_limits(self) -> None:
        parameters = inspect.signature(ResourceLimits).parameters
        assert parameters.keys() == DEFAULTS.keys()

    @pytest.mark.parametrize("name", DEFAULTS)
    def test_defaults_are_the_same(self, name: str) -> None:
        value = getattr(ResourceLimits(), name)
        # None is "no limit", or the default where there always is one.
        bound = name in ("max_vfs_bytes", "max_vfs_entries", "max_open_handles")
        assert (value is None) == (bound or DEFAULTS[name] == UNLIMITED)
        assert value in (None, DEFAULTS[name])

    @pytest.mark.parametrize("name", DEFAULTS)
    def test_the_readme_tells_them(self, name: str) -> None:
        default, reached = rows()[name]
        assert default == in_words(name, DEFAULTS[name])
        header = (ROOT / "include/eryx/limits.h").read_text()
        row = re.search(rf"    X\({name},(.*?)\)\s*\\?\n(?:    X\(|\n)", header, re.DOTALL)
        if row is None:
            assert name in (QUEUE[0], DISPLAYS[0])
            return
        said = re.findall(r'"([^"]*)"', row[1])[-1]
        words = {
            "the run ends with TIMEOUT": "`TimeoutError`, with the output so far",
            "the run ends with RESOURCE_LIMIT": "`ResourceLimitError`",
            "the middle is left out": "the middle is left out and flagged",
            "result_error says so": "`result_error` says so",
        }
        assert reached == words.get(said, re.sub(r"\w+Error", r"`\g<0>`", said))

    def test_the_readme_tells_of_no_others(self) -> None:
        assert rows().keys() == DEFAULTS.keys()
