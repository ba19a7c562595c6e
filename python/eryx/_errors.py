"""The exceptions. They carry what a run left before it failed."""

from __future__ import annotations

import builtins

from eryx._annotations import late_annotations
from eryx._left import Left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from eryx._display import Shown
    from eryx._network import Connection
    from eryx._run_files import RunFiles
    from eryx._tracing import TraceEvent


class EryxError(Left, Exception):
    """Base of all exceptions of this package.

    If the exception ended a run its attributes tell what the run left; otherwise they have the
    values given here.
    """

    __module__ = "eryx"

    stdout: str = ""
    """Text that was written to stdout, without newlines at its end."""
    stderr: str = ""
    """Text that was written to stderr, without newlines at its end."""
    stdout_bytes: bytes = b""
    """What was written to stdout, exactly."""
    stderr_bytes: bytes = b""
    """What was written to stderr, exactly."""
    stdout_truncated: bool = False
    """Whether a part of stdout was left out because of `ResourceLimits.max_output_bytes`."""
    stderr_truncated: bool = False
    """Whether a part of stderr was left out because of `ResourceLimits.max_output_bytes`."""
    duration_ms: float = 0.0
    """Wall-clock time of the run in milliseconds."""
    queued_ms: float = 0.0
    """Time in milliseconds that the run waited for its first slice."""
    fuel_consumed: int | None = None
    """Fuel that the run used."""
    peak_memory_bytes: int = 0
    """Most memory that the guest had."""
    memory_limit_hit: bool = False
    """Whether the guest was refused memory because of `ResourceLimits.max_memory_bytes`."""
    callback_invocations: int = 0
    """Number of callbacks that the guest made."""
    connections: Sequence[Connection] = ()
    """Connections of the guest, those that were refused as well; the first 1,000."""
    connections_total: int = 0
    """Number of connections, with those that are not in the list."""
    trace: Sequence[TraceEvent] = ()
    """What the tracer saw, in order; empty without tracing."""
    trace_truncated: bool = False
    """Whether events are missing because of `max_trace_events`."""
    _shown: Shown | None = None
    _files: RunFiles | None = None

    def to_text(self, max_chars: int = 20_000) -> str:
        """The run as a language model should see it: what it left, and then what ended it, once.

        max_chars: if it is longer, its middle is left out.
        """
        from eryx._display import text_for_model

        return text_for_model(self, max_chars, str(self).rstrip())

    def to_dict(self) -> dict[str, Any]:
        """All attributes as JSON can hold them, and the error as ``error``: its type and text."""
        from eryx._display import as_dict

        return {**as_dict(self), "error": {"type": type(self).__name__, "message": str(self)}}


class ExecutionError(EryxError):
    """The program failed: an uncaught exception, an exit with a code other than 0, or a crash.

    The text of the exception is the traceback that Python printed inside the sandbox. If it was an
    exception of a callback that ended the run, ``__cause__`` is that exception.
    """

    __module__ = "eryx"

    exc_type: str = ""
    """Name of the exception's type such as ``ValueError``; empty if it was no Python exception."""
    exc_message: str = ""
    """Text of the exception."""
    traceback: str = ""
    """The traceback as Python prints it."""
    exit_code: int = 0
    """Code of ``sys.exit()`` or ``os._exit()``; 0 if the program did not exit so."""


class InitializationError(EryxError):
    """A sandbox could not be made or put back to its initial state."""

    __module__ = "eryx"


class ResourceLimitError(EryxError):
    """A limit other than the time was exceeded, such as `ResourceLimits.max_fuel`."""

    __module__ = "eryx"


class TimeoutError(EryxError, builtins.TimeoutError):  # noqa: A001  (the name users expect)
    """The run took longer than `ResourceLimits.execution_timeout_ms` or ``cpu_timeout_ms``.

    Or its first slice did not come within ``queue_timeout_ms``, so it has not begun.
    """

    __module__ = "eryx"


class CancelledError(EryxError):
    """The run was ended by `Sandbox.cancel`."""

    __module__ = "eryx"


class WorkerCrashedError(EryxError):
    """The worker process of a sandbox died, or did what it should not and was ended.

    The run is over, and so are those of other sandboxes in the same process. What they had written
    until then is in `stdout` and `stderr`, as far as it had come. A `Sandbox` can be used again; a
    `Session` after `Session.reset`, or `Session.load` of what was saved.
    """

    __module__ = "eryx"


class ToolError(EryxError):
    """Raised by a callback for the guest to read: its text always reaches it, and nothing else.

    >>> import eryx
    >>> def find(name: str) -> str:
    ...     raise eryx.ToolError("no such item")
    >>> code = "try: await find('x')\\nexcept RuntimeError as error: print(error)"
    >>> eryx.Sandbox(callbacks=[find]).execute(code).stdout
    'no such item'
    """

    __module__ = "eryx"


class SuspendCallback(EryxError):  # noqa: N818  (it is not an error, but what a callback asks for)
    """Raised by a callback to end the run at once, without an answer to the guest.

    `Sandbox.execute_with_journal` catches it: a later run with the journal goes on from there.
    From `Sandbox.execute` it is raised as it is.
    """

    __module__ = "eryx"

    def __init__(self, reason: str = "") -> None:
        """reason: for `ReplayOutcome.suspend_reason`."""
        super().__init__(reason)
        self.reason = reason


late_annotations(globals(), EryxError, ExecutionError, SuspendCallback)
