"""Picks packages and all their dependencies from a local directory."""

from __future__ import annotations

import os
from collections.abc import Iterable

from eryx._errors import InitializationError
from eryx._files import read_file
from eryx.packages._archives import read_tar_gz, read_zip
from eryx.packages._metadata import check_python
from eryx.packages._source_tree import source_metadata
from eryx.packages._standards import (
    Requirement,
    SpecifierSet,
    Version,
    canonicalize_name,
    parse_sdist_filename,
    parse_version,
    parse_wheel_filename,
)
from eryx.packages._tree import MAX_BYTES
from eryx.packages._wheel import is_native, tags_problem, wheel_metadata

_MAX_STEPS = 20_000  # of trying; real sets take a few hundred


# Kinds of files, the better ones higher.
_SOURCE, _PURE_WHEEL, _NATIVE_WHEEL = range(3)


class _Candidate:
    """A file that may be picked."""

    def __init__(self, path: str, name: str, version: Version, kind: int) -> None:
        self.path = path
        self.name = name
        self.version = version
        self.kind = kind
        self._requirements: list[Requirement] | None = None

    @property
    def requirements(self) -> list[Requirement]:
        """What it needs. Raises InitializationError if it is not for the guest, or unreadable."""
        if self._requirements is None:
            data = read_file(self.path, MAX_BYTES)
            if self.kind != _SOURCE:
                base = os.path.basename(self.path)
                metadata = wheel_metadata(read_zip(self.path, data), base)
            else:
                found = source_metadata(read_tar_gz(self.path, data))
                if found is None:
                    raise InitializationError(f"{self.path}: does not say its name and version")
                metadata = found
                check_python(self.path, metadata.requires_python)
                own = canonicalize_name(metadata.name), parse_version(metadata.version)
                if own != (self.name, self.version):
                    raise InitializationError(
                        f"{self.path}: is named as {self.name} {self.version},"
                        f" but is {metadata.name} {metadata.version}"
                    )
            try:
                self._requirements = [Requirement(text) for text in metadata.requires]
            except ValueError as error:
                raise InitializationError(f"{self.path}: {error}") from None
        return self._requirements


def resolve(requirements: Iterable[str], *, find_links: str | os.PathLike[str]) -> list[str]:
    """Picks the packages that requirements ask for, and all their dependencies, from a directory.

    requirements: as installers take them, such as ``jinja2>=3`` or ``rich[jupyter]``.
    find_links: a directory with wheels and source archives (``.tar.gz``); what is in directories
        under it is not looked at. Nothing is fetched from elsewhere.

    Of each package the highest version that fits is taken: as a wheel with native modules for the
    sandbox if there is one, else as one of pure Python, else as a source archive. Pre-releases
    count only where a requirement names one or there is nothing else.

    Gives paths, sorted by name, for ``SandboxFactory(packages=...)`` or `collect`. Raises
    InitializationError that names the requirement that cannot be met and what there is.

    >>> resolve(["greet>=1"], find_links="wheels")
    ['wheels/greet-1.0-py3-none-any.whl']
    """
    if isinstance(requirements, str):
        raise TypeError("requirements must be a sequence of str, not a str")
    wanted: list[tuple[Requirement, str]] = []
    for text in requirements:
        if not isinstance(text, str):
            raise TypeError(f"requirements must be str, not {type(text).__name__}")
        try:
            requirement = Requirement(text)
        except ValueError as error:
            raise InitializationError(str(error)) from None
        if requirement.counts():
            wanted.append((requirement, "you"))
    resolver = _Resolver(os.fspath(find_links))
    chosen = resolver.solve(wanted)
    return [chosen[name].path for name in sorted(chosen)]


