"""Which session a request of a client is to: each conversation has one."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import eryx
from eryx._errors import EryxError, WorkerCrashedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Protocol

    from mcp.server.context import ServerRequestContext

    from eryx._result import ExecuteResult
    from eryx._session import Checkpoint, Session
    from eryx._session_files import SessionFiles
    from eryx._storage import VfsStorage

    class Conversations(Protocol):
        """What `PythonServer` needs to know of sessions."""

        @property
        def instructions(self) -> str | None:
            """What all clients are told of the server."""

        @property
        def files_path(self) -> str:
            """Where programs see their files."""

        async def description(self, context: ServerRequestContext[Any, Any]) -> str:
            """What the client is told of run_python."""

        def use(
            self, context: ServerRequestContext[Any, Any], *, to_run: bool = False
        ) -> AbstractAsyncContextManager[Conversation]:
            """Around what is done with the session of a request, one after the other.

            to_run: whether a program is to run. Raises RefusedError.
            """


# In `_meta` of a call: which conversation it belongs to. In that of its result as well.
CONVERSATION = "eryx/conversation"
_LONGEST_NAME = 200


class RefusedError(Exception):
    """A request that cannot be answered now; its text is for the client."""


class Conversation:
    """A session, and what has to be known of it in a call."""

    def __init__(self, session: Session, max_timeout_ms: int | None) -> None:
        """max_timeout_ms: what a call can ask for at most."""
        self.session = session
        self.max_timeout_ms = max_timeout_ms
        self.told_name: str | None = None  # what the client has to say to come back

    @property
    def files(self) -> VfsStorage | SessionFiles:
        """The files of its programs."""
        return self.session.files

    async def reset(self) -> None:
        """Starts with nothing."""
        await asyncio.to_thread(self.session.reset)

    def ended(self, done: ExecuteResult | EryxError) -> None:
        """Takes note of the end of a run."""

    async def keep_going(self, before: Checkpoint | None) -> list[str]:
        """Makes the session usable if a run had to be given up. Says what has happened to it.

        before: its state before the run, if that could be remembered. Raises WorkerCrashedError.
        """
        return await asyncio.to_thread(_keep_going, self.session, before)


def _keep_going(session: Session, before: Checkpoint | None) -> list[str]:
    try:
        session.execute("")
    except WorkerCrashedError:
        raise
    except EryxError:
        if before is not None:
            session.rollback(before)
            return ["[the run could not be stopped otherwise, so what it had done is undone]"]
        session.reset()
        return ["[the session was reset: its variables are gone]"]
    return []


class Name(NamedTuple):
    """What a conversation is called."""

    text: str
    kind: str
    """``client``: by the session of the client; ``chosen``: by the client; ``drawn``: by us."""


def name_of(context: ServerRequestContext[Any, Any]) -> Name:
    """The name of a request's conversation."""
    if context.request is None:
        return Name("stdio", "client")
    meta: Any = context.meta or {}
    chosen = meta.get(CONVERSATION)
    if isinstance(chosen, str) and 0 < len(chosen) <= _LONGEST_NAME:
        return Name(chosen, "chosen")
    client: str | None = context.request.headers.get("mcp-session-id")
    return Name(uuid.uuid4().hex, "drawn") if client is None else Name(client, "client")


def when_client_ends(context: ServerRequestContext[Any, Any]) -> Any:
    """A stack of what is done when the client ends its session; None if it has none."""
    connection = getattr(context.session, "_connection", None)
    return None if context.request is None else getattr(connection, "exit_stack", None)


class _Local(Conversation):
    """One of this process, whose session has a storage."""

    def __init__(self, make_session: Callable[[], Session], max_timeout_ms: int | None) -> None:
        super().__init__(make_session(), max_timeout_ms)
        self._make_session = make_session
        self.lock = asyncio.Lock()

    async def reset(self) -> None:
        """Starts with a new session, and so with another storage."""
        old, self.session = self.session, self._make_session()
        old.close()


class LocalConversations:
    """Those of a server of its own, with sessions in this process."""

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        max_timeout_ms: int | None,
        max_conversations: int = 100,
    ) -> None:
        """make_session: makes the session of a conversation, with a storage.

        max_timeout_ms: what a call can ask for at most.
        max_conversations: after so many, that which was idle for longest is given up.
        """
        self._make_session = make_session
        self._max_timeout_ms = max_timeout_ms
        self._max = max_conversations
        self._all: OrderedDict[tuple[str, bool], _Local] = OrderedDict()
        with make_session() as session:
            self.instructions = eryx.prompt(session)
            self.files_path = session.files_path

    async def description(self, context: ServerRequestContext[Any, Any]) -> str:
        """The same for all."""
        return self.instructions

    @asynccontextmanager
    async def use(
        self, context: ServerRequestContext[Any, Any], *, to_run: bool = False
    ) -> AsyncIterator[Conversation]:
        """Makes the conversation if it is new."""
        name = name_of(context)
        of_client = name.kind == "client"
        key = (name.text, of_client)
        found = self._all.get(key)
        if found is None:
            found = self._all[key] = _Local(self._make_session, self._max_timeout_ms)
            found.told_name = None if of_client else name.text
            ends = when_client_ends(context) if of_client else None  # or it is one call only
            if ends is not None:
                ends.callback(self._forget, key)
            self._make_room()
        self._all.move_to_end(key)
        async with found.lock:
            yield found

    def _forget(self, key: tuple[str, bool]) -> None:
        found = self._all.pop(key, None)
        if found is not None and not found.lock.locked():
            found.session.close()

    def _make_room(self) -> None:
        for key, conversation in list(self._all.items()):
            if len(self._all) <= self._max:
                return
            if not conversation.lock.locked():
                self._forget(key)

    def close(self) -> None:
        """Gives all sessions up."""
        while self._all:
            self._all.popitem()[1].session.close()
