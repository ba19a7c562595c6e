"""What one run is given besides its program: globals, environment, and a file name."""

import json
import os
from typing import Any

_decode = json.JSONDecoder().decode

_environment = os.environ


class _State:
    """What was in the environment before the run; None for what was not there."""

    before: dict[str, str | None]


state = _State()
state.before = {}


def take(data: bytes, names: dict[str, Any]) -> str | None:
    """Give a program its globals and environment; gives the file name, or None.

    data: a JSON object and, after a NUL, the bytes of some of the globals.
    """
    text, _, rest = data.partition(b"\0")
    given: dict[str, Any] = _decode(text.decode())
    names.update(given.get("inputs", {}))
    at = 0
    for name, size in given.get("bytes", ()):
        names[name] = rest[at : at + size]
        at += size
    for name, value in given.get("environment", {}).items():
        state.before.setdefault(name, _environment.get(name))
        _environment[name] = value
    filename: str | None = given.get("filename")
    return filename


def give_back() -> None:
    """Put the environment back to what it was before the run."""
    before, state.before = state.before, {}
    for name, value in before.items():
        if value is None:
            _environment.pop(name, None)
        else:
            _environment[name] = value
