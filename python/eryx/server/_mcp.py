"""The Model Context Protocol at the service: run_python, in the sessions that all requests share.

The conversation of a client is a session of the holder of its key: it counts against the quotas,
lists have it, it goes into the store and comes back. The SDK is imported with the first request.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import weakref
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from eryx._errors import EryxError, WorkerCrashedError
from eryx.server._errors import MissingServerError, RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.server.context import ServerRequestContext
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Receive, Scope, Send

    from eryx._result import ExecuteResult
    from eryx._session import Checkpoint
    from eryx.mcp._conversations import Conversation, Name
    from eryx.server._app import Service
    from eryx.server._quotas import Holder
    from eryx.server._sessions import Entry
    from eryx.server._settings import Settings

PATH = "/mcp"
_IDENTITY = re.compile(r"[0-9a-f]{24}")

# What a browser may call this machine: others would be pages that lead here by a name of theirs.
_NAMES_OF_THIS_MACHINE = ["127.0.0.1:*", "localhost:*", "[::1]:*"]


def is_wanted(settings: Settings) -> bool:
    """Whether there is the endpoint. Raises MissingServerError if it must be and cannot."""
    if settings.mcp is False:
        return False
    is_there = find_spec("mcp") is not None and find_spec("mcp_types") is not None
    if settings.mcp and not is_there:
        raise MissingServerError("mcp", extra="mcp")
    return is_there


class Endpoint:
    """What answers at /mcp."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._starting: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._posts = 0  # requests that are being answered, streams of notices not counted
        self._answered = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request of somebody who has a key."""
        request = Request(scope)
        try:
            self._service.authenticate(request)
            if self._service.admission.closing:
                self._service.admission.check_open()
        except RequestError as error:
            told = {"error": {"code": error.code, "message": error.message}}
            refusal = JSONResponse(told, status_code=error.status, headers=error.headers)
            await refusal(scope, receive, send)
            return
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start())
        manager = await asyncio.shield(self._starting)
        _say_who(scope, request.state.holder.name)
        is_post = scope["method"] == "POST"
        self._posts += is_post
        self._answered.clear()
        try:
            await manager.handle_request(scope, receive, send)
        finally:
            self._posts -= is_post
            if self._posts == 0:
                self._answered.set()

    async def _start(self) -> StreamableHTTPSessionManager:
        manager = await asyncio.to_thread(_make_manager, self._service)
        is_there = asyncio.Event()
        self._serving = asyncio.ensure_future(self._serve(manager, is_there))
        await is_there.wait()
        return manager

    async def _serve(self, manager: StreamableHTTPSessionManager, is_there: asyncio.Event) -> None:
        """Until the service is told to end and what was asked has been answered."""
        async with manager.run():
            is_there.set()
            admission = self._service.admission
            await admission.told_to_end.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._service.settings.drain_seconds):
                    await admission.drained()
                    if self._posts:
                        await self._answered.wait()

    async def close(self) -> None:
        """At the end of the service, which has told that it ends."""
        if self._serving is not None:
            await self._serving


def _say_who(scope: Scope, name: str) -> None:
    """Has the SDK keep the session of a client for those who have the same key."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=name, scopes=[]))


def _make_manager(service: Service) -> StreamableHTTPSessionManager:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

    from eryx.mcp._server import PythonServer

    names = _NAMES_OF_THIS_MACHINE
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=not service.settings.keys,
        allowed_hosts=names,
        allowed_origins=[f"http://{name}" for name in names],
    )
    return StreamableHTTPSessionManager(
        app=PythonServer(ServiceConversations(service)).server,
        security_settings=security,
        max_request_body_size=service.settings.max_body_bytes,
    )


class ServiceConversations:
    """Conversations in sessions of the service."""

    instructions = None  # there may be other rules for each key
    files_path = "/data"

    def __init__(self, service: Service) -> None:
        self._service = service
        self._descriptions: dict[str, str] = {}
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def description(self, context: ServerRequestContext[Any, Any]) -> str:
        """That of a sandbox of the holder."""
        holder = _holder(context)
        found = self._descriptions.get(holder.name)
        if found is None:
            found = await asyncio.to_thread(self._service.sessions.describe, holder)
            self._descriptions[holder.name] = found
        return found

    @asynccontextmanager
    async def use(
        self, context: ServerRequestContext[Any, Any], *, to_run: bool = False
    ) -> AsyncIterator[Conversation]:
        """Makes the session if it is new, or brings it back."""
        from eryx.mcp._conversations import RefusedError, name_of

        holder, name = _holder(context), name_of(context)
        sessions = self._service.sessions
        try:
            entry = await self._entry(context, holder, name)
            conversation = _conversation(self._service, entry)
            if name.kind != "client":
                conversation.told_name = name.text if name.kind == "chosen" else entry.id
            if not to_run:
                async with sessions.use(entry):
                    yield conversation
                return
            async with self._service.begun(holder), sessions.use(entry):
                entry.running = True
                try:
                    yield conversation
                finally:
                    entry.running = False
        except RequestError as error:
            raise RefusedError(f"{error.code}: {error.message}") from None

    async def _entry(
        self, context: ServerRequestContext[Any, Any], holder: Holder, name: Name
    ) -> Entry:
        from eryx.mcp._conversations import when_client_ends

        if name.kind == "chosen" and _IDENTITY.fullmatch(name.text):
            return await self._service.sessions.get(holder, name.text)
        identity = hashlib.sha256(f"{name.kind} {name.text}".encode()).hexdigest()[:24]
        lock = self._locks.setdefault(f"{holder.name}/{identity}", asyncio.Lock())
        async with lock:
            entry, is_new = await self._service.sessions.obtain(holder, identity)
        if is_new:
            entry.is_kept = name.kind != "drawn"
            ends = when_client_ends(context) if name.kind == "client" else None
            if ends is not None:
                ends.push_async_callback(self._forget, holder, identity)
        return entry

    async def _forget(self, holder: Holder, identity: str) -> None:
        """The client has ended its session."""
        with suppress(RequestError):
            await self._service.sessions.close(await self._service.sessions.get(holder, identity))


def _holder(context: ServerRequestContext[Any, Any]) -> Holder:
    assert context.request is not None
    holder: Holder = context.request.state.holder
    return holder


def _conversation(service: Service, entry: Entry) -> Conversation:
    from eryx.mcp import _conversations

    class ServiceConversation(_conversations.Conversation):
        """One whose session the service keeps."""

        async def reset(self) -> None:
            entry.checkpoints.clear()
            await super().reset()

        def ended(self, done: ExecuteResult | EryxError) -> None:
            service.count(done if isinstance(done, EryxError) else None)

        async def keep_going(self, before: Checkpoint | None) -> list[str]:
            try:
                return await super().keep_going(before)
            except WorkerCrashedError:
                return [f"[{await service.sessions.recover(entry)}]"]

    longest = int(entry.holder.quota.run_seconds * 1000)
    return ServiceConversation(entry.session, longest)
