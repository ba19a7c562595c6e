"""The toolset, with the tool that runs programs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Unpack

import pydantic
from pydantic_ai import BinaryContent, CustomEvent, ModelRetry, RunContext, ToolDefinition
from pydantic_ai.tools import ToolSelector, matches_tool_selector
from pydantic_ai.toolsets import AbstractToolset, CombinedToolset, ToolsetTool, WrapperToolset

from eryx import SandboxFactory
from eryx._option_types import SessionOptions
from eryx.ext import _shared
from eryx.ext.pydantic_ai._functions import callbacks_of, stubs_of

_NO_CONVERSATION = ""


class _Arguments(pydantic.BaseModel):
    code: str = pydantic.Field(description="The Python program to run.")


@dataclass(kw_only=True)
class ProgramOutput(CustomEvent):
    """An event of the agent's stream: text that a program writes while it runs."""

    stream: Literal["stdout", "stderr"]
    text: str


class CodeToolset(WrapperToolset[Any]):
    """A toolset with the tool ``run_python``, in which the tools of another one are functions.

    Tools that need approval, or are carried out elsewhere, stay tools of their own. Each
    conversation has a session, whose variables and files stay from one program to the next.

    >>> from pydantic_ai import Agent
    >>> agent = Agent(toolsets=[CodeToolset()])
    """

    def __init__(
        self,
        wrapped: AbstractToolset[Any] | None = None,
        *,
        tools: ToolSelector[Any] = "all",
        name: str = "run_python",
        max_retries: int = 5,
        max_chars: int = _shared.MOST_CHARACTERS,
        max_sessions: int = _shared.MOST_SESSIONS,
        factory: SandboxFactory | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes the toolset.

        Args:
            wrapped: The toolset whose tools become functions; None for none.
            tools: Which of them do, as pydantic-ai selects tools; others stay as they are.
            name: What the tool is called.
            max_retries: How many programs may fail in a row.
            max_chars: The middle of longer answers is left out.
            max_sessions: How many conversations keep their variables.
            factory: Makes the sessions, such as with packages.
            **options: As of `eryx.Session`.
        """
        super().__init__(CombinedToolset([]) if wrapped is None else wrapped)
        self._settings = _Settings(tools, name, max_retries, max_chars)
        self._conversations = _shared.Conversations(factory, max_sessions, options)

    def around(self, wrapped: AbstractToolset[Any]) -> CodeToolset:
        """The same around another toolset, with the same sessions."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.wrapped = wrapped
        return other

    async def for_run(self, ctx: RunContext[Any]) -> AbstractToolset[Any]:
        """The toolset of one run of an agent."""
        return self.around(await self.wrapped.for_run(ctx))

    async def for_run_step(self, ctx: RunContext[Any]) -> AbstractToolset[Any]:
        """The toolset of one step of a run."""
        return self.around(await self.wrapped.for_run_step(ctx))

    def visit_and_replace(self, visitor: Any) -> AbstractToolset[Any]:
        """Replaces what is within."""
        return self.around(self.wrapped.visit_and_replace(visitor))

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """``run_python``, and the tools that did not become functions."""
        settings = self._settings
        functions: dict[str, ToolsetTool[Any]] = {}
        others: dict[str, ToolsetTool[Any]] = {}
        for name, tool in (await self.wrapped.get_tools(ctx)).items():
            wanted = await matches_tool_selector(settings.tools, ctx, tool.tool_def)
            if wanted and not tool.tool_def.defer and not tool.tool_def.defer_loading:
                functions[_shared.identifier(name, functions)] = tool
            else:
                others[name] = tool
        definition = ToolDefinition(
            name=settings.name,
            description="\n\n".join([self._conversations.prompt, *stubs_of(functions)]),
            parameters_json_schema=_Arguments.model_json_schema(),
            sequential=True,  # the programs of a session run one after the other
        )
        made = _CodeTool(
            toolset=self,
            tool_def=definition,
            max_retries=settings.max_retries,
            args_validator=_Arguments.__pydantic_validator__,
            functions=functions,
        )
        return {settings.name: made, **others}

    async def call_tool(
        self, name: str, tool_args: Any, ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Any:
        """Runs a program, or calls a tool that is none of its functions."""
        if not isinstance(tool, _CodeTool):
            return await self.wrapped.call_tool(name, tool_args, ctx, tool)
        with self._conversations.session(ctx.conversation_id or _NO_CONVERSATION) as session:
            ending = await _shared.run_async(
                session,
                tool_args.code,
                callbacks=[*callbacks_of(ctx, self.wrapped, tool.functions)],
                on_stdout=partial(_emit, ctx, "stdout"),
                on_stderr=partial(_emit, ctx, "stderr"),
            )
        text = ending.to_text(self._settings.max_chars)
        if _shared.failed(ending):
            raise ModelRetry(text)
        shown = [BinaryContent(one.data, media_type=one.mime) for one in _shared.pictures(ending)]
        return [text, *shown] if shown else text

    def close(self) -> None:
        """Closes the sessions of all conversations."""
        self._conversations.close()


@dataclass
class _Settings:
    tools: ToolSelector[Any]
    name: str
    max_retries: int
    max_chars: int


@dataclass(kw_only=True)
class _CodeTool(ToolsetTool[Any]):
    functions: dict[str, ToolsetTool[Any]]


async def _emit(ctx: RunContext[Any], stream: Literal["stdout", "stderr"], text: str) -> None:
    await ctx.emit(ProgramOutput(stream=stream, text=text))
