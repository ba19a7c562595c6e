"""What the tests of the network share."""

from __future__ import annotations

import asyncio
import time
from textwrap import dedent

import eryx
from conftest import open_descriptors
from eryx import NetConfig, ResourceLimits, Sandbox

LOCAL = NetConfig().allow_localhost()
PATIENT = ResourceLimits(execution_timeout_ms=120_000)

# A program that says how a connection to its arguments, host and port, went.
CONNECT = """
    import socket, sys
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        with socket.create_connection((host, port), timeout=20) as connection:
            connection.sendall(b"ping")
            print(connection.recv(100).decode())
    except OSError as error:
        print(type(error).__name__, error)
"""


def run(code: str, *arguments: object, network: NetConfig | None = LOCAL) -> eryx.ExecuteResult:
    """Runs an indented program with arguments in a new sandbox."""
    return execute(Sandbox(network=network, resource_limits=PATIENT), code, *arguments)


def execute(
    sandbox: Sandbox, code: str, *arguments: object, how: str = "execute"
) -> eryx.ExecuteResult:
    """Runs an indented program with arguments.

    how: "execute", "execute_async", or "inside" for execute on the thread of a running loop.
    """
    source, texts = dedent(code), [str(argument) for argument in arguments]
    if how == "execute":
        return sandbox.execute(source, arguments=texts)
    if how == "execute_async":
        return asyncio.run(sandbox.execute_async(source, arguments=texts))

    async def inside() -> eryx.ExecuteResult:
        return sandbox.execute(source, arguments=texts)

    return asyncio.run(inside())


def descriptors_after(before: int, seconds: float = 20) -> int:
    """Open descriptors of this process, once the threads of the servers have closed theirs."""
    end = time.monotonic() + seconds
    while (found := open_descriptors()) > before and time.monotonic() < end:
        time.sleep(0.01)
    return found
