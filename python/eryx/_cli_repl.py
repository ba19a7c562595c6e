"""The prompt of the command: statements are run in a session, one after the other."""

from __future__ import annotations

import argparse
import os
import signal

import eryx
from eryx import (
    _cli_colors,
    _cli_editor,
    _cli_factory,
    _cli_files,
    _cli_options,
    _cli_streams,
    _run_options,
)
from eryx._errors import CancelledError, EryxError, ExecutionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from eryx._session import Checkpoint, Session

EXIT_OK = 0
EXIT_FAILURE = 1

_BANNER = "eryx {}: Python 3.14 in a sandbox. exit() or Ctrl-D ends it, Ctrl-C what runs.\n"
_FILENAME = "<stdin>"


class _Exit(Exception):  # noqa: N818  (it is no error)
    """The program wants to leave."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Prompt:
    """A session and who types into it."""

    def __init__(self, session: Session, environment: dict[str, str], out: str | None) -> None:
        """environment: variables of each run; out: where files go that they leave."""
        self._out = out
        self._session = session
        self._environment = environment
        self._begun = True  # the next output begins a line
        self._coloured = _cli_colors.wanted(2)
        self._stdin = _cli_streams.standard_input()

    def run(self) -> int:
        """Reads and runs until the end. Returns the exit code."""
        editor = _cli_editor.editor(lambda: self._session)
        self._write(2, _BANNER.format(eryx.__version__).encode())
        while True:
            try:
                source = editor.read()
            except EOFError:
                self._write(1, b"\n")
                return EXIT_OK
            except KeyboardInterrupt:
                self._write(2, b"\nKeyboardInterrupt\n")
                continue
            if not source.strip():
                continue
            try:
                self._execute(source)
            except _Exit as error:
                return error.code & 0xFF
            self._begin_line()

    def _execute(self, source: str) -> None:
        """Runs a statement. Raises _Exit."""
        session = self._session
        before = self._checkpoint()
        own = _run_options.given(
            session._request,
            None,
            self._environment,
            *(None, None, None),
            _FILENAME,
            ...,
            None,
            interactive=True,
        )
        own.request.on_output = self._write
        usual = signal.signal(signal.SIGINT, self._stop)
        try:
            result = session._execute(source, self._stdin, (), None, own=own)
        except EryxError as error:
            self._keep_files(error)
            self._tell(error)
            self._keep_going(before)
        else:
            self._keep_files(result)
            self._show(result)
        finally:
            signal.signal(signal.SIGINT, usual)

    def _stop(self, signal_number: int, frame: FrameType | None) -> None:
        """Ends the run, but not its session."""
        self._session.cancel()

    def _checkpoint(self) -> Checkpoint | None:
        try:
            return self._session.checkpoint()
        except (EryxError, ValueError):  # it has threads
            return None

    def _keep_going(self, before: Checkpoint | None) -> None:
        """Gets a state again if the run had to be given up in the middle."""
        try:
            self._session.execute("")
        except EryxError:
            if before is None:
                self._session.reset()
                _cli_streams.complain("the state is lost: the run could not be stopped otherwise")
            else:
                self._session.rollback(before)
                _cli_streams.complain("what the run had done is undone: it could not be stopped")

    def _write(self, stream: int, data: bytes) -> None:
        if data:
            self._begun = data.endswith(b"\n")
        _cli_streams.write(stream, data)

    def _keep_files(self, run: eryx.ExecuteResult | EryxError) -> None:
        if self._out is not None:
            _cli_files.keep(run, self._out)

    def _begin_line(self) -> None:
        """Goes on to the next line, unless the cursor is at the start of one.

        It is if what the program asked for was typed and ended with Enter. So many spaces as a line
        has lead to the next one from anywhere but the start.
        """
        if self._begun:
            return
        self._begun = True
        if os.isatty(1) and os.environ.get("TERM", "dumb") != "dumb":
            spaces = " " * os.get_terminal_size(1).columns
            _cli_streams.write_as_it_is(1, f"{spaces}\r\x1b[K".encode())
        else:
            _cli_streams.write_as_it_is(1, b"\n")

    def _show(self, result: eryx.ExecuteResult) -> None:
        """Tells of what a terminal cannot show."""
        for display in result.display:
            if display.text:
                self._write(1, f"{display.text}\n".encode())

    def _tell(self, error: EryxError) -> None:
        if isinstance(error, ExecutionError):
            if error.exc_type == "SystemExit":
                raise _Exit(int(error.exc_message or 0))
            if error.exit_code:  # os._exit()
                raise _Exit(error.exit_code)
        text = str(error).rstrip("\n")
        if isinstance(error, CancelledError):
            text = "\n".join((*text.split("\n")[:-1], "KeyboardInterrupt"))
        self._begin_line()
        text = _cli_streams.visible(text)
        if self._coloured:
            text = _cli_colors.traceback(text)
        _cli_streams.write_as_it_is(2, f"{text}\n".encode("utf-8", "backslashreplace"))
        self._begun = True


def run(options: argparse.Namespace) -> int:
    """The prompt, as the options have it. Returns the exit code."""
    session = _cli_factory.create_session(options, **_cli_options.sandbox_options(options))
    with session:
        return Prompt(session, _cli_options.environment(options), options.out).run()
