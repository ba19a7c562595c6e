"""CPython's module _ssl for a guest whose TLS is done by the host.

The standard library's ssl.py is built on it and works as ever, except that the host decides about
trust: certificates and names are always verified, against the roots of the host. What a program
sets to weaken that (CERT_NONE, check_hostname, ciphers, old versions) is remembered and shown, and
changes nothing. Keys of a session never come here.
"""

import binascii
import errno
import os
import re
import select
import socket
import time
import weakref

from _eryx import tls as _tls
from _eryx import tls_into as _tls_into

# enum tls_operation, tls_field, tls_status and tls_refusal of src/guest_tls.h and
# src/tls_session.h.
_OPEN, _CLOSE, _HANDSHAKE, _READ, _WRITE, _SHUTDOWN, _PENDING, _FEED, _FEED_END = range(1, 10)
_DRAIN, _DESCRIBE, _PEER, _CHAIN, _BINDING, _ERROR, _TIME_LEFT, _CERTIFICATE = range(10, 18)
_LIBRARY, _CIPHERS, _IDENTITY = range(18, 21)
_FIELD_NAME, _FIELD_LOCAL, _FIELD_REMOTE, _FIELD_ALPN, _FIELD_VERSIONS = range(1, 6)
_FIELD_STRICT, _FIELD_CERTIFICATE, _FIELD_KEY = range(6, 9)
_FAILED, _WANT_READ, _WANT_WRITE, _CLOSED, _EOF, _BROKEN, _REFUSED = range(-1, -8, -1)
_TIMED_OUT, _NO_SESSION, _TOO_LARGE, _BAD_CALL, _NOT_READY = range(-8, -13, -1)

_RECORD_SIZE = 16384
_SMALL = 65536  # most results are smaller
_LARGE = 1 << 20  # the most that one call gives

_library = _tls(_LIBRARY, 0, b"", 256)
OPENSSL_VERSION_NUMBER = int.from_bytes(_library[:4], "little")
OPENSSL_VERSION_INFO = (
    OPENSSL_VERSION_NUMBER >> 28,
    OPENSSL_VERSION_NUMBER >> 20 & 0xFF,
    OPENSSL_VERSION_NUMBER >> 12 & 0xFF,
    OPENSSL_VERSION_NUMBER >> 4 & 0xFF,
    OPENSSL_VERSION_NUMBER & 0xF,
)
OPENSSL_VERSION = _library[4:].decode("ascii")
_OPENSSL_API_VERSION = OPENSSL_VERSION_INFO
_DEFAULT_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!aPSK:!aDSS:@SECLEVEL=2"
del _library

HAS_SNI = HAS_ECDH = HAS_ALPN = HAS_TLS_UNIQUE = HAS_TLSv1_2 = HAS_TLSv1_3 = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_TLSv1 = HAS_TLSv1_1 = HAS_PSK = HAS_PHA = False

ALERT_DESCRIPTION_CLOSE_NOTIFY = 0
ALERT_DESCRIPTION_UNEXPECTED_MESSAGE = 10
ALERT_DESCRIPTION_BAD_RECORD_MAC = 20
ALERT_DESCRIPTION_RECORD_OVERFLOW = 22
ALERT_DESCRIPTION_DECOMPRESSION_FAILURE = 30
ALERT_DESCRIPTION_HANDSHAKE_FAILURE = 40
ALERT_DESCRIPTION_BAD_CERTIFICATE = 42
ALERT_DESCRIPTION_UNSUPPORTED_CERTIFICATE = 43
ALERT_DESCRIPTION_CERTIFICATE_REVOKED = 44
ALERT_DESCRIPTION_CERTIFICATE_EXPIRED = 45
ALERT_DESCRIPTION_CERTIFICATE_UNKNOWN = 46
ALERT_DESCRIPTION_ILLEGAL_PARAMETER = 47
ALERT_DESCRIPTION_UNKNOWN_CA = 48
ALERT_DESCRIPTION_ACCESS_DENIED = 49
ALERT_DESCRIPTION_DECODE_ERROR = 50
ALERT_DESCRIPTION_DECRYPT_ERROR = 51
ALERT_DESCRIPTION_PROTOCOL_VERSION = 70
ALERT_DESCRIPTION_INSUFFICIENT_SECURITY = 71
ALERT_DESCRIPTION_INTERNAL_ERROR = 80
ALERT_DESCRIPTION_USER_CANCELLED = 90
ALERT_DESCRIPTION_NO_RENEGOTIATION = 100
ALERT_DESCRIPTION_UNSUPPORTED_EXTENSION = 110
ALERT_DESCRIPTION_CERTIFICATE_UNOBTAINABLE = 111
ALERT_DESCRIPTION_UNRECOGNIZED_NAME = 112
ALERT_DESCRIPTION_BAD_CERTIFICATE_STATUS_RESPONSE = 113
ALERT_DESCRIPTION_BAD_CERTIFICATE_HASH_VALUE = 114
ALERT_DESCRIPTION_UNKNOWN_PSK_IDENTITY = 115

CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = range(3)
ENCODING_PEM, ENCODING_DER = 1, 2

HOSTFLAG_ALWAYS_CHECK_SUBJECT = 0x01
HOSTFLAG_NO_WILDCARDS = 0x02
HOSTFLAG_NO_PARTIAL_WILDCARDS = 0x04
HOSTFLAG_MULTI_LABEL_WILDCARDS = 0x08
HOSTFLAG_SINGLE_LABEL_SUBDOMAINS = 0x10
HOSTFLAG_NEVER_CHECK_SUBJECT = 0x20

OP_ALL = 0x80000050
OP_CIPHER_SERVER_PREFERENCE = 0x00400000
OP_ENABLE_KTLS = 0x00000008
OP_ENABLE_MIDDLEBOX_COMPAT = 0x00100000
OP_IGNORE_UNEXPECTED_EOF = 0x00000080
OP_LEGACY_SERVER_CONNECT = 0x00000004
OP_NO_COMPRESSION = 0x00020000
OP_NO_RENEGOTIATION = 0x40000000
OP_NO_SSLv2 = 0
OP_NO_SSLv3 = 0x02000000
OP_NO_TICKET = 0x00004000
OP_NO_TLSv1 = 0x04000000
OP_NO_TLSv1_1 = 0x10000000
OP_NO_TLSv1_2 = 0x08000000
OP_NO_TLSv1_3 = 0x20000000
OP_SINGLE_DH_USE = 0
OP_SINGLE_ECDH_USE = 0

PROTOCOL_SSLv23 = PROTOCOL_TLS = 2
PROTOCOL_TLSv1 = 3
PROTOCOL_TLSv1_1 = 4
PROTOCOL_TLSv1_2 = 5
PROTOCOL_TLS_CLIENT = 16
PROTOCOL_TLS_SERVER = 17

PROTO_MINIMUM_SUPPORTED = -2
PROTO_MAXIMUM_SUPPORTED = -1
PROTO_SSLv3 = 0x300
PROTO_TLSv1 = 0x301
PROTO_TLSv1_1 = 0x302
PROTO_TLSv1_2 = 0x303
PROTO_TLSv1_3 = 0x304

SSL_ERROR_SSL = 1
SSL_ERROR_WANT_READ = 2
SSL_ERROR_WANT_WRITE = 3
SSL_ERROR_WANT_X509_LOOKUP = 4
SSL_ERROR_SYSCALL = 5
SSL_ERROR_ZERO_RETURN = 6
SSL_ERROR_WANT_CONNECT = 7
SSL_ERROR_EOF = 8
SSL_ERROR_INVALID_ERROR_CODE = 10

VERIFY_DEFAULT = 0
VERIFY_CRL_CHECK_LEAF = 0x4
VERIFY_CRL_CHECK_CHAIN = 0xC
VERIFY_X509_STRICT = 0x20
VERIFY_ALLOW_PROXY_CERTS = 0x40
VERIFY_X509_TRUSTED_FIRST = 0x8000
VERIFY_X509_PARTIAL_CHAIN = 0x80000


# ---- Errors --------------------------------------------------------------------------------------


class SSLError(OSError):
    """An error occurred in the SSL implementation."""

    __module__ = "ssl"
    library = None
    reason = None

    def __str__(self):
        return self.strerror if isinstance(self.strerror, str) else str(self.args)


class SSLZeroReturnError(SSLError):
    """SSL/TLS session closed cleanly."""

    __module__ = "ssl"


class SSLWantReadError(SSLError):
    """Non-blocking SSL socket needs to read more data before the operation can be completed."""

    __module__ = "ssl"


class SSLWantWriteError(SSLError):
    """Non-blocking SSL socket needs to write more data before the operation can be completed."""

    __module__ = "ssl"


class SSLSyscallError(SSLError):
    """System error when attempting SSL operation."""

    __module__ = "ssl"


