"""The C part of the runtime (guest/module.c)."""

from collections.abc import Buffer

def take_interrupt() -> int:
    """Return the kind of interrupt asked for since the run began, or 0; once for each."""

def report(field: int, data: bytes, /) -> None:
    """Hand one part of the result to the host (enum report_field)."""

def report_exit_code(code: int, /) -> None:
    """Tell the host the code that SystemExit carried."""

def write_output(data: Buffer, /) -> int:
    """Write all of data to standard output."""

def write_error(data: Buffer, /) -> int:
    """Write all of data to standard error."""

def make_immortal(item: object, /) -> None:
    """Stop counting references to an object, for good."""
