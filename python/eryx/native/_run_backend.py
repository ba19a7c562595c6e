"""Runs one hook of a build backend (PEP 517): a program for the Python that builds.

    _run_backend.py HOOK BACKEND SETTINGS ARGUMENT [PATH ...]

SETTINGS is JSON. build_wheel puts the wheel into the directory ARGUMENT, the other hook writes its
answer into the file ARGUMENT as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def main(hook: str, backend_name: str, settings_text: str, argument: str, *paths: str) -> None:
    sys.path[:0] = [os.path.abspath(path) for path in paths]
    name, _, attribute = backend_name.partition(":")
    backend = importlib.import_module(name)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    settings = json.loads(settings_text)
    if hook == "build_wheel":
        backend.build_wheel(argument, settings)
        return
    asked = getattr(backend, hook, None)
    found = [] if asked is None else list(asked(settings))
    with open(argument, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
