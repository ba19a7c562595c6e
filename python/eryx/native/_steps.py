"""The steps of a build: each has a name, what its programs say is logged, a terminal has a bar."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from eryx.native._errors import NativeModuleError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO, Self

_BAR_WIDTH = 24
_USUAL_WIDTH = 80  # of terminals that do not tell it
_SHOWN_CHARACTERS = 4000
_DRAW_EVERY_S = 0.1

# What Ninja and CMake's makefiles say of how far they are.
_OF_ALL = re.compile(rb"^\[ *(\d+)/(\d+)\]|^\[ *(\d+)%\]")

# What builds say of what they lack, and what helps.
_HINTS = (
    (
        r"fatal error: '?([\w./+-]+)'? file not found",
        "it wants the C library of {0}: build that for wasm32-wasi, and name its folder (with"
        " include and lib in it) with --prefix",
    ),
    (
        r"cc: -l([\w.+-]+): there is no",
        "it wants the C library {0}: build that for wasm32-wasi, and name its folder (with include"
        " and lib in it) with --prefix",
    ),
    (
        r"Dependency \"?([\w.+-]+)\"? not found|Could NOT find ([\w.+-]+)",
        "it wants {0}: build that for wasm32-wasi, and name its folder (with include and lib in it)"
        " with --prefix; or turn it off with --setup or --config",
    ),
    (
        r"cannot use '(?:throw|try)' with exceptions disabled",
        "leave --no-exceptions out",
    ),
    (
        r"No module named '?([\w.]+)'?",
        "its build takes the Python module {0}: install it, or leave --no-isolation out",
    ),
    (
        r"No matching distribution found for (\S+)",
        "pip finds no {0} for the Python that builds: choose another one with --python",
    ),
)


class Steps:
    """What a build is doing.

    label: the package, for messages and the bar; log: file that gets all output, made anew.
    Used in a `with` statement.
    """

    def __init__(self, label: str, log: Path) -> None:
        self.label = label
        self.log = log
        self._name = ""
        self._started = time.monotonic()
        self._drawn = 0.0
        self._visible = sys.stderr.isatty()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self.log.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the bar away."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def begin(self, name: str) -> None:
        """Goes on to the next step."""
        self._name = name
        self._write(f"==== {self.label}: {name}\n".encode())
        self._draw(None)

    def note(self, text: str) -> None:
        """Puts a line into the log."""
        self._write(f"{text}\n".encode())

    def error(self, reason: str) -> NativeModuleError:
        """An error of this step."""
        return NativeModuleError(f"{self.label}: {self._name}: {reason}")

    def run(
        self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str]
    ) -> None:
        """Runs a program of this step to its end.

        Raises NativeModuleError with the last that it said if it fails.
        """
        self.note(f"$ {' '.join(command)[:2000]}")
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise self.error(f"{command[0]}: {error.strerror}") from None
        said = b""
        assert process.stdout is not None
        try:
            for line in process.stdout:
                self._write(line)
                said = (said + line)[-2 * _SHOWN_CHARACTERS :]
                self._draw(line)
            code = process.wait()
        except BaseException:
            # A build has compilers for children.
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if code:
            raise self.error(self._failure(code, said.decode(errors="replace")))

    def _failure(self, code: int, said: str) -> str:
        lines = said.strip()[-_SHOWN_CHARACTERS:] or f"it ended with code {code} and said nothing"
        advice = hint(said)
        return "\n".join(
            [
                f"this failed:\n{lines}",
                *([f"What to do: {advice}."] if advice else []),
                f"All of what was said: {self.log}",
            ]
        )

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
            self._file.flush()

    def _draw(self, line: bytes | None) -> None:
        """Shows the step, and how far it is if the line tells that."""
        now = time.monotonic()
        if not self._visible or (line is not None and now - self._drawn < _DRAW_EVERY_S):
            return
        self._drawn = now
        found = None if line is None else _OF_ALL.match(line)
        part = 0.0
        if found is not None:
            part = int(found[3]) / 100 if found[3] else int(found[1]) / max(int(found[2]), 1)
        full = int(_BAR_WIDTH * min(part, 1))
        text = "" if line is None else line.decode(errors="replace").strip()
        shown = f"{self.label}: {self._name} ({now - self._started:.0f} s) {text}"
        shown = "".join(each if each.isprintable() else "?" for each in shown)
        bar = f"[{'#' * full}{'.' * (_BAR_WIDTH - full)}] {shown}"
        width = _USUAL_WIDTH
        with contextlib.suppress(OSError):
            width = os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_WIDTH
        sys.stderr.write(f"\r\x1b[K{bar[: width - 1]}")
        sys.stderr.flush()


def hint(said: str) -> str | None:
    """What helps against the last fault that a build speaks of, if that is known."""
    best: tuple[int, str] | None = None
    for pattern, advice in _HINTS:
        for found in re.finditer(pattern, said):
            if best is None or found.start() > best[0]:
                named = next((group for group in found.groups() if group), "")
                best = (found.start(), advice.format(named))
    return None if best is None else best[1]
