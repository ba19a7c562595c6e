"""This module provides access to the Unix password database, which has two entries here."""

import os as _os
from collections import namedtuple as _namedtuple

__all__ = ["getpwall", "getpwnam", "getpwuid", "struct_passwd"]

struct_passwd = _namedtuple(
    "struct_passwd", "pw_name pw_passwd pw_uid pw_gid pw_gecos pw_dir pw_shell", module="pwd"
)

_ENTRIES = (
    struct_passwd("root", "x", 0, 0, "", "/", "/bin/sh"),
    struct_passwd("user", "x", 1000, 1000, "", "/data", "/bin/sh"),
)


def getpwuid(uidobj, /):
    """Return the password database entry for the given numeric user ID."""
    if not isinstance(uidobj, int):
        raise TypeError(f"an integer is required (got type {type(uidobj).__name__})")
    for entry in _ENTRIES:
        if entry.pw_uid == uidobj:
            return entry
    raise KeyError(f"getpwuid(): uid not found: {uidobj}")


def getpwnam(name, /):
    """Return the password database entry for the given user name."""
    if not isinstance(name, str):
        raise TypeError(f"getpwnam() argument must be str, not {type(name).__name__}")
    if b"\0" in _os.fsencode(name):
        raise ValueError("embedded null byte")
    for entry in _ENTRIES:
        if entry.pw_name == name:
            return entry
    raise KeyError(f"getpwnam(): name not found: {name!r}")


def getpwall():
    """Return a list of all available password database entries, in arbitrary order."""
    return list(_ENTRIES)
