"""Who computes when: a few threads of eryx's own that take turns with the guests of event loops.

A guest that computes for long is a job. A thread lets it compute for one slice, then it goes to the
end of the queue, so all get the same share however many there are. Nobody ever waits for a thread:
a job that is queued can be taken back, one that a thread has just now can be left to it.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from sys import is_finalizing

from eryx._threads import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Work(Protocol):
        """What a job does. All of it is called by a thread of the scheduler; nothing may raise."""

        def compute(self) -> bool:
            """One slice. True if there is more to compute."""

        def done(self) -> None:
            """There is no more to compute."""

        def cancel(self) -> None:
            """Makes a slice that goes on end soon; from any thread."""


# How long a guest computes before it is the turn of the next, in processor time of its thread.
SLICE_NS = 10_000_000

_IDLE_SECONDS = 10.0

# How long the end of the interpreter waits for guests, which have been told to stop, to do so.
_EXIT_SECONDS = 0.1


class Job:
    """Work on its way through the queue; for once."""

    __slots__ = ("_cleanup", "has_thread", "urgent", "work")

    def __init__(self, work: Work) -> None:
        """work: what is to be done."""
        self.work = work
        self.has_thread = False
        self.urgent = False  # it is about to end, so it comes before those that go on
        self._cleanup: Callable[[], None] | None = None


class Scheduler:
    """Threads and the queue before them. All methods may be called by any thread."""

    def __init__(self, max_threads: int) -> None:
        """No thread is started yet."""
        # Reentrant, since a coroutine may be found to be garbage at any time.
        self._condition = threading.Condition(threading.RLock())
        self._queue: deque[Job] = deque()
        self._computing: set[Job] = set()
        self._max_threads = max_threads
        self._threads = 0
        self._idle = 0

    @property
    def max_threads(self) -> int:
        """How many threads there may be."""
        return self._max_threads

    @max_threads.setter
    def max_threads(self, value: int) -> None:
        with self._condition:
            self._max_threads = value
            self._condition.notify_all()  # those that are too many end
            missing = min(value - self._threads, len(self._queue))
        for _ in range(missing):
            self._start_thread()

    def submit(self, job: Job) -> None:
        """Puts a job into the queue. Raises RuntimeError if there is no thread for it."""
        if is_finalizing():
            raise RuntimeError("threads do not run any more")
        with self._condition:
            self._enqueue(job)
            if self._idle >= len(self._queue) or self._threads >= self._max_threads:
                self._condition.notify()
                return
        self._start_thread()
        with self._condition:
            if self._threads == 0 and job in self._queue:
                self._queue.remove(job)
                raise RuntimeError("no thread can be started")

    def withdraw(self, job: Job) -> bool:
        """Takes a job out of the queue. False if it is not there, so that a thread has it."""
        with self._condition:
            if job not in self._queue:
                return False
            self._queue.remove(job)
            return True

    def leave(self, job: Job, cleanup: Callable[[], None]) -> None:
        """Has cleanup called as soon as no thread has the job, at once if none has."""
        with self._condition:
            if job.has_thread:
                job._cleanup = cleanup
                return
            if job in self._queue:
                self._queue.remove(job)
        cleanup()

    def cancel_all(self) -> None:
        """Makes all guests that threads have end, and waits for that a moment."""
        with self._condition:
            self._queue.clear()
            for job in self._computing:
                job.work.cancel()
            self._condition.wait_for(lambda: not self._computing, _EXIT_SECONDS)

    def _enqueue(self, job: Job) -> None:
        if job.urgent:
            self._queue.appendleft(job)
        else:
            self._queue.append(job)

    def _start_thread(self) -> None:
        with self._condition:
            self._threads += 1
        try:
            start_thread("eryx-compute", self._serve)
        except RuntimeError:  # the system has no more, or the interpreter ends
            with self._condition:
                self._threads -= 1

    def _serve(self) -> None:
        """What a thread does."""
        while True:
            with self._condition:
                self._idle += 1
                self._condition.wait_for(self._has_work, _IDLE_SECONDS)
                self._idle -= 1
                if not self._queue or self._threads > self._max_threads:
                    self._threads -= 1
                    self._condition.notify()
                    return
                job = self._queue.popleft()
                job.has_thread = True
                self._computing.add(job)
            self._serve_slice(job)
            del job  # it holds the run

    def _has_work(self) -> bool:
        return bool(self._queue) or self._threads > self._max_threads

    def _serve_slice(self, job: Job) -> None:
        more = job.work.compute()
        with self._condition:
            job.has_thread = False
            self._computing.discard(job)
            if not self._computing:
                self._condition.notify_all()  # cancel_all() may wait for it
            cleanup = job._cleanup
            if more and cleanup is None:
                self._enqueue(job)
                return
        if cleanup is not None:
            cleanup()
        else:
            job.work.done()


_MOST_THREADS = 1_000

_max_threads: int | None = None
_current: dict[str, Scheduler] = {}  # at most one, put there by whoever comes first


def scheduler() -> Scheduler:
    """The scheduler of this process."""
    found = _current.get("")
    if found is None:
        found = _current.setdefault("", Scheduler(_max_threads or _usable_cpus()))
    return found


def set_threads(threads: int | None) -> None:
    """How many threads the scheduler has at most; None for the number of usable CPUs.

    Raises TypeError or ValueError if that is not an integer from 1 to 1,000.
    """
    global _max_threads
    if threads is not None:
        if not isinstance(threads, int) or isinstance(threads, bool):
            raise TypeError(f"threads must be an int or None, not {type(threads).__name__}")
        if not 1 <= threads <= _MOST_THREADS:
            raise ValueError(f"threads must be from 1 to {_MOST_THREADS:,}, not {threads}")
    _max_threads = threads
    for present in tuple(_current.values()):
        present.max_threads = threads or _usable_cpus()


def _usable_cpus() -> int:
    return len(os.sched_getaffinity(0))


@atexit.register
def _at_exit() -> None:
    """Lets guests come to an end while the interpreter is still whole."""
    for present in tuple(_current.values()):
        present.cancel_all()


os.register_at_fork(after_in_child=_current.clear)  # the threads of the parent are not there
