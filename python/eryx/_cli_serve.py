"""The command ``eryx serve``: sessions for MCP clients."""

from __future__ import annotations

import argparse
import sys

from eryx import _cli_factory, _cli_options, _cli_streams
from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._session import Session
    from eryx.mcp._server import PythonServer

_EPILOG = """Without --http the client starts this command and talks to it over standard input and
output. A client is told so as {"mcpServers": {"python": {"command": "eryx", "args": ["serve",
"--mcp"]}}}."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "--mcp", action="store_true", required=True, help="serve the Model Context Protocol"
    )
    parser.add_argument(
        "--http",
        type=_address,
        metavar="[HOST:]PORT",
        help="serve streamable HTTP at /mcp there, in place of standard input and output",
    )
    parser.add_argument(
        "--max-sessions",
        type=int,
        default=100,
        metavar="N",
        help="sessions at a time; then the one that was idle for longest is given up (100)",
    )
    _cli_options.add_options(parser)
    parser.set_defaults(run=lambda options: _run(parser, options))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise argparse.ArgumentTypeError(f"must be PORT or HOST:PORT, not {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    _cli_options.check(parser, options)
    from eryx.mcp import _sdk

    _sdk.require()
    from eryx.mcp._server import PythonServer

    given = _cli_options.sandbox_options(options)
    environment = _cli_options.environment(options)

    def make_session() -> Session:
        from eryx._storage import VfsStorage

        return _cli_factory.create_session(options, files=VfsStorage(), **given)

    server = PythonServer(
        make_session,
        max_timeout_ms=options.timeout,
        max_conversations=max(1, options.max_sessions),
        environment=environment,
    )
    try:
        if options.http is None:
            _serve_stdio(server)
        else:
            _serve_http(server, *options.http)
    finally:
        server.close()
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
    import socket

    import uvicorn

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise EryxError(f"cannot serve at {host}:{port}: {error.strerror}") from None
    with listening:
        shown = f"[{host}]" if ":" in host else host
        place = f"http://{shown}:{listening.getsockname()[1]}/mcp"
        _cli_streams.write(2, f"eryx: serving at {place}\n".encode())
        app = server.server.streamable_http_app(host=host)
        config = uvicorn.Config(app, log_level="warning", lifespan="on")
        uvicorn.Server(config).run(sockets=[listening])
    sys.stdout.flush()
