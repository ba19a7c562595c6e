"""What stays on the host of an exception of a callback; the guest is told the text alone."""

from __future__ import annotations

from collections import deque

from eryx._audit import logger
from eryx._errors import SuspendCallback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._eryx import Outcome

# What the guest raises for an exception of a callback.
_GUEST_TYPE = "eryx.CallbackError"

# What it raises where it finds no input.
_NO_INPUT = "EOFError"

# What a callback ends a run with, or is ended with.
_NO_FAILURES = (SuspendCallback, KeyboardInterrupt, SystemExit, GeneratorExit)

# How many exceptions are kept until the end of a run, and what the arguments may take that their
# tracebacks hold; one is kept whatever it holds.
_MOST = 16
_MOST_BYTES = 1024 * 1024


def log_failure(name: str, error: BaseException) -> None:
    """Writes down what a callback has raised. Raises nothing; from any thread."""
    if not isinstance(error, _NO_FAILURES):
        _without_own_frames(error)
        _log("callback %r failed", name, error)


def log_timeout(name: str) -> None:
    """Writes down that the guest was given no answer in time."""
    _log("callback %r gave no answer in time", name, None)


def _log(message: str, name: str, error: BaseException | None) -> None:
    try:
        there = logger("eryx.callbacks")
        if there is not None:
            there.warning(message, name, exc_info=error)
    except Exception:
        pass  # a filter of the caller is broken, which is not to harm the run


def _without_own_frames(error: BaseException) -> None:
    """Lets the traceback begin in the function of the caller."""
    traceback = error.__traceback__
    while traceback is not None and _is_ours(traceback.tb_frame.f_globals.get("__name__")):
        traceback = traceback.tb_next
    error.__traceback__ = traceback


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == "eryx"


class Failures:
    """The last exceptions of the callbacks of one run, since one of them may end it.

    So may that of what gives the guest its input, for which the guest finds the end of it.
    """

    __slots__ = ("_bytes", "_kept", "of_input")

    def __init__(self) -> None:
        self._kept: deque[tuple[str, int, BaseException]] = deque()
        self._bytes = 0
        self.of_input: BaseException | None = None

    def keep(self, text: str, error: BaseException, memory_bytes: int) -> None:
        """The guest is given an exception. text: its message; memory_bytes: of the arguments."""
        self._kept.append((text, memory_bytes, error))
        self._bytes += memory_bytes
        while len(self._kept) > _MOST or (self._bytes > _MOST_BYTES and len(self._kept) > 1):
            self._bytes -= self._kept.popleft()[1]

    def clear(self) -> None:
        """Nothing is kept any more, so that tracebacks and run do not hold each other."""
        self._kept.clear()
        self._bytes = 0
        self.of_input = None

    def take_cause(self, outcome: Outcome) -> BaseException | None:
        """The exception that has ended the run, if it was one. Nothing is kept any more."""
        kept, of_input = tuple(self._kept), self.of_input
        self.clear()
        if outcome.exception_type == _NO_INPUT:
            return of_input
        if outcome.exception_type == _GUEST_TYPE:
            for text, _, error in reversed(kept):
                if text == outcome.exception_message:
                    return error
        return None
