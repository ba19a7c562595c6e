"""What frontends ask besides running cells: completion, inspection, whether a cell is whole.

The sandbox answers, because its Python is not the one that eryx runs on. Names are looked up in a
fork of the session, so that looking changes nothing.
"""

from __future__ import annotations

import functools
from typing import Any

from eryx import EryxError, Session

_TIMEOUT_MS = 2_000  # an answer that takes longer is of no use
_MOST = 1_000  # names

_IS_COMPLETE = """
import ast, codeop, warnings

def look(source):
    warnings.simplefilter("ignore")  # the run says it
    compiler = codeop.CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    wrong = SyntaxError, OverflowError, ValueError
    try:
        return "incomplete" if compiler(source, "<cell>", "single") is None else "complete"
    except wrong:
        pass
    try:
        compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        return "complete"  # several statements
    except wrong:
        return "invalid"
"""

_COMPLETE = """
from rlcompleter import Completer
found = []
completer = Completer(given)
while len(found) < most and (name := completer.complete(word, len(found))) is not None:
    found.append(name)
"""

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


@functools.cache
def _compiler() -> Session:
    """A session that knows nothing but how to compile."""
    made = Session(execution_timeout_ms=_TIMEOUT_MS)
    made.execute(_IS_COMPLETE)
    return made


def is_complete(source: str) -> str:
    """Whether a cell is "complete", "incomplete" or "invalid", or that this is "unknown"."""
    try:
        answer = _compiler().execute("look(source)", inputs={"source": source}).value
    except EryxError:
        _compiler.cache_clear()
        return "unknown"
    return answer if answer in ("complete", "incomplete", "invalid") else "unknown"


def completions(session: Session, line: str) -> tuple[int, list[str]]:
    """Where the last word of a line begins, and what could stand there."""
    begin = len(line)
    while begin and _is_of_name(line[begin - 1]):
        begin -= 1
    found = _look(session, _COMPLETE, word=line[begin:], most=_MOST)
    if not isinstance(found, list):
        return begin, []
    names = [name for name in found if isinstance(name, str) and name.isprintable()]
    return begin, list(dict.fromkeys(names))


def inspection(session: Session, code: str, cursor: int, detail: int) -> str | None:
    """Type, signature and documentation of what stands at the cursor; None if there is nothing."""
    word = _word_at(code, cursor)
    found = _look(session, _INSPECT, word=word, detail=detail > 0) if word else None
    return found if isinstance(found, str) else None


def _look(session: Session, program: str, **given: Any) -> Any:
    """What a program leaves as ``found``, which has names of its own."""
    names = ", ".join(f"{name!r}: {value!r}" for name, value in given.items())
    code = (
        f"(lambda names: (exec({program!r}, names), names['found']))"
        f"({{'given': globals(), {names}}})[1]"
    )
    try:
        try:
            fork = session.fork()
        except ValueError:  # it has threads, so it has no forks. To look does little
            return session.execute(code, timeout_ms=_TIMEOUT_MS).value
        with fork:
            return fork.execute(code, timeout_ms=_TIMEOUT_MS).value
    except EryxError:
        return None


def _word_at(code: str, cursor: int) -> str:
    """The dotted name at the cursor; that of the call, if it stands behind its parenthesis."""
    begin = end = cursor - 1 if cursor and code[cursor - 1 : cursor] == "(" else cursor
    while end < len(code) and _is_of_name(code[end]) and code[end] != ".":
        end += 1
    while begin and _is_of_name(code[begin - 1]):
        begin -= 1
    word = code[begin:end].strip(".")
    return word if all(part.isidentifier() for part in word.split(".")) else ""


def _is_of_name(letter: str) -> bool:
    return letter.isalnum() or letter in "._"
