"""The capability, which puts all tools of an agent into programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Unpack

from pydantic_ai import RunContext, ToolDefinition  # noqa: F401  (which ToolSelector names)
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.tools import ToolSelector
from pydantic_ai.toolsets import AbstractToolset

from eryx import SandboxFactory
from eryx._option_types import SessionOptions
from eryx.ext import _shared
from eryx.ext.pydantic_ai._toolset import CodeToolset


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
        return self.toolset.around(toolset)

    def close(self) -> None:
        """Closes the sessions of all conversations."""
        self.toolset.close()
