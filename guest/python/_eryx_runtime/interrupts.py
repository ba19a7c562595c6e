"""The soft stop: the host asks, and an exception is raised in the program.

A program may catch it; then the host ends the sandbox from outside a little later.
"""

import signal

import _eryx
from _eryx_runtime.numbers import INTERRUPT_CANCEL, INTERRUPT_FUEL, INTERRUPT_TIMEOUT


class ExecutionTimeout(BaseException):
    """The time limit of the run is over."""


class ExecutionCancelled(BaseException):
    """The caller cancelled the run."""


class FuelExhausted(BaseException):
    """The fuel of the run is spent."""


_EXCEPTIONS = {
    INTERRUPT_TIMEOUT: ExecutionTimeout,
    INTERRUPT_CANCEL: ExecutionCancelled,
    INTERRUPT_FUEL: FuelExhausted,
}

EXCEPTIONS = tuple(_EXCEPTIONS.values())


def install() -> None:
    """Handle the signal that guest/module.c marks as received."""
    for kind, exception_class in _EXCEPTIONS.items():
        exception_class.__module__ = "eryx"
        _eryx.set_interrupt(kind, exception_class)
    signal.signal(signal.SIGXCPU, _eryx.on_interrupt)
