"""Runs as rows of events, in the two forms that clients take."""

from __future__ import annotations

import json

from eryx._events import Done, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx._errors import EryxError
    from eryx._events import Event
    from eryx._result import ExecuteResult

LINES = "application/x-ndjson"
EVENTS = "text/event-stream"


# What a run leaves that has failed, so that each outcome has the same members.
_NOTHING = {"value": None, "value_repr": None, "result": None, "result_error": None}


def wanted(accept: str) -> str | None:
    """Which of the two a request asks for; None for neither."""
    for part in accept.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in (LINES, EVENTS):
            return kind
    return None


def encoded(kind: str, event: dict[str, Any]) -> bytes:
    """One event. Its ``type`` is the event's name."""
    text = json.dumps(event)
    if kind == LINES:
        return f"{text}\n".encode()
    return f"event: {event['type']}\ndata: {text}\n\n".encode()


def as_event(event: Event) -> dict[str, Any] | None:
    """What is told of an event of a run; None for nothing."""
    if isinstance(event, Output):
        return {"type": "output", "stream": event.stream, "text": event.text}
    if isinstance(event, Done):
        return {"type": "done", **outcome(event)}
    return None


def outcome(done: Done) -> dict[str, Any]:
    """How a run ended: all that it left, with ``error`` if it failed."""
    if done.error is not None:
        return failed(done.error)
    assert done.result is not None
    return succeeded(done.result)


def failed(error: EryxError) -> dict[str, Any]:
    """All that a run left which failed."""
    return {**_NOTHING, **error.to_dict()}


def succeeded(result: ExecuteResult) -> dict[str, Any]:
    """All that a run left which ended well."""
    return {**result.to_dict(), "error": None}
