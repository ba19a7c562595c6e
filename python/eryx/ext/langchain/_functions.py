"""Tools of LangChain as functions that programs call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, ToolException
from langchain_core.tools import tool as make_tool
from pydantic import ValidationError

from eryx import ToolError
from eryx.ext import _shared


def tool_of(function: Callable[..., Any]) -> BaseTool:
    made = make_tool(function)
    assert isinstance(made, BaseTool)
    return made


def callbacks_of(
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
