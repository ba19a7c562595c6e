"""Tells the host what a program does, line by line.

With sys.monitoring and not sys.settrace: it is faster, costs nothing in files that are not looked
at, and leaves sys.settrace() to the program.
"""

import sys
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as _quote
from types import CodeType
from typing import Any

import _eryx
from _eryx_runtime.sources import SourceName

_TOOL = 4  # of sys.monitoring; programs that look for a free one begin lower
_BATCH = 500  # events that the host is given at a time, at most
_BATCH_BYTES = 400_000  # the host takes twice as much
_NAME = 1000  # characters of a name that the host keeps

_monitoring = sys.monitoring
_events = _monitoring.events
_DISABLE = _monitoring.DISABLE
_frame = sys._getframe
_send = _eryx.trace

_LIBRARY = ("/python-stdlib/", "<frozen ")
_OWN = tuple(
    f"/python-stdlib/_eryx_runtime/{name}.py" for name in ("pending", "program", "tracing")
)

# Events as JSON that the host has not been given.
buffer: list[str] = []


class State:
    active = False
    left = 0  # events until the limit
    all_files = False
    longest = 0  # of the endings
    batch = _BATCH


state = State()
# The end of each event of a code object, or "" if its file is not traced.
_endings: dict[CodeType, str] = {}


def flush() -> None:
    """Hand the host all events so far."""
    taken = buffer[:]
    del buffer[: len(taken)]  # other threads may have added some
    if taken:
        _send(f"[{','.join(taken)}]")


def _skip(code: CodeType) -> None:
    _endings[code] = ""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _skip(constant)


def _is_of_library(code: CodeType) -> bool:
    """Tell for a code object that is seen for the first time, in the frame that runs it."""
    filename = code.co_filename
    if filename.startswith(_LIBRARY):
        return True
    if code.co_name != "<module>" or type(filename) is SourceName or filename.startswith("/"):
        return False
    # What the library makes with exec(), such as the methods of a dataclass.
    caller = _frame(3).f_back
    return caller is not None and caller.f_code.co_filename.startswith(_LIBRARY)


def _ending(code: CodeType) -> str:
    filename = code.co_filename
    if filename in _OWN:
        ending = ""
    elif not state.all_files and _is_of_library(code):
        _skip(code)
        return ""
    else:
        names = _quote(code.co_qualname[:_NAME]), _quote(filename[:_NAME])
        ending = f',"function":{names[0]},"filename":{names[1]}}}'
        if len(ending) > state.longest:
            state.longest = len(ending)
            state.batch = min(_BATCH, _BATCH_BYTES // (len(ending) + 100))
    _endings[code] = ending
    return ending


def _full() -> None:
    """Hand over a batch, and stop at the limit."""
    if state.left <= 0:
        _monitoring.set_events(_TOOL, 0)
        buffer.append('{"event":"truncated"}')
    flush()


def _on_line(code: CodeType, line: int) -> object:
    ending = _endings.get(code)
    if ending is None:
        ending = _ending(code)
    if not ending:
        return _DISABLE
    buffer.append(f'{{"event":"line","line":{line}{ending}')
    state.left -= 1
    if len(buffer) >= state.batch or state.left <= 0:
        _full()
    return None


def _on_start(code: CodeType, offset: int) -> object:
    ending = _endings.get(code)
    if ending is None:
        ending = _ending(code)
    if not ending:
        return _DISABLE
    buffer.append(f'{{"event":"call","line":{code.co_firstlineno}{ending}')
    state.left -= 1
    if len(buffer) >= state.batch or state.left <= 0:
        _full()
    return None


def _handler(event: str, disable: object) -> Callable[..., object]:
    """Give a function for events whose line is where the frame is."""

    def on_event(code: CodeType, *details: Any) -> object:
        ending = _endings.get(code)
        if ending is None:
            ending = _ending(code)
        if not ending:
            return disable
        buffer.append(f'{{"event":"{event}","line":{_frame(1).f_lineno}{ending}')
        state.left -= 1
        if len(buffer) >= state.batch or state.left <= 0:
            _full()
        return None

    return on_event


# Events of the second kind cannot be switched off at a place.
_HANDLERS: dict[int, Callable[..., object]] = {
    _events.LINE: _on_line,
    _events.PY_START: _on_start,
    _events.PY_RESUME: _handler("call", _DISABLE),
    _events.PY_THROW: _handler("call", None),
    _events.PY_RETURN: _handler("return", _DISABLE),
    _events.PY_YIELD: _handler("return", _DISABLE),
    _events.PY_UNWIND: _handler("return", None),
    _events.RAISE: _handler("exception", None),
}


def start(mode: str, limit: int) -> None:
    """Trace from now on: files of the program ("user") or also the library ("all")."""
    stop()
    state.active = True
    state.left = limit
    state.all_files = mode == "all"
    state.longest, state.batch = 0, _BATCH
    _endings.clear()
    _monitoring.use_tool_id(_TOOL, "eryx")
    mask = 0
    for event, handler in _HANDLERS.items():
        _monitoring.register_callback(_TOOL, event, handler)
        mask |= event
    _monitoring.restart_events()
    if limit > 0:
        _monitoring.set_events(_TOOL, mask)
    else:
        buffer.append('{"event":"truncated"}')


def stop() -> None:
    """Trace no more, and hand over what is left."""
    if not state.active:
        return
    state.active = False
    if _monitoring.get_tool(_TOOL) is not None:
        _monitoring.set_events(_TOOL, 0)
        _monitoring.free_tool_id(_TOOL)
    _endings.clear()
    if buffer:
        flush()
