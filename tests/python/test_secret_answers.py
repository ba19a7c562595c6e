"""Secrets do not come back in what servers answer."""

from __future__ import annotations

import base64
import json
import re
import socket
from typing import TYPE_CHECKING

import pytest

from conftest import private_bytes
from secret_helpers import (
    GET,
    SEND,
    VALUE,
    Guests,
    RecordingServer,
    key,
    needles,
    run,
)
from servers import HOST, HttpServer, TcpServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# Memory is looked through after each test.
pytestmark = pytest.mark.usefixtures("guests", "each_isolation")


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as made:
        yield made


class TestAnswers:
    """Values do not come back."""

    @staticmethod
    def forms(value: str) -> list[str]:
        from html import escape
        from urllib.parse import quote, quote_plus

        encoded = value.encode()
        return [
            value,
            quote(value),
            quote(value, safe=""),
            quote_plus(value),
            re.sub("%..", lambda found: found.group().lower(), quote(value, safe="")),
            json.dumps(value)[1:-1],
            json.dumps(value)[1:-1].replace("/", "\\/"),
            escape(value),
            encoded.hex(),
            base64.b64encode(encoded).decode(),
            base64.urlsafe_b64encode(encoded).decode().rstrip("="),
            base64.b64encode(b"a" + encoded).decode(),
            base64.b64encode(b"ab" + encoded + b"c").decode(),
            quote(quote(value, safe=""), safe=""),
            "".join(f"\\x{byte:02x}" for byte in encoded),
            "".join(f"\\u{ord(letter):04x}" for letter in value),
            "".join(f"&#{ord(letter)};" for letter in value),
            "".join(f"&#x{ord(letter):X};" for letter in value),
            base64.encodebytes(b"x" * 40 + encoded).decode().replace("\n", "\\n"),
        ]

    @pytest.mark.parametrize("index", range(19))
    @pytest.mark.parametrize("framing", ["length", "chunked", "close"])
    def test_in_any_form(self, guests: Guests, index: int, framing: str) -> None:
        form = self.forms(VALUE)[index]
        body = f"<{form}>".encode()

        def answer(_: bytes) -> list[bytes]:
            head = b"HTTP/1.1 200 OK\r\nX-Back: " + form.encode() + b"\r\n"
            if framing == "length":
                return [head + b"Content-Length: %d\r\n\r\n" % len(body), body[:9], body[9:]]
            if framing == "close":
                return [head, b"\r\n", body[:5], body[5:]]
            pieces = [b"1\r\n%c\r\n" % byte for byte in body]
            return [head + b"Transfer-Encoding: chunked\r\n\r\n", *pieces, b"0\r\n\r\n"]

        code = """
            import http.client, os, sys
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            connection.request("GET", "/", headers={"X-Key": os.environ["API_KEY"]})
            answer = connection.getresponse()
            print(answer.headers["X-Back"])
            print(answer.read().decode())
        """
        with RecordingServer(answer) as server:
            header, text = run(guests.sandbox(secrets=key(HOST)), code, server.port).split("\n")
            assert VALUE.encode() in server.received
        assert len(header) == len(form)
        assert len(text) == len(body)
        for shown in (header, text):
            assert "*" * (len(VALUE) - 2) in shown.replace("\\n", "")
            for needle in needles(VALUE):
                assert needle.decode() not in shown

    def test_answers_are_asked_for_without_compression(
        self, guests: Guests, server: HttpServer
    ) -> None:
        code = GET.replace("try:", 'request.add_header("Accept-Encoding", "gzip")\n    try:')
        run(guests.sandbox(secrets=key(HOST)), code, server.url + "/hello")
        assert server.headers[-1]["Accept-Encoding"] == "identity"

    def test_wrapped_base64_and_utf_16(self, guests: Guests) -> None:
        bodies = [base64.encodebytes(b"x" * before + VALUE.encode()) for before in range(40, 58)]
        bodies += [VALUE.encode("utf-16-le"), VALUE.encode("utf-16-be")]
        body = b"".join(part + b"---" for part in bodies)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        with RecordingServer(lambda _: [head, body[:777], body[777:]]) as server:
            code = GET.replace(".decode()", ".decode('latin-1')")
            text = run(guests.sandbox(secrets=key(HOST)), code, f"http://{HOST}:{server.port}/")
        assert len(text.encode("latin-1")) >= len(body) - 1
        for part in text.split("---")[: len(bodies)]:
            assert part.replace("\n", "").count("*") >= (len(VALUE) - 1) * 4 // 3 - 1

    def test_a_range_is_not_asked_for(self, guests: Guests, server: HttpServer) -> None:
        code = """
            import os, sys, urllib.request
            for headers in ({"X-Key": os.environ["API_KEY"]}, {}):
                hidden = {"Range": "bytes=0-3", "If-Range": "x", "Accept-Encoding": "gzip"}
                request = urllib.request.Request(sys.argv[1], headers={**headers, **hidden})
                urllib.request.urlopen(request).read()
        """
        run(guests.sandbox(secrets=key(HOST)), code, server.url + "/hello")
        for headers in server.headers[-2:]:
            assert headers["Accept-Encoding"] == "identity"
            assert "Range" not in headers
            assert "If-Range" not in headers

    def test_a_byte_of_a_handshake_does_not_end_it(self, guests: Guests) -> None:
        """One that was written on a new connection, or as the body of a request."""

        class LastKey(TcpServer):
            """Shows the last header X-Key that it was sent to who asks for /last."""

            last = b""

            def serve(self, connection: socket.socket) -> None:
                with connection.makefile("rb") as file:
                    while line := file.readline():
                        size = 0
                        while field := file.readline().strip():
                            name, _, value = field.partition(b": ")
                            size = int(value) if name == b"Content-Length" else size
                            LastKey.last = value if name == b"X-Key" else LastKey.last
                        file.read(size)
                        body = self.last if b"/last" in line else b"ok"
                        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                        connection.sendall(head + body)

        code = """
            import os, socket, sys, time
            def connect():
                return socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
            def last(connection):
                connection.sendall(b"GET /last HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
                print(connection.recv(1000).split()[-1])
            a, b, c, d = (connect() for _ in range(4))
            d.sendall(b"GET / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 1\\r\\n\\r\\n\\x16")
            d.recv(1000)
            key = os.environ["API_KEY"]
            a.sendall(f"GET / HTTP/1.1\\r\\nHost: h\\r\\nX-Key: {key}\\r\\n\\r\\n".encode())
            a.recv(1000)
            last(b)
            c.sendall(b"LINK /x HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 1\\r\\n\\r\\n")
            time.sleep(0.05)
            c.sendall(b"\\x16")
            c.recv(1000)
            last(c)
            last(d)
        """
        with LastKey() as server:
            text = run(guests.sandbox(secrets=key(HOST)), code, server.port)
        assert LastKey.last == VALUE.encode()
        assert text.splitlines() == [str(b"*" * len(VALUE))] * 3

    @pytest.mark.parametrize(
        "text",
        [
            "GET / HTTP/1.1\nRange: bytes=0-3\n\n",
            "FROB / HTTP/1.1\r\nRange: bytes=0-3\r\n\r\n",
            "GET / HTTP/1.1\r\nRange : bytes=0-3\r\n\r\n",
        ],
    )
    @pytest.mark.parametrize("step", [1, 1000])
    def test_what_may_be_a_request_is_refused_then(
        self, guests: Guests, text: str, step: int
    ) -> None:
        sandbox = guests.session(secrets=key(HOST))
        with RecordingServer(lambda _: [b"HTTP/1.1 204 No\r\n\r\n"]) as server:
            run(sandbox, SEND, server.port, "GET / HTTP/1.1\r\nX: KEY\r\n\r\n", 1000)
        with RecordingServer() as server:
            refused = run(sandbox, SEND, server.port, text, step)
            assert server.wait_until_done()
        assert "once a secret was sent, requests have to be plain HTTP/1.1" in refused
        assert b"bytes" not in server.received

    @pytest.mark.parametrize("line", [b"X-Flood: " + b"x" * 1000 + b"\r\n", b"x" * 1000])
    def test_a_head_without_an_end(self, guests: Guests, line: bytes) -> None:
        """What is gone over is not piled up: the program gets it and says that it is too much."""

        class Flood(TcpServer):
            def serve(self, connection: socket.socket) -> None:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Begin: ")
                for _ in range(50):
                    connection.sendall(line * 1000)

        code = """
            import os, socket, sys
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) as one:
                one.sendall(f"GET / HTTP/1.1\\r\\nX: {os.environ['API_KEY']}\\r\\n\\r\\n".encode())
                size = 0
                while piece := one.recv(1 << 20):
                    size += len(piece)
            print(size >= 50_000_000)
            import http.client
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
            connection.request("GET", "/", headers={"X": os.environ["API_KEY"]})
            try:
                connection.getresponse()
            except http.client.HTTPException as error:
                print(error)
        """
        with Flood() as server:
            before = private_bytes()
            text = run(guests.sandbox(secrets=key(HOST)), code, server.port)
            assert private_bytes() - before < 40 << 20
        if line.endswith(b"\n"):
            assert text == "True\ngot more than 100 headers"
        else:
            assert text == "True\ngot more than 65536 bytes when reading header line"

    def test_on_other_connections_of_the_sandbox_as_well(self, guests: Guests) -> None:
        kept: list[bytes] = []

        def answer(request: bytes) -> list[bytes]:
            """A server that keeps what it was told and tells it to who asks."""
            body = b"".join(kept)
            kept.append(request)
            return [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body]

        code = """
            import http.client, os, sys
            for headers in ({"X-Key": os.environ["API_KEY"]}, {}):
                connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
                connection.request("GET", "/", headers=headers)
                print(connection.getresponse().read().decode())
        """

        class Forgetful(RecordingServer):
            def serve(self, connection: socket.socket) -> None:
                self.received = b""
                super().serve(connection)

        with Forgetful(answer) as server:
            text = run(guests.sandbox(secrets=key(HOST)), code, server.port)
        assert VALUE in kept[0].decode()
        assert "X-Key: " + "*" * len(VALUE) in text

    def test_an_answer_that_ends_like_the_begin_of_a_value(
        self, guests: Guests, server: HttpServer
    ) -> None:
        """It must not be held back, with keep-alive nothing comes after it."""
        body = "ends with " + VALUE[:6]
        with RecordingServer(
            lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body.encode()]
        ) as other:
            done = run(guests.sandbox(secrets=key(HOST)), GET, f"http://{HOST}:{other.port}/")
        assert done == body

    def test_what_no_answer_holds_back_comes_to_who_waits(
        self, guests: Guests, server: HttpServer
    ) -> None:
        """Records of the guest's own TLS that end by chance as a value begins, for example: who
        reads once and waits for more got the rest of them with the next record, or never."""

        class Greeter(TcpServer):
            def serve(self, connection: socket.socket) -> None:
                connection.sendall(b"\x17 greetings " + VALUE[:6].encode())
                connection.recv(1)

        code = """
            import select, socket, sys
            found = b""
            with socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=20) as one:
                while len(found) < int(sys.argv[3]) and select.select([one], [], [], 20)[0]:
                    found += one.recv(1000)
            print(found.decode("latin-1"))
        """
        expected = "\x17 greetings " + VALUE[:6]
        with Greeter() as other:
            sandbox = guests.session(secrets=key(HOST))
            run(sandbox, GET, server.url + "/hello")
            text = run(sandbox, code, "", other.port, len(expected))
        assert text == expected
