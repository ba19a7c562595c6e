"""An MCP server whose tool runs Python in a session, on the official SDK.

Each client session has a session of its own: over stdio the process is one, over streamable HTTP it
is what the handshake begins. The newer form of the protocol over HTTP has no sessions; clients are
told to shake hands, and those that do not can name their conversation (`CONVERSATION`).
"""

from __future__ import annotations

import asyncio
import mimetypes
import uuid
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import anyio
import mcp.types as types
from mcp import MCPError
from mcp.server import Server
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

import eryx
from eryx._errors import EryxError
from eryx.mcp._results import OUTPUT_SCHEMA, failure, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from eryx._session import Checkpoint, Session
    from eryx._storage import VfsStorage

# In `_meta` of a call: which conversation it belongs to. In that of its result as well.
CONVERSATION = "eryx/conversation"

# How often output goes out while a program runs, and how much at a time.
_PAUSE_S = 0.1
_MOST_CHARACTERS = 16_384

_SCHEME = "eryx:///"

_CODE = "Python code; the value of its last expression is shown"
_TIMEOUT = "longest time of this run in milliseconds; the server's own limit if it is left out"
_RUN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": _CODE},
        "timeout_ms": {
            "type": ["integer", "null"],
            "minimum": 1,
            "default": None,
            "description": _TIMEOUT,
        },
    },
    "required": ["code"],
    "additionalProperties": False,
}


