"""The calls of one run: from what the guest asks for to the answer that it gets."""

from __future__ import annotations

import errno
import json
import time
from collections import deque
from contextvars import ContextVar, copy_context

from eryx import _turn
from eryx._audit import audit_callback
from eryx._errors import ResourceLimitError, SuspendCallback, ToolError
from eryx._eryx import EVENT_CALLBACK, EVENT_CALLBACK_EXPIRED, EVENT_FILES, deliver
from eryx._failures import Failures, log_failure, log_timeout
from eryx._json import LARGE, decode
from eryx._turn import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any, NoReturn, Protocol

    from eryx._callbacks import Callback, CallbackTable
    from eryx._eryx import Core
    from eryx._file_provider import MountedProvider
    from eryx._journal import Recording
    from eryx._network import NetConfig
    from eryx._reading import InputReader
    from eryx._tracing import Recorder
    from eryx._turn import Turn

    class Runner(Protocol):
        """What runs the guest, as far as calls need it."""

        def wake(self) -> None:
            """Makes it look at the answers; from any thread."""

        def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
            """Starts a coroutine on the runner's event loop; gives a function that cancels it."""


# The runs in whose callbacks the present code is. Contexts go along to tasks and worker threads.
_runs_around: ContextVar[tuple[Run, ...]] = ContextVar("eryx_runs", default=())
_turn.runs_around = _runs_around.get

# After its time a run may go on for so long, to clean up, and call functions meanwhile.
_GRACE_NS = 5_000_000

_OVER = b"the run is over, so no function is called any more"

_LONGEST_NS = 2**63  # instead of no limit, as a time of the clock

_PLAIN_TYPES = frozenset((type(None), bool, int, float, str, list, dict, tuple))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _dump(value: object) -> object:
    """What JSON does not know."""
    from eryx._typed import dump

    return dump(value)


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_dump).encode


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

    __slots__ = ("_awaitable", "_cancel", "arguments", "memory_bytes", "name", "slot")

    def __init__(self, name: str, slot: int | None) -> None:
        self.name = name
        self.slot = slot  # in the journal
        self.memory_bytes = 0  # of the arguments
        self.arguments: dict[str, Any] | None = None  # until a thread takes them
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
        try:
            self._cancel()
            _close_unawaited(self._awaitable)
        except (ImportError, RuntimeError, ValueError):
            pass  # the interpreter ends; the loop is closed; it starts just now, in another thread


class _Question(_Call):
    """A question about a file of a provider that is not answered yet."""

    __slots__ = ()


def _close_unawaited(awaitable: object) -> None:
    """Ends a coroutine that nobody will ever await, unless somebody has begun to."""
    import inspect

    if (
        inspect.iscoroutine(awaitable)
        and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED
    ):
        awaitable.close()


class Awaited:
    """Something awaitable that a runner waits for while it may have to give it up."""

    __slots__ = ("awaitable", "cancel", "done", "error", "value")

    def __init__(self, awaitable: Any) -> None:
        """cancel is to be set to what ends the waiting."""
        self.awaitable = awaitable
        self.cancel: Callable[[], object] | None = None
        self.done = False
        self.value: object = None
        self.error: BaseException | None = None

    async def wait(self, wake: Callable[[], object]) -> None:
        """On an event loop: waits for it. Raises nothing, so that no loop is stopped."""
        import asyncio

        try:
            self.value = await self.awaitable
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self.error = error
        self.done = True
        wake()

    def give_up(self) -> None:
        """Ends the waiting."""
        if self.cancel is not None and not self.done:
            call = _Call("", None)
            call.runs(self.cancel, self.awaitable)
            call.give_up()

    def report(self) -> None:
        """Makes known what it has raised, or raises what is to end the run."""
        error, self.error = self.error, None
        try:
            if isinstance(error, Exception):
                _report(error)
            elif error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame


class Question(Awaited):
    """Whether the guest may connect, on its way to the function of the caller and back."""

    __slots__ = ("end_ns",)

    def __init__(self, answer: object, end_ns: int) -> None:
        """answer: what the function gave; if it is awaitable it has to be waited for."""
        is_awaitable = type(answer) not in _PLAIN_TYPES and hasattr(answer, "__await__")
        super().__init__(answer if is_awaitable else None)
        self.end_ns = end_ns
        self.value = False if is_awaitable else answer

    def is_late(self) -> bool:
        """Whether the answer does not matter any more."""
        return time.monotonic_ns() >= self.end_ns

    def verdict(self) -> bool:
        """Whether the guest may connect. What the function raised is reported."""
        self.give_up()
        if self.awaitable is not None and not self.done:
            return False
        if self.error is not None:
            self.report()
            return False
        answer = self.value
        if answer is not None and not isinstance(answer, bool):
            wrong = type(answer).__name__
            _report(TypeError(f"on_connect must give a bool or None, not {wrong}"))
            return False
        return answer is not False and not self.is_late()


