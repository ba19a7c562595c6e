"""Reads what somebody types at a prompt: with prompt_toolkit, readline, or as it comes.

Histories are kept in the user's state folder, in files that only the user can read.
"""

from __future__ import annotations

import os
import re
import sys

from eryx import _cli_colors
from eryx._interactive import completions, is_complete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from eryx._session import Session

    class Editor(Protocol):
        """Gives statements, one after the other."""

        def read(self) -> str:
            """The next statement. Raises EOFError at the end, KeyboardInterrupt for Ctrl-C."""


_PROMPT, _MORE = ">>> ", "... "
_INDENT = "    "
_HISTORY_LENGTH = 10_000


def editor(session: Callable[[], Session]) -> Editor:
    """The best there is here. session: gives the session whose names are completed."""
    if os.environ.get("TERM", "dumb") != "dumb" and os.isatty(1):
        try:
            return _toolkit_editor(session)
        except ImportError:
            return _ReadlineEditor(session)
    return _LineEditor()


def _history_file(kind: str) -> str | None:
    """Where a history is; None if there can be none."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = os.path.join(base, "eryx", kind)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError:
        return None
    return path


class _LineEditor:
    """Lines as they come, until they are a statement."""

    def read(self) -> str:
        """The next statement."""
        lines: list[str] = []
        while True:
            lines.append(self._line(_MORE if lines else _PROMPT))
            source = "\n".join(lines)
            if not source.strip() or is_complete(source) != "incomplete":
                return source

    def _line(self, prompt: str) -> str:
        return input(prompt)


class _ReadlineEditor(_LineEditor):
    """Lines with the editing, history and completion of readline, if Python has it."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session
        self._found: list[str] = []
        self._coloured = _cli_colors.wanted(1)
        try:
            import readline
        except ImportError:
            return
        self._set_up(readline)

    def _set_up(self, readline: Any) -> None:
        import atexit

        self._readline = readline
        readline.set_completer(self._complete)
        readline.set_completer_delims(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?")
        is_editline = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if is_editline else "tab: complete")
        path = _history_file("history")
        if path is not None:
            try:
                readline.read_history_file(path)
            except OSError:
                pass  # there is none yet, or it is another library's
            readline.set_history_length(_HISTORY_LENGTH)
            atexit.register(self._write_history, path)

    def _write_history(self, path: str) -> None:
        try:
            self._readline.write_history_file(path)
        except OSError:
            pass

    def _line(self, prompt: str) -> str:
        if self._coloured:
            # What readline is not to count for the width stands between \1 and \2.
            prompt = re.sub("(\x1b\\[[0-9;]*m)", "\1\\1\2", _cli_colors.prompt(prompt))
        return input(prompt)

    def _complete(self, text: str, state: int) -> str | None:
        """What readline calls, with 0, 1, 2 and so on until there is no more."""
        if state == 0:
            line = self._readline.get_line_buffer()[: self._readline.get_endidx()]
            if not line.strip():
                self._found = [_INDENT]
            else:
                self._found = completions(self._session(), line)[1]
        return self._found[state] if state < len(self._found) else None


def _toolkit_editor(session: Callable[[], Session]) -> Editor:
    """Statements as a whole, which can be edited as one. Raises ImportError."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.formatted_text import ANSI
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.output import ColorDepth

    class Names(Completer):
        def get_completions(self, document: Any, complete_event: Any) -> Any:
            line = document.current_line_before_cursor
            begin, names = completions(session(), line)
            for name in names:
                yield Completion(name, start_position=begin - len(line))

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: Any) -> None:
        """Ends the statement if it is one, and begins a line of it otherwise."""
        buffer = event.current_buffer
        document = buffer.document
        text = document.text
        is_last = not document.text_after_cursor.strip()
        if is_last and not document.current_line.strip() and "\n" in text:
            text = f"{text.rstrip()}\n"  # the empty line that ends a block
        if is_last and (not text.strip() or is_complete(text) != "incomplete"):
            buffer.validate_and_handle()
            return
        line = document.current_line_before_cursor
        indent = line[: len(line) - len(line.lstrip())]
        if line.rstrip().endswith(":"):
            indent += _INDENT
        buffer.insert_text("\n" + indent)

    @keys.add("tab")
    def _(event: Any) -> None:
        """Indents at the start of a line, and completes behind something."""
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text(_INDENT)
        elif buffer.complete_state:
            buffer.complete_next()
        else:
            buffer.start_completion(insert_common_part=True)

    coloured = _cli_colors.wanted(1)

    def shown(prompt: str) -> Any:
        return ANSI(_cli_colors.prompt(prompt)) if coloured else prompt

    path = _history_file("statements")
    asking: PromptSession[str] = PromptSession(
        shown(_PROMPT),
        multiline=True,
        prompt_continuation=lambda *_: shown(_MORE),
        completer=Names(),
        complete_while_typing=False,
        history=InMemoryHistory() if path is None else FileHistory(path),
        enable_history_search=True,
        key_bindings=keys,
        color_depth=None if coloured else ColorDepth.DEPTH_1_BIT,
    )

    class ToolkitEditor:
        def read(self) -> str:
            return asking.prompt().rstrip()

    return ToolkitEditor()


def hint() -> str:
    """What would make typing easier; empty if all is there."""
    from importlib.util import find_spec

    if find_spec("prompt_toolkit") is None and "readline" not in sys.modules:
        return "pip install 'eryx-sandbox[repl]' brings editing of whole statements"
    return ""
