"""Libraries in C that packages are linked to, compiled for sandboxes from Debian's sources.

Each is a prefix: a folder with ``include`` and ``lib``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from native import fortran, lapack, markup, openblas, pictures, sources
from native.kit import Kit
from native.recipes import PATCHES
from toolchain import debian
from toolchain.cache import content_digest, key_of
from toolchain.lock import sha256

# Increase it when what is made changes otherwise than by what the key has.
_VERSION = 2
_STEP = "science-library"

_Builder = Callable[[Path, Path, Kit, list[Path]], None]
"""Takes a folder with the sources (``source0`` and so on), the prefix, what to build with, and the
files of native/patches that are no patches."""


@dataclass(frozen=True)
class _Library:
    """How a library is built."""

    build: _Builder
    debian: tuple[str, ...]
    """Debian's source packages; the first is what patches are for."""
    archives: tuple[str, ...] = ()
    """Source archives of PyPI that it takes beside."""
    version: int = 0
    """Increased when its builder changes."""
    patched_as: tuple[str, ...] = ()
    """Libraries whose patches it takes before its own."""
    own: tuple[Path, ...] = ()
    """Further files of ours that it is made of."""


_LIBRARIES = {
    "openblas": _Library(openblas.build, ("openblas",), ("numpy",), version=1),
    "lapack": _Library(
        lapack.build,
        ("openblas", "lapack"),
        patched_as=("openblas",),
        own=(Path(lapack.__file__), Path(fortran.__file__), *sorted(lapack.SOURCES.iterdir())),
    ),
    "zlib": _Library(pictures.zlib, ("zlib",)),
    "jpeg": _Library(pictures.jpeg, ("libjpeg-turbo",)),
    "text": _Library(pictures.text, ("freetype", "harfbuzz", "sheenbidi", "raqm")),
    "qhull": _Library(pictures.qhull, ("qhull",)),
    "xml": _Library(markup.xml, ("libxml2", "libxslt")),
    "yaml": _Library(markup.yaml, ("libyaml",)),
}
NAMES = tuple(_LIBRARIES)


def prefix(name: str, kit: Kit) -> Path:
    """A library, built unless it is in the cache."""
    library = _LIBRARIES[name]
    files, patches = _files(name, kit), _patches(name)
    key = _key(name, kit, files, patches)
    entry = kit.cache.find(_STEP, key)
    if entry is None:
        print(f"building {name}", flush=True)
        make = partial(_build, build=library.build, kit=kit, files=files, patches=patches)
        entry = kit.cache.store(_STEP, key, make)
    return entry


def is_cached(name: str, kit: Kit) -> bool:
    """Whether a library was built before."""
    key = _key(name, kit, _files(name, kit), _patches(name))
    return kit.cache.find(_STEP, key) is not None


def _files(name: str, kit: Kit) -> list[Path]:
    """The archives that a library is made of."""
    library = _LIBRARIES[name]
    files = [debian.cached_source(source, kit.lock, kit.cache) for source in library.debian]
    return files + [sources.archive(source, kit.lock, kit.cache) for source in library.archives]


def _patches(name: str) -> list[Path]:
    folders = (*_LIBRARIES[name].patched_as, name)
    return [path for each in folders for path in sorted((PATCHES / each).glob("*"))]


def _key(name: str, kit: Kit, files: list[Path], patches: list[Path]) -> str:
    library = _LIBRARIES[name]
    return key_of(
        {
            "name": name,
            "version": _VERSION,
            "compiler": kit.identity,
            "sources": [sha256(file) for file in files],
            "patches": [sha256(file) for file in patches],
            "own": [sha256(file) for file in sorted(Path(__file__).parent.glob("*.c"))],
            **({"builder": library.version} if library.version else {}),
            **({"further": [sha256(file) for file in library.own]} if library.own else {}),
        }
    )


def digest(name: str, kit: Kit) -> str:
    """A hash of what a library consists of."""
    return content_digest(prefix(name, kit))


def _build(
    output: Path, *, build: _Builder, kit: Kit, files: list[Path], patches: list[Path]
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
        build(work, output, kit, [path for path in patches if path.suffix != ".patch"])
