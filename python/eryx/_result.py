"""What a run leaves: a result, or an exception with the same attributes."""

from __future__ import annotations

from eryx import _errors
from eryx._annotations import late_annotations
from eryx._eryx import EXCEPTIONS, Outcome
from eryx._left import Left, files_of, shown_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx._display import Shown
    from eryx._network import Connection
    from eryx._run_files import RunFiles
    from eryx._tracing import Recorder, TraceEvent

# Value, JSON and error of the result variable.
DecodedResult = tuple[object, str | None, str | None]

_REPR_CHARACTERS = 50

_LARGE = 64 * 1024  # that of _json, which most runs do not need


class ExecuteResult(Left):
    """What a successful run left. The attributes cannot be set."""

    __module__ = "eryx"
    __slots__ = (
        "_decoded",  # the result variable, once somebody has asked for it
        "_files",  # what it did with files; None if nothing, as for most runs
        "_outcome",
        "_queued_ns",
        "_shown",  # value and displays; None if there are none, as for most runs
        "_traced",  # events and whether some are missing; None without tracing
    )

    def __init__(
        self,
        outcome: Outcome,
        recorder: Recorder | None = None,
        queued_ns: int = 0,
        decoded: DecodedResult | None = None,
    ) -> None:
        """Made by runs. What most callers do not ask for is made when they do."""
        self._outcome = outcome
        self._queued_ns = queued_ns
        self._decoded = decoded
        self._shown: Shown | None = shown_of(outcome)
        self._files: RunFiles | None = files_of(outcome)
        self._traced: tuple[list[TraceEvent], bool] | None = None
        if recorder is not None:
            self._traced = recorder.events, recorder.truncated

    @property
    def stdout(self) -> str:
        """Text written to stdout, without newlines at its end.

        Bytes that are not UTF-8 are U+FFFD.
        """
        return text(self._outcome.stdout)

    @property
    def stderr(self) -> str:
        """Text written to stderr, without newlines at its end."""
        return text(self._outcome.stderr)

    @property
    def stdout_bytes(self) -> bytes:
        """What was written to stdout, exactly."""
        return self._outcome.stdout

    @property
    def stderr_bytes(self) -> bytes:
        """What was written to stderr, exactly."""
        return self._outcome.stderr

    @property
    def stdout_truncated(self) -> bool:
        """Whether the middle of stdout is missing because of `ResourceLimits.max_output_bytes`."""
        return self._outcome.stdout_dropped > 0

    @property
    def stderr_truncated(self) -> bool:
        """Whether the middle of stderr is missing because of `ResourceLimits.max_output_bytes`."""
        return self._outcome.stderr_dropped > 0

    def _result(self) -> DecodedResult:
        if self._decoded is None:
            self._decoded = decode_result(self._outcome)
        return self._decoded

    @property
    def result(self) -> Any:
        """Value of the result variable; None if there is none, and then the next two tell why."""
        return self._result()[0]

    @property
    def result_json(self) -> str | None:
        """The result variable as JSON; None if there is no such variable or it cannot be JSON."""
        return self._result()[1]

    @property
    def result_error(self) -> str | None:
        """Why the result variable cannot be had as JSON; None if it can or if there is none."""
        return self._result()[2]

    @property
    def duration_ms(self) -> float:
        """Wall-clock time of the run in milliseconds."""
        return self._outcome.duration_ns / 1e6

    @property
    def queued_ms(self) -> float:
        """Milliseconds that the run waited for its first slice; 0.0 for `Sandbox.execute`."""
        return self._queued_ns / 1e6

    @property
    def fuel_consumed(self) -> int | None:
        """Work of the run, in rounds of loops and calls of the interpreter's machine code.

        None if it was not counted: see ``meter`` of `Sandbox`.
        """
        return self._outcome.fuel_consumed

    @property
    def peak_memory_bytes(self) -> int:
        """Most memory that the guest had, with the interpreter in it."""
        return self._outcome.peak_memory_bytes

    @property
    def memory_limit_hit(self) -> bool:
        """Whether the guest was refused memory because of `ResourceLimits.max_memory_bytes`."""
        return self._outcome.memory_limit_hit

    @property
    def callback_invocations(self) -> int:
        """Number of callbacks that the guest made."""
        return self._outcome.callback_invocations

    @property
    def connections(self) -> list[Connection]:
        """Connections of the guest in order, with those that were refused; the first 1,000."""
        return _connections(self._outcome)

    @property
    def connections_total(self) -> int:
        """Number of connections, with those that are not in the list."""
        return self._outcome.connections_total

    @property
    def trace(self) -> list[TraceEvent]:
        """What the tracer saw, in order; empty without tracing."""
        return [] if self._traced is None else self._traced[0]

    @property
    def trace_truncated(self) -> bool:
        """Whether events are missing because of `max_trace_events`."""
        return self._traced is not None and self._traced[1]

    @property
    def value(self) -> Any:
        """Value of the last expression of the program, as JSON has it.

        None if JSON cannot hold it, and if it is None or the program does not end with one.
        """
        return None if self._shown is None else self._shown.value

    @property
    def value_repr(self) -> str | None:
        """Its ``repr()``, of which the middle is left out if it is long.

        None if it is None or the program does not end with an expression.
        """
        return None if self._shown is None else self._shown.value_repr

    def to_text(self, max_chars: int = 20_000) -> str:
        """The run as a language model should see it: stdout, the value, what else was shown.

        max_chars: if it is longer, its middle is left out.

        >>> import eryx
        >>> print(eryx.Sandbox().execute("print('hello'); 6 * 7").text)
        hello
        42
        """
        from eryx._display import text_for_model

        return text_for_model(self, max_chars)

    def to_dict(self) -> dict[str, Any]:
        """All attributes as JSON can hold them; what is there as bytes as well is text alone."""
        from eryx._display import as_dict

        return as_dict(self)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """For notebooks: the text, and what was shown last."""
        display = self.display
        data = {**display[-1].mime} if display else {}
        data["text/plain"] = self.text
        return data, (display[-1].metadata if display else {})

    def _parts(self) -> tuple[object, ...]:
        """All that it is made of, without what belongs to this process."""
        outcome = self._outcome[:-1]  # Changes come last
        return outcome, self._queued_ns, self._result(), self._shown, self._files, self._traced

    def __reduce__(self) -> tuple[object, ...]:
        """For ``copy`` and ``pickle``: results go to other processes."""
        return _restored, self._parts()

    def __eq__(self, other: object) -> bool:
        """Equal if all attributes are, so that of two runs only the same one and its copies are."""
        if not isinstance(other, ExecuteResult):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        """Fits __eq__."""
        return hash((self.stdout_bytes, self.stderr_bytes, self.result_json, self.duration_ms))

    def __str__(self) -> str:
        """The text of stdout."""
        return self.stdout

    def __repr__(self) -> str:
        """The most telling attributes; a long stdout is cut."""
        stdout = self.stdout
        if len(stdout) > _REPR_CHARACTERS:
            stdout = stdout[:_REPR_CHARACTERS] + "..."
        return (
            f"ExecuteResult(stdout={stdout!r}, result_json={_shortened(self.result_json)}, "
            f"duration_ms={self.duration_ms:.3f}, fuel_consumed={self.fuel_consumed}, "
            f"peak_memory_bytes={self.peak_memory_bytes})"
        )