class Conversation:
    """A session, and what has to be known between two calls."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lock = asyncio.Lock()

    @property
    def files(self) -> VfsStorage:
        """The files of its programs."""
        files = self.session.vfs
        assert files is not None
        return files


class PythonServer:
    """The server. Its conversations live on one event loop."""

    def __init__(
        self,
        make_session: Callable[[], Session],
        *,
        max_timeout_ms: int | None,
        max_conversations: int = 100,
        environment: dict[str, str] | None = None,
    ) -> None:
        """make_session: makes the session of a conversation, with a storage.

        max_timeout_ms: what a call can ask for at most.
        max_conversations: after so many, that which was idle for longest is given up.
        environment: variables of each run.
        """
        self._make_session = make_session
        self._max_timeout_ms = max_timeout_ms
        self._max_conversations = max_conversations
        self._environment = environment
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        with make_session() as session:
            self._description = eryx.prompt(session)
            self._files_path = session.files_path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # logging is on its way out of the protocol
            self.server: Server[Any] = Server(
                "eryx",
                version=eryx.__version__,
                instructions=self._description,
                on_list_tools=self._list_tools,
                on_call_tool=self._call_tool,
                on_list_resources=self._list_resources,
                on_list_resource_templates=self._list_templates,
                on_read_resource=self._read_resource,
                on_set_logging_level=_take_level,
            )
        self.server.middleware.append(self._ask_for_handshake)

    def close(self) -> None:
        """Gives all sessions up."""
        while self._conversations:
            self._conversations.popitem()[1].session.close()

    # ---- Conversations ----

    async def _ask_for_handshake(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Over HTTP a session begins with a handshake, so that one is asked for."""
        result = await call_next(ctx)
        if ctx.method == "server/discover" and ctx.request is not None:
            versions = list(HANDSHAKE_PROTOCOL_VERSIONS)
            if isinstance(result, dict):
                return {**result, "supportedVersions": versions}
            if isinstance(result, types.DiscoverResult):
                return result.model_copy(update={"supported_versions": versions})
        return result

    def _conversation(
        self, context: ServerRequestContext[Any, Any]
    ) -> tuple[str, Conversation, bool]:
        """Name and session of a request, and whether it was named by the client itself."""
        name, named = "stdio", False
        if context.request is not None:
            meta: Any = context.meta or {}
            chosen = meta.get(CONVERSATION)
            named = isinstance(chosen, str) and 0 < len(chosen) <= 200
            name = f"named {chosen}" if named else context.request.headers.get("mcp-session-id")
            if name is None:
                name, named = f"named {uuid.uuid4().hex}", True
        conversation = self._conversations.get(name)
        if conversation is None:
            conversation = self._conversations[name] = Conversation(self._make_session())
            self._forget_with(context, name)
            self._make_room()
        self._conversations.move_to_end(name)
        return name, conversation, named

    def _forget_with(self, context: ServerRequestContext[Any, Any], name: str) -> None:
        """Gives the session up when the client ends its own."""
        if context.request is None or name.startswith("named "):
            return  # the connection is one call only
        connection = getattr(context.session, "_connection", None)
        if connection is not None:
            connection.exit_stack.callback(self._forget, name)

    def _forget(self, name: str) -> None:
        conversation = self._conversations.pop(name, None)
        if conversation is not None and not conversation.lock.locked():
            conversation.session.close()

    def _make_room(self) -> None:
        for name, conversation in list(self._conversations.items()):
            if len(self._conversations) <= self._max_conversations:
                return
            if not conversation.lock.locked():
                self._forget(name)

    # ---- Tools ----

    async def _list_tools(
        self,
        context: ServerRequestContext[Any, Any],
        params: types.PaginatedRequestParams | None,
    ) -> types.ListToolsResult:
        run = types.Tool(
            name="run_python",
            title="Run Python",
            description=self._description,
            input_schema=_RUN_SCHEMA,
            output_schema=OUTPUT_SCHEMA,
        )
        reset = types.Tool(
            name="reset",
            title="Start again",
            description="Forgets all variables, imports and files of run_python.",
            input_schema={"type": "object", "properties": {}, "additionalProperties": False},
        )
        return types.ListToolsResult(tools=[run, reset])

    async def _call_tool(
        self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        arguments = params.arguments or {}
        if params.name == "reset":
            return await self._reset(context)
        if params.name != "run_python":
            raise MCPError(code=types.INVALID_PARAMS, message=f"unknown tool {params.name!r}")
        code, timeout_ms = arguments.get("code"), arguments.get("timeout_ms")
        if not isinstance(code, str):
            return failure("code must be a string")
        wrong = not isinstance(timeout_ms, int) or isinstance(timeout_ms, bool) or timeout_ms < 1
        if timeout_ms is not None and wrong:
            return failure("timeout_ms must be a whole number above 0")
        others = sorted(arguments.keys() - {"code", "timeout_ms"})
        if others:
            return failure(f"run_python has no argument {others[0]!r}")
        name, conversation, named = self._conversation(context)
        async with conversation.lock:
            result = await self._run(context, conversation, code, timeout_ms)
        if named:
            result.meta = {CONVERSATION: name.removeprefix("named ")}
        return result

    async def _reset(self, context: ServerRequestContext[Any, Any]) -> types.CallToolResult:
        conversation = self._conversation(context)[1]
        async with conversation.lock:
            old, conversation.session = conversation.session, self._make_session()
            old.close()
        text = "All variables, imports and files are gone."
        return types.CallToolResult(content=[types.TextContent(text=text)])

    async def _run(
        self,
        context: ServerRequestContext[Any, Any],
        conversation: Conversation,
        code: str,
        timeout_ms: int | None,
    ) -> types.CallToolResult:
        session = conversation.session
        before = _checkpoint(session)
        limit = self._max_timeout_ms
        if timeout_ms is None or (limit is not None and timeout_ms > limit):
            timeout_ms = limit
        live = _Live(context)
        run = asyncio.ensure_future(
            session.execute_async(
                code,
                timeout_ms=timeout_ms,
                env=self._environment,
                on_stdout=live.stdout,
                on_stderr=live.stderr,
            )
        )
        sender = asyncio.ensure_future(live.send())
        done: eryx.ExecuteResult | EryxError
        try:
            done = await asyncio.shield(run)
        except asyncio.CancelledError:
            # The client does not want it any more. The program ends, and its session stays.
            session.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([run])
                run.exception()
                _keep_going(session, before)
            raise
        except EryxError as error:
            done = error
        finally:
            sender.cancel()
        await live.flush()
        notes = []
        if isinstance(done, EryxError):
            notes = _keep_going(session, before)
        start = f"{self._files_path}/"
        changed = [
            file for file in done.files if file.type == "file" and file.path.startswith(start)
        ]
        if any(file.kind != "changed" for file in changed):
            await context.session.send_resource_list_changed()
        links = [
            self._link(file.path.removeprefix(start), file.size)
            for file in changed
            if file.kind != "removed"
        ]
        return result_of(done, notes, links)

    # ---- Resources ----

    def _uri(self, path: str) -> str:
        return f"{_SCHEME}{quote(f'{self._files_path}/{path}'.lstrip('/'))}"

    def _link(self, path: str, size: int) -> types.ResourceLink:
        return types.ResourceLink(name=path, uri=self._uri(path), mime_type=_kind(path), size=size)

    async def _list_resources(
        self,
        context: ServerRequestContext[Any, Any],
        params: types.PaginatedRequestParams | None,
    ) -> types.ListResourcesResult:
        files = _sizes(self._conversation(context)[1].files)
        return types.ListResourcesResult(
            resources=[
                types.Resource(name=path, uri=self._uri(path), mime_type=_kind(path), size=size)
                for path, size in files.items()
            ]
        )

    async def _list_templates(
        self,
        context: ServerRequestContext[Any, Any],
        params: types.PaginatedRequestParams | None,
    ) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            name="file",
            uri_template=f"{_SCHEME}{self._files_path.lstrip('/')}/{{+path}}",
            description="A file that programs have written",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(
        self, context: ServerRequestContext[Any, Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        import base64

        uri = str(params.uri)
        start = f"{_SCHEME}{self._files_path.lstrip('/')}/"
        files = self._conversation(context)[1].files
        path = unquote(uri.removeprefix(start))
        if not uri.startswith(start) or path not in _sizes(files):
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no resource {uri}")
        data = files.read_bytes(path)
        contents: types.TextResourceContents | types.BlobResourceContents
        try:
            contents = types.TextResourceContents(
                uri=uri, mime_type=_kind(path), text=data.decode()
            )
        except UnicodeDecodeError:
            blob = base64.b64encode(data).decode()
            contents = types.BlobResourceContents(uri=uri, mime_type=_kind(path), blob=blob)
        return types.ReadResourceResult(contents=[contents])


class _Live:
    """Sends what a program writes while it runs, in pieces that are not too many."""

    def __init__(self, context: ServerRequestContext[Any, Any]) -> None:
        self._context = context
        self._waiting: list[tuple[str, str]] = []
        self._size = self._sent = 0

    def stdout(self, text: str) -> None:
        self._take("stdout", text)

    def stderr(self, text: str) -> None:
        self._take("stderr", text)

    def _take(self, stream: str, text: str) -> None:
        room = _MOST_CHARACTERS - self._size
        if room > 0:  # the rest is in the result
            self._waiting.append((stream, text[:room]))
            self._size += len(text)

    async def send(self) -> None:
        """Sends now and then, until it is cancelled."""
        while True:
            await asyncio.sleep(_PAUSE_S)
            await self.flush()

    async def flush(self) -> None:
        """Sends what is there."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        session, request = self._context.session, self._context.request_id
        while waiting:
            stream, text = waiting.pop(0)
            while waiting and waiting[0][0] == stream:
                text += waiting.pop(0)[1]
            self._sent += len(text)
            await session.report_progress(self._sent, None, text)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                await session.send_log_message("info", text, stream, related_request_id=request)


async def _take_level(
    context: ServerRequestContext[Any, Any], params: types.SetLevelRequestParams
) -> types.EmptyResult:
    """All that there is has one level."""
    return types.EmptyResult()


def _checkpoint(session: Session) -> Checkpoint | None:
    try:
        return session.checkpoint()
    except (EryxError, ValueError):  # it has threads
        return None


def _keep_going(session: Session, before: Checkpoint | None) -> list[str]:
    """Makes the session usable if the run had to be given up; says what has happened to it."""
    try:
        session.execute("")
    except EryxError:
        if before is not None:
            session.rollback(before)
            return ["[the run could not be stopped otherwise, so what it had done is undone]"]
        session.reset()
        return ["[the session was reset: its variables are gone]"]
    return []


def _sizes(files: VfsStorage) -> dict[str, int]:
    """The files, each with its size."""
    sizes = {}
    for path in files.walk():
        try:
            sizes[path] = len(files.read_bytes(path))
        except OSError:
            pass  # a link that leads nowhere
    return sizes


def _kind(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"
