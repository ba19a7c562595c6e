"""Packages for sandboxes: reads wheels, source archives and directories of pure Python.

`SandboxFactory(packages=...)` does this by itself; these functions are for looking at packages
before, and for choosing them:

- `collect` reads packages and checks them.
- `check` tells which of their dependencies are missing.
- `lock` looks packages up by their names, with all their dependencies, in the indexes that pip
  uses; a `Lock` says which files they are.
- `Installer` lets programs ask for packages while they run.
- `resolve` picks packages and their dependencies from a directory of wheels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from eryx.packages._collect import Source, collect
from eryx.packages._package import Package
from eryx.packages._set import Missing, PackageSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx.packages._indexes import Indexes
    from eryx.packages._installer import Installer
    from eryx.packages._lock import Lock, lock
    from eryx.packages._report import Report
    from eryx.packages._resolve import resolve

__all__ = [
    "Indexes",
    "Installer",
    "Lock",
    "Missing",
    "Package",
    "PackageSet",
    "Report",
    "check",
    "collect",
    "lock",
    "resolve",
]

# What is for packages by name, and is imported when somebody asks.
_LATE = {
    "Indexes": "eryx.packages._indexes",
    "Installer": "eryx.packages._installer",
    "Lock": "eryx.packages._lock",
    "Report": "eryx.packages._report",
    "lock": "eryx.packages._lock",
    "resolve": "eryx.packages._resolve",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_LATE[name]), name)
    if name.islower():
        value.__module__ = __name__
    globals()[name] = value
    return value


def check(
    packages: PackageSet | Iterable[Source],
    *,
    site_packages: str | os.PathLike[str] | None = None,
) -> PackageSet:
    """Reads packages as `collect` does, if that is not done yet, and wants all dependencies there.

    Raises InitializationError that lists the missing ones.
    """
    if not isinstance(packages, PackageSet):
        packages = collect(packages, site_packages=site_packages, bytecode=False)
    packages.check()
    return packages


for _function in (check, collect):
    _function.__module__ = "eryx.packages"
