"""Run untrusted Python in a sandbox.

>>> import eryx
>>> sandbox = eryx.Sandbox()
>>> sandbox.execute("print('hello')").stdout
'hello'

Every `Sandbox.execute` starts a fresh CPython 3.14 that sees no host files, no environment and no
network but what it is given, and ends it when a limit of `ResourceLimits` is reached.
"""

from eryx import _clash  # noqa: F401  (first: it looks whether all the rest is ours)
from eryx._engine import trim
from eryx._errors import (
    CancelledError,
    EryxError,
    ExecutionError,
    InitializationError,
    ResourceLimitError,
    SuspendCallback,
    TimeoutError,  # noqa: A004  (also a builtins.TimeoutError, so hiding the builtin does no harm)
    ToolError,
    WorkerCrashedError,
)
from eryx._eryx import VERSION as __version__  # noqa: N811
from eryx._limits import ResourceLimits
from eryx._result import ExecuteResult
from eryx._sandbox import Sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx import mcp as mcp
    from eryx import native as native
    from eryx import packages as packages
    from eryx._callbacks import CallbackRegistry, callback_stub
    from eryx._check import Diagnostic
    from eryx._configure import configure
    from eryx._deterministic import Deterministic
    from eryx._display import Display
    from eryx._events import Call, Done, EventRun, Output, Trace
    from eryx._factory import SandboxFactory
    from eryx._file_provider import FileInfo, FileProvider
    from eryx._isolation import Workers
    from eryx._journal import ReplayOutcome
    from eryx._lease import PooledSandbox
    from eryx._memory import Memory, memory
    from eryx._network import Connection, NetConfig
    from eryx._observing import Instrumentation, instrument, uninstrument
    from eryx._pool import PoolStats, SandboxPool
    from eryx._pool_errors import (
        PoolClosedError,
        PoolError,
        PoolExhaustedError,
        PoolTimeoutError,
    )
    from eryx._prompt import prompt
    from eryx._run_files import FileChange
    from eryx._session import Checkpoint, Session
    from eryx._session_files import SessionFiles
    from eryx._session_threads import SessionThread
    from eryx._snapshot import Snapshot
    from eryx._storage import VfsStorage
    from eryx._tracing import TraceEvent
    from eryx._volumes import MountedVolume
    from eryx.mcp import MCPManager, connect_servers, discover_servers

# Imported when they are asked for, so that what does without them starts sooner.
_LATER = {
    "Call": "eryx._events",
    "CallbackRegistry": "eryx._callbacks",
    "Checkpoint": "eryx._session",
    "Connection": "eryx._network",
    "Deterministic": "eryx._deterministic",
    "Diagnostic": "eryx._check",
    "Display": "eryx._display",
    "Done": "eryx._events",
    "EventRun": "eryx._events",
    "FileChange": "eryx._run_files",
    "FileInfo": "eryx._file_provider",
    "FileProvider": "eryx._file_provider",
    "Instrumentation": "eryx._observing",
    "Memory": "eryx._memory",
    "MountedVolume": "eryx._volumes",
    "MCPManager": "eryx.mcp._manager",
    "NetConfig": "eryx._network",
    "Output": "eryx._events",
    "PoolClosedError": "eryx._pool_errors",
    "PoolError": "eryx._pool_errors",
    "PoolExhaustedError": "eryx._pool_errors",
    "PoolStats": "eryx._pool",
    "PoolTimeoutError": "eryx._pool_errors",
    "PooledSandbox": "eryx._lease",
    "ReplayOutcome": "eryx._journal",
    "SandboxFactory": "eryx._factory",
    "SandboxPool": "eryx._pool",
    "Session": "eryx._session",
    "SessionThread": "eryx._session_threads",
    "SessionFiles": "eryx._session_files",
    "Snapshot": "eryx._snapshot",
    "Trace": "eryx._events",
    "TraceEvent": "eryx._tracing",
    "VfsStorage": "eryx._storage",
    "Workers": "eryx._isolation",
    "callback_stub": "eryx._callbacks",
    "configure": "eryx._configure",
    "connect_servers": "eryx.mcp._manager",
    "discover_servers": "eryx.mcp._discover",
    "instrument": "eryx._observing",
    "memory": "eryx._memory",
    "prompt": "eryx._prompt",
    "uninstrument": "eryx._observing",
}
_MODULES = ("mcp", "native", "packages")

__all__ = [
    "Call",
    "CallbackRegistry",
    "CancelledError",
    "Checkpoint",
    "Connection",
    "Deterministic",
    "Diagnostic",
    "Display",
    "Done",
    "EryxError",
    "EventRun",
    "ExecuteResult",
    "ExecutionError",
    "FileChange",
    "FileInfo",
    "FileProvider",
    "InitializationError",
    "Instrumentation",
    "MCPManager",
    "Memory",
    "MountedVolume",
    "NetConfig",
    "Output",
    "PoolClosedError",
    "PoolError",
    "PoolExhaustedError",
    "PoolStats",
    "PoolTimeoutError",
    "PooledSandbox",
    "ReplayOutcome",
    "ResourceLimitError",
    "ResourceLimits",
    "Sandbox",
    "SandboxFactory",
    "SandboxPool",
    "Session",
    "SessionFiles",
    "SessionThread",
    "Snapshot",
    "SuspendCallback",
    "TimeoutError",
    "ToolError",
    "Trace",
    "TraceEvent",
    "VfsStorage",
    "WorkerCrashedError",
    "Workers",
    "__version__",
    "callback_stub",
    "configure",
    "connect_servers",
    "discover_servers",
    "instrument",
    "memory",
    "prompt",
    "trim",
    "uninstrument",
]

if not TYPE_CHECKING:  # a type checker is to know which names there are

    def __getattr__(name: str) -> object:
        """Imports what was not needed until now."""
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"eryx.{name}")
        module = _LATER.get(name)
        if module is None:
            raise AttributeError(f"module 'eryx' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(module), name)
        return value

    def __dir__() -> list[str]:
        """What there is for users, imported or not."""
        return sorted({*__all__, *_MODULES, *(name for name in globals() if name[:2] == "__")})
