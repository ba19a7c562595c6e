"""Tools of pydantic-ai as functions that programs call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pydantic
from pydantic_ai import (
    ApprovalRequired,
    CallDeferred,
    ModelRetry,
    RunContext,
    ToolDenied,
    ToolReturn,
)
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.function_signature import FunctionSignature
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool

from eryx import ToolError


def stubs_of(functions: dict[str, ToolsetTool[Any]]) -> list[str]:
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


def callbacks_of(
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
