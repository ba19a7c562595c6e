"""Standard input that is asked for when the guest wants a line; imported when somebody has some."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How much is asked for of what has no lines.
_PIECE = 64 * 1024


class InputReader:
    """Feeds a pipe that the guest reads, one line at a time.

    The guest's side of it is waited for only when there is nothing in it, so whatever is written
    then fits, at least in part.
    """

    __slots__ = ("_ask", "_is_function", "_rest", "_write", "descriptor")

    def __init__(self, source: Any) -> None:
        """source: something with readline or read, or a function without parameters."""
        if hasattr(source, "readline"):
            self._ask = source.readline
        elif hasattr(source, "read"):
            self._ask = lambda: source.read(_PIECE)
        else:
            self._ask = source
        self._is_function = not hasattr(source, "readline") and not hasattr(source, "read")
        self._rest = memoryview(b"")
        self.descriptor, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def ask(self) -> Any:
        """The next line, or something to be awaited for it. Raises what the source raises."""
        try:
            return self._ask()
        except (EOFError, StopIteration):
            return None

    def flush(self) -> bool:
        """Hands over what is left of the last line. False if nothing was."""
        if not self._rest or self._write < 0:
            return False
        try:
            written = os.write(self._write, self._rest)
        except BlockingIOError:
            return True
        self._rest = self._rest[written:]
        return True

    def take(self, line: object) -> None:
        """Hands a line over. Raises TypeError if it is none.

        None is the end, and so is what is empty, unless a function gave it: that gives lines, with
        their newlines or without.
        """
        if line is not None and not isinstance(line, str | bytes | bytearray):
            self.end()
            raise TypeError(f"stdin must give str, bytes or None, not {type(line).__name__}")
        if line is None or not (line or self._is_function):
            self.end()
            return
        data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
        if self._is_function and not data.endswith(b"\n"):
            data += b"\n"
        self._rest = memoryview(data)
        self.flush()

    def end(self) -> None:
        """There is nothing more to be read."""
        if self._write >= 0:
            write, self._write = self._write, -1
            os.close(write)

    def close(self) -> None:
        """The run is over."""
        self.end()
        if self.descriptor >= 0:
            descriptor, self.descriptor = self.descriptor, -1
            os.close(descriptor)

    def __del__(self) -> None:
        """The run has never begun."""
        self.close()
