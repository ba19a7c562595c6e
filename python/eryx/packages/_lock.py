"""Locks: which files packages are, with their hashes, in the format of PEP 751 (pylock.toml)."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterable
from urllib.parse import urlsplit

from eryx._annotations import late_annotations
from eryx._errors import InitializationError
from eryx._files import read_file, write_file
from eryx.packages._extra import library
from eryx.packages._finder import HASHES, File, Finder, Kind
from eryx.packages._http import Client, shown
from eryx.packages._indexes import Indexes
from eryx.packages._report import Report
from eryx.packages._requirements import Wanted
from eryx.packages._resolve import Resolver, read_requirements
from eryx.packages._standards import (
    GUEST_ENVIRONMENT,
    Version,
    guest_tags,
    pylock,
)
from eryx.packages._store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from eryx.packages._resolve import Candidate

_MAX_BYTES = 16 << 20
_MAX_PACKAGES = 10_000
_MARKER = "sys_platform == 'wasi'"
DEADLINE_S = 1_800.0  # of all that is fetched at once


class Lock:
    """Files of packages, each with its hashes: all that is needed to have the same ones again.

    >>> lock = Lock.read("pylock.toml")
    >>> [f"{name} {version}" for name, version in lock.packages]
    ['greet 1.0']
    """

    __module__ = "eryx.packages"

    def __init__(self, content: pylock.Pylock, folder: str, indexes: Indexes | None) -> None:
        """Locks are made by `lock` and `Lock.read`."""
        self._content = content
        self._folder = folder
        self._indexes = indexes
        self._files = _select(content, folder)

    def __eq__(self, other: object) -> bool:
        """Equal if they have the same files, from the same indexes."""
        if not isinstance(other, Lock):
            return NotImplemented
        mine = self._content, self._folder, self._indexes
        return mine == (other._content, other._folder, other._indexes)

    def __hash__(self) -> int:
        """Fits __eq__."""
        return hash((tuple(self.packages), self._folder))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a file that `write` or another tool has written.

        Raises InitializationError if it is malformed, wants what is not taken (directories,
        repositories), or has nothing for the sandbox.
        """
        name = os.fspath(path)
        text = read_file(path, _MAX_BYTES)
        try:
            return cls._parsed(text.decode(), os.path.dirname(os.path.abspath(name)), None)
        except UnicodeDecodeError:
            raise InitializationError(f"{name}: is not UTF-8") from None
        except InitializationError as error:
            raise InitializationError(f"{name}: {error}") from None

    @classmethod
    def _parsed(cls, text: str, folder: str, indexes: Indexes | None) -> Self:
        try:
            document = tomllib.loads(text)
            content = pylock.Pylock.from_dict(document)
            content.validate()
            if len(content.packages) > _MAX_PACKAGES:
                raise ValueError(f"it has more than {_MAX_PACKAGES:,} packages")
            return cls(content, folder, indexes)
        except (
            ValueError,
            RecursionError,
            pylock.PylockValidationError,
            pylock.PylockSelectError,
        ) as error:
            raise InitializationError(f"is no lock for the sandbox: {str(error)[:500]}") from None

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file, such as ``pylock.toml``. Raises InitializationError."""
        write_file(path, self.to_toml(os.path.dirname(os.path.abspath(path))).encode())

    def to_toml(self, folder: str | None = None) -> str:
        """It as a text. folder: that of its file, from which paths of files count."""
        document: dict[str, Any] = dict(self._content.to_dict())
        for package in document["packages"]:
            for file in (*package.get("wheels", ()), *filter(None, (package.get("sdist"),))):
                if "path" in file:
                    whole = os.path.join(self._folder, file["path"])
                    file["path"] = whole if folder is None else os.path.relpath(whole, folder)
        return str(library("tomli_w", "writing locks").dumps(document))

    @property
    def packages(self) -> tuple[tuple[str, str], ...]:
        """Names and versions, sorted."""
        return tuple(sorted((file.name, str(file.version)) for file in self._files))

    def check(self, requirements: Iterable[str]) -> None:
        """Raises InitializationError if what is locked is not what requirements ask for."""
        known = {file.name: file.version for file in self._files}
        for requirement in read_requirements(requirements):
            version = known.get(requirement.name)
            if requirement.counts() and (version is None or not requirement.fits(version)):
                there = "is not in the lock" if version is None else f"is locked as {version}"
                raise InitializationError(
                    f"{requirement.shown}: {requirement.name} {there}; `eryx lock` makes it anew"
                )

    def fetch(
        self,
        *,
        indexes: Indexes | None = None,
        report: Report | None = None,
        timeout_s: float = DEADLINE_S,
    ) -> list[tuple[str, bytes]]:
        """The files, as ``SandboxFactory(packages=...)`` takes them.

        timeout_s: seconds for all of it.

        What was fetched before comes from the user's cache. Raises InitializationError if one
        cannot be had, or has not the hashes of the lock.
        """
        own = indexes or self._indexes or Indexes.configured()
        with Client(own, deadline_s=timeout_s) as client:
            store = Store(client, report or Report())
            return [(file.filename, store.contents(file)) for file in self._files]

    def __repr__(self) -> str:
        """What is in it."""
        return f"<Lock of {', '.join(' '.join(each) for each in self.packages) or 'nothing'}>"


def _select(content: pylock.Pylock, folder: str) -> list[File]:
    environment: Any = {**GUEST_ENVIRONMENT, "extra": ""}
    files = []
    for package, chosen in content.select(environment=environment, tags=guest_tags()):
        if not isinstance(chosen, pylock.PackageWheel | pylock.PackageSdist):
            raise ValueError(
                f"{package.name} is a directory, repository or archive without a version,"
                " which are not taken"
            )
        if package.version is None:
            raise ValueError(f"{package.name} has no version")
        hashes = {name: str(value) for name, value in chosen.hashes.items() if name in HASHES}
        if not hashes:
            raise ValueError(f"{package.name} has no hash of {', '.join(HASHES)}")
        is_wheel = isinstance(chosen, pylock.PackageWheel)
        files.append(
            File(
                name=str(package.name),
                version=Version(str(package.version)),
                filename=chosen.filename,
                kind=Kind.PURE if is_wheel else Kind.SOURCE,
                url=_url(str(package.name), chosen, folder),
                hashes=hashes,
            )
        )
    return files


def _url(name: str, chosen: Any, folder: str) -> str:
    if chosen.path is not None:
        import pathlib

        return pathlib.Path(os.path.abspath(os.path.join(folder, chosen.path))).as_uri()
    if urlsplit(chosen.url).scheme not in ("http", "https", "file"):
        raise ValueError(f"{name} is at {shown(chosen.url)}, which is not an address of the web")
    return str(chosen.url)


# ---- Making one ----------------------------------------------------------------------------------


def lock(
    requirements: Iterable[str] = (),
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    constraints: Iterable[str | os.PathLike[str]] = (),
    groups: Iterable[str] = (),
    extras: Iterable[str] = (),
    limits: Iterable[str] = (),
    indexes: Indexes | None = None,
    earlier: Lock | None = None,
    report: Report | None = None,
    timeout_s: float = DEADLINE_S,
) -> Lock:
    """Looks packages up with all their dependencies, for the sandbox, and locks them.

    requirements: as installers take them, such as ``jinja2>=3``.
    files: each a requirements.txt, or a pyproject.toml, whose dependencies count.
    constraints: files that limit versions.
    groups: dependency groups (PEP 735) of the pyproject.toml, in place of its dependencies.
    extras: extras of the pyproject.toml.
    limits: requirements that limit versions, and want nothing by themselves.
    indexes: where packages are; None for where pip is configured to look.
    earlier: a lock whose versions are kept where they still fit.
    report: is told what is fetched.
    timeout_s: seconds for all of it.

    Takes the extra ``eryx-sandbox[install]``. Nothing of a package is run. Raises
    InitializationError that says what does not fit, or cannot be fetched.
    """
    wanted = Wanted()
    wanted.requirements += read_requirements(requirements)
    wanted.limits += read_requirements(limits)
    for path in files:
        wanted.add(os.fspath(path), groups=groups, extras=extras)
    for path in constraints:
        wanted.add_limits(os.fspath(path))
    own = wanted.indexes(indexes or Indexes.configured())
    with Client(own, deadline_s=timeout_s) as client:
        store = Store(client, report or Report())
        resolver = Resolver(
            Finder(own, client),
            store,
            limits=wanted.limits,
            hashes=wanted.hashes if wanted.require_hashes else None,
            preferred=dict(earlier.packages) if earlier is not None else None,
        )
        chosen = resolver.resolve(wanted.requirements)
        packages = [_locked(candidate, store) for candidate in chosen]
    content = pylock.Pylock.from_dict(
        {
            "lock-version": "1.0",
            "environments": [_MARKER],
            "requires-python": "==3.14.*",
            "created-by": "eryx",
            "packages": packages,
        }
    )
    return Lock(content, os.getcwd(), own)


def _locked(candidate: Candidate, store: Store) -> dict[str, Any]:
    """A package as a lock has it."""
    file = candidate.file
    entry: dict[str, Any] = {"name": file.filename}
    digest = file.hashes.get("sha256")
    if digest is None or file.path:
        data = store.contents(file)
        digest = hashlib.sha256(data).hexdigest()
        entry["size"] = len(data)
    if file.path:
        entry["path"] = file.path
    else:
        entry["url"] = _without_secrets(file.url)
    entry["hashes"] = {"sha256": digest}
    package: dict[str, Any] = {"name": candidate.name, "version": str(candidate.version)}
    if file.index is not None:
        package["index"] = _without_secrets(file.index)
    needs = sorted({need.name for need in candidate.needs if need.counts(candidate.extras)})
    if needs:
        package["dependencies"] = [{"name": name} for name in needs]
    if file.kind == Kind.SOURCE:
        package["sdist"] = entry
    else:
        package["wheels"] = [entry]
    return package


def _without_secrets(url: str) -> str:
    """An address without the user and the password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


late_annotations(globals(), Lock)
