"""Who gets which program: a thread that knows all hosts, and is told of all that happens.

Everything here happens on that thread, but for the methods that say otherwise.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from eryx import EryxError, WorkerCrashedError
from eryx.ext._cluster import _plain
from eryx.ext._cluster._engine import Engine, Spot
from eryx.ext._cluster._jobs import Batch, Job, Setup

_TICK_SECONDS = 1.0
_REFRESH_SECONDS = 5.0
_QUICK_REFRESH_SECONDS = 0.5  # after a host has gone
_SILENT_SECONDS = 120.0  # a host that does not answer for so long is given up
_BATCH_SECONDS = 0.1  # how much work goes into one message
_BATCH_BYTES = 4 * 2**20
_MOST_PROGRAMS = 256  # in a message
_AHEAD = 2  # messages for each slot: one that runs, and one that waits there
_MOST_FAILURES = 3  # to bring a factory

Then = Callable[[Any], None]

_log = logging.getLogger("eryx.cluster")


class ClusterStats(NamedTuple):
    """How a pool is doing; see `Pool.stats`."""

    hosts: int
    """Processes of the engine that run programs."""
    nodes: int
    """Machines that they are on."""
    slots: int
    """Programs that compute at the same time."""
    waiting: int
    """Programs that were not sent yet."""
    running: int
    """Programs that were sent and have not been answered."""
    lost_hosts: int
    """Hosts that have died, or were given up."""
    resent: int
    """Programs that were sent once more since their host was lost."""
    factories_sent: int
    """How often a factory was brought to a node."""
    messages: int
    """Messages with programs."""


class Link:
    """A host, as it is known here."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.host: Any = None
        self.is_ready = False
        self.is_dead = False
        self.identity = ""
        self.place = ""  # processes with the same one share a folder
        self.known: set[str] = set()  # names of setups
        self.preparing: dict[str, list[Future[None]]] = {}
        self.flying: dict[int, Batch] = {}
        self.is_alone = False  # with a program that may be what has ended its host
        self.sessions = 0
        self.heard = time.monotonic()
        self.pinged: float | None = None
        self.death: Future[None] = Future()  # done when it is dead

    @property
    def has_room(self) -> bool:
        is_full = self.is_alone or len(self.flying) >= _AHEAD * self.spot.slots
        return self.is_ready and not is_full


