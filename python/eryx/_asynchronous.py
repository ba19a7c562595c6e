"""Runs a guest on an event loop; only a guest that computes for long needs a thread."""

from __future__ import annotations

import _thread
import asyncio
import time
from collections import deque

from eryx._eryx import Core, Outcome, deliver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from eryx._calls import Calls

# ERYX_EVENT_* of eryx.h, the first item of an event.
_WAIT = 1
_CONNECT = 7

# How long a guest may compute on the event loop's own thread before it moves to a worker thread.
PAUSE_MS = 2

# How long callbacks that are cancelled at the end of a run may take for that.
_CANCEL_SECONDS = 1.0


class Driver:
    """Drives one run that has begun with pauses every `PAUSE_MS`."""

    __slots__ = (
        "_abandoned",
        "_calls",
        "_core",
        "_loop",
        "_on_output",
        "_pending",
        "_stopped",
        "_tasks",
        "_woken",
        "_worker",
    )

    def __init__(
        self, core: Core, on_output: Callable[[int, bytes], Any] | None, calls: Calls
    ) -> None:
        """To be made on the event loop that will run it."""
        self._core = core
        self._calls = calls
        self._pending: deque[Awaitable[object]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_output: Callable[[int, bytes], object] | None = None
        if on_output is not None:
            self._on_output = self._collector(on_output)
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._worker = _thread.allocate_lock()  # held while a worker thread is in the sandbox
        self._abandoned = False
        self._stopped = False

    def wake(self) -> None:
        """Makes a run that waits look at its sandbox again; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            pass  # the loop is closed, so nobody waits

    def stop(self) -> None:
        """The same, after the sandbox was told to end the run."""
        self._stopped = True
        self.wake()

    async def run(self) -> Outcome:
        """Runs to the end. If that is given up no thread is in the sandbox any more."""
        calls = self._calls
        calls.begin(self)
        closed = False
        try:
            event = None
            while True:
                if calls.answers:
                    calls.settle()
                event = self._core.step(self._on_output, False)
                if event == 0:
                    event = await self._step_in_thread()
                if self._pending:
                    await self._await_handlers()
                if isinstance(event, tuple):
                    if event[0] == _WAIT:
                        if not calls.answers:
                            await self._wait_until(event[1], event[2])
                    elif event[0] == _CONNECT:
                        self._core.connect_answer(await self._may_connect(event))
                    elif calls.handle(event):
                        await asyncio.sleep(0)
                elif event is not None:
                    if event and not calls.answers:
                        await self._wait_until(event)
                else:
                    return self._core.outcome()
        except BaseException as error:
            closed = isinstance(error, GeneratorExit)
            self._abandoned = True
            self._core.cancel()
            for awaitable in self._pending:
                close = getattr(awaitable, "close", None)
                if close is not None:
                    close()  # or it would be reported as never awaited
            with self._worker:
                raise
        finally:
            calls.end()
            if self._tasks and not closed:
                await asyncio.wait(self._tasks, timeout=_CANCEL_SECONDS)

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
        """A handler that keeps what async handlers give."""
        pending = self._pending

        def collect(stream: int, data: bytes) -> None:
            result = on_output(stream, data)
            if hasattr(result, "__await__"):
                pending.append(result)

        return collect

    async def _await_handlers(self) -> None:
        """Awaits the async handlers of output in order."""
        while self._pending:
            try:
                await self._pending.popleft()
            except Exception as error:
                deliver(_raiser(error), 0, None)

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

    async def _step_in_thread(self) -> int | tuple[Any, ...] | None:
        future = self._loop.run_in_executor(None, self._work, self._output_in_thread())
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait((future,))
            except asyncio.CancelledError as error:
                # The guest ends soon; until then the loop can go on with other things.
                cancelled = error
                self._core.cancel()
        if cancelled is not None:
            future.exception()
            raise cancelled
        return future.result()

    def _work(
        self, on_output: Callable[[int, bytes], object] | None
    ) -> int | tuple[Any, ...] | None:
        """What a worker thread does."""
        with self._worker:
            return None if self._abandoned else self._core.step(on_output, True)

    def _output_in_thread(self) -> Callable[[int, bytes], object] | None:
        """Handlers are called on the thread of the event loop, wherever the guest runs."""
        on_output = self._on_output
        if on_output is None:
            return None
        return lambda stream, data: self._loop.call_soon_threadsafe(
            deliver, on_output, stream, data
        )


def _raiser(error: Exception) -> Callable[[int, object], object]:
    """A handler that raises, for `deliver` to report."""

    def async_handler(_stream: int, _data: object) -> None:
        raise error

    return async_handler
