"""Keys and certificates that a guest makes to keep the host busy."""

from __future__ import annotations

import base64
import textwrap
import time

import pytest

import eryx
from conftest import LATENESS_MS

DSA = bytes.fromhex("2a8648ce380401")
DH = bytes.fromhex("2a864886f70d010301")
RSA = bytes.fromhex("2a864886f70d010101")
P256 = bytes.fromhex("2a8648ce3d0201")
EC = bytes.fromhex("2a8648ce3d030107")

WITH_NETWORK = eryx.NetConfig(allowed_hosts=["api.example"])


def element(tag: int, contents: bytes) -> bytes:
    """A value in DER."""
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + contents


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


def integer(number: int) -> bytes:
    return element(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def ones(bits: int) -> bytes:
    return integer((1 << bits) - 1)


def pem(name: str, der: bytes) -> bytes:
    text = base64.encodebytes(der)
    return f"-----BEGIN {name}-----\n".encode() + text + f"-----END {name}-----\n".encode()


def dsa_key(bits: int) -> bytes:
    """PKCS#8 for which OpenSSL computes 3 ** x modulo p, of so many bits each."""
    parameters = sequence(ones(bits), integer((1 << 255) + 95), integer(3))
    key = element(4, ones(bits))
    return pem("PRIVATE KEY", sequence(integer(0), sequence(element(6, DSA), parameters), key))


def dh_key(bits: int) -> bytes:
    parameters = sequence(ones(bits), integer(3))
    key = element(4, ones(bits - 1))
    return pem("PRIVATE KEY", sequence(integer(0), sequence(element(6, DH), parameters), key))


def encrypted_key() -> bytes:
    """PKCS#8 whose password takes 2 ** 31 rounds to check."""
    derivation = element(6, bytes.fromhex("2a864886f70d01050c"))
    function = sequence(derivation, sequence(element(4, b"12345678"), integer(2**31 - 1)))
    cipher = sequence(element(6, bytes.fromhex("60864801650304012a")), element(4, b"0" * 16))
    scheme = element(6, bytes.fromhex("2a864886f70d01050d"))
    algorithm = sequence(scheme, sequence(function, cipher))
    return pem("ENCRYPTED PRIVATE KEY", sequence(algorithm, element(4, b"0" * 64)))


def certificate(algorithm: bytes, key: bytes) -> bytes:
    """One in DER, signed by nobody."""
    signed_with = sequence(element(6, bytes.fromhex("2a8648ce3d040302")))
    name = sequence(element(0x31, sequence(element(6, bytes.fromhex("550403")), element(12, b"x"))))
    validity = sequence(element(23, b"250101000000Z"), element(23, b"350101000000Z"))
    info = sequence(algorithm, element(3, b"\0" + key))
    body = sequence(element(0xA0, integer(2)), integer(1), signed_with, name, validity, name, info)
    return sequence(body, signed_with, element(3, b"\0" + b"0" * 64))


# The point is the base point of P-256.
GOOD_CERTIFICATE = certificate(
    sequence(element(6, P256), element(6, EC)),
    bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
)

LOAD = """
    import ssl
    open('/tmp/c', 'wb').write({certificate!r})
    open('/tmp/k', 'wb').write({key!r})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain('/tmp/c', '/tmp/k')
    except OSError as error:
        print(type(error).__name__, error)
"""


def load(certificate_pem: bytes, key: bytes, network: eryx.NetConfig | None) -> tuple[str, float]:
    """What load_cert_chain() says, and how many milliseconds it took."""
    sandbox = eryx.Sandbox(network=network)
    code = textwrap.dedent(LOAD.format(certificate=certificate_pem, key=key))
    sandbox.execute("import ssl")
    began = time.perf_counter()
    text = sandbox.execute(code).stdout
    return text, (time.perf_counter() - began) * 1000


class TestPrivateKeys:
    @pytest.mark.parametrize(
        "key",
        [dsa_key(46_000), dh_key(40_000), dsa_key(2048)],
        ids=["large DSA", "large DH", "DSA"],
    )
    def test_kinds_that_take_the_host_a_minute(self, key: bytes) -> None:
        """`cases/security/hang_tls_identity.py`, `dh_key.py`: 42 s for one call."""
        text, milliseconds = load(pem("CERTIFICATE", GOOD_CERTIFICATE), key, WITH_NETWORK)
        assert "of this kind or size can't be used" in text
        assert milliseconds < LATENESS_MS

    def test_without_a_network_nothing_is_decoded(self) -> None:
        text, milliseconds = load(b"-----BEGIN", dsa_key(46_000), None)
        assert text.startswith("PermissionError")
        assert milliseconds < LATENESS_MS

    def test_encrypted_with_a_password_that_takes_hours(self) -> None:
        key = encrypted_key()
        text, milliseconds = load(pem("CERTIFICATE", GOOD_CERTIFICATE), key, WITH_NETWORK)
        assert "encrypted" in text
        assert milliseconds < LATENESS_MS

    def test_again_and_again(self) -> None:
        """`cases/security/hang_tls_repeat.py`: past the deadline by as many calls as it liked."""
        code = f"""
import _eryx, struct
chain, key = {pem("CERTIFICATE", GOOD_CERTIFICATE)!r}, {dsa_key(16_384)!r}
data = struct.pack('<II', 7, len(chain)) + chain + struct.pack('<II', 8, len(key)) + key
while True:
    try:
        while True: _eryx.ask(1, 20, 0, data, 0)
    except BaseException:
        pass
"""
        limits = eryx.ResourceLimits(execution_timeout_ms=300)
        sandbox = eryx.Sandbox(network=WITH_NETWORK, resource_limits=limits)
        began = time.perf_counter()
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute(code)
        assert (time.perf_counter() - began) * 1000 < 300 + LATENESS_MS


class TestCertificates:
    DESCRIBE = """
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata={certificate!r})
        try:
            print(context.get_ca_certs()[0]["subject"])
        except OSError as error:
            print(type(error).__name__)
    """

    def describe(self, der: bytes) -> str:
        code = textwrap.dedent(self.DESCRIBE.format(certificate=der))
        return eryx.Sandbox().execute(code).stdout

    def test_those_that_the_guest_loads(self) -> None:
        assert self.describe(GOOD_CERTIFICATE) == "((('commonName', 'x'),),)"
        dsa = sequence(element(6, DSA), sequence(ones(40_000), ones(256), integer(3)))
        assert "Error" in self.describe(certificate(dsa, ones(8000)))
        large = certificate(
            sequence(element(6, RSA), element(5, b"")), sequence(ones(16_384), integer(3))
        )
        assert "Error" in self.describe(large)
        made_up = sequence(element(6, P256), sequence(integer(1), ones(521)))
        assert "Error" in self.describe(certificate(made_up, b"\4" + b"1" * 132))
