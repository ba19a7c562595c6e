"""The interpreter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

from dspy.primitives.code_interpreter import (
    CodeExecutionError,
    CodeInterpreterError,
    FinalOutput,
)
from dspy.utils.callback import with_callbacks

from eryx import EryxError, InitializationError, SandboxFactory, Session, ToolError, prompt
from eryx._option_types import SessionOptions
from eryx._schema import schema_of
from eryx.ext import _shared
from eryx.ext.dspy._stream import handlers

_SUBMIT = "_eryx_submit"
_HIDDEN = "_eryx_variables"
_SYNTAX_ERRORS = ("SyntaxError", "IndentationError", "TabError")

_PRELUDE = f"""
class Submission(BaseException):
    "The program has submitted its output."

def SUBMIT(*positional, **named):
    {_SUBMIT}(positional, named)
    raise Submission
"""


def told(session: Session) -> str:
    """What DSPy tells the model of a session."""
    return f"{prompt(session)}\nTools and SUBMIT are functions that are called without await."


class EryxInterpreter:
    """A `CodeInterpreter` with one session, which tells DSPy's callbacks what it does.

    The class itself is what ``interpreter_factory=`` of DSPy's modules wants.

    >>> import dspy
    >>> module = dspy.RLM("context, query -> answer", interpreter_factory=EryxInterpreter)
    """

    execution_instructions = told(Session())
    """What DSPy tells the model."""

    def __init__(
        self,
        tools: dict[str, Callable[..., Any]] | None = None,
        output_fields: list[dict[str, Any]] | None = None,
        *,
        max_chars: int = _shared.MOST_CHARACTERS,
        factory: SandboxFactory | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes the interpreter; the session begins with the first program.

        Args:
            tools: Functions that programs call, by their names.
            output_fields: What ``SUBMIT`` takes; None for one value.
            max_chars: The middle of longer answers is left out.
            factory: Makes the session, such as with packages.
            **options: As of `eryx.Session`.
        """
        self.tools = dict(tools or {})
        """Functions that programs call; may be changed between programs."""
        self.output_fields = output_fields
        """Names of the values that ``SUBMIT`` takes, each as ``{"name": ...}``."""
        self._max_chars = max_chars
        self._make = partial(factory.create_session if factory else Session, **options)
        self._session: Session | None = None
        self._ended = False
        self._bound: set[str] = set()
        self._submitted: list[dict[str, Any]] = []

    @with_callbacks
    def start(self) -> None:
        """Begins the session, if it has not begun.

        Raises CodeInterpreterError if it has ended.
        """
        if self._ended:
            raise CodeInterpreterError("the session has been shut down")
        if self._session is None:
            try:
                self._session = self._make()
                self._session.execute(_PRELUDE)
            except EryxError as error:
                raise CodeInterpreterError(f"there is no session: {error}") from error

    @with_callbacks
    def execute(self, code: str, variables: dict[str, Any] | None = None) -> Any:
        """Runs a program.

        Args:
            code: The program.
            variables: Globals that it finds: bytes, and what JSON can hold.

        Returns:
            A `FinalOutput` of what it has submitted; otherwise the text of its output and of the
            value of its last expression, that value if there is nothing else, or None.

        Raises:
            SyntaxError: If it is no program.
            CodeExecutionError: If it fails, or goes over a limit; the session goes on.
            CodeInterpreterError: If the session has lost its state, or has ended.
        """
        if self._session is None:
            self.start()
        self._submitted.clear()
        callbacks = [self._callback(name, tool) for name, tool in self.tools.items()]
        callbacks.append({"name": _SUBMIT, "fn": self._submit, "sync": True})
        self._bind(callbacks)
        ending = self._run(code, callbacks, variables or {})
        if self._submitted and getattr(ending, "exc_type", "") == "Submission":
            return FinalOutput(self._submitted[-1])
        if isinstance(ending, InitializationError):
            self.shutdown()
            raise CodeInterpreterError(str(ending)) from ending
        if isinstance(ending, EryxError):
            if getattr(ending, "exc_type", "") in _SYNTAX_ERRORS:
                raise SyntaxError(str(ending).rstrip()) from ending
            raise CodeExecutionError(ending.to_text(self._max_chars)) from ending
        if ending.value is not None and not ending.stdout and not ending.display:
            return ending.value
        return ending.to_text(self._max_chars) or None

    def _bind(self, callbacks: Any) -> None:
        """Makes tools with names such as ``__dspy_call__`` into functions."""
        new = self.tools.keys() - self._bound
        if new:
            self._run(_shared.bindings(new), callbacks, {})
            self._bound |= new

    def _run(self, code: str, callbacks: Any, variables: dict[str, Any]) -> _shared.Ending:
        assert self._session is not None
        hidden = {name: value for name, value in variables.items() if name.startswith("__")}
        plain = {name: value for name, value in variables.items() if name not in hidden}
        try:
            if hidden:
                take = f"globals().update({_HIDDEN}); del {_HIDDEN}"
                self._session.execute(take, inputs={_HIDDEN: hidden})
            return _shared.run(self._session, code, inputs=plain, callbacks=callbacks, **handlers())
        except (TypeError, ValueError) as error:  # of inputs and names of tools
            raise CodeInterpreterError(str(error)) from error

    def _callback(self, name: str, tool: Callable[..., Any]) -> dict[str, Any]:
        """What the guest is told of a tool, which looks at its arguments itself."""
        return {
            "name": name,
            "fn": lambda **arguments: self.invoke_tool(name, [], arguments),
            "description": getattr(tool, "__doc__", None) or "",
            "schema": schema_of(tool),
            "sync": True,
        }

    def _submit(self, positional: list[Any], named: dict[str, Any]) -> None:
        if self.output_fields is None:
            if len(positional) != 1 or named:
                raise ToolError("SUBMIT takes one value")
            self._submitted.append({"output": positional[0]})
            return
        names = [field["name"] for field in self.output_fields]
        values = {**dict(zip(names, positional, strict=False)), **named}
        if len(positional) + len(named) != len(names) or values.keys() != set(names):
            raise ToolError(f"SUBMIT takes {', '.join(names)}")
        self._submitted.append(values)

    @with_callbacks
    def invoke_tool(self, tool_name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Calls one of the tools for a program. Raises what it raises."""
        return self.tools[tool_name](*args, **kwargs)

    @with_callbacks
    def shutdown(self) -> None:
        """Ends the session; nothing can be run any more."""
        self._ended = True
        session, self._session = self._session, None
        if session is not None:
            session.close()
