"""What _ssl asks of the host, and the exceptions that it makes of the answers."""

import errno
import os

from _eryx import ask as ask_host
from _eryx_runtime.numbers import (
    ASK_TLS,
    TLS_BAD_CALL,
    TLS_BROKEN,
    TLS_CLOSED,
    TLS_EOF,
    TLS_ERROR,
    TLS_NO_SESSION,
    TLS_REFUSED,
    TLS_TIMED_OUT,
    TLS_TOO_LARGE,
    TLS_WANT_READ,
)
from _eryx_runtime.tls_constants import (
    SSL_ERROR_EOF,
    SSL_ERROR_SSL,
    SSL_ERROR_WANT_READ,
    SSL_ERROR_WANT_WRITE,
    SSL_ERROR_ZERO_RETURN,
)

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
    if status == TLS_WANT_READ:
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

    if status == TLS_CLOSED:
        text = "TLS/SSL connection has been closed (TLS_EOF)"
        return SSLZeroReturnError(SSL_ERROR_ZERO_RETURN, text)
    if status == TLS_NO_SESSION:
        text = "the TLS connection ended with the run that opened it"
        return ConnectionAbortedError(errno.ECONNABORTED, text)
    if status == TLS_TIMED_OUT:
        return TimeoutError(errno.ETIMEDOUT, "The handshake operation timed out (limit of eryx)")
    if status in (TLS_BAD_CALL, TLS_TOO_LARGE):
        return SSLError(SSL_ERROR_SSL, "the host does not take what was asked of it")
    details = loads(ask_host(ASK_TLS, TLS_ERROR, session, b"", SMALL))
    if status == TLS_REFUSED:
        return PermissionError(errno.EACCES, details["refusal"] or details["message"])
    if status == TLS_BROKEN:
        number = getattr(errno, details["errno"] or "EIO")
        return OSError(number, os.strerror(number))
    if status == TLS_EOF:
        return _ssl_error(SSLEOFError, SSL_ERROR_EOF, details)
    if details["reason"] == "CERTIFICATE_VERIFY_FAILED":
        error = _ssl_error(SSLCertVerificationError, SSL_ERROR_SSL, details)
        error.verify_code = details["verify_code"]
        error.verify_message = details["verify_message"]
        return error
    return _ssl_error(SSLError, SSL_ERROR_SSL, details)


def ask(operation, session, data=b""):
    """Bytes that the host tells, however many they are."""
    result = ask_host(ASK_TLS, operation, session, data, SMALL)
    if result == TLS_TOO_LARGE:
        result = ask_host(ASK_TLS, operation, session, data, LARGE)
    if isinstance(result, int):
        raise error_of(session, result)
    return result
