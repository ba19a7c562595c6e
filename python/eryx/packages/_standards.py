"""Versions, requirements, tags and names, as the library `packaging` reads them, for the guest.

The library comes with eryx; no other module imports it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging import pylock
    from packaging.dependency_groups import resolve_dependency_groups
    from packaging.requirements import Requirement as _Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag
    from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
    from packaging.version import Version
else:
    from eryx._vendor.packaging import pylock
    from eryx._vendor.packaging.dependency_groups import resolve_dependency_groups
    from eryx._vendor.packaging.requirements import Requirement as _Requirement
    from eryx._vendor.packaging.specifiers import SpecifierSet
    from eryx._vendor.packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag
    from eryx._vendor.packaging.utils import (
        canonicalize_name,
        parse_sdist_filename,
        parse_wheel_filename,
    )
    from eryx._vendor.packaging.version import Version

__all__ = [
    "GUEST_ENVIRONMENT",
    "GUEST_VERSION",
    "Requirement",
    "SpecifierSet",
    "Tag",
    "Version",
    "canonicalize_name",
    "fits_guest",
    "guest_tags",
    "is_wasi",
    "parse_sdist_filename",
    "parse_tags",
    "parse_version",
    "parse_wheel_filename",
    "pylock",
    "resolve_dependency_groups",
    "wants_other_python",
]

# What the interpreter in the sandbox says of itself; a test compares.
GUEST_VERSION = "3.14.7"
GUEST_ENVIRONMENT = {
    "implementation_name": "cpython",
    "implementation_version": GUEST_VERSION,
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_release": "0.0.0",
    "platform_system": "wasi",
    "platform_version": "0.0.0",
    "python_full_version": GUEST_VERSION,
    "python_version": "3.14",
    "sys_platform": "wasi",
}

_PLATFORM = "wasi_wasm32"
# Python in a sandbox calls its platform "wasi-wasm32"; others put a version in or turn it around.
_WASI = re.compile(r"wasi(?:_[0-9a-z_]+)?_wasm32|wasm32_wasi(?:p[0-9])?", re.ASCII)
# The names of the platform that wheels are made with, in order of preference.
_PLATFORMS = (_PLATFORM, "wasm32_wasi", "wasm32_wasip2", "wasm32_wasip1")
_ORDERED_TAGS = (
    *cpython_tags((3, 14), ["cp314"], _PLATFORMS),
    *compatible_tags((3, 14), "cp314", _PLATFORMS),
)
_GUEST_TAGS = frozenset(_ORDERED_TAGS)

# What packages say of themselves is read by whoever made them, so to say.
_MAX_LENGTH = 4096
_MAX_BRACKETS = 64
_MAX_TAGS = 1000


class Requirement(_Requirement):
    """A requirement, with its names in the form in which they are compared.

    Raises ValueError for what is none.
    """

    def __init__(self, text: str) -> None:
        try:
            if len(text) > _MAX_LENGTH or text.count("(") > _MAX_BRACKETS:
                raise ValueError("it is too long or nested too deeply")
            super().__init__(text)
            self.counts()  # that some comparisons are none shows only now
        except (ValueError, KeyError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{text[:200]!r} is not a requirement: {reason}") from None
        self.name = canonicalize_name(self.name)
        self.extras = {canonicalize_name(extra) for extra in self.extras}

    def counts(self, extras: Iterable[str] = ()) -> bool:
        """Whether its marker holds in the guest, for a package that is wanted with extras."""
        return self.marker is None or any(
            self.marker.evaluate({**GUEST_ENVIRONMENT, "extra": extra}) for extra in ("", *extras)
        )

    def fits(self, version: Version) -> bool:
        """Whether a version is one that it asks for, pre-releases included."""
        return self.specifier.contains(version, prereleases=True)

    @staticmethod
    def looks_named(text: str) -> bool:
        """Whether a text that is no requirement begins as one, and not as a path or an address."""
        return re.match(r"[A-Za-z0-9]", text) is not None and not re.match(r"\w*[:/\\]", text)

    @property
    def shown(self) -> str:
        """It without its marker."""
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        return f"{self.name}{extras}{self.specifier}"


def parse_version(text: str) -> Version:
    """Reads a version; raises ValueError for what is none."""
    if len(text) > _MAX_LENGTH:
        raise ValueError("Invalid version: it is too long")
    return Version(text)


def wants_other_python(requires_python: str) -> bool:
    """Whether the guest's Python is not one that a package is for."""
    try:
        if len(requires_python) > _MAX_LENGTH:
            return False
        return not SpecifierSet(requires_python).contains(GUEST_VERSION, prereleases=True)
    except ValueError:
        return False  # as installers do: a condition that nobody can read is none


def parse_tags(texts: Iterable[str]) -> frozenset[Tag]:
    """The tags of a wheel; raises ValueError for what is none, or for too many."""
    found: set[Tag] = set()
    for text in texts:
        found |= parse_tag(text, limit=_MAX_TAGS - len(found))
    return frozenset(found)


def guest_tags() -> tuple[Tag, ...]:
    """The tags of wheels for the guest, the best ones first."""
    return _ORDERED_TAGS


def is_wasi(tag: Tag) -> bool:
    """Whether it is for the guest's platform, under any of its names."""
    return _WASI.fullmatch(tag.platform) is not None


def fits_guest(tag: Tag) -> bool:
    """Whether a wheel with that tag is for the guest: pure Python, or native modules for WASI."""
    platform = _PLATFORM if is_wasi(tag) else tag.platform
    return Tag(tag.interpreter, tag.abi, platform) in _GUEST_TAGS
