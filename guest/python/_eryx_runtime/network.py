"""Sockets: what the host says of a failure, and lookups that leave the event loop free.

libc knows few of the host's errors and none of its texts, so that the functions of the socket
module are wrapped: when one has failed, the host is asked why.
"""

import _socket
import errno
import socket
from asyncio import futures
from typing import Any

import _eryx
from _eryx_runtime.numbers import (
    ASK_NETWORK,
    NETWORK_FAILED,
    NETWORK_LAST_ERROR,
    NETWORK_LAST_REFUSAL,
    NETWORK_LOOKUP,
    NETWORK_LOOKUP_FORGET,
    NETWORK_LOOKUP_RESULT,
    NETWORK_NO_MEMORY,
    NETWORK_PENDING,
    NETWORK_REFUSED,
    NETWORK_TEMPORARY,
)

_ROOM = 4096  # for the addresses of one name

_Address = tuple[Any, ...]
_Entry = tuple[int, int, int, str, _Address]

# The lookups that tasks wait for.
lookups: dict[int, futures.Future[int | bytes]] = {}


def _text(operation: int) -> str:
    answer = _eryx.ask(ASK_NETWORK, operation, 0, b"", _ROOM)
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else ""


def _refusal(number: int) -> OSError:
    return OSError(number, _text(NETWORK_LAST_REFUSAL) or "not permitted by the host")


def _explain(error: OSError) -> OSError:
    """Give the error that the host knows, for one that libc has made of it."""
    if isinstance(error, socket.gaierror):
        return error
    if error.errno in (errno.EACCES, errno.EMFILE):
        return _refusal(error.errno)
    if error.errno == errno.EIO:
        name = _text(NETWORK_LAST_ERROR)
        if name == "EACCES":
            return _refusal(errno.EACCES)
        number = getattr(errno, name, errno.ECONNABORTED)
        return OSError(number, _MESSAGES.get(number, "connection failed"))
    return error


_MESSAGES = {
    errno.ECONNRESET: "Connection reset by peer",
    errno.ECONNABORTED: "Connection aborted",
    errno.EPIPE: "Broken pipe",
    errno.ETIMEDOUT: "Connection timed out",
    errno.ENOMEM: "Out of memory",
}

# What is raised is raised outside of "except": an interrupt that comes with a failed wait has then
# no such failure in its traceback.

# ---- Sockets ------------------------------------------------------------------------------------

_plain_init = socket.socket.__init__
_plain_connect = _socket.socket.connect
_plain_connect_ex = _socket.socket.connect_ex
_plain_bind = _socket.socket.bind
_plain_listen = _socket.socket.listen
_plain_recv = _socket.socket.recv
_plain_recv_into = _socket.socket.recv_into
_plain_send = _socket.socket.send
_plain_sendall = _socket.socket.sendall
_family_of = _socket.socket.family.__get__


def _numeric(sock: socket.socket, address: Any) -> Any:
    """Replace a name in an address by the first address of the socket's family that it has."""
    if type(address) is not tuple or len(address) < 2 or not isinstance(address[0], str):
        return address
    host = address[0]
    family = _family_of(sock)
    if not host or _is_literal(host):
        return address
    entries = socket.getaddrinfo(host, address[1], family, socket.SOCK_STREAM)
    return (entries[0][4][0], *address[1:])


