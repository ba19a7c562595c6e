"""What the service allows to whom, from code or from a TOML file."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tomllib
from dataclasses import dataclass, field, fields

from eryx._limits import ResourceLimits
from eryx._network import NetConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY_BYTES = 24


@dataclass(frozen=True)
class Quota:
    """What the holder of one key may use.

    sessions: that there are at a time, those in the store included.
    concurrent_runs: runs at a time; more wait, as many again at most.
    runs_per_minute: runs that begin in a minute; None for any number.
    seconds_per_hour: time of all runs in an hour, in seconds; None for any.
    memory_bytes: memory limit of each sandbox in bytes.
    run_seconds: longest time of a run in seconds.
    allowed_hosts: what programs may connect to, as in `NetConfig`; empty for nothing.
    """

    sessions: int = 100
    concurrent_runs: int = 8
    runs_per_minute: int | None = 600
    seconds_per_hour: float | None = None
    memory_bytes: int = 128 << 20
    run_seconds: float = 30.0
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError that names what is wrong."""
        for name in ("sessions", "concurrent_runs", "memory_bytes"):
            _check_count(name, getattr(self, name))
        for name in ("runs_per_minute", "seconds_per_hour", "run_seconds"):
            value = getattr(self, name)
            if value is not None or name == "run_seconds":
                _check_positive(name, value)
        object.__setattr__(self, "allowed_hosts", tuple(self.allowed_hosts))

    @property
    def network(self) -> NetConfig | None:
        """For sandboxes."""
        return NetConfig(allowed_hosts=list(self.allowed_hosts)) if self.allowed_hosts else None

    def limits(
        self, timeout_ms: int | None = None, memory_bytes: int | None = None
    ) -> ResourceLimits:
        """Limits for one run of a sandbox: what is asked for, and no more than allowed."""
        longest = int(self.run_seconds * 1000)
        return ResourceLimits(
            execution_timeout_ms=min(longest, longest if timeout_ms is None else timeout_ms),
            max_memory_bytes=min(
                self.memory_bytes, self.memory_bytes if memory_bytes is None else memory_bytes
            ),
        )


@dataclass(frozen=True)
class ApiKey:
    """One key. name: of its holder; sha256: of the key itself, in hexadecimal."""

    name: str
    sha256: str
    quota: Quota = field(default_factory=Quota)

    def __post_init__(self) -> None:
        """Raises ValueError that names what is wrong."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.name):
            raise ValueError(f"the name of a key has letters, digits, - and _, not {self.name!r}")
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"sha256 of the key {self.name!r} must be 64 hexadecimal digits")

    def fits(self, key: str) -> bool:
        """Whether it is that key; takes the same time for each that it is not."""
        return hmac.compare_digest(_hashed(key), self.sha256)


@dataclass(frozen=True)
class Settings:
    """How the service behaves.

    keys: who may use it; none: everybody, with `quota`.
    store: where sessions go that nobody uses, as a URL: ``file:///folder``, ``redis://host``, or
        any that fsspec knows, such as ``s3://bucket/prefix``; None for nowhere: they then end.
    max_sessions: live ones at a time, of all; the one unused for longest goes to the store.
    max_runs: runs at a time, of all; None for twice the number of processors.
    max_waiting: runs that wait for that; more are refused with 429.
    idle_seconds: a session that is not used for so long goes to the store, or ends.
    lifetime_seconds: a session ends so long after it was made.
    lease_seconds: how long another node waits before it takes over the sessions of one that is
        gone without a word.
    drain_seconds: how long runs may go on when the service is told to end.
    max_body_bytes: largest request, files included.
    node: name of this process among those that share the store; None for one that is drawn.
    e2b: whether to answer the protocol of the ``e2b-code-interpreter`` clients as well.
    e2b_domain: name below which clients of e2b find sandboxes, as ``PORT-ID.DOMAIN``; with a port
        if it is not that of https. None: for clients that are told one address for all.
    mcp: whether to answer the Model Context Protocol at ``/mcp`` as well; None: if the extra
        ``mcp`` is installed.
    isolation: None to run all sandboxes in this process, ``"process"`` for worker processes, of
        which each runs those of one key alone (docs/workers.md).
    processes: how many worker processes each key has at most.
    certificate, private_key: files in PEM, to serve https; None for http.
    """

    keys: tuple[ApiKey, ...] = ()
    quota: Quota = field(default_factory=Quota)
    store: str | None = None
    max_sessions: int = 1000
    max_runs: int | None = None
    max_waiting: int = 64
    idle_seconds: float = 300.0
    lifetime_seconds: float = 86_400.0
    lease_seconds: float = 30.0
    drain_seconds: float = 30.0
    max_body_bytes: int = 64 << 20
    node: str | None = None
    e2b: bool = False
    e2b_domain: str | None = None
    mcp: bool | None = None
    isolation: str | None = None
    processes: int = 4
    certificate: str | None = None
    private_key: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError that names what is wrong."""
        for name in ("max_sessions", "max_body_bytes", "processes"):
            _check_count(name, getattr(self, name))
        if self.max_runs is not None:
            _check_count("max_runs", self.max_runs)
        for name in ("idle_seconds", "lifetime_seconds", "lease_seconds"):
            _check_positive(name, getattr(self, name))
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("https takes both, certificate and private_key")
        if self.isolation not in (None, "process"):
            raise ValueError(f'isolation must be "process" or left out, not {self.isolation!r}')
        names = [key.name for key in self.keys]
        if len(set(names)) != len(names):
            raise ValueError("two keys have the same name")
        if self.max_runs is None:
            object.__setattr__(self, "max_runs", 2 * (os.cpu_count() or 1))
        if self.node is None:
            object.__setattr__(self, "node", secrets.token_hex(8))


def new_key(name: str, quota: Quota | None = None) -> tuple[str, ApiKey]:
    """Draws a key. Gives the key itself, which is kept nowhere, and what is to be stored of it.

    >>> from eryx.server import new_key
    >>> key, stored = new_key("alice")
    >>> stored.fits(key), stored.fits("guess")
    (True, False)
    """
    key = f"eryx_{secrets.token_urlsafe(_KEY_BYTES)}"
    return key, ApiKey(name, _hashed(key), quota or Quota())


def read_settings(path: str | os.PathLike[str]) -> Settings:
    """Settings from a TOML file: fields by their names, ``[quota]``, and a ``[[keys]]`` for each.

    A key has ``name``, ``sha256``, and fields of the quota that are different for it.

    Raises ValueError that names what is wrong, and OSError.
    """
    with open(path, "rb") as file:
        try:
            found = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None
    try:
        common = _taken(Quota, found.pop("quota", {}))
        keys = [_key(dict(entry), common) for entry in found.pop("keys", [])]
        return Settings(keys=tuple(keys), quota=Quota(**common), **_taken(Settings, found))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def _key(entry: dict[str, Any], common: dict[str, Any]) -> ApiKey:
    try:
        name, sha256 = str(entry.pop("name")), str(entry.pop("sha256"))
    except KeyError as error:
        raise ValueError(f"a key has no {error.args[0]}") from None
    return ApiKey(name, sha256, Quota(**{**common, **_taken(Quota, entry)}))


def _taken(kind: type[Any], found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError(f"{kind.__name__.lower()} must be a table")
    known = {each.name for each in fields(kind)}
    unknown = sorted(set(found) - known)
    if unknown:
        raise ValueError(f"{unknown[0]} is no setting")
    return found


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number above 0, not {value!r}")


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise ValueError(f"{name} must be a number above 0, not {value!r}")
