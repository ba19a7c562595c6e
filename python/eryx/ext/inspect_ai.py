"""A Python tool for Inspect, with a session for each sample.

>>> from inspect_ai import Task
>>> from inspect_ai.solver import generate, use_tools
>>> task = Task(solver=[use_tools(python_session()), generate()])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Unpack

from eryx import SandboxFactory, TimeoutError  # noqa: A004  (ours)
from eryx import ToolError as _GuestError
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from inspect_ai.model import ContentImage, ContentText
    from inspect_ai.tool import (
        Tool,
        ToolCall,
        ToolCallContent,
        ToolCallView,
        ToolDef,
        ToolError,
        tool,
    )
    from inspect_ai.util import store
except ImportError as error:
    raise _shared.missing("inspect_ai", "inspect-ai", error) from error

__all__ = ["python_session"]


def _view(call: ToolCall) -> ToolCallView:
    """The program, for people who look at logs."""
    content = f"```python\n{call.arguments.get('code', '')}\n```\n"
    return ToolCallView(call=ToolCallContent(title="python", format="markdown", content=content))


@tool(viewer=_view)
def python_session(
    *,
    functions: Sequence[Callable[..., Any]] = (),
    name: str = "run_python",
    max_chars: int = _shared.MOST_CHARACTERS,
    max_sessions: int = 1_000,
    factory: SandboxFactory | None = None,
    **options: Unpack[SessionOptions],
) -> Tool:
    """Makes a tool that runs Python; no sandbox of Inspect is needed for it.

    A program that fails is an error that the model sees, one that takes too long has the type
    "timeout", and pictures are images.

    Args:
        functions: Tools of Inspect and functions that programs call, as ``await name(...)``.
        name: What the tool is called.
        max_chars: The middle of longer answers is left out.
        max_sessions: How many samples at a time keep their variables.
        factory: Makes the sessions, such as with packages.
        **options: As of `eryx.Session`.
    """
    conversations = _shared.Conversations(factory, max_sessions, options)
    samples = _shared.Lifetimes(conversations)
    callbacks = [*_callbacks(functions)]

    async def execute(code: str) -> str | list[ContentText | ContentImage]:
        with conversations.session(samples.key(store())) as session:
            ending = await _shared.run_async(session, code, callbacks=callbacks)
        text = ending.to_text(max_chars)
        if isinstance(ending, TimeoutError):
            raise TimeoutError(text)
        if _shared.failed(ending):
            raise ToolError(text)
        shown = [ContentImage(image=one.url) for one in _shared.pictures(ending)]
        return [ContentText(text=text), *shown] if shown else text

    return ToolDef(
        execute,
        name=name,
        description=conversations.prompt + _shared.stub(callbacks),
        parameters={"code": "The Python program to run."},
    ).as_tool()


def _callbacks(functions: Sequence[Callable[..., Any]]) -> Iterator[Any]:
    """What the guest may call."""
    for function in functions:
        definition = ToolDef(function)
        yield {
            "name": _shared.identifier(definition.name),
            "fn": _shared.returning(_call(definition), definition.tool),
            "description": definition.description,
            "schema": definition.parameters.model_dump(exclude_none=True),
        }


def _call(definition: ToolDef) -> Callable[..., Any]:
    async def call(**arguments: Any) -> Any:
        try:
            answer = definition.tool(**arguments)
            return await answer if hasattr(answer, "__await__") else answer
        except ToolError as error:
            raise _GuestError(str(error)) from error

    return call
