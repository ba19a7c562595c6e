"""Whose turn it is to use a sandbox."""

from __future__ import annotations

import _thread
import os
from contextvars import ContextVar

from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_REENTRANT = "the sandbox is already running code for this thread"
_WAITING = "the sandbox is waiting for this callback, so it cannot do anything for it"
_FORKED = "the sandbox belongs to the parent of this process"


class Run:
    """Marks a run in whose callbacks other code may be.

    Nothing else, because contexts are kept by what has nothing to do with the run, such as timers.
    """

    __slots__ = ("active", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.active = True


# The runs in whose callbacks the present code is. Contexts go along to tasks and worker threads.
runs_around: ContextVar[tuple[Run, ...]] = ContextVar("eryx_runs", default=())


class Turn:
    """A lock that threads and asyncio tasks can wait for, in the order in which they came.

    A callback of a run that has it is refused, as it would wait for itself.
    The thread that has it is refused if it asks again, for it would wait for itself; a task that
    asks while another task of its thread has it waits.
    """

    __slots__ = ("_holder", "_holder_is_task", "_mutex", "_process", "_waiting")

    def __init__(self) -> None:
        """A turn that nobody has."""
        self._mutex = _thread.allocate_lock()
        self._holder: int | None = None
        self._holder_is_task = False
        self._waiting: list[_Waiter] = []
        self._process = os.getpid()

    def acquire(self) -> None:
        """Waits on this thread until it has the turn. Raises EryxError if that can never be."""
        self._check()
        thread = _thread.get_ident()
        with self._mutex:
            if self._holder is None:
                self._holder, self._holder_is_task = thread, False
                return
            if self._holder == thread:
                raise EryxError(_REENTRANT)
            lock = _thread.allocate_lock()
            lock.acquire()
            waiter = _Waiter(thread, is_task=False, wake=lock.release)
            self._waiting.append(waiter)
        try:
            lock.acquire()
        except BaseException:
            self._withdraw(waiter)
            raise

    async def acquire_async(self) -> None:
        """Waits on the running event loop until the task has the turn."""
        import asyncio

        self._check()
        thread = _thread.get_ident()
        with self._mutex:
            if self._holder is None:
                self._holder, self._holder_is_task = thread, True
                return
            if self._holder == thread and not self._holder_is_task:
                raise EryxError(_REENTRANT)
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()

            def resolve() -> None:
                if not future.done():
                    future.set_result(None)

            waiter = _Waiter(thread, is_task=True, wake=lambda: loop.call_soon_threadsafe(resolve))
            self._waiting.append(waiter)
        try:
            await future
        except BaseException:
            self._withdraw(waiter)
            raise

    def release(self) -> None:
        """Gives the turn to the one who has waited longest."""
        with self._mutex:
            while self._waiting:
                waiter = self._waiting.pop(0)
                self._holder, self._holder_is_task = waiter.thread, waiter.is_task
                try:
                    waiter.wake()
                except RuntimeError:
                    continue  # its event loop is closed
                return
            self._holder = None

    def _withdraw(self, waiter: _Waiter) -> None:
        """Takes back the wish for the turn, or the turn if it came at the same time."""
        with self._mutex:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                return
        self.release()

    def _check(self) -> None:
        """Refuses those who could wait for ever."""
        if os.getpid() != self._process:
            raise EryxError(_FORKED)  # the holder may be a thread that the child does not have
        for run in runs_around.get():
            if run.turn is self and run.active:
                raise EryxError(_WAITING)


class _Waiter:
    """A thread or a task that waits."""

    __slots__ = ("is_task", "thread", "wake")

    def __init__(self, thread: int, *, is_task: bool, wake: Callable[[], object]) -> None:
        self.thread = thread
        self.is_task = is_task
        self.wake = wake
