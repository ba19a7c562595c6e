"""What a session tells of the threads that its runs have left."""

import json
from typing import NamedTuple


class SessionThread(NamedTuple):
    """A thread of a program that rests until the next run of its session."""

    name: str
    """As the program named it."""
    daemon: bool
    """Whether it is a daemon thread; others are left only if just a later run can wake them."""
    state: str
    """In the next run it is "ready" to go on, "waiting" for a time or for something outside, or
    "waiting for threads"."""
    where: str
    """The line of the program that it is in."""


SessionThread.__module__ = "eryx"


def read_threads(text: str | None) -> tuple[SessionThread, ...]:
    """The threads that the guest has told of, which may have been tampered with by its program."""
    if text is None:
        return ()
    try:
        return tuple(
            SessionThread(
                str(entry["name"]), bool(entry["daemon"]), str(entry["state"]), str(entry["where"])
            )
            for entry in json.loads(text)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
