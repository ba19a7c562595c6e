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

from eryx.ext import _shared

try:
    from eryx.ext.pydantic_ai._capability import CodeMode
    from eryx.ext.pydantic_ai._toolset import CodeToolset, ProgramOutput
except ImportError as error:
    raise _shared.missing("pydantic_ai", "pydantic-ai", error) from error

__all__ = ["CodeMode", "CodeToolset", "ProgramOutput"]
