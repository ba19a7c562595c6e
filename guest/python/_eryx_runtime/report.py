"""What the host is told about the end of a program."""

import json
import sys
import traceback
from types import TracebackType

import _eryx
from _eryx_runtime import callbacks, namespaces, processes

# enum report_field
_RESULT_JSON = 1
_RESULT_ERROR = 2
_EXCEPTION_TYPE = 3
_EXCEPTION_MESSAGE = 4
_TRACEBACK = 5

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False).encode
_builtin_hook = sys.__excepthook__
_format_limit = traceback.BUILTIN_EXCEPTION_LIMIT  # type: ignore[attr-defined]
_TracebackException = traceback.TracebackException
_CALLING = frozenset(
    function.__code__.co_filename
    for function in (callbacks.call, namespaces.list_callbacks, processes.refuse)
)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _write_error(text: str) -> None:
    """Write to the program's sys.stderr, or past it if that is broken."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except Exception:
        _eryx.write_error(_bytes(text))


def _type_name(exception_class: type[BaseException]) -> str:
    """The name as the last line of a traceback has it."""
    name = exception_class.__qualname__
    module = exception_class.__module__
    return name if module in ("__main__", "builtins") else f"{module}.{name}"


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception:
        return "<exception str() failed>"


def _format(exception: BaseException) -> str:
    try:
        lines = _TracebackException(
            type(exception),
            exception,
            exception.__traceback__,
            limit=_format_limit,
            compact=True,
        ).format()
        return "".join(lines)
    except Exception as error:
        # Too deep or too large to be shown: what is left is the last line.
        reason = _type_name(type(error))
        return (
            f"Traceback (most recent call last):\n  <not shown: {reason}>\n"
            f"{_type_name(type(exception))}: {_message(exception)}\n"
        )


def _strip(exception: BaseException, files: frozenset[str]) -> None:
    """Take the runtime's own frames off both ends of the traceback."""
    entry: TracebackType | None = exception.__traceback__
    while entry is not None and entry.tb_frame.f_code.co_filename in files:
        entry = entry.tb_next
    exception.__traceback__ = entry
    while entry is not None:
        following = entry.tb_next
        if following is not None and following.tb_frame.f_code.co_filename in _CALLING:
            entry.tb_next = None  # a call of the host failed, which is where the program called it
            return
        entry = following


def write_exit_text(code: object) -> None:
    """Print what SystemExit was given in place of a number."""
    try:
        text = str(code)
    except Exception:
        text = ""
    _write_error(text + "\n")


def exception(exception: BaseException, runtime_files: frozenset[str], keep: bool) -> None:
    """Print an uncaught exception as CPython does, and report it."""
    _strip(exception, runtime_files)
    if exception.__context__ is not None:
        _strip(exception.__context__, runtime_files)
    exception_class = type(exception)
    if keep:
        sys.last_exc = exception
    text = _format(exception)
    _eryx.report(_EXCEPTION_TYPE, _bytes(_type_name(exception_class)))
    _eryx.report(_EXCEPTION_MESSAGE, _bytes(_message(exception)))
    _eryx.report(_TRACEBACK, _bytes(text))
    try:
        sys.stdout.flush()
    except Exception:
        pass
    hook = getattr(sys, "excepthook", None)
    if hook is _builtin_hook:
        _write_error(text)
        return
    if hook is None:
        _write_error("sys.excepthook is missing\n" + text)
        return
    try:
        hook(exception_class, exception, exception.__traceback__)
    except Exception as error:
        entry = error.__traceback__
        error.__traceback__ = None if entry is None else entry.tb_next
        error.__context__ = None
        _write_error(f"Error in sys.excepthook:\n{_format(error)}\nOriginal exception was:\n{text}")


def result(value: object) -> None:
    """Report the value of the result variable as JSON, or why it has none."""
    try:
        try:
            data = _encode(value).encode()
        except UnicodeEncodeError:
            data = _encode_ascii(value).encode()
    except Exception as error:
        kind = type(value).__name__
        why = _message(error) or _type_name(type(error))
        if kind not in why.split():
            why = f"{why} ({kind})"
        _eryx.report(_RESULT_ERROR, _bytes(f"result is not JSON-serializable: {why}"))
    else:
        _eryx.report(_RESULT_JSON, data)
