"""An MCP server whose tool runs Python in a session, on the official SDK.

Each client session has a session of its own: over stdio the process is one, over streamable HTTP it
is what the handshake begins. The newer form of the protocol over HTTP has no sessions; clients are
told to shake hands, and those that do not can name their conversation (`CONVERSATION`).
"""

from __future__ import annotations

import asyncio
import mimetypes
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import anyio
import mcp.types as types
from mcp import MCPError
from mcp.server import Server
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

import eryx
from eryx._errors import EryxError
from eryx.mcp._conversations import CONVERSATION, RefusedError
from eryx.mcp._results import OUTPUT_SCHEMA, failure, result_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from eryx._session import Checkpoint, Session
    from eryx._session_files import SessionFiles
    from eryx._storage import VfsStorage
    from eryx.mcp._conversations import Conversation, Conversations

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


class PythonServer:
    """The server. Its conversations live on one event loop."""

    def __init__(
        self,
        conversations: Conversations,
        *,
        environment: dict[str, str] | None = None,
        on_ended: Callable[[eryx.ExecuteResult | EryxError], None] | None = None,
    ) -> None:
        """Makes the server.

        conversations: where the sessions are.
        environment: variables of each run.
        on_ended: called on a thread with each run that has ended; raises nothing.
        """
        self._conversations = conversations
        self._folder = conversations.files_path
        self._environment = environment
        self._on_ended = on_ended
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # logging is on its way out of the protocol
            self.server: Server[Any] = Server(
                "eryx",
                version=eryx.__version__,
                instructions=conversations.instructions,
                on_list_tools=self._list_tools,
                on_call_tool=self._call_tool,
                on_list_resources=self._list_resources,
                on_list_resource_templates=self._list_templates,
                on_read_resource=self._read_resource,
                on_set_logging_level=_take_level,
            )
        self.server.middleware.append(self._ask_for_handshake)

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

    # ---- Tools ----

    async def _list_tools(
        self,
        context: ServerRequestContext[Any, Any],
        params: types.PaginatedRequestParams | None,
    ) -> types.ListToolsResult:
        run = types.Tool(
            name="run_python",
            title="Run Python",
            description=await self._conversations.description(context),
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
        try:
            async with self._conversations.use(context, to_run=True) as conversation:
                result = await self._run(context, conversation, code, timeout_ms)
        except RefusedError as error:
            return failure(str(error))
        if conversation.told_name is not None:
            result.meta = {CONVERSATION: conversation.told_name}
        return result

    async def _reset(self, context: ServerRequestContext[Any, Any]) -> types.CallToolResult:
        try:
            async with self._conversations.use(context) as conversation:
                await conversation.reset()
        except RefusedError as error:
            return failure(str(error))
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
        limit = conversation.max_timeout_ms
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
                cancelled = run.exception() or run.result()
                if isinstance(cancelled, eryx.ExecuteResult | EryxError):
                    await self._tell_ended(cancelled)
                await conversation.keep_going(before)
            raise
        except EryxError as error:
            done = error
        finally:
            sender.cancel()
        await live.flush()
        await self._tell_ended(done)
        conversation.ended(done)
        notes = []
        if isinstance(done, EryxError):
            notes = await conversation.keep_going(before)
        start = f"{self._folder}/"
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

    async def _tell_ended(self, run: eryx.ExecuteResult | EryxError) -> None:
        if self._on_ended is not None:
            await asyncio.to_thread(self._on_ended, run)

    # ---- Resources ----

    def _uri(self, path: str) -> str:
        return f"{_SCHEME}{quote(f'{self._folder}/{path}'.lstrip('/'))}"

    def _link(self, path: str, size: int) -> types.ResourceLink:
        return types.ResourceLink(name=path, uri=self._uri(path), mime_type=_kind(path), size=size)

    async def _list_resources(
        self,
        context: ServerRequestContext[Any, Any],
        params: types.PaginatedRequestParams | None,
    ) -> types.ListResourcesResult:
        async with self._using(context) as conversation:
            files = await asyncio.to_thread(_sizes, conversation.files)
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
            uri_template=f"{_SCHEME}{self._folder.lstrip('/')}/{{+path}}",
            description="A file that programs have written",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(
        self, context: ServerRequestContext[Any, Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        import base64

        uri = str(params.uri)
        start = f"{_SCHEME}{self._folder.lstrip('/')}/"
        path = unquote(uri.removeprefix(start))
        async with self._using(context) as conversation:
            try:
                if not uri.startswith(start):
                    raise FileNotFoundError(uri)
                data = await asyncio.to_thread(conversation.files.read_bytes, path)
            except (OSError, ValueError):
                raise MCPError(
                    code=types.INVALID_PARAMS, message=f"there is no resource {uri}"
                ) from None
        contents: types.TextResourceContents | types.BlobResourceContents
        try:
            contents = types.TextResourceContents(
                uri=uri, mime_type=_kind(path), text=data.decode()
            )
        except UnicodeDecodeError:
            blob = base64.b64encode(data).decode()
            contents = types.BlobResourceContents(uri=uri, mime_type=_kind(path), blob=blob)
        return types.ReadResourceResult(contents=[contents])

    @asynccontextmanager
    async def _using(self, context: ServerRequestContext[Any, Any]) -> AsyncIterator[Conversation]:
        try:
            async with self._conversations.use(context) as conversation:
                yield conversation
        except RefusedError as error:
            raise MCPError(code=types.INTERNAL_ERROR, message=str(error)) from None


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


def _sizes(files: VfsStorage | SessionFiles) -> dict[str, int]:
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
