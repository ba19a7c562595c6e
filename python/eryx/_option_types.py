"""The keyword arguments of `Sandbox` and `Session` as types, for functions that pass them on.

Imported by type checkers, and where somebody reads annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Literal, TypedDict

from eryx._callbacks import CallbackRegistry
from eryx._limits import ResourceLimits
from eryx._network import NetConfig
from eryx._storage import VfsStorage, Volume
from eryx._tracing import TraceEvent
from eryx.native import NativeModule

Callbacks = CallbackRegistry | Sequence[dict[str, Any] | CallbackRegistry]


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


class PlaceOptions(TypedDict, total=False):
    """What a sandbox has for as long as it lives."""

    network: NetConfig | None
    mcp: object
    secrets: Mapping[str, Mapping[str, Any]] | None
    scrub_stdout: bool | None
    scrub_stderr: bool | None
    scrub_result: bool | None
    scrub_files: bool | None
    volumes: Iterable[Volume] | None
    native_modules: Iterable[NativeModule] | None


class SandboxOptions(RequestOptions, PlaceOptions, total=False):
    """All of `Sandbox`."""


class SessionOptions(SandboxOptions, total=False):
    """All of `Session`."""

    vfs: VfsStorage | None
    vfs_mount_path: str | None
    execution_timeout_ms: int | EllipsisType | None
    max_fuel: int | None
    transactional: bool | Literal["all"]
