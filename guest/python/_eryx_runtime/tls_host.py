"""What _ssl asks of the host, and the exceptions that it makes of the answers."""

import errno
import os

from _eryx import tls
from _eryx_runtime.tls_constants import (
    SSL_ERROR_EOF,
    SSL_ERROR_SSL,
    SSL_ERROR_WANT_READ,
    SSL_ERROR_WANT_WRITE,
    SSL_ERROR_ZERO_RETURN,
)

# enum tls_operation, tls_field, tls_status and tls_refusal of src/guest_tls.h and
# src/tls_session.h.
OPEN, CLOSE, HANDSHAKE, READ, WRITE, SHUTDOWN, PENDING, FEED, FEED_END = range(1, 10)
DRAIN, DESCRIBE, PEER, CHAIN, BINDING, ERROR, TIME_LEFT, CERTIFICATE = range(10, 18)
LIBRARY, CIPHERS, IDENTITY = range(18, 21)
FIELD_NAME, FIELD_LOCAL, FIELD_REMOTE, FIELD_ALPN, FIELD_VERSIONS = range(1, 6)
FIELD_STRICT, FIELD_CERTIFICATE, FIELD_KEY = range(6, 9)
FAILED, WANT_READ, WANT_WRITE, CLOSED, EOF, BROKEN, REFUSED = range(-1, -8, -1)
TIMED_OUT, NO_SESSION, TOO_LARGE, BAD_CALL, NOT_READY = range(-8, -13, -1)

RECORD_SIZE = 16384
SMALL = 65536  # most results are smaller
LARGE = 1 << 20  # the most that one call gives


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


def want(status):
    """The exception for an operation that has to wait."""
    if status == WANT_READ:
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


def error_of(session, status):
    """The exception for a status that is a failure."""
    from json import loads

    if status == CLOSED:
        text = "TLS/SSL connection has been closed (EOF)"
        return SSLZeroReturnError(SSL_ERROR_ZERO_RETURN, text)
    if status == NO_SESSION:
        text = "the TLS connection ended with the run that opened it"
        return ConnectionAbortedError(errno.ECONNABORTED, text)
    if status == TIMED_OUT:
        return TimeoutError(errno.ETIMEDOUT, "The handshake operation timed out (limit of eryx)")
    if status in (BAD_CALL, TOO_LARGE):
        return SSLError(SSL_ERROR_SSL, "the host does not take what was asked of it")
    details = loads(tls(ERROR, session, b"", SMALL))
    if status == REFUSED:
        return PermissionError(errno.EACCES, details["refusal"] or details["message"])
    if status == BROKEN:
        number = getattr(errno, details["errno"] or "EIO")
        return OSError(number, os.strerror(number))
    if status == EOF:
        return _ssl_error(SSLEOFError, SSL_ERROR_EOF, details)
    if details["reason"] == "CERTIFICATE_VERIFY_FAILED":
        error = _ssl_error(SSLCertVerificationError, SSL_ERROR_SSL, details)
        error.verify_code = details["verify_code"]
        error.verify_message = details["verify_message"]
        return error
    return _ssl_error(SSLError, SSL_ERROR_SSL, details)


def ask(operation, session, data=b""):
    """Bytes that the host tells, however many they are."""
    result = tls(operation, session, data, SMALL)
    if result == TOO_LARGE:
        result = tls(operation, session, data, LARGE)
    if isinstance(result, int):
        raise error_of(session, result)
    return result
