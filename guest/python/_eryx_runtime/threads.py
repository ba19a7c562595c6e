"""Threads of a program: which of them the end of a run waits for, and what is said where all wait.

The threads themselves are CPython's own, over guest/threads.c.
"""

import json
import linecache
import sys
import threading
import time
from types import FrameType

import _eryx
from _eryx_runtime.numbers import (
    REPORT_THREAD_NAMES,
    REPORT_THREADS,
    THREAD_GOES_ON,
    THREAD_WAITS,
    THREAD_WAITS_ON,
)

_LIBRARY = ("/python-stdlib/", "<frozen ")
_NAMES_IN_MESSAGE = 10

_main = threading.main_thread()
_enumerate = threading.enumerate
_frames = sys._current_frames
_getline = linecache.getline
_now = time.monotonic
_sleep = time.sleep
_encode = json.JSONEncoder().encode
_report = _eryx.report
_state = _eryx.thread_state
_rest = _eryx.threads_rest
_stop = _eryx.stop_thread
count = _eryx.thread_count


def _others() -> list[threading.Thread]:
    return [thread for thread in _enumerate() if thread is not _main and thread.ident is not None]


# ---- Where they are -----------------------------------------------------------------------------


def _where(frame: FrameType | None) -> str:
    """Tell of the innermost frame that is not the library's, or of the innermost one."""
    shown = frame
    while shown is not None and shown.f_code.co_filename.startswith(_LIBRARY):
        shown = shown.f_back
    shown = shown or frame
    if shown is None:
        return "it has not begun"
    code = shown.f_code
    text = _getline(code.co_filename, shown.f_lineno, shown.f_globals).strip()
    where = f"line {shown.f_lineno} of {code.co_filename}, in {code.co_name}"
    return f"{where}: {text}" if text else where


def _names() -> dict[int, str]:
    return {thread.ident: thread.name for thread in _enumerate() if thread.ident is not None}


def deadlock_text() -> str:
    """Say where each thread waits, and for what."""
    if not count():
        return "all threads wait for each other: this is the only one, and would wait for ever"
    names = _names()
    lines = ["all threads wait for each other: this would wait for ever"]
    for identity, frame in sorted(_frames().items(), key=lambda item: item[0] != _main.ident):
        name = names.get(identity, f"thread {identity}")
        lines.append(f"  {name}: {_where(frame)}")
    return "\n".join(lines)


def install() -> None:
    """Have the wait that nothing could end raise that text."""
    _eryx.set_deadlock_text(deadlock_text)


# ---- The end of a run ---------------------------------------------------------------------------


def run_exit_functions() -> None:
    """Call what is to be called before the threads of a process are waited for."""
    functions = threading._threading_atexits  # type: ignore[attr-defined]
    while functions:
        functions.pop()()


def finish() -> None:
    """Wait for all threads but daemons, as the end of a process does."""
    run_exit_functions()
    for thread in _others():
        if not thread.daemon:
            thread.join()


def settle() -> None:
    """Wait for all threads but daemons, and but those that only a later run could wake."""
    while any(
        not thread.daemon and _state(thread.ident) in (THREAD_GOES_ON, THREAD_WAITS)
        for thread in _others()
    ):
        _rest()


def stop(timeout_ms: int | None = None) -> None:
    """Raise SystemExit in all other threads, and wait until they have ended."""
    deadline = None if timeout_ms is None else _now() + timeout_ms / 1000
    told: set[int] = set()
    while count() and (deadline is None or _now() < deadline):
        for identity in _frames():
            if identity not in told and identity != _main.ident:
                told.add(identity)
                _stop(identity, SystemExit)
        _rest()
        if deadline is not None and count():
            _sleep(0.001)


_WORDS = {THREAD_GOES_ON: "ready", THREAD_WAITS: "waiting", THREAD_WAITS_ON: "waiting for threads"}


def report() -> None:
    """Tell the host which threads are left."""
    frames = _frames()
    names = _names()
    daemons = {thread.ident: thread.daemon for thread in _enumerate()}
    found = []
    for identity, frame in frames.items():
        if identity == _main.ident:
            continue
        found.append(
            {
                "name": str(names.get(identity, f"thread {identity}"))[:1000],
                "daemon": bool(daemons.get(identity, True)),
                "state": _WORDS.get(_state(identity), "ready"),
                "where": _where(frame)[:1000],
            }
        )
    shown = [thread["name"] for thread in found[:_NAMES_IN_MESSAGE]]
    if len(found) > len(shown):
        shown.append(f"{len(found) - len(shown)} more")
    _report(REPORT_THREADS, _encode(found).encode())
    _report(REPORT_THREAD_NAMES, ", ".join(shown).encode("utf-8", "replace"))
