"""Events of the tracer: their type, and their way from the guest to the caller."""

from __future__ import annotations

import json
import sys
import time
from typing import NamedTuple

from eryx._annotations import late_annotations
from eryx._eryx import deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eryx._calls import Calls

_KINDS = {kind: kind for kind in ("line", "call", "return", "exception")}
_MAX_TEXT = 1000  # characters of a name in an event
_MAX_TEXTS = 16 * 1024 * 1024  # bytes of all different names in the events of a run


class TraceEvent(NamedTuple):
    """One thing that happened in a run."""

    event: str
    """``line``, ``call``, ``return``, ``exception``, ``callback_start`` or ``callback_end``."""
    line: int = 0
    """Number of the line; 0 for callbacks."""
    function: str = ""
    """Qualified name of the function, ``<module>`` outside of one; the name of a callback."""
    filename: str = ""
    """File of the line; ``<user>`` for the program; empty for callbacks."""
    duration_ms: float | None = None
    """Of ``callback_end``: how long the callback took."""
    callback_id: int = 0
    """Of callbacks: which start belongs to which end."""


TraceEvent.__module__ = "eryx"
late_annotations(globals(), TraceEvent)


class Recorder:
    """Collects the events of one run; the guest is not trusted to keep to the limit."""

    __slots__ = (
        "_left",
        "_on_trace",
        "_room",
        "_started",
        "_texts",
        "calls",
        "events",
        "truncated",
    )

    def __init__(self, on_trace: Callable[[TraceEvent], object] | None, limit: int) -> None:
        """on_trace: is given each event as it comes."""
        self._on_trace = on_trace
        self._left = limit
        self._started: dict[int, tuple[str, int]] = {}
        self._texts: dict[str, str] = {}  # so that each is kept once
        self._room = _MAX_TEXTS
        self.calls: Calls | None = None  # those of the run while it goes on
        self.events: list[TraceEvent] = []
        self.truncated = False

    def feed(self, text: str | None) -> None:
        """Takes a batch of events from the guest."""
        if text is None or self._left <= 0:
            self.truncated = True
            return
        try:
            batch = json.loads(text)
        except (ValueError, RecursionError):
            self.truncated = True
            return
        for entry in batch if isinstance(batch, list) else ():
            event = self._checked(entry)
            if event is None:
                self.truncated = True
            else:
                self._add(event)

    def _kept(self, text: str) -> str:
        """A text of an event, cut; one that was there before if it is equal."""
        text = text[:_MAX_TEXT]
        known = self._texts.get(text)
        if known is not None:
            return known
        self._room -= sys.getsizeof(text)
        if self._room < 0:
            self.truncated = True
            return ""
        self._texts[text] = text
        return text

    def _checked(self, entry: Any) -> TraceEvent | None:
        """An event of the guest; None for the mark that events are missing and for what is none."""
        if not isinstance(entry, dict):
            return None
        kind, line = entry.get("event"), entry.get("line")
        function, filename = entry.get("function"), entry.get("filename")
        if (
            isinstance(kind, str)
            and kind in _KINDS
            and isinstance(line, int | None)
            and isinstance(function, str)
            and isinstance(filename, str)
        ):
            return TraceEvent(
                _KINDS[kind], _small(line or 0), self._kept(function), self._kept(filename)
            )
        return None

    def callback_start(self, callback_id: int, name: str) -> None:
        """A callback was asked for."""
        name = self._kept(name)
        self._started[callback_id] = (name, time.monotonic_ns())
        self._add(TraceEvent("callback_start", function=name, callback_id=callback_id))

    def callback_end(self, callback_id: int) -> None:
        """A callback was answered or has expired."""
        name, started_ns = self._started.pop(callback_id, (None, 0))
        if name is not None:
            duration_ms = (time.monotonic_ns() - started_ns) / 1e6
            self._add(TraceEvent("callback_end", 0, name, "", duration_ms, callback_id))

    def _add(self, event: TraceEvent) -> None:
        if self._left <= 0:
            self.truncated = True
            return
        self._left -= 1
        self.events.append(event)
        if self._on_trace is not None and self.calls is not None and not self.calls.is_over():
            self._hand_over(self._on_trace, self.calls, event)

    def _hand_over(
        self, on_trace: Callable[[TraceEvent], object], calls: Calls, event: TraceEvent
    ) -> None:
        def call_handler(_: int, event: TraceEvent) -> None:
            on_trace(event)

        calls.enter()
        try:
            deliver(call_handler, 0, event)
        finally:
            calls.leave()


def _small(line: int) -> int:
    """A number of a line; 0 for one that no file has."""
    return line if 0 <= line < 2**31 else 0


def mode_of(trace: object) -> str | None:
    """The mode of the guest's tracer for what a caller gave as `trace`."""
    if trace is True:
        return "user"
    if trace is False:
        return None
    if trace == "all":
        return "all"
    raise ValueError(f"trace must be True, False or 'all', not {trace!r}")


def checked_limit(limit: object) -> int:
    """The number of events for what a caller gave as `max_trace_events`."""
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"max_trace_events must be an int, not {type(limit).__name__}")
    if not 0 <= limit <= 2**63 - 1:
        raise ValueError("max_trace_events must be from 0 to 2**63 - 1")
    return limit
