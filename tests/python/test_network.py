"""Sockets: the guest against real servers on loopback."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import open_descriptors
from eryx import NetConfig, Sandbox, Session
from network_helpers import CONNECT, LOCAL, descriptors_after, execute, run
from servers import (
    HOST,
    EchoServer,
    HalfCloseServer,
    RawServer,
    ResetServer,
    SilentServer,
    closed_port,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("each_isolation")

OFF = "the network is off in this sandbox: not permitted"


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


class TestOffByDefault:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "example.com"])
    def test_connect_raises(self, host: str, echo: EchoServer) -> None:
        accepted = echo.accepted
        done = run(CONNECT, host, echo.port, network=None)
        assert done.stdout == f"PermissionError [Errno 2] {OFF}"
        assert done.connections == []
        assert echo.accepted == accepted

    def test_a_session_has_none_either(self, echo: EchoServer) -> None:
        with Session() as session:
            done = session.execute(dedent(CONNECT), arguments=[HOST, str(echo.port)])
        assert done.stdout == f"PermissionError [Errno 2] {OFF}"

    @pytest.mark.here_alone("a worker has a socket for it")
    def test_no_descriptor_is_needed_without_network(self) -> None:
        before = open_descriptors()
        sandbox = Sandbox(network=NetConfig())
        sandbox.execute("print(1)")
        assert descriptors_after(before) <= before


class TestSockets:
    def test_echo(self, echo: EchoServer) -> None:
        assert run(CONNECT, HOST, echo.port).stdout == "ping"

    def test_the_api_of_a_client(self, echo: EchoServer) -> None:
        done = run(
            """
            import socket, sys
            port = int(sys.argv[1])
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", port))
            print(connection.getpeername() == ("127.0.0.1", port), connection.getsockname()[0])
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            print(connection.send(b"one"), connection.recv(3))
            connection.sendall(b"two")
            buffer = bytearray(8)
            received = 0
            while received < 3:
                received += connection.recv_into(memoryview(buffer)[received:])
            print(bytes(buffer[:received]))
            with connection.makefile("rwb") as stream:
                stream.write(b"a line\\nand more\\n")
                stream.flush()
                print(stream.readline(), stream.readline())
            connection.shutdown(socket.SHUT_WR)
            print(connection.recv(10))
            connection.close()
            try:
                connection.send(b"x")
            except OSError as error:
                print("closed", type(error).__name__)
            """,
            echo.port,
        )
        assert done.stdout.splitlines() == [
            "True 127.0.0.1",
            "3 b'one'",
            "b'two'",
            r"b'a line\n' b'and more\n'",
            "b''",
            "closed OSError",
        ]

    def test_megabytes_there_and_back(self, echo: EchoServer) -> None:
        done = run(
            """
            import hashlib, os, select, socket, sys
            data = os.urandom(1 << 20) * 8
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            connection.setblocking(False)
            sent, received, digest = 0, 0, hashlib.sha256()
            while received < len(data):
                readable, writable, _ = select.select(
                    [connection], [connection] if sent < len(data) else [], [], 20
                )
                assert readable or writable
                if writable:
                    sent += connection.send(data[sent : sent + 100_000])
                if readable:
                    piece = connection.recv(1 << 24)
                    assert len(piece) <= 1 << 20
                    digest.update(piece)
                    received += len(piece)
            print(digest.digest() == hashlib.sha256(data).digest())
            """,
            echo.port,
        )
        assert done.stdout == "True"
        assert done.connections[0].bytes_in == done.connections[0].bytes_out == 8 << 20

    def test_ipv6(self) -> None:
        try:
            server = EchoServer(host="::1")
        except OSError as error:
            pytest.skip(f"there is no IPv6 here: {error}")
        with server:
            done = run(CONNECT, "::1", server.port)
        assert done.stdout == "ping"
        assert done.connections[0].address == "::1"

    def test_what_is_no_tcp_client_is_refused(self) -> None:
        done = run(
            """
            import errno, socket
            def attempt(name, function):
                try:
                    print(name, function())
                except OSError as error:
                    text = str(error).partition("] ")[2]
                    print(name, type(error).__name__, errno.errorcode[error.errno], text)
            here = ("127.0.0.1", 0)
            attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            attempt("udp", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            attempt("raw", lambda: socket.socket(socket.AF_INET, 3, 1))
            attempt("bind", lambda: socket.socket().bind(here))
            attempt("listen", lambda: socket.socket().listen())
            attempt("accept", lambda: socket.socket().accept())
            attempt("server", lambda: socket.create_server(here))
            attempt("source", lambda: socket.create_connection(here, source_address=here))
            """
        )
        no_server = "not permitted: a sandbox has no servers (bind, listen, accept)"
        assert done.stdout.splitlines() == [
            "udp PermissionError EACCES not permitted: a sandbox has no UDP, only TCP",
            "udp PermissionError EACCES not permitted: a sandbox has no UDP, only TCP",
            "raw OSError EPROTONOSUPPORT Protocol not supported",
            f"bind PermissionError EACCES {no_server}",
            f"listen PermissionError EACCES {no_server}",
            "accept OSError EINVAL Invalid argument",
            f"server PermissionError EACCES {no_server}"
            " (while attempting to bind on address ('127.0.0.1', 0))",
            f"source PermissionError EACCES {no_server}",
        ]

    def test_servers_of_libraries_are_refused(self) -> None:
        done = run(
            """
            import asyncio, http.server, socket
            loop = asyncio.get_running_loop()
            here = ("127.0.0.1", 0)
            async def attempt(function, *arguments, **options):
                try:
                    made = function(*arguments, **options)
                    print(await made if asyncio.iscoroutine(made) else made)
                except PermissionError as error:
                    print(error.strerror)
            await attempt(asyncio.start_server, print, *here)
            await attempt(loop.create_datagram_endpoint, asyncio.DatagramProtocol, here)
            await attempt(http.server.HTTPServer, here, http.server.BaseHTTPRequestHandler)
            await attempt(socket.socketpair)
            """
        )
        no_server = "not permitted: a sandbox has no servers (bind, listen, accept)"
        assert done.stdout.splitlines() == [
            f"error while attempting to bind on address ('127.0.0.1', 0): [errno 2] {no_server}",
            "not permitted: a sandbox has no UDP, only TCP",
            no_server,
            no_server,
        ]

    def test_connect_ex(self, echo: EchoServer) -> None:
        done = run(
            """
            import errno, socket, sys
            for host, port in (
                ("127.0.0.1", sys.argv[1]), ("127.0.0.1", sys.argv[2]), ("10.0.0.1", 80)
            ):
                code = socket.socket().connect_ex((host, int(port)))
                print(errno.errorcode.get(code, code))
            """,
            echo.port,
            closed_port(),
        )
        assert done.stdout.split() == ["0", "ECONNREFUSED", "EACCES"]

    def test_nobody_listens(self) -> None:
        done = run(CONNECT, HOST, closed_port())
        assert done.stdout.startswith("ConnectionRefusedError")
        assert not done.connections[0].connected
        assert done.connections[0].refused is None

    def test_reset(self) -> None:
        with ResetServer() as server:
            done = run(CONNECT, HOST, server.port)
        assert done.stdout.startswith("ConnectionResetError")

    def test_half_closed_by_the_server(self) -> None:
        with HalfCloseServer() as server:
            done = run(
                """
                import socket, sys
                connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                print(connection.recv(100), connection.recv(100))
                connection.sendall(b"still here")
                connection.close()
                """,
                server.port,
            )
            assert server.wait_until_idle()
            assert done.stdout == "b'goodbye' b''"
            assert server.received == b"still here"

    def test_half_closed_by_the_guest(self, echo: EchoServer) -> None:
        done = run(
            """
            import socket, sys
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            connection.sendall(b"last words")
            connection.shutdown(socket.SHUT_WR)
            data = b""
            while piece := connection.recv(100):
                data += piece
            print(data)
            try:
                connection.send(b"x")
            except OSError as error:
                print(type(error).__name__)
            """,
            echo.port,
        )
        assert done.stdout == "b'last words'\nBrokenPipeError"

    def test_ten_thousand_connects(self) -> None:
        with RawServer(b"x") as server:
            before = open_descriptors()
            done = run(
                """
                import socket, sys
                address = ("127.0.0.1", int(sys.argv[1]))
                for _ in range(10_000):
                    connection = socket.socket()
                    connection.connect(address)
                    connection.close()
                print("done")
                """,
                server.port,
                network=NetConfig(max_total_connections=None).allow_localhost(),
            )
            assert server.wait_until_idle()
            assert descriptors_after(before) <= before
        assert done.stdout == "done"
        assert done.connections_total == 10_000
        assert len(done.connections) == 1_000

    def test_refused_connects_in_a_loop(self) -> None:
        done = run(
            """
            import socket
            count = 0
            for _ in range(10_000):
                try:
                    socket.create_connection(("10.0.0.1", 80))
                except OSError:
                    count += 1
            print(count)
            """,
            network=NetConfig(max_total_connections=None),
        )
        assert done.stdout == "10000"
        assert len(done.connections) == 1_000


class TestLimits:
    HOLD = """
        import socket, sys
        held = []
        try:
            for _ in range(5):
                held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
        except OSError as error:
            print(len(held), error)
        else:
            print(len(held))
    """

    def test_connections_at_a_time(self, echo: EchoServer) -> None:
        for limit in (0, 3):
            config = NetConfig(max_connections=limit).allow_localhost()
            done = run(self.HOLD, echo.port, network=config)
            reason = f"connection limit reached: max_connections is {limit}"
            assert done.stdout == f"{limit} [Errno 33] {reason}"
            assert done.connections[-1].refused == reason
        assert run(self.HOLD, echo.port).stdout == "5"

    def test_closed_ones_do_not_count(self, echo: EchoServer) -> None:
        done = run(
            """
            import socket, sys
            for _ in range(20):
                socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
            print("done")
            """,
            echo.port,
            network=NetConfig(max_connections=1).allow_localhost(),
        )
        assert done.stdout == "done"

    def test_connections_of_a_run(self, echo: EchoServer) -> None:
        config = NetConfig(max_total_connections=3).allow_localhost()
        code = dedent(
            """
            import socket, sys
            count = 0
            try:
                for _ in range(10):
                    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
                    count += 1
            except OSError as error:
                print(count, error)
            """
        )
        with Session(network=config) as session:
            for _ in range(2):
                done = session.execute(code, arguments=[str(echo.port)])
                assert done.stdout == (
                    "3 [Errno 33] connection limit reached: max_total_connections is 3"
                )

    def test_bytes_of_a_run(self, echo: EchoServer) -> None:
        done = run(
            """
            import socket, sys
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            received = 0
            try:
                while True:
                    connection.sendall(bytes(1000))
                    received += len(connection.recv(1000))
            except OSError as error:
                print(50_000 <= received + 1000 <= 51_000, error)
            """,
            echo.port,
            network=NetConfig(max_bytes=100_000).allow_localhost(),
        )
        assert done.stdout == (
            "True [Errno 2] the limit max_bytes of the network is reached: 100000 bytes"
        )
        connection = done.connections[0]
        assert connection.bytes_in + connection.bytes_out == 100_000

    def test_leaked_sockets_end_with_the_run(self) -> None:
        with (
            SilentServer() as server,
            Session(network=NetConfig(max_connections=2).allow_localhost()) as session,
        ):
            before = open_descriptors()
            for _ in range(5):
                session.execute(
                    "import socket, sys\n"
                    "keep = [socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                    "        for _ in range(2)]",
                    arguments=[str(server.port)],
                )
                assert server.wait_until_idle()
                assert descriptors_after(before) <= before
            done = session.execute(
                "try:\n    keep[0].send(b'x')\nexcept OSError as error:\n    print('dead')"
            )
            assert done.stdout == "dead"

    @pytest.mark.parametrize(
        "end", ["os._exit(3)", "sys.exit(3)", "1/0", "bytearray(1 << 40)", "f = lambda: f(); f()"]
    )
    def test_sockets_end_with_a_run_that_fails(self, end: str) -> None:
        with SilentServer() as server:
            sandbox = Sandbox(network=LOCAL)
            before = open_descriptors()
            code = f"""
                import os, socket, sys
                keep = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                {end}
            """
            with pytest.raises(eryx.ExecutionError):
                execute(sandbox, code, server.port)
            assert server.wait_until_idle()
            assert descriptors_after(before) <= before

    def test_forks_have_no_sockets(self) -> None:
        with SilentServer() as server, Session(network=LOCAL) as session:
            session.execute(
                "import socket, sys\nc = socket.create_connection(('127.0.0.1', int(sys.argv[1])))",
                arguments=[str(server.port)],
            )
            with session.fork() as fork:
                code = "try:\n    c.send(b'x')\nexcept OSError:\n    print('dead')"
                assert fork.execute(code).stdout == "dead"
                again = dedent(CONNECT).replace("timeout=20", "timeout=0.1")
                assert "Timeout" in fork.execute(again, arguments=[HOST, str(server.port)]).stdout

    def test_sandboxes_are_apart(self, echo: EchoServer) -> None:
        """A descriptor number of one means nothing in another."""
        one, two = (Sandbox(network=LOCAL) for _ in range(2))
        results: list[str] = []

        def other() -> str:
            done = two.execute(
                "import socket\n"
                "found = []\n"
                "for number in range(3, 64):\n"
                "    try:\n"
                "        found.append(socket.socket(fileno=number).getpeername())\n"
                "    except OSError:\n"
                "        pass\n"
                "print(found)"
            )
            results.append(done.stdout)
            return done.stdout

        one = Sandbox(network=LOCAL, callbacks=[{"name": "other", "fn": other}])
        done = one.execute(
            "import socket, sys\n"
            "c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
            "print(await other(), c.send(b'x'))",
            arguments=[str(echo.port)],
        )
        assert done.stdout == "[] 1"


class TestConnections:
    def test_what_is_listed(self, echo: EchoServer) -> None:
        done = run(CONNECT, "localhost", echo.port)
        connection = done.connections[-1]
        assert isinstance(connection, eryx.Connection)
        assert (connection.host, connection.address) == ("localhost", HOST)
        assert connection.port == echo.port
        assert (connection.bytes_out, connection.bytes_in) == (4, 4)
        assert (connection.tls, connection.connected, connection.refused) == (False, True, None)
        assert 0 < connection.duration_ms <= done.duration_ms
        assert done.connections_total == len(done.connections)

    def test_a_refused_address_is_listed_with_its_address(self) -> None:
        """Its name is one, so that nothing has to be looked up for it."""
        done = run(CONNECT, "0x0a.1", 80, network=NetConfig())
        reason = "address 10.0.0.1 is blocked: private network"
        [connection] = done.connections
        began = connection.started_ms
        assert 0 < began <= done.duration_ms
        assert connection == eryx.Connection(
            "0x0a.1", "10.0.0.1", 0, False, 0, 0, 0.0, False, reason, began
        )

    def test_a_failed_run_lists_them_too(self, echo: EchoServer) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            run(CONNECT + "    raise ValueError\n", HOST, echo.port)
        assert [connection.port for connection in caught.value.connections] == [echo.port]
        assert caught.value.connections_total == 1

    def test_each_run_has_its_own(self, echo: EchoServer) -> None:
        with Session(network=LOCAL) as session:
            first = session.execute(dedent(CONNECT), arguments=[HOST, str(echo.port)])
            second = session.execute("print(1)")
        assert len(first.connections) == 1
        assert second.connections == []
