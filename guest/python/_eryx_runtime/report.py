"""What the host is told about the end of a program."""

import json
import linecache
import opcode
import sys
import traceback
from types import TracebackType

import _eryx
from _eryx_runtime import callbacks, displays, namespaces, pending, processes, streams
from _eryx_runtime.numbers import (
    REPORT_EXCEPTION_MESSAGE,
    REPORT_EXCEPTION_TYPE,
    REPORT_RESULT_ERROR,
    REPORT_RESULT_JSON,
    REPORT_TRACEBACK,
    REPORT_VALUE_JSON,
    REPORT_VALUE_REPR,
)

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False).encode
_FRAMES_SHOWN = 20  # where not all can be shown
_MIB = 1 << 20

_RAISE = opcode.opmap["RAISE_VARARGS"]
_builtin_hook = sys.__excepthook__
_walk_traceback = traceback.walk_tb
_StackSummary = traceback.StackSummary
_format_limit = traceback.BUILTIN_EXCEPTION_LIMIT  # type: ignore[attr-defined]
_TracebackException = traceback.TracebackException
_CALLING = frozenset(
    function.__code__.co_filename
    for function in (
        callbacks.call,
        namespaces.list_callbacks,
        pending.as_bytes,
        processes.refuse,
        streams.install,  # of what waits for input
    )
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
        return _format_shortly(exception, _message(exception), _type_name(type(error)))


def _format_shortly(exception: BaseException, message: str, reason: str) -> str:
    """Without what is too deep or too large to be shown, such as other exceptions."""
    header = "Traceback (most recent call last):\n"
    places = list(_walk_traceback(exception.__traceback__))[-_FRAMES_SHOWN:]
    try:
        lines = "".join(_StackSummary.extract(iter(places)).format())
    except Exception:
        lines = "".join(
            f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n'
            for frame, line in places
        )
    last = f"{_type_name(type(exception))}: {message}\n"
    return f"{header}{lines}  <not shown in full: {reason}>\n{last}"


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


def _is_of_statement(error: BaseException) -> bool:
    """Whether a raise statement of the program made it, and not the interpreter."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    return entry is not None and entry.tb_frame.f_code.co_code[entry.tb_lasti] == _RAISE


def _name_limit(error: BaseException) -> None:
    """Let a MemoryError of the interpreter say how much memory there may be."""
    if type(error) is MemoryError and not _is_of_statement(error):
        limit = _eryx.memory_limit()
        size = f"{limit // _MIB} MiB" if limit % _MIB == 0 else f"{limit} bytes"
        message = str(error.args[0]) if error.args else "out of memory"
        error.args = (f"{message.rstrip('.')}, the limit is {size}",)


def _advise(error: BaseException) -> None:
    """Let what says that a module is missing say as well where it may come from."""
    if type(error) is not ModuleNotFoundError or getattr(error, "__notes__", None):
        return
    try:
        from _eryx_runtime import missing

        text = missing.advice(error)
        if text is not None:
            error.add_note(text)
    except Exception:
        pass  # a program may have broken what this takes


def forget_exceptions() -> None:
    """Let go of what sys holds of earlier exceptions, with all variables of their frames."""
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        sys.__dict__.pop(name, None)


def write_exit_text(code: object) -> None:
    """Print what SystemExit was given in place of a number."""
    try:
        text = str(code)
    except Exception:
        text = ""
    _write_error(text + "\n")


def exit_of_prompt(code: int) -> None:
    """Report SystemExit as an exception, with the code as its text."""
    _eryx.report(REPORT_EXCEPTION_TYPE, b"SystemExit")
    _eryx.report(REPORT_EXCEPTION_MESSAGE, b"%d" % code)


def exception(
    exception: BaseException, runtime_files: frozenset[str], *, keep: bool, show: bool
) -> None:
    """Print an uncaught exception as CPython does, and report it.

    keep: whether there is memory to keep it as sys.last_exc, and what was read to show it.
    show: whether to print it, if nothing but the interpreter would.
    """
    _strip(exception, runtime_files)
    if exception.__context__ is not None:
        _strip(exception.__context__, runtime_files)
    exception_class = type(exception)
    if keep:
        sys.last_exc = exception
    _name_limit(exception)
    _advise(exception)
    name = _type_name(exception_class)
    loaded = frozenset(linecache.cache)
    try:
        text = _format(exception)
        parts = _bytes(name), _bytes(_message(exception)), _bytes(text)
    except MemoryError as error:
        message = "<not shown: it is too large>"
        text = _format_shortly(exception, message, _type_name(type(error)))
        parts = _bytes(name), _bytes(message), _bytes(text)
    if not keep:
        for file in frozenset(linecache.cache) - loaded:
            del linecache.cache[file]
    for field, data in zip(
        (REPORT_EXCEPTION_TYPE, REPORT_EXCEPTION_MESSAGE, REPORT_TRACEBACK), parts, strict=True
    ):
        _eryx.report(field, data)
    try:
        sys.stdout.flush()
    except Exception:
        pass
    hook = getattr(sys, "excepthook", None)
    if hook is _builtin_hook:
        if show:
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


def _as_json(value: object) -> bytes:
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape
        return _encode_ascii(value).encode()


def result(value: object) -> None:
    """Report the value of the result variable as JSON, or why it has none."""
    try:
        data = _as_json(value)
    except Exception as error:
        kind = type(value).__name__
        why = _message(error) or _type_name(type(error))
        if kind not in why.split():
            why = f"{why} ({kind})"
        _eryx.report(REPORT_RESULT_ERROR, _bytes(f"result is not JSON-serializable: {why}"))
    else:
        _eryx.report(REPORT_RESULT_JSON, data)


def value(value: object) -> None:
    """Report the value of the last expression: as JSON if that can hold it, and as text."""
    try:
        _eryx.report(REPORT_VALUE_JSON, _as_json(value))
    except Exception:
        pass
    _eryx.report(REPORT_VALUE_REPR, _bytes(displays.text_of(value)))
    displays.show_value(value)
