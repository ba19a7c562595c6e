"""Recipes: which of them are built, and what is found out without building anything."""

from __future__ import annotations

import zipfile
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
        assert set(recipes.every()) - set(usual) == {"joblib", "scikit-learn", "scipy"}
        assert recipes.closure([*usual, "scipy"])[-1] == "scipy"
        assert recipes.closure(["scipy"]) == ["numpy", "scipy"]
        assert recipes.closure(["scikit-learn"]) == ["numpy", "scipy", "joblib", "scikit-learn"]

    def test_whether_one_was_built_before_takes_nothing(self, tmp_path: Path) -> None:
        """Neither archives nor libraries."""
        kit = replace(build.kit(), cache=Cache(tmp_path))
        assert not any(build.is_cached(name, kit) for name in ("numpy", "lxml", "scipy"))
        assert list(tmp_path.iterdir()) == []

    def test_what_other_packages_are_built_with(self, tmp_path: Path) -> None:
        """Declarations for Cython only of packages that the environment of the build lacks."""
        wheel = tmp_path / "thing-1.0-cp314-cp314-wasi_wasm32.whl"
        headers = ["thing/include/thing.h", "thing/lib/libthing.a"]
        declarations = ["thing/__init__.py", "thing/part/__init__.py", "thing/part/calls.pxd"]
        others = ["thing/part/work.py", "thing/private.h", "thing/other/__init__.py"]
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in [*headers, *declarations, *others]:
                archive.writestr(name, name)

        def laid_over(name: str, *, is_there: bool) -> list[str]:
            site = tmp_path / name
            build.lay_over(site, wheel, is_there)
            return sorted(str(path.relative_to(site)) for path in site.rglob("*.*"))

        assert laid_over("there", is_there=True) == sorted(headers)
        assert laid_over("lacking", is_there=False) == sorted([*headers, *declarations])

    def test_all_libraries_are_known(self) -> None:
        wanted = {name for each in recipes.every() for name in recipes.load(each).libraries}
        assert wanted <= set(libraries.NAMES)
