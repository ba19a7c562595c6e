"""Code mode for pydantic-ai: models call tools from Python programs that run in a sandbox.

>>> from pydantic_ai import Agent
>>> agent = Agent(capabilities=[CodeMode()])
>>> @agent.tool_plain
... def price(item: str) -> float:
...     '''What an item costs.'''
...     return 2.5

The model has the one tool ``run_python``, whose programs call ``await price(item="tea")``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Unpack

from eryx import SandboxFactory, ToolError
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    import pydantic
    from pydantic_ai import (
        ApprovalRequired,
        BinaryContent,
        CallDeferred,
        CustomEvent,
        ModelRetry,
        RunContext,
        ToolDefinition,
        ToolDenied,
        ToolReturn,
    )
    from pydantic_ai.capabilities import AbstractCapability
    from pydantic_ai.exceptions import ToolFailed
    from pydantic_ai.function_signature import FunctionSignature
    from pydantic_ai.messages import ToolCallPart
    from pydantic_ai.tools import ToolSelector, matches_tool_selector
    from pydantic_ai.toolsets import AbstractToolset, CombinedToolset, ToolsetTool, WrapperToolset
except ImportError as error:
    raise _shared.missing("pydantic_ai", "pydantic-ai", error) from error

__all__ = ["CodeMode", "CodeToolset", "ProgramOutput"]

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

    def _wrapping(self, wrapped: AbstractToolset[Any]) -> CodeToolset:
        """The same around another toolset, with the same sessions."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.wrapped = wrapped
        return other

    async def for_run(self, ctx: RunContext[Any]) -> AbstractToolset[Any]:
        """The toolset of one run of an agent."""
        return self._wrapping(await self.wrapped.for_run(ctx))

    async def for_run_step(self, ctx: RunContext[Any]) -> AbstractToolset[Any]:
        """The toolset of one step of a run."""
        return self._wrapping(await self.wrapped.for_run_step(ctx))

    def visit_and_replace(self, visitor: Any) -> AbstractToolset[Any]:
        """Replaces what is within."""
        return self._wrapping(self.wrapped.visit_and_replace(visitor))

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
            description="\n\n".join([self._conversations.prompt, *_stubs(functions)]),
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
                callbacks=[*_callbacks(ctx, self.wrapped, tool.functions)],
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
class CodeMode(AbstractCapability[Any]):
    """A capability with which all tools of an agent are called from programs.

    The arguments are those of `CodeToolset`.

    >>> from pydantic_ai import Agent
    >>> agent = Agent(capabilities=[CodeMode(tools=["price"], max_retries=2)])
    """

    toolset: CodeToolset = field(repr=False)

    def __init__(
        self,
        *,
        tools: ToolSelector[Any] = "all",
        name: str = "run_python",
        max_retries: int = 5,
        max_chars: int = _shared.MOST_CHARACTERS,
        max_sessions: int = _shared.MOST_SESSIONS,
        factory: SandboxFactory | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes the capability, with the arguments of `CodeToolset`."""
        self.toolset = CodeToolset(
            tools=tools,
            name=name,
            max_retries=max_retries,
            max_chars=max_chars,
            max_sessions=max_sessions,
            factory=factory,
            **options,
        )

    def get_wrapper_toolset(self, toolset: AbstractToolset[Any]) -> AbstractToolset[Any]:
        """Puts the agent's tools into programs."""
        return self.toolset._wrapping(toolset)

    def close(self) -> None:
        """Closes the sessions of all conversations."""
        self.toolset.close()


@dataclass
class _Settings:
    tools: ToolSelector[Any]
    name: str
    max_retries: int
    max_chars: int


@dataclass(kw_only=True)
class _CodeTool(ToolsetTool[Any]):
    functions: dict[str, ToolsetTool[Any]]


def _stubs(functions: dict[str, ToolsetTool[Any]]) -> list[str]:
    """The functions as a model is to see them, and the types that they name."""
    if not functions:
        return []
    signatures = {name: tool.tool_def.function_signature for name, tool in functions.items()}
    every = list(signatures.values())
    clashes = FunctionSignature.get_conflicting_type_names(every)
    return [
        "These functions are there without import, and are awaited:",
        *FunctionSignature.render_type_definitions(every, clashes),
        *(
            signature.render(
                "...",
                name=name,
                description=functions[name].tool_def.description,
                is_async=True,
                conflicting_type_names=clashes,
            )
            for name, signature in signatures.items()
        ),
    ]


def _callbacks(
    ctx: RunContext[Any], toolset: AbstractToolset[Any], functions: dict[str, ToolsetTool[Any]]
) -> Any:
    """What the guest may call: each goes through the hooks, validation and traces of the agent."""
    if not functions:
        return
    assert ctx.tool_manager is not None
    known = {tool.tool_def.name: tool for tool in functions.values()}
    manager = replace(ctx.tool_manager, toolset=toolset, tools=known)
    for name, tool in functions.items():

        async def call(_name: str = tool.tool_def.name, /, **arguments: Any) -> Any:
            return await _call(manager, _name, arguments)

        yield {
            "name": name,
            "fn": call,
            "description": tool.tool_def.description or "",
            "schema": tool.tool_def.parameters_json_schema,
        }


async def _call(manager: Any, name: str, arguments: dict[str, Any]) -> Any:
    part = ToolCallPart(tool_name=name, args=arguments)
    try:
        answer = await manager.handle_call(part, wrap_validation_errors=False)
    except (CallDeferred, ApprovalRequired):
        raise ToolError(f"{name} cannot be called from a program: it needs approval") from None
    except (ModelRetry, ToolFailed, pydantic.ValidationError) as error:
        raise ToolError(str(error)) from error
    if isinstance(answer, ToolDenied):
        raise ToolError(answer.message)
    return answer.return_value if isinstance(answer, ToolReturn) else answer


async def _emit(ctx: RunContext[Any], stream: Literal["stdout", "stderr"], text: str) -> None:
    await ctx.emit(ProgramOutput(stream=stream, text=text))
