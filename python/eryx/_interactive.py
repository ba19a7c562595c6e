"""What prompts and notebooks ask of a session besides running: is a text whole, how does it go on?

The sandbox answers, because its Python is not the one that eryx runs on. Names are looked up in a
fork of the session, so that looking changes nothing.
"""

from __future__ import annotations

import functools

from eryx._errors import EryxError
from eryx._session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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

# The names that a word can go on to.
NAMES = """
from rlcompleter import Completer
found = []
completer = Completer(given)
while len(found) < most and (name := completer.complete(word, len(found))) is not None:
    found.append(name)
"""

# The same, and modules in a line that imports something.
_NAMES_AND_MODULES = f"""{NAMES}
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


def completeness(source: str) -> str | None:
    """As `is_complete`; None if the text is too large to tell."""
    try:
        answer = _helper().execute("look(source)", inputs={"source": source}).value
    except EryxError:
        _helper.cache_clear()
        return None
    return answer if answer in ("complete", "incomplete", "invalid") else None


def is_complete(source: str) -> str:
    """Whether a text is "complete", is "incomplete", or can never be right and is "invalid".

    >>> is_complete("x = 1"), is_complete("def f():"), is_complete("x = = 1")
    ('complete', 'incomplete', 'invalid')
    """
    return completeness(source) or "complete"  # the run will say what is wrong


def completions(
    session: Session, line: str, program: str = _NAMES_AND_MODULES
) -> tuple[int, list[str]]:
    """How the last word of a line can go on, by the names of the session.

    Gives where the word begins in the line, and what could stand there in its place. Nothing, if
    the session is lost or takes too long.

    >>> session = Session()
    >>> _ = session.execute("alphabet = 'abc'")
    >>> completions(session, "print(alpha")
    (6, ['alphabet'])
    """
    begin = len(line)
    while begin and is_of_name(line[begin - 1]):
        begin -= 1
    found = look(session, program, word=line[begin:], line=line, most=_MOST)
    if not isinstance(found, list):
        return begin, []
    names = dict.fromkeys(name for name in found if isinstance(name, str) and name.isprintable())
    return begin, list(names)


def is_of_name(letter: str) -> bool:
    """Whether it can stand in a dotted name."""
    return letter.isalnum() or letter in "._"


def look(session: Session, program: str, **given: Any) -> Any:
    """What a program leaves as ``found``; None if the session is lost or takes too long.

    It is evaluated as one expression with names of its own, so that nothing is left where it runs.
    """
    names = ", ".join(f"{name!r}: {value!r}" for name, value in given.items())
    code = (
        f"(lambda names: (exec({program!r}, names), names['found']))"
        f"({{'given': globals(), {names}}})[1]"
    )
    try:
        try:
            fork = session.fork()
        except ValueError:  # it has threads, so it has no forks. To look at names does little
            return session.execute(code, timeout_ms=_TIMEOUT_MS).value
        with fork:
            return fork.execute(code, timeout_ms=_TIMEOUT_MS).value
    except EryxError:
        return None
