"""A bar on a terminal while packages are fetched and read, and nothing elsewhere."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, TextIO

    from eryx.packages import Report

_BAR_WIDTH = 24
_USUAL_WIDTH = 80  # of terminals that do not tell it
_PAUSE_S = 0.1  # between two looks of a bar that moves


class Progress:
    """A bar, which goes before anything else is printed."""

    def __init__(self, steps: int, stream: TextIO) -> None:
        self._steps = steps
        self._done = 0
        self._stream = stream
        self._visible = stream.isatty()

    def begin(self, what: str) -> None:
        """Shows what is being done; what was shown before is done."""
        self.show(_BAR_WIDTH * self._done // self._steps, what)
        self._done += 1

    def show(self, full: int, what: str) -> None:
        """Shows a bar of which so many of its characters are full."""
        if self._visible:
            text = what if what.isprintable() else ascii(what)
            line = f"[{'#' * full}{'.' * (_BAR_WIDTH - full)}] {text}"
            # In the last column some terminals go on to the next line, where \r does not lead back.
            width = os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH
            self._stream.write(f"\r\x1b[K{line[: width - 1]}")
            self._stream.flush()

    def read(self, packages: list[str], *, cache: bool = False) -> None:
        """Reads packages one by one. What takes time, their bytecode, is kept for the factory."""
        if not self._visible:
            return
        from eryx.packages import collect

        for package in packages:
            name = os.path.basename(os.path.abspath(package))
            self.begin(f"reading {name if name.isprintable() else ascii(name)}")
            collect([package], cache=cache)

    def report(self) -> Report:
        """What shows the files that are fetched."""
        from eryx.packages import Report

        progress = self

        class Bar(Report):
            """Shows how much of a file is there."""

            _what = ""
            _shown_at = 0.0

            def begin(self, what: str) -> None:
                self._what = f"fetching {what}"
                progress.show(0, self._what)

            def advance(self, done: int, total: int) -> None:
                now = time.monotonic()
                if now - self._shown_at >= _PAUSE_S:
                    self._shown_at = now
                    full = min(_BAR_WIDTH, _BAR_WIDTH * done // total) if total else 0
                    size = f"{done / 1e6:.1f} MB" + (f" of {total / 1e6:.1f}" if total else "")
                    progress.show(full, f"{self._what} ({size})")

        return Bar()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the bar away."""
        if self._visible:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
