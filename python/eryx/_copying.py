"""Objects that stand for something in this process, of which there is one."""

from __future__ import annotations

from eryx._annotations import late_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, NoReturn, SupportsIndex


_PUBLIC = ("eryx", "eryx.packages")


class OneOfAKind:
    """Base of what ``copy`` and ``pickle`` refuse: two objects would share one sandbox."""

    __slots__ = ()

    _why: ClassVar[str] = "it stands for an interpreter that lives in this process"
    _instead: ClassVar[str] = "make another one"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuses, with the reason and what to do instead."""
        kinds = [kind for kind in type(self).__mro__ if kind.__module__ in _PUBLIC]
        name = kinds[0].__name__
        problem = f"a {name} cannot be copied or pickled, because {self._why}"
        raise TypeError(f"{problem}: {self._instead}")


late_annotations(globals(), OneOfAKind)
