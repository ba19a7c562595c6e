"""CPython's module _ssl for a guest whose TLS is done by the host.

The standard library's ssl.py is built on it and works as ever, except that the host decides about
trust: certificates and names are always verified, against the roots of the host. What a program
sets to weaken that (CERT_NONE, check_hostname, ciphers, old versions) is remembered and shown, and
changes nothing. Keys of a session never come here.
"""

# ruff: noqa: F403, F405  (constants are part of the module, and many)

import os
import select
import socket
import time
import weakref

from _eryx_runtime import tls_host as _host
from _eryx_runtime.numbers import (
    ASK_TLS,
    TLS_BINDING,
    TLS_CERTIFICATE,
    TLS_CHAIN,
    TLS_CIPHERS,
    TLS_CLOSE,
    TLS_CLOSED,
    TLS_DESCRIBE,
    TLS_DRAIN,
    TLS_FEED,
    TLS_FEED_END,
    TLS_FIELD_ALPN,
    TLS_FIELD_CERTIFICATE,
    TLS_FIELD_KEY,
    TLS_FIELD_LOCAL,
    TLS_FIELD_NAME,
    TLS_FIELD_REMOTE,
    TLS_FIELD_STRICT,
    TLS_FIELD_VERSIONS,
    TLS_HANDSHAKE,
    TLS_IDENTITY,
    TLS_LIBRARY,
    TLS_NOT_READY,
    TLS_OPEN,
    TLS_PEER,
    TLS_PENDING,
    TLS_READ,
    TLS_SHUTDOWN,
    TLS_TIME_LEFT,
    TLS_WANT_READ,
    TLS_WANT_WRITE,
    TLS_WRITE,
)
from _eryx_runtime.tls_certificates import (  # noqa: F401
    PEM_KEY,
    Certificate,
    certificate_info,
    der_certificates,
    nid2obj,
    pem_certificates,
    txt2obj,
)
from _eryx_runtime.tls_constants import *
from _eryx_runtime.tls_host import (  # noqa: F401
    SSLCertVerificationError,
    SSLEOFError,
    SSLError,
    SSLSyscallError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLZeroReturnError,
)

from _eryx import ask as _ask
from _eryx import ask_into as _ask_into

_library = _ask(ASK_TLS, TLS_LIBRARY, 0, b"", 256)
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


# ---- Small things --------------------------------------------------------------------------------


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


