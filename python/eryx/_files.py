"""Reads and writes whole files that the caller has named."""

from __future__ import annotations

import os
import stat

from eryx._errors import InitializationError


def open_at_once(path: str, flags: int) -> int:
    """For ``open``: nobody waits until a pipe has another end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_file(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """The contents of a file. Raises InitializationError that names it if there is anything else,
    or too much of it.
    """
    name = os.fspath(path)
    try:
        with open(path, "rb", opener=open_at_once) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InitializationError(f"{name}: is not a regular file")
            if status.st_size > max_bytes:
                raise InitializationError(f"{name}: is larger than {max_bytes >> 20} MiB")
            data = stream.read(status.st_size + 1)
    except (OSError, ValueError) as error:
        raise InitializationError(f"{name}: {reason_of(error)}") from None
    if len(data) != status.st_size:
        raise InitializationError(f"{name}: changes while it is read")
    return data


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file that appears under its name when it is complete."""
    import tempfile

    name = os.fspath(path)
    folder = os.path.dirname(name) or "."
    try:
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".eryx-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, name)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InitializationError(f"{name}: {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    """What went wrong, without the name of the file."""
    return getattr(error, "strerror", None) or str(error)
