"""Whose turn it is to use a sandbox."""

from __future__ import annotations

import _thread
from os import getpid
from sys import is_finalizing

from eryx._errors import EryxError
from eryx._eryx import TurnHolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

_REENTRANT = "the sandbox is already running code for this thread"
_WAITING = "the sandbox is already running code that waits for this function"
_BUSY = (
    "the sandbox is already running code that waits for a function of the host, which may be "
    "waiting for this thread"
)
_FORKED = "the sandbox belongs to the parent of this process"

# How long a function of the host may take before a thread that asks meanwhile is refused; the same
# for a thread that is about to end the run.
_CALL_SECONDS = 0.1
_END_SECONDS = 5.0

# How often those who wait look whether the one they wait for can still go on.
_LOOK_SECONDS = 0.5

# Stand for the thread: nobody has it, and a run that was given up comes to its end.
_NOBODY = 0
_LEFT = 1


def running_loop() -> AbstractEventLoop:
    """The event loop that runs here. Raises RuntimeError that says what is wanted if none does."""
    import asyncio

    loop = asyncio._get_running_loop()
    if loop is None:
        raise RuntimeError(
            "async methods of eryx need a running event loop of asyncio; under another library, "
            "such as trio, have a worker thread call those that are not async"
        )
    return loop


class Run:
    """Marks a run in whose callbacks other code may be.

    Nothing else, because contexts are kept by what has nothing to do with the run, such as timers.
    """

    __slots__ = ("active", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.active = True


# Gives the runs in whose callbacks the present code is. There are none before _calls.py is there,
# which keeps them: importing contextvars takes time, and most programs have no callbacks.
runs_around: Callable[[], tuple[Run, ...]] = tuple


class Turn(TurnHolder):
    """A lock that threads and asyncio tasks can wait for, in the order in which they came.

    Who could wait for ever is refused: the callbacks of a run that has it, the thread that has it,
    and other threads while the run waits for a function of the host, since that may have started
    them and wait for them. A task that asks while another task of its thread has it waits.
    """

    __slots__ = (
        "_loop",
        "_mutex",
        "_waiting",
        "calling",
        "if_loop_closes",
    )

    def __init__(self) -> None:
        """A turn that nobody has."""
        # For those who wait. Reentrant, since a coroutine may be found to be garbage at any time.
        self._mutex = _thread.RLock()
        self._loop: AbstractEventLoop | None = None  # of the task that has it
        self._waiting: list[_Waiter] = []
        # Set by the holder: gives what stands for the function that its run waits for, or None.
        self.calling: Callable[[], object] | None = None
        # Set by a task that has it: gives it up, and releases it in the end, in place of the task.
        self.if_loop_closes: Callable[[], object] | None = None

    def check(self) -> None:
        """Raises EryxError if the present code could wait for the turn for ever.

        That is so in the child of a fork, and in a callback of the run that has it.
        """
        if getpid() != self.process:
            raise EryxError(_FORKED)  # the holder may be a thread that the child does not have
        for run in runs_around():
            if run.turn is self and run.active:
                raise EryxError(_WAITING)

    def acquire(self, *, to_end: bool = False) -> None:
        """Waits on this thread until it has the turn. Raises EryxError if that may never be.

        to_end: the run has been told to end, so there is more patience with a function of the host.
        """
        if not runs_around() and self.take(False):
            return
        self.check()
        if self.take(False):
            return
        self._look_at_loop()
        if self.is_held_here():
            raise EryxError(_REENTRANT)
        lock = _thread.allocate_lock()
        lock.acquire()
        waiter = _Waiter(_thread.get_ident(), lock.release)
        self._enqueue(waiter)
        try:
            refuse = self._present_call()
            seconds = _END_SECONDS if to_end else _CALL_SECONDS
            while not lock.acquire(True, _LOOK_SECONDS if refuse is None else seconds):
                self._look_at_loop()
                if refuse is not None and self._present_call() == refuse:
                    raise EryxError(_BUSY)
                refuse = None
        except BaseException:
            self._withdraw(waiter)
            raise

    async def acquire_async(self) -> None:
        """Waits on the running event loop until the task has the turn."""
        import asyncio

        self.check()
        loop = running_loop()
        with self._mutex:
            if self.take(True):
                self._loop = loop
                return
            if self.is_held_here() and not self.is_held_by_task:
                raise EryxError(_REENTRANT)
        self._look_at_loop()
        woken = asyncio.Event()
        waiter = _Waiter(_thread.get_ident(), lambda: loop.call_soon_threadsafe(woken.set), loop)
        self._enqueue(waiter)
        try:
            while not woken.is_set():
                try:
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await woken.wait()
                except TimeoutError:
                    self._look_at_loop()
        except BaseException:
            self._withdraw(waiter)
            raise

    def release(self) -> None:
        """Gives the turn to the one who has waited longest."""
        self.calling = self.if_loop_closes = self._loop = None
        if not self.leave():
            with self._mutex:
                self._pass_on()

    def hand_over(self) -> None:
        """The holder goes on without the turn, which something else releases later."""
        with self._mutex:
            self.give(_LEFT, True)
            self._loop = None
            self.if_loop_closes = None

    def _enqueue(self, waiter: _Waiter) -> None:
        with self._mutex:
            self._waiting.append(waiter)
            if self.want(True):  # it has been released in between
                self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            waiter = self._waiting.pop(0)
            self.want(bool(self._waiting))
            self.give(waiter.thread, waiter.loop is not None)
            self._loop = waiter.loop
            try:
                waiter.wake()
            except RuntimeError:
                continue  # its event loop is closed
            return
        self.give(_NOBODY, False)
        self._loop = None

    def _withdraw(self, waiter: _Waiter) -> None:
        """Takes back the wish for the turn, or the turn if it came at the same time."""
        if is_finalizing():
            return  # threads that are not here any more may have the lock
        with self._mutex:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self.want(bool(self._waiting))
                return
        self.release()

    def _present_call(self) -> object:
        calling = self.calling
        return None if calling is None else calling()

    def _look_at_loop(self) -> None:
        """Takes the turn from a task that can never go on."""
        with self._mutex:
            if self._loop is None or not self._loop.is_closed():
                return
            self._loop = None
            give_up = self.if_loop_closes or self.release
        give_up()


class _Waiter:
    """A thread or a task that waits."""

    __slots__ = ("loop", "thread", "wake")

    def __init__(
        self, thread: int, wake: Callable[[], object], loop: AbstractEventLoop | None = None
    ) -> None:
        """loop: that of a task."""
        self.thread = thread
        self.wake = wake
        self.loop = loop
