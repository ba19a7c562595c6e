"""The standard streams of a run."""

import io
import sys
from collections.abc import Buffer

import _eryx

_read_into = io.FileIO.readinto


class _StandardInput(io.FileIO):
    """Has a frame, in which what ends a program while it waits for input can be raised."""

    def readinto(self, buffer: Buffer) -> int | None:
        return _read_into(self, buffer)


class _StandardOutput(io.FileIO):
    """Writes at once, and all of it, so that nothing is lost if the host ends the guest."""

    # A built-in function is no descriptor: it is called without self, and without a Python frame.
    write = _eryx.write_output  # type: ignore[assignment]


class _StandardError(io.FileIO):
    write = _eryx.write_error  # type: ignore[assignment]


def _text(raw: io.FileIO, name: str, errors: str) -> io.TextIOWrapper:
    raw.name = name
    stream = io.TextIOWrapper(
        raw,
        encoding="utf-8",
        errors=errors,
        newline="\n",
        write_through=True,
    )
    stream.mode = "w"  # type: ignore[misc]
    return stream


def install() -> None:
    """Give sys fresh streams, whatever an earlier run has done to the old ones."""
    source = io.BufferedReader(_StandardInput(0, "r", closefd=False))
    source.raw.name = "<stdin>"
    sys.stdin = io.TextIOWrapper(source, encoding="utf-8", errors="surrogateescape", newline="\n")
    sys.stdin.mode = "r"  # type: ignore[misc]
    output = _text(_StandardOutput(1, "w", closefd=False), "<stdout>", "surrogateescape")
    error = _text(_StandardError(2, "w", closefd=False), "<stderr>", "backslashreplace")
    sys.stdout = output
    sys.stderr = error
    sys.__stdin__ = sys.stdin  # type: ignore[misc]
    sys.__stdout__ = output  # type: ignore[misc]
    sys.__stderr__ = error  # type: ignore[misc]


def flush() -> None:
    """Flush what the program has made of its streams; as CPython, without minding what fails."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
