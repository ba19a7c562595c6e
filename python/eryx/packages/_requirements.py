"""Requirements such as ``name[extra]>=1; python_version < "3.9"``, as PEP 508 defines them."""

from __future__ import annotations

import re

from eryx.packages._versions import SpecifierSet, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

# What the interpreter in the sandbox says of itself; a test compares.
GUEST_VERSION = "3.14.0"
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
_OLD_NAMES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}
_VERSION_NAMES = {"implementation_version", "python_full_version", "python_version"}

_MAX_LENGTH = 4096
_MAX_DEPTH = 32

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HEAD = re.compile(rf"\s*({_NAME})\s*(?:\[([^\]]*)\])?\s*", re.ASCII)
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"[^"]*"|'[^']*')
    | (?P<operator>===|~=|==|!=|<=|>=|<|>|not\s+in\b|in\b)
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<bracket>[()])
    )""",
    re.VERBOSE | re.ASCII,
)


def normalize(name: str) -> str:
    """The form in which names of projects are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Requirement:
    """A requirement that has been read. Raises ValueError for what is none.

    name is normalized; extras are too. marker_holds() tells whether it counts for the guest.
    """

    __slots__ = ("_marker", "extras", "name", "specifiers", "text", "url")

    def __init__(self, text: str) -> None:
        self.text = text = text.strip()
        match = _HEAD.match(text) if len(text) <= _MAX_LENGTH else None
        if match is None:
            raise ValueError(f"{text[:100]!r} is not a requirement")
        self.name = normalize(match[1])
        self.extras = tuple(normalize(e.strip()) for e in (match[2] or "").split(",") if e.strip())
        rest = text[match.end() :]
        self.url = ""
        if rest.startswith("@"):
            self.url, _, marker = rest[1:].partition(" ;")
            self.url = self.url.strip()
            specifiers = ""
        else:
            specifiers, _, marker = rest.partition(";")
            specifiers = specifiers.strip()
            if specifiers.startswith("(") and specifiers.endswith(")"):
                specifiers = specifiers[1:-1]
        try:
            self.specifiers = SpecifierSet(specifiers)
            self._marker = _Marker(marker) if marker.strip() else None
        except ValueError as error:
            raise ValueError(f"{text[:200]!r} is not a requirement: {error}") from None

    def marker_holds(self, extras: Collection[str] = ()) -> bool:
        """Whether it counts in the guest, for a package of which these extras are wanted."""
        if self._marker is None:
            return True
        return any(self._marker.holds(extra, extras) for extra in extras or ("",))

    @property
    def shown(self) -> str:
        """It without its marker."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{self.specifiers}"

    def __str__(self) -> str:
        return self.text


class _Marker:
    """The condition of a requirement."""

    __slots__ = ("_depth", "_position", "_tokens", "_tree")

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise ValueError(f"its marker has {text[position : position + 20]!r}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self._position = self._depth = 0
        self._tree = self._either()
        if self._position != len(self._tokens):
            raise ValueError("its marker does not end where it should")

    def _next(self) -> tuple[str, str]:
        if self._position == len(self._tokens):
            return ("end", "")
        return self._tokens[self._position]

    def _take(self) -> tuple[str, str]:
        token = self._next()
        self._position += 1
        return token

    def _either(self) -> object:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("its marker is nested too deeply")
        parts = [self._both()]
        while self._next() == ("word", "or"):
            self._take()
            parts.append(self._both())
        self._depth -= 1
        return ("or", parts)

    def _both(self) -> object:
        parts = [self._comparison()]
        while self._next() == ("word", "and"):
            self._take()
            parts.append(self._comparison())
        return ("and", parts)

    def _comparison(self) -> object:
        if self._next() == ("bracket", "("):
            self._take()
            inner = self._either()
            if self._take() != ("bracket", ")"):
                raise ValueError("its marker lacks a bracket")
            return inner
        left = self._value()
        kind, operator = self._take()
        if kind != "operator":
            raise ValueError("its marker lacks an operator")
        right = self._value()
        return ("compare", left, " ".join(operator.split()), right)

    def _value(self) -> tuple[bool, str]:
        """Whether it is a variable, and its name or text."""
        kind, text = self._take()
        if kind == "string":
            return (False, text[1:-1])
        name = _OLD_NAMES.get(text, text)
        if kind != "word" or name not in {*GUEST_ENVIRONMENT, "extra", "extras"}:
            raise ValueError(f"its marker has {text!r} where a value should be")
        return (True, name)

    def holds(self, extra: str, extras: Collection[str]) -> bool:
        return self._evaluate(self._tree, extra, extras)

    def _evaluate(self, node: Any, extra: str, extras: Collection[str]) -> bool:
        if node[0] == "or":
            return any(self._evaluate(part, extra, extras) for part in node[1])
        if node[0] == "and":
            return all(self._evaluate(part, extra, extras) for part in node[1])
        _, (left_named, left), operator, (right_named, right) = node
        name = left if left_named else right if right_named else ""
        if "extras" in (left if left_named else "", right if right_named else ""):
            return bool((normalize(left) in extras) == (operator == "in"))
        values = {**GUEST_ENVIRONMENT, "extra": extra}
        left_text = values[left] if left_named else left
        right_text = values[right] if right_named else right
        if name == "extra":
            left_text, right_text = normalize(left_text), normalize(right_text)
        return _compare(name, left_text, operator, right_text)


def _compare(name: str, left: str, operator: str, right: str) -> bool:
    if operator in ("in", "not in"):
        return (left in right) == (operator == "in")
    if name in _VERSION_NAMES:
        try:
            return SpecifierSet(operator + right).contains(Version(left))
        except ValueError:
            pass
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    if operator in ("<=", ">="):  # of texts that are no versions only equality can be told
        return left == right
    return operator == "===" and left == right
