"""The command ``eryx serve``: sessions for MCP clients, or over HTTP for anybody's programs."""

from __future__ import annotations

import argparse
import sys

from eryx import _cli_factory, _cli_files, _cli_options, _cli_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._session import Session
    from eryx.mcp._server import PythonServer

_EPILOG = """With --mcp and without --http the client starts this command and talks to it over
standard input and output. A client is told so as {"mcpServers": {"python": {"command": "eryx",
"args": ["serve", "--mcp"]}}}."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from eryx.server._cli import add_options

    parser.epilog = _EPILOG
    parser.add_argument(
        "--http",
        type=_address,
        action="append",
        metavar="[HOST:]PORT",
        help="where to serve: the service (127.0.0.1:8000), or with --mcp streamable HTTP at /mcp "
        "in place of standard input and output",
    )
    add_options(parser)
    parser.add_argument("--mcp", action="store_true", help="serve the Model Context Protocol")
    before = len(parser._actions)
    parser.add_argument(
        "--max-sessions",
        type=int,
        default=100,
        metavar="N",
        help="sessions at a time; then the one that was idle for longest is given up (100)",
    )
    _cli_options.add_options(parser)
    of_mcp = parser._actions[before:]
    parser.set_defaults(run=lambda options: _run(parser, options, of_mcp))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise argparse.ArgumentTypeError(f"must be PORT or HOST:PORT, not {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def _run(
    parser: argparse.ArgumentParser, options: argparse.Namespace, of_mcp: list[argparse.Action]
) -> int:
    """of_mcp: what the service takes from its settings instead."""
    if not options.mcp:
        usual = parser.parse_args([])
        for action in of_mcp:
            if getattr(options, action.dest) != getattr(usual, action.dest):
                parser.error(f"{action.option_strings[-1]} goes with --mcp")
        from eryx.server._cli import run

        return run(options, options.http or [])
    addresses: list[tuple[str, int]] = options.http or []
    if len(addresses) > 1:
        parser.error("--mcp is served at one address")
    _cli_options.check(parser, options)
    from eryx.mcp import _sdk

    _sdk.require()
    from eryx.mcp._conversations import LocalConversations
    from eryx.mcp._server import PythonServer

    given = _cli_options.sandbox_options(options)
    environment = _cli_options.environment(options)

    def make_session() -> Session:
        from eryx._storage import VfsStorage

        return _cli_factory.create_session(options, files=VfsStorage(), **given)

    conversations = LocalConversations(
        make_session,
        max_timeout_ms=options.timeout,
        max_conversations=max(1, options.max_sessions),
    )
    out = options.out
    server = PythonServer(
        conversations,
        environment=environment,
        on_ended=None if out is None else lambda run: _cli_files.keep(run, out),
    )
    try:
        if addresses:
            _serve_http(server, *addresses[0])
        else:
            _serve_stdio(server)
    finally:
        conversations.close()
        manager = given.get("mcp")
        if manager is not None:
            manager.close()
    return 0


def _serve_stdio(server: PythonServer) -> None:
    import anyio
    from mcp import stdio_server

    async def serve() -> None:
        async with stdio_server() as (reader, writer):
            options = server.server.create_initialization_options()
            await server.server.run(reader, writer, options)

    anyio.run(serve)


def _serve_http(server: PythonServer, host: str, port: int) -> None:
    import uvicorn

    from eryx.server._cli import listening_socket, url_of

    with listening_socket(host, port) as listening:
        _cli_streams.write(2, f"eryx: serving at {url_of(listening)}/mcp\n".encode())
        app = server.server.streamable_http_app(host=host)
        config = uvicorn.Config(app, log_level="warning", lifespan="on")
        uvicorn.Server(config).run(sockets=[listening])
    sys.stdout.flush()
