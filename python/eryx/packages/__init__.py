"""Packages for sandboxes: reads wheels, source archives and directories of pure Python.

`SandboxFactory(packages=...)` does this by itself; these functions are for looking at packages
before, and for choosing them:

- `collect` reads packages and checks them.
- `check` tells which of their dependencies are missing.
- `resolve` picks packages and their dependencies from a directory of wheels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from eryx.packages._collect import Source, collect
from eryx.packages._package import Package
from eryx.packages._resolve import resolve
from eryx.packages._set import Missing, PackageSet

__all__ = ["Missing", "Package", "PackageSet", "check", "collect", "resolve"]


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


for _function in (check, collect, resolve):
    _function.__module__ = "eryx.packages"
