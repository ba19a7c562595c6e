"""The calls of one run: from what the guest asks for to the answer that it gets."""

from __future__ import annotations

import json
import time
from collections import deque
from contextvars import copy_context

from eryx._errors import ResourceLimitError, SuspendCallback
from eryx._turn import Run, runs_around

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any, NoReturn, Protocol

    from eryx._callbacks import Callback, CallbackTable
    from eryx._eryx import Core
    from eryx._journal import Recording
    from eryx._tracing import Recorder
    from eryx._turn import Turn

    class Runner(Protocol):
        """What runs the guest, as far as calls need it."""

        def wake(self) -> None:
            """Makes it look at the answers; from any thread."""

        def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
            """Starts a coroutine on the runner's event loop; gives a function that cancels it."""


# ERYX_EVENT_* of eryx.h, the first item of an event.
_CALLBACK = 4
_EXPIRED = 5

_PLAIN_TYPES = frozenset((type(None), bool, int, float, str, list, dict, tuple))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class _Nobody:
    """The runner of a run that has ended."""

    def wake(self) -> None:
        """Nobody looks."""

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Nothing is started any more."""
        coroutine.close()
        return coroutine.close


_NOBODY = _Nobody()


class _Call:
    """A call that is not answered yet."""

    __slots__ = ("_awaitable", "_cancel", "name", "slot")

    def __init__(self, name: str, slot: int | None) -> None:
        self.name = name
        self.slot = slot  # in the journal
        self._cancel: Callable[[], object] | None = None
        self._awaitable: object = None

    @property
    def is_task(self) -> bool:
        """Whether it runs on an event loop."""
        return self._cancel is not None

    def runs(self, cancel: Callable[[], object], awaitable: object) -> None:
        """It runs on an event loop."""
        self._cancel = cancel
        self._awaitable = awaitable

    def give_up(self) -> None:
        """Nobody wants the answer any more."""
        if self._cancel is None:
            return
        import inspect

        try:
            self._cancel()
            if (
                inspect.iscoroutine(self._awaitable)
                and inspect.getcoroutinestate(self._awaitable) == inspect.CORO_CREATED
            ):
                self._awaitable.close()  # it will never be awaited
        except (RuntimeError, ValueError):
            pass  # the loop is closed; or it starts just now, in another thread


class Calls:
    """Runs the functions and hands over their answers.

    All methods but `_work` and `_guard` are called by the one who steps the run, between two steps.
    Functions that run elsewhere leave their answers in `answers` and wake the runner.
    """

    __slots__ = (
        "_callbacks",
        "_core",
        "_mark",
        "_open",
        "_runner",
        "_timeout_ns",
        "_token",
        "_turn",
        "answers",
        "declarations",
        "max_trace_events",
        "recorder",
        "recording",
        "trace_mode",
    )

    def __init__(
        self,
        core: Core,
        turn: Turn,
        table: CallbackTable | None,
        timeout_ms: int | None,
        recording: Recording | None = None,
    ) -> None:
        self._core = core
        self._turn = turn
        self._callbacks: dict[str, Callback] = {} if table is None else table.by_name
        self.declarations = None if table is None else table.declarations
        self._timeout_ns = None if timeout_ms is None else timeout_ms * 1_000_000
        self.recording = recording
        self.recorder: Recorder | None = None
        self.trace_mode: str | None = None
        self.max_trace_events = 0
        self._runner: Runner = _NOBODY
        self._open: dict[int, _Call] = {}
        self.answers: deque[tuple[int, Any, BaseException | None]] = deque()

    def begin(self, runner: Runner) -> None:
        """The run begins, in the present context."""
        self._runner = runner
        self._mark = Run(self._turn)
        self._token = runs_around.set((*runs_around.get(), self._mark))

    def end(self) -> None:
        """The run has ended: cancels what still runs."""
        self._mark.active = False
        self._runner = _NOBODY  # which ends the cycle of the two, so that memory is free at once
        try:
            runs_around.reset(self._token)
        except ValueError:
            pass  # a coroutine that is closed from outside ends in another context
        calls = list(self._open.values())
        self._open.clear()
        for call in calls:
            call.give_up()

    def handle(self, event: tuple[Any, ...]) -> bool:
        """Does what an event asks for. Raises what is to end the run.

        True if a coroutine was started and nothing else is open: it is worth while to let it run
        before the guest goes on, because a guest that finds its answer there need not wait.
        """
        kind = event[0]
        if kind == _CALLBACK:
            self._begin_call(event[1], event[2], event[3])
            call = self._open.get(event[1])
            return call is not None and call.is_task and len(self._open) == 1
        if kind == _EXPIRED:
            self._expire(event[1])
        elif self.recorder is not None:
            self.recorder.feed(event[1])
        return False

    def settle(self) -> None:
        """Gives the guest the answers that have come. Raises what is to end the run."""
        while self.answers:
            identity, value, error = self.answers.popleft()
            call = self._open.pop(identity, None)
            try:
                if call is not None:
                    self._answer(identity, call, value, error)
            finally:
                del error  # its traceback holds this frame

    # ---- One call ----

    def _begin_call(self, identity: int, name: str, text: str | None) -> None:
        if self.recorder is not None:
            self.recorder.callback_start(identity, name)
        call = _Call(name, None)
        began_ns = time.monotonic_ns()
        try:
            callback = self._callbacks.get(name)
            if callback is None:
                raise LookupError(f"there is no callback named {name!r}")
            arguments = _arguments(text)
            if self.recording is not None:
                call.slot, entry = self.recording.next(name, arguments)
                if entry is not None:
                    self._replay(identity, entry)
                    return
            if callback.thread:
                self._begin_in_thread(identity, call, callback, arguments)
                return
            value = callback.call(arguments)
            if type(value) not in _PLAIN_TYPES and hasattr(value, "__await__"):
                self._open[identity] = call
                call.runs(self._runner.spawn(self._guard(identity, value)), value)
                return
        except Exception as error:
            self._open.pop(identity, None)
            if self._in_time(began_ns):
                self._answer(identity, call, None, error)
            return
        if self._in_time(began_ns):
            self._answer(identity, call, value, None)

    def _in_time(self, began_ns: int) -> bool:
        """Whether an answer is still wanted. If not the guest finds out by itself."""
        return self._timeout_ns is None or time.monotonic_ns() - began_ns < self._timeout_ns

    def _begin_in_thread(
        self, identity: int, call: _Call, callback: Callback, arguments: dict[str, Any]
    ) -> None:
        from eryx._workers import submit

        self._open[identity] = call
        context = copy_context()
        submit(lambda: context.run(self._work, identity, callback, arguments))

    def _work(self, identity: int, callback: Callback, arguments: dict[str, Any]) -> None:
        """On a worker thread: calls the function, unless that is not wanted any more."""
        if identity not in self._open:
            return
        value, error = None, None
        try:
            value = callback.call(arguments)
        except BaseException as raised:
            error = raised
        self.answers.append((identity, value, error))
        self._runner.wake()

    async def _guard(self, identity: int, awaitable: Awaitable[Any]) -> None:
        """On an event loop: waits for the value. Never raises, so that no loop is stopped."""
        import asyncio

        value: Any = None
        error: BaseException | None = None
        try:
            value = await awaitable
        except asyncio.CancelledError:
            error = RuntimeError("the callback was cancelled")
        except BaseException as raised:
            error = raised
        self.answers.append((identity, value, error))
        self._runner.wake()

    def _expire(self, identity: int) -> None:
        """The guest has been told that there is no answer."""
        if self.recorder is not None:
            self.recorder.callback_end(identity)
        call = self._open.pop(identity, None)
        if call is not None:
            call.give_up()

    def _answer(self, identity: int, call: _Call, value: Any, error: BaseException | None) -> None:
        if error is None:
            try:
                text = _encode(value)
            except Exception as problem:
                error = _unsuitable(call.name, problem)
        if error is not None:
            if isinstance(error, SuspendCallback) or not isinstance(error, Exception):
                try:
                    raise error
                finally:
                    error = None  # its traceback holds this frame
            self._raise(identity, call, type(error).__name__, _message(error))
            return
        try:
            taken = self._core.callback_return(identity, text)
        except ResourceLimitError:
            self._raise(
                identity,
                call,
                "ValueError",
                f"callback {call.name!r} returned a value that is larger than max_callback_bytes "
                f"({len(text)} bytes of JSON)",
            )
            return
        if taken:
            self._note_end(identity)
            if self.recording is not None and call.slot is not None:
                self.recording.note_value(call.slot, text)

    def _raise(self, identity: int, call: _Call, type_name: str, message: str) -> None:
        if self._core.callback_raise(identity, _c_text(type_name), _c_text(message)):
            self._note_end(identity)
            if self.recording is not None and call.slot is not None:
                self.recording.note_exception(call.slot, type_name, message)

    def _replay(self, identity: int, entry: dict[str, Any]) -> None:
        """Answers from the journal."""
        call = _Call(entry["name"], None)
        if "exception" in entry:
            exception = entry["exception"]
            self._raise(identity, call, exception["type"], exception["message"])
        else:
            self._answer(identity, call, entry["value"], None)

    def _note_end(self, identity: int) -> None:
        if self.recorder is not None:
            self.recorder.callback_end(identity)


def _arguments(text: str | None) -> dict[str, Any]:
    """The arguments, which the guest may have written by hand."""
    if text is None:
        raise ValueError("the arguments are nested too deeply or are no JSON")
    try:
        arguments = _decode(text)
    except RecursionError:
        raise ValueError("the arguments are nested too deeply") from None
    if not isinstance(arguments, dict):
        raise TypeError("the arguments must be a JSON object")
    return arguments


def _unsuitable(name: str, problem: Exception) -> Exception:
    """What the guest is told of a value that JSON cannot hold."""
    reason = "too deep" if isinstance(problem, RecursionError) else _message(problem)
    kind = TypeError if isinstance(problem, TypeError) else ValueError
    return kind(f"callback {name!r} returned a value that JSON cannot hold: {reason}")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "the exception has no text: its __str__() failed"


def _c_text(text: str) -> bytes:
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
