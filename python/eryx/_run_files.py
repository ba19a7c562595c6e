"""What a run has made, changed and removed of its files; imported when there is something."""

from __future__ import annotations

import errno
import os
import posixpath

from eryx._annotations import late_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple

    from eryx._eryx import Changes
else:
    from typing import NamedTuple

# enum eryx_change_kind, eryx_storage_kind
_KINDS = ("made", "changed", "removed")
_TYPES = ("file", "directory", "link")


class FileChange(NamedTuple):
    """One file, directory or link that a run has made, changed or removed."""

    path: str
    """Where the guest has it, such as ``/data/plot.png``."""
    kind: Literal["made", "changed", "removed"]
    """What was done. A directory is not changed by what is done in it."""
    type: Literal["file", "directory", "link"]
    """What it is, or was before it was removed."""
    size: int
    """Bytes of a file; 0 for others and for what was removed."""


FileChange.__module__ = "eryx"


class RunFiles:
    """The changes of one run, and what the files held at its end."""

    __slots__ = ("_changes", "_contents", "_rows")

    def __init__(self, changes: Changes | None) -> None:
        self._changes: Changes | None = changes
        self._rows: list[FileChange] | None = None
        self._contents: tuple[bool, dict[int, bytes]] = (False, {})  # of a copy

    @property
    def changes(self) -> list[FileChange]:
        """All of them, by path."""
        if self._rows is None:
            rows = [] if self._changes is None else self._changes.rows()
            self._rows = [
                FileChange(path, _KINDS[change], _TYPES[kind], size)  # type: ignore[arg-type]
                for path, change, kind, size in rows
            ]
        return list(self._rows)

    @property
    def truncated(self) -> bool:
        """Whether some are missing."""
        return self._contents[0] if self._changes is None else self._changes.truncated()

    def read(self, index: int) -> bytes:
        """The contents of the file with that number."""
        if self._changes is None:
            return self._contents[1][index]
        return self._changes.read(index)

    def _all(self) -> tuple[list[FileChange], tuple[bool, dict[int, bytes]]]:
        rows = self.changes
        held = {
            index: self.read(index)
            for index, row in enumerate(rows)
            if row.kind != "removed" and row.type != "directory"
        }
        return rows, (self.truncated, held)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunFiles):
            return NotImplemented
        return self is other or (self.changes == other.changes and self._all() == other._all())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[object, ...]:
        """For ``copy`` and ``pickle``: the contents go along."""
        return _restored, self._all()


def _restored(rows: list[FileChange], contents: tuple[bool, dict[int, bytes]]) -> RunFiles:
    files = RunFiles.__new__(RunFiles)
    files._changes = None
    files._rows = rows
    files._contents = contents
    return files


def read(files: RunFiles | None, path: str) -> bytes:
    """What a file held at the end of a run. Raises OSError."""
    if not isinstance(path, str):
        raise TypeError(f"path must be a str, not {type(path).__name__}")
    return read_at(files, posixpath.normpath(posixpath.join("/data", path)), path)


def read_at(files: RunFiles | None, wanted: str, path: str) -> bytes:
    """The contents of one of the files. path: as the caller has given it. Raises OSError."""
    for index, row in enumerate([] if files is None else files.changes):
        if row.path == wanted and row.kind != "removed" and files is not None:
            if row.type == "directory":
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            return files.read(index)
    raise FileNotFoundError(errno.ENOENT, "no file of that name was made or changed", path)


late_annotations(globals(), FileChange)
