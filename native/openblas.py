"""OpenBLAS, compiled for sandboxes."""

from __future__ import annotations

import re
from pathlib import Path

from native.kit import Kit, archive_of
from toolchain.errors import BuildError
from toolchain.process import run_tool

VECTORS = "-msimd128"

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
# For programs that have none of their own. Without one numpy finds no LAPACK here when it is built,
# and takes its own with a BLAS that knows nothing of vectors.
_XERBLA = """\
int openblas_xerbla_(char *name, int *argument, int length);
int xerbla_(char *name, int *argument) { return openblas_xerbla_(name, argument, 6); }
"""
_OF_PYTHON = re.compile(r'^#include (?:<Python|"numpy/|"npy_cblas|"lapack_lite_names).*$', re.M)


def build(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """OpenBLAS, and what it lacks of LAPACK from numpy's own sources.

    Debian's source has none of the reference LAPACK, which is written in Fortran. What numpy's
    linalg calls of it comes with numpy, in C; where both have a function it is OpenBLAS's.
    """
    tree = work / "source0"
    _let_subroutines_give_numbers(tree)
    # numpy brings an xerbla() with fewer parameters along.
    build = compiled(work, kit, extra, "-Dxerbla_=openblas_xerbla_")
    target = output / "lib" / "libopenblas.a"
    target.write_bytes((build / "lib" / "libopenblas.a").read_bytes())
    plain = kit.tool(work / "plain", *kit.compile, VECTORS, behind=("-Wno-everything",))
    objects = [*_lapack_lite(work, plain, kit), _xerbla(work, plain, kit)]
    archive_of(objects, target, kit, work / "archive.log")
    copy_headers(build, output)


def compiled(work: Path, kit: Kit, extra: list[Path], *flags: str) -> Path:
    """Compiles the tree source0 of work; gives the folder with lib/libopenblas.a in it.

    extra: further kernels.
    """
    tree = work / "source0"
    for file in extra:
        (tree / "kernel" / "wasm" / file.name).write_bytes(file.read_bytes())
    cc = kit.tool(
        work / "cc",
        *kit.compile,
        VECTORS,
        "-D_WASI_EMULATED_MMAN",
        behind=("-Wno-everything", *flags),
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
    run_tool(
        [str(kit.ninja), "-C", str(build), f"-j{kit.jobs}", "lib/libopenblas.a"],
        log=work / "build.log",
        environment=kit.environment,
    )
    return build


def copy_headers(build: Path, output: Path) -> None:
    """Copies the headers that OpenBLAS made in a folder."""
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


def _xerbla(work: Path, cc: Path, kit: Kit) -> Path:
    source, target = work / "xerbla.c", work / "xerbla.o"
    source.write_text(_XERBLA)
    run_tool(
        [str(cc), "-O2", "-c", str(source), "-o", str(target)],
        log=work / "xerbla.log",
        environment=kit.environment,
    )
    return target


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