class _Resolver:
    """A search in depth: the first requirement that is open gets its best candidate, and so on."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.refused: dict[str, list[str]] = {}
        self.candidates: dict[str, list[_Candidate]] = {}
        self._steps = 0
        self._deepest = -1
        self._reason = ""
        self._scan()

    def _scan(self) -> None:
        try:
            names = sorted(os.listdir(self.directory))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InitializationError(f"{self.directory}: cannot be read: {reason}") from None
        for name in names:
            path = os.path.join(self.directory, name)
            try:
                if name.endswith(".whl"):
                    project, version, _, tags = parse_wheel_filename(name)
                    if tags_problem(tags):
                        refused = self.refused.setdefault(project, [])
                        refused.append(f"{name} is not for the sandbox")
                        continue
                    kind = _NATIVE_WHEEL if is_native(tags) else _PURE_WHEEL
                elif name.endswith((".tar.gz", ".tgz")):
                    stem = name.removesuffix(".tgz").removesuffix(".tar.gz")
                    project, version = parse_sdist_filename(f"{stem}.tar.gz")
                    kind = _SOURCE
                else:
                    continue
            except ValueError:
                continue  # nothing that can be wanted has such a name
            candidate = _Candidate(path, project, version, kind)
            self.candidates.setdefault(project, []).append(candidate)
        for found in self.candidates.values():
            found.sort(key=lambda c: (c.version, c.kind), reverse=True)

    def solve(self, wanted: list[tuple[Requirement, str]]) -> dict[str, _Candidate]:
        try:
            chosen = self._search(wanted, {}, {}, {})
        except RecursionError:
            raise InitializationError(
                f"{self.directory}: the dependencies go too deep for this thread"
            ) from None
        if chosen is None:
            raise InitializationError(self._reason)
        return chosen

    def _search(
        self,
        open_requirements: list[tuple[Requirement, str]],
        chosen: dict[str, _Candidate],
        limits: dict[str, list[tuple[Requirement, str]]],
        extras: dict[str, frozenset[str]],
    ) -> dict[str, _Candidate] | None:
        """The choice that meets everything, or None, with the reason that came up deepest."""
        pending = open_requirements
        while pending:
            (requirement, wanted_by), pending = pending[0], pending[1:]
            name = requirement.name
            limits = {**limits, name: [*limits.get(name, []), (requirement, wanted_by)]}
            known = chosen.get(name)
            new_extras = extras.get(name, frozenset()) | frozenset(requirement.extras)
            if known is None:
                extras = {**extras, name: new_extras}
                break
            if not requirement.fits(known.version):
                self._fail(len(chosen), self._conflict(name, limits[name]))
                return None
            if new_extras != extras[name]:
                pending = pending + self._needs(known, new_extras)
                extras = {**extras, name: new_extras}
        else:
            return chosen

        # Everything that is said already about this package counts at once.
        same = [item for item in pending if item[0].name == name]
        limits[name] = limits[name] + same
        for item, _ in same:
            extras[name] = extras[name] | frozenset(item.extras)
        pending = [item for item in pending if item[0].name != name]

        fitting = self._fitting(name, limits[name])
        if not fitting:
            self._fail(len(chosen), self._conflict(name, limits[name]))
            return None
        for candidate in fitting:
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise InitializationError(
                    f"{self.directory}: no fitting packages found in {_MAX_STEPS:,} attempts;"
                    f" the last obstacle: {self._reason}"
                )
            try:
                needs = self._needs(candidate, extras[name])
            except InitializationError as error:
                self._fail(len(chosen), str(error))
                continue
            found = self._search(
                pending + needs, {**chosen, name: candidate}, dict(limits), dict(extras)
            )
            if found is not None:
                return found
        return None

    def _fitting(self, name: str, limits: list[tuple[Requirement, str]]) -> list[_Candidate]:
        wanted = SpecifierSet()
        for limit, _ in limits:
            wanted &= limit.specifier
        return list(wanted.filter(self.candidates.get(name, ()), key=lambda found: found.version))

    def _needs(
        self, candidate: _Candidate, extras: frozenset[str]
    ) -> list[tuple[Requirement, str]]:
        by = f"{candidate.name} {candidate.version}"
        return [
            (requirement, by)
            for requirement in candidate.requirements
            if requirement.counts(extras)
        ]

    def _fail(self, depth: int, reason: str) -> None:
        if depth > self._deepest:
            self._deepest, self._reason = depth, reason

    def _conflict(self, name: str, limits: list[tuple[Requirement, str]]) -> str:
        wants = ", ".join(f"{limit.shown} (wanted by {by})" for limit, by in limits)
        known = [str(candidate.version) for candidate in self.candidates.get(name, [])]
        there = f"there is {name} {', '.join(known)}" if known else "there is none"
        notes = self.refused.get(name, [])
        beside = f" ({'; '.join(notes[:3])})" if notes else ""
        return f"{self.directory}: nothing fits {wants}: {there}{beside}"
