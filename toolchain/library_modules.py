"""Modules of the standard library that the guest's package lacks: _bz2, _lzma, _zstd, digests.

One dynamic library of libbz2, liblzma, libzstd and some of OpenSSL, whose sources come as crates,
of CPython's own modules over the first three, and of ours over the last (guest/library/). It is
linked with the interpreter, so programs find it in the memory of the image, and what it computes
is counted and stopped as anything else.
"""

from __future__ import annotations

import ast
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain import crates, debian
from toolchain.cache import Cache
from toolchain.errors import BuildError
from toolchain.lock import Lock
from toolchain.process import run_tool
from toolchain.tools import Tools

NAME = "modules.wasm"
PYTHON = "python3.14"
CRATES = ("bzip2-sys", "liblzma-sys", "openssl-src", "zstd-sys")
SOURCES = Path(__file__).parent.parent / "guest" / "library"

_FLAGS = (
    *("-target", "wasm32-wasi", "-std=gnu17", "-O3", "-g0", "-fPIC", "-fvisibility=hidden"),
    *("-fno-sanitize=all", "-DNDEBUG", "-Qunused-arguments"),
)
_OWN_WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-Wvla", "-Werror")
_LINK_FLAGS = (
    *("-shared", "--experimental-pic", "--no-entry", "--unresolved-symbols=import-dynamic"),
    *("-Bsymbolic", "--export-dynamic", "--strip-debug", "--gc-sections"),
)

_BZIP2 = (
    *("blocksort.c", "bzlib.c", "compress.c", "crctable.c", "decompress.c", "huffman.c"),
    "randtable.c",
)
_LZMA_FOLDERS = ("common", "lzma", "lz", "check", "delta", "rangecoder", "simple")
# For several threads, for other processors, or programs that make tables.
_LZMA_LEFT_OUT = re.compile(r".*(_mt|tablegen|_small|_consts_gen|_decoder_mt|hardware_\w+)\.c")
_ZSTD_FOLDERS = ("common", "compress", "decompress", "dictBuilder")
_MODULES = ("_bz2module.c", "_lzmamodule.c")  # and those of _zstd
# Not as what is built in: that knows where the interpreter has its strings.
_MODULE_FLAGS = ("-DPy_BUILD_CORE_MODULE", "-D_WASI_EMULATED_SIGNAL")
_OF_PYTHON = ("Include/", "Modules/clinic/", "Modules/_zstd/", *(f"Modules/{n}" for n in _MODULES))
_OPENSSL = ("crypto/ripemd/rmd_dgst.c", "crypto/sm3/sm3.c", "crypto/sha/sha512.c")

# What of sysconfig's variables is in pyconfig.h.
_MACRO = re.compile(
    r"(?:HAVE|SIZEOF|ALIGNOF|WITH|USE|Py|PY|STDC|DOUBLE_IS|MAJOR|SYS|TIMEMODULE|ENABLE)_\w+"
    r"|_GNU_SOURCE|_ALL_SOURCE|WITHOUT_\w+|_Py\w+"
)


@dataclass(frozen=True)
class _Unit:
    """A file to be compiled, and how."""

    source: Path
    flags: tuple[str, ...]


def _includes(*paths: Path) -> tuple[str, ...]:
    return tuple(f"-I{path}" for path in paths)


def write_configuration(standard_library: Path, output: Path) -> None:
    """Makes the guest's pyconfig.h of what its own sysconfig says.

    standard_library: the tar of it.
    """
    with tarfile.open(standard_library) as archive:
        names = [name for name in archive.getnames() if "_sysconfigdata_" in name]
        stream = archive.extractfile(names[0]) if len(names) == 1 else None
        if stream is None:
            raise BuildError(f"{standard_library} has no configuration of Python")
        tree = ast.parse(stream.read())
    values: dict[str, object] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            values = ast.literal_eval(statement.value)
    lines = ["#ifndef Py_PYCONFIG_H", "#define Py_PYCONFIG_H"]
    for name, value in sorted(values.items()):
        if isinstance(value, int) and value and _MACRO.fullmatch(name):
            lines.append(f"#define {name} {int(value)}")
    (output / "pyconfig.h").write_text("\n".join([*lines, "#endif", ""]))


def _bzip2(source: Path) -> Iterator[_Unit]:
    for name in _BZIP2:
        yield _Unit(source / "bzip2-1.0.8" / name, ("-w", "-DBZ_NO_STDIO"))


