"""What is put in the place of methods while somebody observes, and taken away again.

Nothing of this is imported by those who do not observe, and no run looks whether anybody does.
"""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack, contextmanager
from functools import partial, wraps

from eryx import _audit, _errors
from eryx._callbacks import Callback
from eryx._events import EventRun
from eryx._lease import PooledSandbox
from eryx._observing import _measures
from eryx._observing._observer import Activity, Ended, Observer, type_name
from eryx._pool import SandboxPool
from eryx._processes import Process
from eryx._sandbox import Sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator
    from types import TracebackType
    from typing import Any, Self

_observers: tuple[Observer, ...] = ()
_replaced: list[tuple[type, str, Any]] = []

# Callbacks with names of their own in metrics; the others are one.
_MOST_NAMES = 100
_names: set[str] = set()

# Of the types of exceptions; what is not here was never begun, or given up.
_OUTCOMES: dict[type, str] = {
    _errors.ExecutionError: "error",
    _errors.TimeoutError: "timeout",
    _errors.ResourceLimitError: "limit",
    _errors.CancelledError: "cancelled",
    _errors.SuspendCallback: "suspended",
    _errors.WorkerCrashedError: "crashed",
}


def add(observer: Observer) -> None:
    """It is told from now on."""
    global _observers
    if not _observers:
        _install()
    _observers = (*_observers, observer)


def remove(observer: Observer) -> None:
    """It is not told any more."""
    global _observers
    _observers = tuple(each for each in _observers if each is not observer)
    if not _observers:
        _uninstall()


def _install() -> None:
    _replace(Sandbox, "_execute", _watched_run)
    _replace(Sandbox, "_execute_async", _watched_run_async)
    _replace(Sandbox, "_begin_with", _noted(_measures.sandboxes.add))
    _replace(SandboxPool, "__init__", _noted(_measures.pools.add))
    _replace(Callback, "call", _watched_callback)
    _replace(PooledSandbox, "_wait", _watched_wait)
    _replace(PooledSandbox, "_wait_async", _watched_wait_async)
    _replace(Process, "__init__", _watched_start)
    _audit.on_refused_callback.append(_count_refused_callback)
    for one in gc.get_objects():  # those that were there before
        if issubclass(type(one), Sandbox) and hasattr(one, "_turn"):
            _measures.sandboxes.add(one)
        elif issubclass(type(one), SandboxPool) and hasattr(one, "_idle"):
            _measures.pools.add(one)


def _uninstall() -> None:
    while _replaced:
        kind, name, original = _replaced.pop()
        setattr(kind, name, original)
    _audit.on_refused_callback.remove(_count_refused_callback)


def _replace(kind: type, name: str, make: Callable[[Any], Any]) -> None:
    original = kind.__dict__[name]
    _replaced.append((kind, name, original))
    setattr(kind, name, wraps(original)(make(original)))


def _noted(note: Callable[[Any], None]) -> Callable[[Any], Any]:
    """For a method after which the object is one of those that there are."""

    def make(original: Any) -> Any:
        def method(self: Any, *arguments: Any, **named: Any) -> None:
            original(self, *arguments, **named)
            note(self)

        return method

    return make


# ---- Telling the observers -------------------------------------------------------------------


def _each(tell: Callable[[Observer], object]) -> None:
    for observer in _observers:
        try:
            tell(observer)
        except Exception as error:
            _failed(error)


def _failed(error: Exception) -> None:
    """An observer is broken, which is not to harm what it observes."""
    _audit.log("eryx", "warning", "an observer failed: %r", type(error))


class Watch:
    """Something that all observers are told the begin and the end of; current in a ``with``."""

    __slots__ = ("_activities", "_began", "_stack", "error", "seconds")

    def __init__(self, what: str, attributes: dict[str, Any]) -> None:
        self._activities: list[Activity] = []
        self.error: BaseException | None = None
        self.seconds = 0.0
        _each(lambda observer: self._activities.append(observer.begin(what, attributes)))
        self._began = time.perf_counter()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for activity in self._activities:
            try:
                self._stack.enter_context(activity.current())
            except Exception as error:
                _failed(error)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._began
        self.error = error
        try:
            self._stack.close()
        except Exception as problem:
            _failed(problem)

    def end(self) -> None:
        """Tells the observers that it is over."""
        self._tell(lambda activity: activity.end(self.error))

    def end_run(self, ended: Ended) -> None:
        """The same of a run."""
        self._tell(lambda activity: activity.end_run(ended))

    def _tell(self, tell: Callable[[Activity], None]) -> None:
        for activity in self._activities:
            try:
                tell(activity)
            except Exception as problem:
                _failed(problem)
        self.error = None  # its traceback may hold who holds this


def _record(name: str, value: float, **labels: str) -> None:
    told = {label.replace("__", "."): text for label, text in labels.items()}
    _each(lambda observer: observer.record(name, value, told))


def _add(name: str, value: float, **labels: str) -> None:
    told = {label.replace("__", "."): text for label, text in labels.items()}
    _each(lambda observer: observer.add(name, value, told))


def _count_refused_callback() -> None:
    _add("eryx.callback.refused", 1)


# ---- Runs ------------------------------------------------------------------------------------


