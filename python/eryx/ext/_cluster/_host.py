"""What lives in the processes of an engine: pools of sandboxes, and sessions."""

from __future__ import annotations

import asyncio
import functools
import os
import pickle
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from eryx import EryxError, InitializationError, SandboxFactory, SandboxPool, Session
from eryx._cache_folder import cache_folder, is_private
from eryx._files import read_file, write_file
from eryx._options import Equipment
from eryx.ext._cluster import _plain

_MOST_SESSIONS_AT_ONCE = 64
_MOST_FACTORY_BYTES = 2**31

# What an engine has brought to this process, until it is used; by content hash or other name.
_delivered: dict[str, bytes] = {}


def deliver(name: str, data: bytes) -> None:
    """Takes bytes that are used by their name later."""
    _delivered[name] = bytes(data)


def digest_of(data: bytes) -> str:
    """The content hash of a factory."""
    return sha256(data).hexdigest()


class _Folder:
    """Where the processes of a node find the factories that one of them was given."""

    def __init__(self) -> None:
        path = cache_folder("factories")
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
            status = os.stat(path)
            self.path = path if is_private(path) else None
            self.name = f"{status.st_dev}:{status.st_ino}"
        except OSError:
            self.path = None
        if self.path is None:
            self.name = f"process {os.getpid()}"

    def read(self, digest: str) -> bytes | None:
        """The factory; None if it is not there, whole and unchanged."""
        if self.path is None:
            return None
        try:
            data = read_file(self._file(digest), _MOST_FACTORY_BYTES)
        except InitializationError:
            return None
        return data if digest_of(data) == digest else None

    def write(self, digest: str, data: bytes) -> None:
        if self.path is not None:
            try:
                write_file(self._file(digest), data)
            except InitializationError:
                pass  # the disk is full: each process is brought its own

    def _file(self, digest: str) -> str:
        return f"{self.path}/{digest}.factory"


class _Setup(NamedTuple):
    """What sandboxes start with, and their options."""

    factory: SandboxFactory | None
    pool: SandboxPool
    options: dict[str, Any]
    request: dict[str, Any]


Answering = Callable[..., Coroutine[Any, Any, bytes]]


def _answering(method: Callable[..., Coroutine[Any, Any, object]]) -> Answering:
    """Makes what a method gives or raises into bytes: whatever an engine raises is its own."""

    @functools.wraps(method)
    async def answer(*arguments: Any) -> bytes:
        try:
            value = await method(*arguments)
        except Exception as error:
            value = _plain.exception(error)
        return _plain.dumps(value)

    return answer


