"""Run untrusted Python in a sandbox.

>>> import eryx
>>> sandbox = eryx.Sandbox()
>>> sandbox.execute("print('hello')").stdout
'hello'

Every `Sandbox.execute` starts a fresh CPython 3.14 that sees no host files, no environment and no
network, and ends it when a limit of `ResourceLimits` is reached.
"""

from eryx._errors import (
    CancelledError,
    EryxError,
    ExecutionError,
    InitializationError,
    ResourceLimitError,
    TimeoutError,  # noqa: A004  (also a builtins.TimeoutError, so hiding the builtin does no harm)
)
from eryx._eryx import VERSION as __version__  # noqa: N811
from eryx._limits import ResourceLimits
from eryx._result import ExecuteResult
from eryx._sandbox import Sandbox

__all__ = [
    "CancelledError",
    "EryxError",
    "ExecuteResult",
    "ExecutionError",
    "InitializationError",
    "ResourceLimitError",
    "ResourceLimits",
    "Sandbox",
    "TimeoutError",
    "__version__",
]
