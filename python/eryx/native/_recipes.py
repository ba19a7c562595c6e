"""What packages have to be told to be built for sandboxes, by name.

setup: arguments for the setup of their build system; settings: for the backend (PEP 517).
Changes of their sources lie in the folder `patches`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from eryx.native._errors import NativeModuleError
from eryx.packages._standards import SpecifierSet, parse_version

if TYPE_CHECKING:
    from eryx.native._find_source import Project
    from eryx.native._steps import Steps

PATCHES = Path(__file__).with_name("patches")


@dataclass(frozen=True)
class Recipe:
    """What one package is told."""

    setup: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)


_NONE = Recipe()
_RECIPES = {
    # It has neither vectors nor a BLAS for this machine yet, and threads that wait for each other
    # are not what a sandbox has processors for.
    "numpy": Recipe(
        setup=(
            *("-Dblas=none", "-Dlapack=none", "-Dallow-noblas=true"),
            *("-Ddisable-optimization=true", "-Ddisable-highway=true"),
            "-Ddisable-threading=true",
        )
    ),
}


def recipe(name: str) -> Recipe:
    """What a package is told; nothing for most."""
    return _RECIPES.get(name, _NONE)


@dataclass(frozen=True)
class Patch:
    """A change of a package's sources, with its reason and the versions that it is for."""

    path: Path
    reason: str
    versions: str


def read_patch(path: Path) -> Patch:
    """Reads the head of a patch, which is lines like ``Reason: ...`` before the changes.

    Raises NativeModuleError if it gives no reason.
    """
    head: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if line.startswith(("--- ", "diff ")):
            break
        key, colon, value = line.partition(":")
        if colon:
            head[key.strip().lower()] = value.strip()
    if not head.get("reason"):
        raise NativeModuleError(f"{path}: a patch has a line `Reason: ...` before its changes")
    return Patch(path, head["reason"], head.get("versions", ""))


def patches(name: str, version: str, directory: Path = PATCHES) -> list[Patch]:
    """The patches for a version of a package, in the order of their names."""
    found = [read_patch(path) for path in sorted((directory / name).glob("*.patch"))]
    if not version:
        return [patch for patch in found if not patch.versions]
    present = parse_version(version)
    return [
        patch for patch in found if SpecifierSet(patch.versions).contains(present, prereleases=True)
    ]


def apply_patches(project: Project, found: list[Patch], steps: Steps) -> None:
    """Changes the sources of a project. Raises NativeModuleError if one does not fit."""
    if not found:
        return
    steps.begin("changing its sources")
    program = shutil.which("patch")
    if program is None:
        raise steps.error("the program `patch` is missing, which its patches take: install it")
    for patch in found:
        steps.note(f"{patch.path.name}: {patch.reason}")
        command = [program, "--batch", "--forward", "--fuzz=0", "-p1", "-i", str(patch.path)]
        steps.run(command, cwd=project.tree, env={"PATH": "/usr/bin:/bin"})
