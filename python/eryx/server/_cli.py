"""``eryx serve`` without ``--mcp``: the HTTP service in a process of its own."""

from __future__ import annotations

import math
import signal
import socket
from contextlib import ExitStack
from dataclasses import replace

from eryx._errors import EryxError
from eryx.server import create_app, new_key, read_settings
from eryx.server._errors import MissingServerError
from eryx.server._settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from types import FrameType

    Address = tuple[str, int]

_USUAL = ("127.0.0.1", 8000)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the service takes besides its addresses."""
    group = parser.add_argument_group("the HTTP service (without --mcp)")
    group.add_argument(
        "--settings", metavar="FILE", help="keys, quotas and the rest, as TOML (docs/server.md)"
    )
    group.add_argument(
        "--store", metavar="URL", help="where idle sessions go: file:///FOLDER, redis://HOST, s3://"
    )
    group.add_argument(
        "--e2b", action="store_true", help="answer the protocol of e2b's clients as well"
    )
    group.add_argument(
        "--isolation",
        choices=["process"],
        help="run sandboxes in worker processes, those of each key in its own (docs/workers.md)",
    )
    group.add_argument(
        "--new-key", metavar="NAME", help="print a key, and what the settings need of it, and end"
    )


def run(options: argparse.Namespace, addresses: list[Address]) -> int:
    """Serves until it is told to end. Gives the exit code."""
    if options.new_key is not None:
        key, stored = new_key(options.new_key)
        print(f'# the key, which is kept nowhere: {key}\n[[keys]]\nname = "{stored.name}"')
        print(f'sha256 = "{stored.sha256}"')
        return 0
    settings = Settings() if options.settings is None else read_settings(options.settings)
    if options.store is not None:
        settings = replace(settings, store=options.store)
    if options.e2b:
        settings = replace(settings, e2b=True)
    if options.isolation is not None:
        settings = replace(settings, isolation=options.isolation)
    addresses = addresses or [_USUAL]
    for host, _ in addresses:
        if not settings.keys and host not in ("127.0.0.1", "::1", "localhost"):
            raise EryxError(
                f"at {host} everybody could run programs: the settings need [[keys]] "
                "(`eryx serve --new-key NAME` makes one)"
            )
    with ExitStack() as stack:
        sockets = [stack.enter_context(listening_socket(*address)) for address in addresses]
        _serve(settings, sockets)
    return 0


def _serve(settings: Settings, sockets: list[socket.socket]) -> None:
    app = create_app(settings)
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise MissingServerError("uvicorn") from None
    scheme = "http" if settings.certificate is None else "https"
    for listening in sockets:
        print(f"eryx: serving at {url_of(listening, scheme)}", flush=True)
    if app.state.eryx.mcp is not None:
        # Otherwise streams end at once when the service is told to, with runs that go on.
        from sse_starlette.sse import AppStatus

        AppStatus.enable_automatic_graceful_drain = False
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="on",
        server_header=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )

    class Server(uvicorn.Server):
        """Says at once that no work is taken any more."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.eryx.admission.closing = True
            super().handle_exit(sig, frame)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.eryx.admission.close()
            await super().shutdown(sockets)

    # uvicorn raises the signals again that ended it.
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        Server(config).run(sockets=sockets)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(sig: int, frame: FrameType | None) -> None:
    """For what has been done already."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Listens there. Raises EryxError that names the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        raise EryxError(f"cannot serve at {host}:{port}: {error.strerror}") from None
    return listening


def url_of(listening: socket.socket, scheme: str = "http") -> str:
    """The address of a socket that listens."""
    host, port = listening.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
