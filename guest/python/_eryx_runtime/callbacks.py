"""Calls of the host's functions: from the arguments to the answer.

A call is made at once, and its answer is waited for where the caller is: in the event loop, so that
only the task that awaits it stands still, or right here for synchronous code.
"""

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import os
import uuid
from asyncio import events, futures
from collections.abc import Mapping
from json import encoder as json_encoder
from typing import Any

import _eryx
from _eryx_runtime import tracing
from _eryx_runtime.numbers import (
    ANSWER_EXCEPTION,
    ANSWER_TIMEOUT,
    ANSWER_VALUE,
    CALL_LIMIT,
    CALL_TOO_LARGE,
)

_NO_END = -1
_ABANDONED = -1  # in place of a status

_Answer = tuple[int, int, str]


class CallbackError(RuntimeError):
    """The host's function raised an exception; its type is known by name only."""

    def __init__(self, message: str, host_type: str = "", host_message: str = "") -> None:
        super().__init__(message)
        self.host_type = host_type
        self.host_message = host_message


class CallbackLimitError(RuntimeError):
    """A limit of the sandbox does not allow another call."""


class CallbackNotFoundError(LookupError, RuntimeError):
    """The host has declared no function of that name."""


for _class in (CallbackError, CallbackLimitError, CallbackNotFoundError):
    _class.__module__ = "eryx"


# The calls that tasks wait for. What is not in here any more was given up; its answer is dropped.
open_calls: dict[int, futures.Future[_Answer]] = {}


class _Place:
    """Where a thread that stands still for a call finds its answer."""

    answer: _Answer | None = None


_standing: dict[int, _Place] = {}

# With several threads an answer may be taken by another one before who asked has said who it is;
# and of a call that was given up nobody wants it.
_early: dict[int, _Answer] = {}
_given_up: set[int] = set()

# ---- Arguments and answers ----------------------------------------------------------------------


def _plain(value: object) -> object:
    """What stands in JSON for a value of a type that callbacks can be annotated with."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (decimal.Decimal, uuid.UUID, os.PathLike)):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


# One encoder for all calls: the json module makes one for each. It notes the containers it is
# inside of, to find cycles.
_inside: dict[int, object] = {}
_encode = json_encoder.c_make_encoder(  # type: ignore[attr-defined]
    _inside, _plain, json_encoder.encode_basestring, None, ":", ",", False, False, False
)
_encode_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain).encode
_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
_scan = _decoder.scan_once  # type: ignore[attr-defined]
_join = "".join
_call = _eryx.call
_wait = _eryx.wait
_watch = _eryx.watch_answers
_poke = _eryx.poke
_thread_count = _eryx.thread_count
_running_loop = events._get_running_loop


def _start(name: str, arguments: Mapping[str, object]) -> int:
    """Ask the host for the call; gives its id."""
    try:
        text = _join(_encode(arguments, 0))
    except BaseException:
        _inside.clear()
        raise
    if tracing.buffer:
        tracing.flush()
    try:
        identity = _call(name, text)
    except UnicodeEncodeError:  # half of a surrogate pair
        identity = _call(name, _encode_ascii(arguments))
    if identity > 0:
        return identity
    if identity == CALL_LIMIT:
        raise CallbackLimitError(
            f"callback {name!r} was not called: the limit max_callback_invocations is reached"
        )
    if identity == CALL_TOO_LARGE:
        raise ValueError(
            f"callback {name!r} was not called: its arguments are larger than the limit"
            f" max_callback_bytes ({len(text)} characters of JSON), hold too many values or are"
            " nested too deeply"
        )
    raise CallbackLimitError(
        f"callback {name!r} was not called: too many calls are open, or what they hold is larger"
        " than the limit max_pending_callback_bytes"
    )


def _result(name: str, answer: _Answer) -> Any:
    _, status, text = answer
    if status == ANSWER_VALUE:
        try:
            value, end = _scan(text, 0)
            return value if end == len(text) else _decoder.decode(text)
        except (ValueError, StopIteration) as error:
            reason = str(error) or "no value"
        raise CallbackError(f"callback {name!r} gave an answer that is not JSON: {reason}")
    if status == ANSWER_EXCEPTION:
        host_type, _, message = text.partition("\0")
        full = f"{host_type}: {message}" if message else host_type
        if host_type == "ToolError":
            full = message or host_type
        raise CallbackError(full, host_type, message)
    if status == ANSWER_TIMEOUT:
        raise TimeoutError(f"callback {name!r} timed out after {text} ms")
    if status == _ABANDONED:
        raise CallbackError("the run that made the call has ended")
    raise MemoryError(f"no memory for the answer of callback {name!r}")


# ---- Waiting ------------------------------------------------------------------------------------


def _set_result(future: futures.Future[_Answer], answer: _Answer) -> None:
    if not future.done():
        future.set_result(answer)


def _deliver(answer: _Answer) -> None:
    """Wake who waits for the answer: a task, in whatever loop it is, or a thread."""
    identity = answer[0]
    future = open_calls.pop(identity, None)
    if future is not None:
        loop = future.get_loop()
        try:
            if loop is _running_loop() or not _thread_count():
                _set_result(future, answer)
            else:
                loop.call_soon_threadsafe(_set_result, future, answer)
        except RuntimeError:  # its loop is closed
            pass
        return
    place = _standing.pop(identity, None)
    if place is not None:
        place.answer = answer
        _poke()
    elif identity in _given_up:
        _given_up.remove(identity)
    elif _thread_count():
        _early[identity] = answer


def wait(timeout: float | None) -> None:
    """Sleep until a task's answer is there or the time is over, as the idle event loop does."""
    if timeout is None:
        timeout_ns = _NO_END
    else:
        timeout_ns = int(timeout * 1e9) + 1 if 0 < timeout < 1e9 else 0 if timeout <= 0 else _NO_END
    if tracing.buffer and timeout_ns:
        tracing.flush()
    for answer in _wait(timeout_ns):
        _deliver(answer)


