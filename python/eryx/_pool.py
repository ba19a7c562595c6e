"""Pools: sandboxes that are made ahead and used again, a bounded number at a time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from types import EllipsisType

from eryx._annotations import late_annotations
from eryx._copying import Closable
from eryx._engine import Place, shared_engine
from eryx._errors import EryxError
from eryx._eryx import Core
from eryx._lease import HELD, PooledSandbox
from eryx._limits import DEFAULT_CORE_LIMITS
from eryx._options import Equipment, Request
from eryx._origin import Origin
from eryx._pool_errors import PoolClosedError, PoolError, PoolExhaustedError, PoolTimeoutError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Self, Unpack

    from eryx._factory import SandboxFactory
    from eryx._option_types import PlaceOptions, RequestOptions
    from eryx._pool_waiter import Waiter

_CLOSED = "the pool is closed"


class PoolStats:
    """How a pool is used; see `SandboxPool.stats`."""

    __module__ = "eryx"
    __slots__ = (
        "available",
        "average_wait_time_ms",
        "idle",
        "in_use",
        "total",
        "total_acquisitions",
        "total_creations",
        "total_wait_time_ms",
        "wait_count",
    )

    total: int
    """Sandboxes that there are, in use or idle."""
    idle: int
    """Sandboxes that are ready and not in use."""
    available: int
    """How many could be acquired now without waiting."""
    in_use: int
    """Sandboxes that are in use."""
    total_acquisitions: int
    """How often a sandbox was acquired."""
    total_creations: int
    """How many sandboxes were made."""
    wait_count: int
    """How often somebody had to wait, those who gave up included."""
    total_wait_time_ms: float
    """How long all have waited together."""
    average_wait_time_ms: float
    """How long one who had to wait has waited; 0 if nobody had to."""

    def __init__(self, **values: float) -> None:
        """Made by `SandboxPool.stats`."""
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, float]:
        """The same as a dict."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __eq__(self, other: object) -> bool:
        """Equal if all values are."""
        if not isinstance(other, PoolStats):
            return NotImplemented
        return self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]  # they can be changed

    def __repr__(self) -> str:
        """Shows all values."""
        values = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"PoolStats({values})"


