"""Archives of sources that lie in the repository, each with its hash in the lock file."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.lock import LOCK_PATH, sha256


def check(archive: Path, expected: str) -> None:
    """Raises BuildError if the archive is another than was locked."""
    found = sha256(archive)
    if found != expected:
        raise BuildError(f"{archive}: expected SHA-256 {expected}, got {found}")


def write(archive: Path, files: Mapping[str, bytes], name: str, origin: str) -> None:
    """Makes the archive, the same bytes of the same files, and locks it under that name."""
    with tarfile.open(archive, "w:xz", format=tarfile.USTAR_FORMAT, preset=9) as made:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    lock = json.loads(LOCK_PATH.read_text())
    lock[name] = {"origin": origin, "sha256": sha256(archive)}
    LOCK_PATH.write_text(json.dumps(lock, indent=2) + "\n")
