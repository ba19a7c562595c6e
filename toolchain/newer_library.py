"""Files of the standard library of a later 3.14, in place of those that the source has.

The interpreter, with all that is written in C, is as old as the source that it is compiled from;
what is written in Python need not be. Debian keeps its packages for weeks only, so the files lie
beside this one as an archive whose hash is in the lock file.
``python3 -m toolchain.newer_library OLD NEW ORIGIN`` makes it anew: OLD is the tar of the guest's
library, NEW a directory with the later one, ORIGIN says what that came from.
"""

from __future__ import annotations

import fnmatch
import sys
import tarfile
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.lock import load_lock
from toolchain.source_archive import check, write
from toolchain.stdlib import read_library

ARCHIVE = Path(__file__).with_name("newer-library.tar.xz")

# What stays as it is, by patterns of paths.
KEPT = (
    # The interpreter holds these frozen, and takes them from there.
    *("abc.py", "codecs.py", "io.py", "os.py", "site.py", "stat.py", "runpy.py", "zipimport.py"),
    *("_collections_abc.py", "_sitebuiltins.py", "genericpath.py", "ntpath.py", "posixpath.py"),
    *("importlib/_bootstrap*.py", "importlib/machinery.py", "importlib/util.py"),
    # Debian has changed them.
    *("dbm/gnu.py", "dbm/ndbm.py", "getopt.py", "gettext.py", "locale.py", "optparse.py"),
    *("pydoc.py", "sysconfig/*"),
    # Their other half is in C and not here, or they are about another system.
    *("_ios_support.py", "_pyrepl/*", "asyncio/proactor_events.py", "asyncio/windows_*.py"),
    *("compression/zstd/*", "concurrent/futures/interpreter.py", "concurrent/interpreters/*"),
    *("ctypes/*", "curses/*", "multiprocessing/*", "nturl2path.py", "webbrowser.py"),
    # Text of the manual.
    "pydoc_data/*",
)

# What the later library has and the older one has not.
ADDED = ("pathlib/_local.py",)


def read() -> dict[str, bytes]:
    """The files by path. Raises BuildError if they are others than was locked."""
    check(ARCHIVE, load_lock().newer_library_sha256)
    files: dict[str, bytes] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None:
                files[member.name] = stream.read()
    return files


def renew(library: dict[str, bytes], newer: dict[str, bytes]) -> dict[str, bytes]:
    """The library with newer files; raises BuildError if one of them has no older one."""
    strange = sorted(newer.keys() - library.keys() - set(ADDED))
    if strange:
        raise BuildError(f"{strange[0]} is not in the guest's library: its package has changed")
    return {**library, **newer}


def choose(library: dict[str, bytes], directory: Path) -> dict[str, bytes]:
    """The files of a later library that are to be taken, by path: those that have changed."""
    chosen = {path: (directory / path).read_bytes() for path in ADDED}
    for path, data in library.items():
        kept = any(fnmatch.fnmatchcase(path, pattern) for pattern in KEPT)
        later = directory / path
        if path.endswith(".py") and not kept and later.is_file() and later.read_bytes() != data:
            chosen[path] = later.read_bytes()
    return chosen


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    files = choose(read_library(Path(sys.argv[1])), Path(sys.argv[2]))
    write(ARCHIVE, files, "newer-library", sys.argv[3])
    return 0


if __name__ == "__main__":
    sys.exit(main())
