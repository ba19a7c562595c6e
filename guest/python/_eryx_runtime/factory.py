"""What a factory does once, so that none of its sandboxes has to: imports and set-up code."""

import gc
import json
from types import CoroutineType, FunctionType, ModuleType
from typing import Any

from _eryx_runtime import event_loop, namespaces, sources

FILENAME = "<setup>"

_ALLOW_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ABSENT = object()

_NAMESPACE_TYPES = (ModuleType, FunctionType, type)
_collect_garbage = gc.collect


class _Prepared:
    """What the sandboxes of this factory begin with."""

    main: ModuleType | None = None  # None: an empty one
    names: dict[str, object]  # its variables after the set-up code
    has_callbacks = False


prepared = _Prepared()
prepared.names = {}


def _run_setup(text: str, main: ModuleType) -> None:
    name = sources.make_name(FILENAME, text)
    code = compile(text, name, "exec", _ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    sources.remember_classes(code, name)
    value = eval(code, main.__dict__)
    if type(value) is CoroutineType:
        event_loop.run(value, keep_loop=False)


def prepare(source: bytes, main: ModuleType) -> None:
    """Import, declare the host's functions, and run the set-up code in main.

    source: JSON object with imports (a list of names), callbacks (declarations as a text) and setup
        (a text); the last two may be null.
    """
    request: dict[str, Any] = json.loads(source)
    for name in request["imports"]:
        __import__(name)
    declarations = request["callbacks"]
    if declarations is not None:
        prepared.has_callbacks = True
        namespaces.install(declarations.encode(), main.__dict__, None)
    setup = request["setup"]
    if setup is not None:
        prepared.main = main
        _run_setup(setup, main)


def remember(main: ModuleType) -> None:
    """Note the variables that programs begin with."""
    prepared.names = dict(main.__dict__) if main is prepared.main else {}


def forget_program(main: ModuleType) -> None:
    """Let go of what a program has put beside the variables of the set-up code.

    The module itself lives on, since it belongs to the image. Modules, functions and classes go
    last, so that __del__ still finds them.
    """
    names = main.__dict__
    own = [name for name in names if prepared.names.get(name, _ABSENT) is not names[name]]
    for name in own:
        if not isinstance(names[name], _NAMESPACE_TYPES):
            del names[name]
    _collect_garbage()
    for name in own:
        names.pop(name, None)
