"""os.dup(), which the guest's C library has not."""

import errno
import os
import posix
import stat

import _eryx

_AGAIN = "/\1open/"  # FILE_AGAIN of protocol/files.h


def dup(fd, /):
    """Return a duplicate of a file descriptor.

    It is one of the same open file, for what that is open for, with a position of its own, which
    begins where the other's is.
    """
    status = os.fstat(fd)
    if stat.S_ISFIFO(status.st_mode):
        return _eryx.copy_end(fd)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    made = os.open(f"{_AGAIN}{status.st_ino:x}", os.O_RDWR)
    try:
        os.lseek(made, os.lseek(fd, 0, os.SEEK_CUR), os.SEEK_SET)
    except OSError:
        os.close(made)
        raise
    return made


def install() -> None:
    """Put it into os and what that is made of."""
    os.dup = posix.dup = dup
    dup.__module__ = "os"
