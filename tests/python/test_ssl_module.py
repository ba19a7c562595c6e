"""The guest's module ssl next to that of CPython: what needs no network."""

from __future__ import annotations

import contextlib
import io
import ssl
import subprocess
import sys
from textwrap import dedent

import pytest

import eryx
from servers import Authority


def run(code: str, *arguments: str) -> str:
    """What an indented program with arguments prints in a sandbox."""
    return eryx.Sandbox().execute(dedent(code), arguments=list(arguments)).stdout + "\n"


def same_everywhere(code: str) -> None:
    """Runs a program here and in a sandbox; both must print the same."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(dedent(code), "<test>", "exec"), {"__name__": "__main__"})
    assert printed.getvalue()
    assert run(code) == printed.getvalue()


class TestModule:
    def test_constants_are_those_of_cpython(self) -> None:
        native = {
            name: int(value)
            for name, value in vars(ssl._ssl).items()  # type: ignore[attr-defined]
            if isinstance(value, int)
            and name.startswith(("ALERT_", "CERT_", "HOSTFLAG_", "OP_", "PROTO", "SSL_", "VERIFY_"))
        }
        assert len(native) > 70
        done = eryx.Sandbox().execute(
            "import _ssl\nresult = {n: v for n, v in vars(_ssl).items() if type(v) is int}"
        )
        guest = done.result
        assert isinstance(guest, dict)
        # What this OpenSSL has may be there or not, and later ones have more.
        changing = {"OP_ALL", "OP_NO_RENEGOTIATION", "OP_LEGACY_SERVER_CONNECT"}
        different = {n: (v, guest.get(n)) for n, v in native.items() if guest.get(n) != v}
        assert {n: v for n, v in different.items() if n not in changing} == {}

    def test_versions(self) -> None:
        text, number, version = run(
            """
            import ssl
            print(ssl.OPENSSL_VERSION)
            print(ssl.OPENSSL_VERSION_NUMBER)
            print(ssl.OPENSSL_VERSION_INFO[:2])
            """
        ).splitlines()
        assert text.startswith("OpenSSL 4.")
        assert int(number) >> 28 == 4
        assert version == f"(4, {int(number) >> 20 & 0xFF})"

    def test_what_builds_on_it_can_be_imported(self) -> None:
        assert (
            run(
                """
                import ssl, http.client, urllib.request, smtplib, imaplib, poplib, ftplib
                from asyncio import sslproto
                print(http.client.HTTPSConnection.__name__, urllib.request.HTTPSHandler.__name__)
                print(ftplib.FTP_TLS.__name__, smtplib.SMTP_SSL.__name__, sslproto.ssl is ssl)
                """
            )
            == "HTTPSConnection HTTPSHandler\nFTP_TLS SMTP_SSL True\n"
        )

    def test_memory_bio(self) -> None:
        same_everywhere(
            """
            import ssl
            bio = ssl.MemoryBIO()
            print(bio.pending, bio.eof, bio.read())
            print(bio.write(b"hello"), bio.write(bytearray(b" world")), bio.pending)
            print(bio.read(3), bio.pending, bio.read(0), bio.read(100), bio.pending)
            print(bio.write(memoryview(b"abcdef")), bio.read(2), bio.write(b"gh"), bio.read(-1))
            for size in (1, 1000, 70000, 200000):
                bio.write(bytes(size))
                print(len(bio.read(size // 2)), len(bio.read(7)), bio.pending)
            print(len(bio.read()))
            bio.write(b"rest")
            bio.write_eof()
            print(bio.eof, bio.pending, bio.read(), bio.eof)
            try:
                bio.write(b"more")
            except ssl.SSLError as error:
                print(type(error), str(error))
            for wrong in (5, "text", None):
                try:
                    ssl.MemoryBIO().write(wrong)
                except TypeError as error:
                    print("TypeError")
            """
        )

    def test_contexts(self) -> None:
        same_everywhere(
            """
            import ssl
            for context in (
                ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                ssl._create_unverified_context(),
            ):
                print(context.check_hostname, context.verify_mode, context.protocol)
                print(context.minimum_version >= ssl.TLSVersion.MINIMUM_SUPPORTED)
                try:
                    context.verify_mode = ssl.CERT_NONE
                    print(context.verify_mode)
                except ValueError as error:
                    print(error)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                print(context.check_hostname, context.verify_mode)
                context.check_hostname = True
                print(context.check_hostname, context.verify_mode)
                context.options |= ssl.OP_NO_TICKET
                print(ssl.OP_NO_TICKET in context.options, ssl.OP_NO_SSLv3 in context.options)
                context.minimum_version = ssl.TLSVersion.TLSv1_3
                context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
                print(context.minimum_version, context.maximum_version)
                context.verify_flags |= ssl.VERIFY_X509_STRICT
                print(ssl.VERIFY_X509_STRICT in context.verify_flags)
                context.hostname_checks_common_name = False
                print(context.hostname_checks_common_name)
                context.set_alpn_protocols(["h2", "http/1.1"])
                context.set_ciphers("ECDHE+AESGCM")
                context.set_ecdh_curve("prime256v1")
                context.post_handshake_auth = True
                print(context.post_handshake_auth, context.session_stats())
                for name, value in [
                    ("verify_mode", 17), ("minimum_version", 5),
                    ("sni_callback", 3),
                ]:
                    try:
                        setattr(context, name, value)
                        print("set", name)
                    except (ValueError, TypeError, OverflowError) as error:
                        print(name, type(error).__name__)
                for call in (
                    lambda: context.set_alpn_protocols(["x" * 256]),
                    lambda: context.set_ciphers(5),
                    lambda: context.set_ciphers(""),
                    lambda: context.load_verify_locations(),
                    lambda: context.load_verify_locations("/nonexistent"),
                    lambda: context.load_verify_locations(cadata="no certificate"),
                    lambda: context.load_verify_locations(cadata=b"no certificate"),
                    lambda: context.load_verify_locations(cadata="\\u00e4"),
                    lambda: context.load_verify_locations(cadata=3.5),
                    lambda: context.load_cert_chain("/nonexistent"),
                    lambda: context.wrap_bio(1, 2, server_hostname="a"),
                    lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=""),
                ):
                    try:
                        call()
                        print("fine")
                    except Exception as error:
                        print([kind.__name__ for kind in type(error).__mro__ if kind.__module__
                               in ("ssl", "builtins")])
            """
        )

    def test_small_functions(self) -> None:
        same_everywhere(
            """
            import ssl
            print(ssl.Purpose.SERVER_AUTH, ssl.Purpose.CLIENT_AUTH)
            print(ssl._ASN1Object.fromname("CN"), ssl._ASN1Object.fromnid(129))
            for call in (lambda: ssl._ASN1Object.fromname("nothing"),
                         lambda: ssl._ASN1Object.fromnid(100000), lambda: ssl.RAND_bytes(-1)):
                try:
                    call()
                except ValueError as error:
                    print(error)
            print(len(ssl.RAND_bytes(33)), ssl.RAND_bytes(16) != ssl.RAND_bytes(16))
            print(ssl.RAND_status(), ssl.RAND_add(b"x", 1.0))
            print(ssl.cert_time_to_seconds("Jan  5 09:34:43 2018 GMT"))
            print(ssl.get_protocol_name(ssl.PROTOCOL_TLS_CLIENT))
            print(ssl.HAS_SNI, ssl.HAS_ALPN, ssl.HAS_ECDH, ssl.HAS_SSLv2, ssl.HAS_TLSv1_3)
            """
        )

    def test_errors(self) -> None:
        same_everywhere(
            """
            import ssl
            for kind in (ssl.SSLError, ssl.SSLZeroReturnError, ssl.SSLWantReadError,
                         ssl.SSLWantWriteError, ssl.SSLSyscallError, ssl.SSLEOFError,
                         ssl.SSLCertVerificationError, ssl.CertificateError):
                error = kind(1, "what happened")
                print(kind, kind.__mro__, str(error), repr(error), error.errno, error.strerror)
                print(str(kind("one")), str(kind(1, 2)), str(kind()))
            """
        )


@pytest.fixture(scope="module")
def pem() -> str:
    leaf = Authority().certificate("example.com", "*.example.com", "10.1.2.3", "::1")
    return leaf.cert_chain_pems[0].bytes().decode()


class TestCertificates:
    def test_a_certificate_is_decoded_as_by_cpython(self, pem: str) -> None:
        shown = run(
            """
            import ssl, sys
            with open("/data/chain.pem", "w") as file:
                file.write(sys.argv[1])
            context = ssl.create_default_context(cafile="/data/chain.pem")
            print(context.get_ca_certs()[0])
            print(context.cert_store_stats(), len(context.get_ca_certs(binary_form=True)[0]))
            print(ssl._ssl._test_decode_cert("/data/chain.pem"))
            """,
            pem,
        ).splitlines()
        native = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys, _ssl, tempfile\n"
                "with tempfile.NamedTemporaryFile() as file:\n"
                "    file.write(sys.stdin.buffer.read())\n"
                "    file.flush()\n"
                "    print(_ssl._test_decode_cert(file.name))",
            ],
            input=pem,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert shown[0] == native
        assert shown[2] == native
        size = len(ssl.PEM_cert_to_DER_cert(pem))
        assert shown[1] == f"{{'x509': 1, 'crl': 0, 'x509_ca': 1}} {size}"

    def test_malformed_roots_are_refused(self, pem: str) -> None:
        broken = pem.replace("MII", "!!!", 1)
        cut = pem[:200] + pem[-60:]
        for text in (broken, cut, "", "no certificate", pem[:100]):
            shown = run(
                """
                import ssl, sys
                with open("/data/roots.pem", "w") as file:
                    file.write(sys.argv[1])
                try:
                    ssl.create_default_context(cafile="/data/roots.pem")
                    print("taken")
                except ssl.SSLError as error:
                    print(type(error).__name__)
                """,
                text,
            )
            assert shown == "SSLError\n", text

    def test_der_roots(self, pem: str) -> None:
        der = ssl.PEM_cert_to_DER_cert(pem)
        shown = run(
            """
            import ssl, sys
            data = bytes.fromhex(sys.argv[1])
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=data + data)
            print(context.get_ca_certs(binary_form=True) == [data])
            print(ssl.PEM_cert_to_DER_cert(ssl.DER_cert_to_PEM_cert(data)) == data)
            """,
            der.hex(),
        )
        assert shown == "True\nTrue\n"

    def test_a_certificate_of_nonsense(self) -> None:
        shown = run(
            """
            import _ssl, random
            made = random.Random(5)
            for size in list(range(60)) * 20:
                data = b"\\x30" + bytes([size]) + made.randbytes(size)
                try:
                    print(_ssl.Certificate._from_der(data).get_info())
                except _ssl.SSLError as error:
                    pass
            print("done")
            """
        )
        assert shown == "done\n"


class TestHostCalls:
    """What a program can do that leaves _ssl.py out."""

    def test_nonsense(self) -> None:
        done = eryx.Sandbox(network=eryx.NetConfig().allow_localhost()).execute(
            dedent(
                """
                import _eryx, random  # the way to the host's services
                made = random.Random(7)
                kinds = set()
                for turn in range(20000):
                    operation = made.choice([*range(0, 25), 99, 2**31 - 1, -1])
                    session = made.choice([0, 1, 2, 2**31, 2**32 - 1])
                    data = made.randbytes(made.choice([0, 1, 4, 8, 12, 23, 31, 100]))
                    if made.random() < 0.7:
                        field = made.choice(range(0, 10))
                        data = field.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data
                    room = made.choice([0, 1, 100, 65536])
                    service = made.choice([1, 1, 1, 0, 2, 3, 4, 5, 2**32 - 1])
                    result = _eryx.ask(service, operation, session, data, room)
                    kinds.add(type(result))
                    if service == 1 and type(result) is int and result > 0:
                        _eryx.ask(1, 3, result, b"", 0)
                        _eryx.ask(1, 8, result, data, 0)
                        _eryx.ask(1, 10, result, b"", room)
                        _eryx.ask(1, 2, result, b"", 0)
                    into = bytearray(made.choice([0, 7, 5000]))
                    _eryx.ask_into(made.choice(range(6)), operation, session, into)
                result = sorted(kind.__name__ for kind in kinds)
                """
            )
        )
        assert done.result == ["bytes", "int"]

    def test_sessions_are_bounded(self) -> None:
        network = eryx.NetConfig(max_connections=7)
        done = eryx.Sandbox(network=network).execute(
            dedent(
                """
                import ssl
                context = ssl.create_default_context()
                kept = []
                try:
                    for turn in range(100):
                        bios = ssl.MemoryBIO(), ssl.MemoryBIO()
                        kept.append(context.wrap_bio(*bios, server_hostname="example.com"))
                        try:
                            kept[-1].do_handshake()
                        except ssl.SSLWantReadError:
                            pass
                except ssl.SSLError as error:
                    print(turn, error)
                kept.clear()
                kept.append(context.wrap_bio(*bios, server_hostname="example.com"))
                try:
                    kept[-1].do_handshake()
                except ssl.SSLWantReadError:
                    print("room again")
                """
            )
        )
        assert done.stdout == "7 too many TLS sessions: the limit of connections is 7\nroom again"

    def test_failed_handshakes_do_not_count(self) -> None:
        done = eryx.Sandbox(network=eryx.NetConfig(max_connections=3)).execute(
            dedent(
                """
                import ssl
                context = ssl.create_default_context()
                kept = []
                reasons = set()
                for turn in range(200):
                    bios = ssl.MemoryBIO(), ssl.MemoryBIO()
                    kept.append(context.wrap_bio(*bios, server_hostname="example.com"))
                    bios[0].write(b"HTTP/1.1 400 Bad Request\\r\\n")
                    for again in range(2):
                        try:
                            kept[-1].do_handshake()
                        except ssl.SSLError as error:
                            reasons.add(error.reason)
                result = sorted(reasons)
                """
            )
        )
        assert done.result == ["WRONG_VERSION_NUMBER"]

    def test_no_sandbox_without_a_network_has_tls(self) -> None:
        shown = run(
            """
            import ssl
            made = ssl.create_default_context().wrap_bio(
                ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.com")
            try:
                made.do_handshake()
            except PermissionError as error:
                print(error)
            """
        )
        assert "the network is off in this sandbox" in shown
