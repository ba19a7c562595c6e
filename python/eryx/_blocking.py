"""Runs a guest that makes calls, on the thread of the caller."""

from __future__ import annotations

import _thread
import os
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any

    from eryx._calls import Calls
    from eryx._eryx import Core, Outcome

# How long callbacks that are cancelled at the end of a run may take for that.
_CANCEL_SECONDS = 1.0


class BlockingRun:
    """One run that has begun.

    Sync functions are called here, while no event loop runs on this thread. Async ones progress
    while the guest waits or pauses, on an event loop that belongs to this thread; if the caller is
    itself inside a running event loop, they run on a loop in a thread of its own.
    """

    __slots__ = ("_calls", "_core", "_lock", "_loop", "_on_output", "_remote", "_tasks", "_woken")

    def __init__(
        self, core: Core, on_output: Callable[[int, bytes], object] | None, calls: Calls
    ) -> None:
        """To be made by the thread that runs it."""
        self._core = core
        self._on_output = on_output
        self._calls = calls
        self._lock = _thread.allocate_lock()  # held while nobody has called wake()
        self._lock.acquire()
        self._woken = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._remote: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> Outcome:
        """Runs to the end. An exception leaves the run to be dropped by the caller."""
        calls = self._calls
        step = self._core.step
        calls.begin(self)
        try:
            while True:
                self._woken = False
                if calls.answers:
                    calls.settle()
                event = step(self._on_output, False)
                if isinstance(event, tuple):
                    if calls.handle(event):
                        self._run_loop(0.0)
                elif event is None:
                    return self._core.outcome()
                elif event:
                    self._wait_until(event)
                elif self._tasks:
                    self._run_loop(0.0)
        finally:
            calls.end()
            self._finish_tasks()

    def wake(self) -> None:
        """Makes a run that waits look at its calls and its sandbox again; from any thread."""
        self._woken = True
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(loop.stop)
            except RuntimeError:
                pass  # it is closed, so nobody waits
        try:
            self._lock.release()
        except RuntimeError:
            pass  # it is free, so the next wait ends at once

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Starts a coroutine; gives a function that cancels it."""
        loop = self._loop
        if loop is None and self._remote is None:
            import asyncio

            if asyncio._get_running_loop() is None:
                loop = self._loop = _loops.own()
            else:
                self._remote = _loops.remote()
        if loop is not None:
            task = loop.create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(self._done)
            return task.cancel
        assert self._remote is not None
        return _spawn_remotely(self._remote, coroutine)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._loop is not None:
            self._loop.stop()

    def _wait_until(self, wake_ns: int) -> None:
        if self._woken or self._calls.answers:
            return
        seconds = max(0.0, (wake_ns - time.monotonic_ns()) / 1e9)
        if self._tasks:
            self._run_loop(seconds)
        else:
            self._lock.acquire(True, min(seconds, threading.TIMEOUT_MAX))

    def _run_loop(self, seconds: float) -> None:
        """Lets the loop of this thread go on until it is stopped, or for some time."""
        loop = self._loop
        if loop is None:
            return
        timer = loop.call_later(seconds, loop.stop) if seconds > 0 else loop.call_soon(loop.stop)
        try:
            loop.run_forever()
        finally:
            timer.cancel()

    def _finish_tasks(self) -> None:
        """Lets the tasks that were cancelled come to their end."""
        end = time.monotonic() + _CANCEL_SECONDS
        while self._tasks and (seconds := end - time.monotonic()) > 0:
            self._run_loop(seconds)


class _Loops(threading.local):
    """The event loops of a thread: its own, and one in a helper thread."""

    _own: asyncio.AbstractEventLoop | None = None
    _remote: asyncio.AbstractEventLoop | None = None
    _process = 0

    def own(self) -> asyncio.AbstractEventLoop:
        """The loop that this thread runs while it waits for callbacks."""
        self._forget_parent()
        if self._own is None or self._own.is_closed():
            import asyncio

            self._own = asyncio.new_event_loop()
        return self._own

    def remote(self) -> asyncio.AbstractEventLoop:
        """A loop that runs in a daemon thread for this thread, which has a running loop itself."""
        self._forget_parent()
        if self._remote is None or self._remote.is_closed():
            import asyncio

            loop = asyncio.new_event_loop()
            threading.Thread(target=_serve, args=(loop,), name="eryx-loop", daemon=True).start()
            self._remote = loop
        return self._remote

    def _forget_parent(self) -> None:
        """After fork() the loops are the parent's."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._own = self._remote = None

    def __del__(self) -> None:
        """The thread has ended."""
        if self._process != os.getpid():
            return
        if self._own is not None and not self._own.is_running():
            self._own.close()
        if self._remote is not None:
            try:
                self._remote.call_soon_threadsafe(self._remote.stop)
            except RuntimeError:
                pass  # it is closed


_loops = _Loops()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """What the helper thread does."""
    try:
        loop.run_forever()
    finally:
        loop.close()


def _spawn_remotely(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]
) -> Callable[[], object]:
    """Starts a coroutine on the loop of another thread, in the present context."""
    from contextvars import copy_context

    context = copy_context()
    tasks: list[asyncio.Task[None]] = []

    def start() -> None:
        tasks.append(loop.create_task(coroutine, context=context))

    def cancel() -> None:
        for task in tasks:
            task.cancel()

    def cancel_from_here() -> None:
        try:
            loop.call_soon_threadsafe(cancel)
        except RuntimeError:
            pass  # it is closed

    loop.call_soon_threadsafe(start)
    return cancel_from_here
