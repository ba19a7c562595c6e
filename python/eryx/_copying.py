"""Objects that stand for something in this process, of which there is one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, NoReturn, SupportsIndex


class OneOfAKind:
    """Base of what ``copy`` and ``pickle`` refuse: two objects would share one sandbox."""

    __slots__ = ()

    _instead: ClassVar[str] = "make another one"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuses, with what to do instead."""
        name = next(kind.__name__ for kind in type(self).__mro__ if kind.__module__ == "eryx")
        raise TypeError(f"a {name} cannot be copied or pickled: {self._instead}")
