"""Audit events and loggers: what those who watch over programs are told."""

from __future__ import annotations

import asyncio
import logging
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx import NetConfig, Sandbox, Session
from network_helpers import LOCAL
from secret_helpers import GET, VALUE, Guests, key, needles, run
from servers import HOST, Authority, HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Event = tuple[str, tuple[Any, ...]]

# Hooks cannot be taken away, so there is one for all tests.
_heard: list[list[Event]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("eryx."):
        for each in _heard:
            each.append((event, arguments))


sys.addaudithook(_hear)

# A program that tries to connect where it may not.
REFUSED = """
    import socket
    try:
        socket.create_connection(("10.1.2.3", 80), timeout=5)
    except OSError as error:
        print(error)
"""
REFUSED_EVENT = "eryx.connection.refused"


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """The audit events of a test."""
    heard: list[Event] = []
    _heard.append(heard)
    yield heard
    _heard.remove(heard)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log of a test, whole."""
    caplog.set_level(logging.DEBUG, "eryx")
    return caplog


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as made:
        yield made


def of_kind(events: list[Event], kind: str) -> list[tuple[Any, ...]]:
    return [arguments for event, arguments in events if event == kind]


class TestConnections:
    def test_one_that_the_rules_refuse(
        self, events: list[Event], lines: pytest.LogCaptureFixture
    ) -> None:
        run(Sandbox(network=NetConfig()), REFUSED)
        [(host, address, port, reason)] = of_kind(events, REFUSED_EVENT)
        assert (host, address) == ("10.1.2.3", "10.1.2.3")
        assert "private network" in reason
        assert isinstance(port, int)
        [line] = [record for record in lines.records if record.name == "eryx.network"]
        assert line.levelno == logging.WARNING
        assert "'10.1.2.3'" in line.getMessage()

    def test_a_name_that_is_blocked(self, events: list[Event]) -> None:
        code = """
            import socket
            try: socket.getaddrinfo("api.example.com", 443)
            except OSError: pass
        """
        run(Sandbox(network=NetConfig(blocked_hosts=["*.example.com"])), code)
        assert of_kind(events, REFUSED_EVENT)[0][:3] == ("api.example.com", "", 0)

    def test_one_that_the_host_was_asked_about(
        self, events: list[Event], server: HttpServer
    ) -> None:
        network = NetConfig(on_connect=lambda host, address, port: False).allow_localhost()
        code = f"""
            import socket
            try: socket.create_connection(("{HOST}", {server.port}))
            except OSError: pass
        """
        run(Sandbox(network=network), code)
        assert of_kind(events, REFUSED_EVENT)[0][:3] == (HOST, HOST, server.port)

    @pytest.mark.parametrize("how", ["session", "fork", "pool", "async", "started", "fails"])
    def test_all_ways_to_run(self, events: list[Event], how: str) -> None:
        code, network = dedent(REFUSED), NetConfig()

        async def start() -> None:
            async with Sandbox(network=network).start(code) as going:
                async for _ in going:
                    pass

        if how == "session":
            Session(network=network).execute(code)
        elif how == "fork":
            Session(network=network).fork().execute(code)
        elif how == "pool":
            with eryx.SandboxPool(network=network) as pool, pool.acquire() as sandbox:
                sandbox.execute(code)
        elif how == "async":
            asyncio.run(Sandbox(network=network).execute_async(code))
        elif how == "started":
            asyncio.run(start())
        else:
            with pytest.raises(eryx.ExecutionError):
                Sandbox(network=network).execute(code + "1 / 0")
        assert len(of_kind(events, REFUSED_EVENT)) == 1

    def test_a_run_that_a_callback_suspends(self, events: list[Event]) -> None:
        def stop() -> None:
            raise eryx.SuspendCallback("later")

        with pytest.raises(eryx.SuspendCallback):
            run(Sandbox(network=NetConfig(), callbacks=[stop]), REFUSED + "\n    await stop()")
        assert len(of_kind(events, REFUSED_EVENT)) == 1

    @pytest.mark.parametrize("kind", [Sandbox, Session])
    def test_a_run_that_is_given_up(self, events: list[Event], kind: type[Sandbox]) -> None:
        async def main() -> None:
            reached = asyncio.Event()

            async def tell() -> None:
                reached.set()
                await asyncio.sleep(60)

            sandbox = kind(network=NetConfig(), callbacks=[tell])
            code = dedent(REFUSED) + "\nawait tell()"
            task = asyncio.create_task(sandbox.execute_async(code))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            for _ in range(1000):
                if of_kind(events, REFUSED_EVENT):
                    return
                await asyncio.sleep(0.01)

        asyncio.run(main())
        assert len(of_kind(events, REFUSED_EVENT)) == 1

    def test_a_flood_is_a_few_lines(
        self, events: list[Event], lines: pytest.LogCaptureFixture
    ) -> None:
        code = """
            import socket
            for _ in range(200):
                try: socket.create_connection(("10.1.2.3", 80), timeout=5)
                except OSError: pass
        """
        run(Sandbox(network=NetConfig()), code)
        assert len(of_kind(events, REFUSED_EVENT)) == 200
        told = [record.getMessage() for record in lines.records if record.name == "eryx.network"]
        assert len(told) == 21
        assert told[-1] == "and 180 more of this run"

    def test_what_a_hook_raises_is_reported(self, child: Callable[[str], str]) -> None:
        code = """
            import sys, eryx
            def hook(event, arguments):
                if event.startswith("eryx."):
                    raise RuntimeError("no")
            sys.addaudithook(hook)
            sys.unraisablehook = lambda unraisable: print("unraisable", unraisable.exc_value)
            code = '''
            import socket
            try: socket.create_connection(("10.1.2.3", 80))
            except OSError: print("refused")
            '''
            import textwrap
            print(eryx.Sandbox(network=eryx.NetConfig()).execute(textwrap.dedent(code)).stdout)
        """
        assert child(code).splitlines() == ["unraisable no", "refused"]


class TestSecrets:
    def test_one_that_is_used(
        self, guests: Guests, events: list[Event], server: HttpServer
    ) -> None:
        done = guests.sandbox(secrets=key(HOST)).execute(
            dedent(GET), arguments=[server.url + "/echo"]
        )
        assert of_kind(events, "eryx.secret.used") == [("API_KEY", HOST, HOST, server.port)]
        assert [connection.secrets for connection in done.connections] == [("API_KEY",)]

    def test_over_tls_of_the_guest(self, guests: Guests, events: list[Event]) -> None:
        """The host sees two connections of the guest: the socket, and TLS over its memory."""
        authority = Authority()
        code = """
            import asyncio, os, ssl, sys
            reader, writer = await asyncio.open_connection(
                "localhost", int(sys.argv[1]), ssl=ssl.create_default_context())
            writer.write(f"GET /echo HTTP/1.1\\r\\nHost: localhost\\r\\n"
                f"Authorization: Bearer {os.environ['API_KEY']}\\r\\n"
                "Connection: close\\r\\n\\r\\n".encode())
            await writer.drain()
            await reader.read()
        """
        with HttpServer(authority.context()) as server:
            network = LOCAL.with_root_cert(authority.der)
            run(guests.sandbox(network=network, secrets=key("localhost")), code, server.port)
        [(name, host, _, _)] = of_kind(events, "eryx.secret.used")
        assert (name, host) == ("API_KEY", "localhost")

    def test_two_on_one_connection(
        self, guests: Guests, events: list[Event], server: HttpServer
    ) -> None:
        secrets = {
            "API_KEY": {"value": VALUE, "allowed_hosts": [HOST]},
            "API": {"value": "another " + VALUE[::-1], "allowed_hosts": [HOST]},
        }
        code = """
            import http.client, os, sys
            connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
            for _ in range(3):
                headers = {"X-One": os.environ["API_KEY"], "X-Two": os.environ["API"]}
                connection.request("GET", "/hello", headers=headers)
                connection.getresponse().read()
        """
        run(guests.sandbox(secrets=secrets), code, HOST, server.port)
        names = [arguments[0] for arguments in of_kind(events, "eryx.secret.used")]
        assert sorted(names) == ["API", "API_KEY"]

    def test_one_that_is_refused(
        self,
        guests: Guests,
        events: list[Event],
        lines: pytest.LogCaptureFixture,
        server: HttpServer,
    ) -> None:
        sandbox = guests.sandbox(secrets=key("api.example.com"))
        done = sandbox.execute(dedent(GET), arguments=[server.url + "/echo"])
        [(host, _, port, reason)] = of_kind(events, "eryx.secret.refused")
        assert (host, port) == (HOST, server.port)
        assert "'API_KEY' is not allowed" in reason
        assert done.connections[0].secret_refused == reason
        assert not of_kind(events, "eryx.secret.used")
        assert any("API_KEY" in record.getMessage() for record in lines.records)

    def test_it_cannot_be_hidden_behind_many_refusals(
        self, guests: Guests, events: list[Event], server: HttpServer
    ) -> None:
        before = """
            import socket
            for _ in range(1100):
                try: socket.create_connection(("10.1.2.3", 80))
                except OSError: pass
        """
        sandbox = guests.sandbox(secrets=key(HOST))
        sandbox.execute(dedent(before) + dedent(GET), arguments=[server.url + "/echo"])
        assert len(of_kind(events, REFUSED_EVENT)) == 1000
        assert of_kind(events, "eryx.secret.used") == [("API_KEY", HOST, HOST, server.port)]

    def test_no_value_is_in_events_and_lines(
        self,
        guests: Guests,
        events: list[Event],
        lines: pytest.LogCaptureFixture,
        server: HttpServer,
    ) -> None:
        for hosts in (HOST, "api.example.com"):
            sandbox = guests.sandbox(secrets=key(hosts))
            sandbox.execute(dedent(GET), arguments=[server.url + "/echo"])
        assert len(events) == 2
        everything = repr(events) + "".join(
            f"{record.__dict__!r} {record.getMessage()}" for record in lines.records
        )
        assert [needle for needle in needles(VALUE) if needle in everything.encode()] == []


class TestCallbacks:
    def test_one_that_there_is_not(
        self, events: list[Event], lines: pytest.LogCaptureFixture
    ) -> None:
        """The guest refuses it itself, unless its program goes around that."""
        sandbox = Sandbox(callbacks=[{"name": "there", "fn": lambda: 1}])
        code = "import _eryx, time\n_eryx.call('gone', '{}')\ntime.sleep(0.01)"
        sandbox.execute(code)
        [(name, reason)] = of_kind(events, "eryx.callback.refused")
        assert (name, reason) == ("gone", "there is no such callback")
        assert [record.name for record in lines.records] == ["eryx.callbacks"]

    def test_one_that_the_host_refuses(self, events: list[Event]) -> None:
        def pay(amount: int) -> None:
            raise AssertionError

        async def main() -> None:
            async with Sandbox(callbacks=[pay]).start("await pay(amount=1)") as going:
                async for event in going:
                    if isinstance(event, eryx.Call):
                        event.refuse(f"the reason is {VALUE}")

        asyncio.run(main())
        assert of_kind(events, "eryx.callback.refused") == [("pay", "the host refused the call")]


class TestQuiet:
    def test_nothing_is_printed_unasked(self, child: Callable[[str], str]) -> None:
        code = """
            import logging, sys, eryx
            sys.stderr = sys.stdout
            code = "import socket\\ntry: socket.create_connection(('10.1.2.3', 80))\\n"
            code += "except OSError: pass"
            eryx.Sandbox(network=eryx.NetConfig()).execute(code)
            print("end")
        """
        assert child(code).split() == ["end"]

    def test_a_run_without_connections_imports_nothing_for_it(
        self, child: Callable[[str], str]
    ) -> None:
        code = """
            import sys, eryx
            eryx.Sandbox(network=eryx.NetConfig()).execute("print(1)")
            eryx.Session().execute("x = 1")
            late = ("logging", "eryx._audit", "eryx._observing", "opentelemetry", "eryx._memory")
            print([name for name in late if name in sys.modules])
        """
        assert child(code).strip() == "[]"
