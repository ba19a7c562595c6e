"""Libraries in C that packages are linked to, compiled for sandboxes from Debian's sources.

Each is a prefix: a folder with ``include`` and ``lib``.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from native import sources
from native.recipes import PATCHES
from toolchain import debian
from toolchain.cache import Cache, content_digest, key_of
from toolchain.errors import BuildError
from toolchain.lock import Lock, sha256
from toolchain.process import run_tool

# Increase it when what is made changes otherwise than by what the key has.
_VERSION = 2
_VECTORS = "-msimd128"


@dataclass(frozen=True)
class Kit:
    """What libraries are built with."""

    lock: Lock
    cache: Cache
    ninja: Path
    zig: Path
    compile: tuple[str, ...]
    """The command that compiles C for sandboxes, without files."""
    jobs: int

    @property
    def environment(self) -> dict[str, str]:
        own = str(self.cache.root / "zig")
        return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": own, "ZIG_LOCAL_CACHE_DIR": own}

    @property
    def identity(self) -> str:
        """The compiler and its flags, wherever they lie."""
        text = shlex.join(self.compile).replace(str(self.zig), "zig")
        return re.sub(r"-I\S+/eryx/native/headers", "-Iheaders", text) + str(
            self.zig.stat().st_size
        )

    def tool(self, path: Path, *command: str, behind: tuple[str, ...] = ()) -> Path:
        """A program that runs a command with its own arguments, and these behind."""
        path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@" {shlex.join(behind)}\n')
        path.chmod(0o700)
        return path


def prefix(name: str, kit: Kit) -> Path:
    """A library, built unless it is in the cache."""
    builder, needed, others = _LIBRARIES[name]
    files = [debian.cached_source(source, kit.lock, kit.cache) for source in needed]
    files += [sources.archive(source, kit.lock, kit.cache) for source in others]
    patches = sorted((PATCHES / name).glob("*"))
    key = key_of(
        {
            "name": name,
            "version": _VERSION,
            "compiler": kit.identity,
            "sources": [sha256(file) for file in files],
            "patches": [sha256(file) for file in patches],
            "own": [sha256(file) for file in sorted(Path(__file__).parent.glob("*.c"))],
        }
    )
    step = "science-library"
    return kit.cache.find(step, key) or kit.cache.store(
        step, key, partial(_build, builder=builder, kit=kit, files=files, patches=patches)
    )


def digest(name: str, kit: Kit) -> str:
    """A hash of what a library consists of."""
    return content_digest(prefix(name, kit))


def _build(
    output: Path,
    *,
    builder: Callable[[Path, Path, Kit, list[Path]], None],
    kit: Kit,
    files: list[Path],
    patches: list[Path],
) -> None:
    with tempfile.TemporaryDirectory(prefix="eryx-library-") as name:
        work = Path(name)
        for number, file in enumerate(files):
            sources.unpack(file, work / f"source{number}")
        tree = work / "source0"
        sources.apply(
            [path for path in patches if path.suffix == ".patch"], tree, work / "patch.log"
        )
        (output / "lib").mkdir()
        (output / "include").mkdir()
        builder(work, output, kit, [path for path in patches if path.suffix != ".patch"])


def archive_of(objects: Iterable[Path], target: Path, kit: Kit, log: Path) -> None:
    """Puts objects into a static library."""
    run_tool(
        [str(kit.zig), "ar", "rcs", str(target), *map(str, objects)],
        log=log,
        environment=kit.environment,
    )


# ---- OpenBLAS ------------------------------------------------------------------------------------

# What OpenBLAS has of LAPACK, for real numbers and complex ones; the rest is numpy's own.
_OWN_LAPACK = (
    *("gesv", "getf2", "getrf", "getrs", "potf2", "potrf", "potri", "lauu2", "lauum"),
    *("trti2", "trtri", "trtrs", "laswp"),
)
_ALSO_OWN = ("lsame_", "slaed3_", "dlaed3_", "c_abs", "z_abs")
# What gives a float (lapack_floats.c).
_FLOATS = ("sdot_", "snrm2_", "sasum_", "scnrm2_", "scasum_")
_LITE = ("f2c_s_lapack", "f2c_d_lapack", "f2c_c_lapack", "f2c_z_lapack", "f2c_lapack")
_LITE_CONFIG = ("f2c_config", "f2c")
_FLOATS_SOURCE = Path(__file__).with_name("lapack_floats.c")
_OF_PYTHON = re.compile(r'^#include (?:<Python|"numpy/|"npy_cblas|"lapack_lite_names).*$', re.M)


def _openblas(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """OpenBLAS, and what it lacks of LAPACK from numpy's own sources.

    Debian's source has none of the reference LAPACK, which is written in Fortran. What numpy's
    linalg calls of it comes with numpy, in C; where both have a function it is OpenBLAS's.
    """
    tree = work / "source0"
    for file in extra:
        (tree / "kernel" / "wasm" / file.name).write_bytes(file.read_bytes())
    _let_subroutines_give_numbers(tree)
    # numpy brings an xerbla() with fewer parameters along.
    cc = kit.tool(
        work / "cc",
        *kit.compile,
        _VECTORS,
        "-D_WASI_EMULATED_MMAN",
        behind=("-Wno-everything", "-Dxerbla_=openblas_xerbla_"),
    )
    build = work / "build"
    options = {
        "CMAKE_MAKE_PROGRAM": kit.ninja,
        # As others that have no processor of their own to ask.
        "CMAKE_SYSTEM_NAME": "Emscripten",
        "OS_EMSCRIPTEN": 1,
        "CMAKE_SYSTEM_PROCESSOR": "wasm32",
        "CMAKE_C_COMPILER": cc,
        "CMAKE_AR": kit.tool(work / "ar", str(kit.zig), "ar"),
        "CMAKE_RANLIB": kit.tool(work / "ranlib", str(kit.zig), "ranlib"),
        "CMAKE_TRY_COMPILE_TARGET_TYPE": "STATIC_LIBRARY",
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_PREFIX": output,
        "TARGET": "WASM128_GENERIC",
        "NOFORTRAN": 1,
        "C_LAPACK": 1,
        "NO_LAPACKE": 1,
        "USE_THREAD": 0,
        "BUILD_SHARED_LIBS": "OFF",
        "BUILD_TESTING": "OFF",
        "BUILD_BFLOAT16": 0,
        "BUILD_RELAPACK": "OFF",
    }
    run_tool(
        [
            *("cmake", "-G", "Ninja", "-S", str(tree), "-B", str(build)),
            *(f"-D{name}={value}" for name, value in options.items()),
        ],
        log=work / "configure.log",
        environment=kit.environment,
    )
    library = build / "lib" / "libopenblas.a"
    run_tool(
        [str(kit.ninja), "-C", str(build), f"-j{kit.jobs}", "lib/libopenblas.a"],
        log=work / "build.log",
        environment=kit.environment,
    )
    target = output / "lib" / "libopenblas.a"
    target.write_bytes(library.read_bytes())
    plain = kit.tool(work / "plain", *kit.compile, _VECTORS, behind=("-Wno-everything",))
    archive_of(_lapack_lite(work, plain, kit), target, kit, work / "archive.log")
    for header in (build / "generated" / "cblas.h", build / "openblas_config.h"):
        if header.exists():
            (output / "include" / header.name).write_bytes(header.read_bytes())
    for name in ("cblas.h", "openblas_config.h"):
        if not (output / "include" / name).exists():
            raise BuildError(f"OpenBLAS made no {name}")


def _let_subroutines_give_numbers(tree: Path) -> None:
    """As C that was made of Fortran calls them, and numpy: in WebAssembly it has to agree."""
    for file in (tree / "interface").glob("*.c"):
        text = file.read_bytes()
        file.write_bytes(re.sub(rb"^void NAME\(", b"int NAME(", text, flags=re.M))
    header = tree / "common_interface.h"
    text = header.read_bytes()
    pattern = rb"^void( +BLASFUNC\((?!\w*dot)\w+\))"
    header.write_bytes(re.sub(pattern, rb"int\1", text, flags=re.M))


def _lapack_lite(work: Path, cc: Path, kit: Kit) -> list[Path]:
    folder = work / "source1" / "numpy" / "linalg" / "lapack_lite"
    for file in (folder / "f2c.h", folder / "f2c.c"):
        text = _OF_PYTHON.sub("", file.read_text())
        file.write_text(text.replace("CBLAS_INT", "int"))
    both = [f"{kind}{name}_" for kind in "sdcz" for name in _OWN_LAPACK] + list(_ALSO_OWN + _FLOATS)
    renamed = [f"-D{name}=lite_{name}" for name in both]
    objects = []
    for source in (*(folder / f"{name}.c" for name in (*_LITE, *_LITE_CONFIG)), _FLOATS_SOURCE):
        target = work / f"{source.stem}.o"
        # Its own arithmetic finds out what the machine's is, which no optimisation may change.
        level = "-O0" if source.stem == "f2c_config" else "-O2"
        names = () if source == _FLOATS_SOURCE else renamed
        run_tool(
            [str(cc), level, *names, f"-I{folder}", "-c", str(source), "-o", str(target)],
            log=work / f"{source.stem}.log",
            environment=kit.environment,
        )
        objects.append(target)
    return objects


# By name: what builds it, Debian's source packages (the first is the tree), source archives.
_LIBRARIES: dict[
    str, tuple[Callable[[Path, Path, Kit, list[Path]], None], tuple[str, ...], tuple[str, ...]]
] = {
    "openblas": (_openblas, ("openblas",), ("numpy",)),
}
