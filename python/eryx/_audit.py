"""What those who watch over programs are told: audit events of the interpreter, and loggers."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger
    from typing import Any

    from eryx._eryx import Core, Outcome

# So many lines of one kind a run may cause in a log; a program could fill a disk otherwise.
_MOST_LINES = 20
_MOST_CHARACTERS = 200

# Are told of what was refused besides; `eryx.instrument` adds to them.
on_refused_callback: list[Callable[[], object]] = []


def logger(name: str) -> Logger | None:
    """A logger below ``eryx``; None if nobody can have asked for it, not having imported logging.

    Logging takes longer to import than a short run.
    """
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    package = logging.getLogger("eryx")
    if not package.handlers:
        package.addHandler(logging.NullHandler())  # so that nothing is printed unasked
    found: Logger = logging.getLogger(name)
    return found


def log(name: str, level: str, message: str, *arguments: object) -> None:
    """Writes a line. level: name of a method of loggers. Raises nothing."""
    try:
        there = logger(name)
        if there is not None:
            getattr(there, level)(message, *arguments)
    except Exception:
        pass  # a filter of the caller is broken, which is not to harm the run


def audit(event: str, *arguments: object) -> None:
    """Raises an audit event. What a hook raises is reported: what it is about has been decided."""
    try:
        sys.audit(event, *arguments)
    except Exception as error:
        _report(error)


def _report(error: Exception) -> None:
    from eryx._eryx import deliver

    def raise_again(_stream: int, _data: object) -> None:
        raise error

    deliver(raise_again, 0, None)


def cut(text: str) -> str:
    """Text that a program may have chosen, for a line."""
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "..."


class _Lines:
    """The lines of one run; after some of them only their number is told."""

    def __init__(self) -> None:
        self._count = 0

    def write(self, level: str, message: str, *arguments: object) -> None:
        self._count += 1
        if self._count <= _MOST_LINES:
            log("eryx.network", level, message, *arguments)

    def end(self) -> None:
        if self._count > _MOST_LINES:
            log("eryx.network", "warning", "and %d more of this run", self._count - _MOST_LINES)


def audit_connections(rows: tuple[tuple[Any, ...], ...]) -> None:
    """Tells of what a run was refused, and of the secrets that it used, by their names.

    rows: as an Outcome has them.
    """
    from eryx._network import connections_of

    lines = _Lines()
    for connection in connections_of(rows):
        where = connection.host, connection.address, connection.port
        if connection.refused is not None:
            audit("eryx.connection.refused", *where, connection.refused)
            shown = cut(connection.host), connection.port, cut(connection.refused)
            lines.write("warning", "connection to %r port %d refused: %r", *shown)
        for name in connection.secrets:
            audit("eryx.secret.used", name, *where)
            lines.write("info", "secret %r sent to %r", name, cut(connection.host))
        if connection.secret_refused is not None:
            audit("eryx.secret.refused", *where, connection.secret_refused)
            lines.write("warning", "secret refused: %r", cut(connection.secret_refused))
    lines.end()


def audit_outcome(outcome: Outcome) -> None:
    """The same of an outcome; done by the one who has run the guest, and by `Core.run` itself."""
    if outcome.connections:
        audit_connections(outcome.connections)


def audit_abandoned(core: Core) -> None:
    """The same for a run that is given up, from which no result will come."""
    try:
        so_far: Any = getattr(core, "connections", tuple)
        rows = so_far()
    except Exception:
        return  # another thread has it, or it went with its worker
    audit_connections(rows)


def audit_callback(name: str, reason: str) -> None:
    """Tells of a call that was refused. reason: for people."""
    name = cut(name)
    audit("eryx.callback.refused", name, reason)
    log("eryx.callbacks", "warning", "callback %r refused: %s", name, reason)
    for told in tuple(on_refused_callback):
        told()
