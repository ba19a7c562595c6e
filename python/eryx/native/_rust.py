"""Rust: modules for sandboxes by maturin, setuptools-rust or any build that calls Cargo.

The standard library that comes with a toolchain is not position independent, so it is compiled once
from its sources, with panics that unwind: they become exceptions of WebAssembly, as those of C++.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eryx.native._cross import write_rust_linker

if TYPE_CHECKING:
    from eryx.native._find_source import Project
    from eryx.native._steps import Steps

TARGET = "wasm32-wasip1"
# The first one whose LLVM can be asked for the encoding of exceptions that the translator reads.
OLDEST = (1, 87)

_INSTALL = "install Rust (rustup, or the packages cargo, rustc and rust-src of your system)"
# What of the environment would replace what is said here.
REPLACED = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS")
_BACKENDS = ("maturin", "setuptools_rust", "setuptools-rust")
# Nothing is exported but what modules say they export, and all can lie anywhere.
_FLAGS = (
    *("-Z", "default-visibility=hidden"),
    *("-C", "relocation-model=pic"),
    *("-C", "panic=unwind"),
    *("-C", "target-feature=+exception-handling,-crt-static"),
    *("-C", "llvm-args=-wasm-use-legacy-eh=true"),
    *("-C", "link-self-contained=no"),
    *("-C", "linker-flavor=wasm-ld"),
    # Crates are compiled with what later ones may want of them, as the standard library is.
    *("-A", "warnings"),
)
_MANIFEST = """\
[package]
name = "nothing"
version = "0.0.0"
edition = "2021"

[lib]
path = "nothing.rs"

