"""A run as an MCP client gets it: texts, pictures and the value as data."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import mcp.types as types

from eryx import _errors
from eryx._errors import EryxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eryx._display import Display
    from eryx._result import ExecuteResult

# What a model can read of one text.
_MOST_CHARACTERS = 100_000

OUTPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "stdout": {"type": "string"},
        "stderr": {"type": "string"},
        "value": {"description": "value of the last expression, if JSON can hold it"},
        "value_repr": {"type": ["string", "null"]},
        "error": {
            "type": ["object", "null"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "duration_ms": {"type": "number"},
    },
    "required": ["stdout", "stderr", "value", "value_repr", "error", "duration_ms"],
}


def result_of(
    run: ExecuteResult | EryxError, notes: Sequence[str], links: Iterable[types.ResourceLink]
) -> types.CallToolResult:
    """The answer of run_python. notes: what there is to say besides; links: new files."""
    blocks: list[types.ContentBlock] = []
    stdout = run.stdout_bytes.decode("utf-8", "replace")
    stderr = run.stderr_bytes.decode("utf-8", "replace")
    if stdout:
        blocks.append(_text(stdout))
    if stderr:
        blocks.append(_text(f"[stderr]\n{stderr}"))
    error = run if isinstance(run, EryxError) else None
    value, value_repr = (None, None) if isinstance(run, EryxError) else (run.value, run.value_repr)
    if value_repr is not None:
        blocks.append(_text(value_repr))
    for display in run.display:
        blocks += _shown(display, value_repr)
    if error is not None:
        blocks.append(_text(told(error)))
    blocks += [_text(note) for note in notes]
    blocks += links
    return types.CallToolResult(
        content=blocks or [_text("(no output)")],
        structured_content={
            "stdout": stdout,
            "stderr": stderr,
            "value": value,
            "value_repr": value_repr,
            "error": error and {"type": type(error).__name__, "message": str(error)},
            "duration_ms": run.duration_ms,
        },
        is_error=error is not None,
    )


def told(error: EryxError) -> str:
    """What a model is told of an exception that ended a run."""
    text = str(error).rstrip()
    if isinstance(error, _errors.TimeoutError):
        return f"{text}\nTimeoutError: the run timed out after {error.duration_ms:.0f} ms"
    return text if ":" in text else f"{type(error).__name__}: {text}"


def failure(text: str) -> types.CallToolResult:
    """The answer to a call that could not even begin."""
    return types.CallToolResult(content=[_text(text)], is_error=True)


def _text(text: str) -> types.TextContent:
    from eryx._display import cut

    return types.TextContent(text=cut(text, _MOST_CHARACTERS))


def _shown(display: Display, value_repr: str | None) -> list[types.ContentBlock]:
    """A picture as one, and all else as the text that stands for it."""
    pictures: list[types.ContentBlock] = []
    for kind in ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"):
        if kind in display.mime:
            data = base64.b64encode(display.read(kind)).decode()
            pictures.append(types.ImageContent(data=data, mime_type=kind))
            break
    if pictures or display.text in ("", value_repr):
        return pictures
    return [_text(display.text)]
