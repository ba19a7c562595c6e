"""Access to the Unix group database, which has two entries here."""

import os as _os
from collections import namedtuple as _namedtuple

__all__ = ["getgrall", "getgrgid", "getgrnam", "struct_group"]

struct_group = _namedtuple("struct_group", "gr_name gr_passwd gr_gid gr_mem", module="grp")

_ENTRIES = (struct_group("root", "x", 0, []), struct_group("user", "x", 1000, []))


def getgrgid(id):
    """Return the group database entry for the given numeric group ID."""
    if not isinstance(id, int):
        raise TypeError(f"an integer is required (got type {type(id).__name__})")
    if not -1 <= id < 1 << 32:
        raise OverflowError("gid is out of range")
    for entry in _ENTRIES:
        if entry.gr_gid == id:
            return entry
    raise KeyError(f"getgrgid(): gid not found: {id}")


def getgrnam(name):
    """Return the group database entry for the given group name."""
    if not isinstance(name, str):
        raise TypeError(f"getgrnam() argument must be str, not {type(name).__name__}")
    if b"\0" in _os.fsencode(name):
        raise ValueError("embedded null byte")
    for entry in _ENTRIES:
        if entry.gr_name == name:
            return entry
    raise KeyError(f"getgrnam(): name not found: {name!r}")


def getgrall():
    """Return a list of all available group entries, in arbitrary order."""
    return list(_ENTRIES)