class _Delivery:
    """A factory on its way to a node."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.is_there = False
        self.waiting: list[tuple[Link, Setup]] = []


class Dispatcher:
    """Gives programs to hosts, and hosts to sessions."""

    def __init__(self, engine: Engine, max_hosts: int | None, patience: float) -> None:
        """patience: seconds without any host after which programs are given up."""
        self._engine = engine
        self._max_hosts = max_hosts
        self._patience = patience
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._links: dict[str, Link] = {}
        self._roomy: dict[Link, None] = {}  # those that take a message, in order
        self._waiting: dict[Setup, deque[Job]] = {}
        self._suspects: deque[Job] = deque()
        self._places: list[Future[Link]] = []
        self._references: dict[str, Any] = {}  # of factories in the object store
        self._deliveries: dict[tuple[str, str], _Delivery] = {}
        # Factories that were brought to a place, and who has looked there since.
        self._brought: dict[tuple[str, str], set[str]] = {}
        self._next_refresh = self._next_ping = 0.0
        self._without_hosts = time.monotonic()
        self._trouble: BaseException | None = None  # why the last host could not be started
        self._lost_hosts = self._resent = self._factories_sent = self._messages = 0
        self._is_closed = self._is_over = False
        self._end = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="eryx-dispatcher", daemon=True)
        self._thread.start()

    # ---- From other threads ----

    def submit(self, jobs: list[Job]) -> None:
        """Takes programs; of each the end is told once. From any thread."""
        self._post(partial(self._take, jobs))

    def place(self) -> Future[Link]:
        """Gives the host with the fewest sessions, to which one is added. From any thread."""
        future: Future[Link] = Future()
        self._post(partial(self._place, future))
        return future

    def leave(self, link: Link) -> None:
        """Takes a session away from a host. From any thread."""

        def left() -> None:
            link.sessions -= 1

        self._post(left)

    def equip(self, link: Link, setup: Setup) -> Future[None]:
        """Sees to it that a host knows a setup. From any thread."""
        future: Future[None] = Future()
        self._post(partial(self._equip, link, setup, future))
        return future

    def forget(self, setup: Setup) -> None:
        """Lets hosts drop a setup; what needs it makes it anew. From any thread."""
        self._post(partial(self._forget, setup))

    def gone(self, link: Link, error: BaseException) -> None:
        """Says that a host does not answer any more. From any thread."""
        self._post(partial(self._lost, link, error))

    def stats(self) -> ClusterStats:
        """Figures. From any thread."""
        future: Future[ClusterStats] = Future()
        self._post(lambda: future.set_result(self._stats()))
        return future.result()

    def close(self) -> None:
        """Ends all hosts and gives up what was not done. From any thread but its own."""
        self._post(self._close)
        self._thread.join()

    def _post(self, event: Callable[[], None]) -> None:
        with self._end:
            if not self._is_over:
                self._events.put(event)
                return
        event()

    # ---- The thread ----

    def _work(self) -> None:
        while not self._is_closed:
            try:
                event = self._events.get(timeout=_TICK_SECONDS)
            except Empty:
                event = _nothing
            try:
                event()
                now = time.monotonic()
                if now >= self._next_ping:
                    self._next_ping = now + _TICK_SECONDS
                    self._ping()
                if now >= self._next_refresh:
                    self._refresh()
                self._send()
            except Exception:
                _log.exception("the dispatcher goes on after a fault of its own")
        with self._end:
            self._is_over = True
        while not self._events.empty():  # those who came too late
            self._events.get()()

    def _refresh(self) -> None:
        """Starts hosts where there are none, and gives up those whose spot has gone."""
        self._next_refresh = time.monotonic() + _REFRESH_SECONDS
        try:
            spots = {spot.name: spot for spot in self._engine.spots()[: self._max_hosts]}
        except Exception as error:
            self._trouble = error
            self._give_up_after_patience()
            return
        for name, link in list(self._links.items()):
            if name not in spots:
                self._lost(link, EryxError("the engine does not know it any more"))
        for name, spot in spots.items():
            if name not in self._links:
                link = self._links[name] = Link(spot)
                try:
                    future = self._engine.start(spot)
                except Exception as error:
                    del self._links[name]
                    self._trouble = error
                    break
                future.add_done_callback(self._later(self._started, link))
        self._give_up_after_patience()

    def _later(self, method: Callable[..., None], *arguments: Any) -> Callable[[Any], None]:
        """For futures: calls a method with them, on this thread."""
        return lambda future: self._events.put(partial(method, *arguments, future))

    def _started(self, link: Link, future: Future[Any]) -> None:
        error = _error_of(future)
        if error is not None:
            self._lost(link, error)
            return
        link.host = future.result()
        if link.is_dead:
            self._engine.stop(link.host)
        else:
            self._ask(link, "ready", (), partial(self._ready, link))

    def _ready(self, link: Link, told: Any) -> None:
        if isinstance(told, Exception):
            self._lost(link, told)
            return
        link.is_ready = True
        link.heard = time.monotonic()
        link.place = f"{told['host']} {told['folder']}"
        link.identity = told["identity"]
        self._roomy[link] = None
        self._trouble = None
        places, self._places = self._places, []
        for future in places:
            self._place(future)

    def _ready_links(self) -> list[Link]:
        return [link for link in self._links.values() if link.is_ready]

    def _give_up_after_patience(self) -> None:
        now = time.monotonic()
        is_idle = not (self._waiting or self._suspects or self._places)
        if is_idle or any(link.is_ready for link in self._links.values()):
            self._without_hosts = now
        elif now - self._without_hosts > self._patience:
            problem = f"{self._engine.name} has had no place for a host"
            if self._trouble is not None:
                problem = f"no host could be started: {_named(self._trouble)}"
            error = WorkerCrashedError(f"{problem}, for {self._patience:g} seconds")
            error.__cause__ = self._trouble
            self._refuse_all(error)
            self._without_hosts = now

    def _refuse_all(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        suspects, self._suspects = self._suspects, deque()
        for jobs in (*waiting.values(), suspects):
            for job in jobs:
                job.refuse(error)
        places, self._places = self._places, []
        for future in places:
            future.set_exception(error)

    # ---- Messages ----

    def _ask(self, link: Link, method: str, arguments: tuple[Any, ...], then: Then) -> None:
        """Calls a host; what it answers, which may be an exception of its own, goes to `then`."""
        try:
            future = self._engine.call(link.host, method, *arguments)
        except Exception as error:
            self._lost(link, error)
        else:
            future.add_done_callback(self._later(self._heard, link, then))

    def _heard(self, link: Link, then: Then, future: Future[bytes]) -> None:
        if link.is_dead:
            return
        answer, error = _answer_of(future)
        if error is None:
            link.pinged, link.heard = None, time.monotonic()
            then(answer)
        else:
            self._lost(link, error)

    def _ping(self) -> None:
        """Asks hosts that should be saying something whether they are there."""
        now = time.monotonic()
        for link in self._ready_links():
            if link.pinged is None:
                if (link.flying or link.sessions) and now - link.heard > _SILENT_SECONDS / 3:
                    link.pinged = now
                    self._ask(link, "ping", (), lambda _: None)
            elif now - link.pinged > _SILENT_SECONDS:
                self._lost(link, EryxError(f"no answer for {_SILENT_SECONDS:g} seconds"))

    def _lost(self, link: Link, error: BaseException) -> None:
        """Takes a host out; its programs that were not answered go elsewhere."""
        if link.is_dead:
            return
        link.is_dead = True
        link.death.set_result(None)
        was_ready, link.is_ready = link.is_ready, False
        self._roomy.pop(link, None)
        if self._links.get(link.spot.name) is link:
            del self._links[link.spot.name]
        if was_ready:
            self._lost_hosts += 1
        else:
            self._trouble = error
        self._next_refresh = min(self._next_refresh, time.monotonic() + _QUICK_REFRESH_SECONDS)
        if link.host is not None:
            try:
                self._engine.stop(link.host)
            except Exception:
                pass  # it is gone already
        batches, link.flying = link.flying, {}
        for batch in batches.values():
            assert batch.future is not None
            answer, trouble = _answer_of(batch.future) if batch.future.done() else (None, error)
            if trouble is None:
                self._settle(batch, answer)  # it had come, and is further back in the queue
            else:
                for job in batch.jobs:
                    self._again(job, error)
        for futures in link.preparing.values():
            for future in futures:
                future.set_exception(WorkerCrashedError(_death(link, error)))
        for key, delivery in list(self._deliveries.items()):
            if delivery.link is link:
                self._end_delivery(key)

    def _again(self, job: Job, error: BaseException) -> None:
        if job.attempts > job.retries:
            times = "once" if job.attempts == 1 else f"{job.attempts} times"
            job.finish(
                WorkerCrashedError(
                    f"the host of the program died; it was sent {times} ({_named(error)})"
                )
            )
        else:
            self._resent += 1
            self._suspects.append(job)

    # ---- Programs ----

    def _take(self, jobs: list[Job]) -> None:
        for job in jobs:
            if self._is_closed:
                job.refuse(EryxError("the pool is closed"))
            else:
                self._waiting.setdefault(job.setup, deque()).append(job)

    def _send(self) -> None:
        """Gives programs to hosts that have room."""
        # Programs whose host died go out alone, so that one of them that ends its host again
        # takes no other with it. Hosts are kept free for them.
        kept = len(self._suspects)
        for link in list(self._roomy) if self._waiting or self._suspects else ():
            if not link.is_ready:
                continue  # it was lost while others were given programs
            if self._suspects and not link.flying:
                self._send_suspect(link)
                continue
            if kept:
                kept -= 1
                continue
            while link.has_room and self._send_batch(link):
                pass
            if not self._waiting and not self._suspects:
                break

    def _send_suspect(self, link: Link) -> None:
        job = self._suspects[0]
        if job.setup.name not in link.known:
            self._prepare(link, job.setup)
        else:
            self._suspects.popleft()
            link.is_alone = True
            self._dispatch(link, job.setup, [job])

    def _send_batch(self, link: Link) -> bool:
        for setup in list(self._waiting):
            if setup.name not in link.known:
                self._prepare(link, setup)
                if not link.is_ready:
                    return False  # it was lost
                continue
            waiting = self._waiting[setup]
            share = -(-len(waiting) // len(self._roomy))
            most = min(share, setup.fitting(_MOST_PROGRAMS, _BATCH_SECONDS, _BATCH_BYTES))
            jobs: list[Job] = []
            while waiting and len(jobs) < most:
                job = waiting.popleft()
                if job.is_begun or job.begin():
                    job.is_begun = True
                    jobs.append(job)
            del self._waiting[setup]
            if waiting:
                self._waiting[setup] = waiting  # behind the others
            if jobs:
                self._dispatch(link, setup, jobs)
                return True
        return False

    def _dispatch(self, link: Link, setup: Setup, jobs: list[Job]) -> None:
        batch = Batch(jobs)
        for job in jobs:
            job.attempts += 1
            job.node = link.spot.node
        self._messages += 1
        try:
            batch.future = self._engine.call(
                link.host, "run", link.identity, setup.name, batch.message()
            )
        except Exception as error:
            for job in jobs:
                self._again(job, error)
            self._lost(link, error)
            return
        link.flying[batch.number] = batch
        if not link.has_room:
            self._roomy.pop(link, None)
        batch.future.add_done_callback(
            self._later(self._heard, link, partial(self._ran, link, batch))
        )

    def _ran(self, link: Link, batch: Batch, answer: Any) -> None:
        del link.flying[batch.number]
        link.is_alone = False
        self._roomy[link] = None
        if answer is None:  # it was told to forget the setup
            link.known.discard(batch.jobs[0].setup.name)
            for job in batch.jobs:
                job.attempts -= 1
                self._waiting.setdefault(job.setup, deque()).append(job)
        else:
            self._settle(batch, answer)

    def _settle(self, batch: Batch, answer: Any) -> None:
        if isinstance(answer, Exception):
            for job in batch.jobs:
                job.finish(answer)
            return
        endings, seconds = answer
        assert batch.future is not None
        size = batch.size + len(batch.future.result())
        batch.jobs[0].setup.measured(len(batch.jobs), seconds, size)
        for job, ending in zip(batch.jobs, endings, strict=True):
            job.finish(ending)

    # ---- What sandboxes start with ----

    def _forget(self, setup: Setup) -> None:
        if setup.digest is not None:
            self._references.pop(setup.digest, None)
        for link in self._ready_links():
            if setup.name in link.known:
                link.known.discard(setup.name)
                self._ask(link, "drop", (setup.name,), lambda _: None)

    def _equip(self, link: Link, setup: Setup, future: Future[None]) -> None:
        if link.is_dead or self._is_closed:
            future.set_exception(WorkerCrashedError("the host of the session died"))
        elif setup.name in link.known:
            future.set_result(None)
        else:
            self._prepare(link, setup)
            link.preparing[setup.name].append(future)

    def _prepare(self, link: Link, setup: Setup) -> None:
        if setup.name not in link.preparing:
            link.preparing[setup.name] = []
            self._ask_to_prepare(link, setup)

    def _ask_to_prepare(self, link: Link, setup: Setup) -> None:
        arguments = (setup.name, setup.digest, setup.options)
        self._ask(link, "prepare", arguments, partial(self._prepared, link, setup))

    def _prepared(self, link: Link, setup: Setup, answer: object) -> None:
        key = link.place, setup.digest or ""
        delivery = self._deliveries.get(key)
        if delivery is not None and delivery.link is link and delivery.is_there:
            if answer is False:
                self._not_delivered(key, setup, EryxError("it is not there any more"))
                return
            self._brought[key] = {link.identity}
            self._end_delivery(key, (link, setup))
        if answer is False:
            self._deliver(link, setup)
        elif isinstance(answer, Exception):
            self._cannot_prepare(link, setup, answer)
        else:
            link.known.add(setup.name)
            for future in link.preparing.pop(setup.name):
                future.set_result(None)

    def _cannot_prepare(self, link: Link, setup: Setup, error: Exception) -> None:
        for future in link.preparing.pop(setup.name):
            future.set_exception(error)
        for job in self._waiting.pop(setup, ()):
            job.refuse(error)
        for job in [job for job in self._suspects if job.setup is setup]:
            self._suspects.remove(job)
            job.refuse(error)

    def _deliver(self, link: Link, setup: Setup) -> None:
        """Brings a factory to a node, once; other hosts there find it in their folder."""
        assert setup.digest is not None
        key = link.place, setup.digest
        if key in self._deliveries:
            self._deliveries[key].waiting.append((link, setup))
            return
        looked = self._brought.get(key)
        if looked is not None and link.identity not in looked:
            looked.add(link.identity)  # it may have looked before the factory was there
            self._ask_to_prepare(link, setup)
            return
        delivery = self._deliveries[key] = _Delivery(link)
        delivery.waiting.append((link, setup))
        self._factories_sent += 1
        try:
            reference = self._references.get(setup.digest)
            if reference is None:
                assert setup.data is not None
                reference = self._references[setup.digest] = self._engine.put(setup.data)
            future = self._engine.deliver(link.host, setup.digest, reference)
        except Exception as error:
            self._not_delivered(key, setup, error)
        else:
            future.add_done_callback(self._later(self._delivered, delivery, key, setup))

    def _delivered(
        self, delivery: _Delivery, key: tuple[str, str], setup: Setup, future: Future[Any]
    ) -> None:
        if self._deliveries.get(key) is delivery:
            error = _error_of(future)
            if error is None:
                delivery.is_there = True  # others may look when this host has put it there
                self._ask_to_prepare(delivery.link, setup)
            else:
                self._not_delivered(key, setup, error)

    def _not_delivered(self, key: tuple[str, str], setup: Setup, error: BaseException) -> None:
        """Puts it into the store once more, since who kept it may have died."""
        self._references.pop(key[1], None)
        setup.failed_deliveries += 1
        if setup.failed_deliveries > _MOST_FAILURES:
            problem = EryxError(f"the factory could not be brought to {key[0]}: {error}")
            for link, waiting in self._deliveries.pop(key).waiting:
                if not link.is_dead:
                    self._cannot_prepare(link, waiting, problem)
        else:
            self._end_delivery(key)

    def _end_delivery(self, key: tuple[str, str], done: tuple[Link, Setup] | None = None) -> None:
        for link, setup in self._deliveries.pop(key).waiting:
            if not link.is_dead and (link, setup) != done:
                self._ask_to_prepare(link, setup)

    # ---- Sessions, figures, the end ----

    def _place(self, future: Future[Link]) -> None:
        ready = self._ready_links()
        if self._is_closed:
            future.set_exception(EryxError("the pool is closed"))
        elif not ready:
            self._places.append(future)
        else:
            link = min(ready, key=lambda link: link.sessions / link.spot.slots)
            link.sessions += 1
            future.set_result(link)

    def _stats(self) -> ClusterStats:
        ready = self._ready_links()
        waiting = sum(map(len, self._waiting.values())) + len(self._suspects)
        flying = [batch for link in ready for batch in link.flying.values()]
        return ClusterStats(
            len(ready),
            len({link.spot.node for link in ready}),
            sum(link.spot.slots for link in ready),
            waiting,
            sum(len(batch.jobs) for batch in flying),
            self._lost_hosts,
            self._resent,
            self._factories_sent,
            self._messages,
        )

    def _close(self) -> None:
        self._is_closed = True
        error = EryxError("the pool is closed")
        for link in list(self._links.values()):
            link.is_dead = True
            link.death.set_result(None)
            if link.host is not None:
                try:
                    self._engine.stop(link.host)
                except Exception:
                    pass
            for batch in link.flying.values():
                for job in batch.jobs:
                    job.refuse(error)
            for futures in link.preparing.values():
                for future in futures:
                    future.set_exception(error)
        self._links.clear()
        self._roomy.clear()
        self._refuse_all(error)


def _nothing() -> None:
    """An event when there is none."""


def _answer_of(future: Future[bytes]) -> tuple[Any, BaseException | None]:
    """What a host has said, or the exception of the engine."""
    error = _error_of(future)
    if error is not None:
        return None, error
    try:
        return _plain.loads(future.result()), None
    except Exception as problem:
        return EryxError(f"the answer of a host cannot be read: {problem}"), None


def _error_of(future: Future[Any]) -> BaseException | None:
    if future.cancelled():
        return EryxError("the engine has cancelled it")
    return future.exception()


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def _death(link: Link, error: BaseException) -> str:
    return f"the host on {link.spot.node} died ({_named(error)})"