class _Run:
    """One run, around which this is a context manager."""

    __slots__ = ("_labels", "_watch", "result")

    def __init__(self, sandbox: Sandbox) -> None:
        kind, isolation = _measures.kind_of(sandbox)
        self._labels = {"eryx__sandbox__kind": kind, "eryx__sandbox__isolation": isolation}
        self.result: Any = None
        _add("eryx.run.active", 1, **self._labels)
        attributes = {"eryx.sandbox.kind": kind, "eryx.sandbox.isolation": isolation}
        self._watch = Watch("run", attributes)

    def __enter__(self) -> Self:
        self._watch.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watch.__exit__(kind, error, traceback)
        _add("eryx.run.active", -1, **self._labels)
        outcome = "ok" if error is None else _OUTCOMES.get(type(error))
        if outcome is None:
            outcome = "abandoned" if not isinstance(error, Exception) else "refused"
        has_attributes = isinstance(error, _errors.EryxError)
        ended = Ended(outcome, error, self.result or (error if has_attributes else None))
        self._measure(ended)
        self._watch.end_run(ended)
        self.result = None

    def _measure(self, ended: Ended) -> None:
        left = ended.left
        took_ms = 1e3 * self._watch.seconds if left is None else left.duration_ms
        labels = {**self._labels, "eryx__run__outcome": ended.outcome}
        _record("eryx.run.duration", took_ms / 1e3, **labels, error__type=ended.error_type)
        if left is None:
            return
        if ended.queued_ms:
            _record("eryx.run.queue.duration", ended.queued_ms / 1e3)
        if left.fuel_consumed is not None:
            _add("eryx.run.fuel", left.fuel_consumed)
        if left.peak_memory_bytes:
            _record("eryx.run.memory.peak", left.peak_memory_bytes)
        for connection in ended.connections:
            how = connection_outcome(connection)
            seconds = connection.duration_ms / 1e3
            _record("eryx.connection.duration", seconds, eryx__connection__outcome=how)
            for direction, size in (
                ("receive", connection.bytes_in),
                ("transmit", connection.bytes_out),
            ):
                if size:
                    _add("eryx.connection.io", size, network__io__direction=direction)
            if connection.secrets:
                _add("eryx.secret.requests", 1, eryx__secret__outcome="used")
            if connection.secret_refused is not None:
                _add("eryx.secret.requests", 1, eryx__secret__outcome="refused")


def connection_outcome(connection: Any) -> str:
    """How a connection ended."""
    if connection.refused is not None:
        return "refused"
    return "connected" if connection.connected else "failed"


def _watched_run(original: Any) -> Any:
    def method(self: Sandbox, *arguments: Any, **named: Any) -> Any:
        with _Run(self) as run:
            result = run.result = original(self, *arguments, **named)
        return result

    return method


def _watched_run_async(original: Any) -> Any:
    async def method(self: Sandbox, *arguments: Any, **named: Any) -> Any:
        with _Run(self) as run:
            result = run.result = await original(self, *arguments, **named)
        return result

    return method


# ---- Callbacks -------------------------------------------------------------------------------


class _Awaited:
    """What a callback waits for, with its span around it.

    Not a coroutine: one that is never awaited cannot end what is in it.
    """

    __slots__ = ("_awaitable", "_begun", "_name", "_watch")

    def __init__(self, name: str, watch: Watch, awaitable: Awaitable[Any]) -> None:
        self._name = name
        self._watch = watch
        self._awaitable = awaitable
        self._begun = False

    def __await__(self) -> Generator[Any, Any, Any]:
        self._begun = True
        try:
            with self._watch:
                return (yield from self._awaitable.__await__())
        finally:
            _end_callback(self._name, self._watch)

    def __del__(self) -> None:
        """Nobody has begun it, so nobody will."""
        if not self._begun:
            from eryx._calls import _close_unawaited

            _close_unawaited(self._awaitable)
            self._watch.end()


def _watched_callback(original: Any) -> Any:
    def call(self: Callback, arguments: dict[str, Any]) -> Any:
        if _is_asking(self):
            return original(self, arguments)
        watch = Watch("callback", {"name": self.name})
        is_over = True
        try:
            with watch:
                value = original(self, arguments)
            if hasattr(value, "__await__"):
                is_over = False
                return _Awaited(self.name, watch, value)
        finally:
            if is_over:
                _end_callback(self.name, watch)
        return value

    return call


def _is_asking(callback: Callback) -> bool:
    """Whether it only stands for another one, about which somebody is asked first."""
    function = callback.fn
    return type(function) is partial and (
        getattr(function.func, "__func__", None) is EventRun.__dict__["_ask"]
    )


def _end_callback(name: str, watch: Watch) -> None:
    if name not in _names:
        if len(_names) < _MOST_NAMES:
            _names.add(name)
        else:
            name = "_OTHER"
    error = "" if watch.error is None else type_name(watch.error)
    labels = {"eryx__callback__name": name, "error__type": error}
    _record("eryx.callback.duration", watch.seconds, **labels)
    watch.end()


# ---- Waits -----------------------------------------------------------------------------------


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """Around a wait."""
    watch = Watch(what, {})
    try:
        with watch:
            yield
    finally:
        told = "" if watch.error is None else type_name(watch.error)
        _record(f"eryx.{what}.duration", watch.seconds, error__type=told)
        watch.end()


def _watched_wait(original: Any) -> Any:
    def method(self: PooledSandbox) -> None:
        with _waiting("pool.wait"):
            original(self)

    return method


def _watched_wait_async(original: Any) -> Any:
    async def method(self: PooledSandbox) -> None:
        with _waiting("pool.wait"):
            await original(self)

    return method


def _watched_start(original: Any) -> Any:
    def method(self: Process, *arguments: Any, **named: Any) -> None:
        with _waiting("worker.start"):
            original(self, *arguments, **named)

    return method
