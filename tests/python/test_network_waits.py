"""Waiting for the network: timeouts, cuts, event loops."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import threading
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import LATENESS_MS, open_descriptors
from eryx import NetConfig, ResourceLimits, Sandbox
from network_helpers import CONNECT, LOCAL, PATIENT, descriptors_after, execute, run
from servers import (
    HOST,
    DeafServer,
    DnsServer,
    DripServer,
    EchoServer,
    HttpServer,
    SilentServer,
    full_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture(scope="module")
def http() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


class TestTimeouts:
    def test_of_the_guest(self) -> None:
        with SilentServer() as server:
            done = run(
                """
                import select, socket, sys, time
                connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                connection.settimeout(0.1)
                began = time.monotonic()
                try:
                    connection.recv(1)
                except TimeoutError as error:
                    print(isinstance(error, socket.timeout), time.monotonic() - began >= 0.1)
                print(select.select([connection], [], [], 0.05))
                connection.setblocking(False)
                try:
                    connection.recv(1)
                except BlockingIOError:
                    print("would block")
                """,
                server.port,
            )
        assert done.stdout == "True True\n([], [], [])\nwould block"

    def test_ceiling_of_a_wait(self) -> None:
        with SilentServer() as server:
            done = run(
                """
                import socket, sys
                connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                for timeout in (None, 1000):
                    connection.settimeout(timeout)
                    try:
                        connection.recv(1)
                    except TimeoutError as error:
                        print(error)
                print(connection.send(b"it goes on"))
                """,
                server.port,
                network=NetConfig(io_timeout_ms=100).allow_localhost(),
            )
        assert done.stdout == "[Errno 73] Connection timed out\n" * 2 + "10"
        assert 200 <= done.connections[0].duration_ms < 1_000 + LATENESS_MS

    def test_connect_that_hangs(self) -> None:
        with full_server() as port:
            done = run(
                CONNECT, HOST, port, network=NetConfig(connect_timeout_ms=200).allow_localhost()
            )
        assert done.stdout.startswith("TimeoutError")
        assert done.duration_ms >= 200

    def test_connect_with_a_timeout_of_the_guest(self) -> None:
        with full_server() as port:
            done = run(
                """
                import socket, sys
                try:
                    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=0.1)
                except TimeoutError:
                    print("late")
                """,
                port,
            )
        assert done.stdout == "late"

    def test_lookup_that_hangs(self) -> None:
        with DnsServer({"silent.test": [None]}) as dns:
            config = NetConfig(connect_timeout_ms=200, dns_servers=[dns.address])
            done = run(CONNECT, "silent.test", 80, network=config)
        assert done.stdout.startswith("gaierror")
        assert 200 <= done.duration_ms < 30_000

    def test_server_that_drips(self) -> None:
        with DripServer(b"0123456789", 0.01) as server:
            done = run(
                """
                import socket, sys
                connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                connection.sendall(b"x")
                data = b""
                while piece := connection.recv(100):
                    data += piece
                print(data)
                """,
                server.port,
            )
        assert done.stdout == "b'0123456789'"

    @pytest.mark.parametrize(
        "begin",
        [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"],
    )
    def test_server_that_drips_without_an_end(self, begin: bytes) -> None:
        """Each byte comes in time, so that only the time of the run ends it."""
        sandbox = Sandbox(network=LOCAL, resource_limits=ResourceLimits(execution_timeout_ms=500))
        with DripServer(begin + b"x" * 100_000, 0.01) as server:
            with pytest.raises(eryx.TimeoutError) as caught:
                execute(
                    sandbox,
                    """
                    import sys, urllib.request
                    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/", timeout=0.3).read()
                    """,
                    server.port,
                )
            assert server.wait_until_idle()
        assert caught.value.duration_ms < 500 + LATENESS_MS
        assert 5 < caught.value.connections[0].bytes_in < 200

    def test_guest_that_drips(self, http: HttpServer) -> None:
        done = run(
            """
            import socket, sys, time
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            for byte in b"GET /hello HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n":
                connection.sendall(bytes([byte]))
                time.sleep(0.005)
            print(connection.makefile("rb").read().endswith(b"hello"))
            """,
            http.port,
        )
        assert done.stdout == "True"

    def test_peer_that_never_reads(self) -> None:
        with DeafServer() as server:
            done = run(
                """
                import socket, sys
                connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                connection.settimeout(0.3)
                try:
                    for _ in range(1000):
                        connection.sendall(bytes(1 << 20))
                except TimeoutError:
                    print("TimeoutError")
                """,
                server.port,
            )
        assert done.stdout == "TimeoutError"

    @pytest.mark.parametrize("where", ["connect", "lookup", "recv", "send", "handshake", "select"])
    @pytest.mark.parametrize("how", ["execute", "callbacks", "execute_async"])
    def test_run_that_ends_in_the_middle(self, where: str, how: str) -> None:
        """A run is cut in time wherever it is, and leaves nothing open."""
        code = """
            import socket, sys
            where, port, dns_name = sys.argv[1], int(sys.argv[2]), "silent.test"
            if where == "lookup":
                socket.getaddrinfo(dns_name, 80)
            host = "localhost" if where == "handshake" else "127.0.0.1"
            connection = socket.create_connection((host, port))
            if where == "handshake":
                import ssl
                ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
            if where == "select":
                import select
                select.select([connection], [], [])
            while where == "send":
                connection.sendall(bytes(1 << 20))
            connection.recv(1)
        """
        with (
            full_server() as full_port,
            SilentServer() as silent,
            DeafServer() as deaf,
            DnsServer({"silent.test": [None]}) as dns,
        ):
            port = {"connect": full_port, "send": deaf.port}.get(where, silent.port)
            config = NetConfig(dns_servers=[dns.address]).allow_localhost()
            sandbox = Sandbox(
                network=config,
                resource_limits=ResourceLimits(execution_timeout_ms=300),
                callbacks=[{"name": "f", "fn": lambda: None}] if how == "callbacks" else None,
            )
            before = open_descriptors()
            began = time.monotonic()
            with pytest.raises(eryx.TimeoutError, match="timed out"):
                execute(sandbox, code, where, port, how=how.replace("callbacks", "execute"))
            assert time.monotonic() - began < 10
            assert silent.wait_until_idle()
            if where == "send":
                deaf.__exit__()
                assert deaf.wait_until_idle()
                before -= 1
            assert descriptors_after(before) <= before
            assert sandbox.execute("print('usable')").stdout == "usable"

    @pytest.mark.parametrize("with_callbacks", [False, True])
    def test_cancel(self, with_callbacks: bool) -> None:
        with SilentServer() as server:
            sandbox = Sandbox(
                network=LOCAL,
                callbacks=[{"name": "f", "fn": lambda: None}] if with_callbacks else None,
            )

            def cancel_when_connected() -> None:
                while not server.accepted:
                    time.sleep(0.005)
                time.sleep(0.05)
                sandbox.cancel()

            thread = threading.Thread(target=cancel_when_connected)
            thread.start()
            began = time.monotonic()
            with pytest.raises(eryx.CancelledError):
                sandbox.execute(dedent(CONNECT), arguments=[HOST, str(server.port)])
            assert time.monotonic() - began < 15
            thread.join()
            assert server.wait_until_idle()

    @pytest.mark.parametrize("with_callbacks", [False, True])
    def test_ctrl_c(self, with_callbacks: bool) -> None:
        with SilentServer() as server:
            sandbox = Sandbox(
                network=LOCAL,
                callbacks=[{"name": "f", "fn": lambda: None}] if with_callbacks else None,
            )

            def interrupt_when_connected() -> None:
                while not server.accepted:
                    time.sleep(0.005)
                time.sleep(0.05)
                os.kill(os.getpid(), signal.SIGINT)

            thread = threading.Thread(target=interrupt_when_connected)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                execute(sandbox, CONNECT, HOST, server.port)
            thread.join()
            assert server.wait_until_idle()
            assert sandbox.execute("print('usable')").stdout == "usable"

    def test_cancelled_task(self) -> None:
        async def main() -> None:
            sandbox = Sandbox(network=LOCAL)
            task = asyncio.create_task(
                sandbox.execute_async(dedent(CONNECT), arguments=[HOST, str(server.port)])
            )
            while not server.accepted:  # noqa: ASYNC110  (it is told by a thread)
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with SilentServer() as server:
            asyncio.run(main())
            assert server.wait_until_idle()


class TestAsyncio:
    def test_streams_in_the_guest(self, echo: EchoServer) -> None:
        done = run(
            """
            import asyncio, sys
            async def exchange(number):
                reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
                writer.write(b"message %d\\n" % number)
                await writer.drain()
                line = await reader.readline()
                writer.close()
                await writer.wait_closed()
                return line
            lines = await asyncio.gather(*[exchange(number) for number in range(8)])
            print(lines == [b"message %d\\n" % number for number in range(8)])
            """,
            echo.port,
        )
        assert done.stdout == "True"

    def test_low_level_functions_in_the_guest(self, echo: EchoServer) -> None:
        done = run(
            """
            import asyncio, socket, sys
            loop = asyncio.get_running_loop()
            connection = socket.socket()
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", int(sys.argv[1])))
            await loop.sock_sendall(connection, b"ping")
            print(await loop.sock_recv(connection, 100))
            connection.close()
            """,
            echo.port,
        )
        assert done.stdout == "b'ping'"

    def test_timeouts_in_the_guest(self) -> None:
        with SilentServer() as server:
            done = run(
                """
                import asyncio, sys
                reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
                ticks = 0
                async def tick():
                    global ticks
                    while True:
                        await asyncio.sleep(0.01)
                        ticks += 1
                ticker = asyncio.create_task(tick())
                try:
                    await asyncio.wait_for(reader.read(1), 0.2)
                except TimeoutError:
                    print("late", ticks > 2)
                ticker.cancel()
                writer.close()
                """,
                server.port,
            )
        assert done.stdout == "late True"

    def test_sockets_and_callbacks_at_the_same_time(self, echo: EchoServer) -> None:
        async def slow(number: int) -> int:
            await asyncio.sleep(0.01)
            return number

        code = """
            import asyncio, sys
            async def over_the_network(number):
                reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
                writer.write(b"%d\\n" % number)
                line = await reader.readline()
                writer.close()
                return int(line)
            print(sum(await asyncio.gather(
                *[over_the_network(n) for n in range(5)], *[slow(n) for n in range(5)])))
        """
        sandbox = Sandbox(network=LOCAL, callbacks=[{"name": "slow", "fn": slow}])
        arguments = [str(echo.port)]
        assert sandbox.execute(dedent(code), arguments=arguments).stdout == "20"
        done = asyncio.run(sandbox.execute_async(dedent(code), arguments=arguments))
        assert done.stdout == "20"

        async def inside() -> eryx.ExecuteResult:
            return sandbox.execute(dedent(code), arguments=arguments)

        assert asyncio.run(inside()).stdout == "20"

    def test_two_thousand_connections_on_one_thread(self) -> None:
        """All open at once: twenty sandboxes with a hundred each, and their server, in one loop."""
        code = dedent(
            """
            import asyncio, sys
            streams = await asyncio.gather(
                *[asyncio.open_connection("127.0.0.1", int(sys.argv[1])) for _ in range(100)]
            )
            await all_are_open()
            async def exchange(number, reader, writer):
                writer.write(b"%d\\n" % number)
                line = await reader.readline()
                writer.close()
                return int(line)
            result = await asyncio.gather(*[exchange(n, *s) for n, s in enumerate(streams)])
            """
        )
        network = NetConfig(max_connections=100).allow_localhost()
        most_threads = 0

        async def main() -> list[eryx.ExecuteResult]:
            waiting = 0
            all_there = asyncio.Event()

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(await reader.readline())
                await writer.drain()
                writer.close()

            async def all_are_open() -> None:
                nonlocal waiting, most_threads
                waiting += 1
                if waiting == 20:
                    most_threads = threading.active_count()
                    assert open_descriptors() > 4_000  # both ends
                    all_there.set()
                await all_there.wait()

            server = await asyncio.start_server(serve, HOST, 0, backlog=2_000)
            port = str(server.sockets[0].getsockname()[1])
            boxes = [
                Sandbox(
                    network=network,
                    resource_limits=PATIENT,
                    callbacks=[{"name": "all_are_open", "fn": all_are_open}],
                )
                for _ in range(20)
            ]
            async with server:
                return await asyncio.gather(
                    *[box.execute_async(code, arguments=[port]) for box in boxes]
                )

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 4_500:
            pytest.skip(f"only {hard} file descriptors are allowed here")
        threads = threading.active_count()
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4_500), hard))
        try:
            results = asyncio.run(main())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert [done.result for done in results] == [list(range(100))] * 20
        assert [done.connections_total for done in results] == [100] * 20
        assert most_threads <= threads + 32  # workers of the loop, for what computes for long

    def test_many_sandboxes_on_one_thread(self, http: HttpServer) -> None:
        code = dedent(
            """
            import sys, urllib.request
            print(urllib.request.urlopen(sys.argv[1] + "/slow?seconds=0.05").read())
            """
        )

        async def main() -> list[eryx.ExecuteResult]:
            boxes = [Sandbox(network=LOCAL, resource_limits=PATIENT) for _ in range(100)]
            return await asyncio.gather(
                *[box.execute_async(code, arguments=[http.url]) for box in boxes]
            )

        before = open_descriptors()
        results = asyncio.run(main())
        assert [result.stdout for result in results] == ["b'slow'"] * 100
        assert all(len(result.connections) == 1 for result in results)
        assert descriptors_after(before) <= before

    def test_waiting_for_a_socket_takes_no_time_of_the_processor(self) -> None:
        with SilentServer() as server:
            code = dedent(CONNECT).replace("timeout=20", "timeout=0.5")
            for with_callbacks in (False, True):
                sandbox = Sandbox(
                    network=LOCAL,
                    callbacks=[{"name": "f", "fn": lambda: None}] if with_callbacks else None,
                )
                sandbox.execute("import socket")
                began = time.thread_time()
                sandbox.execute(code, arguments=[HOST, str(server.port)])
                assert time.thread_time() - began < 0.25
            began = time.process_time()
            asyncio.run(sandbox.execute_async(code, arguments=[HOST, str(server.port)]))
            assert time.process_time() - began < 0.35
