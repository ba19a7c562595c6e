"""Which objects of a kind there are."""

from __future__ import annotations

import weakref
from typing import Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = TypeVar("Kind")


class Living(Generic[Kind]):
    """Objects that are forgotten when nobody has them any more.

    As a WeakSet, but it has no lock and any thread may go over it at any time, also in the child of
    a fork(): each step is one operation of a dict.
    """

    def __init__(self) -> None:
        self._references: dict[int, weakref.ref[Kind]] = {}

    def add(self, one: Kind) -> None:
        """From now on it is one of them."""
        identity = id(one)
        forget = self._references.pop
        self._references[identity] = weakref.ref(one, lambda _: forget(identity, None))

    def __iter__(self) -> Iterator[Kind]:
        """Those that there are now."""
        for reference in list(self._references.values()):
            one = reference()
            if one is not None:
                yield one
