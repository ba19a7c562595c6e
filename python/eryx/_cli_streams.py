"""The standard streams of the command, whatever the locale is and also where some are closed."""

from __future__ import annotations

import errno
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO
    from typing import NoReturn

# Control characters that a terminal may act on are shown as \\x1b and the like; tab, newline and
# carriage return are kept.
_VISIBLE_CONTROLS = {
    code: f"\\x{code:02x}"
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\t\n\r"
}
# The controls that JSON may have as they are, in the form that means the same.
_JSON_CONTROLS = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}

_NAMES = {1: "standard output", 2: "standard error"}


class OutputClosedError(BaseException):
    """Nobody takes our output any more. Not an Exception, so that it ends the run."""

    def __init__(self, stream: int, error: OSError) -> None:
        """stream: 1 or 2. error: what the system said."""
        super().__init__(f"cannot write to {_NAMES[stream]}: {error.strerror}")
        self.is_broken_pipe = error.errno == errno.EPIPE


def prepare() -> None:
    """Makes the three streams usable.

    A closed one reads as empty and swallows what is written, as Python's own would; a file that is
    opened later must not take its number. Characters that the locale does not have are escaped.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  (for good)
    if sys.stderr is None:
        sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def visible(text: str) -> str:
    """The text without what a terminal acts on."""
    return text.translate(_VISIBLE_CONTROLS)


def write(stream: int, data: bytes) -> None:
    """Writes all of it to 1 or 2, but nothing that could command a terminal.

    Raises OutputClosedError.
    """
    if os.isatty(stream):
        data = visible(data.decode("utf-8", "replace")).encode()
    write_as_it_is(stream, data)


def write_as_it_is(stream: int, data: bytes) -> None:
    """Writes all of it to 1 or 2. Raises OutputClosedError."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(stream, rest) :]
        except BlockingIOError:
            select.select([], [stream], [])
        except OSError as error:
            raise OutputClosedError(stream, error) from error


def write_json(document: str) -> None:
    """Writes a line of JSON to standard output. Raises OutputClosedError."""
    text = document.translate(_JSON_CONTROLS) + "\n"
    write(1, text.encode("utf-8", "surrogatepass"))


def complain(message: object) -> None:
    """Tells standard error what is wrong, if it can be told."""
    try:
        write(2, f"eryx: {message}\n".encode("utf-8", "backslashreplace"))
    except OutputClosedError:
        pass


def standard_input() -> FileIO:
    """Standard input without what Python puts before it."""
    return open(0, "rb", buffering=0, closefd=False)


def give_up(error: OutputClosedError | None, exit_code: int) -> NoReturn:
    """Ends the process without the complaint that Python makes if it cannot flush stdout."""
    if error is not None and not error.is_broken_pipe:
        complain(error)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(exit_code)
