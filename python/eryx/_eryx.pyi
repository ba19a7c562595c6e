"""Binding of liberyx; use the package eryx."""

import os
from collections.abc import Callable
from typing import Any, Final, Self, final

from _typeshed import structseq

EXCEPTIONS: Final[tuple[type[Exception] | None, ...]]
UNLIMITED: Final[int]
VERSION: Final[str]

@final
class Engine:
    def __new__(
        cls, image_path: str | os.PathLike[str], stdlib_path: str | os.PathLike[str]
    ) -> Self: ...

@final
class Core:
    def __new__(cls, engine: Engine, limits: tuple[int, ...]) -> Self: ...
    def begin(
        self,
        source: bytes,
        *,
        result_variable: str | None = None,
        arguments: tuple[str, ...] = (),
        standard_input: bytes | None = None,
        keep_state: bool = False,
        stream_output: bool = False,
        pause_every_ms: int = 0,
    ) -> None: ...
    def run(self, on_output: Callable[[int, bytes], object] | None, /) -> Outcome: ...
    def step(
        self, on_output: Callable[[int, bytes], object] | None, through_pauses: bool, /
    ) -> int | None: ...
    def outcome(self) -> Outcome: ...
    def cancel(self) -> None: ...
    def reset(self) -> None: ...

@final
class Outcome(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = (
        "status",
        "message",
        "stdout",
        "stderr",
        "stdout_dropped",
        "stderr_dropped",
        "result_json",
        "result_error",
        "exception_type",
        "exception_message",
        "traceback",
        "exit_code",
        "memory_limit_hit",
        "duration_ns",
        "fuel_consumed",
        "peak_memory_bytes",
    )
    @property
    def status(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> bytes: ...
    @property
    def stdout_dropped(self) -> int: ...
    @property
    def stderr_dropped(self) -> int: ...
    @property
    def result_json(self) -> str | None: ...
    @property
    def result_error(self) -> str | None: ...
    @property
    def exception_type(self) -> str | None: ...
    @property
    def exception_message(self) -> str | None: ...
    @property
    def traceback(self) -> str | None: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def memory_limit_hit(self) -> bool: ...
    @property
    def duration_ns(self) -> int: ...
    @property
    def fuel_consumed(self) -> int: ...
    @property
    def peak_memory_bytes(self) -> int: ...

def deliver(on_output: Callable[[int, Any], object], stream: int, data: Any, /) -> None: ...
