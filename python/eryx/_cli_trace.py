"""Shows what a program does, line by line, on standard error (--trace)."""

from __future__ import annotations

from eryx import _cli_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._tracing import TraceEvent

_DEEPEST = 20  # indentation


class Tracer:
    """Writes the events of a run as they come."""

    def __init__(self, code: str | bytes, filename: str) -> None:
        """code, filename: the program, whose lines are shown."""
        if isinstance(code, bytes):
            code = code.decode("utf-8", "replace")
        self._lines = code.split("\n")
        self._filename = filename
        self._depth = 0

    def write(self, event: TraceEvent) -> None:
        """Writes one. Raises OutputClosedError."""
        if event.event == "return":
            self._depth -= event.function != "<module>"
            return
        text = self._text(event)
        indent = "  " * max(0, min(self._depth, _DEEPEST))
        if event.event == "call":
            if event.function == "<module>":
                return
            self._depth += 1
        _cli_streams.write(2, f"{indent}{text}\n".encode("utf-8", "backslashreplace"))

    def _text(self, event: TraceEvent) -> str:
        if event.event == "callback_start":
            return f"-> {event.function}()"
        if event.event == "callback_end":
            return f"<- {event.function}() {event.duration_ms or 0:.1f} ms"
        place = f"{event.filename}:{event.line}"
        if event.event == "call":
            return f"{place}: {event.function}()"
        if event.event == "exception":
            return f"{place}: exception in {event.function}"
        if event.filename == self._filename and 0 < event.line <= len(self._lines):
            return f"{place}: {self._lines[event.line - 1].strip()}"
        return f"{place}: {event.function}"
