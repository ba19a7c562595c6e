"""What a pool hands out: a sandbox for some time."""

from __future__ import annotations

import _thread
import os
import threading

from eryx._annotations import late_annotations
from eryx._pool_errors import PoolError
from eryx._pool_waiter import Waiter
from eryx._sandbox import _NO_CORE, Sandbox
from eryx._turn import running_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Any, Self

    from eryx._eryx import Core
    from eryx._options import Equipment, Request
    from eryx._pool import SandboxPool
    from eryx._result import ExecuteResult

# States of a lease.
WAITING = 0
HELD = 1
RELEASED = 2


class PooledSandbox(Sandbox):
    """A sandbox that belongs to a pool; made by `SandboxPool.acquire`.

    It can do what a `Sandbox` can until it is released, at the end of a ``with`` at the latest.

    >>> from eryx import SandboxPool
    >>> with SandboxPool() as pool, pool.acquire() as sandbox:
    ...     sandbox.execute("print('hello')").stdout
    'hello'
    """

    __module__ = "eryx"
    __slots__ = (
        "_pool",
        "_process",
        "_seconds",
        "_state",
    )

    _why = "it stands for one place in its pool"
    _instead = "acquire another one"

    _pool: SandboxPool
    _process: int
    _seconds: float | None
    _state: int

    def __init__(self) -> None:
        """Not for callers."""
        raise TypeError("a PooledSandbox is made by SandboxPool.acquire()")

    @classmethod
    def _of(
        cls,
        pool: SandboxPool,
        seconds: float | None,
        request: Request,
        equipment: Equipment,
    ) -> PooledSandbox:
        """A lease that has no sandbox yet. seconds: how long it may wait for one."""
        made = cls.__new__(cls)
        made._pool = pool
        made._process = pool._process
        made._seconds = seconds
        made._state = WAITING
        made._make(request, equipment)
        return made

    def _new_core(self, equipment: Equipment) -> Core:
        return _NO_CORE

    # ---- Having one ----

    def _take(self) -> None:
        """Gets a sandbox, having a place in the pool."""
        try:
            core = self._pool._take_idle()
            if core is None:
                core = self._pool._make_core(self._request.core_limits)
            else:
                core.set_limits(self._request.core_limits)
            self._core = core
        except BaseException:
            self._give_back()
            raise

    def _wait(self) -> None:
        """Waits on this thread."""
        woken = _thread.allocate_lock()
        woken.acquire()
        waiter = Waiter(woken.release)
        if not self._pool._enter_queue(self, waiter):
            seconds = -1.0 if self._seconds is None else min(self._seconds, threading.TIMEOUT_MAX)
            try:
                woken.acquire(True, seconds)
            except BaseException:
                self._pool._leave_queue(self, waiter)
                self._give_back()
                raise
            self._pool._leave_queue(self, waiter)
            if self._state != HELD:
                raise self._pool._no_place(self._seconds)
        self._take()

    async def _wait_async(self) -> None:
        """Waits on the running event loop."""
        import asyncio

        loop = running_loop()
        woken = asyncio.Event()
        waiter = Waiter(lambda: loop.call_soon_threadsafe(woken.set))
        if not self._pool._enter_queue(self, waiter):
            try:
                async with asyncio.timeout(self._seconds):
                    await woken.wait()
            except TimeoutError:
                self._pool._leave_queue(self, waiter)
            except BaseException:
                self._pool._leave_queue(self, waiter)
                self._give_back()
                raise
            else:
                self._pool._leave_queue(self, waiter)
            if self._state != HELD:
                raise self._pool._no_place(self._seconds)
        self._take()

    # ---- Giving it back ----

    @property
    def is_released(self) -> bool:
        """Whether it was given back to its pool."""
        return self._state == RELEASED

    def release(self) -> None:
        """Gives the sandbox back; a run that goes on is ended. Doing it twice does no harm.

        Raises EryxError if it is a run of this thread, which cannot wait for it; ``async with``
        can.
        """
        if self._is_held():
            self._take_last_turn()
            self._give_back_in_turn()

    def close(self) -> None:
        """Does what `release` does."""
        self.release()

    async def _release_async(self) -> None:
        if self._is_held():
            self._end_run()
            try:
                await self._turn.acquire_async()
            except BaseException:
                self._ending = False
                raise
            self._give_back_in_turn()

    def _is_held(self) -> bool:
        """Whether there is something to give back; if not it is released from now on."""
        if self._state == WAITING or self._process != os.getpid():
            self._state = RELEASED
        return self._state == HELD

    def _give_back_in_turn(self) -> None:
        try:
            self._give_back()
        finally:
            self._turn.release()

    def _give_back(self) -> None:
        state, self._state = self._state, RELEASED
        core, self._core = self._core, _NO_CORE
        if state == HELD:
            self._pool._give_back(core, self._used)

    def __enter__(self) -> Self:
        """Gives the sandbox, after a wait for it if there was none."""
        if self._state == WAITING:
            self._wait()
        self._check_held()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Releases it."""
        self.release()

    def __await__(self) -> Generator[Any, None, Self]:
        """Waits for the sandbox and gives it."""
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Self:
        """Waits for the sandbox and gives it."""
        running_loop()  # the end of the block needs it, too
        if self._state == WAITING:
            await self._wait_async()
        self._check_held()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Releases it."""
        await self._release_async()

    def __del__(self) -> None:
        """A lease that was forgotten is no longer one."""
        if getattr(self, "_state", RELEASED) == HELD and self._process == os.getpid():
            self._give_back()

    # ---- Using it ----

    def _check_held(self) -> None:
        if self._state == WAITING:
            raise PoolError("the sandbox is not acquired yet: use `async with` or `await`")
        if self._state == RELEASED:
            raise PoolError("the sandbox was given back to its pool")

    def _execute(self, *arguments: Any, **named: Any) -> ExecuteResult:
        self._check_held()
        return super()._execute(*arguments, **named)

    async def _execute_async(self, *arguments: Any, **named: Any) -> ExecuteResult:
        self._check_held()
        return await super()._execute_async(*arguments, **named)

    def _prepare(self) -> None:
        self._check_held()  # it may have been released while the turn was waited for
        super()._prepare()

    def cancel(self) -> None:
        """Ends the present run with CancelledError, from any thread; does nothing without a run."""
        if self._state == HELD and self._core is not _NO_CORE:
            super().cancel()


late_annotations(globals(), PooledSandbox)
