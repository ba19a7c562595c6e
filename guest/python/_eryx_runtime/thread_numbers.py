"""What `threading.get_native_id()` gives: numbers of threads, of which WASI has none."""

import _thread
from itertools import count
from posix import getpid

_own = _thread._local()
_own.number = getpid()
_next = count(1).__next__


def get_native_id() -> int:
    """Return a non-negative integer identifying the thread as reported by the OS (kernel).

    This may be used to uniquely identify a particular thread within a system.
    """
    try:
        number: int = _own.number
    except AttributeError:
        number = _own.number = getpid() + _next()
    return number


get_native_id.__module__ = "_thread"
_thread.get_native_id = get_native_id
