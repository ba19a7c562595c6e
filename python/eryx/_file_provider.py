"""Files that the caller's own code provides when a guest asks for them."""

from __future__ import annotations

import errno
import inspect

from eryx._annotations import late_annotations
from eryx._failures import log_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable
    from typing import Any, Literal, NamedTuple, Protocol
else:
    from typing import NamedTuple, Protocol

# enum eryx_files_operation
_STAT, _LIST, _READ, _WRITE, _REMOVE, _RENAME, _MAKE_DIRECTORY = range(1, 8)

# enum eryx_storage_kind, and one for what is not known.
_KINDS = {"file": 0, "directory": 1}
_NOT_KNOWN = 9

_MOST_MADE = 10_000

# What Core is told: errno, entries, contents.
Told = tuple[int, list[tuple[str, int, int, int, int]], bytes]


class FileInfo(NamedTuple):
    """What a `FileProvider` tells of a file or directory."""

    type: Literal["file", "directory"]
    """What it is."""
    size: int = 0
    """Bytes of a file."""
    modified: float = 0.0
    """When it was changed last, in seconds since 1970."""


FileInfo.__module__ = "eryx"


class FileProvider(Protocol):
    """Anything that has files for guests, given as a volume: ``volumes=[(provider, "/mnt/db")]``.

    Paths count from the top of what is provided, which is ``""``, and have ``/`` between plain
    names. Each method may be async; others are called in worker threads. What they raise is an
    OSError for the guest: an OSError with its errno, anything else with EIO. A provider without
    `write` or `remove` is read-only. It may also have ``rename(path, new_path)`` and
    ``make_directory(path)``; without them a file is read, written and removed, and directories are
    remembered as long as the sandbox lives.

    ``cache_ms`` is for how long answers may be used again, in milliseconds; 0 if it has none.

    >>> import eryx
    >>> class Notes:
    ...     def __init__(self):
    ...         self.texts = {"today": b"sunny"}
    ...     def stat(self, path):
    ...         text = self.texts.get(path)
    ...         return None if text is None else eryx.FileInfo("file", len(text))
    ...     def list(self, path):
    ...         return list(self.texts)
    ...     def read(self, path):
    ...         return self.texts[path]
    ...     def write(self, path, data):
    ...         self.texts[path] = data
    ...     def remove(self, path):
    ...         del self.texts[path]
    >>> notes = Notes()
    >>> sandbox = eryx.Sandbox(volumes=[(notes, "/notes")])
    >>> code = "with open('/notes/today', 'a') as f: f.write(' and warm')"
    >>> _ = sandbox.execute(code)
    >>> notes.texts
    {'today': b'sunny and warm'}
    """

    __module__: str = "eryx"

    def stat(self, path: str) -> FileInfo | Awaitable[FileInfo | None] | None:
        """What is there; None for nothing."""

    def list(
        self, path: str
    ) -> Iterable[str | tuple[str, FileInfo]] | Awaitable[Iterable[str | tuple[str, FileInfo]]]:
        """The names in a directory, also with what they are."""

    def read(self, path: str) -> bytes | Awaitable[bytes]:
        """All that a file holds."""

    def write(self, path: str, data: bytes) -> object:
        """A file is to hold this and nothing else. Called when a guest closes or flushes it."""

    def remove(self, path: str) -> object:
        """Removes a file or an empty directory."""


def is_provider(value: object) -> bool:
    """Whether it is one, and no path."""
    return all(callable(getattr(value, name, None)) for name in ("stat", "list", "read"))


