"""Objects that stand for something in this process, of which there is one."""

from __future__ import annotations

from eryx._annotations import late_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import ClassVar, NoReturn, Self, SupportsIndex


class OneOfAKind:
    """Base of what ``copy`` and ``pickle`` refuse: two objects would share one sandbox."""

    __slots__ = ()

    _why: ClassVar[str] = "it stands for an interpreter that lives in this process"
    _instead: ClassVar[str] = "make another one"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuses, with the reason and what to do instead."""
        kind = next(filter(_is_public, type(self).__mro__), type(self))
        name = kind.__name__
        problem = f"a {name} cannot be copied or pickled, because {self._why}"
        raise TypeError(f"{problem}: {self._instead}")


class Closable(OneOfAKind):
    """Base of those that end with ``close``, or with the block of a ``with``."""

    __slots__ = ()

    if TYPE_CHECKING:

        def close(self) -> None:
            """Ends it."""

    def __enter__(self) -> Self:
        """Gives the object itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it."""
        self.close()


def _is_public(kind: type) -> bool:
    """Whether it is a class of the package that users know by its name."""
    package, *rest = kind.__module__.split(".")
    return package == "eryx" and not any(part.startswith("_") for part in rest)


late_annotations(globals(), OneOfAKind, Closable)
