"""Versions and version specifiers, as PEP 440 defines them."""

from __future__ import annotations

import re
from functools import total_ordering

_MAX_LENGTH = 256

_VERSION = re.compile(
    r"""
    v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]*))?
    (?:-(?P<post_implicit>[0-9]+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>[0-9]*))?
    (?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>[0-9]*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE_RANKS = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_FINAL_RANK = 3

_SPECIFIER = re.compile(r"(?P<operator>~=|===|==|!=|<=|>=|<|>)\s*(?P<version>[^\s;)]+)")


@total_ordering
class Version:
    """A version that can be compared. Raises ValueError for what is none."""

    __slots__ = ("_key", "dev", "epoch", "local", "post", "pre", "release", "text")

    def __init__(self, text: str) -> None:
        self.text = text = text.strip()
        match = _VERSION.fullmatch(text) if len(text) <= _MAX_LENGTH else None
        if match is None:
            raise ValueError(f"{text[:100]!r} is not a version")
        self.epoch = int(match["epoch"] or 0)
        self.release = tuple(int(part) for part in match["release"].split("."))
        self.pre: tuple[int, int] | None = None
        if match["pre"]:
            self.pre = (_PRE_RANKS[match["pre"].lower()], int(match["pre_number"] or 0))
        self.post: int | None = None
        if match["post"] or match["post_implicit"]:
            self.post = int(match["post_implicit"] or match["post_number"] or 0)
        self.dev: int | None = int(match["dev_number"] or 0) if match["dev"] else None
        self.local: tuple[tuple[int, int, str], ...] = ()
        if match["local"]:
            parts = re.split(r"[-_.]", match["local"].lower())
            self.local = tuple((1, int(p), "") if p.isdigit() else (0, 0, p) for p in parts)
        self._key = (*self._public_key(), self.local)

    def _public_key(self) -> tuple[object, ...]:
        release = list(self.release)
        while len(release) > 1 and release[-1] == 0:
            release.pop()
        pre = self.pre
        if pre is None:
            only_dev = self.post is None and self.dev is not None
            pre = (-1 if only_dev else _FINAL_RANK, 0)
        post = -1 if self.post is None else self.post
        dev = (1, 0) if self.dev is None else (0, self.dev)
        return (self.epoch, tuple(release), pre, post, dev)

    @property
    def is_prerelease(self) -> bool:
        return self.pre is not None or self.dev is not None

    @property
    def public(self) -> Version:
        """The same without its local part."""
        return Version(self.text.partition("+")[0]) if self.local else self

    def is_post_of(self, other: Version) -> bool:
        """Whether it is a post-release of a version that is none."""
        return (
            self.post is not None
            and other.post is None
            and other.dev is None
            and self._key[:3] == other._key[:3]
        )

    def begins_with(self, epoch: int, release: tuple[int, ...]) -> bool:
        padded = self.release + (0,) * (len(release) - len(self.release))
        return self.epoch == epoch and padded[: len(release)] == release

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.text


class _Specifier:
    """One clause such as ``>=1.2``."""

    __slots__ = ("arbitrary", "operator", "prefix", "version")

    def __init__(self, operator: str, text: str) -> None:
        self.operator = operator
        self.arbitrary = text
        self.prefix = text.endswith(".*")
        if operator == "===":
            self.version = Version("0")
            self.prefix = False
            return
        if self.prefix and operator not in ("==", "!="):
            raise ValueError(f"{operator}{text} is not a version specifier")
        self.version = Version(text.removesuffix(".*"))
        if self.prefix and (self.version.is_prerelease or self.version.post is not None):
            raise ValueError(f"{operator}{text} is not a version specifier")
        if self.version.local and (self.prefix or operator not in ("==", "!=")):
            raise ValueError(f"{operator}{text} is not a version specifier")
        if operator == "~=" and len(self.version.release) < 2:
            raise ValueError(f"{operator}{text} needs two numbers")

    def contains(self, version: Version) -> bool:
        wanted = self.version
        if self.operator == "===":
            return version.text.lower() == self.arbitrary.lower()
        if self.operator in ("==", "!="):
            if self.prefix:
                equal = version.begins_with(wanted.epoch, wanted.release)
            else:
                equal = (version if wanted.local else version.public) == wanted
            return equal == (self.operator == "==")
        if self.operator == "<":
            if version.is_prerelease and not wanted.is_prerelease:
                wanted = Version(f"{wanted.text}.dev0")  # not a pre-release of what it is below
            return version < wanted
        if self.operator == ">":
            if version.public == wanted or version.is_post_of(wanted):
                return False
            return version > wanted
        public = version.public
        if self.operator == "<=":
            return public <= wanted
        if public < wanted:
            return False
        return self.operator == ">=" or version.begins_with(wanted.epoch, wanted.release[:-1])


class SpecifierSet:
    """Clauses that must all hold, such as ``>=1.2,<2``. Raises ValueError for what is none."""

    __slots__ = ("_clauses", "text")

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._clauses: list[_Specifier] = []
        for clause in self.text.split(","):
            if not clause.strip():
                continue
            match = _SPECIFIER.fullmatch(clause.strip())
            if match is None:
                raise ValueError(f"{clause.strip()[:100]!r} is not a version specifier")
            self._clauses.append(_Specifier(match["operator"], match["version"]))

    def contains(self, version: Version) -> bool:
        """Whether a version fits, pre-releases not treated otherwise than final ones."""
        return all(clause.contains(version) for clause in self._clauses)

    @property
    def names_prerelease(self) -> bool:
        """Whether a clause is about a pre-release, which asks for them."""
        return any(
            clause.version.is_prerelease and clause.operator != "!=" for clause in self._clauses
        )

    def __str__(self) -> str:
        return self.text
