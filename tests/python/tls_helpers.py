"""What the tests of TLS share."""

from __future__ import annotations

import pytest

import eryx
from eryx import NetConfig, Sandbox
from network_helpers import PATIENT, execute

# Says how TLS with a server went: arguments are host, port, and the name of the server.
CONNECT = """
    import socket, ssl, sys
    host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    try:
        with socket.create_connection((host, port), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname=name) as connection:
                connection.sendall(b"ping")
                print(connection.recv(100).decode(), connection.version())
    except OSError as error:
        print(type(error).__name__, error)
"""

# The same with asyncio, which does I/O itself and leaves only the bytes to the host.
STREAM = """
    import asyncio, ssl, sys
    host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    async def main():
        try:
            reader, writer = await asyncio.open_connection(
                host, port, ssl=ssl.create_default_context(), server_hostname=name)
            writer.write(b"ping")
            print((await reader.read(100)).decode(), writer.get_extra_info("ssl_object").version())
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            print(type(error).__name__, error)
    asyncio.run(main())
"""

BOTH_WAYS = pytest.mark.parametrize("program", [CONNECT, STREAM], ids=["socket", "asyncio"])


def run(network: NetConfig, code: str, *arguments: object) -> eryx.ExecuteResult:
    """Runs an indented program with arguments in a new sandbox."""
    return execute(Sandbox(network=network, resource_limits=PATIENT), code, *arguments)
