"""Runs a guest that makes calls, on the thread of the caller."""

from __future__ import annotations

import _thread
import atexit
import os
import select
import threading
import time

from eryx._audit import audit_outcome
from eryx._eryx import EVENT_CONNECT, EVENT_OUTPUT, EVENT_WAIT, deliver
from eryx._threads import start_thread, threads_are_greenlets

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any

    from eryx._calls import Calls
    from eryx._eryx import Core, Outcome

_LONGEST_POLL_MS = 1_000_000

# How long callbacks that are cancelled at the end of a run may take for that.
_CANCEL_SECONDS = 1.0


class BlockingRun:
    """One run that has begun.

    Sync functions are called here, while no event loop runs on this thread. Async ones progress
    while the guest waits or pauses, on an event loop that belongs to this thread; if the caller is
    itself inside a running event loop, they run on a loop in a thread of its own.
    """

    __slots__ = (
        "_bell",
        "_calls",
        "_core",
        "_lock",
        "_loop",
        "_on_output",
        "_remote",
        "_stopped",
        "_tasks",
        "_woken",
    )

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
        self._stopped = False
        self._bell: int | None = None  # an eventfd that wake() rings while a descriptor is polled
        self._loop: asyncio.AbstractEventLoop | None = None
        self._remote: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> Outcome:
        """Runs to the end. An exception leaves the run to be dropped by the caller."""
        calls = self._calls
        step = self._core.step
        calls.begin(self)
        calls.start_clock()
        try:
            while True:
                self._woken = False
                if calls.answers:
                    calls.settle()
                event = step(0)
                if isinstance(event, tuple):
                    if event[0] == EVENT_OUTPUT:
                        self._hand_over(event[1], event[2])
                    elif event[0] == EVENT_WAIT:
                        if event[3] and calls.reader is not None:
                            self._read_input()
                        else:
                            self._wait_until(event[1], event[2])
                    elif event[0] == EVENT_CONNECT:
                        self._core.connect_answer(self._may_connect(event))
                    elif calls.handle(event):
                        self._run_loop(0.0)
                elif event is None:
                    outcome = self._core.outcome()
                    audit_outcome(outcome)
                    return outcome
                elif event:
                    self._wait_until(event)
                elif self._tasks:
                    self._run_loop(0.0)
        except BaseException:
            calls.failures.clear()
            raise
        finally:
            calls.end()
            self._finish_tasks()
            self._put_bell_away()

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
        if self._bell is not None:
            with _bells_lock:
                if self._bell is not None:
                    os.eventfd_write(self._bell, 1)

    def stop(self) -> None:
        """The same, after the sandbox was told to end the run."""
        self._stopped = True
        self._calls.stopped = True
        self.wake()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Starts a coroutine; gives a function that cancels it."""
        try:
            if self._loop is None and self._remote is None:
                if _is_in_loop():
                    self._remote = _thread_local.loops.remote()
                else:
                    self._loop = _thread_local.loops.own()
            if self._remote is not None:
                return _spawn_remotely(self._remote, coroutine)
            assert self._loop is not None
            task = self._loop.create_task(coroutine)
        except BaseException:
            coroutine.close()
            raise
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task.cancel

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._loop is not None:
            self._loop.stop()

    def _hand_over(self, stream: int, data: bytes) -> None:
        """Gives output to the handler."""
        if self._on_output is not None and not self._calls.is_over():
            self._calls.enter()
            try:
                deliver(self._on_output, stream, data)
            finally:
                self._calls.leave()

    def _wait_until(self, wake_ns: int, descriptor: int = -1) -> None:
        """Waits until the time, until it is woken, or until the descriptor can be read."""
        if self._woken or self._calls.answers:
            return
        seconds = max(0.0, (wake_ns - time.monotonic_ns()) / 1e9)
        if self._tasks:
            self._run_loop(seconds, descriptor)
        elif descriptor >= 0:
            self._poll(seconds, descriptor)
        else:
            self._lock.acquire(True, min(seconds, threading.TIMEOUT_MAX))

    def _poll(self, seconds: float, descriptor: int) -> None:
        bell = self._bell
        if bell is None:
            bell = self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            if self._woken:
                return  # since it was looked at, when there was no bell to ring
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(bell, select.POLLIN)
        # Rounded up, so that it does not come back just before the time, again and again.
        for ready, _ in poll.poll(min(int(seconds * 1e3) + 1, _LONGEST_POLL_MS)):
            if ready == bell:
                os.eventfd_read(bell)

    def _put_bell_away(self) -> None:
        if self._bell is not None:
            with _bells_lock:
                bell, self._bell = self._bell, None
            os.close(bell)

    def _read_input(self) -> None:
        """Asks for a line, and waits for it."""
        calls = self._calls
        waiting = calls.next_line()
        if waiting is not None:
            waiting.cancel = self.spawn(waiting.wait(self.wake))
            while not (waiting.done or self._stopped or calls.is_over()):
                if calls.answers:
                    calls.settle()
                self._woken = waiting.done
                self._wait_until(calls.last_ns)
            calls.take_line(waiting)

    def _may_connect(self, event: tuple[Any, ...]) -> bool:
        """Asks the caller's function, which may be async."""
        question = self._calls.ask(event)
        if question.awaitable is not None:
            question.cancel = self.spawn(question.wait(self.wake))
            while not (question.done or self._stopped or question.is_late()):
                if self._calls.answers:
                    self._calls.settle()
                self._woken = question.done
                self._wait_until(question.end_ns)
        return question.verdict()

    def _run_loop(self, seconds: float, descriptor: int = -1) -> None:
        """Lets the loop of this thread go on until it is stopped, or for some time."""
        loop = self._loop
        if loop is None:
            return
        timer = loop.call_later(seconds, loop.stop) if seconds > 0 else loop.call_soon(loop.stop)
        if descriptor >= 0:
            loop.add_reader(descriptor, loop.stop)
        try:
            loop.run_forever()
        finally:
            timer.cancel()
            if descriptor >= 0:
                loop.remove_reader(descriptor)

    def _finish_tasks(self) -> None:
        """Lets the tasks that were cancelled come to their end."""
        end = time.monotonic() + _CANCEL_SECONDS
        while self._tasks and (seconds := end - time.monotonic()) > 0:
            self._run_loop(seconds)


