"""Rust for the tests of native modules in Rust: the machine's own, or one that its rustup brings.

What crates they take is fetched as well, so that tests need no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from toolchain.cache import default_root
from toolchain.process import run_tool

ROOT = Path(__file__).resolve().parents[1]
VERSION = "1.95.0"
# As eryx.native takes it.
OLDEST = (1, 87)
PROJECT = ROOT / "tests" / "python" / "native" / "rust"


def _home() -> Path:
    return default_root() / "rust" / VERSION


def _library(environment: dict[str, str]) -> Path | None:
    """The sources of the standard library of a toolchain; None if it has none or is too old."""
    rustc = shutil.which("rustc")
    if rustc is None or shutil.which("cargo") is None:
        return None
    where = {**os.environ, **environment}

    def ask(*words: str) -> str:
        done = subprocess.run(
            [rustc, *words], env=where, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    version = ask("--version").split()[1:2]
    numbers = version[0].split(".")[:2] if version else ["0", "0"]
    library = Path(ask("--print", "sysroot"), "lib", "rustlib", "src", "rust", "library")
    new_enough = tuple(map(int, numbers)) >= OLDEST
    return library if new_enough and (library / "std").is_dir() else None


def environment() -> dict[str, str] | None:
    """What the environment has to say for a Rust with its sources to be found; None if none is."""
    brought = {"RUSTUP_HOME": str(_home()), "RUSTUP_TOOLCHAIN": VERSION}
    for candidate in ({}, brought) if _home().is_dir() else ({},):
        if _library(candidate) is not None:
            return dict(candidate)
    return None


def prepare(logs: Path) -> None:
    """Lets rustup bring a toolchain if this machine's own is not enough, and fetches crates.

    Does nothing where there is no rustup. Raises BuildError if something cannot be fetched.
    """
    found = environment()
    rustup = shutil.which("rustup")
    if found is None and rustup is not None:
        partial = _home().with_name(f"{VERSION}.partial-{os.getpid()}")
        run_tool(
            [
                *(rustup, "toolchain", "install", VERSION, "--no-self-update"),
                *("--profile", "minimal", "--component", "rust-src"),
            ],
            log=logs / "rustup.log",
            environment={**os.environ, "RUSTUP_HOME": str(partial)},
        )
        if not _home().exists():
            partial.rename(_home())
        found = environment()
    if found is None:
        return
    fetched = default_root() / "rust" / f"fetched-{VERSION}"
    library = _library(found)
    if fetched.exists() or library is None:
        return
    cargo = shutil.which("cargo") or "cargo"
    where = {**os.environ, **found, "RUSTC_BOOTSTRAP": "1"}
    for manifest in (PROJECT / "Cargo.toml", library / "sysroot" / "Cargo.toml"):
        run_tool(
            [cargo, "fetch", "--locked", "--manifest-path", str(manifest)],
            log=logs / "cargo.log",
            environment=where,
        )
    fetched.parent.mkdir(parents=True, exist_ok=True)
    fetched.touch()
