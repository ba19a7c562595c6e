"""Runs the code blocks of the Agent Development Kit's models.

>>> from google.adk.agents import LlmAgent
>>> executor = EryxCodeExecutor()
>>> agent = LlmAgent(
...     name="analyst", code_executor=executor, instruction=executor.instruction
... )
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Sequence
from typing import Any, Unpack

from eryx import SandboxFactory, Session, TimeoutError  # noqa: A004  (ours)
from eryx._option_types import SessionOptions
from eryx.ext import _shared

try:
    from google.adk.agents.invocation_context import InvocationContext
    from google.adk.code_executors.base_code_executor import BaseCodeExecutor
    from google.adk.code_executors.code_execution_utils import (
        CodeExecutionInput,
        CodeExecutionResult,
        File,
    )
    from pydantic import PrivateAttr
except ImportError as error:
    raise _shared.missing("google_adk", "google-adk", error) from error

__all__ = ["EryxCodeExecutor"]

_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


class EryxCodeExecutor(BaseCodeExecutor):
    """A `BaseCodeExecutor` with an eryx session for each session of the kit.

    Failures are what the kit retries on. Pictures become artifacts, and input files are there for
    programs.

    >>> executor = EryxCodeExecutor(timeout_seconds=5)
    >>> executor.stateful
    True
    """

    stateful: bool = True

    _conversations: _shared.Conversations = PrivateAttr()
    _functions: list[dict[str, Any]] = PrivateAttr()
    _max_chars: int = PrivateAttr()
    _shown: int = PrivateAttr(default=0)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def __init__(
        self,
        *,
        functions: Sequence[Callable[..., Any]] = (),
        timeout_seconds: int | None = None,
        error_retry_attempts: int = 2,
        max_chars: int = _shared.MOST_CHARACTERS,
        max_sessions: int = _shared.MOST_SESSIONS,
        factory: SandboxFactory | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Makes the executor.

        Args:
            functions: Functions that programs call, without ``await``.
            timeout_seconds: Time of each program; None for that of the session.
            error_retry_attempts: How many programs may fail in a row.
            max_chars: The middle of longer answers is left out.
            max_sessions: How many sessions keep their variables.
            factory: Makes the sessions, such as with packages.
            **options: As of `eryx.Session`.
        """
        super().__init__(timeout_seconds=timeout_seconds, error_retry_attempts=error_retry_attempts)
        self._conversations = _shared.Conversations(factory, max_sessions, options)
        self._functions = _shared.without_await(functions)
        self._max_chars = max_chars

    @property
    def instruction(self) -> str:
        """What the model should be told, as an agent's instruction or a part of it."""
        told = self._conversations.prompt + _shared.stub(self._functions)
        return f"{told}\n\nTo run a program, write it in a block that begins with ```python."

    def execute_code(
        self, invocation_context: InvocationContext, code_execution_input: CodeExecutionInput
    ) -> CodeExecutionResult:
        """Runs a program; it is called by the kit."""
        its = invocation_context.session
        key = f"{its.app_name}\0{its.user_id}\0{its.id}" if self.stateful else None
        with self._conversations.session_or_new(key) as session:
            for file in code_execution_input.input_files:
                _write(session, file)
            seconds = self.timeout_seconds
            ending = _shared.run(
                session,
                code_execution_input.code,
                callbacks=self._functions,
                timeout_ms=... if seconds is None else int(seconds * 1000),
            )
        text = ending.to_text(self._max_chars)
        if _shared.failed(ending):
            code = getattr(ending, "exit_code", 0) or (
                124 if isinstance(ending, TimeoutError) else 1
            )
            return CodeExecutionResult(stderr=text, exit_code=code)
        files = [self._file(picture) for picture in _shared.pictures(ending)]
        return CodeExecutionResult(stdout=text, output_files=files, exit_code=0)

    def _file(self, picture: _shared.Picture) -> File:
        with self._lock:
            self._shown += 1
            name = f"picture_{self._shown}.{_SUFFIXES[picture.mime]}"
        return File(name=name, content=picture.data, mime_type=picture.mime)

    def close(self) -> None:
        """Closes all sessions."""
        self._conversations.close()


def _write(session: Session, file: File) -> None:
    """Puts a file where programs start; its content may be base64 text."""
    content = file.content
    if isinstance(content, str):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            content = content.encode()
    session.files.write_bytes(file.name.rsplit("/", 1)[-1], content)