_bells_lock = _thread.allocate_lock()  # so that nobody rings a bell that is closed just now


class _Loops:
    """Event loops of one thread: its own, and one in a helper thread. Closed when it is gone."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._own: asyncio.AbstractEventLoop | None = None
        self._remote: asyncio.AbstractEventLoop | None = None

    def own(self) -> asyncio.AbstractEventLoop:
        """The loop that this thread runs while it waits for callbacks."""
        self._forget_parent()
        if self._own is None or self._own.is_closed():
            import asyncio

            if threads_are_greenlets():
                from eryx._greenlets import GreenletEventLoop

                self._own = GreenletEventLoop()
            else:
                self._own = asyncio.new_event_loop()
        return self._own

    def remote(self) -> asyncio.AbstractEventLoop:
        """A loop that runs in a daemon thread for this thread, which has a running loop itself."""
        self._forget_parent()
        if self._remote is None or self._remote.is_closed():
            import asyncio

            if threads_are_greenlets():
                raise RuntimeError(
                    "under gevent a running event loop needs execute_async for async callbacks"
                )
            loop = asyncio.new_event_loop()
            try:
                start_thread("eryx-loop", lambda: _serve(loop))
            except BaseException:
                loop.close()
                raise
            self._remote = loop
        return self._remote

    def _forget_parent(self) -> None:
        """After fork() the loops are the parent's."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._own = self._remote = None

    def close(self) -> None:
        """Ends both; new ones are made if they are needed."""
        self._forget_parent()
        own, remote, self._own, self._remote = self._own, self._remote, None, None
        if own is not None and not own.is_running():
            own.close()
        if remote is not None and not remote.is_closed():
            remote.call_soon_threadsafe(remote.stop)

    def __del__(self) -> None:
        """The thread has ended."""
        try:
            self.close()
        except Exception:
            pass  # so does the interpreter, and parts of a loop may be gone already


class _ThreadLocal(threading.local):
    def __init__(self) -> None:
        self.loops = _Loops()


_thread_local = _ThreadLocal()


@atexit.register
def _close_loops() -> None:
    """Closes the loops of the main thread while the interpreter is still whole."""
    _thread_local.loops.close()


def _is_in_loop() -> bool:
    """Whether the present code is called by a running event loop."""
    import asyncio

    running = asyncio._get_running_loop()
    if running is None or not threads_are_greenlets():
        return running is not None
    from eryx._greenlets import runs_here

    return runs_here(running)


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