class MountedProvider:
    """A provider where a sandbox sees it."""

    def __init__(self, provider: Any, guest: str, read_only: bool) -> None:
        """Raises TypeError and ValueError."""
        cache_ms = getattr(provider, "cache_ms", 0)
        if not isinstance(cache_ms, int) or isinstance(cache_ms, bool):
            raise TypeError(f"cache_ms must be an int, not {type(cache_ms).__name__}")
        if not 0 <= cache_ms < 2**40:
            raise ValueError("cache_ms must be from 0 to 2**40 - 1")
        self.provider = provider
        self.guest = guest
        writes = all(callable(getattr(provider, name, None)) for name in ("write", "remove"))
        self.read_only = read_only or not writes
        self.cache_ms = cache_ms
        names = ("stat", "list", "read", "write", "remove", "rename", "make_directory")
        self.is_async = any(
            inspect.iscoroutinefunction(getattr(provider, name, None)) for name in names
        )
        self._made: set[str] = set()  # directories that the provider does not know

    def core(self) -> tuple[str, bool, int]:
        """As Core takes it."""
        return self.guest, self.read_only, self.cache_ms

    def name(self, operation: int, path: str) -> str:
        """For messages."""
        what = ("stat", "list", "read", "write", "remove", "rename", "make_directory")
        return f"{what[operation - 1]} of {self.guest}/{path}"

    # ---- Answers ----

    def answer(self, operation: int, path: str, new_path: str | None, data: bytes) -> Told:
        """Calls the provider on this thread. Raises nothing."""
        steps = self._steps(operation, path, new_path, data)
        try:
            step = next(steps)
            while True:
                try:
                    value = step()
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(value)
        except StopIteration as end:
            told: Told = end.value
            return told
        except BaseException as error:
            return self._failed(operation, path, error)

    async def answer_async(
        self, operation: int, path: str, new_path: str | None, data: bytes
    ) -> Told:
        """Calls it on an event loop, and what is not async in worker threads."""
        from eryx._workers import call

        steps = self._steps(operation, path, new_path, data)
        try:
            step = next(steps)
            while True:
                try:
                    method = getattr(step, "func", step)
                    value = step() if inspect.iscoroutinefunction(method) else await call(step)
                    if inspect.isawaitable(value):
                        value = await value
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(value)
        except StopIteration as end:
            told: Told = end.value
            return told
        except Exception as error:
            return self._failed(operation, path, error)

    def _failed(self, operation: int, path: str, error: BaseException) -> Told:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and isinstance(error, FileNotFoundError):
            number = errno.ENOENT
        if number is None:
            log_failure(self.name(operation, path), error)
        return number or errno.EIO, [], b""

    def _steps(
        self, operation: int, path: str, new_path: str | None, data: bytes
    ) -> Generator[Callable[[], Any], Any, Told]:
        """Gives what is to be called, one after the other, and takes what it returns."""
        from functools import partial

        provider = self.provider
        if operation == _STAT:
            info = yield partial(provider.stat, path)
            if info is None and path not in self._made:
                return errno.ENOENT, [], b""
            return 0, [_entry("", FileInfo("directory") if info is None else info)], b""
        if operation == _LIST:
            return 0, (yield from self._list(path)), b""
        if operation == _READ:
            return 0, [], _contents((yield partial(provider.read, path)))
        if operation == _WRITE:
            yield partial(provider.write, path, data)
        elif operation == _REMOVE:
            yield from self._remove(path)
        elif operation == _RENAME:
            yield from self._rename(path, new_path or "")
        elif hasattr(provider, "make_directory"):
            yield partial(provider.make_directory, path)
        elif len(self._made) >= _MOST_MADE:
            return errno.ENOSPC, [], b""
        else:
            self._made.add(path)
        return 0, [], b""

    def _list(
        self, path: str
    ) -> Generator[Callable[[], Any], Any, list[tuple[str, int, int, int, int]]]:
        from functools import partial

        entries = {}
        try:
            names = yield partial(_listed, self.provider.list, path)
        except FileNotFoundError:
            if path not in self._made:
                raise
            names = []
        for name in names:
            if isinstance(name, str):
                entries[name] = (name, _NOT_KNOWN, 0, 0, 0)
            else:
                entries[name[0]] = _entry(*name)
        for made in tuple(self._made):
            directory, _, name = made.rpartition("/")
            if directory == path:
                entries.setdefault(name, _entry(name, FileInfo("directory")))
        return list(entries.values())

    def _remove(self, path: str) -> Generator[Callable[[], Any], Any, None]:
        from functools import partial

        info = yield partial(self.provider.stat, path)
        is_directory = path in self._made if info is None else info.type == "directory"
        if is_directory and (yield from self._list(path)):
            raise OSError(errno.ENOTEMPTY, "the directory is not empty")
        if info is not None:
            yield partial(self.provider.remove, path)
        elif not is_directory:
            raise FileNotFoundError(errno.ENOENT, "there is no such file")
        self._made.discard(path)

    def _rename(self, path: str, new_path: str) -> Generator[Callable[[], Any], Any, None]:
        from functools import partial

        provider = self.provider
        if hasattr(provider, "rename"):
            yield partial(provider.rename, path, new_path)
            return
        info = yield partial(provider.stat, path)
        if info is None or info.type == "directory":
            raise OSError(errno.EXDEV, "directories are not renamed")  # shutil.move() copies then
        yield partial(provider.write, new_path, _contents((yield partial(provider.read, path))))
        yield partial(provider.remove, path)


def _listed(method: Callable[[str], Any], path: str) -> Any:
    """What a provider lists; a generator is gone through where it may take its time."""
    names = method(path)
    return names if inspect.isawaitable(names) else list(names)


def _entry(name: str, info: FileInfo) -> tuple[str, int, int, int, int]:
    if info.type not in _KINDS:
        raise ValueError(f'the type of a FileInfo is "file" or "directory", not {info.type!r}')
    seconds = max(0.0, float(info.modified))
    whole = int(seconds)
    return name, _KINDS[info.type], int(info.size), whole, int((seconds - whole) * 1e9)


def _contents(data: object) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"a file is to be read as bytes, not {type(data).__name__}")
    return bytes(data)


late_annotations(globals(), FileInfo, FileProvider)