class SSLEOFError(SSLError):
    """SSL/TLS connection terminated abruptly."""

    __module__ = "ssl"


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified."""

    __module__ = "ssl"
    verify_code = 0
    verify_message = ""


def _want(status):
    if status == _WANT_READ:
        return SSLWantReadError(SSL_ERROR_WANT_READ, "The operation did not complete (read)")
    return SSLWantWriteError(SSL_ERROR_WANT_WRITE, "The operation did not complete (write)")


def _ssl_error(kind, number, details):
    """An error with what the host says about it."""
    text = details["message"] or "unknown error"
    if details["library"] and details["reason"]:
        text = f"[{details['library']}: {details['reason']}] {text}"
    error = kind(number, text)
    error.library = details["library"]
    error.reason = details["reason"]
    return error


def _error_of(session, status):
    """The exception for a status that is a failure."""
    from json import loads

    if status == _CLOSED:
        text = "TLS/SSL connection has been closed (EOF)"
        return SSLZeroReturnError(SSL_ERROR_ZERO_RETURN, text)
    if status == _NO_SESSION:
        text = "the TLS connection ended with the run that opened it"
        return ConnectionAbortedError(errno.ECONNABORTED, text)
    if status == _TIMED_OUT:
        return TimeoutError(errno.ETIMEDOUT, "The handshake operation timed out (limit of eryx)")
    if status in (_BAD_CALL, _TOO_LARGE):
        return SSLError(SSL_ERROR_SSL, "the host does not take what was asked of it")
    details = loads(_tls(_ERROR, session, b"", _SMALL))
    if status == _REFUSED:
        return PermissionError(errno.EACCES, details["refusal"] or details["message"])
    if status == _BROKEN:
        number = getattr(errno, details["errno"] or "EIO")
        return OSError(number, os.strerror(number))
    if status == _EOF:
        return _ssl_error(SSLEOFError, SSL_ERROR_EOF, details)
    if details["reason"] == "CERTIFICATE_VERIFY_FAILED":
        error = _ssl_error(SSLCertVerificationError, SSL_ERROR_SSL, details)
        error.verify_code = details["verify_code"]
        error.verify_message = details["verify_message"]
        return error
    return _ssl_error(SSLError, SSL_ERROR_SSL, details)


def _ask(operation, session, data=b""):
    """Bytes that the host tells, however many they are."""
    result = _tls(operation, session, data, _SMALL)
    if result == _TOO_LARGE:
        result = _tls(operation, session, data, _LARGE)
    if isinstance(result, int):
        raise _error_of(session, result)
    return result


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _certificate_info(text):
    """The dictionary of getpeercert()."""
    from json import loads

    return {name: _tuples(value) for name, value in loads(text).items()}


# ---- Small things --------------------------------------------------------------------------------

_OBJECTS = (
    (13, "CN", "commonName", "2.5.4.3"),
    (14, "C", "countryName", "2.5.4.6"),
    (15, "L", "localityName", "2.5.4.7"),
    (16, "ST", "stateOrProvinceName", "2.5.4.8"),
    (17, "O", "organizationName", "2.5.4.10"),
    (18, "OU", "organizationalUnitName", "2.5.4.11"),
    (85, "subjectAltName", "X509v3 Subject Alternative Name", "2.5.29.17"),
    (126, "extendedKeyUsage", "X509v3 Extended Key Usage", "2.5.29.37"),
    (129, "serverAuth", "TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"),
    (130, "clientAuth", "TLS Web Client Authentication", "1.3.6.1.5.5.7.3.2"),
    (131, "codeSigning", "Code Signing", "1.3.6.1.5.5.7.3.3"),
    (132, "emailProtection", "E-mail Protection", "1.3.6.1.5.5.7.3.4"),
    (133, "timeStamping", "Time Stamping", "1.3.6.1.5.5.7.3.8"),
    (180, "OCSPSigning", "OCSP Signing", "1.3.6.1.5.5.7.3.9"),
)


def txt2obj(txt, name=False):
    """Look up one of the objects that programs ask for: (nid, shortname, longname, oid)."""
    for found in _OBJECTS:
        if txt == found[3] or (name and txt in found[1:3]):
            return found
    raise ValueError(f"unknown object '{txt:.100}'")


def nid2obj(nid, /):
    """Look up an object by its number in OpenSSL."""
    for found in _OBJECTS:
        if nid == found[0]:
            return found
    raise ValueError(f"unknown NID {nid}")


def RAND_bytes(n, /):
    """Generate n cryptographically strong pseudo-random bytes."""
    if n < 0:
        raise ValueError("num must be positive")
    return os.urandom(n)


def RAND_add(string, entropy, /):
    """Do nothing: the random numbers are the host's."""


def RAND_status():
    """Tell that there is enough entropy."""
    return True


