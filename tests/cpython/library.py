"""Makes the standard library that the tests run with: the one of the package, with `test` added."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolchain.archive import pack

_HEADER = struct.Struct("<8sIIQQQ")
_ENTRY = struct.Struct("<IIHBBIIIQQ")
_DIRECTORY = 1

# Of no use without processes, a compiler or a display; a third of the suite.
_LEFT_OUT = {
    *("__pycache__", "leakers", "crashers", "libregrtest", "test_cext", "test_cppext"),
    *("test_multiprocessing_fork", "test_multiprocessing_forkserver"),
    *("test_multiprocessing_spawn", "test_idle", "test_tkinter"),
    *("test_ttk", "test_gdb", "test_capi", "test_ctypes", "test_peg_generator", "test_pyrepl"),
    *("test_interpreters", "tkinterdata", "wheeldata"),
}


def read_archive(path: Path) -> dict[str, bytes]:
    """All files of an archive that toolchain/archive.py has written."""
    data = path.read_bytes()
    _, _, count, _, names_size, _ = _HEADER.unpack_from(data)
    names_at = _HEADER.size + _ENTRY.size * count
    names = data[names_at : names_at + names_size]
    paths: list[str] = []
    files: dict[str, bytes] = {}
    for index in range(count):
        parent, name_at, name_size, kind, _, _, _, _, data_at, size = _ENTRY.unpack_from(
            data, _HEADER.size + _ENTRY.size * index
        )
        # Parents come before their children, and the root has no name.
        prefix = paths[parent] + "/" if index and paths[parent] else ""
        paths.append(prefix + names[name_at : name_at + name_size].decode())
        if kind != _DIRECTORY:
            files[paths[-1]] = data[data_at : data_at + size]
    return files


def pack_with_tests(library: Path, suite: Path, output: Path) -> None:
    """Writes the archive of the library with the suite's package `test` in it."""
    files = read_archive(library)
    for path in sorted((suite / "test").rglob("*")):
        relative = path.relative_to(suite)
        if path.is_file() and not _LEFT_OUT.intersection(relative.parts):
            files[str(relative)] = path.read_bytes()
    pack(files, output)
