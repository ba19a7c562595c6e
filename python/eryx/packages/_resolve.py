"""Picks packages and all their dependencies: resolvelib decides, over what there is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from eryx._errors import InitializationError
from eryx.packages._archives import read_tar_gz, read_zip
from eryx.packages._extra import library
from eryx.packages._finder import File, Finder, Found, Kind
from eryx.packages._http import Client, FetchError
from eryx.packages._indexes import Indexes
from eryx.packages._metadata import check_python, read_metadata
from eryx.packages._prebuilt import prebuilt_along
from eryx.packages._report import Report
from eryx.packages._source_tree import install_source, source_metadata, unwrapped
from eryx.packages._standards import (
    Requirement,
    SpecifierSet,
    Version,
    canonicalize_name,
    parse_version,
)
from eryx.packages._store import Store
from eryx.packages._wheel import wheel_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from eryx.packages._metadata import Metadata

_MAX_ROUNDS = 20_000  # of trying; real sets take a few hundred
_MAX_SHOWN = 8  # requirements in an error


@dataclass(frozen=True, eq=False)
class _Want:
    """A requirement; one that is just a limit wants nothing by itself."""

    requirement: Requirement
    extras: frozenset[str]
    by: str

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        return self.requirement.name, self.extras


@dataclass(frozen=True)
class Candidate:
    """A version of a package, with extras."""

    name: str
    version: Version
    extras: frozenset[str]
    file: File = field(compare=False, hash=False)
    needs: tuple[Requirement, ...] = field(compare=False, hash=False, repr=False)

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        return self.name, self.extras

    def __str__(self) -> str:
        """For people."""
        return f"{self.name} {self.version}"


class Resolver:
    """Looks packages up and picks them."""

    def __init__(
        self,
        finder: Finder,
        store: Store,
        *,
        limits: Iterable[Requirement] = (),
        hashes: Mapping[str, frozenset[str]] | None = None,
        preferred: Mapping[str, str] | None = None,
    ) -> None:
        """limits: requirements that want nothing by themselves.

        hashes: SHA-256 of the only files that count, by names of packages; None for any.
        preferred: versions that are taken if they fit, by names.
        """
        self._finder = finder
        self._store = store
        self._limits: dict[str, list[Requirement]] = {}
        for limit in limits:
            self._limits.setdefault(limit.name, []).append(limit)
        self._hashes = hashes
        self._preferred = preferred or {}
        self._read: dict[File, tuple[Requirement, ...] | InitializationError] = {}
        self._no_sources: dict[str, str] = {}
        self._order: dict[str, int] = {}

    def resolve(self, wanted: Sequence[Requirement]) -> list[Candidate]:
        """The choice, sorted by name. Raises InitializationError that says what does not fit."""
        resolvelib = library("resolvelib", "picking packages")
        for requirement in wanted:
            self._order.setdefault(requirement.name, len(self._order))
        provider = _provider_class(resolvelib)(self)
        wants = [want for each in wanted if each.counts() for want in _wants(each, "you")]
        try:
            result = resolvelib.Resolver(provider, resolvelib.BaseReporter()).resolve(
                wants, max_rounds=_MAX_ROUNDS
            )
        except resolvelib.ResolutionImpossible as error:
            raise InitializationError(self._explain(error.causes)) from None
        except resolvelib.ResolutionTooDeep:
            raise InitializationError(
                f"no fitting packages found in {_MAX_ROUNDS:,} attempts"
            ) from None
        chosen = {candidate.name: candidate for candidate in result.mapping.values()}
        return [chosen[name] for name in sorted(chosen)]

    # ---- What there is ----

    def candidates(
        self,
        key: tuple[str, frozenset[str]],
        wants: Sequence[_Want],
        excluded: frozenset[Version],
    ) -> Iterator[Candidate]:
        """Versions that fit, the best first; their files are looked at when they are asked for."""
        name, extras = key
        found = self._finder.find(name)
        limits = [want.requirement for want in wants] + self._limits.get(name, [])
        specifier = SpecifierSet()
        for limit in limits:
            specifier &= limit.specifier
        pinned = any(each.operator in ("==", "===") for each in specifier)
        files = [
            file
            for file in found.files
            if file.version not in excluded
            and (pinned or not file.yanked)
            and self._is_allowed(file)
        ]
        fitting = list(specifier.filter(files, key=lambda file: file.version))
        prebuilt = any(file.kind == Kind.PREBUILT for file in fitting)
        preferred = self._preferred.get(name)
        if preferred is not None:
            fitting.sort(key=lambda file: str(file.version) != preferred)
        given: set[Version] = set()
        for file in fitting:
            if file.version in given or (prebuilt and file.kind == Kind.SOURCE):
                continue
            if file.kind == Kind.SOURCE and name in self._no_sources:
                continue
            needs = self._needs(file)
            if isinstance(needs, InitializationError):
                if file.kind == Kind.SOURCE and file.path == "":
                    # What needs a compiler did so earlier, too, and its archives may be large.
                    self._no_sources[name] = str(needs)
                continue
            given.add(file.version)
            yield Candidate(name, file.version, extras, file, needs)

    def _is_allowed(self, file: File) -> bool:
        if self._hashes is None:
            return True
        allowed = self._hashes.get(file.name)
        return allowed is not None and self._digest(file) in allowed

    def _digest(self, file: File) -> str:
        import hashlib

        known = file.hashes.get("sha256")
        if known is None:
            known = hashlib.sha256(self._store.contents(file)).hexdigest()
            file.hashes["sha256"] = known
        return known

    def _needs(self, file: File) -> tuple[Requirement, ...] | InitializationError:
        """What a file requires; an exception if it cannot be used."""
        known = self._read.get(file)
        if known is None:
            try:
                known = tuple(_requirements(file, self._metadata(file)))
                if file.kind == Kind.PREBUILT:
                    known += tuple(map(Requirement, prebuilt_along(file.name)))
            except FetchError:
                raise
            except InitializationError as error:
                known = error
            self._read[file] = known
        return known

    def _metadata(self, file: File) -> Metadata:
        if file.kind != Kind.SOURCE:
            data = self._store.metadata(file)
            if data is None:
                tree = read_zip(file.label, self._store.contents(file))
                return wheel_metadata(tree, file.filename)
            metadata = read_metadata(file.label, "METADATA", data)
        else:
            tree = read_tar_gz(file.label, self._store.contents(file))
            found = source_metadata(tree)
            if found is None:
                raise InitializationError(f"{file.label}: does not say its name and version")
            metadata = found
        check_python(file.label, metadata.requires_python)
        own = canonicalize_name(metadata.name), parse_version(metadata.version)
        if own != (file.name, file.version):
            raise InitializationError(
                f"{file.label}: is named as {file.name} {file.version},"
                f" but is {metadata.name} {metadata.version}"
            )
        if file.kind == Kind.SOURCE:
            install_source(file.label, unwrapped(tree))  # that it can be
        return metadata

    # ---- What to say ----

    def _explain(self, causes: Iterable[Any]) -> str:
        by_name: dict[str, list[_Want]] = {}
        for cause in causes:
            by_name.setdefault(cause.requirement.requirement.name, []).append(cause.requirement)
        return "; ".join(self._conflict(name, wants) for name, wants in sorted(by_name.items()))

    def _conflict(self, name: str, wants: list[_Want]) -> str:
        texts = {f"{want.requirement.shown} (wanted by {want.by})": None for want in wants}
        limits = {f"{limit.shown} (a constraint)": None for limit in self._limits.get(name, [])}
        found = self._finder.find(name)
        versions = list(dict.fromkeys(str(file.version) for file in found.files))
        there = f"there is {name} {', '.join(versions[:_MAX_SHOWN])}" if versions else ""
        if len(versions) > _MAX_SHOWN:
            there += f" and {len(versions) - _MAX_SHOWN} more"
        notes = [*self._problems(found, wants), *found.refused.values()][:3]
        beside = f" ({'; '.join(notes)})" if notes else ""
        advice = _advice(name, found)
        wanted = ", ".join([*list(texts)[:_MAX_SHOWN], *limits])
        return f"nothing fits {wanted}: {there or 'there is none'}{beside}{advice}"

    def _problems(self, found: Found, wants: list[_Want]) -> list[str]:
        """Why files that would fit cannot be used."""
        texts = []
        for file in found.files:
            problem = self._read.get(file)
            fits = all(want.requirement.fits(file.version) for want in wants)
            if isinstance(problem, InitializationError) and fits:
                texts.append(str(problem))
            elif not self._is_allowed(file):
                texts.append(f"{file.filename} has none of the hashes that are allowed")
        return texts


def _advice(name: str, found: Found) -> str:
    """How to get a package that there is for other machines only."""
    if not found.refused or any(file.kind != Kind.SOURCE for file in found.files):
        return ""
    return (
        f". There is no {name} for the sandbox here: `pip install eryx-science` may bring one, or"
        f" `eryx build-wheel {name}` make one of its source (docs/native.md), which --find-links"
        " finds"
    )


def _requirements(file: File, metadata: Metadata) -> Iterator[Requirement]:
    for text in metadata.requires:
        try:
            requirement = Requirement(text)
        except ValueError as error:
            raise InitializationError(f"{file.label}: {error}") from None
        if requirement.url is not None:
            raise InitializationError(
                f"{file.label}: wants {requirement.name} from an address of its own"
            )
        yield requirement


def _wants(requirement: Requirement, by: str) -> Iterator[_Want]:
    yield _Want(requirement, frozenset(), by)
    for extra in sorted(requirement.extras):
        yield _Want(requirement, frozenset((extra,)), by)


def _provider_class(resolvelib: Any) -> Any:
    """The class over resolvelib's own, which is there only with the extra."""

    class Provider(resolvelib.AbstractProvider):  # type: ignore[misc]
        """Answers resolvelib's questions."""

        def __init__(self, resolver: Resolver) -> None:
            self._resolver = resolver

        def identify(self, requirement_or_candidate: _Want | Candidate) -> Any:
            return requirement_or_candidate.key

        def get_preference(
            self,
            identifier: Any,
            resolutions: Any,
            candidates: Any,
            information: Any,
            backtrack_causes: Any,
        ) -> Any:
            causes = {cause.requirement.requirement.name for cause in backtrack_causes}
            wants = [each.requirement for each in information[identifier]]
            pinned = any(
                each.operator == "==" for want in wants for each in want.requirement.specifier
            )
            order = self._resolver._order
            return (
                not pinned,
                identifier[0] not in causes,
                order.get(identifier[0], len(order)),
                identifier[0],
                sorted(identifier[1]),
            )

        def find_matches(self, identifier: Any, requirements: Any, incompatibilities: Any) -> Any:
            wants = list(requirements[identifier])
            # A package is one version, with whichever extras it is wanted.
            for other in requirements:
                if other[0] == identifier[0] and other != identifier:
                    wants += requirements[other]
            excluded = frozenset(each.version for each in incompatibilities[identifier])
            return lambda: self._resolver.candidates(identifier, wants, excluded)

        def is_satisfied_by(self, requirement: _Want, candidate: Candidate) -> bool:
            return requirement.requirement.fits(candidate.version)

        def get_dependencies(self, candidate: Candidate) -> Any:
            by = str(candidate)
            if candidate.extras:
                own = Requirement(f"{candidate.name}=={candidate.version}")
                yield _Want(own, frozenset(), by)
            for requirement in candidate.needs:
                if candidate.extras:
                    counts = requirement.counts(candidate.extras) and not requirement.counts()
                else:
                    counts = requirement.counts()
                if counts:
                    yield from _wants(requirement, by)

    return Provider