def get_default_verify_paths():
    """Return what OpenSSL was built with; the host's roots are not files of the guest."""
    return ("SSL_CERT_FILE", "/usr/lib/ssl/cert.pem", "SSL_CERT_DIR", "/usr/lib/ssl/certs")


_PEM_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----\s*([A-Za-z0-9+/=\s]*)"
    rb"-----END (?:TRUSTED |X509 )?CERTIFICATE-----"
)


_PEM_KEY = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL
)


def _der_size(data, start):
    """Where the ASN.1 sequence at start ends; 0 if there is none."""
    if data[start : start + 1] != b"\x30" or len(data) < start + 2:
        return 0
    first = data[start + 1]
    if first < 0x80:
        end = start + 2 + first
    else:
        count = first & 0x7F
        if not 1 <= count <= 4:
            return 0
        end = start + 2 + count + int.from_bytes(data[start + 2 : start + 2 + count])
    return end if end <= len(data) else 0


def _pem_certificates(text):
    """The certificates in PEM text, as DER; SSLError if one is malformed."""
    found = []
    for body in _PEM_CERTIFICATE.findall(text):
        try:
            der = binascii.a2b_base64(body)
        except binascii.Error:
            der = b""
        if not _der_size(der, 0):
            error = SSLError(SSL_ERROR_SSL, "[PEM: BAD_BASE64_DECODE] bad base64 decode")
            error.library, error.reason = "PEM", "BAD_BASE64_DECODE"
            raise error
        found.append(der)
    return found


def _der_certificates(data):
    found = []
    start = 0
    while end := _der_size(data, start):
        found.append(data[start:end])
        start = end
    return found


def _test_decode_cert(path, /):
    with open(path, "rb") as file:
        return Certificate._from_der(_pem_certificates(file.read())[0]).get_info()


class Certificate:
    """An X.509 certificate."""

    __module__ = "_ssl"
    __slots__ = ("_der",)

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.Certificate' instances")

    @classmethod
    def _from_der(cls, der):
        self = object.__new__(cls)
        self._der = bytes(der)
        return self

    def public_bytes(self, format=ENCODING_PEM, /):
        """Return the certificate as PEM text or DER bytes."""
        if format == ENCODING_DER:
            return self._der
        if format != ENCODING_PEM:
            raise ValueError("Unsupported format")
        text = binascii.b2a_base64(self._der, newline=False).decode("ascii")
        lines = [text[i : i + 64] for i in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])

    def get_info(self):
        """Return what getpeercert() tells about it."""
        return _certificate_info(_ask(_CERTIFICATE, 0, self._der))

    def __eq__(self, other):
        return self._der == other._der if isinstance(other, Certificate) else NotImplemented

    def __hash__(self):
        return hash(self._der)

    def __repr__(self):
        parts = (f"{key}={value}" for rdn in self.get_info()["subject"] for key, value in rdn)
        return f"<_ssl.Certificate '{', '.join(parts)}'>"


class SSLSession:
    """What a session of TLS would be resumed with; eryx resumes none."""

    __module__ = "_ssl"
    __slots__ = ("id", "time")

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.SSLSession' instances")

    @classmethod
    def _make(cls):
        self = object.__new__(cls)
        self.id = os.urandom(32)
        self.time = int(time.time())
        return self

    has_ticket = False
    ticket_lifetime_hint = 0
    timeout = 0


class MemoryBIO:
    """Bytes on their way between an SSL object and the program's own I/O."""

    __module__ = "_ssl"

    def __init__(self):
        self._data = bytearray()
        self._start = 0
        self._ended = False

    def read(self, size=-1, /):
        """Read up to size bytes; all with -1."""
        end = len(self._data) if size < 0 else min(self._start + size, len(self._data))
        if self._start == 0 and end == len(self._data):
            result = bytes(self._data)
            self._data.clear()
            return result
        result = bytes(memoryview(self._data)[self._start : end])
        self._drop(end - self._start)
        return result

    def _drop(self, size):
        self._start += size
        if self._start == len(self._data):
            self._data.clear()
            self._start = 0
        elif self._start > _SMALL and self._start * 2 > len(self._data):
            del self._data[: self._start]
            self._start = 0

    def write(self, b, /):
        """Append bytes; return how many."""
        if self._ended:
            raise SSLError("cannot write() after write_eof()")
        with memoryview(b) as view:
            self._data += view
            return view.nbytes

    def write_eof(self):
        """Say that nothing more will be written."""
        self._ended = True

    @property
    def pending(self):
        """The number of bytes that can be read."""
        return len(self._data) - self._start

    @property
    def eof(self):
        """Whether the end has been reached."""
        return self._ended and self.pending == 0


