"""The page of what Python inside is, has and has not: its lists are made, and true."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools import python_page  # noqa: E402


class TestPage:
    @pytest.mark.parametrize("maker", python_page.LISTS, ids=lambda maker: maker.__name__)
    def test_list_is_up_to_date(self, maker: python_page.Maker) -> None:
        """If it is not: `python -m tools.python_page`."""
        page = python_page.PAGE.read_text()
        assert f"<!-- made: {maker.__name__} -->\n{maker()}<!-- end -->" in page

    def test_other_text_stays(self) -> None:
        page = "a\n<!-- made: preloaded -->\nold\n<!-- end -->\nb\n"
        rendered = python_page.render(page)
        assert rendered.startswith("a\n<!-- made: preloaded -->\n`asyncio`, ")
        assert rendered.endswith("`\n<!-- end -->\nb\n")
        with pytest.raises(KeyError, match="nothing"):
            python_page.render(page.replace("preloaded", "nothing"))


class TestStubs:
    def test_names_on_linux(self) -> None:
        names = python_page.names_on_linux("os")
        assert {"fork", "getuid", "sched_setaffinity", "path"} <= names
        assert not {"startfile", "O_BINARY", "_Environ"} & names
