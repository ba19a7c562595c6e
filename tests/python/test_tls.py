"""TLS of the guest, which the host does, against real servers on loopback."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import socket
import ssl
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import trustme

import eryx
from conftest import run_python
from eryx import NetConfig, Sandbox
from network_helpers import LOCAL, PATIENT
from servers import (
    HOST,
    Authority,
    DnsServer,
    EchoServer,
    HttpServer,
    SilentServer,
    TcpServer,
)
from tls_helpers import BOTH_WAYS, CONNECT, STREAM, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> NetConfig:
    """The network of a sandbox that trusts the authority."""
    return LOCAL.with_root_cert(authority.der)


@pytest.fixture(scope="module")
def echo(authority: Authority) -> Iterator[EchoServer]:
    with EchoServer(tls=authority.context()) as server:
        yield server


@pytest.fixture(scope="module")
def https(authority: Authority) -> Iterator[HttpServer]:
    with HttpServer(authority.context()) as server:
        yield server


class TestClients:
    @BOTH_WAYS
    def test_a_server_that_can_be_verified(
        self, program: str, trusting: NetConfig, echo: EchoServer
    ) -> None:
        done = run(trusting, program, "localhost", echo.port, "localhost")
        assert done.stdout == "ping TLSv1.3"

    @BOTH_WAYS
    def test_an_address(self, program: str, trusting: NetConfig, echo: EchoServer) -> None:
        assert run(trusting, program, HOST, echo.port, HOST).stdout == "ping TLSv1.3"

    @BOTH_WAYS
    def test_the_connection_is_listed(
        self, program: str, trusting: NetConfig, echo: EchoServer
    ) -> None:
        (listed,) = run(trusting, program, "localhost", echo.port, "localhost").connections
        assert listed.tls
        assert listed.host == "localhost"
        assert listed.bytes_in > 500
        assert listed.bytes_out > 200

    def test_http_client(self, trusting: NetConfig, https: HttpServer) -> None:
        done = run(
            trusting,
            """
            import http.client, sys
            connection = http.client.HTTPSConnection("localhost", int(sys.argv[1]), timeout=20)
            for turn in range(3):
                connection.request("GET", "/hello")
                response = connection.getresponse()
                print(response.status, response.read())
            connection.request("POST", "/echo", body=b"posted" * 10_000)
            import json
            print(len(json.load(connection.getresponse())["body"]))
            """,
            https.port,
        )
        assert done.stdout == "200 b'hello'\n" * 3 + "60000"
        assert len(done.connections) == 1

    def test_urllib(self, trusting: NetConfig, https: HttpServer) -> None:
        done = run(
            trusting,
            """
            import sys, urllib.request
            url = sys.argv[1]
            print(urllib.request.urlopen(url + "/hello", timeout=20).read())
            print(urllib.request.urlopen(url + "/redirect?to=/hello", timeout=20).read())
            print(len(urllib.request.urlopen(url + "/bytes?size=3000000", timeout=20).read()))
            """,
            https.url,
        )
        assert done.stdout == "b'hello'\nb'hello'\n3000000"

    def test_what_is_known_of_a_connection(self, authority: Authority, trusting: NetConfig) -> None:
        with EchoServer(tls=authority.context(protocols=["http/1.1"])) as server:
            done = run(
                trusting,
                """
                import socket, ssl, sys
                context = ssl.create_default_context()
                context.set_alpn_protocols(["h2", "http/1.1"])
                plain = socket.create_connection(("localhost", int(sys.argv[1])))
                connection = context.wrap_socket(
                    plain, server_hostname="localhost", do_handshake_on_connect=False)
                print(connection.version(), connection.cipher(), connection.pending())
                try:
                    connection.getpeercert()
                except ValueError as error:
                    print(error)
                connection.do_handshake()
                print(connection.version(), connection.cipher()[1:], connection.compression())
                print(connection.selected_alpn_protocol(), connection.session_reused)
                print(connection.shared_ciphers(), connection.server_side)
                print(connection.server_hostname, connection.context is context)
                print(connection.getpeercert()["subjectAltName"])
                print(len(connection.get_channel_binding()))
                der = connection.getpeercert(True)
                print(connection.get_unverified_chain() == [der])
                print([len(c) > 300 for c in connection.get_verified_chain()])
                print(ssl.get_server_certificate(("localhost", int(sys.argv[1])))
                      == ssl.DER_cert_to_PEM_cert(der))
                connection.sendall(b"0123456789")
                print(connection.recv(3), connection.pending(), connection.recv(100))
                buffer = bytearray(8)
                connection.send(b"abc")
                print(connection.recv_into(buffer), bytes(buffer), connection.read(0))
                """,
                server.port,
            )
        assert done.stdout.splitlines() == [
            "None None 0",
            "handshake not done yet",
            "TLSv1.3 ('TLSv1.3', 256) None",
            "http/1.1 False",
            "None False",
            "localhost True",
            "(('DNS', 'localhost'), ('IP Address', '127.0.0.1'))",
            "48",
            "True",
            "[True, True]",
            "True",
            "b'012' 7 b'3456789'",
            r"3 b'abc\x00\x00\x00\x00\x00' b''",
        ]

    def test_many_bytes(self, trusting: NetConfig, echo: EchoServer) -> None:
        done = run(
            trusting,
            """
            import hashlib, random, socket, ssl, sys
            context = ssl.create_default_context()
            plain = socket.create_connection(("localhost", int(sys.argv[1])))
            connection = context.wrap_socket(plain, server_hostname="localhost")
            connection.settimeout(60)
            data = random.Random(3).randbytes(300_000)
            seen = hashlib.sha256()
            for turn in range(20):
                connection.sendall(data)
                left = len(data)
                while left:
                    part = connection.recv(min(left, 100_000))
                    seen.update(part)
                    left -= len(part)
            print(seen.hexdigest() == hashlib.sha256(data * 20).hexdigest())
            """,
            echo.port,
        )
        assert done.stdout == "True"

    def test_both_sides_send_at_once(self, trusting: NetConfig, echo: EchoServer) -> None:
        done = run(
            trusting,
            """
            import asyncio, hashlib, random, sys
            data = random.Random(4).randbytes(5_000_000)
            async def main():
                reader, writer = await asyncio.open_connection(
                    "localhost", int(sys.argv[1]), ssl=True)
                async def send():
                    for start in range(0, len(data), 70_001):
                        writer.write(data[start:start + 70_001])
                        await writer.drain()
                async def receive():
                    return hashlib.sha256(await reader.readexactly(len(data))).hexdigest()
                _, seen = await asyncio.gather(send(), receive())
                print(seen == hashlib.sha256(data).hexdigest())
                writer.close()
                await writer.wait_closed()
            asyncio.run(main())
            """,
            echo.port,
        )
        assert done.stdout == "True"

    def test_a_bio_takes_all_that_is_written(
        self, authority: Authority, trusting: NetConfig
    ) -> None:
        with SilentServer(tls=authority.context()) as server:
            done = run(
                trusting,
                """
                import socket, ssl, sys
                plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
                inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
                connection = ssl.create_default_context().wrap_bio(
                    inward, outward, server_hostname="localhost")
                while True:
                    try:
                        connection.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        plain.sendall(outward.read())
                        inward.write(plain.recv(65536))
                print(connection.write(bytearray(8 << 20)), outward.pending > 8 << 20)
                plain.sendall(outward.read())
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(65536):  # a close with bytes unread would be a reset
                    pass
                """,
                server.port,
            )
            assert server.wait_until_idle()
            assert server.received == 8 << 20
        assert done.stdout == f"{8 << 20} True"

    def test_upgrade_of_a_stream(self, authority: Authority, trusting: NetConfig) -> None:
        with UpgradeServer(authority) as server:
            done = run(
                trusting,
                """
                import asyncio, ssl, sys
                async def main():
                    reader, writer = await asyncio.open_connection("localhost", int(sys.argv[1]))
                    writer.write(b"STARTTLS\\r\\n")
                    print(await reader.readline())
                    context = ssl.create_default_context()
                    await writer.start_tls(context, server_hostname="localhost")
                    writer.write(b"secret")
                    print(await reader.read(100))
                    writer.close()
                    await writer.wait_closed()
                asyncio.run(main())
                """,
                server.port,
            )
        assert done.stdout == "b'go on\\r\\n'\nb'secret'"

    def test_upgrade_and_downgrade_of_a_socket(
        self, authority: Authority, trusting: NetConfig
    ) -> None:
        with UpgradeServer(authority, back=True) as server:
            done = run(
                trusting,
                """
                import socket, ssl, sys
                plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
                plain.sendall(b"STARTTLS\\r\\n")
                print(plain.recv(100))
                connection = ssl.create_default_context().wrap_socket(
                    plain, server_hostname="localhost")
                connection.sendall(b"secret")
                print(connection.recv(100))
                plain = connection.unwrap()
                plain.sendall(b"plain again")
                print(plain.recv(100))
                """,
                server.port,
            )
        assert done.stdout == "b'go on\\r\\n'\nb'secret'\nb'plain again'"

    def test_without_waiting(self, trusting: NetConfig, echo: EchoServer) -> None:
        done = run(
            trusting,
            """
            import select, socket, ssl, sys
            plain = socket.create_connection(("localhost", int(sys.argv[1])))
            plain.setblocking(False)
            connection = ssl.create_default_context().wrap_socket(
                plain, server_hostname="localhost", do_handshake_on_connect=False)
            wants = set()
            def again(call):
                while True:
                    try:
                        return call()
                    except ssl.SSLWantReadError:
                        wants.add("read")
                        select.select([connection], [], [], 20)
                    except ssl.SSLWantWriteError:
                        wants.add("write")
                        select.select([], [connection], [], 20)
            again(connection.do_handshake)
            data = b"x" * 8_000_000
            sent = received = 0
            while received < len(data):
                if sent < len(data):
                    try:
                        sent += connection.send(data[sent:])
                    except ssl.SSLWantWriteError:
                        wants.add("full")
                received += len(again(lambda: connection.recv(100_000)))
            print(sent, received, sorted(wants))
            """,
            echo.port,
        )
        sent, received, *wants = done.stdout.split(maxsplit=2)
        assert (sent, received) == ("8000000", "8000000")
        # To read is to wait for what is written first, if that is not all on its way.
        assert set(ast.literal_eval(wants[0])) in (
            {"read"},
            {"full", "read"},
            {"full", "read", "write"},
        )

    def test_twenty_sandboxes_at_once(self, trusting: NetConfig, echo: EchoServer) -> None:
        async def main() -> list[eryx.ExecuteResult]:
            return await asyncio.gather(
                *(
                    asyncio.to_thread(run, trusting, CONNECT, "localhost", echo.port, "localhost")
                    if turn % 4 == 0
                    else _execute_async(trusting, STREAM, "localhost", echo.port, "localhost")
                    for turn in range(20)
                )
            )

        assert {done.stdout for done in asyncio.run(main())} == {"ping TLSv1.3"}


async def _execute_async(network: NetConfig, code: str, *arguments: object) -> eryx.ExecuteResult:
    sandbox = Sandbox(network=network, resource_limits=PATIENT)
    return await sandbox.execute_async(dedent(code), arguments=[str(a) for a in arguments])


@pytest.fixture(scope="module")
def asking(authority: Authority) -> Iterator[EchoServer]:
    """A server that wants a certificate of its clients."""
    context = authority.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.der)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # so that the handshake tells
    with EchoServer(tls=context) as server:
        yield server


class UpgradeServer(TcpServer):
    """Begins TLS when it is asked to; with back, ends it again and goes on."""

    def __init__(self, authority: Authority, *, back: bool = False) -> None:
        super().__init__()
        self._context = authority.context()
        self._back = back

    def serve(self, connection: socket.socket) -> None:
        assert connection.recv(100) == b"STARTTLS\r\n"
        connection.sendall(b"go on\r\n")
        secure = self._context.wrap_socket(connection, server_side=True)
        secure.sendall(secure.recv(100))
        plain = secure.unwrap() if self._back else secure
        plain.sendall(plain.recv(100))
        plain.close()


class TestVerification:
    """Row 155: nothing that the guest does switches it off."""

    UNCHECKED = """
        import asyncio, socket, ssl, sys, urllib.request
        host, port = sys.argv[1], int(sys.argv[2])
        def unchecked(kind):
            context = kind()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_ciphers("ALL:eNULL:aNULL:@SECLEVEL=0")
            context.verify_flags = 0
            context.options |= ssl.OP_LEGACY_SERVER_CONNECT
            if len(sys.argv) > 3:
                context.load_verify_locations(cadata=sys.argv[3])
            return context
        def show(call):
            try:
                call()
                print("trusted!")
            except OSError as error:
                if type(error).__name__ == "URLError":
                    error = error.reason
                print(type(error).__name__, error.reason, error.verify_code, error.verify_message)
        def raw(kind):
            with socket.create_connection((host, port)) as plain:
                unchecked(kind).wrap_socket(plain, server_hostname=host)
        async def stream():
            await asyncio.open_connection(host, port, ssl=unchecked(ssl.create_default_context))
        show(lambda: raw(ssl.create_default_context))
        show(lambda: raw(ssl._create_unverified_context))
        show(lambda: raw(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS)))
        show(lambda: asyncio.run(stream()))
        show(lambda: urllib.request.urlopen(
            f"https://{host}:{port}/", context=ssl._create_unverified_context(), timeout=20))
    """

    def check(self, network: NetConfig, host: str, server: TcpServer, expected: str) -> None:
        lines = run(network, self.UNCHECKED, host, server.port).stdout.splitlines()
        assert lines == [f"SSLCertVerificationError CERTIFICATE_VERIFY_FAILED {expected}"] * 5

    def test_unknown_root(self, echo: EchoServer) -> None:
        self.check(LOCAL, "localhost", echo, "20 unable to get local issuer certificate")

    def test_another_root(self, echo: EchoServer) -> None:
        network = LOCAL.with_root_cert(Authority().der)
        self.check(network, "localhost", echo, "20 unable to get local issuer certificate")

    def test_wrong_name(self, authority: Authority, trusting: NetConfig) -> None:
        with EchoServer(tls=authority.context("other.example", "127.0.0.2")) as server:
            self.check(
                trusting,
                "localhost",
                server,
                "62 Hostname mismatch, certificate is not valid for 'localhost'.",
            )
            self.check(
                trusting,
                HOST,
                server,
                "64 IP address mismatch, certificate is not valid for '127.0.0.1'.",
            )

    def test_expired(self, authority: Authority, trusting: NetConfig) -> None:
        with EchoServer(tls=authority.context(expired=True)) as server:
            self.check(trusting, "localhost", server, "10 certificate has expired")

    def test_self_signed(self, trusting: NetConfig) -> None:
        # An authority that shows its own certificate.
        own = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with own.private_key_pem.tempfile() as key, own.cert_pem.tempfile() as certificate:
            context.load_cert_chain(certificate, key)
        with EchoServer(tls=context) as server:
            self.check(trusting, "localhost", server, "18 self-signed certificate")

    def test_a_root_of_the_guest_is_not_trusted(
        self, authority: Authority, echo: EchoServer
    ) -> None:
        pem = ssl.DER_cert_to_PEM_cert(authority.der)
        lines = run(LOCAL, self.UNCHECKED, "localhost", echo.port, pem).stdout.splitlines()
        assert "trusted!" not in lines
        assert len(lines) == 5

    @BOTH_WAYS
    def test_errors_are_those_of_cpython(self, program: str, echo: EchoServer) -> None:
        text = run(LOCAL, program, "localhost", echo.port, "localhost").stdout
        assert text.startswith(
            "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "unable to get local issuer certificate"
        )

    def test_old_versions_are_refused(self, authority: Authority, trusting: NetConfig) -> None:
        context = authority.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with EchoServer(tls=context) as server:
            assert run(trusting, CONNECT, HOST, server.port, HOST).stdout == "ping TLSv1.2"
            done = run(
                trusting,
                """
                import socket, ssl, sys
                def attempt(low, high):
                    context = ssl.create_default_context()
                    try:
                        context.minimum_version = low
                        context.maximum_version = high
                        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
                            print(context.wrap_socket(plain, server_hostname="127.0.0.1").version())
                    except ssl.SSLError as error:
                        print(error.reason or error)
                versions = ssl.TLSVersion
                attempt(versions.MINIMUM_SUPPORTED, versions.TLSv1_2)
                attempt(versions.TLSv1, versions.TLSv1_1)
                attempt(versions.TLSv1_3, versions.MAXIMUM_SUPPORTED)
                """,
                server.port,
            )
        assert done.stdout.splitlines() == [
            "TLSv1.2",
            "no version of TLS that is allowed here was left",
            "TLSV1_ALERT_PROTOCOL_VERSION",
        ]


class TestNames:
    """The name that TLS is done with is the one that the rules were asked about."""

    @BOTH_WAYS
    def test_the_server_is_told_the_name(
        self, program: str, authority: Authority, trusting: NetConfig
    ) -> None:
        told: list[str | None] = []
        context = authority.context()
        context.sni_callback = lambda connection, name, context: told.append(name)
        with EchoServer(tls=context) as server:
            for name in ("localhost", HOST):  # no SNI for an address
                assert run(trusting, program, name, server.port, name).stdout == "ping TLSv1.3"
        assert told == ["localhost", None]

    def test_without_a_name_it_is_that_of_the_connection(
        self, authority: Authority, trusting: NetConfig, echo: EchoServer
    ) -> None:
        assert run(trusting, CONNECT, "localhost", echo.port, "").stdout == "ping TLSv1.3"
        assert run(trusting, CONNECT, HOST, echo.port, "").stdout == "ping TLSv1.3"
        with EchoServer(tls=authority.context("other.example")) as server:
            text = run(trusting, CONNECT, "localhost", server.port, "").stdout
        assert "certificate is not valid for 'localhost'" in text

    def test_another_name_than_the_connection_is_refused(
        self, authority: Authority, trusting: NetConfig
    ) -> None:
        with EchoServer(tls=authority.context("example.com", "localhost")) as server:
            text = run(trusting, CONNECT, "localhost", server.port, "example.com").stdout
        assert text.startswith("PermissionError ")
        assert text.endswith(
            "server_hostname 'example.com' is not what the connection was made to, which is "
            "'localhost'"
        )

    def test_names_of_one_address(self, authority: Authority) -> None:
        names = ("one.test", "two.test")
        with (
            DnsServer({name: [[HOST]] for name in names}) as dns,
            EchoServer(tls=authority.context(*names)) as server,
        ):
            network = NetConfig(dns_servers=[dns.address]).with_root_cert(authority.der)
            for name in names:
                network = network.allow_internal_host(name, network=HOST)
            assert run(network, CONNECT, "one.test", server.port, "one.test").stdout == (
                "ping TLSv1.3"
            )
            assert run(network, CONNECT, "ONE.test.", server.port, "One.Test").stdout == (
                "ping TLSv1.3"
            )
            # Nobody has asked where the other is, so the connection does not stand for it.
            text = run(network, CONNECT, "one.test", server.port, "two.test").stdout
            assert "is not what the connection was made to" in text

    def test_bytes_for_a_name_that_the_rules_forbid(self) -> None:
        done = run(
            NetConfig(allowed_hosts=["allowed.example"]),
            """
            import ssl
            def attempt(name):
                bios = ssl.MemoryBIO(), ssl.MemoryBIO()
                context = ssl.create_default_context()
                context.check_hostname = False
                made = context.wrap_bio(*bios, server_hostname=name)
                try:
                    made.do_handshake()
                except OSError as error:
                    print(type(error).__name__, error)
                return bios[1].read()
            print(len(attempt("allowed.example")) > 200)
            for name in ("other.example", "127.0.0.1", "localhost", None):
                assert attempt(name) == b""
            """,
        )
        lines = done.stdout.splitlines()
        assert lines[0].startswith("SSLWantReadError")
        assert lines[1] == "True"
        assert [line.split()[0] for line in lines[2:]] == [
            "PermissionError",
            "PermissionError",
            "PermissionError",
            "SSLError",
        ]
        assert "server_hostname is needed" in lines[5]

    def test_servers_are_refused(self, trusting: NetConfig) -> None:
        done = run(
            trusting,
            """
            import ssl
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            for side in (True, False):
                try:
                    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=side)
                except ssl.SSLError as error:
                    print(error)
            """,
        )
        assert done.stdout.splitlines() == [
            "a sandbox can't be a TLS server",
            "Cannot create a client socket with a PROTOCOL_TLS_SERVER context",
        ]

    def test_plain_bytes_are_refused_on_a_connection_with_tls(
        self, trusting: NetConfig, echo: EchoServer
    ) -> None:
        done = run(
            trusting,
            """
            import socket, ssl, sys
            plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
            connection = ssl.create_default_context().wrap_socket(
                plain, server_hostname="localhost")
            for call in (lambda: socket.socket.send(connection, b"plain"),
                         lambda: socket.socket.recv(connection, 10)):
                try:
                    print(call())
                except OSError as error:
                    print(type(error).__name__)
            connection.sendall(b"still well")
            print(connection.recv(100))
            again = socket.socket(fileno=connection.detach())
            try:
                ssl.create_default_context().wrap_socket(again, server_hostname="localhost")
            except OSError as error:
                print(error)
            """,
            echo.port,
        )
        lines = done.stdout.splitlines()
        assert lines[0] == lines[1] == "PermissionError"
        assert lines[2] == "b'still well'"
        assert "TLS already" in lines[3]


class TestClientCertificates:
    PROGRAM = """
        import socket, ssl, sys
        port, certificate, key = sys.argv[1:]
        with open("/data/certificate.pem", "w") as file:
            file.write(certificate)
        with open("/data/key.pem", "w") as file:
            file.write(key)
        try:
            context = ssl.create_default_context()
            if certificate:
                context.load_cert_chain("/data/certificate.pem", "/data/key.pem", "password")
            plain = socket.create_connection(("localhost", int(port)), timeout=20)
            connection = context.wrap_socket(plain, server_hostname="localhost")
            connection.sendall(b"ping")
            print(connection.recv(10))
        except OSError as error:
            print(type(error).__name__, error)
    """

    def texts(self, leaf: trustme.LeafCert) -> tuple[str, str]:
        certificate = leaf.cert_chain_pems[0].bytes().decode()
        return certificate, leaf.private_key_pem.bytes().decode()

    def test_it_is_shown(
        self, authority: Authority, trusting: NetConfig, asking: EchoServer
    ) -> None:
        texts = self.texts(authority.certificate("client.example"))
        assert run(trusting, self.PROGRAM, asking.port, *texts).stdout == "b'ping'"

    def test_none(self, trusting: NetConfig, asking: EchoServer) -> None:
        text = run(trusting, self.PROGRAM, asking.port, "", "").stdout
        assert "HANDSHAKE_FAILURE" in text or "Connection" in text

    def test_what_does_not_fit(
        self, authority: Authority, trusting: NetConfig, asking: EchoServer
    ) -> None:
        certificate, key = self.texts(authority.certificate("client.example"))
        _, other = self.texts(authority.certificate("client.example"))
        text = run(trusting, self.PROGRAM, asking.port, certificate, other).stdout
        assert "KEY_VALUES_MISMATCH" in text
        text = run(trusting, self.PROGRAM, asking.port, certificate, "no key").stdout
        assert "the private key can't be read" in text
        text = run(trusting, self.PROGRAM, asking.port, "no certificate", key).stdout
        assert text.startswith("SSLError")

    def test_encrypted_keys_are_refused(
        self, authority: Authority, trusting: NetConfig, asking: EchoServer
    ) -> None:
        from cryptography.hazmat.primitives import serialization

        certificate, key = self.texts(authority.certificate("client.example"))
        loaded: Any = serialization.load_pem_private_key(key.encode(), None)
        locked = loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        ).decode()
        text = run(trusting, self.PROGRAM, asking.port, certificate, locked).stdout
        assert text == "SSLError an encrypted private key can't be used in a sandbox"


class TestHost:
    def test_openssl_of_this_process_is_not_disturbed(
        self, trusting: NetConfig, echo: EchoServer, authority: Authority
    ) -> None:
        run(trusting, CONNECT, "localhost", echo.port, "localhost")
        context = ssl.create_default_context(cadata=authority.der)
        with (
            socket.create_connection((HOST, echo.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            connection.sendall(b"native")
            assert connection.recv(100) == b"native"
        assert hashlib.new("sha256", b"x").hexdigest().startswith("2d711642")

    @pytest.mark.parametrize("is_there", [True, False])
    def test_the_roots_of_the_system_are_trusted(
        self, is_there: bool, authority: Authority, tmp_path: Path
    ) -> None:
        """In a process of its own, as they are read once."""
        roots = tmp_path / "roots.pem"
        if is_there:
            roots.write_text(ssl.DER_cert_to_PEM_cert(authority.der))
        with EchoServer(tls=authority.context()) as server:
            done = run_python(
                f"""
                import eryx
                sandbox = eryx.Sandbox(network=eryx.NetConfig().allow_localhost())
                arguments = ["localhost", "{server.port}", "localhost"]
                print(sandbox.execute({dedent(CONNECT)!r}, arguments=arguments).stdout)
                """,
                environment={"SSL_CERT_FILE": str(roots), "SSL_CERT_DIR": str(tmp_path)},
            )
        assert done.stderr == ""
        if is_there:
            assert done.stdout == "ping TLSv1.3\n"
        else:
            assert "unable to get local issuer certificate" in done.stdout