def _lzma(source: Path) -> Iterator[_Unit]:
    library = source / "xz" / "src" / "liblzma"
    flags = (
        *("-w", "-DHAVE_CONFIG_H=1"),
        *_includes(source, library / "api", *(library / name for name in _LZMA_FOLDERS)),
        *_includes(source / "xz" / "src" / "common"),
    )
    for folder in _LZMA_FOLDERS:
        for path in sorted((library / folder).glob("*.c")):
            if not _LZMA_LEFT_OUT.fullmatch(path.name):
                yield _Unit(path, flags)


def _zstd(source: Path) -> Iterator[_Unit]:
    library = source / "zstd" / "lib"
    flags = ("-w", "-DZSTD_DISABLE_ASM", "-DZDICTLIB_VISIBILITY=", *_includes(library))
    flags += ("-DZSTDLIB_VISIBLE=", "-DZSTDERRORLIB_VISIBLE=", "-DZDICTLIB_VISIBLE=")
    for folder in _ZSTD_FOLDERS:
        for path in sorted((library / folder).glob("*.c")):
            yield _Unit(path, flags)


def _modules(places: dict[str, Path], python: Path, openssl: Path) -> Iterator[_Unit]:
    """CPython's own, over the libraries, and ours."""
    system = tuple(f"-isystem{python / name}" for name in ("Include", "Include/internal"))
    libraries = _includes(
        places["bzip2-sys"] / "bzip2-1.0.8",
        places["liblzma-sys"] / "xz" / "src" / "liblzma" / "api",
        places["zstd-sys"] / "zstd" / "lib",
    )
    modules = python / "Modules"
    for path in (*(modules / name for name in _MODULES), *sorted((modules / "_zstd").glob("*.c"))):
        yield _Unit(path, ("-w", *_MODULE_FLAGS, *system, *libraries))
    digests = places["openssl-src"] / "openssl"
    # The generated headers of OpenSSL are the host's, but for the one that says what there is.
    digest_flags = _includes(SOURCES, openssl / "include", digests / "include", digests)
    for path in sorted(SOURCES.glob("*.c")):
        yield _Unit(path, (*_OWN_WARNINGS, *system, *digest_flags))
    for name in _OPENSSL:
        yield _Unit(digests / name, ("-w", *digest_flags))


def _extract_python(archive: Path, output: Path) -> None:
    """What of CPython's source is wanted here, without its topmost folder."""
    with tarfile.open(archive) as source:
        for member in source:
            member.name = member.name.partition("/")[2]
            if member.name.startswith(_OF_PYTHON):
                source.extract(member, output, filter="data")


def _compile(units: Iterable[_Unit], output: Path, tools: Tools, jobs: int) -> list[Path]:
    def compile_one(numbered: tuple[int, _Unit]) -> Path:
        number, unit = numbered
        target = output / f"{number:03}-{unit.source.stem}.o"
        run_tool(
            [
                *(str(tools.zig), "cc", *_FLAGS, *unit.flags),
                *("-c", str(unit.source), "-o", str(target)),
            ],
            log=output / f"{target.stem}.log",
            environment=tools.zig_environment(),
        )
        return target

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(compile_one, enumerate(units)))


def build(
    output: Path,
    *,
    lock: Lock,
    standard_library: Path,
    openssl: Path,
    tools: Tools,
    cache: Cache,
    jobs: int,
) -> None:
    """Writes the library into output.

    standard_library: the tar of the guest's; openssl: what was built of it for the host.
    """
    work = output / "work"
    python = work / "python"
    _extract_python(debian.cached_source(PYTHON, lock, cache), python)
    write_configuration(standard_library, python / "Include")
    places = {name: crates.extract(lock.crates[name], work / name, cache) for name in CRATES}
    objects = work / "objects"
    objects.mkdir()
    units = [
        *_bzip2(places["bzip2-sys"]),
        *_lzma(places["liblzma-sys"]),
        *_zstd(places["zstd-sys"]),
        *_modules(places, python, openssl),
    ]
    compiled = _compile(units, objects, tools, jobs)
    run_tool(
        [
            *(str(tools.zig), "wasm-ld", *_LINK_FLAGS),
            *map(str, compiled),
            *("-o", str(output / NAME)),
        ],
        log=output / "link.log",
        environment=tools.zig_environment(),
    )
    shutil.rmtree(work)
