"""A file of what was answered: a job whose driver has died goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
import zlib
from collections.abc import Iterable
from typing import Any

from eryx import EryxError
from eryx.ext._cluster import _plain

_MAGIC = b"ERYXLEDGER1\n"
_HEADER = struct.Struct("<II")  # length and CRC-32 of what follows
_SYNC_SECONDS = 1.0


def digest_of(code: str, options: dict[str, Any]) -> bytes:
    """What tells one program from another."""
    return hashlib.sha256(repr((code, options)).encode("utf-8", "surrogatepass")).digest()


class Ledger:
    """Records of a file, which has one writer at a time.

    A record is there as soon as `add` has returned, whatever becomes of this process; a machine
    that loses power may lose those of the last second.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens or makes it. Raises OSError, and EryxError if it is in use or no ledger."""
        self._path = os.fspath(path)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._places: dict[int, tuple[int, int]] = {}  # number of the program to offset and length
        try:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EryxError(f"{self._path}: the ledger is in use by another process") from None
            self._end = self._read()
        except BaseException:
            os.close(self._descriptor)
            raise
        self._synced = time.monotonic()

    def _read(self) -> int:
        """Finds the records; what a writer has not finished is cut off. Gives where they end."""
        size = os.fstat(self._descriptor).st_size
        start = os.pread(self._descriptor, len(_MAGIC), 0)
        if start != _MAGIC:
            if not _MAGIC.startswith(start):
                raise EryxError(f"{self._path}: is no ledger")
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, _MAGIC, 0)
            return len(_MAGIC)
        offset = len(_MAGIC)
        while offset + _HEADER.size <= size:
            length, checksum = _HEADER.unpack(os.pread(self._descriptor, _HEADER.size, offset))
            data = os.pread(self._descriptor, length, offset + _HEADER.size)
            if len(data) != length or zlib.crc32(data) != checksum:
                break
            self._places[_plain.loads(data)[0]] = offset + _HEADER.size, length
            offset += _HEADER.size + length
        os.ftruncate(self._descriptor, offset)
        return offset

    def __len__(self) -> int:
        return len(self._places)

    def find(self, number: int, digest: bytes) -> tuple[Any, ...] | None:
        """What was added for a program. Raises EryxError if that was another program."""
        place = self._places.get(number)
        if place is None:
            return None
        record: tuple[Any, ...] = _plain.loads(os.pread(self._descriptor, place[1], place[0]))
        if record[1] != digest:
            raise EryxError(f"{self._path}: program {number} of the ledger is another one")
        return record[2:]

    def add(self, records: Iterable[tuple[Any, ...]]) -> None:
        """Writes records, which begin with a number and a digest."""
        parts = bytearray()
        for record in records:
            data = _plain.dumps(record)
            place = self._end + len(parts) + _HEADER.size, len(data)
            parts += _HEADER.pack(len(data), zlib.crc32(data)) + data
            self._places[record[0]] = place
        written = 0
        while written < len(parts):
            written += os.pwrite(self._descriptor, parts[written:], self._end + written)
        self._end += len(parts)
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fdatasync(self._descriptor)
            self._synced = time.monotonic()

    def close(self) -> None:
        """Writes all to the disk; another process may go on with it."""
        os.fdatasync(self._descriptor)
        os.close(self._descriptor)
