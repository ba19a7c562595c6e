"""Wheels for sandboxes that were built for everybody: those of the package eryx-science."""

from __future__ import annotations

import importlib
import os


def prebuilt_wheels(name: str) -> list[str]:
    """Paths of the wheels that there are of a package, by its name in lower case with hyphens."""
    try:
        science = importlib.import_module("eryx.science")
    except ModuleNotFoundError:
        return []
    found = science.find(name)
    return [] if found is None else [os.fspath(found)]
