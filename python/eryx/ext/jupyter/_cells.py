"""Runs cells in a session that keeps its state whatever happens, also if the user interrupts."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from eryx import CancelledError, Checkpoint, EryxError, ExecuteResult, ExecutionError, Session
from eryx.ext._shared import Ending

_UNDONE = "What the cell had done is undone: it could not be stopped otherwise."
_LOST = "All variables are lost: the cell could not be stopped otherwise."


def run(
    session: Session,
    code: str,
    *,
    write: Callable[[str, str], object],
    ask: Callable[[], str] | None,
    **options: Any,
) -> Ending:
    """Runs a cell.

    Args:
        session: Where.
        code: The cell.
        write: Gets ``stdout`` or ``stderr``, and text.
        ask: Gives a line for ``input()``, or raises; None for no input.
        **options: More of `Session.execute`.

    Returns:
        The result, or what ended it; a `CancelledError` if the user has interrupted it.
    """
    before = _checkpoint(session)
    try:
        with _interrupts(session):
            return session.execute(
                code,
                stdin=None if ask is None else lambda: _line(session, ask),
                on_stdout=lambda text: write("stdout", text),
                on_stderr=lambda text: write("stderr", text),
                **options,
            )
    except EryxError as error:
        note = _keep_going(session, before)
        if note:
            write("stderr", f"{note}\n")
        return error


def _checkpoint(session: Session) -> Checkpoint | None:
    try:
        return session.checkpoint()
    except (EryxError, ValueError):  # it has threads
        return None


def _keep_going(session: Session, before: Checkpoint | None) -> str:
    """Gets a state again if the run had to be given up; says what that means, or nothing."""
    try:
        session.execute("")
    except EryxError:
        if before is not None:
            session.rollback(before)
            return _UNDONE
        session.reset()
        return _LOST
    return ""


@contextlib.contextmanager
def _interrupts(session: Session) -> Iterator[None]:
    """An interrupt ends the run, but not its session."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, lambda number, frame: session.cancel())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _line(session: Session, ask: Callable[[], str]) -> str | None:
    """A line of the user; None if there is none."""
    ours = None
    if threading.current_thread() is threading.main_thread():
        ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return ask()
    except KeyboardInterrupt:
        session.cancel()
        return None
    except Exception:  # a frontend that cannot ask, or an end
        return None
    finally:
        if ours is not None:
            signal.signal(signal.SIGINT, ours)


def value_of(result: ExecuteResult) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The value of the last expression in all its kinds of data, and what is said of them."""
    if result.value_repr is None:
        return None
    last = result.display[-1] if has_rich_value(result) else None
    data = {} if last is None else dict(last.mime)
    return {**data, "text/plain": result.value_repr}, {} if last is None else last.metadata


def has_rich_value(result: ExecuteResult) -> bool:
    """Whether the last display is that of the value."""
    if result.value_repr is None or not result.display:
        return False
    return bool(result.display[-1].mime.get("text/plain") == result.value_repr)


def error_of(error: EryxError) -> tuple[str, str, list[str]]:
    """Name, text and traceback of an error, as Jupyter has them."""
    lines = str(error).rstrip("\n").split("\n")
    if isinstance(error, CancelledError):
        return "KeyboardInterrupt", "", [*lines[:-1], "KeyboardInterrupt"]
    if isinstance(error, ExecutionError) and error.exc_type:
        return error.exc_type, error.exc_message, lines
    return type(error).__name__, lines[-1], lines
