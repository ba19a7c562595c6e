"""Reads what people write down of packages: requirements.txt, and the tables of pyproject.toml."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field

from eryx._errors import InitializationError
from eryx._files import read_file
from eryx.packages._standards import Requirement, canonicalize_name, resolve_dependency_groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from eryx.packages._indexes import Indexes

_MAX_BYTES = 4 << 20
_MAX_DEPTH = 20  # of files that name others
_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


@dataclass
class Wanted:
    """What files and the command line ask for."""

    requirements: list[Requirement] = field(default_factory=list)
    limits: list[Requirement] = field(default_factory=list)
    """Constraints: they want nothing by themselves."""
    hashes: dict[str, frozenset[str]] = field(default_factory=dict)
    """SHA-256 of the only files that count, by names of packages."""
    require_hashes: bool = False
    """Whether what has no hash here is not taken; so it is where anything has one."""
    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    no_index: bool = False

    def indexes(self, base: Indexes) -> Indexes:
        """The indexes, with those that the files name."""
        return base.with_options(
            index_url=self.index_url,
            extra_index_urls=self.extra_index_urls,
            find_links=self.find_links,
            no_index=self.no_index,
        )

    def add(self, path: str, *, groups: Iterable[str] = (), extras: Iterable[str] = ()) -> None:
        """Adds what a file asks for: a pyproject.toml by its name, else lines as pip reads them.

        groups: of the table ``[dependency-groups]``; in place of the project's own dependencies.
        extras: of the project, besides its dependencies.
        Raises InitializationError that names the file and the line.
        """
        if os.path.basename(path) == "pyproject.toml":
            self.requirements += _of_project(path, tuple(groups), tuple(extras))
        else:
            self._add_lines(path, is_limit=False, depth=0)

    def add_limits(self, path: str) -> None:
        """Adds a file of constraints."""
        self._add_lines(path, is_limit=True, depth=0)

    def _add_lines(self, path: str, *, is_limit: bool, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise InitializationError(f"{path}: files name each other without end")
        for number, line in _lines(path):
            where = f"{path}:{number}"
            if line.startswith("-"):
                self._take_option(where, line, path, is_limit=is_limit, depth=depth)
            else:
                self._take(where, line, is_limit=is_limit)

    def _take_option(self, where: str, line: str, path: str, *, is_limit: bool, depth: int) -> None:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise InitializationError(f"{where}: {error}") from None
        name, equals, value = words[0].partition("=")
        value = value if equals else " ".join(words[1:])
        if name[:2] in ("-r", "-c", "-i", "-f") and len(name) > 2 and name[1] != "-":
            name, value = name[:2], name[2:]
        near = os.path.join(os.path.dirname(path), value)
        if name in ("-r", "--requirement"):
            self._add_lines(near, is_limit=is_limit, depth=depth + 1)
        elif name in ("-c", "--constraint"):
            self._add_lines(near, is_limit=True, depth=depth + 1)
        elif name in ("-i", "--index-url"):
            self.index_url = value
        elif name == "--extra-index-url":
            self.extra_index_urls.append(value)
        elif name in ("-f", "--find-links"):
            self.find_links.append(value if "://" in value or not os.path.exists(near) else near)
        elif name == "--no-index":
            self.no_index = True
        elif name == "--require-hashes":
            self.require_hashes = True
        elif name != "--prefer-binary":
            raise InitializationError(f"{where}: {name} is not taken")

    def _take(self, where: str, line: str, *, is_limit: bool) -> None:
        text, *options = re.split(r"\s+(?=--)", line)
        try:
            requirement = Requirement(text)
        except ValueError as error:
            hint = "" if Requirement.looks_named(text) else " (paths and addresses are not taken)"
            raise InitializationError(f"{where}: {error}{hint}") from None
        if requirement.url is not None:
            raise InitializationError(
                f"{where}: {requirement.name} is wanted from an address:"
                " give what is there as a package"
            )
        digests = set()
        for option in options:
            name, _, value = option.partition("=")
            if name != "--hash":
                raise InitializationError(f"{where}: {name} is not taken")
            kind, _, digest = value.partition(":")
            if kind == "sha256":
                digests.add(digest.strip().lower())
        if options and not digests:
            raise InitializationError(f"{where}: of hashes, only those of sha256 count")
        if digests and requirement.counts():
            known = self.hashes.get(requirement.name)
            both = frozenset(digests) if known is None else known & digests
            self.hashes[requirement.name] = both
            self.require_hashes = True
        (self.limits if is_limit else self.requirements).append(requirement)


def _text(path: str) -> str:
    try:
        return read_file(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InitializationError(f"{path}: is not UTF-8") from None


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Lines with something in them, continued ones together, and their numbers."""
    kept, begin = "", 0
    for number, line in enumerate([*_text(path).splitlines(), ""], 1):
        begin = begin if kept else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            kept += line[:-1] + " "
            continue
        whole = _COMMENT.sub("", kept + line).strip()
        kept = ""
        if whole:
            yield begin, _VARIABLE.sub(lambda m: os.environ.get(m.group(1), m.group(0)), whole)


def _of_project(path: str, groups: tuple[str, ...], extras: tuple[str, ...]) -> list[Requirement]:
    import tomllib

    try:
        document = tomllib.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InitializationError(f"{path}: is malformed: {error}") from None
    project = document.get("project", {})
    texts: list[Any] = []
    if not groups:
        if not isinstance(project, dict) or "dependencies" not in project:
            raise InitializationError(f"{path}: has no list of [project] dependencies")
        if "dependencies" in project.get("dynamic", ()):
            raise InitializationError(f"{path}: leaves its dependencies to its build backend")
        texts += _list(path, "dependencies", project["dependencies"])
    optional = project.get("optional-dependencies", {}) if isinstance(project, dict) else {}
    known = {canonicalize_name(str(name)): value for name, value in dict(optional).items()}
    for extra in extras:
        if canonicalize_name(extra) not in known:
            raise InitializationError(f"{path}: has no extra {extra!r}")
        texts += _list(path, extra, known[canonicalize_name(extra)])
    if groups:
        tables = document.get("dependency-groups", {})
        try:
            texts += resolve_dependency_groups(tables, *groups)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise InitializationError(f"{path}: {_reason(error)}") from None
        except Exception as error:
            # Of several problems at once it makes a group of exceptions.
            if not isinstance(error, ExceptionGroup):
                raise
            raise InitializationError(f"{path}: {_reason(error.exceptions[0])}") from None
    found = []
    for text in texts:
        try:
            requirement = Requirement(str(text))
        except ValueError as error:
            raise InitializationError(f"{path}: {error}") from None
        if requirement.url is not None:
            raise InitializationError(f"{path}: {requirement.name} is wanted from an address")
        found.append(requirement)
    return found


def _reason(error: BaseException) -> str:
    return str(error.args[0] if error.args else error)[:300]


def _list(path: str, name: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InitializationError(f"{path}: {name} must be a list of requirements")
    return value
