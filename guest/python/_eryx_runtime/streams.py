"""The standard streams of a run. They are made anew only if the run before has changed them.

Whatever changes one is seen at the end of the run, and costs nothing while nothing does: reading
fills a buffer; to close, detach or reconfigure a stream flushes it; the rest can be compared. (Who
calls `__init__` of one again keeps what that made.)
"""

import io
import sys
from collections.abc import Buffer
from typing import Any

import _eryx

_read_into = io.FileIO.readinto
_read_all = io.FileIO.readall
_flush = io.FileIO.flush


class _State:
    """The streams as they were made."""

    touched = False
    stdin: io.TextIOWrapper | None = None
    stdout: io.TextIOWrapper | None = None
    stderr: io.TextIOWrapper | None = None
    attributes: tuple[dict[str, Any], ...] = ()  # of the streams and what they are made of
    attributes_made: tuple[dict[str, Any], ...] = ()


_state = _State()


class _Descriptor(io.FileIO):
    def flush(self) -> None:
        _state.touched = True
        _flush(self)


class _StandardInput(_Descriptor):
    """Has a frame, in which what ends a program while it waits for input can be raised."""

    def readinto(self, buffer: Buffer) -> int | None:
        _state.touched = True
        return _read_into(self, buffer)

    def readall(self) -> bytes | None:
        _state.touched = True
        return _read_all(self)


class _StandardOutput(_Descriptor):
    """Writes at once, and all of it, so that nothing is lost if the host ends the guest."""

    # A built-in function is no descriptor: it is called without self, and without a Python frame.
    write = _eryx.write_output  # type: ignore[assignment]


class _StandardError(_Descriptor):
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
    raw_source = _StandardInput(0, "r", closefd=False)
    raw_source.name = "<stdin>"
    source = io.BufferedReader(raw_source)
    stdin = io.TextIOWrapper(source, encoding="utf-8", errors="surrogateescape", newline="\n")
    stdin.mode = "r"  # type: ignore[misc]
    raw_output = _StandardOutput(1, "w", closefd=False)
    output = _text(raw_output, "<stdout>", "surrogateescape")
    raw_error = _StandardError(2, "w", closefd=False)
    error = _text(raw_error, "<stderr>", "backslashreplace")
    sys.stdin = sys.__stdin__ = stdin  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = output  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = error  # type: ignore[misc]
    parts = (stdin, output, error, source, raw_source, raw_output, raw_error)
    _state.stdin, _state.stdout, _state.stderr = stdin, output, error
    _state.attributes = tuple(vars(part) for part in parts)
    _state.attributes_made = tuple(vars(part).copy() for part in parts)
    _state.touched = False


def _are_untouched() -> bool:
    try:
        return (
            not _state.touched
            and sys.stdin is sys.__stdin__ is _state.stdin
            and sys.stdout is sys.__stdout__ is _state.stdout
            and sys.stderr is sys.__stderr__ is _state.stderr
            and _state.attributes == _state.attributes_made
        )
    except Exception:
        return False  # one is not there any more, or an attribute cannot be compared


def renew() -> None:
    """Give sys fresh streams if those that it has are not fresh any more."""
    if not _are_untouched():
        install()


def flush() -> None:
    """Flush what the program has made of its streams; as CPython, without minding what fails."""
    for name, made in (("stdout", _state.stdout), ("stderr", _state.stderr)):
        try:
            stream = getattr(sys, name)
            if _state.touched or stream is not made:
                stream.flush()
        except Exception:
            pass
