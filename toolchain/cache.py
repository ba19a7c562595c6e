"""A cache of step results by content hash.

An entry is a directory that also holds a manifest with the SHA-256 of each of its files; it is
checked before use, and appears under its final name only when complete, so an interrupted build
leaves nothing half-done behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from toolchain.lock import sha256

MANIFEST = "manifest.json"
_WORK = ".work-"
# A step takes minutes: a working directory that is older was left by a build that was killed.
_ABANDONED_SECONDS = 24 * 3600


def default_root() -> Path:
    """ERYX_CACHE, or eryx-build in the user's cache directory."""
    named = os.environ.get("ERYX_CACHE")
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "eryx-build"


def key_of(parts: dict[str, object]) -> str:
    """A hash of everything that a result depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Cache:
    """Entries under root, named by step and key."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, step: str, key: str) -> Path:
        return self.root / step / key[:40]

    def find(self, step: str, key: str) -> Path | None:
        """The directory of an intact entry; a damaged one is removed."""
        path = self._path(step, key)
        manifest = path / MANIFEST
        if not manifest.is_file():
            return None
        try:
            files = json.loads(manifest.read_text())
            intact = all(sha256(path / name) == digest for name, digest in files.items())
        except (OSError, ValueError, AttributeError):
            intact = False
        if not intact:
            shutil.rmtree(path, ignore_errors=True)
            return None
        os.utime(manifest)
        return path

    def store(self, step: str, key: str, build: Callable[[Path], None]) -> Path:
        """Lets build() fill a new directory and makes it the entry."""
        final = self._path(step, key)
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=final.parent))
        try:
            build(work)
            files = {
                str(path.relative_to(work)): sha256(path)
                for path in sorted(work.rglob("*"))
                if path.is_file() and not path.is_symlink()
            }
            (work / MANIFEST).write_text(json.dumps(files, indent=1, sort_keys=True))
            if final.exists():
                shutil.rmtree(final)
            work.rename(final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return final

    def prune(self, step: str, keep: int) -> None:
        """Removes all but the last used entries of a step; those of the last hour may be in use.

        What builds left that were killed goes too, a day later.
        """
        for work in (self.root / step).glob(f"{_WORK}*"):
            try:
                age = time.time() - work.stat().st_mtime
            except FileNotFoundError:
                continue  # another build has just finished it
            if age > _ABANDONED_SECONDS:
                shutil.rmtree(work, ignore_errors=True)
        entries = sorted(
            (path.parent for path in (self.root / step).glob(f"*/{MANIFEST}")),
            key=lambda path: (path / MANIFEST).stat().st_mtime,
        )
        for entry in entries[:-keep]:
            if (entry / MANIFEST).stat().st_mtime < time.time() - 3600:
                shutil.rmtree(entry, ignore_errors=True)


def content_digest(entry: Path) -> str:
    """A hash of what an entry contains: the same for equal results of different builds."""
    return sha256(entry / MANIFEST)


def entry_size(entry: Path) -> int:
    """Bytes of all files of an entry."""
    return sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
