"""What an observer is told, and what it makes of it as long as it does not care."""

from __future__ import annotations

from contextlib import nullcontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

    from eryx._network import Connection

    Labels = dict[str, str]


class Ended:
    """How a run ended."""

    __slots__ = ("connections", "error", "left", "outcome", "queued_ms")

    def __init__(self, outcome: str, error: BaseException | None, left: Any) -> None:
        """left: the result or the exception that has its attributes; None if there is nothing."""
        self.outcome = outcome
        self.error = error
        self.left = left
        self.queued_ms: float = 0.0 if left is None else left.queued_ms
        self.connections: list[Connection] = [] if left is None else left.connections

    @property
    def error_type(self) -> str:
        """As ``error.type`` of OpenTelemetry; empty for none."""
        return "" if self.error is None else type_name(self.error)


def type_name(error: BaseException) -> str:
    """The type of an exception, by a name out of few: for others it is ``_OTHER``."""
    kind = type(error)
    is_known = kind.__module__.partition(".")[0] in ("asyncio", "builtins", "eryx")
    return kind.__name__ if is_known else "_OTHER"


class Activity:
    """Something that an observer is told the begin and the end of."""

    __slots__ = ()

    def current(self) -> AbstractContextManager[object]:
        """Around what is done meanwhile."""
        return nullcontext()

    def end(self, error: BaseException | None) -> None:
        """It is over."""

    def end_run(self, ended: Ended) -> None:
        """The same of a run."""


NOTHING = Activity()


class Observer:
    """Base of those that are told. From any thread; what they raise is nobody's to handle."""

    def begin(self, what: str, attributes: dict[str, Any]) -> Activity:
        """A run, a callback or a wait begins. what: ``run``, ``callback``, ``pool.wait`` ..."""
        return NOTHING

    def add(self, name: str, value: float, labels: Labels) -> None:
        """A counter goes up."""

    def record(self, name: str, value: float, labels: Labels) -> None:
        """One value of a histogram."""

    def close(self) -> None:
        """Nothing is told any more."""
