"""What a program has shown, and the value of its last expression; imported when there is some."""

from __future__ import annotations

import base64
import json

from eryx._annotations import late_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx._eryx import Outcome

# Kinds of data whose value is base64 text, as Jupyter has it.
_BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")

_PNG = b"\x89PNG\r\n\x1a\n"

MOST_CHARACTERS = 20_000


class Display:
    """One object as a program has shown it: the same thing in one or more kinds of data.

    >>> import eryx
    >>> done = eryx.Sandbox().execute("display({'text/html': '<b>1</b>'}, raw=True)")
    >>> done.display
    [Display(['text/html'])]
    >>> done.display[0].mime["text/html"]
    '<b>1</b>'
    """

    __module__ = "eryx"
    __slots__ = ("metadata", "mime")

    mime: dict[str, Any]
    """Data by its MIME type, as in Jupyter: pictures are base64 text, JSON is a value."""
    metadata: dict[str, Any]
    """What is said about the data, as in Jupyter; mostly nothing."""

    def __init__(self, mime: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        """Displays are made by the package; one of your own is good for tests."""
        self.mime = mime
        self.metadata = {} if metadata is None else metadata

    def read(self, mime: str) -> bytes:
        """The data of one kind as bytes: of a picture, those of its file.

        Raises KeyError if there is none, ValueError if it is damaged.
        """
        value = self.mime[mime]
        if mime in _BINARY:
            return base64.b64decode(value if isinstance(value, str) else "", validate=True)
        return (value if isinstance(value, str) else json.dumps(value)).encode()

    @property
    def text(self) -> str:
        """For a model: kind and size of a picture, or the text that stands for the object."""
        for mime in self.mime:
            if mime.startswith("image/"):
                return f"[{mime}{self._size(mime)}]"
        plain = self.mime.get("text/plain")
        if isinstance(plain, str):
            return plain
        for mime in ("text/markdown", "text/latex"):
            value = self.mime.get(mime)
            if isinstance(value, str):
                return value
        return f"[{next(iter(self.mime), 'nothing')}]"

    def _size(self, mime: str) -> str:
        """Width and height, if they can be told."""
        about = self.metadata.get(mime)
        if isinstance(about, dict) and {"width", "height"} <= about.keys():
            return f" {about['width']}x{about['height']}"
        value = self.mime[mime]
        if mime != "image/png" or not isinstance(value, str):
            return ""
        try:
            head = base64.b64decode(value[:32])
        except ValueError:
            return ""
        if head[:8] != _PNG or len(head) < 24:
            return ""
        return f" {int.from_bytes(head[16:20])}x{int.from_bytes(head[20:24])}"

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """For notebooks."""
        return self.mime, self.metadata

    def __getstate__(self) -> object:
        """For copies and pickle."""
        return None, {"mime": self.mime, "metadata": self.metadata}

    def __eq__(self, other: object) -> bool:
        """Equal if they show the same."""
        if not isinstance(other, Display):
            return NotImplemented
        return self.mime == other.mime and self.metadata == other.metadata

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """The kinds of data."""
        return f"Display({list(self.mime)!r})"


class Shown:
    """Value and displays of one run, decoded when somebody looks at them."""

    __slots__ = ("_display", "_displays_json", "dropped", "value_json", "value_repr")

    def __init__(self, outcome: Outcome) -> None:
        self.value_json = outcome.value_json
        self.value_repr = outcome.value_repr
        self.dropped = outcome.displays_dropped
        self._displays_json = outcome.displays
        self._display: list[Display] | None = None

    @property
    def value(self) -> Any:
        """The value, as JSON has it."""
        if self.value_json is None:
            return None
        try:
            return json.loads(self.value_json)
        except (ValueError, RecursionError):
            return None  # the guest wrote it by hand

    @property
    def display(self) -> list[Display]:
        """What was shown, in order."""
        if self._display is None:
            lines = (self._displays_json or "").splitlines()
            self._display = [found for found in map(_display_of, lines) if found is not None]
        return self._display

    def _parts(self) -> tuple[object, ...]:
        return self.value_json, self.value_repr, self.dropped, self._displays_json

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shown) and self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> object:
        return None, {name: getattr(self, name) for name in self.__slots__}


def _display_of(line: str) -> Display | None:
    """The display that a guest wrote; None if it is none."""
    try:
        found = json.loads(line)
        data, metadata = found["data"], found["metadata"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    return Display(data, metadata)


def cut(text: str, max_chars: int) -> str:
    """The text, without so much of its middle that it has that many characters at most."""
    if not isinstance(max_chars, int) or isinstance(max_chars, bool):
        raise TypeError(f"max_chars must be an int, not {type(max_chars).__name__}")
    if max_chars < 0:
        raise ValueError("max_chars must not be negative")
    if len(text) <= max_chars:
        return text
    left_out = f"\n[... {len(text) - max_chars} characters left out ...]\n"
    room = max_chars - len(left_out)
    if room < 2:
        return text[:max_chars]
    return text[: room - room // 2] + left_out + text[len(text) - room // 2 :]


def text_for_model(source: Any, max_chars: int, ending: str = "") -> str:
    """What a model should see of a result or an error. ending: the traceback of the latter."""
    shown: Shown | None = source._shown
    parts = [source.stdout]
    if shown is not None:
        value = shown.value_repr
        if value is not None:
            parts.append(value)
        parts += [text for text in (display.text for display in shown.display) if text != value]
        if shown.dropped:
            parts.append(f"[{shown.dropped} displays left out]")
    parts.append(ending)
    return cut("\n".join(part for part in parts if part), max_chars)


def as_dict(source: Any) -> dict[str, Any]:
    """What a result or an error has, as JSON can hold it; what it has as bytes is left out."""
    found: dict[str, Any] = {}
    for name in _NAMES:
        if hasattr(source, name):
            found[name] = getattr(source, name)
    found["display"] = [
        {"mime": display.mime, "metadata": display.metadata} for display in source.display
    ]
    found["files"] = [change._asdict() for change in source.files]
    for name in ("connections", "trace"):
        found[name] = [
            event if isinstance(event, dict) else event._asdict() for event in getattr(source, name)
        ]
    return found


_NAMES = (
    *("stdout", "stderr", "stdout_truncated", "stderr_truncated"),
    *("value", "value_repr", "result", "result_error", "display_truncated", "files_truncated"),
    *("exc_type", "exc_message", "traceback", "exit_code"),
    *("duration_ms", "queued_ms", "fuel_consumed", "peak_memory_bytes", "memory_limit_hit"),
    *("callback_invocations", "connections_total", "trace_truncated"),
)

late_annotations(globals(), Display)
