"""Secrets: the guest uses values that it never has."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import threading
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx import NetConfig, Sandbox, Session
from guest_memory import find_in_guests
from network_helpers import LOCAL
from secret_helpers import (
    GET,
    OTHER,
    PLACEHOLDER,
    READ,
    SEND,
    VALUE,
    Guests,
    RecordingServer,
    key,
    needles,
    run,
)
from servers import HOST, Authority, EchoServer, HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Memory is looked through after each test.
pytestmark = pytest.mark.usefixtures("guests", "each_isolation")


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as made:
        yield made


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def tls_server(authority: Authority) -> Iterator[HttpServer]:
    with HttpServer(authority.context()) as made:
        yield made


class TestOptions:
    """What may be given."""

    @pytest.mark.parametrize("kind", [Sandbox, Session])
    def test_none_and_empty(self, kind: type[Sandbox]) -> None:
        choices: tuple[dict[str, Any] | None, ...] = (None, {})
        for secrets in choices:
            sandbox = kind(secrets=secrets)
            text = "eryx_secret_" + "0" * 32
            done = sandbox.execute(f"import os; print('API_KEY' in os.environ, {text!r})")
            assert done.stdout == f"False {text}"

    def test_a_value_is_needed(self) -> None:
        with pytest.raises(ValueError, match="'A' has no 'value'"):
            Sandbox(secrets={"A": {"allowed_hosts": ["x.example.com"]}})

    @pytest.mark.parametrize("value", [None, 1, b"bytes", ["list"]])
    def test_a_value_is_text(self, value: object) -> None:
        with pytest.raises(TypeError, match=r"value of secret 'A' must be a str"):
            Sandbox(secrets={"A": {"value": value}})

    @pytest.mark.parametrize("secrets", [[], "A", 5, [("A", {"value": "v"})]])
    def test_secrets_are_a_dict(self, secrets: Any) -> None:
        with pytest.raises(TypeError, match="secrets must be a dict or None"):
            Sandbox(secrets=secrets)

    @pytest.mark.parametrize("entry", ["value", None, ["value"], 1])
    def test_an_entry_is_a_dict(self, entry: Any) -> None:
        with pytest.raises(TypeError, match="secret 'A' must be a dict"):
            Sandbox(secrets={"A": entry})

    @pytest.mark.parametrize("hosts", ["api.example.com", {"a": 1}, 5, [1], [None], [b"x"]])
    def test_hosts_are_a_list(self, hosts: Any) -> None:
        with pytest.raises(TypeError, match="allowed_hosts of secret 'A'"):
            Sandbox(secrets={"A": {"value": "v", "allowed_hosts": hosts}})

    @pytest.mark.parametrize("host", ["", "http://x.example.com", "a b", "ä.example.com", "a\0b"])
    def test_hosts_are_patterns(self, host: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            Sandbox(secrets={"A": {"value": "v", "allowed_hosts": [host]}})

    @pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "Ä", "A\0", "A\n"])
    def test_names(self, name: str) -> None:
        with pytest.raises(ValueError, match="name of a secret"):
            Sandbox(secrets={name: {"value": "v"}})

    def test_a_name_is_text(self) -> None:
        with pytest.raises(TypeError, match="name of a secret must be a str"):
            Sandbox(secrets={1: {"value": "v"}})  # type: ignore[dict-item]

    def test_unknown_keys(self) -> None:
        with pytest.raises(ValueError, match="unknown key: 'allowed_host'"):
            Sandbox(secrets={"A": {"value": "v", "allowed_host": []}})

    @pytest.mark.parametrize(
        "value", ["", VALUE + "\n", VALUE + "\r", VALUE + "\0", VALUE + "\ud800", VALUE * 2000]
    )
    def test_values_that_no_header_can_have(self, value: str) -> None:
        with pytest.raises(ValueError, match="'A'") as caught:
            Sandbox(secrets={"A": {"value": value}})
        error: BaseException | None = caught.value
        while error is not None:
            assert VALUE not in repr(error)
            assert VALUE not in str(error)
            assert VALUE not in str(vars(error))
            error = error.__cause__ or error.__context__

    @pytest.mark.parametrize(
        "name", ["scrub_stdout", "scrub_stderr", "scrub_files", "scrub_result"]
    )
    def test_flags_are_bools(self, name: str) -> None:
        options: dict[str, Any] = {name: "yes"}
        with pytest.raises(TypeError, match=f"{name} must be a bool or None"):
            Sandbox(**options)

    def test_too_many(self) -> None:
        secrets = {f"N{number}": {"value": "value"} for number in range(257)}
        with pytest.raises(ValueError, match="more than 256 secrets"):
            Sandbox(secrets=secrets)

    def test_nothing_is_shown(self, guests: Guests) -> None:
        sandbox = guests.sandbox(secrets=key("x.example.com"))
        assert VALUE not in repr(sandbox)
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("import os; 1 / 0")
        assert VALUE not in repr(caught.value)
        assert VALUE not in str(vars(caught.value))


class TestPlaceholders:
    """What the guest has."""

    def placeholder(self, sandbox: Sandbox) -> str:
        text = sandbox.execute(READ).result
        assert isinstance(text, str)
        assert PLACEHOLDER.fullmatch(text)
        return text

    def test_each_sandbox_has_its_own(self, guests: Guests) -> None:
        sandboxes = [guests.sandbox(secrets=key("x.example.com")) for _ in range(5)]
        assert len({self.placeholder(sandbox) for sandbox in sandboxes}) == 5

    def test_it_stays_for_the_runs_of_a_session(self, guests: Guests) -> None:
        session = guests.session(secrets=key("x.example.com"))
        first = self.placeholder(session)
        session.execute("import os; del os.environ['API_KEY']")
        assert self.placeholder(session) == first

    def test_a_reset_makes_a_new_one(self, guests: Guests) -> None:
        session = guests.session(secrets=key("x.example.com"))
        first = self.placeholder(session)
        session.reset()
        assert self.placeholder(session) != first

    def test_a_fork_goes_on_with_it(self, guests: Guests, server: HttpServer) -> None:
        session = guests.session(secrets=key(HOST))
        first = self.placeholder(session)
        session.execute("kept = os.environ['API_KEY']")
        fork = session.fork()
        guests.keep(fork)
        assert self.placeholder(fork) == first
        run(fork, GET.replace('os.environ["API_KEY"]', "kept"), server.url + "/hello")
        assert server.headers[-1]["Authorization"] == "Bearer " + VALUE

    def test_a_saved_session_gets_one(self, guests: Guests, tmp_path: Path) -> None:
        session = guests.session(secrets=key(HOST))
        first = self.placeholder(session)
        session.save(tmp_path / "state")
        assert VALUE.encode() not in (tmp_path / "state").read_bytes()
        loaded = guests.session(secrets=key(HOST))
        loaded.load(tmp_path / "state")
        assert self.placeholder(loaded) != first

    def test_other_variables_stay(self, guests: Guests) -> None:
        session = guests.session(secrets={"A": {"value": VALUE}, "B": {"value": OTHER}})
        session.execute("import os; os.environ['MINE'] = 'x'")
        done = session.execute("result = [os.environ[n] for n in ('A', 'B', 'MINE')]")
        assert isinstance(done.result, list)
        assert done.result[0] != done.result[1]
        assert done.result[2] == "x"

    def test_a_program_that_breaks_os_does_not_break_the_next(self, guests: Guests) -> None:
        session = guests.session(secrets=key(HOST))
        session.execute("import os; good = os.environ; os.environ = None")
        session.execute("assert 'API_KEY' in good")

    def test_the_scan_of_memory_finds_things(self) -> None:
        marker = "MARK" + os.urandom(12).hex()
        session = Session()
        session.execute(f"kept = {marker!r}")
        assert find_in_guests(marker.encode(), b"not there " * 5) == [marker.encode()]
        session.close()
        del session
        gc.collect()


class TestRequests:
    """Values in headers."""

    def test_an_allowed_host_gets_it(self, guests: Guests, server: HttpServer) -> None:
        sandbox = guests.sandbox(secrets=key(HOST))
        answer = json.loads(run(sandbox, GET, server.url + "/echo"))
        assert server.headers[-1]["Authorization"] == "Bearer " + VALUE
        assert answer["headers"]["Authorization"] == "Bearer " + "*" * len(VALUE)

    @pytest.mark.parametrize("kind", ["attached", "asyncio"])
    def test_over_tls(
        self, guests: Guests, tls_server: HttpServer, authority: Authority, kind: str
    ) -> None:
        network = LOCAL.with_root_cert(authority.der)
        sandbox = guests.sandbox(network=network, secrets=key("localhost"))
        if kind == "attached":
            text = run(sandbox, GET, tls_server.url + "/echo")
        else:
            code = """
                import asyncio, os, ssl, sys
                from urllib.parse import urlsplit
                place = urlsplit(sys.argv[1])
                reader, writer = await asyncio.open_connection(
                    place.hostname, place.port, ssl=ssl.create_default_context())
                writer.write(f"GET {place.path} HTTP/1.1\\r\\nHost: {place.netloc}\\r\\n"
                    f"Authorization: Bearer {os.environ['API_KEY']}\\r\\n"
                    "Connection: close\\r\\n\\r\\n".encode())
                await writer.drain()
                print((await reader.read()).decode().partition("\\r\\n\\r\\n")[2])
            """
            text = run(sandbox, code, tls_server.url + "/echo")
        assert tls_server.headers[-1]["Authorization"] == "Bearer " + VALUE
        answer = json.loads(text)
        assert answer["headers"]["Authorization"] == "Bearer " + "*" * len(VALUE)

    @pytest.mark.parametrize("how", ["http.client", "asyncio", "httpx"])
    @pytest.mark.parametrize("tls", [False, True])
    def test_at_no_moment_it_is_in_memory(
        self,
        guests: Guests,
        server: HttpServer,
        tls_server: HttpServer,
        authority: Authority,
        site: Path,
        tls: bool,
        how: str,
    ) -> None:
        """It is looked for in the middle of the run, when the last buffers are still there."""
        found: list[list[bytes]] = []

        def scan() -> None:
            found.append(find_in_guests(*needles(VALUE)))

        code = f"""
            import os, sys, urllib.parse
            sys.path.insert(0, "/site")
            url = sys.argv[1] + "/echo"
            place = urllib.parse.urlsplit(url)
            headers = {{"Authorization": os.environ["API_KEY"], "Connection": "close"}}
            tls = {tls}
            async def with_http_client():
                import http.client
                kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
                connection = kind(place.netloc)
                connection.request("GET", "/echo", headers=headers)
                await scan()
                return connection.getresponse().read().decode()
            async def with_asyncio():
                import asyncio
                reader, writer = await asyncio.open_connection(
                    place.hostname, place.port, ssl=tls or None)
                writer.write(f"GET /echo HTTP/1.1\\r\\nHost: {{place.netloc}}\\r\\n".encode())
                await scan()
                for name, value in headers.items():
                    writer.write(f"{{name}}: {{value}}\\r\\n".encode())
                    await scan()
                writer.write(b"\\r\\n")
                await scan()
                return (await reader.read()).decode().partition("\\r\\n\\r\\n")[2]
            async def with_httpx():
                import httpx
                async with httpx.AsyncClient() as client:
                    return (await client.get(url, headers=headers)).text
            answer = await with_{how.replace(".", "_")}()
            await scan()
            print(answer)
        """
        sandbox = guests.sandbox(
            network=LOCAL.with_root_cert(authority.der),
            secrets=key(HOST, "localhost"),
            volumes=[(site, "/site", True)],
            callbacks=[{"name": "scan", "fn": scan}],
        )
        to = tls_server if tls else server
        answer = json.loads(run(sandbox, code, to.url))
        assert to.headers[-1]["Authorization"] == VALUE
        assert answer["headers"]["Authorization"] == "*" * len(VALUE)
        assert found == [[]] * {"http.client": 2, "asyncio": 5, "httpx": 1}[how]

    def test_sandboxes_of_a_factory(self, guests: Guests, server: HttpServer) -> None:
        factory = eryx.SandboxFactory(imports=["urllib.request"])
        options: dict[str, Any] = {"network": LOCAL, "secrets": key(HOST)}
        with factory.create_pool(**options) as pool, pool.acquire() as lease:
            for made in (
                factory.create_sandbox(**options),
                factory.create_session(**options),
                lease,
            ):
                guests.keep(made)
                answer = json.loads(run(made, GET, server.url + "/echo"))
                assert server.headers[-1]["Authorization"] == "Bearer " + VALUE
                assert answer["headers"]["Authorization"] == "Bearer " + "*" * len(VALUE)
                guests.check()

    def test_several_at_once(self, guests: Guests, server: HttpServer) -> None:
        secrets = {
            "ONE": {"value": VALUE, "allowed_hosts": [HOST]},
            "TWO": {"value": OTHER, "allowed_hosts": [HOST]},
        }
        code = """
            import http.client, os, sys
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            one, two = os.environ["ONE"], os.environ["TWO"]
            for number in range(3):  # keep-alive
                connection.request("GET", "/echo", headers={"X-One": one, "X-Both": f"{two},{one}"})
                print(connection.getresponse().read().decode())
        """
        text = run(guests.sandbox(secrets=secrets), code, server.port)
        assert len(text.splitlines()) == 3
        assert VALUE not in text
        assert OTHER not in text
        for headers in server.headers[-3:]:
            assert headers["X-One"] == VALUE
            assert headers["X-Both"] == f"{OTHER},{VALUE}"

    def test_basic_credentials(self, guests: Guests, server: HttpServer) -> None:
        code = """
            import base64, http.client, os, sys
            pair = base64.b64encode(f"user:{os.environ['API_KEY']}".encode()).decode()
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            connection.request("GET", "/echo", headers={"Authorization": "Basic " + pair})
            print(connection.getresponse().read().decode())
        """
        text = run(guests.sandbox(secrets=key(HOST)), code, server.port)
        pair = base64.b64encode(f"user:{VALUE}".encode()).decode()
        assert server.headers[-1]["Authorization"] == "Basic " + pair
        assert pair[8:-4] not in text

    @pytest.mark.parametrize("step", [1, 7, 50, 1000])
    def test_a_head_in_several_writes(self, guests: Guests, step: int) -> None:
        head = "GET / HTTP/1.1\r\nHost: x\r\nX: KEY\r\nY: aKEYb\r\n\r\n"
        with RecordingServer(lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as server:
            run(guests.sandbox(secrets=key(HOST)), SEND, server.port, head, step)
            assert f"\r\nX: {VALUE}\r\nY: a{VALUE}b\r\n".encode() in server.received

    @pytest.mark.parametrize(
        "text",
        [
            "GET /?k=KEY HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nX-KEY: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 44\r\n\r\nKEY",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\nKEY\r\n0\r\n\r\n",
            "KEY\r\n\r\n",
            "HELLO KEY\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 86\r\n\r\nGET / HTTP/1.1\r\nHost: abcde\r\nX: KEY"
            "\r\n\r\n",
        ],
    )
    def test_nowhere_but_in_header_values(self, guests: Guests, text: str) -> None:
        with RecordingServer() as server:
            sandbox = guests.sandbox(secrets=key(HOST), scrub_stdout=False)
            run(sandbox, SEND, server.port, text, 10)
            assert server.wait_until_done()
            assert VALUE.encode() not in server.received
            assert PLACEHOLDER.search(server.received.decode())

    def test_other_protocols_are_not_held_up(self, guests: Guests) -> None:
        code = """
            import socket, sys
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as one:
                for word in (b"G", b"PO", b"HELO there", b"PUT x\\r\\n"):
                    one.sendall(word)
                    assert one.recv(100) == word
        """
        with EchoServer() as server:
            run(guests.sandbox(secrets=key(HOST)), code, server.port)

    def test_many_sandboxes_on_one_loop(self, guests: Guests, server: HttpServer) -> None:
        values = [f"{VALUE}-{number}" for number in range(20)]
        sandboxes = [guests.sandbox(secrets=key(HOST, value=value)) for value in values]

        async def all_of_them() -> None:
            await asyncio.gather(
                *(
                    sandbox.execute_async(dedent(GET), arguments=[server.url + "/hello"])
                    for sandbox in sandboxes
                )
            )

        count = len(server.headers)
        asyncio.run(all_of_them())
        sent = {headers["Authorization"] for headers in server.headers[count:]}
        assert sent == {"Bearer " + value for value in values}


class TestRefusals:
    """Where values do not go."""

    def refused(
        self, guests: Guests, text: str, *, secrets: dict[str, Any] | None = None, step: int = 1000
    ) -> str:
        """What the guest is told; nothing must have been sent."""
        with RecordingServer() as server:
            sandbox = guests.sandbox(secrets=secrets or key(HOST))
            said = run(sandbox, SEND, server.port, text, step)
            assert server.wait_until_done()
            assert server.received == b""
        assert said.startswith("PermissionError"), said
        return said

    REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: KEY\r\n\r\n"

    def test_a_host_that_is_not_allowed(self, guests: Guests) -> None:
        said = self.refused(guests, self.REQUEST, secrets=key("api.example.com"))
        assert "secret 'API_KEY' is not allowed for host '127.0.0.1'" in said

    def test_the_host_header_does_not_count(self, guests: Guests) -> None:
        request = self.REQUEST.replace("127.0.0.1", "api.example.com")
        self.refused(guests, request, secrets=key("api.example.com"))

    def test_without_hosts_it_goes_nowhere(self, guests: Guests) -> None:
        self.refused(guests, self.REQUEST, secrets={"API_KEY": {"value": VALUE}})

    def test_the_hosts_of_the_network_count_then(self, guests: Guests, server: HttpServer) -> None:
        network = NetConfig(allowed_hosts=[HOST], blocked_hosts=[]).allow_localhost()
        sandbox = guests.sandbox(network=network, secrets={"API_KEY": {"value": VALUE}})
        assert run(sandbox, GET, server.url + "/hello") == "hello"
        assert server.headers[-1]["Authorization"] == "Bearer " + VALUE

    def test_hosts_of_its_own_count_before(self, guests: Guests, server: HttpServer) -> None:
        network = NetConfig(allowed_hosts=[HOST], blocked_hosts=[]).allow_localhost()
        count = len(server.headers)
        sandbox = guests.sandbox(network=network, secrets=key("api.example.com"))
        assert "API_KEY" in run(sandbox, GET, server.url + "/hello")
        assert len(server.headers) == count

    def test_another_name_at_the_same_address(self, guests: Guests) -> None:
        """A server that serves many hosts would hand it on."""
        code = SEND.replace('"127.0.0.1"', '"localhost"')
        with RecordingServer() as server:
            sandbox = guests.sandbox(secrets=key("localhost"))
            request = self.REQUEST.replace("127.0.0.1", "evil.example.com")
            said = run(sandbox, code, server.port, request, 1000)
            assert server.wait_until_done()
            assert server.received == b""
        assert "not allowed for 'evil.example.com'" in said

    def test_http_2(self, guests: Guests) -> None:
        said = self.refused(guests, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert "HTTP/2" in said

    @pytest.mark.parametrize("step", [1, 1000])
    @pytest.mark.parametrize(
        "fields",
        [
            "X: KEY\r\n folded",
            "X: KEY\nY: z",
            "X: KEY\r\nContent-Length: 1\r\nContent-Length: 2",
            "X: KEY\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            "X: KEY\r\nTransfer-Encoding: identity",
            "X: KEY\r\nHost: a",
            "X: KEY\r\nX y",
            "Host: KEY",
        ],
    )
    def test_what_can_be_read_in_two_ways(self, guests: Guests, fields: str, step: int) -> None:
        host = "" if fields.startswith("Host") else "Host: 127.0.0.1\r\n"
        self.refused(guests, f"GET / HTTP/1.1\r\n{host}{fields}\r\n\r\n", step=step)

    def test_a_second_request_behind_the_first(self, guests: Guests) -> None:
        first = "GET /first HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with RecordingServer() as server:
            sandbox = guests.sandbox(secrets=key("api.example.com"))
            said = run(sandbox, SEND, server.port, first + self.REQUEST, 10)
            assert server.wait_until_done()
            assert server.received == first.encode()
        assert "PermissionError" in said

    def test_nothing_more_is_sent_afterwards(self, guests: Guests) -> None:
        code = """
            import os, socket, sys
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as one:
                for text in (f"GET / HTTP/1.1\\r\\nX: {os.environ['API_KEY']}\\r\\n\\r\\n", "more"):
                    try:
                        one.sendall(text.encode())
                        print("sent")
                    except PermissionError:
                        print("refused")
        """
        with RecordingServer() as server:
            sandbox = guests.sandbox(secrets=key("api.example.com"))
            assert run(sandbox, code, server.port).split() == ["refused", "refused"]
            assert server.wait_until_done()
            assert server.received == b""

    def test_the_placeholder_of_another_sandbox_is_worthless(
        self, guests: Guests, server: HttpServer
    ) -> None:
        foreign = guests.sandbox(secrets=key(HOST)).execute(READ).result
        sandbox = guests.sandbox(secrets=key(HOST))
        run(sandbox, GET.replace('os.environ["API_KEY"]', repr(foreign)), server.url + "/hello")
        assert server.headers[-1]["Authorization"] == f"Bearer {foreign}"


class TestTheHost:
    """What a process keeps of it."""

    def test_values_are_wiped_when_the_sandbox_goes(self, child: Callable[[str], str]) -> None:
        """In a process of its own, because the test's own texts stay where they are."""
        code = """
            import eryx, gc, os, re

            def wiped_pages():
                with open("/proc/self/smaps") as file:
                    return file.read().count(" dd ")  # VmFlags: not in core dumps

            before = wiped_pages()
            sandbox = eryx.Sandbox(secrets={"A": {"value": "x" * 100}})
            during = wiped_pages()
            sandbox.execute("print(1)")
            del sandbox
            gc.collect()
            print(during > before, wiped_pages() == before)
        """
        assert child(code) == "True True"

    def test_sandboxes_in_threads(self, guests: Guests, server: HttpServer) -> None:
        errors: list[BaseException] = []

        def work(number: int) -> None:
            try:
                value = f"{OTHER}{number}"
                sandbox = guests.sandbox(secrets=key(HOST, value=value))
                for _ in range(5):
                    answer = json.loads(run(sandbox, GET, server.url + "/echo"))
                    assert answer["headers"]["Authorization"] == "Bearer " + "*" * len(value)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
