"""os.dup() and os.dup2(), over guest/descriptors.c."""

import os
import posix

import _eryx


def dup(fd, /):
    """Return a duplicate of a file descriptor.

    It is one of the same open file, for what that is open for, with a position of its own, which
    begins where the other's is.
    """
    return _eryx.dup(fd)


def dup2(fd, fd2, inheritable=True):
    """Duplicate file descriptor."""
    return _eryx.dup2(fd, fd2)


def install() -> None:
    """Put them into os and what that is made of."""
    for function in (dup, dup2):
        function.__module__ = "posix"
        setattr(posix, function.__name__, function)
        setattr(os, function.__name__, function)
        if function.__name__ not in os.__all__:
            os.__all__.append(function.__name__)
