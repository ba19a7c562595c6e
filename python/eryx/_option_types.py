"""The keyword arguments of `Sandbox` and `Session` as types, for functions that pass them on.

Imported by type checkers, and where somebody reads annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import IO, Any, Literal, Protocol, TypedDict

from eryx._callbacks import CallbackRegistry
from eryx._deterministic import Deterministic
from eryx._isolation import Workers
from eryx._limits import ResourceLimits
from eryx._network import NetConfig
from eryx._processes import Tenant
from eryx._storage import VfsStorage, Volumes
from eryx._tracing import TraceEvent
from eryx.mcp import MCPManager
from eryx.native import NativeModule


class Reader(Protocol):
    """Something that text or bytes can be read of."""

    def readline(self) -> object:
        """The next line; empty at the end. May be async."""


# What the guest reads: all of it, an open file, anything with readline() or read(), or a function
# that is called when the guest wants a line.
StandardInput = str | bytes | IO[Any] | Reader | Callable[[], object]

Callbacks = (
    CallbackRegistry
    | Mapping[str, Callable[..., Any]]
    | Sequence[dict[str, Any] | CallbackRegistry | Callable[..., Any]]
)

# Where a sandbox runs: in a worker process of those that the package keeps, or of these workers.
Isolation = Literal["process"] | Workers | Tenant


class RequestOptions(TypedDict, total=False):
    """What can be another for each use of a sandbox."""

    resource_limits: ResourceLimits | None
    meter: bool
    callbacks: Callbacks | None
    on_stdout: Callable[[str], object] | None
    on_stderr: Callable[[str], object] | None
    result_variable: str | None
    trace: bool | Literal["all"] | None
    on_trace: Callable[[TraceEvent], object] | None
    max_trace_events: int
    print_traceback: bool | None
    mcp: MCPManager | None


class RunOptions(TypedDict, total=False):
    """What `execute` takes besides the program; what is not given is as the sandbox has it."""

    inputs: Mapping[str, object] | None
    stdin: StandardInput | None
    arguments: Sequence[str]
    env: Mapping[str, str] | None
    callbacks: Callbacks | None
    on_stdout: Callable[[str], object] | None
    on_stderr: Callable[[str], object] | None
    filename: str | None
    timeout_ms: int | EllipsisType | None
    limits: ResourceLimits | None
    trace: bool | Literal["all"] | None


class PlaceOptions(TypedDict, total=False):
    """What a sandbox has for as long as it lives."""

    network: NetConfig | None
    secrets: Mapping[str, Mapping[str, Any]] | None
    scrub_stdout: bool | None
    scrub_stderr: bool | None
    scrub_result: bool | None
    scrub_files: bool | None
    volumes: Volumes | None
    native_modules: Iterable[NativeModule] | None
    isolation: Isolation | None
    deterministic: Deterministic | None


class SandboxOptions(RequestOptions, PlaceOptions, total=False):
    """All of `Sandbox`."""


class SessionOptions(SandboxOptions, total=False):
    """All of `Session`."""

    files: VfsStorage | None
    files_path: str | None
    vfs: VfsStorage | None
    vfs_mount_path: str | None
    execution_timeout_ms: int | EllipsisType | None
    max_fuel: int | None
    transactional: bool | Literal["all"]
