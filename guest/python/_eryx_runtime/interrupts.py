"""The soft stop: the host asks, and an exception is raised in the program.

A program may catch it; then the host ends the sandbox from outside a little later.
"""

import signal

import _eryx


class ExecutionTimeout(BaseException):
    """The time limit of the run is over."""


class ExecutionCancelled(BaseException):
    """The caller cancelled the run."""


class FuelExhausted(BaseException):
    """The fuel of the run is spent."""


# By enum interrupt_kind.
_EXCEPTIONS = {1: ExecutionTimeout, 2: ExecutionCancelled, 3: FuelExhausted}


def install() -> None:
    """Handle the signal that guest/module.c marks as received."""
    for kind, exception_class in _EXCEPTIONS.items():
        exception_class.__module__ = "eryx"
        _eryx.set_interrupt(kind, exception_class)
    signal.signal(signal.SIGXCPU, _eryx.on_interrupt)
