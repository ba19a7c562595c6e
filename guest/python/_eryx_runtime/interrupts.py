"""The soft stop: the host asks, and an exception is raised in the program.

A program may catch it; then the host ends the sandbox from outside a little later.
"""

import signal
from types import FrameType

from _eryx import take_interrupt


class ExecutionTimeout(BaseException):
    """The time limit of the run is over."""


class ExecutionCancelled(BaseException):
    """The caller cancelled the run."""


class FuelExhausted(BaseException):
    """The fuel of the run is spent."""


# By enum interrupt_kind.
_EXCEPTIONS = {
    1: (ExecutionTimeout, "execution timed out"),
    2: (ExecutionCancelled, "execution was cancelled"),
    3: (FuelExhausted, "fuel exhausted"),
}

for _class, _ in _EXCEPTIONS.values():
    _class.__module__ = "eryx"


def _on_signal(signal_number: int, frame: FrameType | None) -> None:
    # An interrupt that came after the end of the run it was meant for is 0 here, and forgotten.
    interrupt = _EXCEPTIONS.get(take_interrupt())
    if interrupt is not None:
        exception_class, message = interrupt
        raise exception_class(message)


def install() -> None:
    """Handle the signal that guest/module.c marks as received."""
    signal.signal(signal.SIGXCPU, _on_signal)
