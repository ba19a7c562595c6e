"""Runs a guest on an event loop; only a guest that computes for long needs a thread."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from functools import partial
from sys import is_finalizing

from eryx._audit import audit_outcome
from eryx._calls import Awaited, decoded_event, has_large_arguments
from eryx._errors import CancelledError, TimeoutError  # noqa: A004  (ours)
from eryx._eryx import EVENT_CONNECT, EVENT_OUTPUT, EVENT_WAIT, deliver
from eryx._scheduler import SLICE_NS, Job, scheduler
from eryx._workers import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from eryx._calls import Calls
    from eryx._eryx import Core, Outcome
    from eryx._turn import Turn

# How long a guest may compute on the event loop's own thread before it becomes a job of the
# scheduler. So often it pauses, too.
PAUSE_MS = 2
_PAUSE_NS = PAUSE_MS * 1_000_000

# What is long for an event loop.
_LONG_NS = 1_000_000

# How often a loop that was kept for longer goes round: a timeout takes so long to reach a task.
_ROUNDS = 3

# How long callbacks that are cancelled at the end of a run may take for that.
_CANCEL_SECONDS = 1.0

# A run that is to end, but has no thread, is looked at after so long, then after twice as long.
_LOOK_NS = 5_000_000

_NEVER_NS = 2**63


class _LoopTime(threading.local):
    """When the event loop of this thread may compute again.

    After a guest that has computed for long, the loop has as much time for other things, whatever
    number of guests come at once.
    """

    free_ns = 0


_loop_time = _LoopTime()


class Driver:
    """Drives one run from its start, which comes with its first slice, to its end."""

    __slots__ = (
        "_begin",
        "_calls",
        "_core",
        "_error",
        "_event",
        "_give_up",
        "_has_result",
        "_job",
        "_loop",
        "_on_output",
        "_outcome",
        "_pending",
        "_queue_timeout_ms",
        "_since_ns",
        "_stopped",
        "_tasks",
        "_turn",
        "_woken",
        "begun",
        "queued_ns",
    )

    def __init__(
        self,
        core: Core,
        on_output: Callable[[int, bytes], Any] | None,
        calls: Calls,
        turn: Turn,
        begin: Callable[[], None],
        give_up: Callable[[Driver], None],
        queue_timeout_ms: int | None,
    ) -> None:
        """To be made on the event loop that will run it.

        turn: that of the sandbox, which the task has.
        begin: begins the run; called right before the first slice, by the thread that computes it.
        give_up: called once if the run is given up, when no thread is in the sandbox any more.
        queue_timeout_ms: how long the first slice may be waited for; None for as long as it takes.
        """
        self._core = core
        self._calls = calls
        self._turn = turn
        self._begin = begin
        self._give_up = [give_up]  # is taken out by the one who does it
        self._queue_timeout_ms = queue_timeout_ms
        self._pending: list[Awaitable[object]] = []
        self._on_output: Callable[[int, bytes], object] | None = None
        if on_output is not None:
            self._on_output = self._collector(on_output)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._job: Job | None = None
        self._event: int | tuple[Any, ...] | None = None
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self._has_result = False
        self._stopped = False
        self._since_ns = 0  # when it was asked for
        self.begun = False
        self.queued_ns = 0

    def wake(self) -> None:
        """Makes a run that waits look at its sandbox again; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            pass  # the loop is closed, so nobody waits

    def stop(self) -> None:
        """Ends the run, also if it has not begun; from any thread."""
        self._stopped = True
        self._calls.stopped = True
        self._core.cancel()
        self.wake()

    def leave(self) -> None:
        """Gives the run up: nobody waits for it any more. A thread that has it ends it soon.

        Doing it twice does no harm, and it may be done by any thread.
        """
        if self._turn.process != os.getpid() or is_finalizing():
            return  # threads that are not here any more may have locks
        try:
            give_up = self._give_up.pop()
        except IndexError:
            return
        self._stopped = True
        self._core.cancel()
        self._turn.hand_over()
        if self._job is None:
            give_up(self)
        else:
            scheduler().leave(self._job, lambda: give_up(self))

    async def run(self) -> Outcome:
        """Runs to the end. An exception leaves the run as `leave` does."""
        calls = self._calls
        calls.begin(self)
        now_ns = self._since_ns = time.monotonic_ns()
        kept_ns = now_ns + _PAUSE_NS  # until then the loop need not go on
        try:
            while True:
                if calls.answers:
                    calls.settle()
                if now_ns >= kept_ns:
                    now_ns = await self._let_others()
                    kept_ns = now_ns + _PAUSE_NS
                event = self._step_here(now_ns)
                if event == 0:
                    event = await self._step_in_thread()
                    kept_ns = time.monotonic_ns() + _PAUSE_NS
                if event is None:
                    break
                if isinstance(event, tuple):
                    await self._handle(event)
                elif event and not calls.answers:
                    await self._wait_until(event)
                now_ns = time.monotonic_ns()
        except BaseException as error:
            calls.end()
            calls.failures.clear()
            self.leave()
            if self._tasks and not isinstance(error, GeneratorExit):
                await self._finish_tasks()
            raise
        calls.end()
        if self._tasks:
            await self._finish_tasks()
        outcome = self._core.outcome() if self._outcome is None else self._outcome
        audit_outcome(outcome)
        return outcome

    async def _let_others(self) -> int:
        """Lets the event loop go on with other things; gives the time."""
        began_ns = time.monotonic_ns()
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        now_ns = time.monotonic_ns()
        if now_ns - began_ns >= _LONG_NS:
            _loop_time.free_ns = now_ns + _PAUSE_NS  # there is much that wants the loop
        return now_ns

    async def _handle(self, event: tuple[Any, ...]) -> None:
        """Does what an event asks for."""
        calls, kind = self._calls, event[0]
        if kind == EVENT_OUTPUT:
            await self._hand_over(event[1], event[2])
        elif kind == EVENT_WAIT:
            if event[3] and calls.reader is not None:
                await self._read_input()
            elif not calls.answers:
                await self._wait_until(event[1], event[2])
        elif kind == EVENT_CONNECT:
            self._core.connect_answer(await self._may_connect(event))
        else:
            if has_large_arguments(event):
                event = await call(partial(decoded_event, event))
            if calls.handle(event):
                await asyncio.sleep(0)

    async def _finish_tasks(self) -> None:
        """Lets the callbacks that were cancelled come to their end."""
        await asyncio.wait(self._tasks, timeout=_CANCEL_SECONDS)

    # ---- Computing ----

    def _step_here(self, now_ns: int) -> int | tuple[Any, ...] | None:
        """Lets the guest compute on this thread for a moment. 0 if it wants more, or may not."""
        if now_ns < _loop_time.free_ns:
            return 0
        if not self.begun:
            self._first_slice(now_ns)
        event = self._core.step(0)
        end_ns = time.monotonic_ns()
        if end_ns - now_ns >= _LONG_NS:
            _loop_time.free_ns = 2 * end_ns - now_ns
        return event

    def _first_slice(self, now_ns: int) -> None:
        self.queued_ns = now_ns - self._since_ns
        self._begin()
        self.begun = True
        self._calls.start_clock()
        if self._stopped:
            self._core.cancel()  # once more, since a run begins without

    async def _step_in_thread(self) -> int | tuple[Any, ...] | None:
        """Lets the guest compute as a job. 0 if it has to be tried on this thread again."""
        job = self._job = Job(self)
        job.urgent = self._is_over(time.monotonic_ns())
        self._has_result = False
        try:
            scheduler().submit(job)
        except RuntimeError:  # there are no threads
            self._job = None
            _loop_time.free_ns = 0
            await asyncio.sleep(0)
            return 0
        pause_ns = _LOOK_NS
        look_ns = time.monotonic_ns() + pause_ns if job.urgent else self._end_ns()
        while not self._has_result:
            if self._stopped and not job.urgent:
                job.urgent = True
                look_ns = 0
            now_ns = time.monotonic_ns()
            if now_ns >= look_ns:
                if scheduler().withdraw(job):
                    self._job = None
                    self._check_queued(now_ns)
                    return 0
                job.urgent = True  # a thread has it just now, and most likely ends it
                look_ns = now_ns + pause_ns
                pause_ns *= 2
            await self._wait_until(look_ns)
        self._job = None
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame
        return self._event

    def _is_over(self, now_ns: int) -> bool:
        """Whether the run is to end."""
        return self._stopped or (self.begun and now_ns >= self._calls.end_ns)

    def _end_ns(self) -> int:
        """When a run that is queued has to be looked at."""
        if self.begun:
            return self._calls.end_ns
        if self._queue_timeout_ms is None:
            return _NEVER_NS
        return self._since_ns + self._queue_timeout_ms * 1_000_000

    def _check_queued(self, now_ns: int) -> None:
        """Ends a run that was taken out of the queue before its first slice."""
        if self.begun:
            return
        self.queued_ns = now_ns - self._since_ns
        error: CancelledError | TimeoutError
        if self._stopped:
            error = CancelledError("execution was cancelled before it began")
        else:
            error = TimeoutError(
                "execution did not begin: no thread was free for its first slice within "
                f"{self._queue_timeout_ms} ms (queue_timeout_ms)"
            )
        error.queued_ms = self.queued_ns / 1e6
        raise error

    # ---- What a thread of the scheduler does ----

    def compute(self) -> bool:
        """One slice of the guest. True if it wants another."""
        try:
            if not self.begun:
                self._first_slice(time.monotonic_ns())
            self._event = self._core.step(SLICE_NS)
            if self._event is None:
                self._outcome = self._core.outcome()  # which takes long if it is large
        except BaseException as error:
            self._error = error
            return False
        return self._event == 0

    def done(self) -> None:
        """The event loop goes on, if there still is one."""
        self._has_result = True
        try:
            self._loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            self.leave()

    def cancel(self) -> None:
        """Ends the run although its event loop is busy."""
        self._core.cancel()

    # ---- Handlers and callbacks ----

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Starts a coroutine; gives a function that cancels it."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task.cancel

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._woken.set()

    def _collector(self, on_output: Callable[[int, bytes], Any]) -> Callable[[int, bytes], object]:
        """A handler that keeps what an async handler gives."""
        pending = self._pending

        def collect(stream: int, data: bytes) -> None:
            result = on_output(stream, data)
            if hasattr(result, "__await__"):
                pending.append(result)

        return collect

    async def _hand_over(self, stream: int, data: bytes) -> None:
        """Gives output to the handler, which may be async."""
        on_output, calls = self._on_output, self._calls
        if on_output is None or calls.is_over():
            return
        calls.enter()
        try:
            deliver(on_output, stream, data)
            if self._pending:
                await self._await_handler(self._pending.pop())
        finally:
            calls.leave()

    async def _await_handler(self, awaitable: Awaitable[object]) -> None:
        """Waits for an async handler, which is cancelled if the run is to end before it does."""
        handler = Awaited(awaitable)
        handler.cancel = self.spawn(handler.wait(self.wake))
        try:
            while not (handler.done or self._calls.is_over()):
                await self._wait_until(self._calls.last_ns)
        finally:
            handler.give_up()
        handler.report()

    async def _wait_until(self, wake_ns: int, descriptor: int = -1) -> None:
        """Waits until the time, until it is woken, or until the descriptor can be read."""
        timer = self._loop.call_later((wake_ns - time.monotonic_ns()) / 1e9, self._woken.set)
        if descriptor >= 0:
            self._loop.add_reader(descriptor, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
            if descriptor >= 0:
                self._loop.remove_reader(descriptor)
            self._woken.clear()

    async def _read_input(self) -> None:
        """Asks for a line, and waits for it."""
        calls = self._calls
        waiting = calls.next_line()
        if waiting is not None:
            waiting.cancel = self.spawn(waiting.wait(self.wake))
            try:
                while not (waiting.done or self._stopped or calls.is_over()):
                    await self._wait_until(calls.last_ns)
            finally:
                waiting.give_up()
            calls.take_line(waiting)

    async def _may_connect(self, event: tuple[Any, ...]) -> bool:
        """Asks the caller's function, which may be async."""
        question = self._calls.ask(event)
        if question.awaitable is not None:
            question.cancel = self.spawn(question.wait(self.wake))
            try:
                while not (question.done or self._stopped or question.is_late()):
                    await self._wait_until(question.end_ns)
            except BaseException:
                question.give_up()
                raise
        return question.verdict()
