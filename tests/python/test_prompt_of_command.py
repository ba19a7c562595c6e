"""The prompt of the command, on a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import eryx
from eryx._interactive import completions, is_complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>]|\][^\x07]*\x07)")
# The three ways to read what is typed.
EDITORS = ("prompt_toolkit", "readline", "plain")


class Terminal:
    """The command on a terminal of its own, and what it has written there."""

    def __init__(self, editor: str, home: Path, *options: str) -> None:
        self._primary, secondary = pty.openpty()
        hide = "sys.modules['prompt_toolkit'] = None; " if editor == "readline" else ""
        code = f"import sys; {hide}from eryx._cli import main; sys.exit(main())"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *options],
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            start_new_session=True,
            preexec_fn=_take_terminal,
            env={
                **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
                "TERM": "dumb" if editor == "plain" else "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "XDG_STATE_HOME": str(home),
                "COLUMNS": "100",
            },
        )
        os.close(secondary)
        self.raw = ""
        self._seen = 0

    def expect(self, pattern: str, timeout_s: float = 30) -> str:
        """Waits until the text behind what was waited for before has the pattern; gives it."""
        end = time.monotonic() + timeout_s
        while True:
            text = ESCAPES.sub("", self.raw).replace("\r", "")
            found = re.search(pattern, text[self._seen :], re.DOTALL | re.MULTILINE)
            if found:
                start, self._seen = self._seen, self._seen + found.end()
                return text[start : self._seen]
            if time.monotonic() > end or not self._take(end - time.monotonic()):
                raise AssertionError(f"no {pattern!r} in {text[self._seen :]!r}")

    def _take(self, timeout_s: float) -> bool:
        if not select.select([self._primary], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self._primary, 65536)
        except OSError:  # the other side is closed
            return False
        self.raw += data.decode("utf-8", "replace")
        return bool(data)

    def type(self, text: str) -> None:
        os.write(self._primary, text.encode())

    def enter(self, *lines: str) -> None:
        """Types lines, each when the one before was taken."""
        for line in lines:
            self.type(line)
            if line:
                self.expect(re.escape(line.strip()[-8:]))
            self.type("\r")

    def end(self) -> int:
        """Waits for the end; gives the exit code."""
        while self._take(20):
            pass
        return self._process.wait(timeout=20)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._primary)


def _take_terminal() -> None:
    """In the new process: its terminal is the one that Ctrl-C comes from."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts the command with an editor and options, and waits for the first prompt."""
    made: list[Terminal] = []

    def started(editor: str, *options: str) -> Terminal:
        terminal = Terminal(editor, tmp_path, *options)
        made.append(terminal)
        terminal.expect("in a sandbox.*>>> ")
        return terminal

    yield started
    for terminal in made:
        terminal.close()


@pytest.mark.parametrize("editor", EDITORS)
class TestPrompt:
    def test_function_error_and_interrupt(
        self, start: Callable[..., Terminal], editor: str
    ) -> None:
        """A function of several lines, an exception in it, Ctrl-C, and what was there before."""
        terminal = start(editor)
        indent = "" if editor == "prompt_toolkit" else "    "
        terminal.enter("def area(radius):")
        terminal.expect(r"\.\.\. ")
        terminal.enter(f"{indent}return 3 * radius ** 2")
        terminal.expect(r"\.\.\. ")
        terminal.enter("")
        terminal.expect(">>> ")
        terminal.enter("[area(n) for n in range(4)]")
        terminal.expect(r"^\[0, 3, 12, 27\]\n")
        terminal.expect(">>> ")
        terminal.enter("area('two')")
        text = terminal.expect("TypeError: unsupported.*>>> ")
        assert 'File "<stdin>", line 2, in area' in text
        assert "radius ** 2" in text
        assert ("\x1b[1;35mTypeError" in terminal.raw) == (editor != "plain")
        terminal.enter("import time; print('running'); time.sleep(60)")
        terminal.expect("^running")
        terminal.type("\x03")
        terminal.expect("^KeyboardInterrupt\n.*>>> ")
        terminal.enter("area(1)")
        terminal.expect("^3\n.*>>> ")
        terminal.type("\x04")
        assert terminal.end() == 0

    def test_values(self, start: Callable[..., Terminal], editor: str) -> None:
        terminal = start(editor)
        terminal.enter("6 * 7")
        terminal.expect("^42\n.*>>> ")
        terminal.enter("_ + 1")
        terminal.expect("^43\n.*>>> ")
        terminal.enter("None; 'text'")
        terminal.expect("^'text'\n.*>>> ")
        terminal.enter("import asyncio; await asyncio.sleep(0, 'slept')")
        terminal.expect("^'slept'\n.*>>> ")
        terminal.enter("exit(3)")
        assert terminal.end() == 3

    def test_exit_without_a_code(self, start: Callable[..., Terminal], editor: str) -> None:
        terminal = start(editor)
        terminal.enter("exit()")
        assert terminal.end() == 0

    def test_exit_with_a_text(self, start: Callable[..., Terminal], editor: str) -> None:
        terminal = start(editor)
        terminal.enter("raise SystemExit('farewell')")
        terminal.expect("^farewell\n")
        assert terminal.end() == 1

    def test_input(self, start: Callable[..., Terminal], editor: str) -> None:
        terminal = start(editor)
        terminal.enter("name = input('who? ')")
        terminal.expect("who\\? $")
        terminal.type("Ada\r")
        terminal.expect(">>> ")
        terminal.enter("name * 2")
        terminal.expect("^'AdaAda'\n")

    def test_limits_hold(self, start: Callable[..., Terminal], editor: str) -> None:
        terminal = start(editor, "--timeout", "300ms", "--memory", "64M")
        terminal.enter("kept = 5")
        terminal.expect(">>> ")
        terminal.enter("while True: pass", "")
        terminal.expect("Timeout.*>>> ")
        terminal.enter("bytearray(10**8)")
        terminal.expect("MemoryError: out of memory, the limit is 64 MiB.*>>> ")
        terminal.enter("kept + 1")
        terminal.expect("^6\n")


