"""Files that outlive a run: storages in memory, and volumes of the host."""

from __future__ import annotations

import os

from eryx._annotations import late_annotations
from eryx._copying import OneOfAKind
from eryx._errors import InitializationError
from eryx._eryx import Storage
from eryx._file_methods import FileMethods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self

    from eryx._file_provider import FileProvider, MountedProvider

if TYPE_CHECKING:
    Volume = (
        tuple[str | os.PathLike[str], str, bool | str]
        | tuple[str | os.PathLike[str], str]
        | str
        | tuple[FileProvider, str]
        | tuple[FileProvider, str, bool | str]
    )
    Volumes = Iterable[Volume] | Mapping[str, str | Mapping[str, str]]
else:
    Volume = Volumes = tuple | str
CoreMounts = tuple[tuple[str, Storage, bool], ...]
CoreVolumes = tuple[tuple[bytes, str, int], ...]

# Modes of volumes, as Core has them.
WRITABLE = 0
READ_ONLY = 1
OVERLAY = 2

# How callers may say them.
_MODES: dict[object, int] = {
    False: WRITABLE,
    True: READ_ONLY,
    "rw": WRITABLE,
    "ro": READ_ONLY,
    "overlay": OVERLAY,
}

_DEFAULT_BYTES = 64 * 1024 * 1024
_DEFAULT_ENTRIES = 16_384

# enum eryx_storage_kind
_DIRECTORY = 1


class VfsStorage(FileMethods, OneOfAKind):
    """A directory tree in memory that sessions mount and that the host reads and writes.

    It lives as long as somebody has it, across runs and resets. Any number of sessions and threads
    can use one at the same time. Paths count from its top, wherever a session mounts it; a ``/``
    before them makes no difference. What fails raises the same exceptions as with files of the
    host: FileNotFoundError, IsADirectoryError, OSError with ENOSPC when it is full, and so on.

    >>> storage = VfsStorage()
    >>> storage.write_bytes("reports/june.txt", b"sunny")
    >>> storage.list("reports")
    ['june.txt']
    >>> storage.read_bytes("/reports/june.txt")
    b'sunny'
    """

    __module__ = "eryx"
    __slots__ = ("__weakref__", "_storage")

    _why = "sessions of this process mount it"
    _instead = "`fork` gives a copy, and `to_bytes` what another process can read"

    def __init__(self, *, max_bytes: int | None = None, max_entries: int | None = None) -> None:
        """Makes an empty storage.

        max_bytes: contents of all files; None for 64 MiB.
        max_entries: files, directories and links, together; None for 16,384.
        """
        self._storage = Storage(
            _quota("max_bytes", max_bytes, _DEFAULT_BYTES),
            _quota("max_entries", max_entries, _DEFAULT_ENTRIES),
        )

    def read_bytes(self, path: str) -> bytes:
        """The contents of a file."""
        return self._storage.read(_path(path))

    def write_bytes(self, path: str, data: bytes | bytearray | memoryview) -> None:
        """Makes or replaces a file, and the directories that lead to it.

        Nobody sees a part of the new contents; if it fails the old ones stay.
        """
        self._storage.write(_path(path), data)

    def _entries(self, path: str) -> list[tuple[str, bool]]:
        return [(name, kind == _DIRECTORY) for name, kind in self._storage.list(_path(path))]

    def remove(self, path: str) -> None:
        """Removes a file, a link or an empty directory."""
        self._storage.remove(_path(path))

    @property
    def size_bytes(self) -> int:
        """Memory that the contents of the files take."""
        return self._storage.usage()[0]

    @property
    def entry_count(self) -> int:
        """Number of files, directories and links."""
        return self._storage.usage()[1]

    def fork(self) -> Self:
        """A storage with the same files and quota that goes its own way from here on.

        Contents are shared until one of the two changes them, so this is quick.
        """
        return self._wrap(self._storage.fork())

    def to_bytes(self) -> bytes:
        """All directories, files, links and modification times as bytes, with a checksum."""
        return self._storage.to_bytes()

    @classmethod
    def from_bytes(
        cls,
        data: bytes | bytearray | memoryview,
        *,
        max_bytes: int | None = None,
        max_entries: int | None = None,
    ) -> Self:
        """Makes a storage out of what `to_bytes` gave; the bytes need not be trusted.

        Raises ValueError if they are damaged or of another version, OSError with ENOSPC if they do
        not fit in the quota.

        >>> storage = VfsStorage()
        >>> storage.write_bytes("x", b"1")
        >>> VfsStorage.from_bytes(storage.to_bytes()).list()
        ['x']
        """
        return cls._wrap(
            Storage.from_bytes(
                data,
                _quota("max_bytes", max_bytes, _DEFAULT_BYTES),
                _quota("max_entries", max_entries, _DEFAULT_ENTRIES),
            )
        )

    @classmethod
    def _wrap(cls, storage: Storage) -> Self:
        made = cls.__new__(cls)
        made._storage = storage
        return made

    def __repr__(self) -> str:
        """What it holds."""
        size, entries, *_ = self._storage.usage()
        return f"VfsStorage(entries={entries}, size_bytes={size})"