[workspace]
"""
# What pyo3 would ask the guest's Python for.
_PYO3 = """\
implementation=CPython
version=3.14
shared=true
abi3=false
ext_suffix={suffix}
pointer_width=32
build_flags=
suppress_build_script_link_lines=true
"""


@dataclass(frozen=True)
class Toolchain:
    """The Rust of this machine.

    identity: its version in full; library: the sources of the standard library.
    """

    cargo: str
    rustc: str
    identity: str
    library: Path


def is_wanted(project: Project) -> bool:
    """Whether a package is built by Cargo."""
    required = " ".join(project.requires)
    return any(name in required or name == project.backend for name in _BACKENDS)


def find_toolchain(steps: Steps) -> Toolchain:
    """The Rust of this machine. Raises NativeModuleError that says what is missing."""
    steps.begin("looking for Rust")
    found = {name: shutil.which(name) for name in ("cargo", "rustc")}
    for name, program in found.items():
        if program is None:
            raise steps.error(f"{name} is missing: {_INSTALL}")
    cargo, rustc = str(found["cargo"]), str(found["rustc"])
    identity = _ask(steps, rustc, "-vV")
    release = re.search(r"^release: (\d+)\.(\d+)", identity, re.MULTILINE)
    if release is None or (int(release[1]), int(release[2])) < OLDEST:
        first = identity.partition("\n")[0]
        raise steps.error(
            f"this is {first}, and Rust {OLDEST[0]}.{OLDEST[1]} is needed: {_INSTALL}"
        )
    if TARGET not in _ask(steps, rustc, "--print", "target-list").split():
        raise steps.error(f"{rustc} has no target {TARGET}: {_INSTALL}")
    library = Path(_ask(steps, rustc, "--print", "sysroot").strip())
    library = library / "lib" / "rustlib" / "src" / "rust" / "library"
    if not (library / "std" / "Cargo.toml").exists():
        raise steps.error(
            "the sources of Rust's standard library are missing:"
            " `rustup component add rust-src` brings them, or the package rust-src of your system"
        )
    return Toolchain(cargo, rustc, identity, library)


def _ask(steps: Steps, rustc: str, *arguments: str) -> str:
    done = subprocess.run([rustc, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise steps.error(f"{rustc} does not run: {done.stderr.strip()[-1000:]}")
    return done.stdout


def _compilers(work: Path) -> dict[str, str]:
    """C parts of crates are compiled as modules in C are; what runs while building is not."""
    suffix = TARGET.replace("-", "_")
    return {
        f"CC_{suffix}": str(work / "cc"),
        f"CXX_{suffix}": str(work / "c++"),
        f"AR_{suffix}": str(work / "ar"),
        "CRATE_CC_NO_DEFAULTS": "1",
        **{f"HOST_{name}": tool for name, tool in (("CC", "cc"), ("CXX", "c++"), ("AR", "ar"))},
        **{f"HOST_{name}": "" for name in ("CFLAGS", "CXXFLAGS")},
    }


def sysroot(toolchain: Toolchain, cache: Path, steps: Steps) -> Path:
    """The standard library for modules, compiled once, which takes a minute."""
    parts = repr([toolchain.identity, str(toolchain.library), _FLAGS])
    target = cache / f"rust-{hashlib.sha256(parts.encode()).hexdigest()[:24]}"
    if target.exists():
        return target
    steps.begin("compiling Rust's standard library, once")
    with tempfile.TemporaryDirectory(dir=cache, prefix="rust-work-") as work_name:
        work = Path(work_name)
        (work / "Cargo.toml").write_text(_MANIFEST)
        (work / "nothing.rs").write_text("#![no_std]\n")
        command = [toolchain.cargo, "build", "--release", "--lib", "--target", TARGET]
        command += ["-Z", "build-std=std,panic_unwind,panic_abort"]
        vendor = toolchain.library / "vendor"
        if vendor.is_dir():
            command += ["--offline", "--config", 'source.crates-io.replace-with="vendored"']
            command += ["--config", f'source.vendored.directory="{vendor}"']
        environment = {
            **os.environ,
            "RUSTC_BOOTSTRAP": "1",
            "CARGO_TARGET_DIR": str(work / "target"),
            # Packages may be optimised as one, the library with them.
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join((*_FLAGS, "-C", "embed-bitcode=yes")),
            "CARGO_PROFILE_RELEASE_PANIC": "unwind",
        }
        steps.run(command, cwd=work, env=environment)
        made = work / "sysroot"
        libraries = made / "lib" / "rustlib" / TARGET / "lib"
        libraries.mkdir(parents=True)
        for path in (work / "target" / TARGET / "release" / "deps").glob("*.rlib"):
            if not path.name.startswith("libnothing-"):
                shutil.copy(path, libraries)
        made.chmod(0o700)
        if not target.exists():
            made.rename(target)
    return target


def environment(
    toolchain: Toolchain, root: Path, work: Path, cache: Path, suffix: str
) -> dict[str, str]:
    """Writes the linker into work, beside the compilers; gives what Cargo is to find in its
    environment.

    root: what `sysroot` gave; suffix: of modules.
    """
    linker = write_rust_linker(work, cache)
    configuration = work / "pyo3-config.txt"
    configuration.write_text(_PYO3.format(suffix=suffix))
    own = work / "sysroot"
    own.symlink_to(root)  # so that its path has no space in it
    flags = (*_FLAGS, "--sysroot", str(own), "-C", f"linker={linker}")
    return {
        **_compilers(work),
        "CARGO": toolchain.cargo,
        "RUSTC_BOOTSTRAP": "1",
        "CARGO_BUILD_TARGET": TARGET,
        "CARGO_TARGET_DIR": str(work / "cargo"),
        # Of this target alone: what runs while building is compiled as ever.
        f"CARGO_TARGET_{TARGET.upper().replace('-', '_')}_RUSTFLAGS": " ".join(flags),
        "CARGO_PROFILE_RELEASE_PANIC": "unwind",
        # It takes minutes, and what comes of it is translated and optimised once more.
        "CARGO_PROFILE_RELEASE_LTO": os.environ.get("CARGO_PROFILE_RELEASE_LTO", "off"),
        "PYO3_CONFIG_FILE": str(configuration),
    }
