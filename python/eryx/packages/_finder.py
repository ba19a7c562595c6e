"""What there is of a package: files of indexes and folders, as unearth finds them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import IntEnum

from eryx._errors import InitializationError
from eryx.packages._extra import library
from eryx.packages._http import FetchError, file_path, follow, shown
from eryx.packages._standards import (
    Version,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
    wants_other_python,
)
from eryx.packages._wheel import is_native, tags_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx.packages._http import Client
    from eryx.packages._indexes import Indexes

_MAX_FILES = 100_000  # that an index may list of one package
HASHES = ("sha256", "sha384", "sha512")  # those that nobody can forge


class Kind(IntEnum):
    """Kinds of files, the better ones higher."""

    SOURCE = 0
    PREBUILT = 1
    PURE = 2
    NATIVE = 3


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that may be picked."""

    name: str
    version: Version
    filename: str
    kind: Kind
    url: str
    index: str | None = None
    hashes: dict[str, str] = field(default_factory=dict, compare=False, hash=False)
    metadata_hashes: dict[str, str] | None = field(default=None, compare=False, hash=False)
    """What the index promises of the metadata beside the file; None if there are none."""
    yanked: bool = False

    @property
    def path(self) -> str:
        """Where it lies on this machine; empty if it has to be fetched."""
        return file_path(self.url)

    @property
    def label(self) -> str:
        """For people."""
        return self.path or self.filename


@dataclass
class Found:
    """All about one package."""

    files: list[File] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Why others are none, with an example each."""

    def refuse(self, filename: str, reason: str) -> None:
        """Notes a file that cannot be used."""
        if len(self.refused) < 3:
            self.refused.setdefault(reason, f"{filename} {reason}")


class Finder:
    """Looks packages up, each of them once."""

    def __init__(self, indexes: Indexes, client: Client) -> None:
        self._unearth = library("unearth", "looking packages up")
        self._client = client
        self._known: dict[str, Found] = {}
        self._folders: dict[str, dict[str, list[str]]] = {}  # files by the names of packages
        self._links = tuple(indexes.find_links)
        last = () if indexes.no_index else (indexes.index_url or self._usual_index(),)
        first = () if indexes.no_index else indexes.extra_index_urls
        self._indexes = (*first, *last)

    def _usual_index(self) -> str:
        """The one that everybody uses."""
        return str(self._unearth.PackageFinder(session=self._client).sources[0]["url"])

    def find(self, name: str) -> Found:
        """The files of a package that the guest may use. Raises FetchError.

        name: as it is compared.
        """
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = Found()
            for place in self._links:
                if os.path.isdir(place):
                    self._add_folder(found, name, place)
                else:
                    self._add(found, name, {"find_links": [place]}, None)
            for index in self._indexes:
                if self._add(found, name, {"index_urls": [index]}, index):
                    break
            _add_prebuilt(found, name)
            found.files.sort(key=lambda file: (file.version, file.kind, file.filename))
            found.files.reverse()
        return found

    def _add_folder(self, found: Found, name: str, folder: str) -> None:
        """Adds what lies in a folder of this machine, which is looked through once."""
        files = self._folders.get(folder)
        if files is None:
            files = self._folders[folder] = {}
            try:
                names = sorted(os.listdir(folder))
            except OSError as error:
                reason = error.strerror or str(error)
                raise InitializationError(f"{folder}: cannot be read: {reason}") from None
            for filename in names:
                stem = filename.removesuffix(".tgz").removesuffix(".tar.gz")
                own = filename.partition("-")[0] if stem == filename else stem.rpartition("-")[0]
                files.setdefault(canonicalize_name(own), []).append(filename)
        for filename in files.get(name, ()):
            path = os.path.abspath(os.path.join(folder, filename))
            _take(found, name, self._unearth.Link.from_path(path), None)

    def _add(self, found: Found, name: str, place: dict[str, list[str]], index: str | None) -> bool:
        """Adds what one place has; tells whether it knows the package."""
        label = shown(index) if index else place["find_links"][0]
        if not index and "://" not in label:
            _check_readable(label)
        finder = self._unearth.PackageFinder(
            session=self._client, ignore_compatibility=True, **place
        )
        if index is None:
            finder.sources = [s for s in finder.sources if s["type"] == "find_links"]
        try:
            links = finder.find_all_packages(name, allow_yanked=True)
            for number, package in enumerate(links):
                if number >= _MAX_FILES:
                    raise FetchError(f"{label}: lists more than {_MAX_FILES:,} files of {name}")
                _take(found, name, package.link, index)
            return len(links) > 0
        except InitializationError:
            raise
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            text = str(error)[:200]
            raise FetchError(f"{label}: what it says of {name} is malformed: {text}") from None
        except OSError as error:
            raise FetchError(f"{label}: {error.strerror or error}") from None


def _check_readable(place: str) -> None:
    try:
        os.stat(place)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InitializationError(f"{place}: cannot be read: {reason}") from None


def _take(found: Found, name: str, link: Any, index: str | None) -> None:
    """Adds the file of a link if it is one for the guest."""
    filename = str(link.filename)
    if "/" in filename or len(filename) > 255 or not filename.isprintable():
        return
    if index is not None:
        follow(index, link.url_without_fragment)
    elif link.comes_from is not None:
        follow(str(link.comes_from), link.url_without_fragment)
    if link.requires_python and wants_other_python(str(link.requires_python)):
        found.refuse(filename, f"needs Python {str(link.requires_python)[:100]}")
        return
    try:
        if filename.endswith(".whl"):
            project, version, _, tags = parse_wheel_filename(filename)
            if tags_problem(tags):
                found.refuse(filename, "is not for the sandbox")
                return
            kind = Kind.NATIVE if is_native(tags) else Kind.PURE
        elif filename.endswith((".tar.gz", ".tgz")):
            stem = filename.removesuffix(".tgz").removesuffix(".tar.gz")
            project, version = parse_sdist_filename(f"{stem}.tar.gz")
            kind = Kind.SOURCE
        else:
            return
    except ValueError:
        return  # nothing that can be wanted has such a name
    if project != name:
        return
    promised = link.dist_info_metadata
    found.files.append(
        File(
            name=name,
            version=version,
            filename=filename,
            kind=kind,
            url=str(link.url_without_fragment),
            index=index,
            hashes=_strong(link.hashes or {link.hash_name: link.hash}),
            metadata_hashes=_strong(promised if isinstance(promised, dict) else {})
            if promised
            else None,
            yanked=bool(link.is_yanked),
        )
    )


def _strong(hashes: Any) -> dict[str, str]:
    """Those hashes that say something."""
    if not isinstance(hashes, dict):
        return {}
    return {
        name: value.lower()
        for name, value in hashes.items()
        if name in HASHES and isinstance(value, str)
    }


def _add_prebuilt(found: Found, name: str) -> None:
    """Adds what the wheel eryx-science has, if it is installed."""
    from eryx.packages._prebuilt import prebuilt_wheels

    for path in prebuilt_wheels(name):
        filename = os.path.basename(path)
        project, version, _, _ = parse_wheel_filename(filename)
        if canonicalize_name(project) == name:
            found.files.append(
                File(
                    name=name,
                    version=version,
                    filename=filename,
                    kind=Kind.PREBUILT,
                    url=_as_url(path),
                )
            )


def _as_url(path: str) -> str:
    import pathlib

    return pathlib.Path(os.path.abspath(path)).as_uri()
