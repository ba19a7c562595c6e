"""The files of a session that has no storage: in its own memory, reached from inside of it."""

from __future__ import annotations

import base64
import binascii
import errno
import json

from eryx._annotations import late_annotations
from eryx._copying import OneOfAKind
from eryx._errors import EryxError
from eryx._file_methods import FileMethods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class SessionFiles(FileMethods, OneOfAKind):
    """The files under ``/data`` of a session, which programs see and the host reads and writes.

    Paths count from there. The work is done inside the session, under its limits and quotas: a
    program that goes on is waited for. What fails raises what it raises with files of the host.

    >>> import eryx
    >>> session = eryx.Session()
    >>> session.files.write_text("in.txt", "hello")
    >>> session.execute("open('/data/in.txt').read()").value
    'hello'
    """

    __module__ = "eryx"
    __slots__ = ("_ask",)

    _why = "they are those of a session"
    _instead = "`to_zip` gives what others can read"

    def __init__(self, ask: Callable[[bytes], str | None]) -> None:
        """Made by `Session.files`. ask: has the session do something; gives its answer."""
        self._ask = ask

    def read_bytes(self, path: str) -> bytes:
        """The contents of a file."""
        found = self._do("read", path)
        try:
            return base64.b64decode(str(found), validate=True)
        except (binascii.Error, ValueError):
            raise EryxError("the session gave no contents of a file") from None

    def write_bytes(self, path: str, data: bytes | bytearray | memoryview) -> None:
        """Makes or replaces a file, and the directories that lead to it."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"a bytes-like object is required, not {type(data).__name__!r}")
        self._do("write", path, bytes(data))

    def remove(self, path: str) -> None:
        """Removes a file, a link or an empty directory."""
        self._do("remove", path)

    def _entries(self, path: str) -> list[tuple[str, bool]]:
        found = self._do("list", path)
        try:
            return [(str(name), bool(is_directory)) for name, is_directory in found]
        except (TypeError, ValueError):
            raise EryxError("the session gave no names of files") from None

    def _do(self, what: str, path: str, data: bytes = b"") -> Any:
        if not isinstance(path, str):
            raise TypeError(f"path must be a str, not {type(path).__name__}")
        if "\0" in path:
            raise ValueError("embedded null character")
        text = self._ask(b"\0".join((json.dumps({"do": what, "path": path}).encode(), data)))
        try:
            answer = json.loads(text or "")
            if "errno" in answer:
                number = getattr(errno, str(answer["errno"]), errno.EIO)
                raise OSError(number, str(answer["text"]), path)
            return answer["value"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise EryxError("the session gave no answer about its files") from None

    def __repr__(self) -> str:
        """Where they are."""
        return "<SessionFiles of /data>"


late_annotations(globals(), SessionFiles)
