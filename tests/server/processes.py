"""A service in a process of its own, and clients that speak to it over a socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 30


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``eryx serve`` as a process."""

    def __init__(self, folder: Path, settings: str = "", *ports: int, scheme: str = "http") -> None:
        """settings: the TOML file; folder: where it is written, and the log."""
        self.ports = ports or (free_port(),)
        self.url = f"{scheme}://127.0.0.1:{self.ports[0]}"
        self.log = folder / f"server-{self.ports[0]}.log"
        configuration = folder / f"server-{self.ports[0]}.toml"
        configuration.write_text(settings)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "eryx", "serve"),
                    *("--settings", str(configuration)),
                    *(word for port in self.ports for word in ("--http", str(port))),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text())
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def client(self, key: str | None = None, **options: Any) -> httpx.Client:
        """A client for this server."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(
    folder: Path, settings: str = "", *ports: int, scheme: str = "http"
) -> Iterator[Server]:
    """A server that answers, for a while."""
    server = Server(folder, settings, *ports, scheme=scheme)
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