# ---- One connection ------------------------------------------------------------------------------


def _field(number, data):
    return number.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data


def _address(name):
    """An address of getsockname() or getpeername() as the host wants it."""
    is_v6 = len(name) == 4
    packed = socket.inet_pton(socket.AF_INET6 if is_v6 else socket.AF_INET, name[0].split("%")[0])
    scope = name[3] if is_v6 else 0
    return (
        bytes((is_v6,))
        + packed.ljust(16, b"\0")
        + name[1].to_bytes(2, "little")
        + scope.to_bytes(4, "little")
    )


class _SSLSocket:
    """The host's TLS session under an SSLSocket (which has a socket) or an SSLObject (BIOs)."""

    __module__ = "_ssl"

    def __init__(self, context, server_hostname, owner, sock=None, incoming=None, outgoing=None):
        self._id = 0
        self._context = context
        self._socket = None if sock is None else weakref.ref(sock)
        self._incoming = incoming
        self._outgoing = outgoing
        self._owner = None if owner is None else weakref.ref(owner)
        self._session = None
        self._ready = False
        self._about = None
        self.server_hostname = server_hostname
        self.server_side = False

    def __del__(self, _tls=_tls, _close=_CLOSE):
        if self._id:
            _tls(_close, self._id, b"", 0)

    # -- What the host does --

    def _live_socket(self):
        sock = self._socket()
        if sock is None or sock.fileno() < 0:
            raise SSLError(SSL_ERROR_SYSCALL, "Underlying socket connection gone")
        return sock

    def _wait(self, sock, status, deadline, what):
        """Wait until the host can go on with the connection."""
        left = None
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"The {what} operation timed out")
        if not self._ready and self._id:
            limit = _tls(_TIME_LEFT, self._id, b"", 0) / 1000
            left = limit if left is None else min(left, limit)
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN if status == _WANT_READ else select.POLLOUT)
        poll.poll(None if left is None else left * 1000)

    def _open(self):
        request = self._context._request()
        if self.server_hostname is not None:
            request += _field(_FIELD_NAME, self.server_hostname.encode("ascii"))
        if self._socket is not None:
            sock = self._live_socket()
            request += _field(_FIELD_LOCAL, _address(sock.getsockname()))
            request += _field(_FIELD_REMOTE, _address(sock.getpeername()))
        return _tls(_OPEN, 0, request, 0)

    def _open_once(self):
        """Open the session if that was not done yet; 0 or a status."""
        if not self._id:
            status = self._open()
            if status < 0:
                return _WANT_WRITE if status == _NOT_READY else status
            self._id = status
        return 0

    def _step(self, operation, data, room, into):
        """One call of the host."""
        status = self._open_once()
        if status < 0:
            return status
        if into is not None:
            return _tls_into(operation, self._id, into)
        return _tls(operation, self._id, data, room)

    def _push(self):
        """Give the host what has come in."""
        incoming = self._incoming
        while incoming.pending:
            with memoryview(incoming._data) as view:
                taken = _tls(_FEED, self._id, view[incoming._start :], 0)
            if taken <= 0:
                break
            incoming._drop(taken)
        if incoming.eof:
            _tls(_FEED_END, self._id, b"", 0)

    def _pull(self):
        """Take from the host what has to go out."""
        while self._id:
            data = _tls(_DRAIN, self._id, b"", _SMALL)
            if isinstance(data, int) or not data:
                break
            self._outgoing.write(data)

    def _do(self, operation, what, data=b"", room=0, into=None):
        """Do an operation to its end, or as far as it goes without waiting."""
        if self._socket is None:
            if self._open_once() == 0:
                self._push()
            result = self._step(operation, data, room, into)
            self._pull()
            while result.__class__ is int and result == _WANT_WRITE:
                result = self._step(operation, data, room, into)
                self._pull()
            if result.__class__ is int and result == _WANT_READ:
                raise _want(result)
        else:
            sock = self._live_socket()
            timeout = sock.gettimeout()
            deadline = None
            while True:
                result = self._step(operation, data, room, into)
                if result.__class__ is not int or result not in (_WANT_READ, _WANT_WRITE):
                    break
                if timeout == 0:
                    raise _want(result)
                if deadline is None and timeout is not None:
                    deadline = time.monotonic() + timeout
                self._wait(sock, result, deadline, what)
        if result.__class__ is int and result < 0 and result != _CLOSED:
            raise _error_of(self._id, result)
        return result

    # -- Methods of CPython's _SSLSocket --

    def do_handshake(self):
        result = self._do(_HANDSHAKE, "handshake")
        if result == _CLOSED:
            raise _error_of(self._id, result)
        self._ready = True

    def read(self, size=1024, buffer=None, /):
        if buffer is None:
            if size < 0:
                raise ValueError("size should not be negative")
            if size == 0:
                return b""
            data = self._do(_READ, "read", room=min(size, _RECORD_SIZE))
            return b"" if data.__class__ is int else data
        with memoryview(buffer) as view, view.cast("B") as whole:
            if size <= 0 or size > whole.nbytes:
                size = whole.nbytes
            if size == 0:
                return 0
            with whole[:size] as room:
                count = self._do(_READ, "read", into=room)
        return 0 if count == _CLOSED else count

    def write(self, b, /):
        if self._socket is not None:
            return self._write(b)
        # A BIO takes everything, and some callers do not look at the number.
        with memoryview(b) as view, view.cast("B") as whole:
            total = self._write(whole)
            while total < whole.nbytes:
                with whole[total:] as rest:
                    total += self._write(rest)
        return total

    def _write(self, data):
        count = self._do(_WRITE, "write", data=data)
        if count == _CLOSED:
            raise _error_of(self._id, count)
        return count

    def shutdown(self):
        result = self._do(_SHUTDOWN, "read")
        if result == _CLOSED:
            raise _error_of(self._id, result)
        return None if self._socket is None else self._socket()

    def pending(self):
        return max(_tls(_PENDING, self._id, b"", 0), 0) if self._id else 0

    def _describe(self, what):
        if not self._ready:
            return None
        if self._about is None:
            from json import loads

            self._about = loads(_ask(_DESCRIBE, self._id))
        return self._about[what]

    def version(self):
        return self._describe("version")

    def cipher(self):
        cipher = self._describe("cipher")
        return None if cipher is None else tuple(cipher)

    def selected_alpn_protocol(self):
        return self._describe("alpn")

    def compression(self):
        return None

    def shared_ciphers(self):
        return None

    def getpeercert(self, binary_mode=False, /):
        if not self._ready:
            raise ValueError("handshake not done yet")
        if binary_mode:
            return self._chain(False)[0]._der
        return _certificate_info(_ask(_PEER, self._id))

    def _chain(self, verified):
        if not self._ready:
            return None
        data = _ask(_CHAIN, self._id, bytes((verified,)))
        found = []
        start = 0
        while start < len(data):
            end = start + 4 + int.from_bytes(data[start : start + 4], "little")
            found.append(Certificate._from_der(data[start + 4 : end]))
            start = end
        return found

    def get_verified_chain(self):
        return self._chain(True)

    def get_unverified_chain(self):
        return self._chain(False)

    def get_channel_binding(self, cb_type="tls-unique"):
        if cb_type != "tls-unique":
            raise ValueError(f"'{cb_type}' channel binding type not implemented")
        return _ask(_BINDING, self._id) or None if self._ready else None

    def verify_client_post_handshake(self):
        raise NotImplementedError("Post-handshake auth is for servers")

    @property
    def context(self):
        return self._context

    @context.setter
    def context(self, context):
        if not isinstance(context, _SSLContext):
            raise TypeError("The value must be a SSLContext")
        self._context = context

    @property
    def owner(self):
        return None if self._owner is None else self._owner()

    @owner.setter
    def owner(self, owner):
        self._owner = weakref.ref(owner)

    @property
    def session(self):
        if self._ready and self._session is None:
            self._session = SSLSession._make()
        return self._session if self._ready else None

    @session.setter
    def session(self, session):
        if not isinstance(session, SSLSession):
            raise TypeError("Value is not a SSLSession.")
        if self._ready:
            raise ValueError("Cannot set session after handshake.")

    @property
    def session_reused(self):
        return False


