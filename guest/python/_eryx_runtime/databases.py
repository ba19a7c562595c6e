"""Databases in memory that several connections share.

SQLite is built without shared caches here, and would give each connection a database of its own.
Its "memdb" file system has databases that are shared by their name, too.
"""

import sqlite3
import warnings
from sqlite3 import dbapi2
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

_connect = sqlite3.connect
_MEMORY = ":memory:"


def _find_shared(database: str) -> str:
    """The name to be opened in place of one that asks for a shared database in memory."""
    path, _, query = database.partition("#")[0].removeprefix("file:").partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    name = unquote(path)
    is_memory = parameters.get("mode") == "memory" or name == _MEMORY
    if not name or not is_memory or parameters.get("cache") != "shared":
        return database
    others = {key: value for key, value in parameters.items() if key not in ("mode", "cache")}
    return f"file:/{quote(name, safe='')}?{urlencode(others | {'vfs': 'memdb'})}"


_PARAMETERS = (
    *("timeout", "detect_types", "isolation_level", "check_same_thread", "factory"),
    *("cached_statements", "uri"),
)


def connect(database: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
    named = dict(zip(_PARAMETERS, args, strict=False))
    # A factory is to get its arguments as they were given.
    if args and "factory" not in named and not named.keys() & kwargs.keys():
        # As the function itself does, which would take this for the place of the call.
        warnings.warn(
            "Passing more than 1 positional argument to sqlite3.connect() is deprecated."
            " Parameters 'timeout', 'detect_types', 'isolation_level', 'check_same_thread',"
            " 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in"
            " Python 3.15.",
            DeprecationWarning,
            stacklevel=2,
        )
        kwargs = named | kwargs
        args = ()
    is_name = kwargs.get("uri") or (len(args) > 6 and args[6])
    if isinstance(database, str) and database.startswith("file:") and is_name:
        database = _find_shared(database)
    return _connect(database, *args, **kwargs)


connect.__doc__ = _connect.__doc__
connect.__module__ = "sqlite3"


def install() -> None:
    """Put it into sqlite3."""
    dbapi2.connect = sqlite3.connect = connect
