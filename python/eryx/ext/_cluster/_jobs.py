"""What the dispatcher sends: programs, what they start with, and several of them as one message."""

from __future__ import annotations

import itertools
import pickle
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

from eryx import SandboxFactory
from eryx.ext._cluster._engine import Engine
from eryx.ext._cluster._host import digest_of

_FIRST_SECONDS = 0.01  # of a program, until one has been run
_FIRST_BYTES = 10_000.0
_NEWEST = 0.3  # what the last message counts in the average

_digests: WeakKeyDictionary[SandboxFactory, str] = WeakKeyDictionary()
_numbers = itertools.count(1)


class Setup:
    """What sandboxes start with, and their options: the hosts make a pool for each."""

    def __init__(
        self, engine: Engine, factory: SandboxFactory | None, options: dict[str, Any]
    ) -> None:
        """Raises the exception of pickle for options that cannot go to another process."""
        self.data = None if factory is None else factory.to_bytes()
        self.digest: str | None = None
        if factory is not None:
            known = _digests.get(factory)
            if known is None:
                assert self.data is not None
                known = _digests[factory] = digest_of(self.data)
            self.digest = known
            options = factory._with_callbacks(options)
        self.options = engine.dumps(options)
        self.name = digest_of(f"{self.digest} ".encode() + self.options)
        self._seconds = _FIRST_SECONDS  # of one program, as far as is known
        self._bytes = _FIRST_BYTES
        self.failed_deliveries = 0

    def measured(self, programs: int, seconds: float, size: int) -> None:
        """Takes into account how long some programs took, and how many bytes both ways."""
        self._seconds += _NEWEST * (seconds / programs - self._seconds)
        self._bytes += _NEWEST * (size / programs - self._bytes)

    def fitting(self, most: int, seconds: float, size: int) -> int:
        """How many programs should go into a message, which takes so long and so many bytes."""
        fitting = min(most, seconds / max(self._seconds, 1e-6), size / max(self._bytes, 1.0))
        return max(1, int(fitting))


class Job:
    """One program, and who waits for its end."""

    __slots__ = ("attempts", "code", "is_begun", "node", "options", "retries", "setup")

    def __init__(self, setup: Setup, code: str, options: dict[str, Any], retries: int) -> None:
        self.setup = setup
        self.code = code
        self.options = options
        self.retries = retries
        self.attempts = 0
        self.is_begun = False
        self.node = ""

    def begin(self) -> bool:
        """Called once, before it is sent; False if nobody wants it any more."""
        return True

    def finish(self, ending: Any) -> None:
        """Called once, with a result or an exception."""
        raise NotImplementedError

    def refuse(self, error: Exception) -> None:
        """Called in place of `finish` if it could not be run at all."""
        raise NotImplementedError


class Batch:
    """Programs that go to a host as one message."""

    __slots__ = ("future", "jobs", "number", "size")

    def __init__(self, jobs: list[Job]) -> None:
        self.number = next(_numbers)
        self.jobs = jobs
        self.size = 0
        self.future: Future[bytes] | None = None

    def message(self) -> bytes:
        """What `Host.run` reads."""
        programs = [(job.code, job.options) for job in self.jobs]
        data = pickle.dumps(programs, pickle.HIGHEST_PROTOCOL)
        self.size = len(data)
        return data
