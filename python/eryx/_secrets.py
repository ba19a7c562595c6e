"""Secrets: values that programs use and never have."""

from __future__ import annotations

import re
from collections.abc import Mapping

from eryx._eryx import (
    SCRUB_CALLBACKS,
    SCRUB_EXCEPTIONS,
    SCRUB_FILES,
    SCRUB_RESULT,
    SCRUB_STDERR,
    SCRUB_STDOUT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # ((name, value, host patterns), ...) and flags of what is scrubbed
    CoreSecrets = tuple[tuple[tuple[str, bytes, tuple[str, ...]], ...], int]

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def core_secrets(
    secrets: Mapping[str, Mapping[str, Any]] | None,
    *,
    stdout: bool | None,
    stderr: bool | None,
    files: bool | None,
    result: bool | None,
) -> CoreSecrets | None:
    """Gives secrets as an argument of Core; None if there are none.

    Raises TypeError and ValueError, with messages that never have a value in them.
    """
    scrub = SCRUB_CALLBACKS
    scrub |= SCRUB_STDOUT if _flag("scrub_stdout", stdout, default=True) else 0
    scrub |= SCRUB_STDERR | SCRUB_EXCEPTIONS if _flag("scrub_stderr", stderr, default=True) else 0
    scrub |= SCRUB_FILES if _flag("scrub_files", files, default=True) else 0
    scrub |= SCRUB_RESULT if _flag("scrub_result", result, default=False) else 0
    if secrets is None:
        return None
    if not isinstance(secrets, Mapping):
        raise TypeError(f"secrets must be a dict or None, not {type(secrets).__name__}")
    entries = tuple(_secret(name, entry) for name, entry in secrets.items())
    return (entries, scrub) if entries else None


def _flag(name: str, value: object, *, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool or None, not {type(value).__name__}")
    return value


def _secret(name: object, entry: object) -> tuple[str, bytes, tuple[str, ...]]:
    if not isinstance(name, str):
        raise TypeError(f"the name of a secret must be a str, not {type(name).__name__}")
    if _NAME.fullmatch(name) is None:
        raise ValueError(
            f"the name of a secret must be letters, digits and '_', not beginning with a digit:"
            f" {name!r}"
        )
    if not isinstance(entry, Mapping):
        raise TypeError(f"secret {name!r} must be a dict, not {type(entry).__name__}")
    unknown = [key for key in entry if key not in ("value", "allowed_hosts")]
    if unknown:
        raise ValueError(
            f"secret {name!r} has an unknown key: {unknown[0]!r}; there are 'value' and"
            " 'allowed_hosts'"
        )
    if "value" not in entry:
        raise ValueError(f"secret {name!r} has no 'value'")
    value = entry["value"]
    if not isinstance(value, str):
        raise TypeError(f"the value of secret {name!r} must be a str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"the value of secret {name!r} is empty")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        encoded = b""
    if not encoded:
        raise ValueError(f"the value of secret {name!r} cannot be encoded as UTF-8")
    return name, encoded, _hosts(name, entry.get("allowed_hosts"))


def _hosts(name: str, hosts: object) -> tuple[str, ...]:
    if hosts is None:
        return ()
    if not isinstance(hosts, list | tuple):
        raise TypeError(
            f"allowed_hosts of secret {name!r} must be a list, not {type(hosts).__name__}"
        )
    for host in hosts:
        if not isinstance(host, str):
            raise TypeError(
                f"allowed_hosts of secret {name!r} must be a list of str, not of"
                f" {type(host).__name__}"
            )
    return tuple(hosts)
