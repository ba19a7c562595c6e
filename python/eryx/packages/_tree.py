"""A tree of files in memory that takes only names and sizes which are safe."""

from __future__ import annotations

import re

from eryx._errors import InitializationError

MAX_FILES = 10_000  # files and directories of one source
MAX_BYTES = 512 * 1024 * 1024  # contents of one source, and of all of a set
MAX_RATIO = 200  # of contents to what they are compressed to
_FREE_BYTES = 1024 * 1024  # so much may come out of an archive whatever its ratio is

_MAX_PATH_BYTES = 1024
_MAX_NAME_BYTES = 255
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def problem(label: str, entry: str, reason: str) -> InitializationError:
    """The error about one entry of a source."""
    shown = entry if len(entry) <= 200 else entry[:200] + "..."
    return InitializationError(f"{label}: entry {shown!r} {reason}")


def check_name(label: str, name: str) -> str:
    """A path as it was written, relative and plain; raises InitializationError otherwise."""
    path = name.removeprefix("./").removesuffix("/")
    if _CONTROL.search(name):
        raise problem(label, name, "has a NUL or control character in its name")
    if "\\" in name:
        raise problem(label, name, "has a backslash in its name")
    if name.startswith("/"):
        raise problem(label, name, "has an absolute path")
    if _DRIVE.match(name):
        raise problem(label, name, "begins with a drive letter")
    parts = path.split("/")
    if ".." in parts:
        raise problem(label, name, "has '..' in its path")
    if "" in parts or "." in parts:
        raise problem(label, name, "has an empty name or '.' in its path")
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise problem(label, name, "has a name that is not Unicode text") from None
    if len(encoded) > _MAX_PATH_BYTES or max(map(len, encoded.split(b"/"))) > _MAX_NAME_BYTES:
        raise problem(label, name, "has a name that is too long")
    return path


class Tree:
    """Files by path. Every error names the source and the entry."""

    __slots__ = ("_allowed", "_entries", "_folded", "_size", "files", "label")

    def __init__(self, label: str, *, compressed_size: int | None = None) -> None:
        """compressed_size: bytes of the archive, which bound what may come out of it."""
        self.label = label
        self.files: dict[str, bytes] = {}
        self._folded: dict[str, tuple[str, bool]] = {}  # to the path, and whether it is a file
        self._entries = 0
        self._size = 0
        self._allowed = MAX_BYTES
        if compressed_size is not None:
            self._allowed = min(MAX_BYTES, max(_FREE_BYTES, compressed_size * MAX_RATIO))

    def claim(self, name: str, size: int, *, is_file: bool) -> str:
        """Takes an entry in, before its contents are read; gives its path."""
        path = check_name(self.label, name)
        self._entries += 1
        if self._entries > MAX_FILES:
            raise InitializationError(f"{self.label}: it has more than {MAX_FILES:,} entries")
        self.grow(name, size)
        self._claim_names(name, path, is_file)
        return path

    def grow(self, name: str, size: int) -> None:
        """Counts the contents of an entry."""
        self._size += size
        if self._size <= self._allowed:
            return
        if self._allowed < MAX_BYTES:
            reason = f"makes it more than {MAX_RATIO} times as large as its archive"
        else:
            reason = f"makes it larger than {MAX_BYTES >> 20} MiB"
        raise problem(self.label, name, reason)

    def _claim_names(self, name: str, path: str, is_file: bool) -> None:
        folded = _folded(path)
        known = self._folded.get(folded)
        if known is not None:
            if known[0] != path:
                raise problem(self.label, name, f"has the name of {known[0]!r} but for its case")
            if is_file or known[1]:
                raise problem(self.label, name, "is there twice")
            return
        self._folded[folded] = (path, is_file)
        parent = path.rpartition("/")[0]
        while parent:
            known = self._folded.get(_folded(parent))
            if known is None:
                self._folded[_folded(parent)] = (parent, False)
                parent = parent.rpartition("/")[0]
                continue
            if known[0] != parent:
                raise problem(self.label, name, f"lies in {known[0]!r} but for its case")
            if known[1]:
                raise problem(self.label, name, f"lies in {parent!r}, which is a file")
            return

    def add(self, name: str, data: bytes) -> None:
        """Takes a file in."""
        self.files[self.claim(name, len(data), is_file=True)] = data


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    import unicodedata

    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
