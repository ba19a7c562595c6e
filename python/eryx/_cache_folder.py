"""Where things are kept on disk: factories, bytecode and translated native modules."""

from __future__ import annotations

import os
import stat

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder(kind: str) -> str:
    """In ERYX_CACHE_DIR, or in eryx in the user's cache folder."""
    named = os.environ.get("ERYX_CACHE_DIR")
    if not named:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        named = os.path.join(base, "eryx")
    return os.path.join(named, kind)


def is_private(folder: str) -> bool:
    """Whether nobody but this user can put files into a folder. Raises OSError."""
    status = os.stat(folder)
    return status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS
