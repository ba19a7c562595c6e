"""Packages in Rust: the toolchain that builds them, and the crates that they are built with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from eryx.native import _rust
from native.recipes import Recipe
from toolchain import rust
from toolchain.errors import BuildError
from toolchain.lock import sha256
from toolchain.process import run_tool
from toolchain.setup import ROOT


def _toolchain() -> dict[str, str]:
    """What the environment has to say for Rust to be found."""
    rust.prepare(ROOT / "build" / "log")
    found = rust.environment()
    if found is None:
        raise BuildError("packages in Rust take it, with its sources: install rustup")
    return found


def identity(recipe: Recipe) -> dict[str, object]:
    """What a package is built with beyond its archive."""
    where = {**os.environ, **_toolchain()}
    said = subprocess.run(
        ["rustc", "-vV"], env=where, capture_output=True, text=True, check=True
    ).stdout
    own = recipe.crates
    return {"rust": said, "flags": _rust._FLAGS, "crates": sha256(own) if own else ""}


def prepare(recipe: Recipe, tree: Path, work: Path) -> dict[str, str]:
    """Fetches the crates of a tree, which may be no others; gives the environment for its build."""
    if recipe.crates is not None:
        shutil.copy(recipe.crates, tree)
    found = _toolchain()
    run_tool(
        [*("cargo", "fetch", "--locked", "--manifest-path"), str(tree / "Cargo.toml")],
        log=work / "crates.log",
        environment={**os.environ, **found},
        directory=tree,
    )
    return {**found, "CARGO_NET_OFFLINE": "true"}
