"""Where things are kept on disk: factories, bytecode and translated native modules."""

from __future__ import annotations

import os
import stat

from eryx._errors import InitializationError

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder(kind: str) -> str:
    """In ERYX_CACHE_DIR, or in eryx in the user's cache folder."""
    named = os.environ.get("ERYX_CACHE_DIR")
    if not named:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        named = os.path.join(base, "eryx")
    return os.path.join(named, kind)


_code: list[str] = []


def code_folders() -> list[str]:
    """Where native code lies that this process may load: no guest must write there."""
    return [cache_folder("native"), *_code]


def add_code_folder(folder: str) -> None:
    """Adds one to `code_folders`."""
    _code.append(folder)


def is_private(folder: str) -> bool:
    """Whether nobody but this user can put files into a folder. Raises OSError."""
    status = os.stat(folder)
    return status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS


def private_folder(kind: str) -> str:
    """A folder of the user's cache. Raises InitializationError if others could write to it."""
    folder = cache_folder(kind)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        private = is_private(folder)
    except OSError as error:
        raise InitializationError(f"{folder}: {error.strerror or error}") from None
    if not private:
        raise InitializationError(f"{folder}: other users could put files into this cache folder")
    return folder
