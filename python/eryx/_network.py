"""What a sandbox may reach, and what it has reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from eryx._annotations import late_annotations
from eryx._eryx import UNLIMITED

Texts = list[str]
OnConnect = Callable[[str, str, int], bool | Awaitable[bool | None] | None]
CoreNetwork = tuple[
    tuple[int, ...], tuple[bool, ...], tuple[tuple[str, ...], ...], tuple[bytes, ...]
]

_GREATEST = 2**63 - 1
_MAX_PATTERN = 253  # characters of a host name

_LOCALHOST = ("localhost", "*.localhost", "127.*", "::1")

# What block_internal of eryx.h stands for, as far as patterns of hosts can say it.
_INTERNAL = (
    *_LOCALHOST,
    "10.*",
    *(f"172.{number}.*" for number in range(16, 32)),
    "192.168.*",
    "169.254.*",
)

_NUMBERS = (
    "max_connections",
    "connect_timeout_ms",
    "io_timeout_ms",
    "max_total_connections",
    "max_bytes",
)

# In the order in which the constructor takes them, then what only methods set.
_FIELDS = (
    "max_connections",
    "connect_timeout_ms",
    "io_timeout_ms",
    "_allow_all",
    "_allowed_hosts",
    "_blocked_hosts",
    "_blocked_networks",
    "_allowed_networks",
    "_internal_hosts",
    "max_total_connections",
    "max_bytes",
    "_dns_servers",
    "on_connect",
    "_block_internal",
    "_localhost",
    "_certificates",
)


class Connection(NamedTuple):
    """One connection of a run, or an attempt that was refused."""

    host: str
    """The name that the program looked up for it, or the address."""
    address: str
    """The numeric address; empty for a name that was refused before it had one."""
    port: int
    """0 for a lookup that was refused."""
    tls: bool
    """Whether the host did TLS on it, with a certificate that was verified."""
    bytes_in: int
    """Bytes that came from the peer, as they were on the wire."""
    bytes_out: int
    """Bytes that went to the peer."""
    duration_ms: float
    """From the start of the connect to the close."""
    connected: bool
    """Whether it was established."""
    refused: str | None
    """The rule that refused it; None if it was not refused."""
    started_ms: float = 0.0
    """When it began, in milliseconds after the run."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets whose values were sent on it."""
    secret_refused: str | None = None
    """Why a request on it was refused because of a secret; None if none was."""


Connection.__module__ = "eryx"