class TestState:
    def test_run_that_cannot_be_stopped_is_undone(self, start: Callable[..., Terminal]) -> None:
        terminal = start("plain")
        terminal.enter("x = 1")
        terminal.expect(">>> ")
        loop = "while True:\n try:\n  print('on')\n  while True: pass\n except BaseException: pass"
        terminal.enter(f"x = 2; exec({loop!r})")
        terminal.expect("^on\n")
        terminal.type("\x03")
        terminal.expect("KeyboardInterrupt.*undone.*>>> ")
        terminal.enter("x")
        terminal.expect("^1\n")

    def test_interrupt_at_the_prompt(self, start: Callable[..., Terminal]) -> None:
        terminal = start("prompt_toolkit")
        terminal.type("half a line")
        terminal.expect("a line")
        terminal.type("\x03")
        terminal.expect("KeyboardInterrupt.*>>> ")
        terminal.enter("1 + 1")
        terminal.expect("^2\n")

    def test_options(self, start: Callable[..., Terminal], tmp_path: Path) -> None:
        (tmp_path / "helpers.py").write_text("x = 42")
        terminal = start("plain", "-v", f"{tmp_path}:/lib:ro", "-e", "PYTHONPATH=/lib")
        terminal.enter("import helpers; helpers.x")
        terminal.expect("^42\n")

    def test_terminal_is_not_commanded(self, start: Callable[..., Terminal]) -> None:
        terminal = start("prompt_toolkit")
        terminal.enter(r"raise ValueError('\x1b]0;owned\x07')")
        terminal.expect(r"ValueError: \\x1b\]0;owned\\x07")

    def test_history(self, start: Callable[..., Terminal], tmp_path: Path) -> None:
        for editor in ("prompt_toolkit", "readline"):
            terminal = start(editor)
            terminal.enter("kept_in_history = 1")
            terminal.expect(">>> ")
            terminal.enter("exit()")
            assert terminal.end() == 0
            again = start(editor)
            again.type("\x1b[A\x1b[A")
            again.expect("kept_in_history = 1")
        for file in (tmp_path / "eryx").iterdir():
            assert file.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("editor", ["prompt_toolkit", "readline"])
    def test_completion(self, start: Callable[..., Terminal], editor: str) -> None:
        terminal = start(editor)
        terminal.enter("alphabet = 'abc'")
        terminal.expect(r"\n>>> \Z")
        terminal.type("alpha\t")
        terminal.expect("alphabet")
        terminal.type(".isid\t")
        terminal.expect(r"identifier\(\)")
        terminal.type("\r")
        terminal.expect("^True\n")


class TestCompleteness:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("x = 1", "complete"),
            ("", "complete"),
            ("def f():", "incomplete"),
            ("def f():\n  return 1", "incomplete"),
            ("def f():\n  return 1\n", "complete"),
            ("x = (1,", "incomplete"),
            ("'''text", "incomplete"),
            ("x = = 1", "invalid"),
            ("await f()", "complete"),
            ("x = 1\ny = 2", "complete"),
            ("t'{x}'", "complete"),  # newer than some Pythons that eryx runs on
            ("x = 1\0", "invalid"),
        ],
    )
    def test_source(self, source: str, expected: str) -> None:
        assert is_complete(source) == expected


class TestCompletions:
    def test_names_and_attributes(self) -> None:
        session = eryx.Session()
        session.execute("import json\nalphabet = 'abc'")
        assert completions(session, "f(alpha") == (2, ["alphabet"])
        assert "json.dumps(" in completions(session, "json.du")[1]
        assert "json.decoder" in completions(session, "import json.")[1]
        assert completions(session, "nothing_like_it")[1] == []

    def test_look_changes_nothing(self) -> None:
        session = eryx.Session()
        session.execute(
            "class A:\n def __getattr__(self, name): global x; x = 1; return 5\na = A()"
        )
        before = session.execute("sorted(globals())").value
        completions(session, "a.b.c")
        assert session.execute("sorted(globals())").value == before

    def test_session_with_threads(self) -> None:
        session = eryx.Session()
        session.execute(
            "import threading, time; alphabet = 1\n"
            "threading.Thread(target=time.sleep, args=[60], daemon=True).start()"
        )
        assert completions(session, "alpha")[1] == ["alphabet"]

    def test_endless_look(self) -> None:
        session = eryx.Session()
        session.execute("class A:\n def __dir__(self):\n  while True: pass\na = A()")
        assert completions(session, "a.b")[1] == []
        assert session.execute("1").value == 1
