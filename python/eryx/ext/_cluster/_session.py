"""Sessions that are in the memory of a node, and outlive it."""

from __future__ import annotations

import os
import pickle
import threading
import uuid
import warnings
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, NamedTuple, Unpack

from eryx import EryxError, ExecuteResult, WorkerCrashedError
from eryx._copying import Closable
from eryx._files import write_file
from eryx._option_types import RunOptions
from eryx.ext._cluster import _plain
from eryx.ext._cluster._dispatcher import Dispatcher, Link
from eryx.ext._cluster._engine import Engine
from eryx.ext._cluster._jobs import Setup

_MOST_MOVES = 5  # of one call


class SessionRestoredWarning(UserWarning):
    """A session goes on elsewhere, since its host died."""


class Restored(NamedTuple):
    """What became of a session whose host died."""

    run: int
    """It goes on from the state after that many runs; 0 for a fresh start."""
    lost_runs: int
    """Runs that were answered, whose state was not saved and is lost."""
    node: str
    """Where it is now."""


class RemoteSession(Closable):
    """A session in a process of the cluster, of which the object store has the state.

    When its host dies during a run, that run raises `WorkerCrashedError`. The next call restores
    the state elsewhere, warns with `SessionRestoredWarning`, and `restored` says what is lost.
    Threads may share one; their calls wait for each other.
    """

    _why = "it stands for an interpreter in another process"

    def __init__(
        self, dispatcher: Dispatcher, engine: Engine, setup: Setup, save_every: int
    ) -> None:
        """Made by `Pool.session`, which begins it at its first run.

        save_every: the state is saved after so many runs.
        """
        if save_every < 1:
            raise ValueError("save_every must be at least 1")
        self._dispatcher = dispatcher
        self._engine = engine
        self._setup = setup
        self._save_every = save_every
        self._name = uuid.uuid4().hex
        self._lock = threading.RLock()
        self._link: Link | None = None
        self._reference: Any = None  # of the state in the object store
        self._saved_at = 0  # number of the run that it is of
        self._count = 0
        self._was_lost = False
        self._is_closed = False
        self.restored: Restored | None = None
        """What the last call had to do first; None if the session was there."""
        self.save_problem = ""
        """Why the state could not be saved after the last run, such as living threads."""

    def execute(self, code: str, **options: Unpack[RunOptions]) -> ExecuteResult:
        """Runs a program; as `Session.execute`, with options that can go to another process.

        Raises WorkerCrashedError if the host dies meanwhile. What the program has done to the
        session is undone then; what it has done elsewhere is not.
        """
        program = pickle.dumps((code, options), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            link = self._present()
            is_saved = self._count + 1 - self._saved_at >= self._save_every
            answer, state = self._call(link, "run_session", self._name, program, is_saved)
            ending, self.save_problem = _plain.loads(answer)
            self._count += 1
            if state is not None:
                self._keep(state, link)
        if isinstance(ending, Exception):
            raise ending
        result: ExecuteResult = ending
        return result

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the state to a file here, which `Session.load` reads."""
        with self._lock:
            write_file(path, self._state())

    def checkpoint(self) -> None:
        """Saves the state to the object store now."""
        with self._lock:
            self._state()

    def _state(self) -> bytes:
        link = self._present()
        answer, state = self._call(link, "save_session", self._name)
        problem = _plain.loads(answer)
        if problem is not None:
            raise problem
        data: bytes = state
        self._keep(data, link)
        return data

    def reset(self) -> None:
        """Starts the interpreter anew; what was saved is let go."""
        with self._lock:
            self._check()
            self._reference = None
            self._count = self._saved_at = 0
            self._was_lost = False
            if self._link is not None:
                _raise(self._ask(self._link, "reset_session", self._name))

    def close(self) -> None:
        """Lets the session and its state go. Closing twice does no harm."""
        with self._lock:
            self._is_closed = True
            self._reference = None
            link, self._link = self._link, None
            if link is not None and not link.is_dead:
                self._dispatcher.leave(link)
                try:
                    self._engine.call(link.host, "close_session", self._name)
                except Exception:
                    pass  # it has gone with its host

    @property
    def node(self) -> str | None:
        """Where it is; None before the first run, and when its host is known to be gone."""
        link = self._link
        return None if link is None or link.is_dead else link.spot.node

    @property
    def execution_count(self) -> int:
        """Runs that were answered."""
        return self._count

    # ---- Where it is ----

    def _check(self) -> None:
        if self._is_closed:
            raise EryxError("the session is closed")

    def _present(self) -> Link:
        """The host of the session, in which it is made or restored if it is not there."""
        self._check()
        self.restored = None
        if self._link is not None and self._link.is_dead:
            self._lose()
        if self._link is None:
            self._begin()
        assert self._link is not None
        return self._link

    def _lose(self) -> None:
        self._link = None
        self._was_lost = True

    def _begin(self) -> None:
        for attempt in range(_MOST_MOVES):
            link = self._dispatcher.place().result()
            try:
                self._dispatcher.equip(link, self._setup).result()
                state = None
                if self._reference is not None:
                    state = f"{self._name} {self._saved_at}"
                    self._bring(link, state)
                _raise(self._ask(link, "open_session", self._name, self._setup.name, state))
            except WorkerCrashedError:
                if attempt == _MOST_MOVES - 1:
                    raise
                continue
            except BaseException:
                self._dispatcher.leave(link)
                raise
            break
        self._link = link
        if self._was_lost:
            self._was_lost = False
            lost = self._count - self._saved_at
            self.restored = Restored(self._saved_at, lost, link.spot.node)
            self._count = self._saved_at
            warnings.warn(
                f"the host of the session died; it goes on from the state after run"
                f" {self._saved_at}, {lost} answered runs are lost",
                SessionRestoredWarning,
                stacklevel=4,
            )

    def _bring(self, link: Link, state: str) -> None:
        future = self._engine.deliver(link.host, state, self._reference)
        try:
            future.result()
        except Exception as error:
            if link.is_dead:
                raise WorkerCrashedError(str(error)) from error
            raise EryxError(
                f"the state of the session cannot be had of the object store: {error}"
            ) from error

    def _keep(self, state: bytes, link: Link) -> None:
        self._reference = self._engine.put(state, link.spot)
        self._saved_at = self._count

    def _ask(self, link: Link, method: str, *arguments: Any) -> Any:
        return _plain.loads(self._call(link, method, *arguments))

    def _call(self, link: Link, method: str, *arguments: Any) -> Any:
        future: Future[Any] = self._engine.call(link.host, method, *arguments)
        wait((future, link.death), return_when=FIRST_COMPLETED)
        try:
            return future.result(timeout=0)
        except Exception as error:
            self._dispatcher.gone(link, error)
            if self._link is link:
                self._lose()
            raise WorkerCrashedError(
                f"the host of the session, on {link.spot.node}, died during this call;"
                f" the next one goes on from the state after run {self._saved_at}"
            ) from error


def _raise(answer: object) -> None:
    if isinstance(answer, Exception):
        raise answer
