"""Recipes: how a package is built, in a file of native/recipes."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolchain.errors import BuildError

FOLDER = Path(__file__).with_name("recipes")
PATCHES = Path(__file__).with_name("patches")


@dataclass(frozen=True)
class Recipe:
    """One package, or wheels that are taken as they are."""

    name: str
    source: str = ""
    """Its source archive, in the group science-sources of the lock file."""
    wheels: tuple[str, ...] = ()
    """Of the group science-wheels, instead of a source archive."""
    built_with: tuple[str, ...] = ()
    """Recipes whose headers the build is to find, or that wheels are taken with."""
    needs: tuple[str, ...] = ()
    """Recipes that have to be there as well for it to run."""
    libraries: tuple[str, ...] = ()
    """Libraries in C (native/libraries.py) that it is linked to."""
    by_name: bool = False
    """Whether it is built only if it is named: it takes long, and much room."""
    rust: bool = False
    """Whether Cargo builds it, of the crates that its Cargo.lock names, or ours."""
    setup: tuple[str, ...] = ()
    """Arguments for the setup of Meson."""
    settings: dict[str, str] = field(default_factory=dict)
    """What its backend is told (config_settings of PEP 517)."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables of the environment that it is built in."""
    imports: tuple[str, ...] = ()
    """Modules that a factory imports, if it is not the one that is called as the package."""
    warm_up: str = ""
    """A program that `eryx.science.factory` runs behind the imports: what a first use would fetch
    and compute is then in every sandbox, and the interpreter has specialised what it runs."""
    bytecode: bool = False
    """Whether the companion wheel has its bytecode, which a first use would have to make."""
    memory: bool = False
    """Whether it has the memory of the factory that `eryx.science.factory` makes of it, too."""
    also: tuple[str, ...] = ()
    """Packages that come along although it does not name them as required for this machine."""
    leave_out: tuple[str, ...] = ()
    """Patterns of files that the companion wheel does without."""

    @property
    def crates(self) -> Path | None:
        """Which crates it is built of, if its archive does not say so."""
        path = PATCHES / self.name / "Cargo.lock"
        return path if path.exists() else None

    @property
    def patches(self) -> list[Path]:
        """Changes of its sources, each of which says why."""
        return sorted((PATCHES / self.name).glob("*.patch"))


def is_left_out(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a file of a wheel is one of those that are left out."""
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def load(name: str) -> Recipe:
    """Reads a recipe; raises BuildError if there is none, or it has a field that is unknown."""
    path = FOLDER / f"{name}.toml"
    try:
        fields = tomllib.loads(path.read_text())
        values: dict[str, Any] = {
            field: tuple(value) if isinstance(value, list) else value
            for field, value in fields.items()
        }
        return Recipe(name, **values)
    except FileNotFoundError:
        known = ", ".join(every())
        raise BuildError(f"there is no recipe for {name}, but for {known}") from None
    except (ValueError, TypeError) as error:
        raise BuildError(f"{path}: {error}") from None


def every() -> list[str]:
    """The names of all recipes, each behind those that it takes."""
    return closure(sorted(path.stem for path in FOLDER.glob("*.toml")))


def usual() -> list[str]:
    """The same without those that are built only if they are named."""
    return [name for name in every() if not load(name).by_name]


def closure(names: list[str]) -> list[str]:
    """Recipes and all that these take, each behind those that it takes itself."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        recipe = load(name)
        for other in (*recipe.built_with, *recipe.needs):
            add(other)
        ordered[name] = None

    for name in names:
        add(name)
    return list(ordered)
