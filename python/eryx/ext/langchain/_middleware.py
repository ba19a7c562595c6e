"""The middleware, which gives an agent the tool."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, NotRequired, Unpack

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.messages import SystemMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.runtime import Runtime
from langgraph.types import Command

from eryx import SandboxFactory
from eryx._option_types import SessionOptions
from eryx.ext import _shared
from eryx.ext.langchain._tool import PythonTool, conversation


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
        token = conversation.set(request.state.get("eryx_conversation"))
        try:
            return handler(request)
        finally:
            conversation.reset(token)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        """Tells the tool its conversation."""
        token = conversation.set(request.state.get("eryx_conversation"))
        try:
            return await handler(request)
        finally:
            conversation.reset(token)

    def close(self) -> None:
        """Closes all sessions."""
        self.tool.close()
