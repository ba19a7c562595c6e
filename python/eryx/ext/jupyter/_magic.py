"""The magic ``%%eryx``, for notebooks whose own Python is another one."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from eryx import EryxError, ExecuteResult, Session
from eryx._cli_options import _duration
from eryx.ext.jupyter import _cells

_USAGE = "%%eryx [SESSION] [--in NAME,...] [--out NAME] [--timeout TIME] [--reset]"


class CellError(Exception):
    """A cell in a sandbox has failed; notebooks show the traceback of the sandbox."""

    def __init__(self, error: EryxError) -> None:
        """error: what ended the run."""
        self.name, self.text, self._lines = _cells.error_of(error)
        super().__init__(f"{self.name}: {self.text}")

    def _render_traceback_(self) -> list[str]:
        return self._lines


class _Value:
    """The value of a cell, as the sandbox shows it."""

    def __init__(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self._data = data
        self._metadata = metadata

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._data, self._metadata

    def __repr__(self) -> str:
        return str(self._data["text/plain"])


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; usage: {_USAGE}")


@magics_class
class EryxMagics(Magics):
    """``%%eryx`` runs a cell in a session, and ``%eryx`` a line."""

    def __init__(self, shell: Any = None) -> None:
        """shell: of IPython."""
        super().__init__(shell)
        self.sessions: dict[str, Session] = {}
        """By name; sessions of one's own, such as with a network, may be put here."""
        self._parser = _Arguments(prog="%%eryx", add_help=False, allow_abbrev=False)
        self._parser.add_argument("session", nargs="?", default="default")
        self._parser.add_argument("--in", dest="inputs", default="")
        self._parser.add_argument("--out")
        self._parser.add_argument("--timeout", type=_duration)
        self._parser.add_argument("--reset", action="store_true")

    @line_cell_magic
    def eryx(self, line: str, cell: str | None = None) -> Any:
        """Runs a cell in a sandbox: ``%%eryx [SESSION] [OPTIONS]``, or a line: ``%eryx CODE``.

        SESSION: whose variables the cell has; they stay. ``--in NAME,...``: variables of the
        notebook that it gets. ``--out NAME``: where the notebook gets its value. ``--timeout
        2s``. ``--reset``: begin with nothing.
        """
        words = [] if cell is None else shlex.split(line)
        options = self._parser.parse_args(words)
        session = self.sessions.get(options.session)
        if session is None:
            session = self.sessions[options.session] = Session()
        if options.reset:
            session.reset()
        names = [name.strip() for name in options.inputs.split(",") if name.strip()]
        namespace = self.shell.user_ns
        for name in names:
            if name not in namespace:
                raise UsageError(f"the notebook has no variable {name}")
        ending = _cells.run(
            session,
            line if cell is None else cell,
            write=lambda stream, text: getattr(sys, stream).write(text),
            ask=input,
            inputs={name: namespace[name] for name in names},
            timeout_ms=... if options.timeout is None else options.timeout,
            filename="<cell>",
        )
        return self._shown(ending, options.out)

    def _shown(self, ending: Any, out: str | None) -> Any:
        """Shows what a cell has shown; gives its value. Raises CellError."""
        displays = list(ending.display)
        value = None
        if isinstance(ending, ExecuteResult):
            value = _cells.value_of(ending)
            if _cells.has_rich_value(ending):
                displays.pop()
        for shown in displays:
            display(shown.mime, raw=True, metadata=shown.metadata)
        if isinstance(ending, EryxError):
            raise CellError(ending)
        if out is not None:
            self.shell.user_ns[out] = ending.value
            return None
        return None if value is None else _Value(*value)