# ---- Settings ------------------------------------------------------------------------------------

_VERSIONS = (PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3)
_FIXED_VERSION = {
    PROTOCOL_TLSv1: PROTO_TLSv1,
    PROTOCOL_TLSv1_1: PROTO_TLSv1_1,
    PROTOCOL_TLSv1_2: PROTO_TLSv1_2,
}
_PROTOCOLS = (PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, *_FIXED_VERSION)
_STATS = (
    *("number", "connect", "connect_good", "connect_renegotiate", "accept", "accept_good"),
    *("accept_renegotiate", "hits", "misses", "timeouts", "cache_full"),
)


class _SSLContext:
    """Settings; see the head of this file for what they change."""

    __module__ = "_ssl"

    def __new__(cls, protocol, /):
        if protocol not in _PROTOCOLS:
            raise ValueError("invalid or unsupported protocol version")
        self = super().__new__(cls)
        is_client = protocol == PROTOCOL_TLS_CLIENT
        self._protocol = protocol
        self._check_hostname = is_client
        self._verify_mode = CERT_REQUIRED if is_client else CERT_NONE
        self._verify_flags = VERIFY_X509_TRUSTED_FIRST
        self._options = (
            OP_ALL
            | OP_NO_SSLv3
            | OP_NO_COMPRESSION
            | OP_CIPHER_SERVER_PREFERENCE
            | OP_ENABLE_MIDDLEBOX_COMPAT
        )
        fixed = _FIXED_VERSION.get(protocol)
        self._minimum_version = fixed or PROTO_TLSv1_2
        self._maximum_version = fixed or PROTO_MAXIMUM_SUPPORTED
        self._flags_of_host = HOSTFLAG_NO_PARTIAL_WILDCARDS
        self._alpn = b""
        self._roots = {}
        self._identity = None
        self._sni_callback = None
        self._num_tickets = 2
        self._post_handshake_auth = False
        return self

    def _request(self):
        """The rows of TLS_OPEN that come from here."""
        low, high = self._minimum_version, self._maximum_version
        low = 0 if low < PROTO_TLSv1_2 else low
        high = 0 if high == PROTO_MAXIMUM_SUPPORTED else max(high, PROTO_SSLv3)
        if self._options & OP_NO_TLSv1_3:
            high = PROTO_TLSv1_2 if high == 0 else min(high, PROTO_TLSv1_2)
        if self._options & OP_NO_TLSv1_2:
            low = PROTO_TLSv1_3
        rows = _field(_FIELD_VERSIONS, low.to_bytes(2, "little") + high.to_bytes(2, "little"))
        if self._alpn:
            rows += _field(_FIELD_ALPN, self._alpn)
        if self._verify_flags & VERIFY_X509_STRICT:
            rows += _field(_FIELD_STRICT, b"")
        if self._identity is not None:
            rows += self._identity
        return rows

    def _check_wrap(self, server_side, server_hostname):
        if server_side:
            raise SSLError(SSL_ERROR_SSL, "a sandbox can't be a TLS server")
        if self._protocol == PROTOCOL_TLS_SERVER:
            text = "Cannot create a client socket with a PROTOCOL_TLS_SERVER context"
            raise SSLError(SSL_ERROR_SSL, text)
        if server_hostname is None:
            return None
        if not isinstance(server_hostname, str):
            server_hostname = str(server_hostname, "ascii")
        if not server_hostname or server_hostname.startswith("."):
            raise ValueError(
                "server_hostname cannot be an empty string or start with a leading dot."
            )
        if "\0" in server_hostname:
            raise ValueError("embedded null character")
        return server_hostname

    def _wrap_socket(self, sock, server_side, server_hostname=None, *, owner=None, session=None):
        name = self._check_wrap(server_side, server_hostname)
        made = _SSLSocket(self, name, owner, sock=sock)
        if session is not None:
            made.session = session
        return made

    def _wrap_bio(
        self, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None
    ):
        if not isinstance(incoming, MemoryBIO) or not isinstance(outgoing, MemoryBIO):
            raise TypeError("incoming and outgoing must be MemoryBIO objects")
        name = self._check_wrap(server_side, server_hostname)
        made = _SSLSocket(self, name, owner, incoming=incoming, outgoing=outgoing)
        if session is not None:
            made.session = session
        return made

    # -- Trust: looked at, and no more --

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        """Check that certificates can be read; the host decides which are trusted."""
        if cafile is None and capath is None and not cadata:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        if cafile is not None:
            with open(cafile, "rb") as file:
                found = _pem_certificates(file.read())
            if not found:
                error = SSLError(
                    SSL_ERROR_SSL,
                    "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found",
                )
                error.library, error.reason = "X509", "NO_CERTIFICATE_OR_CRL_FOUND"
                raise error
            self._roots.update(dict.fromkeys(found))
        if capath is not None:
            os.fspath(capath)
        if not cadata:
            return
        if isinstance(cadata, str):
            try:
                found = _pem_certificates(cadata.encode("ascii"))
            except UnicodeEncodeError:
                raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
            problem = "no start line: cadata does not contain a certificate"
        else:
            try:
                found = _der_certificates(bytes(cadata))
            except TypeError:
                raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
            problem = "not enough data: cadata does not contain a certificate"
        if not found:
            raise SSLError(SSL_ERROR_SSL, problem)
        self._roots.update(dict.fromkeys(found))

    def set_default_verify_paths(self):
        """Do nothing: the host's roots are always trusted."""

    def get_ca_certs(self, binary_form=False):
        """Return the certificates that the program has loaded."""
        if binary_form:
            return list(self._roots)
        return [_certificate_info(_ask(_CERTIFICATE, 0, der)) for der in self._roots]

    def cert_store_stats(self):
        """Count them."""
        return {"x509": len(self._roots), "crl": 0, "x509_ca": len(self._roots)}

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        """Take the certificate that the program shows to servers, and its key."""
        with open(certfile, "rb") as file:
            certificate = file.read()
        key = certificate
        if keyfile is not None:
            with open(keyfile, "rb") as file:
                key = file.read()
        found = _PEM_KEY.search(key)
        if found is not None:
            key = found[0]
        identity = _field(_FIELD_CERTIFICATE, certificate) + _field(_FIELD_KEY, key)
        status = _tls(_IDENTITY, 0, identity, 0)
        if status < 0:
            raise _error_of(0, status)
        self._identity = identity

    # -- What the host decides --

    def set_ciphers(self, cipherlist, /):
        """Check the type only; the host has its own list."""
        if not isinstance(cipherlist, str):
            raise TypeError(f"argument must be str, not {type(cipherlist).__name__}")
        if not cipherlist.strip(":, "):
            raise SSLError("No cipher can be selected.")

    def get_ciphers(self):
        """Return the ciphers that the host may agree upon."""
        from json import loads

        return loads(_ask(_CIPHERS, 0))

    def set_ecdh_curve(self, name, /):
        """Check the name only; the host has its own list."""
        if name not in ("prime256v1", "secp256r1", "secp384r1", "secp521r1", "X25519"):
            raise ValueError(f"unknown elliptic curve name {name!r}")

    def load_dh_params(self, filepath, /):
        """Do nothing: a matter of servers."""

    def session_stats(self):
        """Return zeros: no session is resumed."""
        return dict.fromkeys(_STATS, 0)

    def _set_alpn_protocols(self, protos, /):
        self._alpn = bytes(protos)

    # -- Attributes --

    @property
    def protocol(self):
        return self._protocol

    @property
    def security_level(self):
        return 2

    @property
    def check_hostname(self):
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value):
        self._check_hostname = bool(value)
        if value and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED

    @property
    def verify_mode(self):
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value):
        if value not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if value == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = int(value)

    @property
    def verify_flags(self):
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value):
        self._verify_flags = int(value)

    @property
    def options(self):
        return self._options

    @options.setter
    def options(self, value):
        if value < 0:
            raise OverflowError("can't convert negative value to unsigned int")
        self._options = int(value)

    @property
    def minimum_version(self):
        return self._minimum_version

    @minimum_version.setter
    def minimum_version(self, value):
        self._minimum_version = self._check_version(value)

    @property
    def maximum_version(self):
        return self._maximum_version

    @maximum_version.setter
    def maximum_version(self, value):
        self._maximum_version = self._check_version(value)

    def _check_version(self, value):
        if self._protocol in _FIXED_VERSION:
            raise ValueError("The context's protocol doesn't support modification of its version")
        if value not in (*_VERSIONS, PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED):
            raise ValueError(f"Unsupported TLS/SSL version 0x{value & 0xFFFFFFFF:x}")
        return int(value)

    @property
    def _host_flags(self):
        return self._flags_of_host

    @_host_flags.setter
    def _host_flags(self, value):
        self._flags_of_host = int(value)

    @property
    def num_tickets(self):
        return self._num_tickets

    @num_tickets.setter
    def num_tickets(self, value):
        if value < 0:
            raise ValueError("value must be non-negative")
        if self._protocol != PROTOCOL_TLS_SERVER:
            raise ValueError("SSLContext is not a server context.")
        self._num_tickets = int(value)

    @property
    def post_handshake_auth(self):
        return self._post_handshake_auth

    @post_handshake_auth.setter
    def post_handshake_auth(self, value):
        self._post_handshake_auth = bool(value)

    @property
    def sni_callback(self):
        return self._sni_callback

    @sni_callback.setter
    def sni_callback(self, callback):
        if self._protocol == PROTOCOL_TLS_CLIENT:
            raise ValueError("sni_callback cannot be set on TLS_CLIENT context")
        if callback is not None and not callable(callback):
            raise TypeError("not a callable object")
        self._sni_callback = callback

    @property
    def _msg_callback(self):
        return None

    @_msg_callback.setter
    def _msg_callback(self, callback):
        if callback is not None:
            raise NotImplementedError("the messages of TLS stay with the host")