def _is_literal(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True


def _init(self: socket.socket, *arguments: Any, **options: Any) -> None:
    try:
        _plain_init(self, *arguments, **options)
        return
    except OSError as error:
        failure = error
    raise _explain(failure)


def _connect(self: socket.socket, address: Any, /) -> None:
    try:
        _plain_connect(self, _numeric(self, address))
        return
    except OSError as error:
        failure = error
    raise _explain(failure)


def _connect_ex(self: socket.socket, address: Any, /) -> int:
    return _plain_connect_ex(self, _numeric(self, address))


def _bind(self: socket.socket, address: Any, /) -> None:
    try:
        _plain_bind(self, address)
        return
    except OSError as error:
        failure = error
    raise _explain(failure)


def _listen(self: socket.socket, *backlog: int) -> None:
    try:
        _plain_listen(self, *backlog)
        return
    except OSError as error:
        failure = error
    raise _explain(failure)


def _recv(self: socket.socket, size: int, flags: int = 0, /) -> bytes:
    try:
        return _plain_recv(self, size, flags)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        failure = error
    raise _explain(failure)


def _recv_into(self: socket.socket, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
    try:
        return _plain_recv_into(self, buffer, nbytes, flags)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        failure = error
    raise _explain(failure)


def _send(self: socket.socket, data: Any, flags: int = 0, /) -> int:
    try:
        return _plain_send(self, data, flags)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        failure = error
    raise _explain(failure)


def _sendall(self: socket.socket, data: Any, flags: int = 0, /) -> None:
    try:
        _plain_sendall(self, data, flags)
        return
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        failure = error
    raise _explain(failure)


# ---- Names --------------------------------------------------------------------------------------

_plain_getaddrinfo = _socket.getaddrinfo


def _encode(host: str | bytes) -> bytes:
    if isinstance(host, str):
        try:
            host = host.encode("ascii")
        except UnicodeEncodeError:
            host = host.encode("idna")
    if b"\0" in host:
        raise socket.gaierror(socket.EAI_NONAME, "the host name has a zero byte")
    return host


def _failure(code: int) -> OSError:
    if code == NETWORK_REFUSED:
        name = _text(NETWORK_LAST_ERROR)
        return _refusal(errno.EMFILE if name == "EMFILE" else errno.EACCES)
    if code == NETWORK_TEMPORARY:
        return socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    if code == NETWORK_FAILED:
        return socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure in name resolution")
    if code == NETWORK_NO_MEMORY:
        return socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure")
    return socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[_Entry]:
    if host is not None:
        encoded = _encode(host)
        if flags & socket.AI_NUMERICHOST and not _is_literal(encoded.decode("ascii", "replace")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    failure = None
    try:
        entries: list[_Entry] = _plain_getaddrinfo(host, port, family, type, proto, flags)
    except OSError as error:
        failure = error
    if failure is not None:
        raise _explain(failure)
    if not entries:
        raise socket.gaierror(socket.EAI_NONAME, "Name has no address of that family")
    return entries


def _port_number(port: str | bytes | int | None) -> int:
    if port is None:
        return 0
    if isinstance(port, bytes):
        port = port.decode("ascii")
    if isinstance(port, str) and not port.isdecimal():
        try:
            return socket.getservbyname(port)
        except OSError:
            raise socket.gaierror(socket.EAI_SERVICE, "Servname not supported") from None
    number = int(port)
    if not 0 <= number <= 65535:
        raise OverflowError("getaddrinfo: port must be 0-65535.")
    return number


def _entries(addresses: str, port: int, family: int) -> list[_Entry]:
    entries: list[_Entry] = []
    for text in addresses.split():
        if ":" in text:
            if family in (socket.AF_UNSPEC, socket.AF_INET6):
                entries.append((socket.AF_INET6, socket.SOCK_STREAM, 0, "", (text, port, 0, 0)))
        elif family in (socket.AF_UNSPEC, socket.AF_INET):
            entries.append((socket.AF_INET, socket.SOCK_STREAM, 0, "", (text, port)))
    return entries


async def getaddrinfo(
    loop: Any, host: str | bytes | None, port: str | bytes | int | None, family: int, flags: int
) -> list[_Entry]:
    """Look a name up while other tasks run."""
    if host is None or flags & socket.AI_NUMERICHOST:
        return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)
    number = _port_number(port)
    identity = _eryx.ask(ASK_NETWORK, NETWORK_LOOKUP, 0, _encode(host), 0)
    assert isinstance(identity, int)
    if identity < 0:
        raise _failure(identity)
    answer: int | bytes = _eryx.ask(ASK_NETWORK, NETWORK_LOOKUP_RESULT, identity, b"", _ROOM)
    if answer == NETWORK_PENDING:
        future = loop.create_future()
        lookups[identity] = future
        try:
            answer = await future
        finally:
            if lookups.pop(identity, None) is not None:
                _eryx.ask(ASK_NETWORK, NETWORK_LOOKUP_FORGET, identity, b"", 0)
    if isinstance(answer, int):
        raise _failure(answer)
    entries = _entries(answer.decode(), number, family)
    if not entries:
        raise socket.gaierror(socket.EAI_NONAME, "Name has no address of that family")
    return [
        (socket.AddressFamily(entry[0]), socket.SocketKind(entry[1]), *entry[2:])
        for entry in entries
    ]


def deliver() -> None:
    """Wake the tasks whose lookup is done, in whatever loop they are."""
    for identity in list(lookups):
        answer = _eryx.ask(ASK_NETWORK, NETWORK_LOOKUP_RESULT, identity, b"", _ROOM)
        if answer == NETWORK_PENDING:
            continue
        future = lookups.pop(identity)
        if not future.done():
            try:
                future.set_result(answer)
            except RuntimeError:  # its loop is closed
                pass


def _gethostbyname(hostname: str | bytes, /) -> str:
    return str(socket.getaddrinfo(hostname, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])


def _gethostbyname_ex(hostname: str, /) -> tuple[str, list[str], list[str]]:
    entries = socket.getaddrinfo(hostname, None, socket.AF_INET, socket.SOCK_STREAM)
    return (hostname, [], [str(entry[4][0]) for entry in entries])


def getnameinfo(sockaddr: _Address, flags: int = 0, /) -> tuple[str, str]:
    """Give the address and the port as text: a sandbox has no lookup of names of addresses."""
    if flags & socket.NI_NAMEREQD:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return (str(sockaddr[0]), str(sockaddr[1]))


def install() -> None:
    """Put the functions of this module into the socket module."""
    methods = {
        "__init__": _init,
        "connect": _connect,
        "connect_ex": _connect_ex,
        "bind": _bind,
        "listen": _listen,
        "recv": _recv,
        "recv_into": _recv_into,
        "send": _send,
        "sendall": _sendall,
    }
    for name, function in methods.items():
        function.__name__ = name
        function.__doc__ = getattr(socket.socket, name).__doc__
        function.__qualname__ = f"socket.{name}"
        setattr(socket.socket, name, function)
    functions = {
        "gethostbyname": _gethostbyname,
        "gethostbyname_ex": _gethostbyname_ex,
        "getnameinfo": getnameinfo,
    }
    for name, replacement in functions.items():
        setattr(socket, name, replacement)
        setattr(_socket, name, replacement)
    _socket.getaddrinfo = _getaddrinfo  # type: ignore[assignment]
