"""Packages that are built by Meson (the backend meson-python): a cross file, and what they need."""

from __future__ import annotations

from pathlib import Path

BACKEND = "mesonpy"

# What packages have to be told, by name. numpy has neither vectors nor a BLAS for this machine yet,
# and threads that wait for each other are not what a sandbox has processors for.
ARGUMENTS = {
    "numpy": (
        *("-Dblas=none", "-Dlapack=none", "-Dallow-noblas=true"),
        *("-Ddisable-optimization=true", "-Ddisable-highway=true", "-Ddisable-threading=true"),
    )
}

# long double is a number of 128 bits, which Meson would run a program to find out.
_CROSS_FILE = """\
[binaries]
c = '{work}/cc'
cpp = '{work}/c++'
ar = '{work}/ar'
ranlib = '{work}/ranlib'
strip = '{work}/strip'
cython = 'cython'
pkg-config = 'false'

[properties]
needs_exe_wrapper = true
longdouble_format = 'IEEE_QUAD_LE'
devnull = '/dev/null'

[host_machine]
system = 'wasi'
kernel = 'none'
cpu_family = 'wasm32'
cpu = 'wasm32'
endian = 'little'
"""


def settings(work: Path, zig: str, name: str, extra: list[str]) -> dict[str, object]:
    """Writes the cross file and the tools that it names into work, beside the compilers.

    name: of the package; extra: further arguments of `meson setup`. Gives the settings for the
    backend.
    """
    for tool in ("ar", "ranlib"):
        program = work / tool
        program.write_text(f'#!/bin/sh\nexec "{zig}" {tool} "$@"\n')
        program.chmod(0o700)
    strip = work / "strip"
    strip.write_text("#!/bin/sh\nexit 0\n")
    strip.chmod(0o700)
    cross = work / "wasi.cross"
    cross.write_text(_CROSS_FILE.format(work=work))
    arguments = [f"--cross-file={cross}", "-Dbuildtype=release", *ARGUMENTS.get(name, ()), *extra]
    return {"builddir": str(work / "meson"), "setup-args": arguments}
