"""Runs the programs of DSPy's modules, such as `dspy.RLM`.

>>> interpreter = EryxInterpreter(tools={"double": lambda n: 2 * n})
>>> interpreter.execute("print(double(n=x))", {"x": 21})
'42'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from eryx import SandboxFactory, Session
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from eryx.ext.dspy._interpreter import EryxInterpreter, told
    from eryx.ext.dspy._stream import ProgramOutput
except ImportError as error:
    raise _shared.missing("dspy", "dspy", error) from error

__all__ = ["EryxInterpreter", "ProgramOutput", "interpreter_factory"]


def interpreter_factory(
    *,
    max_chars: int = _shared.MOST_CHARACTERS,
    factory: SandboxFactory | None = None,
    **options: Unpack[SessionOptions],
) -> Callable[[], EryxInterpreter]:
    """Gives what ``interpreter_factory=`` wants, for interpreters with arguments.

    >>> import dspy
    >>> dspy.configure(interpreter_factory=interpreter_factory(execution_timeout_ms=5_000))

    Args:
        max_chars: As of `EryxInterpreter`.
        factory: As of `EryxInterpreter`.
        **options: As of `EryxInterpreter`.
    """

    def make() -> EryxInterpreter:
        return EryxInterpreter(max_chars=max_chars, factory=factory, **options)

    session = (factory.create_session if factory else Session)(**options)
    make.execution_instructions = told(session)  # type: ignore[attr-defined]
    return make
