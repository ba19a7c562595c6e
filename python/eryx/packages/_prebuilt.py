"""Wheels for sandboxes that were built for everybody: those of the package eryx-science."""

from __future__ import annotations

import os


def prebuilt_wheels(name: str) -> list[str]:
    """Paths of the wheels that there are of a package, by its name in lower case with hyphens.

    Raises InitializationError if eryx-science is installed for another build of eryx.
    """
    from eryx.native._prebuilt import installed

    science = installed()
    path = None if science is None else science.wheels.get(name)
    return [] if path is None else [os.fspath(path)]


def prebuilt_along(name: str) -> list[str]:
    """What a prebuilt package needs besides what it says itself."""
    from eryx.native._prebuilt import installed

    science = installed()
    return [] if science is None else list(science.needs.get(name, ()))


def prebuilt_names() -> list[str]:
    """Paths of all wheels, on which depends what a name leads to."""
    from eryx.native._prebuilt import installed

    science = installed()
    return [] if science is None else sorted(map(str, science.wheels.values()))
