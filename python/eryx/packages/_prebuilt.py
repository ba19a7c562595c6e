"""Wheels for sandboxes that were built for everybody: those of the package eryx-science."""

from __future__ import annotations

import os


def prebuilt_wheels(name: str) -> list[str]:
    """Paths of the wheels that there are of a package, by its name in lower case with hyphens.

    Raises InitializationError if eryx-science is installed for another build of eryx, or cannot be
    unpacked.
    """
    from eryx.native._prebuilt import installed

    science = installed()
    if science is None or name not in science.wheels:
        return []
    return [os.fspath(path) for path in science.wheel_paths([name])]


def prebuilt_again(path: str) -> str:
    """The path of a file, or if it is gone that of the same wheel of eryx-science.

    Raises InitializationError as `prebuilt_wheels`.
    """
    if os.path.exists(path):
        return path
    from eryx.native._prebuilt import installed

    science = installed()
    if science is not None:
        filename = os.path.basename(path)
        for name, wheel in science.wheels.items():
            if wheel == filename:
                return os.fspath(science.wheel_paths([name])[0])
    return path


def prebuilt_along(name: str) -> list[str]:
    """What a prebuilt package needs besides what it says itself."""
    from eryx.native._prebuilt import installed

    science = installed()
    return [] if science is None else list(science.needs.get(name, ()))


def prebuilt_names() -> list[str]:
    """Where all wheels are from, on which depends what a name leads to."""
    from eryx.native._prebuilt import installed

    science = installed()
    if science is None:
        return []
    return [f"{science.folder}: {name}" for name in sorted(science.wheels.values())]
