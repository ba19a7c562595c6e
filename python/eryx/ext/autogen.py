"""Runs the code blocks of AutoGen's agents.

>>> from autogen_ext.tools.code_execution import PythonCodeExecutionTool
>>> tool = PythonCodeExecutionTool(EryxCodeExecutor())
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, Unpack

from eryx import EryxError, SandboxFactory, Session, TimeoutError, prompt  # noqa: A004  (ours)
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from autogen_core import CancellationToken, Component
    from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
    from pydantic import BaseModel
except ImportError as error:
    raise _shared.missing("autogen", "autogen", error) from error

__all__ = ["EryxCodeExecutor", "EryxCodeExecutorConfig", "EryxCodeResult"]

_LANGUAGES = ("python", "py", "")


class EryxCodeExecutorConfig(BaseModel):
    """What of an executor can be written down."""

    timeout_seconds: float | None = None
    max_chars: int = _shared.MOST_CHARACTERS


@dataclass
class EryxCodeResult(CodeResult):
    """A result with the pictures that programs have shown."""

    pictures: list[_shared.Picture] = field(default_factory=list)
    """Each with ``mime``, ``data``, ``base64`` and ``url``."""


class EryxCodeExecutor(CodeExecutor, Component[EryxCodeExecutorConfig]):
    """A `CodeExecutor` with one session: give each conversation its own.

    A program that fails has an exit code that is not 0, and one that takes too long 124.

    >>> async def main():
    ...     async with EryxCodeExecutor() as executor:
    ...         blocks = [CodeBlock("6 * 7", "python")]
    ...         return await executor.execute_code_blocks(blocks, CancellationToken())
    >>> asyncio.run(main()).output
    '42'
    """

    component_config_schema = EryxCodeExecutorConfig
    component_provider_override = "eryx.ext.autogen.EryxCodeExecutor"

    def __init__(
        self,
        *,
        functions: Sequence[Callable[..., Any]] = (),
        timeout_seconds: float | None = None,
        max_chars: int = _shared.MOST_CHARACTERS,
        factory: SandboxFactory | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes the executor; the session begins with `start` or the first program.

        Args:
            functions: Functions that programs call, without ``await``.
            timeout_seconds: Time of each program; None for that of the session.
            max_chars: The middle of longer answers is left out.
            factory: Makes the session, such as with packages.
            **options: As of `eryx.Session`.
        """
        self._make: Callable[[], Session] = lambda: (
            factory.create_session if factory else Session
        )(**options)
        self._functions = _shared.without_await(functions)
        self._config = EryxCodeExecutorConfig(timeout_seconds=timeout_seconds, max_chars=max_chars)
        self._has_more = bool(functions or factory or options)
        self._session: Session | None = None

    @property
    def instruction(self) -> str:
        """What the model should be told, in an agent's system message."""
        return prompt(self._begun()) + _shared.stub(self._functions)

    def _begun(self) -> Session:
        if self._session is None:
            self._session = self._make()
        return self._session

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> EryxCodeResult:
        """Runs blocks one after the other, until one fails.

        Raises:
            asyncio.CancelledError: If the token is cancelled.
        """
        result = EryxCodeResult(exit_code=0, output="")
        texts = []
        for block in code_blocks:
            if block.language.lower() not in _LANGUAGES:
                texts.append(f"Only Python can be run, not {block.language}.")
                result.exit_code = 1
                break
            task = asyncio.ensure_future(self._run(block.code))
            cancellation_token.link_future(task)
            ending = await task
            texts.append(ending.to_text(self._config.max_chars))
            result.pictures += _shared.pictures(ending)
            if isinstance(ending, EryxError):
                timed_out = isinstance(ending, TimeoutError)
                result.exit_code = getattr(ending, "exit_code", 0) or (124 if timed_out else 1)
                break
        result.output = "\n".join(text for text in texts if text)
        return result

    async def _run(self, code: str) -> _shared.Ending:
        seconds = self._config.timeout_seconds
        return await _shared.run_async(
            self._begun(),
            code,
            callbacks=self._functions,
            timeout_ms=... if seconds is None else int(seconds * 1000),
        )

    async def start(self) -> None:
        """Begins the session."""
        self._begun()

    async def stop(self) -> None:
        """Ends the session."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    async def restart(self) -> None:
        """Begins a new session."""
        await self.stop()
        await self.start()

    def _to_config(self) -> EryxCodeExecutorConfig:
        if self._has_more:
            raise ValueError("an executor with functions or options of a session is no component")
        return self._config

    @classmethod
    def _from_config(cls, config: EryxCodeExecutorConfig) -> Self:
        return cls(timeout_seconds=config.timeout_seconds, max_chars=config.max_chars)
