"""What runs leave, as bytes: results, exceptions and the events of traces, and nothing else."""

from __future__ import annotations

import builtins
import importlib
import io
import pickle
from typing import Any

from eryx import EryxError

_FUNCTIONS = {
    ("eryx._result", "_restored"),
    ("eryx._run_files", "_restored"),
    ("eryx._display", "Shown"),
    ("eryx", "Connection"),
    ("eryx", "Display"),
    ("eryx", "FileChange"),
    ("eryx", "TraceEvent"),
}


class _Reader(pickle.Unpickler):
    """Makes nothing but what `dumps` writes."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _FUNCTIONS:
            return getattr(importlib.import_module(module), name)
        if module in ("builtins", "eryx") and "." not in name:
            found = getattr(builtins if module == "builtins" else _eryx(), name, None)
            least = Exception if module == "builtins" else EryxError
            if isinstance(found, type) and issubclass(found, least):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of what a run leaves")


def _eryx() -> Any:
    return importlib.import_module("eryx")


def dumps(value: object) -> bytes:
    """Bytes of results, exceptions, and of lists, tuples, dicts, numbers and text of them."""
    data = io.BytesIO()
    writer = pickle.Pickler(data, pickle.HIGHEST_PROTOCOL)
    writer.dispatch_table = {}  # not that of copyreg, where engines have ways of their own
    writer.dump(value)
    return data.getvalue()


def loads(data: bytes) -> Any:
    """What `dumps` was given. Raises UnpicklingError for anything else."""
    return _Reader(io.BytesIO(data)).load()


def exception(error: Exception) -> Exception:
    """An exception that `loads` can make again; of a stranger its type and text."""
    if isinstance(error, EryxError) and type(error).__module__ == "eryx":
        return error
    if type(error).__module__ == "builtins":
        try:
            loads(dumps(error))
        except Exception:
            pass
        else:
            return error
    return EryxError(f"{type(error).__name__}: {error}")
