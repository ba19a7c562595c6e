"""Programs in, answers out: what users of both engines have."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Unpack

from eryx import ExecuteResult, SandboxFactory
from eryx._copying import Closable
from eryx._option_types import SandboxOptions, SessionOptions
from eryx._options import Equipment, Request
from eryx.ext._cluster._dispatcher import ClusterStats, Dispatcher
from eryx.ext._cluster._engine import Engine
from eryx.ext._cluster._jobs import Job, Setup
from eryx.ext._cluster._ledger import Ledger, digest_of
from eryx.ext._cluster._session import RemoteSession

# A program; or a dict of it, as "code", and what else `execute` takes: inputs, stdin, limits, ...
Program = str | Mapping[str, Any]

_PROGRESS_SECONDS = 0.5
_LEAST_WINDOW = 256
_WINDOW_OF_A_SLOT = 1024
_MOST_SETUPS = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """How one program has ended."""

    index: int
    """Its place among those that were given, from 0."""
    program: Program
    """The program, as it was given."""
    ending: ExecuteResult | Exception
    """The result, or the exception that `Sandbox.execute` would have raised; a
    `WorkerCrashedError` if its host died each time."""
    node: str
    """Where it ran: what the engine calls the machine or the process."""
    attempts: int
    """How often it was sent: more than once only if a host died before it had answered."""
    is_recorded: bool = False
    """Whether it comes from the ledger: an earlier process had it run."""

    @property
    def ok(self) -> bool:
        """Whether there is a result."""
        return isinstance(self.ending, ExecuteResult)

    def result(self) -> ExecuteResult:
        """The result; raises the exception if there is none."""
        if isinstance(self.ending, Exception):
            raise self.ending
        return self.ending


class Progress(NamedTuple):
    """How far a `map` is."""

    done: int
    """Programs that were answered."""
    failed: int
    """Those of them that ended with an exception."""
    resent: int
    """How often one was sent again because its host had died."""
    running: int
    """Programs that were taken and are not answered."""
    total: int | None
    """How many there are; None if that cannot be known in advance."""
    seconds: float
    """Time since the start."""

    @property
    def per_second(self) -> float:
        """Programs answered in a second, on average."""
        return self.done / self.seconds if self.seconds else 0.0


class _MapJob(Job):
    """A program of a `map`."""

    __slots__ = ("_answers", "_map", "index", "program")

    def __init__(
        self, index: int, program: Program, owner: _Map, parts: tuple[str, dict[str, Any]]
    ) -> None:
        super().__init__(owner.setup, *parts, owner.retries)
        self.index = index
        self.program = program
        self._map = owner

    def begin(self) -> bool:
        return not self._map.is_over

    def finish(self, ending: Any) -> None:
        self._map.answers.put(Answer(self.index, self.program, ending, self.node, self.attempts))

    def refuse(self, error: Exception) -> None:
        self._map.answers.put(error)


class _Map:
    """One call of `map`, on the thread of the caller."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        setup: Setup,
        programs: Iterable[Program],
        retries: int,
        most: int | None,
        on_progress: Callable[[Progress], object] | None,
        ledger: str | os.PathLike[str] | None,
    ) -> None:
        self.setup = setup
        self.retries = retries
        self.answers: SimpleQueue[Answer | Exception] = SimpleQueue()
        self.is_over = False
        self._dispatcher = dispatcher
        self._most = most
        self._window = most or _LEAST_WINDOW
        self._on_progress = on_progress
        self._path = ledger
        self._ledger: Ledger | None = None
        self._digests: dict[int, bytes] = {}
        self._programs = enumerate(programs)
        self._total = len(programs) if isinstance(programs, Sized) else None
        self._taken = self._done = self._failed = self._resent = self._given = 0
        self._is_exhausted = False
        self._started = self._reported = time.monotonic()

    def run(self, ordered: bool) -> Iterator[Answer]:
        try:
            if self._path is not None:
                self._ledger = Ledger(self._path)
            yield from self._in_order() if ordered else self._as_completed()
            self._report(is_last=True)
        finally:
            self.is_over = True
            if self._ledger is not None:
                self._ledger.close()

    def _as_completed(self) -> Iterator[Answer]:
        while True:
            ready = self._take()
            if not ready and self._taken == self._done:
                return
            for answer in ready or self._wait():
                self._given += 1
                yield answer

    def _in_order(self) -> Iterator[Answer]:
        early: dict[int, Answer] = {}
        for answer in self._as_completed():
            early[answer.index] = answer
            self._given -= 1
            while (first := early.pop(self._given, None)) is not None:
                self._given += 1
                yield first

    def _take(self) -> list[Answer]:
        """Sends what there is room for; gives what the ledger has of it."""
        recorded: list[Answer] = []
        jobs: list[Job] = []
        while not self._is_exhausted and self._taken - self._given < self._window:
            following = next(self._programs, None)
            if following is None:
                self._is_exhausted = True
                break
            index, program = following
            parts = _parts_of(program)
            self._taken += 1
            record = None
            if self._ledger is not None:
                digest = self._digests[index] = digest_of(*parts)
                record = self._ledger.find(index, digest)
            if record is None:
                jobs.append(_MapJob(index, program, self, parts))
            else:
                del self._digests[index]
                ending, node, attempts = record
                answer = Answer(index, program, ending, node, attempts, is_recorded=True)
                recorded.append(answer)
                self._count(answer)
        if jobs:
            self._dispatcher.submit(jobs)
        if self._most is None and self._done > self._window:
            self._widen()
        return recorded

    def _widen(self) -> None:
        """Takes more at a time, if there are hosts for more."""
        slots = self._dispatcher.stats().slots
        self._window = max(self._window * 2, _WINDOW_OF_A_SLOT * slots)
        if self._window >= _WINDOW_OF_A_SLOT * slots:
            self._most = self._window

    def _wait(self) -> list[Answer]:
        """Waits for answers; all that have come are on disk before one is given."""
        found: list[Answer] = []
        while True:
            try:
                answer = self.answers.get(block=not found, timeout=_PROGRESS_SECONDS)
            except Empty:
                if found:
                    break
                self._report()
                continue
            if isinstance(answer, Exception):
                raise answer
            found.append(answer)
        if self._ledger is not None:
            self._ledger.add(
                (one.index, self._digests.pop(one.index), one.ending, one.node, one.attempts)
                for one in found
            )
        for answer in found:
            self._count(answer)
        self._report()
        return found

    def _count(self, answer: Answer) -> None:
        self._done += 1
        self._failed += not answer.ok
        if not answer.is_recorded:
            self._resent += answer.attempts - 1

    def _report(self, is_last: bool = False) -> None:
        now = time.monotonic()
        if self._on_progress and (is_last or now - self._reported >= _PROGRESS_SECONDS):
            self._reported = now
            running = self._taken - self._done
            seconds = now - self._started
            self._on_progress(
                Progress(self._done, self._failed, self._resent, running, self._total, seconds)
            )


