"""Permission bits of files: what the guest's os has not, or only says that it has."""

import os
import posix

import _eryx

_CURRENT_DIRECTORY = -2  # AT_FDCWD of the guest's libc


def _fail(number, path=None):
    if path is None:
        raise OSError(number, os.strerror(number))
    raise OSError(number, os.strerror(number), path)


def _number(mode):
    """The mode as C takes an int."""
    number = mode.__index__() if hasattr(mode, "__index__") else None
    if number is None:
        raise TypeError(f"{type(mode).__name__!r} object cannot be interpreted as an integer")
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError("Python int too large to convert to C int")
    return number & 0o7777


def fchmod(fd, mode):
    """Change the permission bits of the file given by file descriptor fd."""
    number = _eryx.change_open_mode(fd, _number(mode))
    if number:
        _fail(number)


def umask(mask, /):
    """Set the current numeric umask and return the previous umask."""
    return _eryx.umask(_number(mask))


def _make_chmod(earlier):
    def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
        if isinstance(path, int):
            number = _eryx.change_open_mode(path, _number(mode))
        elif not follow_symlinks:
            raise NotImplementedError("chmod: follow_symlinks unavailable on this platform")
        else:
            try:
                name = os.fsencode(path)
            except TypeError:
                kind = type(path).__name__
                raise TypeError(
                    f"chmod: path should be string, bytes, os.PathLike or integer, not {kind}"
                ) from None
            if b"\0" in name:
                raise ValueError("chmod: embedded null character in path")
            directory = _CURRENT_DIRECTORY if dir_fd is None else dir_fd
            number = _eryx.change_mode(directory, name, _number(mode))
        if number:
            _fail(number, path)

    chmod.__doc__ = earlier.__doc__
    chmod.__text_signature__ = earlier.__text_signature__
    return chmod


def install() -> None:
    """Put them into os and what that is made of."""
    earlier = os.chmod
    os.chmod = posix.chmod = _make_chmod(earlier)
    os.fchmod = posix.fchmod = fchmod
    os.umask = posix.umask = umask
    for function in (os.chmod, fchmod, umask):
        function.__module__ = "os"
        function.__qualname__ = function.__name__
    for functions in (os.supports_fd, os.supports_dir_fd):
        functions.discard(earlier)
        functions.add(os.chmod)
    os.supports_follow_symlinks.discard(earlier)
