"""A Python tool for the OpenAI Agents SDK.

>>> from agents import Agent
>>> agent = Agent(name="Analyst", tools=[python_tool()])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Unpack

from eryx import SandboxFactory
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from agents import FunctionTool, RunContextWrapper, ToolOutputImage, ToolOutputText
    from agents import function_tool as make_tool
    from agents.tool_context import ToolContext
except ImportError as error:
    raise _shared.missing("openai_agents", "openai-agents", error) from error

__all__ = ["ProgramError", "python_tool"]


class ProgramError(Exception):
    """A program that the model wrote has failed; its text is what the model is told."""


def python_tool(
    *,
    functions: Sequence[FunctionTool | Callable[..., Any]] = (),
    conversation: Callable[[ToolContext[Any]], str | None] | None = None,
    name: str = "run_python",
    max_chars: int = _shared.MOST_CHARACTERS,
    max_sessions: int = _shared.MOST_SESSIONS,
    factory: SandboxFactory | None = None,
    **options: Unpack[SessionOptions],
) -> FunctionTool:
    """Makes a tool that runs Python, with a session for each conversation.

    A program that fails is told to the model, pictures are images.

    >>> tool = python_tool(functions=[abs], conversation=lambda context: context.context["user"])
    >>> tool.name
    'run_python'

    Args:
        functions: Function tools and functions that programs call, as ``await name(...)``.
        conversation: Gives the key of the conversation that a call belongs to. Without it, that is
            ``group_id`` of the run's `RunConfig`, and if that is not set the run itself.
        name: What the tool is called.
        max_chars: The middle of longer answers is left out.
        max_sessions: How many conversations keep their variables.
        factory: Makes the sessions, such as with packages.
        **options: As of `eryx.Session`.
    """
    conversations = _shared.Conversations(factory, max_sessions, options)
    runs = _shared.Lifetimes(conversations)

    def key_of(context: ToolContext[Any]) -> str | None:
        if conversation is not None:
            return conversation(context)
        config = context.run_config
        if config is not None and config.group_id is not None:
            return str(config.group_id)
        return runs.key(context.usage)  # which lives as long as the run, and is of no other

    async def run_python(
        context: ToolContext[Any], code: Annotated[str, "The Python program to run."]
    ) -> Any:
        with conversations.session_or_new(key_of(context)) as session:
            ending = await _shared.run_async(
                session, code, callbacks=[*_callbacks(functions, context)]
            )
        text = ending.to_text(max_chars)
        if _shared.failed(ending):
            raise ProgramError(text)
        shown = [ToolOutputImage(image_url=one.url) for one in _shared.pictures(ending)]
        return [ToolOutputText(text=text), *shown] if shown else text

    return make_tool(
        run_python,
        name_override=name,
        description_override=conversations.prompt + _shared.stub(_callbacks(functions, None)),
        failure_error_function=_told,
    )


def _told(context: RunContextWrapper[Any], error: Exception) -> str:
    """What the model is told of an error."""
    if isinstance(error, ProgramError):
        return str(error)
    return f"The program could not be run: {type(error).__name__}"


def _callbacks(
    functions: Sequence[FunctionTool | Callable[..., Any]], context: ToolContext[Any] | None
) -> Iterator[Any]:
    """What the guest may call."""
    taken: set[str] = set()
    for function in functions:
        if not isinstance(function, FunctionTool):
            yield function
            continue
        name = _shared.identifier(function.name, taken)
        taken.add(name)
        yield {
            "name": name,
            "fn": _shared.returning(
                _call(function, context), getattr(function, "__wrapped__", function)
            ),
            "description": function.description,
            "schema": function.params_json_schema,
        }


def _call(tool: FunctionTool, context: ToolContext[Any] | None) -> Callable[..., Any]:
    async def call(**arguments: Any) -> Any:
        assert context is not None
        words = json.dumps(arguments)
        inner = ToolContext.from_agent_context(
            context, f"{context.tool_call_id}-call", tool_name=tool.name, tool_arguments=words
        )
        return await tool.on_invoke_tool(inner, words)

    return call
