"""JSON that a guest wrote, as values.

The interpreter's decoder keeps all other threads from running until it has decoded a text. So a
large one is decoded in pieces, which a worker thread does while the event loop goes on.
"""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # what the decoder itself has

from eryx._eryx import json_large

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Characters from which a text is large, and of the largest piece.
LARGE = 64 * 1024

_skip = re.compile(r"[ \t\n\r]*").match


def decode(text: str, decoder: json.JSONDecoder) -> Any:
    """The value of a text. ValueError if it is not JSON, RecursionError if it is too deep."""
    if len(text) < LARGE:
        return decoder.decode(text)
    try:
        return _Pieces(text, decoder).decode()
    except StopIteration as error:
        raise ValueError(f"there is no JSON value at character {error.value}") from None


class _Pieces:
    """A large text; the lists and objects in it that are large are taken apart here."""

    __slots__ = ("_large", "_scan", "_text")

    def __init__(self, text: str, decoder: json.JSONDecoder) -> None:
        self._text = text
        self._large = frozenset(json_large(text, LARGE))
        self._scan = decoder.scan_once  # type: ignore[attr-defined]

    def decode(self) -> Any:
        value, at = self._value(self._space(0))
        if self._space(at) != len(self._text):
            raise ValueError(f"there is more than a JSON value at character {at}")
        return value

    def _space(self, at: int) -> int:
        """The first place from there that is no space."""
        found = _skip(self._text, at)
        assert found is not None
        return found.end()

    def _value(self, at: int) -> tuple[Any, int]:
        """The value there, and where it ends."""
        if at not in self._large:
            value, end = self._scan(self._text, at)
            return value, end
        return self._list(at + 1) if self._text[at] == "[" else self._object(at + 1)

    def _list(self, at: int) -> tuple[list[Any], int]:
        text, large, scan = self._text, self._large, self._scan
        values: list[Any] = []
        at = self._space(at)
        while True:
            value, at = self._value(at) if at in large else scan(text, at)
            values.append(value)
            if text[at : at + 1] != ",":
                at = self._space(at)
                if text[at : at + 1] == "]":
                    return values, at + 1
            at = self._after(",", at)

    def _object(self, at: int) -> tuple[dict[str, Any], int]:
        text = self._text
        values: dict[str, Any] = {}
        at = self._space(at)
        while True:
            key, at = scanstring(text, self._after('"', at, skip=False), True)
            at = self._after(":", self._space(at))
            values[key], at = self._value(at)
            at = self._space(at)
            if text[at : at + 1] == "}":
                return values, at + 1
            at = self._after(",", at)

    def _after(self, sign: str, at: int, *, skip: bool = True) -> int:
        """Where it goes on after a sign, and after space."""
        if self._text[at : at + 1] != sign:
            raise ValueError(f"JSON needs a {sign} at character {at}")
        at += 1
        return self._space(at) if skip and self._text[at : at + 1] in " \t\n\r" else at
