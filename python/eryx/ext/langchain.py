"""A Python tool for LangChain, and a middleware whose programs call other tools.

>>> tool = PythonTool()
>>> tool.invoke({"code": "sum(range(10))"})
'45'
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Annotated, Any, NotRequired, Unpack

from eryx import SandboxFactory, ToolError
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
    from langchain.agents.middleware.types import PrivateStateAttr
    from langchain_core.messages import SystemMessage, ToolMessage
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool, ToolException
    from langchain_core.tools import tool as make_tool
    from langgraph.config import get_stream_writer
    from langgraph.prebuilt.tool_node import ToolCallRequest
    from langgraph.runtime import Runtime
    from langgraph.types import Command
    from pydantic import BaseModel, Field, PrivateAttr, ValidationError
except ImportError as error:
    raise _shared.missing("langchain", "langchain", error) from error

__all__ = ["CodeMiddleware", "PythonTool"]

# The conversation of a run without a thread, as the middleware tells its tool.
_conversation: ContextVar[str | None] = ContextVar("eryx_conversation", default=None)


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
        tools = [each if isinstance(each, BaseTool) else _tool_of(each) for each in functions]
        conversations = _shared.Conversations(factory, max_sessions, options)
        described = conversations.prompt + _shared.stub(_callbacks(tools, None))
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
                callbacks=[*_callbacks(self._functions, config)],
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
                callbacks=[*_callbacks(self._functions, config, is_async=True)],
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


class CodeState(AgentState[Any]):
    """What the middleware adds to the state of an agent."""

    eryx_conversation: NotRequired[Annotated[str, PrivateStateAttr]]  # type: ignore[valid-type]


class CodeMiddleware(AgentMiddleware[CodeState, Any, Any]):
    """Gives an agent a `PythonTool`, and tells the model what programs can do.

    Without a thread (``configurable.thread_id``) variables stay for one run of the agent.

    >>> from langchain.agents import create_agent
    >>> from langchain_core.language_models import GenericFakeChatModel
    >>> model = GenericFakeChatModel(messages=iter(["It is 4."]))
    >>> agent = create_agent(model, middleware=[CodeMiddleware()])
    """

    state_schema = CodeState

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
        """Makes the middleware, with the arguments of `PythonTool`."""
        super().__init__()
        self.tool = PythonTool(
            functions=functions,
            name=name,
            max_chars=max_chars,
            max_sessions=max_sessions,
            factory=factory,
            **options,
        )
        self.tools = [self.tool]

    def before_agent(self, state: CodeState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Begins a conversation, for runs without a thread."""
        return {"eryx_conversation": str(uuid.uuid4())}

    def after_agent(self, state: CodeState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Ends it."""
        self.tool.end(state.get("eryx_conversation", ""))
        return None

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Tells the model."""
        return handler(self._told(request))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Tells the model."""
        return await handler(self._told(request))

    def _told(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        before = request.system_message
        hint = f"Use {self.tool.name} to compute, to read files and to combine calls of functions."
        blocks = [] if before is None else [*before.content_blocks]
        blocks.append({"type": "text", "text": f"\n\n{hint}" if blocks else hint})
        return request.override(system_message=SystemMessage(content_blocks=blocks))

    def wrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]],
    ) -> ToolMessage | Command[Any]:
        """Tells the tool its conversation."""
        token = _conversation.set(request.state.get("eryx_conversation"))
        try:
            return handler(request)
        finally:
            _conversation.reset(token)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        """Tells the tool its conversation."""
        token = _conversation.set(request.state.get("eryx_conversation"))
        try:
            return await handler(request)
        finally:
            _conversation.reset(token)

    def close(self) -> None:
        """Closes all sessions."""
        self.tool.close()


def _key(config: RunnableConfig) -> str | None:
    thread = (config.get("configurable") or {}).get("thread_id")
    return _conversation.get() if thread is None else str(thread)


def _stream_writer() -> Callable[[str, str], None]:
    try:
        writer = get_stream_writer()
    except (RuntimeError, KeyError):  # the tool is used without an agent
        return lambda stream, text: None
    return lambda stream, text: writer({"type": "output", "stream": stream, "text": text})


def _tool_of(function: Callable[..., Any]) -> BaseTool:
    made = make_tool(function)
    assert isinstance(made, BaseTool)
    return made


def _callbacks(
    tools: Sequence[BaseTool], config: RunnableConfig | None, *, is_async: bool = False
) -> Iterator[dict[str, Any]]:
    """What the guest may call. is_async: whether on an event loop."""
    taken: set[str] = set()
    for tool in tools:
        function = getattr(tool, "func", None)
        coroutine = getattr(tool, "coroutine", None)
        is_only_async = function is None and coroutine is not None
        schema = tool.tool_call_schema
        name = _shared.identifier(tool.name, taken)
        taken.add(name)
        yield {
            "name": name,
            "fn": _shared.returning(
                _acall(tool, config) if is_async or is_only_async else _call(tool, config),
                function or coroutine or tool._run,
            ),
            "description": tool.description,
            "schema": schema if isinstance(schema, dict) else schema.model_json_schema(),
        }


def _call(tool: BaseTool, config: RunnableConfig | None) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        try:
            return tool.invoke(arguments, config)
        except (ToolException, ValidationError) as error:
            raise ToolError(str(error)) from error

    return call


def _acall(tool: BaseTool, config: RunnableConfig | None) -> Callable[..., Any]:
    async def call(**arguments: Any) -> Any:
        try:
            return await tool.ainvoke(arguments, config)
        except (ToolException, ValidationError) as error:
            raise ToolError(str(error)) from error

    return call
