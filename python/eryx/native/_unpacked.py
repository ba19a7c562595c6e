"""Archives of eryx-science, unpacked once for each user: wheels, and modules as translated.

They lie in the folder of translated modules (docs/native.md), each under the hash of its archive,
and appear there when they are complete: several processes may do this at once. Where nothing can be
kept, in a folder of this process that goes with it. What is code is checked by its hash before it
is loaded, as any other (`NativeModule.open`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tarfile
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from eryx import _cache_folder
from eryx._errors import InitializationError
from eryx._files import reason_of

_PREFIX = "science-"
_WORK = "work-science-"
_ABANDONED_S = 24 * 3600
_READ_BYTES = 1 << 20

_lock = threading.Lock()


def unpacked(archive: Path, digest: str, files: Mapping[str, int]) -> Path:
    """The folder with the files of an archive, which is unpacked unless it was before.

    archive: a .tar.xz; digest: its SHA-256, which names the folder; files: their names and sizes.

    Raises InitializationError if it cannot be read, or unpacked anywhere. Any thread may call it.
    """
    name = folder_name(digest)
    place = _kept()
    try:
        if place is not None:
            return _unpacked_in(place, archive, name, files)
    except OSError as error:
        reason = f"{place}: {reason_of(error)}"
    else:
        reason = f"{_cache_folder.cache_folder('native')} cannot be made"
    try:
        with _lock:
            place = _of_this_process(os.getpid())
        return _unpacked_in(place, archive, name, files)
    except OSError as error:
        raise InitializationError(
            f"{archive.name} cannot be unpacked: {reason} (the folder of ERYX_CACHE_DIR, or of the"
            f" user's cache), nor in a temporary folder: {reason_of(error)}"
        ) from None


def folder_name(digest: str) -> str:
    """What the folder of an archive is called. digest: its SHA-256."""
    return f"{_PREFIX}{digest[:40]}"


def _unpacked_in(place: Path, archive: Path, name: str, files: Mapping[str, int]) -> Path:
    """Raises OSError if there is no room, and InitializationError if the archive is damaged."""
    if _is_whole(place / name, files):
        return place / name
    return _unpack(archive, place, name, files)


def _kept() -> Path | None:
    """The user's folder of native code; None if there can be none.

    Raises InitializationError if others could put files into it.
    """
    try:
        return Path(_cache_folder.private_folder("native"))
    except InitializationError:
        folder = _cache_folder.cache_folder("native")
        if os.path.isdir(folder):
            raise
        return None


@cache
def _of_this_process(process: int) -> Path:
    """A folder that goes when this process ends. Raises OSError."""
    folder = Path(tempfile.mkdtemp(prefix="eryx-science-"))
    _cache_folder.add_code_folder(str(folder))

    def remove() -> None:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def _is_whole(folder: Path, files: Mapping[str, int]) -> bool:
    """Whether all files are there with their sizes. Their hashes are looked at on loading."""
    try:
        return all(os.stat(folder / name).st_size == size for name, size in files.items())
    except OSError:
        return False


def _unpack(archive: Path, place: Path, name: str, files: Mapping[str, int]) -> Path:
    """As `_unpacked_in`, where it is not there."""
    _remove_abandoned(place)
    work = Path(tempfile.mkdtemp(prefix=_WORK, dir=place))
    try:
        _extract(archive, work, files)
        final = place / name
        try:
            work.rename(final)
        except OSError:
            if not _is_whole(final, files):  # else another one was faster, and may be using it
                shutil.rmtree(final, ignore_errors=True)
                work.rename(final)
        return final
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _extract(archive: Path, target: Path, files: Mapping[str, int]) -> None:
    try:
        import lzma
    except ImportError:
        raise InitializationError(
            f"{archive.name} cannot be unpacked: this Python was built without the module lzma of "
            "the standard library (liblzma); take one that has it"
        ) from None
    if not os.access(archive, os.R_OK):
        raise InitializationError(f"{archive}: eryx-science is damaged: it cannot be read")
    try:
        found = set()
        with (
            open(archive, "rb") as source,
            tarfile.open(fileobj=source, mode="r|xz", bufsize=_READ_BYTES) as reader,
        ):
            for member in reader:
                if files.get(member.name) != member.size or not member.isreg():
                    raise ValueError(f"{member.name} is not what it should be")
                data = reader.extractfile(member)
                assert data is not None
                with open(target / member.name, "xb", opener=_private) as file:
                    shutil.copyfileobj(data, file, _READ_BYTES)
                found.add(member.name)
        if missing := sorted(files.keys() - found):
            raise ValueError(f"{missing[0]} is missing")
    except (ValueError, EOFError, lzma.LZMAError, tarfile.TarError) as error:
        raise InitializationError(f"{archive}: eryx-science is damaged: {error}") from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _remove_abandoned(place: Path) -> None:
    """What processes left that were killed while they did this."""
    for work in place.glob(f"{_WORK}*"):
        with suppress(OSError):
            if work.stat().st_mtime < time.time() - _ABANDONED_S:
                shutil.rmtree(work, ignore_errors=True)