def _restored(
    parts: tuple[Any, ...],
    queued_ns: int,
    decoded: DecodedResult,
    shown: Shown | None,
    files: RunFiles | None,
    traced: tuple[list[TraceEvent], bool] | None,
) -> ExecuteResult:
    """A result that is made of the parts of another one."""
    result = ExecuteResult(Outcome((*parts, None)), None, queued_ns, decoded)
    result._shown, result._files, result._traced = shown, files, traced
    return result


def _shortened(value: str | None) -> str:
    if value is not None and len(value) > _REPR_CHARACTERS:
        value = value[:_REPR_CHARACTERS] + "..."
    return repr(value)


def text(data: bytes) -> str:
    """Output as text: trailing newlines away, bytes that are not UTF-8 replaced."""
    return data.decode("utf-8", "replace").rstrip("\n")


def _connections(outcome: Outcome) -> list[Connection]:
    """The connections of a run; most have none and need not import anything for it."""
    if not outcome.connections:
        return []
    from eryx._network import connections_of

    return connections_of(outcome.connections)


def decode_result(outcome: Outcome, *, in_pieces: bool = False) -> DecodedResult:
    """Value, JSON and error of the result variable. in_pieces: other threads are to go on."""
    if outcome.result_json is None:
        return None, None, outcome.result_error
    import json  # only runs that leave a result pay for it

    try:
        if in_pieces:
            from eryx._json import decode

            return decode(outcome.result_json, json.JSONDecoder()), outcome.result_json, None
        return json.loads(outcome.result_json), outcome.result_json, None
    except (ValueError, RecursionError) as error:
        return None, None, f"the guest's JSON of the result variable cannot be read: {error}"


