"""os.pipe(), over guest/pipes.c."""

import os
import posix

import _eryx


def pipe():
    """Create a pipe.

    Returns a tuple of two file descriptors: (read_fd, write_fd).
    """
    return _eryx.pipe()


def pipe2(flags, /):
    """Create a pipe with flags set atomically: os.O_NONBLOCK and os.O_CLOEXEC."""
    ends = _eryx.pipe()
    if flags & os.O_NONBLOCK:
        for end in ends:
            os.set_blocking(end, False)
    return ends


def install() -> None:
    """Put them into os and what that is made of."""
    for function in (pipe, pipe2):
        function.__module__ = "posix"
        setattr(posix, function.__name__, function)
        setattr(os, function.__name__, function)
        os.__all__.append(function.__name__)
