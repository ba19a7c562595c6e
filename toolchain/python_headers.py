"""The headers of CPython 3.14, which native modules for sandboxes are compiled with.

CPython's source is in no package registry, so the headers lie beside this file as an archive whose
hash is in the lock file. ``python3 -m toolchain.python_headers DIRECTORY ORIGIN`` makes it anew
from an installed Python 3.14: DIRECTORY is its include directory, ORIGIN says what it came from.
``pyconfig.h``, which tells of the machine, is left out.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

from toolchain.lock import load_lock
from toolchain.source_archive import check, write

ARCHIVE = Path(__file__).with_name("python-headers.tar.xz")


def extract(output: Path) -> None:
    """Writes the headers to a directory. Raises BuildError if they are others than was locked."""
    check(ARCHIVE, load_lock().headers_sha256)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(output, filter="data")


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    include = Path(sys.argv[1])
    headers = {
        str(path.relative_to(include)): path.read_bytes()
        for path in include.rglob("*.h")
        if path.name != "pyconfig.h"
    }
    write(ARCHIVE, headers, "headers", sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