def _report(error: Exception) -> None:
    """Makes an exception of a handler known that is nobody's to handle."""

    def handler(_stream: int, _data: object) -> None:
        raise error

    deliver(handler, 0, None)


class Calls:
    """Runs the functions and hands over their answers.

    All methods but `present`, `_work` and `_guard` are called by the one who steps the run, between
    two steps. Functions that run elsewhere leave their answers in `answers` and wake the runner.
    """

    __slots__ = (
        "_callbacks",
        "_core",
        "_entered",
        "_inside",
        "_mark",
        "_open",
        "_runner",
        "_timeout_ns",
        "_token",
        "_turn",
        "answers",
        "declarations",
        "end_ns",
        "failures",
        "last_ns",
        "max_trace_events",
        "network",
        "providers",
        "reader",
        "recorder",
        "recording",
        "run_timeout_ms",
        "stopped",
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
        self.failures = Failures()
        self.recorder: Recorder | None = None
        self.reader: InputReader | None = None
        self.trace_mode: str | None = None
        self.max_trace_events = 0
        self.network: NetConfig | None = None  # if it has a function to ask
        self.providers: tuple[MountedProvider, ...] = ()
        self.run_timeout_ms: int | None = None
        self._runner: Runner = _NOBODY
        self._open: dict[int, _Call] = {}
        self._inside = 0  # handlers and functions that run on the runner's thread
        self._entered = 0  # how many of them there were
        self.end_ns = self.last_ns = _LONGEST_NS
        self.stopped = False  # by cancel()
        self.answers: deque[tuple[int, Any, BaseException | None]] = deque()

    def read_from(self, source: object) -> int:
        """The guest's standard input comes from there; gives the descriptor for it."""
        from eryx._reading import InputReader

        self.reader = InputReader(source)
        return self.reader.descriptor

    def next_line(self) -> Awaited | None:
        """The guest wants input. Gives what it has to be waited for; take_line() ends that."""
        reader = self.reader
        if reader is None or reader.flush():
            return None
        self.enter()
        try:
            line = reader.ask()
        except Exception as error:
            reader.end()
            self.failures.of_input = error
            _report(error)
            return None
        finally:
            self.leave()
        if type(line) not in _PLAIN_TYPES and hasattr(line, "__await__"):
            return Awaited(line)
        self._take(line)
        return None

    def take_line(self, waiting: Awaited) -> None:
        """The line has come, or is not waited for any more."""
        waiting.give_up()
        if waiting.done:
            if waiting.error is not None and self.reader is not None:
                self.reader.end()
                self.failures.of_input = waiting.error
            waiting.report()
            self._take(waiting.value)

    def _take(self, line: object) -> None:
        if self.reader is not None:
            try:
                self.reader.take(line)
            except TypeError as error:
                self.failures.of_input = error
                _report(error)

    def begin(self, runner: Runner) -> None:
        """The run is about to begin, in the present context."""
        self._runner = runner
        self._turn.calling = self.present
        if self.recorder is not None:
            self.recorder.calls = self
        self._mark = Run(self._turn)
        self._token = _runs_around.set((*_runs_around.get(), self._mark))

    def start_clock(self) -> None:
        """The first slice begins."""
        if self.run_timeout_ms is not None:
            self.end_ns = time.monotonic_ns() + self.run_timeout_ms * 1_000_000
            self.last_ns = self.end_ns + _GRACE_NS

    def is_over(self) -> bool:
        """Whether the run is to end, so that nothing is called any more."""
        return self.stopped or time.monotonic_ns() >= self.last_ns

    def enter(self) -> None:
        """A function of the caller is about to be called on this thread."""
        self._entered += 1
        self._inside += 1

    def leave(self) -> None:
        """It has returned."""
        self._inside -= 1

    def present(self) -> object:
        """Stands for the function that the guest waits for; None if it waits for none."""
        if self._inside:
            return "entered", self._entered
        for identity in tuple(self._open):
            return "open", identity
        return None

    def end(self) -> None:
        """The run has ended: cancels what still runs."""
        self._mark.active = False
        if self._turn.calling == self.present:
            self._turn.calling = None
        if self.reader is not None:
            self.reader.close()
        self._runner = _NOBODY  # which ends the cycle of the two, so that memory is free at once
        if self.recorder is not None:
            self.recorder.calls = None
        try:
            _runs_around.reset(self._token)
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
        if kind == EVENT_CALLBACK:
            self._begin_call(event[1], event[2], event[3], event[4])
            call = self._open.get(event[1])
            return call is not None and call.is_task and len(self._open) == 1
        if kind == EVENT_CALLBACK_EXPIRED:
            self._expire(event[1])
        elif kind == EVENT_FILES:
            self._begin_question(event)
        elif self.recorder is not None:
            self.recorder.feed(event[1])
        return False

    def ask(self, event: tuple[Any, ...]) -> Question:
        """Asks the caller whether the guest may connect."""
        _, host, address, port = event
        network = self.network
        if network is None or network.on_connect is None:
            return Question(False, 0)
        now_ns = time.monotonic_ns()
        end_ns = self.last_ns
        if network.connect_timeout_ms is not None:
            end_ns = min(end_ns, now_ns + network.connect_timeout_ms * 1_000_000)
        if self.is_over():
            return Question(False, 0)
        self.enter()
        try:
            answer = network.on_connect(host, address, port)
        except Exception as error:
            _report(error)
            answer = False
        finally:
            self.leave()
        return Question(answer, end_ns)

    def settle(self) -> None:
        """Gives the guest the answers that have come. Raises what is to end the run."""
        while self.answers:
            identity, value, error = self.answers.popleft()
            call = self._open.pop(identity, None)
            try:
                if isinstance(call, _Question):
                    self._core.answer_files(identity, *value)
                elif call is not None:
                    if error is not None:
                        self._keep(call, error)
                    self._answer(identity, call, value, error)
            finally:
                del error  # its traceback holds this frame

    # ---- One call ----

    def _begin_call(
        self, identity: int, name: str, text: str | Decoded | None, memory_bytes: int
    ) -> None:
        if self.is_over():
            self._core.callback_raise(identity, b"RuntimeError", _OVER)
            return
        if self.recorder is not None:
            self.recorder.callback_start(identity, name)
        call = _Call(name, None)
        call.memory_bytes = memory_bytes
        began_ns = time.monotonic_ns()
        try:
            callback = self._callbacks.get(name)
            if callback is None:
                audit_callback(name, "there is no such callback")
                raise LookupError(f"there is no callback named {name!r}")
            arguments = _arguments(text)
            if self.recording is not None:
                call.slot, entry = self.recording.next(name, arguments, memory_bytes)
                if entry is not None:
                    self._replay(identity, entry)
                    return
            if callback.thread:
                self._begin_in_thread(identity, call, callback, arguments)
                return
            self.enter()
            try:
                value = callback.call(arguments)
            except Exception as error:
                self._note_failure(name, error)
                self._keep(call, error)
                raise
            finally:
                self.leave()
            if type(value) not in _PLAIN_TYPES and hasattr(value, "__await__"):
                self._open[identity] = call
                try:
                    call.runs(self._runner.spawn(self._guard(identity, name, value)), value)
                except BaseException:
                    _close_unawaited(value)
                    raise
                return
        except Exception as error:
            self._open.pop(identity, None)
            if self._in_time(name, began_ns):
                self._answer(identity, call, None, error)
            return
        if self._in_time(name, began_ns):
            self._answer(identity, call, value, None)

    def _in_time(self, name: str, began_ns: int) -> bool:
        """Whether an answer is still wanted. If not the guest finds out by itself."""
        if self._timeout_ns is None or time.monotonic_ns() - began_ns < self._timeout_ns:
            return True
        log_timeout(name)
        return False

    def _begin_in_thread(
        self, identity: int, call: _Call, callback: Callback, arguments: dict[str, Any]
    ) -> None:
        from eryx._workers import submit

        self._open[identity] = call
        call.arguments = arguments  # not held by the job, which may wait long for a thread
        context = copy_context()
        submit(lambda: context.run(self._work, identity, callback))

    def _work(self, identity: int, callback: Callback) -> None:
        """On a worker thread: calls the function, unless that is not wanted any more."""
        call = self._open.get(identity)
        if call is None or call.arguments is None or self.is_over():
            return
        arguments, call.arguments = call.arguments, None
        value, error = None, None
        try:
            value = callback.call(arguments)
        except BaseException as raised:
            self._note_failure(callback.name, raised)
            error = raised
        self.answers.append((identity, value, error))
        error = None  # its traceback holds this frame
        self._runner.wake()

    def _begin_question(self, event: tuple[Any, ...]) -> None:
        """The guest wants something of a provider of files."""
        _, identity, number, operation, path, new_path, data = event
        provider = self.providers[number]
        if self.is_over():
            self._core.answer_files(identity, errno.EIO, [], b"")
            return
        call = self._open[identity] = _Question(provider.name(operation, path), None)
        if provider.is_async:
            answer = provider.answer_async(operation, path, new_path, data)
            try:
                call.runs(self._runner.spawn(self._guard_question(identity, answer)), answer)
            except BaseException:
                _close_unawaited(answer)
                raise
            return
        from eryx._workers import submit

        context = copy_context()

        def work() -> None:
            if identity in self._open and not self.is_over():
                told = context.run(provider.answer, operation, path, new_path, data)
                self.answers.append((identity, told, None))
                self._runner.wake()

        submit(work)

    async def _guard_question(self, identity: int, answer: Awaitable[Any]) -> None:
        """On an event loop: waits for the answer. Never raises, so that no loop is stopped."""
        if self.is_over():
            return
        try:
            told = await answer
        except BaseException:
            told = errno.EIO, [], b""
        self.answers.append((identity, told, None))
        self._runner.wake()

    async def _guard(self, identity: int, name: str, awaitable: Awaitable[Any]) -> None:
        """On an event loop: waits for the value. Never raises, so that no loop is stopped."""
        import asyncio

        if self.is_over():
            return
        value: Any = None
        error: BaseException | None = None
        try:
            value = await awaitable
        except asyncio.CancelledError as raised:
            if identity in self._open:  # it was not given up
                log_failure(name, raised)
            error = RuntimeError("the callback was cancelled")
        except BaseException as raised:
            self._note_failure(name, raised)
            error = raised
        self.answers.append((identity, value, error))
        error = None  # its traceback holds this frame
        self._runner.wake()

    def _expire(self, identity: int) -> None:
        """The guest has been told that there is no answer."""
        if self.recorder is not None:
            self.recorder.callback_end(identity)
        call = self._open.pop(identity, None)
        if call is not None:
            log_timeout(call.name)
            call.give_up()

    def _keep(self, call: _Call, error: BaseException) -> None:
        """A function of the caller has raised what the guest is told now."""
        name, message = map(_c_text, self._told(call.name, error))
        told = b": ".join((name, message)) if message else name
        if isinstance(error, ToolError):
            told = message or name
        self.failures.keep(told.decode(), error, call.memory_bytes)

    def _told(self, name: str, error: BaseException) -> tuple[str, str]:
        """What the guest is told of an exception: type and text."""
        if isinstance(error, ToolError):
            return "ToolError", _message(error)
        kind = type(error).__name__
        if kind == "MisfitError":
            return "TypeError", _message(error)
        callback = self._callbacks.get(name)
        return kind, "" if callback is not None and callback.errors == "type" else _message(error)

    def _note_failure(self, name: str, error: BaseException) -> None:
        """Makes known what a function has raised; from any thread."""
        log_failure(name, error)
        callback = self._callbacks.get(name)
        if callback is not None and callback.on_error is not None:
            try:
                callback.on_error(name, error)
            except Exception as problem:
                _report(problem)

    def _answer(self, identity: int, call: _Call, value: Any, error: BaseException | None) -> None:
        if error is None:
            try:
                text = _encode(value)
            except Exception as problem:
                error = _unsuitable(call.name, problem)
                self._note_failure(call.name, error)
                self._keep(call, error)
        if error is not None:
            if isinstance(error, SuspendCallback) or not isinstance(error, Exception):
                try:
                    raise error
                finally:
                    error = None  # its traceback holds this frame
            self._raise(identity, call, *self._told(call.name, error))
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


class Decoded:
    """Arguments that were decoded ahead, in pieces, or what is wrong with them."""

    __slots__ = ("arguments", "error")

    def __init__(self, text: str) -> None:
        self.arguments: dict[str, Any] = {}
        self.error: Exception | None = None
        try:
            self.arguments = _checked(decode(text, _decoder))
        except RecursionError:
            self.error = ValueError("the arguments are nested too deeply")
        except Exception as error:
            self.error = error


def decoded_event(event: tuple[Any, ...]) -> tuple[Any, ...]:
    """The event of a call with its arguments decoded, which takes long."""
    return (*event[:3], Decoded(event[3]), *event[4:])


def has_large_arguments(event: tuple[Any, ...]) -> bool:
    """Whether it is a call whose arguments should not be decoded on an event loop."""
    return event[0] == EVENT_CALLBACK and event[3] is not None and len(event[3]) >= LARGE


def _arguments(text: str | Decoded | None) -> dict[str, Any]:
    """The arguments, which the guest may have written by hand."""
    if isinstance(text, Decoded):
        if text.error is not None:
            raise text.error
        return text.arguments
    if text is None:
        raise ValueError("the arguments are not JSON")
    try:
        return _checked(_decoder.decode(text))
    except RecursionError:  # of what is around the run; they are not deep themselves
        raise ValueError("the arguments are nested too deeply") from None


def _checked(arguments: Any) -> dict[str, Any]:
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
