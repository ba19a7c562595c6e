"""The C part of the runtime (guest/module.c)."""

from collections.abc import Buffer
from types import FrameType

def set_interrupt(kind: int, exception_class: type[BaseException], /) -> None:
    """Say what an interrupt of that kind (enum interrupt_kind) raises."""

def on_interrupt(signal_number: int, frame: FrameType | None, /) -> None:
    """Raise what the host has asked for, if it has; a signal handler."""

def report(field: int, data: bytes, /) -> None:
    """Hand one part of the result to the host (enum report_field)."""

def report_exit_code(code: int, /) -> None:
    """Tell the host the code that SystemExit carried."""

def allocate_for(user: int, /) -> int:
    """Say who allocates from now on (enum memory_user). Return who did."""

def memory_was_short() -> bool:
    """Tell whether memory was used up by this run."""

def memory_limit() -> int:
    """Tell how many bytes of memory there may be."""

def write_output(data: Buffer, /) -> int:
    """Write all of data to standard output."""

def write_error(data: Buffer, /) -> int:
    """Write all of data to standard error."""

def make_immortal(item: object, /) -> None:
    """Stop counting references to an object, for good."""

def call(name: str, arguments: str, /) -> int:
    """Ask the host for a call; arguments are JSON. Return its id, or a call_refusal."""

def wait(timeout_ns: int, /) -> list[tuple[int, int, str]]:
    """Sleep until there are answers or the time is over; a negative time has no end.

    Return (id, answer_status, text) of all there are, which may be none before the time is over.
    """

def trace(events: str, /) -> None:
    """Hand a JSON array of trace events to the host."""

def change_mode(directory: int, path: bytes, mode: int, /) -> int:
    """Set the permission bits of what a path leads to; return 0 or a number of errno."""

def change_open_mode(file: int, mode: int, /) -> int:
    """The same for an open file."""

def umask(mask: int, /) -> int:
    """Set what files are made without from now on; return what that was."""

def pipe() -> tuple[int, int]:
    """Make a pipe. Return its end to read from, and the one to write to."""

def dup(file: int, /) -> int:
    """Return another descriptor of the same file, pipe or standard stream."""

def dup2(file: int, number: int, /) -> int:
    """Make a number another descriptor of the same, and close what had it; return the number."""

def forget_random() -> None:
    """Have the generator of random numbers in SQLite seed itself anew."""

def ask(service: int, operation: int, number: int, data: Buffer, room: int, /) -> int | bytes:
    """Ask the host for something (protocol/ask.h): with room, what it writes; else a number."""

def ask_into(service: int, operation: int, number: int, buffer: Buffer, /) -> int:
    """The same, with what it writes going into the buffer."""