def _quota(name: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int or None, not {type(value).__name__}")
    if not 0 <= value < 2**63:
        raise ValueError(f"{name} must be from 0 to 2**63 - 1")
    return value


def _path(path: str) -> str:
    if not isinstance(path, str):
        raise TypeError(f"path must be a str, not {type(path).__name__}")
    return path


def core_mounts(storage: VfsStorage | None, path: str) -> CoreMounts:
    """One storage as an argument of Core; None for none."""
    if storage is None:
        return ()
    if not isinstance(storage, VfsStorage):
        raise TypeError(f"vfs must be a VfsStorage or None, not {type(storage).__name__}")
    return ((path, storage._storage, False),)


def core_volumes(volumes: Volumes | None) -> CoreVolumes:
    """Volumes as an argument of Core."""
    if volumes is None:
        return ()
    if isinstance(volumes, (str, bytes)):
        raise TypeError("volumes must be a sequence of (host, guest, read_only)")
    if isinstance(volumes, dict):
        volumes = [_of_item(host, guest) for host, guest in volumes.items()]
    try:
        given = tuple(volumes)
    except TypeError:
        wrong = type(volumes).__name__
        raise TypeError(f"volumes must be a sequence or a dict, not {wrong}") from None
    return tuple(_volume(volume) for volume in given)


def core_providers(
    volumes: Volumes,
) -> tuple[Volumes, tuple[MountedProvider, ...]]:
    """Takes the providers of files out of the volumes."""
    if isinstance(volumes, (str, bytes, dict)) or not hasattr(volumes, "__iter__"):
        return volumes, ()
    given = list(volumes)
    provided = [
        volume
        for volume in given
        if isinstance(volume, (tuple, list)) and len(volume) in (2, 3) and _may_provide(volume[0])
    ]
    if not provided:
        return given, ()
    rest = [volume for volume in given if not any(volume is each for each in provided)]
    return rest, tuple(_provider(*volume) for volume in provided)


def _may_provide(value: object) -> bool:
    if isinstance(value, (str, bytes, os.PathLike)):
        return False
    from eryx._file_provider import is_provider

    return is_provider(value)


def _provider(provider: object, guest: object, mode: object = "rw") -> MountedProvider:
    from eryx._file_provider import MountedProvider

    if not isinstance(guest, str):
        raise TypeError(f"the guest path of a provider must be a str, not {type(guest).__name__}")
    if not isinstance(mode, (bool, str)) or _MODES.get(mode, OVERLAY) == OVERLAY:
        raise ValueError(f'the mode of a provider is "ro" or "rw", not {mode!r}')
    return MountedProvider(provider, guest, _MODES[mode] == READ_ONLY)


def _of_item(host: str, guest: Any) -> Volume:
    """A volume of a dict: the guest path, with the mode behind it or not, or as Docker has it."""
    mode = "rw"
    if isinstance(guest, dict) and "bind" in guest and guest.keys() <= {"bind", "mode"}:
        guest, mode = guest["bind"], guest.get("mode", "rw")
    elif isinstance(guest, str) and guest.rpartition(":")[2] in _MODES:
        guest, _, mode = guest.rpartition(":")
    return host, guest, mode


def _of_text(text: str) -> tuple[str, str, str]:
    """A volume as other tools have it: host:guest, and :ro, :rw or :overlay behind it."""
    ending = text.rpartition(":")[2]
    mode = ending if ending in _MODES else "rw"
    host, _, guest = text.removesuffix(f":{mode}").rpartition(":")
    if not host or not guest.startswith("/"):
        raise ValueError(
            f'a volume as text is "host:guest", with :ro, :rw or :overlay behind it, not {text!r}'
        )
    return host, guest, mode


def _volume(volume: Volume) -> tuple[bytes, str, int]:
    if isinstance(volume, str):
        volume = _of_text(volume)
    if not isinstance(volume, (tuple, list)):
        raise TypeError(
            f"a volume must be a tuple (host, guest, read_only), not {type(volume).__name__}"
        )
    if len(volume) not in (2, 3):
        raise ValueError(f"a volume is (host, guest, read_only); this one has {len(volume)} items")
    host, guest, mode = volume if len(volume) == 3 else (*volume, False)
    if not isinstance(guest, str):
        raise TypeError(f"the guest path of a volume must be a str, not {type(guest).__name__}")
    if not isinstance(mode, (bool, str)):
        raise TypeError(
            'read_only of a volume must be a bool, "ro", "rw" or "overlay", not '
            + type(mode).__name__
        )
    if mode not in _MODES:
        raise ValueError(f'the mode of a volume is "ro", "rw" or "overlay", not {mode!r}')
    path = os.fsencode(host)  # of others it says what it wants
    if _MODES[mode] == WRITABLE:
        check_writable(path)
    return path, guest, _MODES[mode]


def check_writable(host: bytes) -> None:
    """Refuses what would let a guest change native code that this process loads."""
    from eryx._cache_folder import code_folders

    for folder in code_folders():
        if not os.path.isdir(folder):
            continue
        places = [os.path.realpath(host), os.path.realpath(os.fsencode(folder))]
        if os.path.commonpath(places) in places:
            raise InitializationError(
                f"{os.fsdecode(host)}: a guest must not write to {folder}, where native"
                " modules are kept; mount it read-only"
            )


late_annotations(globals(), VfsStorage)
