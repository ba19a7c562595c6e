"""What one run is given besides its program: globals, environment, and a file name."""

import json
import os
import sys
from typing import Any

_decode = json.JSONDecoder().decode

_environment = os.environ


class _State:
    """What was in the environment before the run; None for what was not there."""

    before: dict[str, str | None]
    paths: list[str]  # that were added to sys.path
    interactive = False  # expressions of the program show their values


state = _State()
state.before = {}
state.paths = []


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
    environment: dict[str, str] = given.get("environment", {})
    for name, value in environment.items():
        state.before.setdefault(name, _environment.get(name))
        _environment[name] = value
    if "PYTHONPATH" in environment:
        _add_paths(environment["PYTHONPATH"])
    state.interactive = given.get("interactive", False)
    filename: str | None = given.get("filename")
    return filename


def _add_paths(paths: str) -> None:
    """Let modules be found there, after those in the directory of the program."""
    known = getattr(sys, "path", None)
    if type(known) is list:
        state.paths = [path for path in paths.split(":") if path and path not in known]
        known[1:1] = state.paths


def give_back() -> None:
    """Put the environment back to what it was before the run."""
    paths, state.paths = state.paths, []
    known = getattr(sys, "path", None)
    for path in paths:
        if type(known) is list and path in known:
            known.remove(path)
    before, state.before = state.before, {}
    for name, value in before.items():
        if value is None:
            _environment.pop(name, None)
        else:
            _environment[name] = value
