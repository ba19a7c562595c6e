"""The sessions of the service: live ones, and those in the store."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import secrets
import tempfile
import time
from contextlib import asynccontextmanager

from eryx._errors import EryxError, InitializationError, WorkerCrashedError
from eryx._prompt import prompt
from eryx._session import Session
from eryx.server._errors import ConflictError, MissingError, TooManyError, UnavailableError
from eryx.server._store import open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any, TypeVar

    from eryx._session import Checkpoint
    from eryx.server._places import Places
    from eryx.server._quotas import Holder
    from eryx.server._settings import Settings
    from eryx.server._store import Store

    Value = TypeVar("Value")

log = logging.getLogger("eryx.server")

_IDENTITY = re.compile(r"[0-9a-f]{24}")
_MOST_CHECKPOINTS = 32  # of one session
_AT_ONCE = 16  # sessions that are looked at, or put away
_RETRY_SECONDS = 5.0  # when a sandbox may be had again, by what is told to those who got none


class Entry:
    """One live session. What is done with it is done one by one, under `lock`."""

    def __init__(self, identity: str, holder: Holder, session: Session, created: float) -> None:
        """created: of the system's clock, in seconds; so is what is stored."""
        self.id = identity
        self.holder = holder
        self.session = session
        self.created = created
        self.used = time.time()
        self.lock = asyncio.Lock()
        self.checkpoints: dict[str, Checkpoint] = {}
        self.memory_bytes: int | None = None
        self.running = False
        self.gone = False
        self.is_kept = True  # in the store when it is idle; else it ends then

    @property
    def name(self) -> str:
        """Its name in the store."""
        return f"{self.holder.name}/{self.id}"

    def record(self, state: str = "live") -> dict[str, Any]:
        """What lists tell of it."""
        return {
            "id": self.id,
            "state": "running" if self.running else state,
            "created": self.created,
            "used": self.used,
            "runs": self.session.execution_count,
            "memory_bytes": self.memory_bytes,
            "checkpoints": list(self.checkpoints),
        }


