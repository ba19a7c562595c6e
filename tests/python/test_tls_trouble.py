"""TLS with servers that fail, lie, or never end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from textwrap import dedent
from typing import TYPE_CHECKING, ClassVar

import pytest

import eryx
from conftest import LATENESS_MS, open_descriptors
from eryx import NetConfig, ResourceLimits, Sandbox, Session
from network_helpers import LOCAL, execute
from servers import (
    Authority,
    EchoServer,
    RawServer,
    ResetServer,
    SilentServer,
    TcpServer,
    garbage,
)
from tls_helpers import BOTH_WAYS, CONNECT, STREAM, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


class TestTrouble:
    @BOTH_WAYS
    def test_garbage(self, program: str, trusting: NetConfig) -> None:
        for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n", garbage(5000), b"\x16\x03\x03" * 100):
            with RawServer(data, read_first=True) as server:
                text = run(trusting, program, "localhost", server.port, "localhost").stdout
            # asyncio itself says ConnectionResetError if the end comes in the handshake.
            assert text.startswith(("SSLError [SSL: ", "SSLEOFError", "ConnectionReset")), text

    @BOTH_WAYS
    def test_a_server_that_closes(self, program: str, trusting: NetConfig) -> None:
        with RawServer(b"", read_first=True) as server:
            text = run(trusting, program, "localhost", server.port, "localhost").stdout
        assert text.startswith(("SSLEOFError", "ConnectionResetError", "ConnectionAbortedError"))

    @BOTH_WAYS
    def test_a_server_that_resets(self, program: str, trusting: NetConfig) -> None:
        with ResetServer() as server:
            text = run(trusting, program, "localhost", server.port, "localhost").stdout
        assert text.startswith("ConnectionResetError")

    def test_the_end_without_a_word(self, authority: Authority, trusting: NetConfig) -> None:
        with RawServer(b"cut", tls=authority.context(), read_first=True) as server:
            done = run(
                trusting,
                """
                import socket, ssl, sys
                for hide in (True, False):
                    plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
                    connection = ssl.create_default_context().wrap_socket(
                        plain, server_hostname="localhost", suppress_ragged_eofs=hide)
                    connection.sendall(b"x")
                    print(connection.recv(100))
                    try:
                        print(connection.recv(100))
                    except ssl.SSLEOFError as error:
                        print("SSLEOFError", error)
                """,
                server.port,
            )
        lines = done.stdout.splitlines()
        assert lines[:3] == ["b'cut'", "b''", "b'cut'"]
        assert lines[3].startswith("SSLEOFError ")
        assert "EOF occurred in violation of protocol" in lines[3]

    def test_timeouts_of_the_guest(self, authority: Authority, trusting: NetConfig) -> None:
        program = """
            import socket, ssl, sys, time
            plain = socket.create_connection(("localhost", int(sys.argv[1])))
            plain.settimeout(0.2)
            began = time.monotonic()
            try:
                connection = ssl.create_default_context().wrap_socket(
                    plain, server_hostname="localhost")
                began = time.monotonic()
                connection.recv(100)
            except TimeoutError as error:
                print(error, 0.15 < time.monotonic() - began < 10)
        """
        with SilentServer() as server:
            text = run(trusting, program, server.port).stdout
        assert text == "The handshake operation timed out True"
        with SilentServer(tls=authority.context()) as server:
            text = run(trusting, program, server.port).stdout
        assert text == "The read operation timed out True"

    @BOTH_WAYS
    def test_the_host_ends_a_handshake(self, program: str, authority: Authority) -> None:
        network = NetConfig(connect_timeout_ms=300).allow_localhost().with_root_cert(authority.der)
        limits = ResourceLimits(execution_timeout_ms=3000)
        began = time.monotonic()
        with SilentServer() as server:
            sandbox = Sandbox(network=network, resource_limits=limits)
            arguments = ("localhost", server.port, "localhost")
            if program is STREAM:
                # asyncio waits for bytes, not for the host: its own limit counts, or the run's.
                with pytest.raises(eryx.TimeoutError):
                    execute(sandbox, program, *arguments)
                return
            text = execute(sandbox, program.replace("timeout=20", "timeout=None"), *arguments)
        assert "TimeoutError" in text.stdout
        assert 0.25 < time.monotonic() - began < 2.9

    @BOTH_WAYS
    def test_a_run_that_is_cut_in_the_handshake(self, program: str, trusting: NetConfig) -> None:
        before = open_descriptors()
        with SilentServer() as server:
            sandbox = Sandbox(
                network=trusting, resource_limits=ResourceLimits(execution_timeout_ms=300)
            )
            began = time.monotonic()
            with pytest.raises(eryx.TimeoutError):
                execute(sandbox, program, "localhost", server.port, "localhost")
            assert time.monotonic() - began < 0.3 + LATENESS_MS / 1000 + 1
            assert server.wait_until_idle()
        del sandbox
        assert open_descriptors() <= before + 1

    def test_sessions_of_an_earlier_run(self, trusting: NetConfig, echo: EchoServer) -> None:
        opening = """
            import socket, ssl, sys
            context = ssl.create_default_context()
            plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
            connection = context.wrap_socket(plain, server_hostname="localhost")
            connection.sendall(b"x")
            print(connection.recv(10))
        """
        with Session(network=trusting) as session:
            arguments = [str(echo.port)]
            assert session.execute(dedent(opening), arguments=arguments).stdout == "b'x'"
            assert echo.wait_until_idle()
            after = session.execute(
                dedent(
                    """
                    for call in (lambda: connection.send(b"y"), lambda: connection.recv(1),
                                 connection.getpeercert, connection.unwrap):
                        try:
                            print(call())
                        except OSError as error:
                            print(type(error).__name__)
                    """
                )
            )
            names = after.stdout.splitlines()
            assert len(names) == 4
            assert all("Error" in name for name in names)
            assert session.execute(dedent(opening), arguments=arguments).stdout == "b'x'"

    def test_nothing_is_left_behind(self, trusting: NetConfig, echo: EchoServer) -> None:
        run(trusting, CONNECT, "localhost", echo.port, "localhost")
        before = open_descriptors()
        done = run(
            trusting,
            """
            import socket, ssl, sys
            context = ssl.create_default_context()
            for turn in range(100):
                plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
                connection = context.wrap_socket(plain, server_hostname="localhost")
                connection.send(b"x")
                connection.recv(1)
                if turn % 2:
                    connection.close()
                else:
                    del connection, plain
            print("done")
            """,
            echo.port,
        )
        assert done.stdout == "done"
        assert open_descriptors() <= before + 1


VERIFY_FAILED = (
    "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
)


class DamagedServer(TcpServer):
    """Echo with TLS 1.2, where the certificate is not encrypted: it is changed on the way."""

    def __init__(self, context: ssl.SSLContext, change: Callable[[bytes], bytes]) -> None:
        super().__init__()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._context = context
        self._change = change

    def serve(self, connection: socket.socket) -> None:
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = self._context.wrap_bio(inward, outward, server_side=True)
        while data := connection.recv(65536):
            inward.write(data)
            try:
                secure.do_handshake()
                text = secure.read()
                if not text:
                    return
                secure.write(text)
            except ssl.SSLWantReadError:
                pass
            connection.sendall(self._change(outward.read()))


class HalfCloseServer(TcpServer):
    """Says goodbye in TLS after the handshake, and keeps what it is sent after that."""

    received = b""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    def serve(self, connection: socket.socket) -> None:
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = self._context.wrap_bio(inward, outward, server_side=True)
        said_goodbye = False
        while data := connection.recv(65536):
            inward.write(data)
            with contextlib.suppress(ssl.SSLWantReadError):
                secure.do_handshake()
                if not said_goodbye:
                    said_goodbye = True
                    secure.write(b"goodbye")
                    with contextlib.suppress(ssl.SSLWantReadError):
                        secure.unwrap()
                self.received += secure.read()
            connection.sendall(outward.read())


class TestHalfClosed:
    @pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
    def test_the_guest_may_still_send(
        self, version: str, authority: Authority, trusting: NetConfig
    ) -> None:
        context = authority.context()
        context.maximum_version = ssl.TLSVersion[version]
        with HalfCloseServer(context) as server:
            done = run(
                trusting,
                """
                import socket, ssl, sys
                plain = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
                connection = ssl.create_default_context().wrap_socket(
                    plain, server_hostname="localhost")
                print(connection.recv(100), connection.recv(100))
                connection.sendall(b"still here")
                connection.close()
                """,
                server.port,
            )
            assert server.wait_until_idle()
            assert server.received == b"still here"
        assert done.stdout == "b'goodbye' b''"


class TestMalformedCertificates:
    """A change of the server's certificate, of the same size so that the rest still fits."""

    CHANGES: ClassVar[dict[str, tuple[Callable[[bytes], bytes], str]]] = {
        "nothing": (lambda der: der, "ping TLSv1.2"),
        "zeros": (lambda der: bytes(len(der)), "SSLError [SSL: ASN1_LIB]"),
        "noise": (lambda der: garbage(len(der)), "SSLError [SSL: ASN1_LIB]"),
        "no sequence": (lambda der: b"\x31" + der[1:], "SSLError [SSL: ASN1_LIB]"),
        "too long": (lambda der: der[:2] + b"\xff\xff" + der[4:], "SSLError [SSL: ASN1_LIB]"),
        "too short": (lambda der: der[:2] + b"\0\x10" + der[4:], "SSLError [SSL: ASN1_LIB]"),
        "without an end": (lambda der: der[:1] + b"\x80" + der[2:], "SSLError [SSL: ASN1_LIB]"),
        "the second half missing": (
            lambda der: der[: len(der) // 2] + bytes(len(der) - len(der) // 2),
            "SSLError [SSL: ASN1_LIB]",
        ),
        "another signature": (
            lambda der: der[:-1] + bytes([der[-1] ^ 1]),
            f"{VERIFY_FAILED}: certificate signature failure",
        ),
        "another name": (
            lambda der: der.replace(b"localhost", b"lokalhost"),
            f"{VERIFY_FAILED}: Hostname mismatch, certificate is not valid for 'localhost'.",
        ),
    }

    @BOTH_WAYS
    @pytest.mark.parametrize("kind", CHANGES)
    def test_damaged_on_the_way(
        self, kind: str, program: str, authority: Authority, trusting: NetConfig
    ) -> None:
        change, expected = self.CHANGES[kind]
        leaf = authority.certificate()
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        with DamagedServer(context, lambda data: data.replace(der, change(der))) as server:
            text = run(trusting, program, "localhost", server.port, "localhost").stdout
        assert text.startswith(expected)