def _stand(identity: int) -> _Answer:
    """Wait for an answer that any thread may be given."""
    place = _standing[identity] = _Place()
    own = None
    try:
        while True:
            _watch()  # what is delivered from here on ends the wait
            own = place.answer or _early.pop(identity, None)
            if own is not None:
                return own
            for answer in _wait(_NO_END):
                _deliver(answer)
    finally:
        if _standing.get(identity) is place:  # a later run may have a call of that number
            del _standing[identity]
            if own is None:
                _given_up.add(identity)


def call_and_wait(name: str, arguments: Mapping[str, object]) -> Any:
    """Call, and stand still until the answer is there; answers for tasks are kept for them."""
    identity = _start(name, arguments)
    own = None
    if _thread_count():
        return _result(name, _stand(identity))
    while own is None:
        for answer in _wait(_NO_END):
            if answer[0] == identity:
                own = answer
            else:
                _deliver(answer)
    return _result(name, own)


async def call(name: str, arguments: Mapping[str, object]) -> Any:
    """Call, and let other tasks run until the answer is there."""
    loop: Any = _running_loop()
    if loop is None:
        raise RuntimeError(f"callback {name!r} needs a running event loop, or .sync()")
    identity = _start(name, arguments)
    own = None
    if not (loop._ready or loop._scheduled):
        # Nothing else could run meanwhile: for an answer that is there already, no turn is needed.
        for answer in _wait(0):
            if answer[0] == identity:
                own = answer
            else:
                _deliver(answer)
    if own is None:
        future = loop.create_future()
        open_calls[identity] = future
        if identity in _early:
            _deliver(_early.pop(identity))
        try:
            own = await future
        except BaseException:
            if open_calls.pop(identity, None) is not None and _thread_count():
                _given_up.add(identity)
            raise
    return _result(name, own)


def abandon() -> None:
    """Fail the calls that an earlier run has left: their answers cannot come any more."""
    for future in list(open_calls.values()):
        if not future.done():
            try:
                future.set_exception(CallbackError("the run that made the call has ended"))
            except RuntimeError:
                pass
    open_calls.clear()
    for identity, place in _standing.items():
        place.answer = (identity, _ABANDONED, "")
    _standing.clear()
    _early.clear()
    _given_up.clear()
    _poke()
