"""Libraries for XML and YAML: libxml2, libxslt, libyaml."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from native.kit import Kit
from toolchain.errors import BuildError
from toolchain.process import run_tool


def _by_cmake(number: int, work: Path, output: Path, kit: Kit, options: dict[str, str]) -> None:
    """Builds a source archive, and installs it into output, where it also finds others."""
    build = work / f"build{number}"
    build.mkdir()
    given: dict[str, object] = {
        "CMAKE_MAKE_PROGRAM": kit.ninja,
        "CMAKE_SYSTEM_NAME": "Generic",
        "CMAKE_SYSTEM_PROCESSOR": "wasm32",
        "UNIX": 1,
        "CMAKE_C_COMPILER": kit.tool(build / "cc", *kit.compile, behind=("-w",)),
        "CMAKE_AR": kit.tool(build / "ar", str(kit.zig), "ar"),
        "CMAKE_RANLIB": kit.tool(build / "ranlib", str(kit.zig), "ranlib"),
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_PREFIX": output,
        "CMAKE_INSTALL_LIBDIR": "lib",
        # What this machine has is none for sandboxes.
        "CMAKE_FIND_ROOT_PATH": output,
        **{f"CMAKE_FIND_ROOT_PATH_MODE_{kind}": "ONLY" for kind in ("LIBRARY", "PACKAGE")},
        "BUILD_SHARED_LIBS": "OFF",
        **options,
    }
    run_tool(
        [
            *("cmake", "-G", "Ninja", "-S", str(work / f"source{number}"), "-B", str(build)),
            *(f"-D{name}={value}" for name, value in given.items()),
        ],
        log=work / f"configure{number}.log",
        environment=kit.environment,
    )
    run_tool(
        [str(kit.ninja), "-C", str(build), f"-j{kit.jobs}", "install"],
        log=work / f"build{number}.log",
        environment=kit.environment,
    )


def _remove_places(output: Path) -> None:
    """Without files that say where a library was built."""
    for folder in ("bin", "cmake", "share", "lib/cmake", "lib/pkgconfig"):
        shutil.rmtree(output / folder, ignore_errors=True)
    for script in (output / "lib").glob("*.sh"):
        script.unlink()


# ---- XML -----------------------------------------------------------------------------------------

_WITHOUT = ("MODULES", "PROGRAMS", "PYTHON", "TESTS", "THREADS")
# What builds ask for flags of the compiler.
_CONFIG = """\
#!/bin/sh
root=$(cd "$(dirname "$0")/.." && pwd)
case "$1" in
    --version) echo {version} ;;
    --cflags) echo "-I$root/include/libxml2 -I$root/include" ;;
    --libs) echo "-L$root/lib {libraries}" ;;
esac
"""


def xml(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """libxml2, which reads no compressed files, and libxslt with EXSLT."""
    options = {f"LIBXML2_WITH_{name}": "OFF" for name in _WITHOUT}
    _by_cmake(0, work, output, kit, {**options, "LIBXML2_WITH_SCHEMATRON": "ON"})
    options = {f"LIBXSLT_WITH_{name}": "OFF" for name in _WITHOUT}
    _by_cmake(1, work, output, kit, options)
    _remove_places(output)
    (output / "bin").mkdir()
    for name, header, libraries in (
        ("xml2-config", "libxml2/libxml/xmlversion.h", "-lxml2"),
        ("xslt-config", "libxslt/xsltconfig.h", "-lexslt -lxslt -lxml2"),
    ):
        text = (output / "include" / header).read_text()
        found = re.search(r'DOTTED_VERSION "([\d.]+)"', text)
        if found is None:
            raise BuildError(f"{header} does not say its version")
        program = output / "bin" / name
        program.write_text(_CONFIG.format(version=found[1], libraries=libraries))
        program.chmod(0o700)


# ---- YAML ----------------------------------------------------------------------------------------


def yaml(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """libyaml."""
    _by_cmake(0, work, output, kit, {"BUILD_TESTING": "OFF"})
    _remove_places(output)
