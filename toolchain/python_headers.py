"""The headers of CPython 3.14, which native modules for sandboxes are compiled with.

CPython's source is in no package registry, so the headers lie beside this file as an archive whose
hash is in the lock file. ``python3 -m toolchain.python_headers DIRECTORY ORIGIN`` makes it anew
from an installed Python 3.14: DIRECTORY is its include directory, ORIGIN says what it came from.
``pyconfig.h``, which tells of the machine, is left out.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.lock import LOCK_PATH, load_lock, sha256

ARCHIVE = Path(__file__).with_name("python-headers.tar.xz")


def extract(output: Path) -> None:
    """Writes the headers to a directory. Raises BuildError if they are others than was locked."""
    expected = load_lock().headers_sha256
    found = sha256(ARCHIVE)
    if found != expected:
        raise BuildError(f"{ARCHIVE}: expected SHA-256 {expected}, got {found}")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(output, filter="data")


def make(include: Path) -> None:
    """Makes the archive: the same bytes of the same headers."""
    with tarfile.open(ARCHIVE, "w:xz", format=tarfile.USTAR_FORMAT, preset=9) as archive:
        for path in sorted(include.rglob("*.h")):
            if path.name == "pyconfig.h":
                continue
            data = path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(include)))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    make(Path(sys.argv[1]))
    lock = json.loads(LOCK_PATH.read_text())
    lock["headers"] = {"origin": sys.argv[2], "sha256": sha256(ARCHIVE)}
    LOCK_PATH.write_text(json.dumps(lock, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
