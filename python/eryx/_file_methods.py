"""What can be done with files that are read, written, listed and removed one by one."""

from __future__ import annotations

import errno
import io
import os
import posixpath

from eryx._annotations import late_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Literal

Names = list[str]

_MODES = ("r", "rb", "w", "wb", "a", "ab", "x", "xb")


class FileMethods:
    """Base of storages and of the files of sessions."""

    __slots__ = ()

    if TYPE_CHECKING:

        def read_bytes(self, path: str) -> bytes:
            """The contents of a file."""

        def write_bytes(self, path: str, data: bytes | bytearray | memoryview) -> None:
            """Makes or replaces a file."""

        def remove(self, path: str) -> None:
            """Removes a file, a link or an empty directory."""

        def _entries(self, path: str) -> list[tuple[str, bool]]:
            """Names in a directory, and whether they are directories."""

    def list(self, path: str = "/") -> Names:
        """The names in a directory, sorted."""
        return [name for name, _ in self._entries(path)]

    def walk(self, path: str = "/") -> Names:
        """The paths of all files and links under a directory, sorted.

        >>> import eryx
        >>> storage = eryx.VfsStorage()
        >>> storage.write_bytes("a/b/c", b"")
        >>> storage.walk()
        ['a/b/c']
        """
        found: Names = []
        directories = [path.strip("/")]
        while directories:
            directory = directories.pop()
            for name, is_directory in self._entries(directory):
                inner = f"{directory}/{name}" if directory else name
                (directories if is_directory else found).append(inner)
        return sorted(found)

    def glob(self, pattern: str) -> Names:
        """The paths of all files that match, sorted: ``*`` and ``?`` in a name, ``**`` for folders.

        >>> import eryx
        >>> storage = eryx.VfsStorage()
        >>> storage.write_bytes("a/b.txt", b"")
        >>> storage.glob("**/*.txt"), storage.glob("*.txt")
        (['a/b.txt'], [])
        """
        parts = pattern.strip("/").split("/")
        return [path for path in self.walk() if _matches(path.split("/"), parts)]

    def exists(self, path: str) -> bool:
        """Whether there is something of that name."""
        name = posixpath.normpath("/" + path)
        if name == "/":
            return True
        try:
            return posixpath.basename(name) in self.list(posixpath.dirname(name))
        except OSError:
            return False

    def __contains__(self, path: object) -> bool:
        """Whether there is something of that name."""
        return isinstance(path, str) and self.exists(path)

    def read_text(self, path: str, encoding: str = "utf-8") -> str:
        """The contents of a file as text."""
        return self.read_bytes(path).decode(encoding)

    def write_text(self, path: str, text: str, encoding: str = "utf-8") -> None:
        """Makes or replaces a file, and the directories that lead to it."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, not {type(text).__name__}")
        self.write_bytes(path, text.encode(encoding))

    def open(
        self, path: str, mode: Literal["r", "rb", "w", "wb", "a", "ab", "x", "xb"] = "r"
    ) -> IO[Any]:
        """A file object over a copy; what is written is there when it is closed.

        mode: as that of Python's own, without those that both read and write. Text is UTF-8.

        >>> import eryx
        >>> storage = eryx.VfsStorage()
        >>> with storage.open("a", "w") as file:
        ...     _ = file.write("text")
        >>> storage.read_text("a")
        'text'
        """
        if mode not in _MODES:
            raise ValueError(f"mode must be r, w, a or x, with b for bytes or not, not {mode!r}")
        if mode[0] == "x" and self.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        raw: io.BytesIO
        if mode[0] == "r":
            raw = io.BytesIO(self.read_bytes(path))
        else:
            raw = _Written(self, path)
            if mode[0] == "a" and self.exists(path):
                raw.write(self.read_bytes(path))
        return raw if mode[-1] == "b" else io.TextIOWrapper(raw, encoding="utf-8")

    def from_folder(self, folder: str | os.PathLike[str], path: str = "/") -> None:
        """Copies all files of a folder of the host; links are followed."""
        for directory, _, names in os.walk(folder, followlinks=False):
            for name in names:
                source = os.path.join(directory, name)
                relative = os.path.relpath(source, folder)
                with open(source, "rb") as file:
                    self.write_bytes(posixpath.join(path, relative), file.read())

    def to_folder(self, folder: str | os.PathLike[str], path: str = "/") -> None:
        """Writes all files into a folder of the host, which is made if there is none.

        Nothing is written outside of it, and no links are made.
        """
        top = path.strip("/")
        for name in self.walk(path):
            relative = os.path.relpath(name, top) if top else name
            target = os.path.join(folder, relative)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            data = self.read_bytes(name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(target, flags, 0o666), "wb") as file:
                file.write(data)

    def to_zip(self, path: str = "/") -> bytes:
        """All files under a path as a zip archive."""
        import zipfile

        if not isinstance(path, str):
            raise TypeError(f"path must be a str, not {type(path).__name__}")
        top = path.strip("/")
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in self.walk(path):
                archive.writestr(name[len(top) + 1 if top else 0 :], self.read_bytes(name))
        return target.getvalue()

    def from_zip(self, data: bytes | bytearray | memoryview, path: str = "/") -> None:
        """Writes the files of a zip archive; none goes above the path.

        Raises ValueError if it is none or damaged.
        """
        import zipfile
        import zlib

        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be the bytes of an archive, not {type(data).__name__}")
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir():
                        name = posixpath.normpath("/" + entry.filename).lstrip("/")
                        self.write_bytes(posixpath.join(path, name), archive.read(entry))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise ValueError(f"the zip archive cannot be read: {error}") from None


class _Written(io.BytesIO):
    """Becomes a file when it is closed."""

    def __init__(self, files: FileMethods, path: str) -> None:
        super().__init__()
        self._files = files
        self._path = path

    def close(self) -> None:
        if not self.closed:
            data = self.getvalue()
            super().close()
            self._files.write_bytes(self._path, data)


def _matches(path: Names, pattern: Names) -> bool:
    import fnmatch

    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[at:], pattern[1:]) for at in range(len(path) + 1))
    return (
        bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])
    )


late_annotations(globals(), FileMethods)