class _SubmitJob(Job):
    """A program with a future of its own."""

    __slots__ = ("_end", "future")

    def __init__(
        self,
        setup: Setup,
        parts: tuple[str, dict[str, Any]],
        retries: int,
        end: Callable[[], object],
    ) -> None:
        super().__init__(setup, *parts, retries)
        self.future: Future[ExecuteResult] = Future()
        self._end = end

    def begin(self) -> bool:
        is_wanted = self.future.set_running_or_notify_cancel()
        if not is_wanted:
            self._end()
        return is_wanted

    def finish(self, ending: Any) -> None:
        self._end()
        if isinstance(ending, Exception):
            self.future.set_exception(ending)
        else:
            self.future.set_result(ending)

    def refuse(self, error: Exception) -> None:
        self._end()
        try:
            self.future.set_exception(error)
        except InvalidStateError:
            pass  # it was cancelled


class Pool(Closable):
    """Sandboxes in the processes of a cluster."""

    _why = "it stands for processes that it has started in the cluster"

    def __init__(
        self,
        engine: Engine,
        *,
        max_hosts: int | None = None,
        max_queued: int = 10_000,
        patience_seconds: float = 60.0,
    ) -> None:
        """Starts hosts in the cluster: actors in which the sandboxes are.

        max_hosts: how many at most; None for as many as there is room for.
        max_queued: how many programs of `submit` may be unanswered; `submit` waits beyond that.
        patience_seconds: how long to wait for a cluster that has no place for a host.
        """
        if max_hosts is not None and max_hosts < 1:
            raise ValueError("max_hosts must be at least 1, or None")
        if max_queued < 1:
            raise ValueError("max_queued must be at least 1")
        self._engine = engine
        self._identity = engine.identity
        self._dispatcher = Dispatcher(engine, max_hosts, patience_seconds)
        # A factory that is held keeps its identity.
        self._setups: OrderedDict[tuple[int, bytes], tuple[SandboxFactory | None, Setup]]
        self._setups = OrderedDict()
        self._queue = threading.BoundedSemaphore(max_queued)
        self._lock = threading.Lock()
        self._is_closed = False

    def map(
        self,
        programs: Iterable[Program],
        *,
        factory: SandboxFactory | None = None,
        ordered: bool = True,
        retries: int = 2,
        max_in_flight: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        ledger: str | os.PathLike[str] | None = None,
        **options: Unpack[SandboxOptions],
    ) -> Iterator[Answer]:
        """Runs programs, each in a clean sandbox; gives how each of them ended.

        programs: each a str, or a dict with ``code`` and what `Sandbox.execute` takes besides it,
            such as ``inputs``, ``stdin`` or ``timeout_ms``. They are taken as answers are fetched.
        factory: what the sandboxes start with; brought to each node once.
        ordered: whether the answers come in the order of the programs, or as they are there.
        retries: how often a program is sent again whose host died before it had answered. It goes
            to a host on its own then, so that a program that ends its hosts takes no other along.
        max_in_flight: how many programs are taken from the iterable before their answers were
            fetched; if not given, 1,024 for each that computes at the same time.
        on_progress: called with a `Progress` about twice a second while answers are waited for,
            and at the end.
        ledger: a file in which every answer is before it is given. A later call with the same
            programs and file takes from it what is there, and runs the rest.
        options: as of `Sandbox`. Functions among them are called in the engine's processes.
        """
        _check_retries(retries)
        if max_in_flight is not None and max_in_flight < 1:
            raise ValueError("max_in_flight must be at least 1, or None")
        setup = self._setup(factory, _checked(options))
        work = _Map(self._dispatcher, setup, programs, retries, max_in_flight, on_progress, ledger)
        return work.run(ordered)

    def submit(
        self,
        program: Program,
        *,
        factory: SandboxFactory | None = None,
        retries: int = 2,
        **options: Unpack[SandboxOptions],
    ) -> Future[ExecuteResult]:
        """Runs one program; the parameters are those of `map`.

        The future gives the result, or raises what `Sandbox.execute` would raise. On an event loop
        ``await asyncio.wrap_future(pool.submit(...))``.
        """
        _check_retries(retries)
        setup = self._setup(factory, _checked(options))
        parts = _parts_of(program)
        self._queue.acquire()
        job = _SubmitJob(setup, parts, retries, self._queue.release)
        self._dispatcher.submit([job])
        return job.future

    def session(
        self,
        *,
        factory: SandboxFactory | None = None,
        save_every: int = 1,
        **options: Unpack[SessionOptions],
    ) -> RemoteSession:
        """Makes a session that outlives the node it is on; see `RemoteSession`."""
        setup = self._setup(factory, dict(options))
        return RemoteSession(self._dispatcher, self._engine, setup, save_every)

    def stats(self) -> ClusterStats:
        """Figures of this moment."""
        self._check()
        return self._dispatcher.stats()

    def close(self) -> None:
        """Ends the hosts, with what runs there. Closing twice does no harm."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._dispatcher.close()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    @property
    def is_connected(self) -> bool:
        """Whether it is open, and the engine the one that it was made with."""
        try:
            return not self._is_closed and self._engine.identity == self._identity
        except Exception:  # of the engine, which was shut down
            return False

    def _check(self) -> None:
        if self._is_closed:
            raise ValueError("the pool is closed")

    def _setup(self, factory: SandboxFactory | None, options: dict[str, Any]) -> Setup:
        self._check()
        if factory is not None and not isinstance(factory, SandboxFactory):
            raise TypeError(
                f"factory must be a SandboxFactory or None, not {type(factory).__name__}"
            )
        key = id(factory), self._engine.dumps(options) if options else b""
        with self._lock:
            if key not in self._setups:
                self._setups[key] = factory, Setup(self._engine, factory, options)
            self._setups.move_to_end(key)
            if len(self._setups) > _MOST_SETUPS:
                _, (_, oldest) = self._setups.popitem(last=False)
                self._dispatcher.forget(oldest)
            return self._setups[key][1]


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of sandboxes; raises what `Sandbox` would raise where that needs no node."""
    for name in options:
        if name not in Request.names and name not in Equipment.names:
            raise TypeError(f"{name!r} is not an option of a sandbox")
    Request(**{name: value for name, value in options.items() if name in Request.names})
    return dict(options)


def _check_retries(retries: int) -> None:
    if retries < 0:
        raise ValueError("retries must not be negative")


def _parts_of(program: Program) -> tuple[str, dict[str, Any]]:
    """The code, and the options of `execute`."""
    if isinstance(program, str):
        return program, {}
    if not isinstance(program, Mapping) or not isinstance(program.get("code"), str):
        raise TypeError('a program must be a str, or a dict with one as "code"')
    return program["code"], {name: value for name, value in program.items() if name != "code"}
