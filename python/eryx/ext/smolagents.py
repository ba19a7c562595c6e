"""Runs the programs of smolagents' code agents.

>>> executor = EryxExecutor()
>>> executor("x = 20\\nprint('hello')\\nx + 22")
CodeOutput(output=42, logs='hello\\n', is_final_answer=False)
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any, Unpack

from eryx import ExecuteResult, SandboxFactory, Session
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    import PIL.Image
    from smolagents import Tool
    from smolagents.local_python_executor import CodeOutput, InterpreterError, PythonExecutor
except ImportError as error:
    raise _shared.missing("smolagents", "smolagents", error) from error

__all__ = ["EryxExecutor"]

_FINAL = "_eryx_final_answer"
_PICTURE = "eryx picture"

# What ends a program with an answer, and no `except Exception` in it can hold up.
_PRELUDE = f"""
class FinalAnswerException(BaseException):
    "The program has given its final answer."

def final_answer(*positional, **named):
    def plain(value):
        if not hasattr(value, "_repr_png_"):
            return value
        import base64
        return {{{_PICTURE!r}: base64.b64encode(value._repr_png_()).decode()}}
    {_FINAL}([plain(each) for each in positional], {{n: plain(v) for n, v in named.items()}})
    raise FinalAnswerException
"""


class EryxExecutor(PythonExecutor):
    """A `PythonExecutor` with one session: give each agent its own.

    Tools are called without ``await``. What the last expression or ``final_answer`` shows as a
    picture comes out as an image.

    >>> from smolagents import CodeAgent, Model
    >>> agent = CodeAgent(tools=[], model=Model(), executor=EryxExecutor())
    """

    def __init__(
        self, *, factory: SandboxFactory | None = None, **options: Unpack[SessionOptions]
    ) -> None:
        """Makes the executor.

        Args:
            factory: Makes the session, such as with packages.
            **options: As of `eryx.Session`.
        """
        self._session = (factory.create_session if factory else Session)(**options)
        self._session.execute(_PRELUDE, callbacks=[])
        self._callbacks: list[dict[str, Any]] = []
        self._answers: list[Any] = []
        self.state: dict[str, Any] = {"_print_outputs": ""}
        """What smolagents shows of a program that fails: what it had printed."""

    def send_tools(self, tools: dict[str, Tool]) -> None:
        """Makes tools, and agents that are managed, into functions of the programs."""
        self._callbacks = [
            _callback(name, tool) for name, tool in tools.items() if name != "final_answer"
        ]
        final = tools.get("final_answer", lambda answer: answer)
        self._callbacks.append(
            {
                "name": _FINAL,
                "fn": lambda positional, named: self._answers.append(
                    _final(final, positional, named)
                ),
                "schema": {"properties": {"positional": {}, "named": {}}},
                "sync": True,
            }
        )
        self._run(_shared.bindings(tools))

    def send_variables(self, variables: dict[str, Any]) -> None:
        """Makes values, which JSON can hold or which are bytes, into globals of the programs."""
        if variables:
            self._run("", inputs=variables)

    def _run(self, code: str, **options: Any) -> _shared.Ending:
        return _shared.run(self._session, code, callbacks=self._callbacks, **options)

    def __call__(self, code_action: str) -> CodeOutput:
        """Runs a program. Raises InterpreterError with the traceback if it fails."""
        self._answers.clear()
        ending = self._run(code_action)
        printed = self.state["_print_outputs"] = ending.stdout + "\n" if ending.stdout else ""
        if self._answers and getattr(ending, "exc_type", "") == "FinalAnswerException":
            return CodeOutput(self._answers[-1], printed, True)
        if not isinstance(ending, ExecuteResult):
            raise InterpreterError(str(ending).rstrip())
        value = ending.value_repr if ending.value is None else ending.value
        shown = _shared.pictures(ending)
        if shown and ending.value is None:
            value = PIL.Image.open(io.BytesIO(shown[-1].data))
        return CodeOutput(value, printed, False)

    def cleanup(self) -> None:
        """Closes the session."""
        self._session.close()


def _final(tool: Callable[..., Any], positional: list[Any], named: dict[str, Any]) -> Any:
    return tool(*map(_rich, positional), **{name: _rich(value) for name, value in named.items()})


def _rich(value: Any) -> Any:
    """An image for what stands for one."""
    if isinstance(value, dict) and value.keys() == {_PICTURE}:
        return PIL.Image.open(io.BytesIO(base64.b64decode(value[_PICTURE])))
    return value


def _callback(name: str, tool: Any) -> dict[str, Any]:
    """What the guest is told of a tool."""
    inputs: dict[str, dict[str, Any]] = getattr(tool, "inputs", {})

    def call(**arguments: Any) -> Any:
        answer = tool(**arguments)
        if isinstance(answer, PIL.Image.Image):
            data = io.BytesIO()
            answer.save(data, "PNG")
            return data.getvalue()
        return answer

    if getattr(tool, "output_type", None) == "image":
        call.__annotations__["return"] = bytes
    properties = {name: _schema_of(entry) for name, entry in inputs.items()}
    required = [name for name, entry in inputs.items() if not entry.get("nullable")]
    return {
        "name": name,
        "fn": call,
        "description": getattr(tool, "description", ""),
        "schema": {"type": "object", "properties": properties, "required": required},
        "sync": True,
    }


def _schema_of(entry: dict[str, Any]) -> dict[str, Any]:
    kind = entry.get("type")
    known = ("string", "boolean", "integer", "number", "array", "object")
    told = {"description": str(entry.get("description", ""))}
    return {**told, "type": kind} if kind in known else told