def resolve(requirements: Iterable[str], *, find_links: str | os.PathLike[str]) -> list[str]:
    """Picks the packages that requirements ask for, and all their dependencies, from a directory.

    requirements: as installers take them, such as ``jinja2>=3`` or ``rich[jupyter]``.
    find_links: a directory with wheels and source archives (``.tar.gz``); what is in directories
        under it is not looked at. Nothing is fetched from elsewhere: `lock` does that.

    Of each package the highest version that fits is taken: as a wheel with native modules for the
    sandbox if there is one, else as one of pure Python, else as a source archive. Pre-releases
    count only where a requirement names one or there is nothing else.

    Takes the extra ``eryx-sandbox[install]``. Gives paths, sorted by name, for
    ``SandboxFactory(packages=...)`` or `collect`. Raises InitializationError that names the
    requirement that cannot be met and what there is.

    >>> resolve(["greet>=1"], find_links="wheels")
    ['wheels/greet-1.0-py3-none-any.whl']
    """
    directory = os.fspath(find_links)
    indexes = Indexes(no_index=True, find_links=(directory,))
    wanted = read_requirements(requirements)
    with Client(indexes) as client:
        resolver = Resolver(Finder(indexes, client), Store(client, Report()))
        try:
            chosen = resolver.resolve(wanted)
        except FetchError:
            raise
        except InitializationError as error:
            raise InitializationError(f"{directory}: {error}") from None
    return [os.path.join(directory, candidate.file.filename) for candidate in chosen]


def read_requirements(requirements: Iterable[str]) -> list[Requirement]:
    """Requirements as the caller gives them. Raises TypeError, and InitializationError."""
    if isinstance(requirements, str | bytes):
        raise TypeError(
            f"requirements must be a sequence of str, not a {type(requirements).__name__}"
        )
    found = []
    for text in requirements:
        if not isinstance(text, str):
            raise TypeError(f"requirements must be str, not {type(text).__name__}")
        try:
            requirement = Requirement(text)
        except ValueError as error:
            raise InitializationError(str(error)) from None
        if requirement.url is not None:
            raise InitializationError(
                f"{requirement.name} is wanted from an address: give what is there as a package"
            )
        found.append(requirement)
    return found
