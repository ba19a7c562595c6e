"""The packages of a factory, and the native modules among them."""

from __future__ import annotations

import os
import re

from eryx._errors import InitializationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from eryx._factory_template import Template
    from eryx.native import NativeModule
    from eryx.packages import PackageSet

# A name, and what a version of it must be; files of packages have a dot and letters behind it.
_NAME = re.compile(r"[A-Za-z0-9][\w-]*(?:\[[\w,-]+\])?(?:[<>=!~]=?[^/]*)?")

Source = str | os.PathLike[str] | bytes | tuple[str, bytes]


class Contents:
    """Packages as sandboxes get them."""

    __slots__ = ("digest", "found", "hint", "listed", "modules", "native_files")

    def __init__(self, modules: tuple[NativeModule, ...]) -> None:
        self.found: PackageSet | None = None  # not compiled yet
        self.digest = ""  # of all files
        self.listed: list[list[str]] = []  # names and versions
        self.native_files: list[str] = []  # paths of the native modules
        self.modules = modules  # translated
        self.hint = ""  # what is missing

    def archive(self, *, is_cached: bool = False) -> bytes:
        """All files and their bytecode in one piece; empty for none."""
        return b"" if self.found is None else self.found.with_bytecode(cache=is_cached).archive


def collect_contents(
    site_packages: str | os.PathLike[str] | None,
    packages: Iterable[Source] | None,
    native_modules: Iterable[NativeModule] = (),
) -> Contents:
    """Reads packages, and translates their native modules but for those that are given."""
    given = tuple(native_modules)
    contents = Contents(given)
    if site_packages is None and packages is None:
        return contents
    if isinstance(packages, str | bytes):
        raise TypeError(f"packages must be a list, not {type(packages).__name__}")
    from eryx.packages import collect

    sources = () if packages is None else _with_wheels(tuple(packages))
    found = collect(sources, site_packages=site_packages, bytecode=False)
    contents.found, contents.digest = found, found.digest
    contents.listed = [[package.name, str(package.version or "")] for package in found.packages]
    contents.native_files = sorted(found.native_files)
    contents.modules = (*given, *found.native_modules(needed=given))
    contents.hint = found.explain_missing()
    return contents


def _with_wheels(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Sources with the wheels of eryx-science in the place of names, such as ``numpy``."""
    named = [source for source in sources if isinstance(source, str) and is_name(source)]
    if not named:
        return sources
    from eryx._science import wheels

    others = tuple(source for source in sources if source not in named)
    return (*others, *map(str, wheels(named)))


def is_name(source: str) -> bool:
    """Whether it can only be the name of a package."""
    return _NAME.fullmatch(source) is not None and not os.path.lexists(source)


def stored_modules(template: Template, given: tuple[NativeModule, ...]) -> tuple[NativeModule, ...]:
    """The native modules of a template: those that are given or were translated before."""
    paths = template.description["native_files"]
    if not paths:
        return given
    from eryx._archive import unpack
    from eryx.native import from_files

    files = unpack(template.archive)
    missing = [path for path in paths if path not in files]
    if missing:
        raise InitializationError(f"{missing[0]} is not among its files")
    stored = {path: files[path] for path in paths}
    return (*given, *from_files(stored, needed=given, compiling=False))


def open_handles(modules: tuple[NativeModule, ...]) -> tuple[object, ...]:
    """Handles for the binding."""
    if not modules:
        return ()
    from eryx.native._module import open_modules

    return open_modules(modules)