class NetConfig:
    """What a sandbox may reach. Without one it has no network at all.

    By default that is every public host: names that look like the host's own and addresses that are
    not public (loopback, private, link-local with the metadata services of clouds, and so on) are
    refused. The rules are applied to the address that is then connected, whatever name it had.

    A pattern of hosts is compared without case. ``*`` stands for any characters: ``*`` is every
    host, ``*.example.com`` every name below example.com (not itself), ``10.*`` every address that
    begins so, and no name. Blocked patterns come first, then those that allow.

    The attributes cannot be set; the methods give a new NetConfig.

    >>> network = NetConfig(allowed_hosts=["api.example.com"]).allow_host("*.example.org")
    >>> network.allowed_hosts, network.allow_all_hosts
    (['api.example.com', '*.example.org'], False)
    """

    __module__ = "eryx"
    __slots__ = (*_FIELDS, "_core")

    max_connections: int
    """Connections open at a time."""
    connect_timeout_ms: int | None
    """Of a lookup, and of a connect with its TLS handshake; None for no limit."""
    io_timeout_ms: int | None
    """Ceiling of any one wait for a socket; None for no limit."""
    max_total_connections: int | None
    """Connections of one run, those that fail included; None for no limit."""
    max_bytes: int | None
    """Bytes of one run, both directions together; None for no limit."""
    on_connect: OnConnect | None
    """Is asked before each connection."""
    _allow_all: bool | None
    _allowed_hosts: tuple[str, ...]
    _blocked_hosts: tuple[str, ...]
    _blocked_networks: tuple[str, ...]
    _allowed_networks: tuple[str, ...]
    _internal_hosts: tuple[str, ...]
    _dns_servers: tuple[str, ...] | None
    _block_internal: bool
    _localhost: bool
    _certificates: tuple[bytes, ...]
    _core: CoreNetwork | None

    def __init__(
        self,
        *,
        max_connections: int = 10,
        connect_timeout_ms: int | None = 30_000,
        io_timeout_ms: int | None = 60_000,
        allow_all_hosts: bool | None = None,
        allowed_hosts: Iterable[str] | None = None,
        blocked_hosts: Iterable[str] | None = None,
        blocked_networks: Iterable[str] | None = None,
        allowed_networks: Iterable[str] | None = None,
        internal_hosts: Iterable[str] | None = None,
        max_total_connections: int | None = 1_000,
        max_bytes: int | None = None,
        dns_servers: Iterable[str] | None = None,
        on_connect: OnConnect | None = None,
    ) -> None:
        """Makes a configuration.

        max_connections: open at a time. 0: none.
        connect_timeout_ms: of a lookup, and of a connect with its TLS handshake, in milliseconds.
            The guest gets TimeoutError. None: no limit but that of the run.
        io_timeout_ms: ceiling of any one wait for a socket, whatever the guest has set.
        allow_all_hosts: whether every host is allowed that no rule blocks; None: if allowed_hosts
            is empty.
        allowed_hosts: patterns of hosts. If there are any, all others are refused.
        blocked_hosts: patterns of hosts that are refused whatever else is said. None: only those
            that are not public. An empty list also allows what is not public. Other lists are
            refused besides what is not public.
        blocked_networks, allowed_networks: networks such as ``10.0.0.0/8`` or ``fd00::/8``, or
            single addresses. What is in an allowed one is allowed although it is not public.
        internal_hosts: patterns of hosts that are allowed with addresses that are not public.
            Where a name leads to this machine or to a metadata service it has to be said:
            ``db.example=127.0.0.1`` is the name with addresses of that network alone.
        max_total_connections: of one run, those that fail included.
        max_bytes: of one run, in both directions together.
        dns_servers: such as ``192.0.2.1``, ``192.0.2.1:53`` or ``[2001:db8::1]:53``; None for those
            of the system. The rules do not apply to them.
        on_connect: called with host, address and port before each connection that the rules allow.
            It is refused if that gives False, raises or takes longer than connect_timeout_ms; None
            and True allow it. May be async. The guest waits meanwhile.

        Raises TypeError and ValueError for arguments that are wrong.
        """
        if allow_all_hosts is not None and not isinstance(allow_all_hosts, bool):
            wrong = type(allow_all_hosts).__name__
            raise TypeError(f"allow_all_hosts must be a bool or None, not {wrong}")
        if on_connect is not None and not callable(on_connect):
            wrong = type(on_connect).__name__
            raise TypeError(f"on_connect must be callable or None, not {wrong}")
        blocked = _each(_pattern, "blocked_hosts", blocked_hosts)
        block_internal = blocked_hosts is None or bool(blocked)
        if set(_INTERNAL) <= set(blocked):  # a copy of the defaults
            blocked = tuple(pattern for pattern in blocked if pattern not in _INTERNAL)
        servers = None if dns_servers is None else _texts("dns_servers", dns_servers)
        self._fill(
            max_connections=_number("max_connections", max_connections, may_be_none=False),
            connect_timeout_ms=_number("connect_timeout_ms", connect_timeout_ms),
            io_timeout_ms=_number("io_timeout_ms", io_timeout_ms),
            _allow_all=allow_all_hosts,
            _allowed_hosts=_each(_pattern, "allowed_hosts", allowed_hosts),
            _blocked_hosts=blocked,
            _blocked_networks=_each(_network, "blocked_networks", blocked_networks),
            _allowed_networks=_each(_network, "allowed_networks", allowed_networks),
            _internal_hosts=_each(_internal_host, "internal_hosts", internal_hosts),
            max_total_connections=_number("max_total_connections", max_total_connections),
            max_bytes=_number("max_bytes", max_bytes),
            _dns_servers=servers and tuple(_dns_server(server) for server in servers),
            on_connect=on_connect,
            _block_internal=block_internal,
            _localhost=False,
            _certificates=(),
        )

    @classmethod
    def permissive(cls) -> NetConfig:
        """All hosts, also those that are not public, and 100 connections; for code that you trust.

        >>> NetConfig.permissive().max_connections
        100
        """
        return cls(max_connections=100, allow_all_hosts=True, blocked_hosts=())

    # ---- Rules ----

    @property
    def allow_all_hosts(self) -> bool:
        """Whether every host is allowed that no rule blocks."""
        return not self._allowed_hosts if self._allow_all is None else self._allow_all

    @property
    def allowed_hosts(self) -> Texts:
        """Patterns of hosts that are allowed."""
        return list(self._allowed_hosts)

    @property
    def blocked_hosts(self) -> Texts:
        """Patterns of hosts that are refused, with those of hosts that are not public."""
        if not self._block_internal:
            return list(self._blocked_hosts)
        own = set(self._blocked_hosts)
        if self._localhost:
            own.update(_LOCALHOST)
        return [*(pattern for pattern in _INTERNAL if pattern not in own), *self._blocked_hosts]

    @property
    def blocked_networks(self) -> Texts:
        """Networks that are refused."""
        return list(self._blocked_networks)

    @property
    def allowed_networks(self) -> Texts:
        """Networks that are allowed."""
        return list(self._allowed_networks)

    @property
    def internal_hosts(self) -> Texts:
        """Patterns of hosts that are allowed with addresses that are not public."""
        return list(self._internal_hosts)

    @property
    def dns_servers(self) -> Texts | None:
        """Servers that are asked for names; None for those of the system."""
        return None if self._dns_servers is None else list(self._dns_servers)

    @property
    def root_certificates(self) -> tuple[bytes, ...]:
        """Certificates (DER) that are trusted besides those of the system."""
        return self._certificates

    # ---- Changes ----

    def allow_host(self, pattern: str) -> NetConfig:
        """Allows hosts. Unless allow_all_hosts was given, all others are then refused."""
        return self._with(_allowed_hosts=(*self._allowed_hosts, _pattern("pattern", pattern)))

    def block_host(self, pattern: str) -> NetConfig:
        """Refuses hosts, whatever else is said."""
        return self._with(_blocked_hosts=(*self._blocked_hosts, _pattern("pattern", pattern)))

    def allow_localhost(self) -> NetConfig:
        """Allows this machine: its loopback addresses, and names such as localhost."""
        others = tuple(entry for entry in self._blocked_hosts if entry.lower() not in _LOCALHOST)
        return self._with(_blocked_hosts=others, _localhost=True)

    def allow_network(self, cidr: str) -> NetConfig:
        """Allows the addresses of a network, public or not.

        >>> NetConfig().allow_network("10.1.0.0/16").allowed_networks
        ['10.1.0.0/16']
        """
        return self._with(_allowed_networks=(*self._allowed_networks, _network("cidr", cidr)))

    def allow_internal_host(self, pattern: str, *, network: str | None = None) -> NetConfig:
        """Allows hosts with addresses that are not public.

        network: the only addresses that the name may have, such as ``127.0.0.1`` or
            ``10.1.0.0/16``; None: all but those of this machine, link-local ones and the metadata
            services of clouds, where a name leads only if it is said here.

        >>> NetConfig().allow_internal_host("db.example", network="127.0.0.1").internal_hosts
        ['db.example=127.0.0.1/32']
        """
        entry = pattern if network is None else f"{pattern}={_network('network', network)}"
        return self._with(_internal_hosts=(*self._internal_hosts, _internal_host("pattern", entry)))

    def with_root_cert(self, der_bytes: bytes) -> NetConfig:
        """Trusts one more certificate, given in its binary form (DER).

        If it cannot be read, making a sandbox raises ValueError.
        """
        if not isinstance(der_bytes, bytes | bytearray | memoryview):
            raise TypeError(f"der_bytes must be bytes, not {type(der_bytes).__name__}")
        certificate = bytes(der_bytes)
        if not certificate:
            raise ValueError("der_bytes is empty")
        return self._with(_certificates=(*self._certificates, certificate))

    # ---- Value ----

    def _fill(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_core", None)

    def _with(self, **changes: object) -> NetConfig:
        """A copy with some fields changed."""
        copy = object.__new__(type(self))
        copy._fill(**{**{name: getattr(self, name) for name in _FIELDS}, **changes})
        return copy

    if not TYPE_CHECKING:  # so that a type checker still knows which attributes there are

        def __setattr__(self, name: str, value: object) -> NoReturn:
            """Refuses."""
            raise AttributeError(f"attribute {name!r} of NetConfig cannot be set")

        def __delattr__(self, name: str) -> NoReturn:
            """Refuses."""
            raise AttributeError(f"attribute {name!r} of NetConfig cannot be deleted")

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle."""
        return {name: getattr(self, name) for name in _FIELDS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """For copies and pickle."""
        self._fill(**state)

    def __eq__(self, other: object) -> bool:
        """Configurations are equal if all rules and limits are."""
        if not isinstance(other, NetConfig):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    def __hash__(self) -> int:
        """Fits __eq__."""
        return hash(tuple(getattr(self, name) for name in _FIELDS))

    def __repr__(self) -> str:
        """The rules and limits; of certificates only the size."""
        parts = [f"{name}={getattr(self, name)!r}" for name in _NUMBERS[:3]]
        parts += [
            f"{name}={getattr(self, name)!r}"
            for name in ("allow_all_hosts", "allowed_hosts", "blocked_hosts")
        ]
        for name in ("blocked_networks", "allowed_networks", "internal_hosts"):
            if value := getattr(self, name):
                parts.append(f"{name}={value!r}")
        parts += [f"{name}={getattr(self, name)!r}" for name in _NUMBERS[3:]]
        for name in ("dns_servers", "on_connect"):
            if (value := getattr(self, name)) is not None:
                parts.append(f"{name}={value!r}")
        text = f"NetConfig({', '.join(parts)})"
        if self._localhost:
            text += ".allow_localhost()"
        for certificate in self._certificates:
            text += f".with_root_cert(<{len(certificate)} bytes>)"
        return text


def _number(name: str, value: object, *, may_be_none: bool = True) -> int | None:
    if value is None and may_be_none:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        wanted = "an int or None" if may_be_none else "an int"
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")
    if not 0 <= value <= _GREATEST:
        raise ValueError(f"{name} must be from 0 to 2**63 - 1, not {value}")
    return value


def _texts(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """A lone str would be taken for a row of letters."""
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be a list of str, not {type(values).__name__}")
    texts = tuple(values)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a list of str, and has {type(text).__name__}")
    return texts


def _each(
    checked: Callable[[str, str], str], name: str, values: Iterable[str] | None
) -> tuple[str, ...]:
    """The values after a look at each; none for None."""
    return () if values is None else tuple(checked(name, value) for value in _texts(name, values))


def _pattern(name: str, value: str) -> str:
    """A pattern after a look at it: one that never matches would be a trap."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1]  # an IPv6 address as in URLs
    reason = None
    if not value:
        reason = "it is empty"
    elif not value.isascii():
        reason = "names that are not ASCII are given in their xn-- form"
    elif len(value) > _MAX_PATTERN:
        reason = f"it is longer than {_MAX_PATTERN} characters"
    elif "/" in value:
        reason = "hosts have no slash; networks go to allowed_networks or blocked_networks"
    elif value.count(":") == 1 or "]" in value:
        reason = "it is a host without a port"
    elif not all(character.isalnum() or character in "._-*:" for character in value):
        reason = "a host has letters, digits, dots, hyphens, and * for any characters"
    if reason is not None:
        raise ValueError(f"{name}: {value[:_MAX_PATTERN]!r} is not a pattern of hosts: {reason}")
    return value


def _internal_host(name: str, value: str) -> str:
    """A pattern, or a pattern of names with the network that these lead to: "name=network"."""
    if not isinstance(value, str) or "=" not in value:
        return _pattern(name, value)
    host, _, network = value.partition("=")
    return f"{_pattern(name, host)}={_network(name, network)}"


def _network(name: str, value: str) -> str:
    """A network in its usual form."""
    from ipaddress import ip_network

    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        if "%" in value:
            raise ValueError("networks have no interface")
        return str(ip_network(value, strict=False))
    except ValueError as error:
        raise ValueError(
            f"{name}: {value!r} is not a network such as 10.0.0.0/8: {error}"
        ) from None


def _dns_server(value: str) -> str:
    """Address and port of a server in its usual form."""
    from ipaddress import ip_address

    host, port = value, "53"
    if value.startswith("["):
        host, bracket, rest = value[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            host = ""
        port = rest[1:] if rest else port
    elif value.count(":") == 1:
        host, _, port = value.partition(":")
    try:
        address = ip_address("" if "%" in host else host)
    except ValueError:
        raise ValueError(f"dns_servers: {value!r} is not an address such as 192.0.2.1:53") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"dns_servers: {value!r} has no port from 1 to 65535")
    return f"[{address}]:{int(port)}" if address.version == 6 else f"{address}:{int(port)}"


def core_network(config: NetConfig) -> CoreNetwork:
    """A configuration as an argument of Core.

    Raises TypeError if it is none, ValueError if one of its certificates is PEM.
    """
    if not isinstance(config, NetConfig):
        raise TypeError(f"network must be a NetConfig or None, not {type(config).__name__}")
    made = config._core
    if made is None:
        for number, certificate in enumerate(config._certificates, 1):
            _check_certificate(number, certificate)
        made = (
            tuple(
                UNLIMITED if value is None else value
                for value in (getattr(config, name) for name in _NUMBERS)
            ),
            (
                config.allow_all_hosts,
                config._block_internal,
                config._localhost,
                config.on_connect is not None,
            ),
            (
                config._allowed_hosts,
                config._blocked_hosts,
                config._internal_hosts,
                config._allowed_networks,
                config._blocked_networks,
                config._dns_servers or (),
            ),
            config._certificates,
        )
        object.__setattr__(config, "_core", made)
    return made


def _check_certificate(number: int, certificate: bytes) -> None:
    """Says of PEM what is to be done with it; the library refuses other things."""
    if certificate.lstrip().startswith(b"-----BEGIN"):
        raise ValueError(
            f"root certificate {number} is PEM; with_root_cert takes DER, which "
            "ssl.PEM_cert_to_DER_cert() makes of it"
        )


def connections_of(rows: tuple[tuple[Any, ...], ...]) -> list[Connection]:
    """The connections of an Outcome."""
    return [Connection._make((*row[:-2], _names(row[-2]), row[-1])) for row in rows]


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


late_annotations(globals(), Connection, NetConfig)
