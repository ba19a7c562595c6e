"""What notebooks ask besides running cells: completion, inspection, whether a cell is whole."""

from __future__ import annotations

from eryx import Session, _interactive
from eryx._interactive import completeness, is_of_name, look

_INSPECT = """
import inspect
thing = eval(word, given)
lines = [f"Type: {type(thing).__name__}"]
try:
    lines.append(f"Signature: {word}{inspect.signature(thing)}")
except (TypeError, ValueError):
    if not callable(thing):
        text = repr(thing)
        lines.append(f"Value: {text if len(text) < 500 else text[:500] + '...'}")
if detail:
    try:
        lines.append("Source:\\n" + inspect.getsource(thing))
    except (TypeError, OSError):
        pass
lines.append(inspect.getdoc(thing) or "")
found = "\\n".join(lines).rstrip()
"""


def is_complete(source: str) -> str:
    """Whether a cell is "complete", "incomplete" or "invalid", or that this is "unknown"."""
    return completeness(source) or "unknown"


def completions(session: Session, line: str) -> tuple[int, list[str]]:
    """Where the last word of a line begins, and what could stand there."""
    return _interactive.completions(session, line, _interactive.NAMES)


def inspection(session: Session, code: str, cursor: int, detail: int) -> str | None:
    """Type, signature and documentation of what stands at the cursor; None if there is nothing."""
    word = _word_at(code, cursor)
    found = look(session, _INSPECT, word=word, detail=detail > 0) if word else None
    return found if isinstance(found, str) else None


def _word_at(code: str, cursor: int) -> str:
    """The dotted name at the cursor; that of the call, if it stands behind its parenthesis."""
    begin = end = cursor - 1 if cursor and code[cursor - 1 : cursor] == "(" else cursor
    while end < len(code) and is_of_name(code[end]) and code[end] != ".":
        end += 1
    while begin and is_of_name(code[begin - 1]):
        begin -= 1
    word = code[begin:end].strip(".")
    return word if all(part.isidentifier() for part in word.split(".")) else ""
