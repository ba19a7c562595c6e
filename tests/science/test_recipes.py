"""Recipes: which of them are built, and what is found out without building anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from native import build, libraries, recipes
from toolchain.cache import Cache

pytestmark = pytest.mark.sample


class TestRecipes:
    def test_some_are_built_only_if_they_are_named(self) -> None:
        usual = recipes.usual()
        assert "numpy" in usual
        assert "scipy" not in usual
        assert set(recipes.every()) - set(usual) == {"scipy"}
        assert recipes.closure([*usual, "scipy"])[-1] == "scipy"
        assert recipes.closure(["scipy"]) == ["numpy", "scipy"]

    def test_whether_one_was_built_before_takes_nothing(self, tmp_path: Path) -> None:
        """Neither archives nor libraries."""
        kit = replace(build.kit(), cache=Cache(tmp_path))
        assert not any(build.is_cached(name, kit) for name in ("numpy", "lxml", "scipy"))
        assert list(tmp_path.iterdir()) == []

    def test_all_libraries_are_known(self) -> None:
        wanted = {name for each in recipes.every() for name in recipes.load(each).libraries}
        assert wanted <= set(libraries.NAMES)