class SandboxPool(Closable):
    """Sandboxes that several requests share, one after the other.

    At most `max_size` are in use at a time; who comes later waits, and is served in the order of
    coming. Every lease starts from the clean state, whatever the one before has done. A pool can be
    used by any number of threads and asyncio tasks; a child of a fork() starts with an empty one.

    >>> pool = SandboxPool(max_size=2)
    >>> with pool.acquire() as sandbox:
    ...     sandbox.execute("print(6 * 7)").stdout
    '42'
    >>> pool.stats().in_use
    0
    >>> pool.close()
    """

    __module__ = "eryx"
    _why = "it stands for interpreters that live in this process"

    def __init__(
        self,
        *,
        factory: SandboxFactory | None = None,
        max_size: int = 10,
        min_idle: int = 1,
        acquire_timeout_ms: int | None = 30_000,
        idle_timeout_ms: int | None = 300_000,
        **options: Unpack[PlaceOptions],
    ) -> None:
        """Makes a pool and its first sandboxes.

        factory: what the sandboxes start with; None for plain ones.
        max_size: how many can be in use at a time.
        min_idle: how many are made now, and stay however long they are idle.
        acquire_timeout_ms: how long `acquire` waits; None for as long as it takes.
        idle_timeout_ms: sandboxes over min_idle that were not used for so long are let go; None for
            never.
        options: what `Sandbox` takes besides what `acquire` takes: network, secrets, volumes and so
            on, the same for all.

        Raises TypeError and ValueError for arguments that are wrong, InitializationError if there
        is not enough memory.
        """
        self._max_size = _count("max_size", max_size, 1)
        self._min_idle = _count("min_idle", min_idle, 0)
        if min_idle > max_size:
            raise ValueError("min_idle must not be greater than max_size")
        self._acquire_seconds = _seconds("acquire_timeout_ms", acquire_timeout_ms)
        self._idle_seconds = _seconds("idle_timeout_ms", idle_timeout_ms)
        self._place = Place(shared_engine())
        if factory is not None:
            if not isinstance(factory, Origin):
                wrong = type(factory).__name__
                raise TypeError(f"factory must be a SandboxFactory or None, not {wrong}")
            self._place = factory._place
        self._factory = factory
        _check_names(options, Equipment, "a pool; some are of acquire()")
        self._equipment = Equipment(**options)
        self._closed = False
        self._start()
        for _ in range(min_idle):
            self._idle.append((self._make_core(DEFAULT_CORE_LIMITS), time.monotonic()))

    def _start(self) -> None:
        """Begins without sandboxes, in this process."""
        self._process = os.getpid()
        # Reentrant, since a lease may be found to be garbage at any time.
        self._lock = threading.RLock()
        self._idle: deque[tuple[Core, float]] = deque()  # the one used last is at the right
        self._waiting: deque[Waiter] = deque()
        self._in_use = 0
        self._total_acquisitions = 0
        self._total_creations = 0
        self._wait_count = 0
        self._total_wait = 0.0

    def _plan(self, options: RequestOptions, seconds: float | None) -> PooledSandbox:
        """A lease that has no sandbox yet."""
        merged: dict[str, Any] = dict(options)
        if self._factory is not None:
            merged = self._factory._with_callbacks(merged)
        _check_names(merged, Request, "a lease; some are of the pool")
        self._equipment.check_again()
        return PooledSandbox._of(self, seconds, Request(**merged), self._equipment)

    # ---- Acquiring ----

    def acquire(
        self,
        *,
        timeout_ms: int | EllipsisType | None = ...,
        **options: Unpack[RequestOptions],
    ) -> PooledSandbox:
        """Gives a sandbox, for ``with``, ``async with`` or until it is released.

        timeout_ms: how long to wait for one; that of the pool if not given, None for as long as it
            takes.
        options: limits, callbacks, handlers and so on for this use, as of `Sandbox`. Callbacks are
            added to those of the factory.

        Inside a running event loop it does not wait here, but in ``async with pool.acquire()`` or
        ``await pool.acquire()``, where other tasks go on.

        Raises PoolTimeoutError if the time is over, PoolClosedError if the pool is closed.
        """
        seconds = self._acquire_seconds
        if not isinstance(timeout_ms, EllipsisType):
            seconds = _seconds("timeout_ms", timeout_ms)
        self._check()
        lease = self._plan(options, seconds)
        if self._try_place(lease):
            lease._take()
        elif not _has_running_loop():
            lease._wait()
        return lease

    def try_acquire(self, **options: Unpack[RequestOptions]) -> PooledSandbox:
        """Gives a sandbox if there is one now.

        Raises PoolExhaustedError if there is none, PoolClosedError if the pool is closed.
        """
        self._check()
        lease = self._plan(options, None)
        if not self._try_place(lease):
            raise PoolExhaustedError(f"all {self._max_size} sandboxes of the pool are in use")
        lease._take()
        return lease

    def _check(self) -> None:
        self._forget_parent()
        if self._closed:
            raise PoolClosedError(_CLOSED)

    def _forget_parent(self) -> None:
        if self._process != os.getpid():
            self._start()  # sandboxes, and who waits for them, are the parent's

    def _try_place(self, lease: PooledSandbox) -> bool:
        """Takes a place if there is one and nobody waits for it."""
        with self._lock:
            if self._waiting or self._in_use >= self._max_size:
                return False
            self._in_use += 1
            self._total_acquisitions += 1
            lease._state = HELD
            return True

    def _enter_queue(self, lease: PooledSandbox, waiter: Waiter) -> bool:
        """Takes a place, or begins to wait for one."""
        self._check()
        with self._lock:
            self._check()
            if self._try_place(lease):
                return True
            self._waiting.append(waiter)
            self._wait_count += 1
            return False

    def _leave_queue(self, lease: PooledSandbox, waiter: Waiter) -> None:
        """Ends a wait, with or without a place."""
        with self._lock:
            self._total_wait += time.monotonic() - waiter.begin
            if waiter.granted:
                lease._state = HELD
            elif waiter in self._waiting:
                self._waiting.remove(waiter)

    def _no_place(self, seconds: float | None) -> PoolError:
        """Why somebody has waited in vain."""
        if self._closed:
            return PoolClosedError(_CLOSED)
        return PoolTimeoutError(
            f"none of the {self._max_size} sandboxes of the pool was given back"
            f" within {1000 * (seconds or 0.0):.0f} ms"
        )

    def _free_place(self) -> None:
        """Gives a place to who has waited longest."""
        with self._lock:
            while self._waiting:
                waiter = self._waiting.popleft()
                waiter.granted = True
                try:
                    waiter.wake()
                except RuntimeError:
                    waiter.granted = False  # its event loop is closed
                    continue
                self._total_acquisitions += 1
                return
            self._in_use -= 1

    # ---- Sandboxes ----

    def _take_idle(self) -> Core | None:
        """The sandbox that was used last, whose memory is warm."""
        with self._lock:
            return self._idle.pop()[0] if self._idle else None

    def _make_core(self, limits: tuple[int, ...]) -> Core:
        core = self._place.new_core(limits, self._equipment)
        with self._lock:
            self._total_creations += 1
        return core

    def _give_back(self, core: Core | None, is_used: bool) -> None:
        """Takes a place back, and the sandbox that was there."""
        dropped: list[Core] = []
        try:
            if core is not None and is_used:
                core.reset()
            with self._lock:
                if core is not None and not self._closed:
                    self._idle.append((core, time.monotonic()))
                    dropped = self._expired()
        except EryxError:
            pass  # in use by another thread, or without memory: it goes
        finally:
            del core, dropped  # outside of the lock
            self._free_place()

    def _expired(self) -> list[Core]:
        """Takes out what was idle for too long, the oldest first."""
        dropped: list[Core] = []
        if self._idle_seconds is not None:
            oldest = time.monotonic() - self._idle_seconds
            while len(self._idle) > self._min_idle and self._idle[0][1] <= oldest:
                dropped.append(self._idle.popleft()[0])
        return dropped

    # ---- The whole ----

    def stats(self) -> PoolStats:
        """How the pool is used at this moment."""
        self._forget_parent()
        with self._lock:
            idle, in_use = len(self._idle), self._in_use
            count, waited = self._wait_count, 1000 * self._total_wait
            available = 0 if self._closed or self._waiting else self._max_size - in_use
            return PoolStats(
                total=idle + in_use,
                idle=idle,
                available=available,
                in_use=in_use,
                total_acquisitions=self._total_acquisitions,
                total_creations=self._total_creations,
                wait_count=count,
                total_wait_time_ms=waited,
                average_wait_time_ms=waited / count if count else 0.0,
            )

    def evict_idle(self) -> int:
        """Lets go of the sandboxes that were idle for too long; gives their number.

        That is done anyway whenever a sandbox is given back.
        """
        self._forget_parent()
        with self._lock:
            dropped = self._expired()
        return len(dropped)

    def close(self) -> None:
        """Lets go of all idle sandboxes; those in use go when they are released.

        Who waits for a sandbox gets PoolClosedError. Closing twice does no harm.
        """
        self._forget_parent()
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, deque()
            waiting, self._waiting = self._waiting, deque()
            for waiter in waiting:
                try:
                    waiter.wake()
                except RuntimeError:
                    pass  # its event loop is closed
        del idle

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def max_size(self) -> int:
        """How many sandboxes can be in use at a time."""
        return self._max_size

    async def __aenter__(self) -> Self:
        """Gives the pool."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it."""
        self.close()

    def __repr__(self) -> str:
        """How full it is."""
        state = ", closed" if self._closed else ""
        return f"SandboxPool(max_size={self._max_size}, in_use={self._in_use}{state})"


def _check_names(given: Mapping[str, object], group: type[Request | Equipment], what: str) -> None:
    for name in given:
        if name not in group.names:
            raise TypeError(f"{name!r} is not an option of {what}")


def _count(name: str, value: int, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more")
    return value


def _seconds(name: str, milliseconds: int | None) -> float | None:
    if milliseconds is None:
        return None
    return _count(name, milliseconds, 0) / 1000


def _has_running_loop() -> bool:
    # Without asyncio there is none. Its C module must not be imported before it: that breaks it.
    module = sys.modules.get("_asyncio")
    return module is not None and module._get_running_loop() is not None


late_annotations(globals(), PoolStats, SandboxPool)
