"""What a prompt asks of a session besides running lines: is a text whole, how can a word go on?

The sandbox answers, because its Python is not the one that eryx runs on. Names are looked up in a
fork of the session, so that looking changes nothing.
"""

from __future__ import annotations

import functools

from eryx._errors import EryxError
from eryx._session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

_TIMEOUT_MS = 2_000  # an answer that takes longer is of no use
_MOST = 1_000  # names

_IS_COMPLETE = """
import ast, codeop, warnings
from codeop import CommandCompiler, Compile

def look(source):
    warnings.simplefilter("ignore")  # the run says it
    compiler = CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    wrong = SyntaxError, OverflowError, ValueError
    try:
        return "incomplete" if compiler(source, "<stdin>", "single") is None else "complete"
    except wrong:
        pass
    try:
        whole = Compile()
        whole.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        whole(source, "<stdin>", "exec")
        return "complete"  # several statements
    except wrong:
        return "invalid"
"""

# Evaluated as one expression with names of its own, so that nothing is left where it runs.
_COMPLETIONS = """
from rlcompleter import Completer
found = []
completer = Completer(given)
while len(found) < most and (name := completer.complete(word, len(found))) is not None:
    found.append(name)
try:
    from _pyrepl._module_completer import ModuleCompleter
    modules = ModuleCompleter(given).get_completions(line)
except Exception:
    modules = None
if modules is not None:  # the line imports something
    found = modules[:most]
"""


@functools.cache
def _helper() -> Session:
    """A session that knows nothing but how to compile."""
    made = Session(execution_timeout_ms=_TIMEOUT_MS)
    made.execute(_IS_COMPLETE)
    return made


def is_complete(source: str) -> Literal["complete", "incomplete", "invalid"]:
    """Whether a text can be run, lacks something, or can never be right.

    >>> is_complete("x = 1"), is_complete("def f():"), is_complete("x = = 1")
    ('complete', 'incomplete', 'invalid')
    """
    try:
        answer = _helper().execute("look(source)", inputs={"source": source}).value
    except EryxError:  # it is so large that the run will say what is wrong
        _helper.cache_clear()
        return "complete"
    return (
        "incomplete"
        if answer == "incomplete"
        else "invalid"
        if answer == "invalid"
        else ("complete")
    )


def completions(session: Session, line: str) -> tuple[int, list[str]]:
    """How the last word of a line can go on, by the names of the session.

    Gives where the word begins in the line, and what could stand there in its place. Nothing, if
    the session is lost or takes too long.

    >>> session = Session()
    >>> _ = session.execute("alphabet = 'abc'")
    >>> completions(session, "print(alpha")
    (6, ['alphabet'])
    """
    begin = len(line)
    while begin and (line[begin - 1].isalnum() or line[begin - 1] in "._"):
        begin -= 1
    given = f"'word': {line[begin:]!r}, 'line': {line!r}, 'most': {_MOST}"
    code = (
        f"(lambda names: (exec({_COMPLETIONS!r}, names), names['found']))"
        f"({{'given': globals(), {given}}})[1]"
    )
    found: Any = None
    try:
        try:
            with session.fork() as fork:
                found = fork.execute(code, timeout_ms=_TIMEOUT_MS).value
        except ValueError:  # it has threads, so it has no forks. To look at names does little
            found = session.execute(code, timeout_ms=_TIMEOUT_MS).value
    except EryxError:
        pass
    if not isinstance(found, list):
        return begin, []
    names = dict.fromkeys(name for name in found if isinstance(name, str) and name.isprintable())
    return begin, list(names)