def has_large_result(outcome: Outcome) -> bool:
    """Whether the result should not be decoded on an event loop."""
    return outcome.result_json is not None and len(outcome.result_json) >= _LARGE


async def finish_async(
    outcome: Outcome, recorder: Recorder | None, queued_ns: int
) -> ExecuteResult:
    """Does what `finish` does, but the event loop goes on while the result is decoded."""
    from eryx._workers import call

    decoded = await call(lambda: decode_result(outcome, in_pieces=True))
    return finish(outcome, recorder, queued_ns, decoded)


def finish(
    outcome: Outcome,
    recorder: Recorder | None = None,
    queued_ns: int = 0,
    decoded: DecodedResult | None = None,
    cause: BaseException | None = None,
) -> ExecuteResult:
    """Makes a result of a good outcome; raises the exception of another.

    cause: the exception of a callback that has ended the run.
    """
    exception_class = EXCEPTIONS[outcome.status]
    if exception_class is None:
        return ExecuteResult(outcome, recorder, queued_ns, decoded)
    limit_exceeded = exception_class is _errors.ResourceLimitError
    error = exception_class(
        outcome.message if limit_exceeded else outcome.traceback or outcome.message
    )
    if isinstance(error, _errors.EryxError):
        error.stdout = text(outcome.stdout)
        error.stderr = text(outcome.stderr)
        error.stdout_bytes = outcome.stdout
        error.stderr_bytes = outcome.stderr
        error.stdout_truncated = outcome.stdout_dropped > 0
        error.stderr_truncated = outcome.stderr_dropped > 0
        error.duration_ms = outcome.duration_ns / 1e6
        error.queued_ms = queued_ns / 1e6
        error.fuel_consumed = outcome.fuel_consumed
        error.peak_memory_bytes = outcome.peak_memory_bytes
        error.memory_limit_hit = outcome.memory_limit_hit
        error.callback_invocations = outcome.callback_invocations
        error._shown = shown_of(outcome)
        error._files = files_of(outcome)
        error.connections = _connections(outcome)
        error.connections_total = outcome.connections_total
        if recorder is not None:
            error.trace = recorder.events
            error.trace_truncated = recorder.truncated
    if isinstance(error, _errors.ExecutionError):
        error.exc_type = outcome.exception_type or ""
        error.exc_message = outcome.exception_message or ""
        error.traceback = outcome.traceback or ""
        error.exit_code = outcome.exit_code
    try:
        if cause is None:
            raise error
        raise error from cause
    finally:
        del error, cause  # their tracebacks hold this frame, and those hold the sandbox


late_annotations(globals(), ExecuteResult)
