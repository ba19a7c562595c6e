"""The tool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Unpack

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, ToolException
from langgraph.config import get_stream_writer
from pydantic import BaseModel, Field, PrivateAttr

from eryx import SandboxFactory
from eryx._option_types import SessionOptions
from eryx.ext import _shared
from eryx.ext.langchain._functions import callbacks_of, tool_of

# The conversation of a run without a thread, as the middleware tells its tool.
conversation: ContextVar[str | None] = ContextVar("eryx_conversation", default=None)


class _Arguments(BaseModel):
    code: str = Field(description="The Python program to run.")


class PythonTool(BaseTool):
    """A tool that runs Python, with a session for each thread (``configurable.thread_id``).

    Without a thread, each call begins from nothing. A program that fails is a tool message with
    the status "error", pictures are image blocks, the result is the artifact. What programs write
    meanwhile goes to the stream with the mode "custom".

    >>> tool = PythonTool(functions=[abs])
    >>> config = {"configurable": {"thread_id": "1"}}
    >>> tool.invoke({"code": "x = 20"}, config)
    ''
    >>> tool.invoke({"code": "x + 22"}, config)
    '42'
    """

    args_schema: Any = _Arguments
    response_format: Any = "content_and_artifact"
    handle_tool_error: Any = True
    handle_validation_error: Any = True

    _conversations: _shared.Conversations = PrivateAttr()
    _functions: list[BaseTool] = PrivateAttr()
    _max_chars: int = PrivateAttr()

    def __init__(
        self,
        *,
        functions: Sequence[BaseTool | Callable[..., Any]] = (),
        name: str = "run_python",
        max_chars: int = _shared.MOST_CHARACTERS,
        max_sessions: int = _shared.MOST_SESSIONS,
        factory: SandboxFactory | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes the tool.

        Args:
            functions: Tools and functions that programs call, as ``await name(...)``.
            name: What the tool is called.
            max_chars: The middle of longer answers is left out.
            max_sessions: How many threads keep their variables.
            factory: Makes the sessions, such as with packages.
            **options: As of `eryx.Session`.
        """
        tools = [each if isinstance(each, BaseTool) else tool_of(each) for each in functions]
        conversations = _shared.Conversations(factory, max_sessions, options)
        described = conversations.prompt + _shared.stub(callbacks_of(tools, None))
        super().__init__(name=name, description=described)
        self._conversations = conversations
        self._functions = tools
        self._max_chars = max_chars

    def _run(self, code: str, config: RunnableConfig) -> tuple[Any, Any]:
        with self._conversations.session_or_new(_key(config)) as session:
            write = _stream_writer()
            ending = _shared.run(
                session,
                code,
                callbacks=[*callbacks_of(self._functions, config)],
                on_stdout=partial(write, "stdout"),
                on_stderr=partial(write, "stderr"),
            )
        return self._answer(ending)

    async def _arun(self, code: str, config: RunnableConfig) -> tuple[Any, Any]:
        with self._conversations.session_or_new(_key(config)) as session:
            write = _stream_writer()
            ending = await _shared.run_async(
                session,
                code,
                callbacks=[*callbacks_of(self._functions, config, is_async=True)],
                on_stdout=partial(write, "stdout"),
                on_stderr=partial(write, "stderr"),
            )
        return self._answer(ending)

    def _answer(self, ending: _shared.Ending) -> tuple[Any, Any]:
        text = ending.to_text(self._max_chars)
        if _shared.failed(ending):
            raise ToolException(text)
        shown = [
            {"type": "image", "base64": one.base64, "mime_type": one.mime}
            for one in _shared.pictures(ending)
        ]
        return ([{"type": "text", "text": text}, *shown] if shown else text), ending

    def end(self, thread_id: str) -> None:
        """Closes the session of a thread."""
        self._conversations.end(thread_id)

    def close(self) -> None:
        """Closes all sessions."""
        self._conversations.close()


def _key(config: RunnableConfig) -> str | None:
    thread = (config.get("configurable") or {}).get("thread_id")
    return conversation.get() if thread is None else str(thread)


def _stream_writer() -> Callable[[str, str], None]:
    try:
        writer = get_stream_writer()
    except (RuntimeError, KeyError):  # the tool is used without an agent
        return lambda stream, text: None
    return lambda stream, text: writer({"type": "output", "stream": stream, "text": text})