class Host:
    """An actor: runs programs and keeps sessions. Its methods give the bytes of `_plain`."""

    def __init__(self, slots: int) -> None:
        """slots: how many programs compute at the same time."""
        self._slots = slots
        self._identity = uuid.uuid4().hex
        self._is_over = False
        self._folder = _Folder()
        self._setups: dict[str, _Setup] = {}
        self._factories: WeakValueDictionary[str, SandboxFactory] = WeakValueDictionary()
        self._sessions: dict[str, Session] = {}
        self._runners = ThreadPoolExecutor(slots, "eryx-run")
        self._talkers = ThreadPoolExecutor(_MOST_SESSIONS_AT_ONCE, "eryx-session")

    @_answering
    async def ready(self) -> dict[str, object]:
        """Who this is."""
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "folder": self._folder.name,
            "identity": self._identity,
        }

    async def end(self) -> None:
        """Runs no more programs: the driver has given this host up, which may be alive."""
        self._is_over = True

    @_answering
    async def ping(self) -> None:
        """Answers."""

    async def deliver(self, name: str, data: bytes) -> None:
        """As the function of that name, for engines that bring what is in their store to actors."""
        deliver(name, data)

    @_answering
    async def prepare(self, name: str, digest: str | None, options: bytes) -> bool:
        """Makes a pool; False if its factory has to be delivered first."""
        if name not in self._setups:
            setup = await self._in(self._talkers, self._make, digest, options)
            if setup is None:
                return False
            self._setups.setdefault(name, setup)
        return True

    def _make(self, digest: str | None, options: bytes) -> _Setup | None:
        factory = None if digest is None else self._factories.get(digest)
        if digest is not None and factory is None:
            data = _delivered.pop(digest, None)
            if data is not None:
                self._folder.write(digest, data)
            else:
                data = self._folder.read(digest)
            if data is None:
                return None
            factory = SandboxFactory.from_bytes(data, max_memory_bytes=None)
            self._factories[digest] = factory
        given: dict[str, Any] = pickle.loads(options)
        place = {name: value for name, value in given.items() if name in Equipment.names}
        request = {name: value for name, value in given.items() if name not in Equipment.names}
        pool = SandboxPool(factory=factory, max_size=self._slots, min_idle=0, **place)
        return _Setup(factory, pool, given, request)

    @_answering
    async def drop(self, name: str) -> None:
        """Lets a pool go, when its runs are over."""
        self._setups.pop(name, None)

    async def run(self, identity: str, name: str, programs: bytes) -> bytes:
        """Runs programs one after the other; gives how they ended, and the seconds it took.

        identity: what `ready` told. An engine that has replaced a host must not repeat its runs.

        None if the pool was dropped.
        """
        if identity != self._identity:
            raise RuntimeError("this is another host than the one that was meant")
        setup = self._setups.get(name)
        if setup is None:
            return _plain.dumps(None)
        answer: bytes = await self._in(self._runners, self._run, setup, programs)
        return answer

    def _run(self, setup: _Setup, programs: bytes) -> bytes:
        started = time.monotonic()
        endings = []
        for code, options in pickle.loads(programs):
            if self._is_over:
                raise RuntimeError("the host was given up")
            endings.append(self._ending(setup, code, options))
        return _plain.dumps((endings, time.monotonic() - started))

    def _ending(self, setup: _Setup, code: str, options: dict[str, Any]) -> object:
        try:
            with setup.pool.acquire(**setup.request) as sandbox:
                return sandbox.execute(code, **options)
        except Exception as error:
            return _plain.exception(error)

    # ---- Sessions ----

    @_answering
    async def open_session(self, session: str, name: str, state: str | None) -> None:
        """Makes a session. state: name of what was delivered, from which it goes on."""
        await self._in(self._talkers, self._open, session, self._setups[name], state)

    def _open(self, session: str, setup: _Setup, state: str | None) -> None:
        made = (setup.factory.create_session if setup.factory else Session)(**setup.options)
        if state is not None:
            with tempfile.TemporaryDirectory(prefix="eryx-") as folder:
                path = f"{folder}/state"
                with open(path, "wb") as file:
                    file.write(_delivered.pop(state))
                made.load(path)
        self._sessions[session] = made

    async def run_session(
        self, session: str, program: bytes, is_saved: bool
    ) -> tuple[bytes, bytes | None]:
        """Runs a program in a session; gives how it ended, and the state after it."""
        answer: tuple[bytes, bytes | None] = await self._in(
            self._talkers, self._run_session, session, program, is_saved
        )
        return answer

    def _run_session(self, name: str, program: bytes, is_saved: bool) -> tuple[bytes, bytes | None]:
        session = self._sessions.get(name)
        if session is None:
            return _plain.dumps((EryxError("the session is closed"), "")), None
        ending: object
        try:
            code, options = pickle.loads(program)
            ending = session.execute(code, **options)
        except Exception as error:
            ending = _plain.exception(error)
        state, problem = None, ""
        if is_saved:
            try:
                state = _state_of(session)
            except Exception as error:  # whatever it is, the run has its answer
                problem = str(error) or type(error).__name__
        return _plain.dumps((ending, problem)), state

    async def save_session(self, session: str) -> tuple[bytes, bytes | None]:
        """The state of a session, or why it cannot be had."""
        try:
            state = await self._in(self._talkers, _state_of, self._sessions[session])
        except Exception as error:
            return _plain.dumps(_plain.exception(error)), None
        return _plain.dumps(None), state

    @_answering
    async def reset_session(self, session: str) -> None:
        """Starts its interpreter anew."""
        await self._in(self._talkers, self._sessions[session].reset)

    @_answering
    async def close_session(self, session: str) -> None:
        """Lets it go."""
        closed = self._sessions.pop(session, None)
        if closed is not None:
            await self._in(self._talkers, closed.close)

    async def _in(
        self, threads: ThreadPoolExecutor, work: Callable[..., Any], *arguments: Any
    ) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, work, *arguments)


def _state_of(session: Session) -> bytes:
    with tempfile.TemporaryDirectory(prefix="eryx-") as folder:
        path = f"{folder}/state"
        session.save(path)
        with open(path, "rb") as file:
            return file.read()