class Sessions:
    """Finds, makes, stores and ends them."""

    def __init__(self, settings: Settings, places: Places) -> None:
        """Raises ValueError for a store that there is not."""
        self._settings = settings
        self._places = places
        self._node: str = settings.node or ""
        self._live: dict[str, Entry] = {}
        self._coming: dict[str, asyncio.Task[Entry]] = {}
        self.store: Store | None = None if settings.store is None else open_store(settings.store)
        self.stored = self.restored = self.crashed = 0  # how often, for those who watch

    @property
    def live(self) -> int:
        """How many are live in this process."""
        return len(self._live)

    # ---- Making and finding ------------------------------------------------------------------

    async def create(
        self, holder: Holder, memory_bytes: int | None, identity: str | None = None
    ) -> Entry:
        """Makes one. Raises TooManyError if the holder has as many as allowed.

        identity: 24 hexadecimal digits that no other has; None to have them drawn.
        """
        await self._check_count(holder)
        await self._make_room()
        try:
            session = await asyncio.to_thread(self._new_session, holder, memory_bytes)
        except InitializationError as error:
            raise UnavailableError("no_sandbox", str(error), _RETRY_SECONDS) from None
        return await self._add(holder, session, memory_bytes, identity)

    async def obtain(self, holder: Holder, identity: str) -> tuple[Entry, bool]:
        """One of the holder's, and whether it is new: it is made if there is none.

        To be called once at a time for an identity.
        """
        try:
            return await self.get(holder, identity), False
        except MissingError:
            return await self.create(holder, None, identity), True

    def describe(self, holder: Holder) -> str:
        """What a model is told of the holder's sessions."""
        with self._new_session(holder, None) as session:
            return prompt(session)

    async def fork(self, entry: Entry) -> Entry:
        """Makes one that goes on from the state of another."""
        await self._check_count(entry.holder)
        await self._make_room(keep=entry)
        async with self.use(entry):
            session = await in_state(entry.session.fork)
        return await self._add(entry.holder, session, entry.memory_bytes)

    async def get(self, holder: Holder, identity: str) -> Entry:
        """One of the holder's, live or stored. Raises MissingError and ConflictError."""
        if not _IDENTITY.fullmatch(identity):
            raise _missing(identity)
        name = f"{holder.name}/{identity}"
        entry = self._live.get(name)
        if entry is not None:
            entry.used = time.time()
            return entry
        if self.store is None:
            raise _missing(identity)
        task = self._coming.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._restore(holder, identity, name))
            self._coming[name] = task
            task.add_done_callback(lambda _: self._coming.pop(name, None))
        return await asyncio.shield(task)

    async def records(self, holder: Holder) -> list[dict[str, Any]]:
        """All sessions of a holder, those last used first."""
        found: dict[str, dict[str, Any]] = {}
        if self.store is not None:
            stored = await asyncio.to_thread(self.store.records, holder.name)
            found = {identity: json.loads(record) for identity, record in stored.items()}
            await self._end_old(holder, found)
        for entry in self._live.values():
            if entry.holder is holder:
                found[entry.id] = entry.record()
        return sorted(found.values(), key=lambda record: -record["used"])

    @asynccontextmanager
    async def use(self, entry: Entry) -> AsyncIterator[Entry]:
        """Around what is done with a session, one after the other. Raises ConflictError."""
        async with entry.lock:
            self._check_here(entry)
            entry.used = time.time()
            try:
                yield entry
            except WorkerCrashedError as error:
                told = f"{error}; {await self.recover(entry)}"
                raise ConflictError("crashed", told) from None
            finally:
                entry.used = time.time()

    async def recover(self, entry: Entry) -> str:
        """When its worker has died: goes on from the last save, or anew. Says which.

        Under the lock of the entry. Checkpoints went with the worker.
        """
        self.crashed += 1
        entry.checkpoints.clear()
        found = None
        if self.store is not None:
            found = await asyncio.to_thread(self.store.read, entry.name)
        if found is not None:
            try:
                await asyncio.to_thread(_load, entry.session, found[1])
            except EryxError as error:
                log.warning("session %s cannot be brought back: %s", entry.name, error)
            else:
                self.restored += 1
                saved = time.time() - json.loads(found[0])["used"]
                return f"the session goes on from what was saved {saved:.0f} s ago"
        await asyncio.to_thread(entry.session.reset)
        return "the session starts anew, as there is nothing that was saved of it"

    # ---- Keeping and ending ------------------------------------------------------------------

    async def save(self, entry: Entry) -> int:
        """Puts the state into the store, and leaves the session live. Gives its size in bytes."""
        if self.store is None:
            raise ConflictError("no_store", "the service has no store for sessions")
        async with self.use(entry):
            return await self._write(entry)

    async def close(self, entry: Entry) -> None:
        """Ends a session for good."""
        entry.session.cancel()
        async with entry.lock:
            await self._drop(entry)
        if self.store is not None:
            await asyncio.to_thread(self.store.remove, entry.name)

    def checkpoint(self, entry: Entry, name: str) -> None:
        """Remembers the state by a name, in this process only; under the lock."""
        if name not in entry.checkpoints and len(entry.checkpoints) >= _MOST_CHECKPOINTS:
            raise ConflictError(
                "checkpoints", f"a session has at most {_MOST_CHECKPOINTS} checkpoints"
            )
        entry.checkpoints[name] = entry.session.checkpoint()

    async def sweep(self) -> None:
        """Puts away what nobody uses, ends what is old, renews the leases of the others."""
        now = time.time()

        async def look_at(entry: Entry) -> None:
            if now - entry.created > self._settings.lifetime_seconds:
                await self.close(entry)
            elif not entry.lock.locked() and now - entry.used > self._settings.idle_seconds:
                await self._put_away(entry)
            else:
                await self._renew(entry)

        await self._with_all(look_at)

    async def put_all_away(self) -> None:
        """At the end of the service."""
        await self._with_all(self._put_away)

    async def _with_all(self, do: Callable[[Entry], Awaitable[None]]) -> None:
        """Does it with all live ones, some at a time, as the store may be far away."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(entry: Entry) -> None:
            async with room:
                try:
                    await do(entry)
                except Exception:
                    log.exception("session %s", entry.name)

        await asyncio.gather(*map(one, list(self._live.values())))

    # ---- Inside ------------------------------------------------------------------------------

    async def _end_old(self, holder: Holder, stored: dict[str, dict[str, Any]]) -> None:
        """Ends those in the store whose lifetime is over: nobody may ever ask for them."""
        assert self.store is not None
        latest = time.time() - self._settings.lifetime_seconds
        for identity in [each for each in stored if stored[each]["created"] < latest]:
            del stored[identity]
            name = f"{holder.name}/{identity}"
            if name not in self._live:
                await asyncio.to_thread(self.store.remove, name)

    def _check_here(self, entry: Entry) -> None:
        """The entry may have been put away while somebody waited for it."""
        if entry.gone:
            raise ConflictError("moved", "the session was put away or ended just now: ask again")

    async def _check_count(self, holder: Holder) -> None:
        most = holder.quota.sessions
        count = sum(entry.holder is holder for entry in self._live.values())
        if count < most and self.store is not None:
            count = len(await self.records(holder))
        if count >= most:
            raise TooManyError(
                "sessions", f"{most} sessions are allowed: close one", self._settings.idle_seconds
            )

    async def _make_room(self, keep: Entry | None = None) -> None:
        """Puts the one away that was not used for longest, if there are too many."""
        if len(self._live) < self._settings.max_sessions:
            return
        unused = [
            entry
            for entry in self._live.values()
            if entry is not keep and not entry.lock.locked() and self.store is not None
        ]
        if not unused:
            raise TooManyError(
                "live_sessions",
                "the service has as many live sessions as it may",
                self._settings.idle_seconds,
            )
        await self._put_away(min(unused, key=lambda entry: entry.used))

    async def _add(
        self,
        holder: Holder,
        session: Session,
        memory_bytes: int | None,
        identity: str | None = None,
    ) -> Entry:
        entry = Entry(identity or secrets.token_hex(12), holder, session, time.time())
        entry.memory_bytes = memory_bytes
        if self.store is not None:
            seconds = self._settings.lease_seconds
            await asyncio.to_thread(self.store.claim, entry.name, self._node, seconds)
        self._live[entry.name] = entry
        return entry

    async def _restore(self, holder: Holder, identity: str, name: str) -> Entry:
        assert self.store is not None
        await self._make_room()
        seconds = self._settings.lease_seconds
        node = await asyncio.to_thread(self.store.claim, name, self._node, seconds)
        if node != self._node:
            raise ConflictError(
                "elsewhere", "the session is live on another node", {"Eryx-Node": node}
            )
        try:
            found = await asyncio.to_thread(self.store.read, name)
            if found is None:
                raise _missing(identity)
            record = json.loads(found[0])
            session = await asyncio.to_thread(
                self._restored_session, holder, record["memory_bytes"], found[1]
            )
        except InitializationError as error:
            await asyncio.to_thread(self.store.release, name, self._node)
            raise ConflictError("stale", f"the session cannot be brought back: {error}") from None
        except BaseException:
            await asyncio.to_thread(self.store.release, name, self._node)
            raise
        entry = Entry(identity, holder, session, record["created"])
        entry.memory_bytes = record["memory_bytes"]
        self._live[name] = entry
        self.restored += 1
        return entry

    async def _write(self, entry: Entry) -> int:
        assert self.store is not None
        state = await in_state(lambda: _saved(entry.session))
        record = json.dumps({**entry.record("stored"), "checkpoints": []}).encode()
        await asyncio.to_thread(self.store.write, entry.name, record, state)
        self.stored += 1
        return len(state)

    async def _put_away(self, entry: Entry) -> None:
        """Into the store; without one, or if it cannot be saved, the session ends."""
        async with entry.lock:
            if entry.gone:
                return
            if self.store is not None and entry.is_kept:
                try:
                    await self._write(entry)
                except (ConflictError, WorkerCrashedError) as error:
                    log.warning("session %s ends, as it cannot be saved: %s", entry.name, error)
            await self._drop(entry)
        if self.store is not None:
            await asyncio.to_thread(self.store.release, entry.name, self._node)

    async def _renew(self, entry: Entry) -> None:
        if self.store is None:
            return
        seconds = self._settings.lease_seconds
        node = await asyncio.to_thread(self.store.claim, entry.name, self._node, seconds)
        if node != self._node:
            log.error("session %s was taken over by node %s", entry.name, node)
            entry.session.cancel()
            async with entry.lock:
                await self._drop(entry)

    async def _drop(self, entry: Entry) -> None:
        entry.gone = True
        entry.checkpoints.clear()
        self._live.pop(entry.name, None)
        await asyncio.to_thread(entry.session.close)

    def _new_session(self, holder: Holder, memory_bytes: int | None) -> Session:
        quota = holder.quota
        return Session(
            resource_limits=quota.limits(memory_bytes=memory_bytes),
            network=quota.network,
            isolation=self._places.of(holder),
        )

    def _restored_session(self, holder: Holder, memory_bytes: int | None, state: bytes) -> Session:
        session = self._new_session(holder, memory_bytes)
        _load(session, state)
        return session


async def in_state(function: Callable[[], Value]) -> Value:
    """What a session refuses in its state, such as a fork with living threads, is a conflict.

    Raises WorkerCrashedError as it is: `Sessions.use` knows what to do then.
    """
    try:
        return await asyncio.to_thread(function)
    except WorkerCrashedError:
        raise
    except (EryxError, ValueError) as error:
        raise ConflictError("state", str(error)) from None


def _load(session: Session, state: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="eryx-") as folder:
        path = os.path.join(folder, "state")
        with open(path, "wb") as file:
            file.write(state)
        session.load(path)


def _saved(session: Session) -> bytes:
    with tempfile.TemporaryDirectory(prefix="eryx-") as folder:
        path = os.path.join(folder, "state")
        session.save(path)
        with open(path, "rb") as file:
            return file.read()


def _missing(identity: str) -> MissingError:
    return MissingError("no_session", f"there is no session {identity[:64]!r}")
