"""Where the wheels of the package eryx-science are, by the names of packages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eryx._errors import InitializationError
from eryx.native._prebuilt import INSTALL, Prebuilt, installed
from eryx.packages._standards import Requirement, canonicalize_name, parse_version


def find(name: str) -> Path | None:
    """The wheel of a package, which `SandboxFactory` and `eryx.packages` take; None if it has none.

    name: of the package, in any spelling.

    It is unpacked into the user's cache folder unless it was before.

    Raises InitializationError if eryx-science is installed for another build of eryx, or cannot be
    unpacked.

    >>> find("no-such-package") is None
    True
    """
    science = installed()
    wanted = canonicalize_name(name)
    if science is None or wanted not in science.wheels:
        return None
    return science.wheel_paths([wanted])[0]


def wheels(names: Iterable[str]) -> list[Path]:
    """The wheels of packages and of all that these need.

    names: of packages, which may say versions, such as ``numpy>=2``.

    They are unpacked into the user's cache folder unless they were before.

    Raises InitializationError if one is not among them or cannot be unpacked, and if eryx-science
    is not installed; the message has the command that brings it.
    """
    science = installed()
    wanted = list(names)
    if science is None:
        raise InitializationError(
            f"{', '.join(wanted)}: the packages for science are not installed: {INSTALL}"
        )
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in found:
            found[name] = None
            for other in science.needs[name]:
                add(other)

    for text in wanted:
        add(named(text, science))
    return science.wheel_paths(sorted(found))


def settings(names: Iterable[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """What a `SandboxFactory` with these packages, imported and used, is given.

    names: as of `wheels`, and raises as that. options: what was said otherwise.
    """
    wanted = list(names)
    found = wheels(wanted)
    science = installed()
    assert science is not None
    chosen = [named(name, science) for name in wanted]
    modules = [module for name in chosen for module in science.imports.get(name, [])]
    result = {"imports": modules, "cache": True, **options}
    if options.keys().isdisjoint(("imports", "setup_code")):
        programs = [science.warm_up[name] for name in chosen if name in science.warm_up]
        result["setup_code"] = "".join(programs) or None
    result["packages"] = [*map(str, found), *result.get("packages", ())]
    return result


def named(text: str, science: Prebuilt) -> str:
    """The package that a requirement names. Raises InitializationError if there is none."""
    try:
        requirement = Requirement(text)
    except ValueError as error:
        raise InitializationError(str(error)) from None
    version = science.versions.get(requirement.name)
    if version is None:
        have = ", ".join(sorted(science.versions))
        raise InitializationError(
            f"{text}: there is no such file, and no such package in eryx-science, which has {have}"
        )
    if not requirement.fits(parse_version(version)):
        raise InitializationError(f"{text}: eryx-science has {requirement.name} {version}")
    return requirement.name
