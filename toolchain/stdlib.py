"""Chooses what of the standard library goes into the archive, and packs it with its bytecode."""

from __future__ import annotations

import tarfile
from pathlib import Path

from toolchain.archive import pack
from toolchain.errors import BuildError

# Without a display, a terminal or a package installer these cannot do anything.
DROPPED_DIRECTORIES = {
    "__phello__",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
    "venv",
    "__pycache__",
}
DROPPED_PREFIXES = ("config-", "turtle", "__hello__", "_aix_support", "_android_support")
DROPPED_PREFIXES_ANY_DEPTH = ("idle_test",)
KEPT_SUFFIXES = (".py", ".txt", ".toml", ".json", ".xsd", ".css", ".html", ".pyi")


def _is_kept(path: str) -> bool:
    parts = path.split("/")
    if DROPPED_DIRECTORIES.intersection(parts[:-1]) or parts[0].startswith(DROPPED_PREFIXES):
        return False
    return parts[-1].endswith(KEPT_SUFFIXES)


def read_library(archive: Path) -> dict[str, bytes]:
    """The wanted files of the standard library's tar, by path."""
    files = _read(archive)
    if "os.py" not in files or "asyncio/__init__.py" not in files:
        raise BuildError(f"{archive} does not look like a standard library")
    return files


def read_configuration(archive: Path) -> dict[str, bytes]:
    """What a tar of the standard library says of how CPython was built, by path."""
    return {
        path: data
        for path, data in _read(archive).items()
        if path.startswith(("_sysconfig", "build-details"))
    }


def _read(archive: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.removeprefix("./")
            if member.isfile() and _is_kept(path):
                stream = tar.extractfile(member)
                if stream is not None:
                    files[path] = stream.read()
    return files


def read_runtime(directory: Path) -> dict[str, bytes]:
    """The guest's own Python modules, by path."""
    files = {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*.py"))
        if "__pycache__" not in path.parts
    }
    if not files:
        raise BuildError(f"there are no Python files in {directory}")
    return files


def merge(library: dict[str, bytes], runtime: dict[str, bytes]) -> dict[str, bytes]:
    """Both together; raises BuildError if a name is taken twice."""
    taken = sorted(library.keys() & runtime.keys())
    if taken:
        raise BuildError(f"guest module {taken[0]} has the name of a standard one")
    return {**library, **runtime}


def bytecode_path(path: str) -> str:
    """Where Python looks for the bytecode of a module."""
    directory, _, name = path.rpartition("/")
    prefix = f"{directory}/" if directory else ""
    return f"{prefix}__pycache__/{name.removesuffix('.py')}.cpython-314.pyc"


def pack_library(files: dict[str, bytes], bytecode: dict[str, bytes], output: Path) -> None:
    """Writes the archive: sources, and bytecode (by source path) where there is some."""
    entries = dict(files)
    entries.update({bytecode_path(path): data for path, data in bytecode.items()})
    pack(entries, output)
