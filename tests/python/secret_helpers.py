"""What the tests of secrets share."""

from __future__ import annotations

import base64
import re
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from eryx import NetConfig, ResourceLimits, Sandbox, Session
from eryx._process_core import ProcessCore
from guest_memory import find_in_guests, find_in_process
from servers import TcpServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

VALUE = "s3cr3t-" + "/+VALUE&" + "1234567890"
OTHER = "0ther." + "value!" + "ABCDEF"
PLACEHOLDER = re.compile("eryx_secret_[0-9a-f]{32}")
# A program whose result is the placeholder.
READ = "import os; result = os.environ['API_KEY']"
LOCAL = NetConfig().allow_localhost()
PATIENT = ResourceLimits(execution_timeout_ms=120_000)


def needles(value: str) -> list[bytes]:
    """A value and what of its Base64 is the same wherever it begins."""
    encoded = value.encode()
    cores = [
        base64.b64encode(b"x" * before + encoded)[(4 * before + 2) // 3 :][: len(encoded) - 2]
        for before in range(3)
    ]
    return [encoded, *cores]


def key(*hosts: str, value: str = VALUE) -> dict[str, dict[str, Any]]:
    """Secrets with one that may go to these hosts."""
    return {"API_KEY": {"value": value, "allowed_hosts": list(hosts)}}


class Guests:
    """Sandboxes of a test; in the end nothing of a value may be in their memory."""

    def __init__(self) -> None:
        self._all: list[Sandbox] = []

    def sandbox(self, **options: Any) -> Sandbox:
        made = Sandbox(**{"resource_limits": PATIENT, "network": LOCAL, **options})
        self._all.append(made)
        return made

    def session(self, **options: Any) -> Session:
        made = Session(**{"resource_limits": PATIENT, "network": LOCAL, **options})
        self._all.append(made)
        return made

    def keep(self, sandbox: Sandbox) -> None:
        self._all.append(sandbox)

    def check(self) -> None:
        """Fails if the memory of any has something of a value; of workers, all that they have."""
        cores: list[Any] = [sandbox._core for sandbox in self._all]
        remote = [core for core in cores if isinstance(core, ProcessCore)]
        wanted = (*needles(VALUE), *needles(OTHER))
        for pid in {core._process.pid for core in remote if core._process is not None}:
            assert find_in_process(pid, *wanted) == []
        if len(remote) < len(cores):
            assert find_in_guests(*wanted) == []


class RecordingServer(TcpServer):
    """Keeps what it is sent, and answers with what a function makes of the first piece."""

    def __init__(self, answer: Callable[[bytes], list[bytes]] | None = None) -> None:
        super().__init__()
        self.received = b""
        self._answer = answer

    def wait_until_done(self, seconds: float = 20) -> bool:
        """Whether the first connection came and all of it was read in some time."""
        end = time.monotonic() + seconds
        while self.accepted == 0 and time.monotonic() < end:
            time.sleep(0.005)
        return self.accepted > 0 and self.wait_until_idle(seconds)

    def serve(self, connection: socket.socket) -> None:
        while data := connection.recv(65536):
            self.received += data
            if self._answer is not None and b"\r\n\r\n" in self.received:
                for piece in self._answer(self.received):
                    connection.sendall(piece)
                return


# A program that gets an address with the key in a header, and prints the answer.
GET = """
    import os, sys, urllib.request
    request = urllib.request.Request(sys.argv[1])
    request.add_header("Authorization", "Bearer " + os.environ["API_KEY"])
    try:
        with urllib.request.urlopen(request) as answer:
            print(answer.read().decode())
    except OSError as error:
        print(type(error).__name__, getattr(error, "reason", error))
"""

# A program that sends its second argument, with the placeholder for KEY, over a socket in pieces of
# the size of the third, and prints the answer.
SEND = """
    import os, socket, sys
    port, text, step = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    data = text.replace("KEY", os.environ["API_KEY"]).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for at in range(0, len(data), step):
                connection.sendall(data[at:at + step])
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1000):
                print(piece.decode("latin-1"), end="")
        except OSError as error:
            print(type(error).__name__, error.errno, error)
"""


def run(sandbox: Sandbox, code: str, *arguments: object) -> str:
    return sandbox.execute(dedent(code), arguments=[str(part) for part in arguments]).stdout
