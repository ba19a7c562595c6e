"""Packages that are built by Meson (the backend meson-python): a cross file, and what they need."""

from __future__ import annotations

import shutil
from pathlib import Path

BACKEND = "mesonpy"

# long double is a number of 128 bits, which Meson would run a program to find out.
_CROSS_FILE = """\
[binaries]
c = '{work}/cc'
cpp = '{work}/c++'
ar = '{work}/ar'
ranlib = '{work}/ranlib'
strip = '{work}/strip'
cython = 'cython'
pkg-config = '{pkg_config}'
cmake = 'false'
numpy-config = 'numpy-config'
pybind11-config = 'pybind11-config'

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


def settings(work: Path, arguments: list[str]) -> dict[str, object]:
    """Writes the cross file into work, beside the compilers and tools that it names.

    arguments: further ones of `meson setup`. Gives the settings for the backend.
    """
    cross = work / "wasi.cross"
    pkg_config = shutil.which("pkg-config") or "false"
    text = _CROSS_FILE.format(work=work, pkg_config=pkg_config)
    cross.write_text(text)
    setup = [f"--cross-file={cross}", "-Dbuildtype=release", *arguments]
    return {"builddir": str(work / "meson"), "setup-args": setup}
