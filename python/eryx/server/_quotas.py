"""Who asks, and how much of a quota is used."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager

from eryx.server._errors import TooManyError, UnauthorizedError, UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eryx.server._settings import ApiKey, Quota, Settings

EVERYBODY = "everybody"  # the holder's name where there are no keys

# What is waited for may take so long, by what is told to those who are refused.
_BUSY_RETRY_SECONDS = 1.0


class Holder:
    """The holder of a key, with what they have used."""

    def __init__(self, name: str, quota: Quota) -> None:
        self.name = name
        self.quota = quota
        self.waiting = 0
        self._begun: deque[float] = deque()  # times of the last minute
        self._spent: deque[tuple[float, float]] = deque()  # end and seconds, of the last hour
        self._room = asyncio.Semaphore(quota.concurrent_runs)

    def check_rates(self, now: float) -> None:
        """Raises TooManyError if a quota of runs or of time is used up."""
        quota = self.quota
        while self._begun and self._begun[0] <= now - 60:
            self._begun.popleft()
        most = quota.runs_per_minute
        if most is not None and len(self._begun) >= most:
            wait = self._begun[0] + 60 - now
            raise TooManyError("runs_per_minute", f"{most} runs a minute are allowed", wait)
        while self._spent and self._spent[0][0] <= now - 3600:
            self._spent.popleft()
        seconds = quota.seconds_per_hour
        if seconds is not None and sum(spent for _, spent in self._spent) >= seconds:
            wait = self._spent[0][0] + 3600 - now
            raise TooManyError("seconds_per_hour", f"{seconds} seconds an hour are allowed", wait)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Around a run: counts it, and waits until fewer go on than are allowed."""
        self.check_rates(time.monotonic())
        most = self.quota.concurrent_runs
        if self._room.locked() and self.waiting >= most:
            raise TooManyError(
                "concurrent_runs", f"{most} runs at a time are allowed", _BUSY_RETRY_SECONDS
            )
        self.waiting += 1
        try:
            await self._room.acquire()
        finally:
            self.waiting -= 1
        began = time.monotonic()
        self._begun.append(began)
        try:
            yield
        finally:
            ended = time.monotonic()
            self._spent.append((ended, ended - began))
            self._room.release()


class Holders:
    """All who may use the service."""

    def __init__(self, settings: Settings) -> None:
        self._keys = settings.keys
        names = [key.name for key in settings.keys]
        quotas = [key.quota for key in settings.keys]
        if not names:
            names, quotas = [EVERYBODY], [settings.quota]
        self._by_name = {
            name: Holder(name, quota) for name, quota in zip(names, quotas, strict=True)
        }

    def of(self, key: str | None) -> Holder:
        """The holder of a key. Raises UnauthorizedError."""
        if not self._keys:
            return self._by_name[EVERYBODY]
        found: ApiKey | None = None
        for known in self._keys:  # all of them, so that the time tells nothing
            if known.fits(key or ""):
                found = known
        if found is None:
            raise UnauthorizedError(
                "unauthorized",
                "a key is needed: `Authorization: Bearer KEY` or `X-API-Key: KEY`",
                {"WWW-Authenticate": "Bearer"},
            )
        return self._by_name[found.name]


class Admission:
    """How many runs go on at a time, of all holders, and whether any may begin."""

    def __init__(self, most: int, waiting: int) -> None:
        self._room = asyncio.Semaphore(most)
        self._most_waiting = waiting
        self.running = 0
        self.waiting = 0
        self.closing = False
        self.told_to_end = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def check_open(self) -> None:
        """Raises UnavailableError if the service is about to end."""
        if self.closing:
            raise UnavailableError("closing", "the service is about to end", 5)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Around a run. Raises TooManyError if there is no room, not even to wait."""
        self.check_open()
        if self._room.locked() and self.waiting >= self._most_waiting:
            raise TooManyError("busy", "the service has enough to do", _BUSY_RETRY_SECONDS)
        self.waiting += 1
        try:
            await self._room.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        self._idle.clear()
        try:
            self.check_open()
            yield
        finally:
            self.running -= 1
            self._room.release()
            if self.running == 0:
                self._idle.set()

    def close(self) -> None:
        """Lets no run begin any more."""
        self.closing = True
        self.told_to_end.set()

    async def drained(self) -> None:
        """Waits until no run goes on."""
        await self._idle.wait()

    async def drain(self, seconds: float) -> bool:
        """Lets no run begin any more, and waits for those that go on. Whether all have ended."""
        self.close()
        try:
            async with asyncio.timeout(seconds):
                await self.drained()
        except TimeoutError:
            return False
        return True
