"""MCP servers whose tools programs in sandboxes can call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import os
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import IO, TYPE_CHECKING, Any

from eryx._copying import Closable
from eryx._errors import EryxError, InitializationError, ToolError
from eryx.mcp import _sdk

if TYPE_CHECKING:
    from eryx._callbacks import CallbackTable
    from eryx.mcp._discover import ServerConfig

_log = logging.getLogger("eryx.mcp")

_USUAL_TIMEOUT_S = 30.0
# Of what a server writes to stderr, for an error.
_MOST_WRITTEN = 500


class _Server:
    """One connection, which a task of the manager's loop holds open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tools: list[Any] = []
        self.client: Any = None
        self.closing = asyncio.Event()


class MCPManager(Closable):
    """Connections to MCP servers; ``Sandbox(mcp=manager)`` lets programs call their tools.

    A program calls a tool as ``await mcp.server.tool(...)``. What is connected when a sandbox is
    made is there. It takes ``pip install 'eryx-sandbox[mcp]'``.

    >>> manager = MCPManager()
    >>> manager
    MCPManager(servers=[], tools=0)
    """

    __module__ = "eryx"
    __slots__ = ("__weakref__", "_closed", "_lock", "_loop", "_servers")

    _why = "it has connections to processes"
    _instead = "make another one, and connect it"

    def __init__(self) -> None:
        """A manager without servers."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: dict[str, _Server] = {}
        self._closed = False

    @property
    def server_names(self) -> list[str]:
        """The servers that are connected, in the order of their connections."""
        return list(self._servers)

    def connect(
        self,
        name: str,
        command: str,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout_secs: float = _USUAL_TIMEOUT_S,
        cwd: str | os.PathLike[str] | None = None,
    ) -> int:
        """Starts a server and connects to it over stdio; gives the number of its tools.

        name: what programs call it by.
        command, args: what is started.
        env: variables of the server, besides PATH, HOME and a few others of this process.
        timeout_secs: how long it may take to answer.
        cwd: the folder that it starts in.

        Raises InitializationError if it cannot be started, or is no MCP server, or takes too long;
        ValueError if there is a server of that name; EryxError if the SDK is not installed.
        """
        if not isinstance(command, str):
            raise TypeError(f"command must be a str, not {type(command).__name__}")
        if isinstance(args, str):
            raise TypeError("args must be a sequence of str, not a str")
        return self._begin(name, (command, list(args), dict(env or {}), cwd), timeout_secs).result()

    def connect_url(self, name: str, url: str, timeout_secs: float = _USUAL_TIMEOUT_S) -> int:
        """Connects to a server over streamable HTTP; otherwise as `connect`."""
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        return self._begin(name, url, timeout_secs).result()

    def list_tools(self) -> list[dict[str, Any]]:
        """Name (as programs write it), description and schema of each tool."""
        return [
            {
                "name": _written(server.name, tool.name),
                "description": tool.description or "",
                "schema": tool.input_schema,
            }
            for server in self._servers.values()
            for tool in server.tools
        ]

    def close(self) -> None:
        """Ends all connections, and the servers that were started. Doing it twice does no harm."""
        with self._lock:
            loop, self._loop = self._loop, None
            self._closed = True
        servers, self._servers = list(self._servers.values()), {}
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_end(servers), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    def __repr__(self) -> str:
        """What it is connected to."""
        tools = sum(len(server.tools) for server in self._servers.values())
        return f"MCPManager(servers={self.server_names}, tools={tools})"

    # ---- Inside ----

    def _begin(self, name: str, target: Any, timeout_secs: float) -> concurrent.futures.Future[int]:
        """Begins to connect."""
        _check_name(name)
        if not timeout_secs > 0:
            raise ValueError("timeout_secs must be above 0")
        _sdk.require()
        loop = self._running_loop()
        if name in self._servers:
            raise ValueError(f"there is a server named {name!r} already")
        return asyncio.run_coroutine_threadsafe(self._connect(name, target, timeout_secs), loop)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the connections, on a thread of its own."""
        from eryx._threads import start_thread

        with self._lock:
            if self._closed:
                raise EryxError("the MCPManager is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                start_thread("eryx-mcp", self._loop.run_forever)
            return self._loop

    async def _connect(self, name: str, target: Any, timeout_secs: float) -> int:
        """On the loop."""
        server = _Server(name)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(_hold(server, target, ready))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        try:
            await asyncio.wait_for(asyncio.shield(ready), timeout_secs)
        except TimeoutError:
            task.cancel()  # which ends the server; nobody waits for that
            raise InitializationError(
                f"the MCP server {name!r} has not answered within {timeout_secs:g} s"
            ) from None
        if name in self._servers:
            server.closing.set()
            raise ValueError(f"there is a server named {name!r} already")
        self._servers[name] = server
        return len(server.tools)

    def _callbacks(self) -> list[dict[str, Any]]:
        """The tools as callbacks."""
        return [
            {
                "name": f"mcp.{server.name}.{tool.name}",
                "fn": self._caller(server, tool.name),
                "description": tool.description or "",
                "schema": tool.input_schema,
            }
            for server in self._servers.values()
            for tool in server.tools
        ]

    def _caller(self, server: _Server, tool: str) -> Any:
        async def call(**arguments: Any) -> Any:
            loop = self._loop
            if loop is None:
                raise ToolError(f"the MCP server {server.name!r} is not connected any more")
            future = asyncio.run_coroutine_threadsafe(
                server.client.call_tool(tool, arguments), loop
            )
            try:
                answer = await asyncio.wrap_future(future)
            except Exception as error:
                raise ToolError(f"MCP server {server.name!r}: {error}") from error
            return _value(answer)

        return call


_tasks: set[asyncio.Task[None]] = set()  # which nothing else holds


async def _hold(server: _Server, target: Any, ready: asyncio.Future[None]) -> None:
    """Connects, says so, and keeps the connection until it is to be closed."""
    from mcp import Client, StdioServerParameters, stdio_client

    written: IO[str] | None = None
    try:
        async with AsyncExitStack() as stack:
            transport: Any = target
            if not isinstance(target, str):
                command, args, env, cwd = target
                file = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
                written = stack.enter_context(file)
                parameters = StdioServerParameters(command=command, args=args, env=env, cwd=cwd)
                transport = stdio_client(parameters, errlog=written)
            try:
                server.client = await stack.enter_async_context(Client(transport))
                cursor = None
                while True:
                    page = await server.client.list_tools(cursor=cursor)
                    server.tools += page.tools
                    cursor = page.next_cursor
                    if not cursor:
                        break
            except Exception as error:
                raise InitializationError(
                    f"cannot connect to the MCP server {server.name!r}: "
                    f"{_reason(error)}{_tail(written)}"
                ) from error
            ready.set_result(None)
            await server.closing.wait()
    except Exception as error:
        if ready.done():
            _log.warning("the connection to the MCP server %r has ended: %s", server.name, error)
        else:
            ready.set_exception(error)


async def _end(servers: list[_Server]) -> None:
    for server in servers:
        server.closing.set()
    if _tasks:
        own = [task for task in _tasks if task.get_loop() is asyncio.get_running_loop()]
        if own:
            await asyncio.wait(own, timeout=10)


def _reason(error: BaseException) -> str:
    """What went wrong, without the groups that it is wrapped in."""
    inner: Any = error
    while getattr(inner, "exceptions", None):
        inner = inner.exceptions[0]
    return str(inner) or type(inner).__name__


def _tail(written: IO[str] | None) -> str:
    """What the server wrote to stderr, in the end."""
    if written is None:
        return ""
    written.seek(0, os.SEEK_END)
    written.seek(max(0, written.tell() - _MOST_WRITTEN))
    text = written.read().strip()
    return f"; it wrote: {text}" if text else ""


def _value(answer: Any) -> Any:
    """What the program gets. Raises ToolError."""
    texts = [block.text for block in answer.content if block.type == "text"]
    if answer.is_error:
        raise ToolError("\n".join(texts) or "the tool has failed")
    if answer.structured_content is not None:
        return answer.structured_content
    if len(texts) < len(answer.content):  # pictures and the like
        return [
            block.model_dump(mode="json", by_alias=True, exclude_none=True)
            for block in answer.content
        ]
    if len(texts) == 1:
        try:
            return json.loads(texts[0])
        except (ValueError, RecursionError):
            pass
    return "\n".join(texts)


def _written(server: str, tool: str) -> str:
    """The name as a program writes it."""
    return f"mcp.{server}.{tool}".replace("-", "_")


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if not name or not name.isprintable() or "." in name:
        raise ValueError(f"name must be printable, not empty, and without dots, not {name!r}")


def with_tools(table: CallbackTable | None, mcp: object) -> CallbackTable | None:
    """The callbacks of a sandbox with those of its MCP servers."""
    from eryx._callbacks import more_callbacks

    if not isinstance(mcp, MCPManager):
        raise TypeError(f"mcp must be an MCPManager or None, not {type(mcp).__name__}")
    return more_callbacks(table, mcp._callbacks())


def connect_servers(
    config_paths: Iterable[str | os.PathLike[str]] | None = None,
    connect_timeout: float = _USUAL_TIMEOUT_S,
) -> MCPManager | None:
    """Connects to all servers that `discover_servers` finds, at the same time.

    connect_timeout: seconds that each may take.

    Gives None if there are none, or none of them can be had. One that fails is logged
    (``eryx.mcp``), and stops nothing. Raises EryxError if there are servers, but not the SDK.
    """
    from eryx.mcp._discover import discover_servers

    servers = discover_servers(config_paths)
    if not servers:
        return None
    _sdk.require()
    manager = MCPManager()
    begun = [(server, _begun(manager, server, connect_timeout)) for server in servers]
    for server, future in begun:
        try:
            future.result()
        except Exception as error:
            _log.warning("%s (from %s)", error, server.source)
    if manager.server_names:
        return manager
    manager.close()
    return None


def _begun(
    manager: MCPManager, server: ServerConfig, timeout_secs: float
) -> concurrent.futures.Future[int]:
    try:
        return manager._begin(
            server.name, (server.command, list(server.args), server.env, None), timeout_secs
        )
    except ValueError as error:  # a name that cannot be
        failed: concurrent.futures.Future[int] = concurrent.futures.Future()
        failed.set_exception(error)
        return failed