def _test_decode_cert(path, /):
    with open(path, "rb") as file:
        return Certificate._from_der(pem_certificates(file.read())[0]).get_info()


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
        elif self._start > _host.SMALL and self._start * 2 > len(self._data):
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

    def __del__(self, _ask=_ask, _service=ASK_TLS, _close=TLS_CLOSE):
        if self._id:
            _ask(_service, _close, self._id, b"", 0)

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
            limit = _ask(ASK_TLS, TLS_TIME_LEFT, self._id, b"", 0) / 1000
            left = limit if left is None else min(left, limit)
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN if status == TLS_WANT_READ else select.POLLOUT)
        poll.poll(None if left is None else left * 1000)

    def _open(self):
        request = self._context._request()
        if self.server_hostname is not None:
            request += _field(TLS_FIELD_NAME, self.server_hostname.encode("ascii"))
        if self._socket is not None:
            sock = self._live_socket()
            request += _field(TLS_FIELD_LOCAL, _address(sock.getsockname()))
            request += _field(TLS_FIELD_REMOTE, _address(sock.getpeername()))
        return _ask(ASK_TLS, TLS_OPEN, 0, request, 0)

    def _open_once(self):
        """Open the session if that was not done yet; 0 or a status."""
        if not self._id:
            status = self._open()
            if status < 0:
                return TLS_WANT_WRITE if status == TLS_NOT_READY else status
            self._id = status
        return 0

    def _step(self, operation, data, room, into):
        """One call of the host."""
        status = self._open_once()
        if status < 0:
            return status
        if into is not None:
            return _ask_into(ASK_TLS, operation, self._id, into)
        return _ask(ASK_TLS, operation, self._id, data, room)

    def _push(self):
        """Give the host what has come in."""
        incoming = self._incoming
        while incoming.pending:
            with memoryview(incoming._data) as view:
                taken = _ask(ASK_TLS, TLS_FEED, self._id, view[incoming._start :], 0)
            if taken <= 0:
                break
            incoming._drop(taken)
        if incoming.eof:
            _ask(ASK_TLS, TLS_FEED_END, self._id, b"", 0)

    def _pull(self):
        """Take from the host what has to go out."""
        while self._id:
            data = _ask(ASK_TLS, TLS_DRAIN, self._id, b"", _host.SMALL)
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
            while result.__class__ is int and result == TLS_WANT_WRITE:
                result = self._step(operation, data, room, into)
                self._pull()
            if result.__class__ is int and result == TLS_WANT_READ:
                raise _host.want(result)
        else:
            sock = self._live_socket()
            timeout = sock.gettimeout()
            deadline = None
            while True:
                result = self._step(operation, data, room, into)
                if result.__class__ is not int or result not in (TLS_WANT_READ, TLS_WANT_WRITE):
                    break
                if timeout == 0:
                    raise _host.want(result)
                if deadline is None and timeout is not None:
                    deadline = time.monotonic() + timeout
                self._wait(sock, result, deadline, what)
        if result.__class__ is int and result < 0 and result != TLS_CLOSED:
            raise _host.error_of(self._id, result)
        return result

    # -- Methods of CPython's _SSLSocket --

    def do_handshake(self):
        result = self._do(TLS_HANDSHAKE, "handshake")
        if result == TLS_CLOSED:
            raise _host.error_of(self._id, result)
        self._ready = True

    def read(self, size=1024, buffer=None, /):
        if buffer is None:
            if size < 0:
                raise ValueError("size should not be negative")
            if size == 0:
                return b""
            data = self._do(TLS_READ, "read", room=min(size, _host.RECORD_SIZE))
            return b"" if data.__class__ is int else data
        with memoryview(buffer) as view, view.cast("B") as whole:
            if size <= 0 or size > whole.nbytes:
                size = whole.nbytes
            if size == 0:
                return 0
            with whole[:size] as room:
                count = self._do(TLS_READ, "read", into=room)
        return 0 if count == TLS_CLOSED else count

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
        count = self._do(TLS_WRITE, "write", data=data)
        if count == TLS_CLOSED:
            raise _host.error_of(self._id, count)
        return count

    def shutdown(self):
        result = self._do(TLS_SHUTDOWN, "read")
        if result == TLS_CLOSED:
            raise _host.error_of(self._id, result)
        return None if self._socket is None else self._socket()

    def pending(self):
        return max(_ask(ASK_TLS, TLS_PENDING, self._id, b"", 0), 0) if self._id else 0

    def _describe(self, what):
        if not self._ready:
            return None
        if self._about is None:
            from json import loads

            self._about = loads(_host.ask(TLS_DESCRIBE, self._id))
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
        return certificate_info(_host.ask(TLS_PEER, self._id))

    def _chain(self, verified):
        if not self._ready:
            return None
        data = _host.ask(TLS_CHAIN, self._id, bytes((verified,)))
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
        return _host.ask(TLS_BINDING, self._id) or None if self._ready else None

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
        rows = _field(TLS_FIELD_VERSIONS, low.to_bytes(2, "little") + high.to_bytes(2, "little"))
        if self._alpn:
            rows += _field(TLS_FIELD_ALPN, self._alpn)
        if self._verify_flags & VERIFY_X509_STRICT:
            rows += _field(TLS_FIELD_STRICT, b"")
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
                found = pem_certificates(file.read())
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
                found = pem_certificates(cadata.encode("ascii"))
            except UnicodeEncodeError:
                raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
            problem = "no start line: cadata does not contain a certificate"
        else:
            try:
                found = der_certificates(bytes(cadata))
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
        return [certificate_info(_host.ask(TLS_CERTIFICATE, 0, der)) for der in self._roots]

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
        found = PEM_KEY.search(key)
        if found is not None:
            key = found[0]
        identity = _field(TLS_FIELD_CERTIFICATE, certificate) + _field(TLS_FIELD_KEY, key)
        status = _ask(ASK_TLS, TLS_IDENTITY, 0, identity, 0)
        if status < 0:
            raise _host.error_of(0, status)
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

        return loads(_host.ask(TLS_CIPHERS, 0))

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
