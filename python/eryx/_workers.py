"""Worker threads for functions that block.

Not those of concurrent.futures: the interpreter waits for these at its end, and a callback may
never return.
"""

from __future__ import annotations

import os
import threading
from collections import deque

from eryx._threads import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_THREADS = 512
_IDLE_SECONDS = 10.0


class _Pool:
    """Threads that are made when all are busy and end when there is nothing to do."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._idle = 0
        self._threads = 0
        self.process = os.getpid()

    def submit(self, job: Callable[[], None]) -> None:
        with self._condition:
            self._jobs.append(job)
            if self._idle >= len(self._jobs) or self._threads >= _MAX_THREADS:
                self._condition.notify()
                return
            self._threads += 1
        try:
            start_thread("eryx-callback", self._serve)
        except RuntimeError:
            with self._condition:
                self._threads -= 1
                if self._threads == 0:
                    self._jobs.remove(job)
                    raise

    def _serve(self) -> None:
        while True:
            with self._condition:
                self._idle += 1
                there = self._condition.wait_for(lambda: self._jobs, _IDLE_SECONDS)
                self._idle -= 1
                if not there:
                    self._threads -= 1
                    return
                job = self._jobs.popleft()
            job()
            del job  # it holds the run


_pool = _Pool()


def submit(job: Callable[[], None]) -> None:
    """Has a worker thread call job, which must not raise.

    Raises RuntimeError if there is no thread and none can be made.
    """
    global _pool
    if _pool.process != os.getpid():
        _pool = _Pool()  # the threads of the parent are not here
    _pool.submit(job)


async def call(function: Callable[[], Any]) -> Any:
    """Has a worker thread call a function while the event loop goes on; gives what it returns."""
    import asyncio

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    answer: list[Any] = []
    failure: list[BaseException] = []

    def job() -> None:
        try:
            answer.append(function())
        except BaseException as error:
            failure.append(error)
        try:
            loop.call_soon_threadsafe(ended.set)
        except RuntimeError:
            pass  # it is closed, so nobody waits

    try:
        submit(job)
    except RuntimeError:
        return function()  # there are no threads
    await ended.wait()
    if failure:
        raise failure[0]
    return answer[0]
