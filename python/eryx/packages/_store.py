"""Files that were fetched, kept on disk by their contents."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property

from eryx._cache_folder import private_folder
from eryx._errors import InitializationError
from eryx._files import read_file, write_file
from eryx.packages._http import FetchError
from eryx.packages._prebuilt import prebuilt_again
from eryx.packages._tree import MAX_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from eryx.packages._finder import File
    from eryx.packages._http import Client
    from eryx.packages._report import Report

_MAX_KEPT_BYTES = 4 << 30


class Store:
    """The user's own folder of files, and what is fetched into it."""

    def __init__(self, client: Client, report: Report) -> None:
        self._client = client
        self._report = report

    @cached_property
    def _folder(self) -> str:
        """Raises InitializationError if it cannot be used, or others could write to it."""
        return private_folder("downloads")

    def contents(self, file: File) -> bytes:
        """A file, the hash of which is that of the index. Raises FetchError."""
        wanted = file.hashes.get("sha256")
        if file.path:
            # A lock may name a wheel of eryx-science where it was unpacked then.
            data = read_file(prebuilt_again(file.path), MAX_BYTES)
            check_hashes(file.label, data, file.hashes)
            return data
        if wanted is not None:
            kept = self._kept(wanted)
            if kept is not None:
                return kept
        self._report.begin(file.filename)
        data = self._client.fetch(file.url, report=self._report.advance)
        check_hashes(file.label, data, file.hashes)
        self._keep(data)
        return data

    def metadata(self, file: File) -> bytes | None:
        """What an index has beside a file; None if it has nothing. Raises FetchError."""
        from eryx.packages._http import MAX_METADATA_BYTES

        if file.metadata_hashes is None or file.path:
            return None
        wanted = file.metadata_hashes.get("sha256")
        kept = self._kept(wanted) if wanted is not None else None
        if kept is not None:
            return kept
        data = self._client.fetch(f"{file.url}.metadata", MAX_METADATA_BYTES)
        check_hashes(f"{file.label}.metadata", data, file.metadata_hashes)
        if wanted is not None:
            self._keep(data)
        return data

    def _path(self, digest: str) -> str:
        return os.path.join(self._folder, digest)

    def _kept(self, digest: str) -> bytes | None:
        path = self._path(digest)
        if len(digest) != 64 or not digest.isalnum() or not os.path.exists(path):
            return None
        try:
            data = read_file(path, MAX_BYTES)
        except InitializationError:
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            return None
        os.utime(path)
        return data

    def _keep(self, data: bytes) -> None:
        make_room(self._folder, _MAX_KEPT_BYTES - len(data))
        write_file(self._path(hashlib.sha256(data).hexdigest()), data)


def make_room(folder: str, most: int) -> None:
    """Removes the files that were not used for the longest time, until the rest is not larger."""
    kept: list[tuple[float, int, str]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            kept.append((status.st_mtime, status.st_size, entry.path))
    size = sum(each[1] for each in kept)
    for _, length, path in sorted(kept):
        if size <= most:
            return
        size -= length
        try:
            os.unlink(path)
        except OSError:
            pass  # another process was faster


def check_hashes(label: str, data: bytes, hashes: Mapping[str, str]) -> None:
    """Raises FetchError if the contents are not those that were promised."""
    for name, wanted in hashes.items():
        if hashlib.new(name, data).hexdigest() != wanted.lower():
            raise FetchError(f"{label}: its {name} is not the one that was promised")
