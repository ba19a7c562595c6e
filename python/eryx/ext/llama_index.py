"""Runs the programs of LlamaIndex's `CodeActAgent`.

>>> from llama_index.core.agent.workflow import CodeActAgent
>>> from llama_index.core.llms import MockLLM
>>> run = code_execute_fn(functions=[abs])
>>> agent = CodeActAgent(code_execute_fn=run, tools=[abs], llm=MockLLM())
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Unpack

from eryx import SandboxFactory
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from llama_index.core.workflow import Context, Event
except ImportError as error:
    raise _shared.missing("llama_index", "llama-index", error) from error

__all__ = ["ProgramError", "ProgramOutput", "ProgramPicture", "code_execute_fn"]

_KEY = "eryx_conversation"


class ProgramError(Exception):
    """A program that the model wrote has failed; its text is what the model is told."""


class ProgramOutput(Event):
    """An event of the workflow's stream: text that a program writes while it runs."""

    stream: Literal["stdout", "stderr"]
    text: str


class ProgramPicture(Event):
    """An event of the workflow's stream: a picture that a program has shown."""

    mime: str
    base64: str


def code_execute_fn(
    *,
    functions: Sequence[Callable[..., Any]] = (),
    max_chars: int = _shared.MOST_CHARACTERS,
    max_sessions: int = _shared.MOST_SESSIONS,
    factory: SandboxFactory | None = None,
    **options: Unpack[SessionOptions],
) -> Callable[..., Awaitable[str]]:
    """Gives the function that `CodeActAgent` wants, with a session for each workflow context.

    A program that fails is a tool output that is an error. Output and pictures are events of the
    stream.

    Args:
        functions: Functions that programs call without ``await``; the agent is to have the same as
            its ``tools=``.
        max_chars: The middle of longer answers is left out.
        max_sessions: How many contexts keep their variables.
        factory: Makes the sessions, such as with packages.
        **options: As of `eryx.Session`.
    """
    conversations = _shared.Conversations(factory, max_sessions, options)
    callbacks = _shared.without_await(functions)

    async def execute(ctx: Context, code: str) -> str:
        key = await ctx.store.get(_KEY, default=None)
        if key is None:
            key = str(uuid.uuid4())
            await ctx.store.set(_KEY, key)

        def write(stream: Literal["stdout", "stderr"], text: str) -> None:
            ctx.write_event_to_stream(ProgramOutput(stream=stream, text=text))

        with conversations.session(key) as session:
            ending = await _shared.run_async(
                session,
                code,
                callbacks=callbacks,
                on_stdout=lambda text: write("stdout", text),
                on_stderr=lambda text: write("stderr", text),
            )
        for one in _shared.pictures(ending):
            ctx.write_event_to_stream(ProgramPicture(mime=one.mime, base64=one.base64))
        text = ending.to_text(max_chars)
        if _shared.failed(ending):
            raise ProgramError(text)
        return text

    # The framework looks at annotations for a context, and they are no texts for it.
    execute.__annotations__ = {"ctx": Context, "code": str, "return": str}
    execute.__doc__ = conversations.prompt
    return execute
