"""Snapshots: the variables of a session as bytes.

What is in the bytes is read inside a sandbox only; here their header is made and checked.
"""

from __future__ import annotations

import struct

from eryx._errors import InitializationError
from eryx._eryx import BUILD_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

DEFAULT_MAX_BYTES = 10 * 1024 * 1024

_MAGIC = b"ERYXSNAP"
_VERSION = 1
_KEYED = 1  # flag: the digest is an HMAC
_BUILD = bytes.fromhex(BUILD_ID)
# magic, version, flags, build id, length of the data; the digest and the data follow.
_HEADER = struct.Struct("<8sHH32sQ")
_DIGEST_SIZE = 32
_PREFIX_SIZE = _HEADER.size + _DIGEST_SIZE


class Snapshot(bytes):
    """Bytes for `Session.restore_state`, with the names of the variables that are not in them."""

    __module__ = "eryx"

    skipped: tuple[str, ...]
    """Variables that cannot be pickled, such as generators, locks and open files."""

    def __new__(cls, data: bytes, skipped: tuple[str, ...] = ()) -> Snapshot:
        """Snapshots are made by `Session.snapshot_state`; plain bytes can be restored as well."""
        self = super().__new__(cls, data)
        self.skipped = skipped
        return self


def _digest(header: bytes, data: memoryview, key: bytes | None) -> bytes:
    import hashlib

    if key is None:
        digest = hashlib.sha256(header)
        digest.update(data)
        return digest.digest()
    import hmac

    code = hmac.new(key, header, hashlib.sha256)
    code.update(data)
    return code.digest()


def check_key(key: bytes | None) -> None:
    """Refuses what is no key."""
    if key is not None and not isinstance(key, bytes):
        raise TypeError(f"key must be bytes or None, not {type(key).__name__}")
    if key is not None and not key:
        raise ValueError("key must not be empty")


def check_limit(max_bytes: int) -> None:
    """Refuses what is no size."""
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool):
        raise TypeError(f"max_bytes must be an int, not {type(max_bytes).__name__}")
    if max_bytes < 0:
        raise ValueError("max_bytes must not be negative")


def seal(data: bytes, skipped: tuple[str, ...], key: bytes | None) -> Snapshot:
    """Puts a header before the data."""
    header = _HEADER.pack(_MAGIC, _VERSION, 0 if key is None else _KEYED, _BUILD, len(data))
    return Snapshot(header + _digest(header, memoryview(data), key) + data, skipped)


def _refuse(reason: str) -> NoReturn:
    raise InitializationError(f"the snapshot cannot be restored: {reason}")


def open_sealed(snapshot: bytes, key: bytes | None, max_bytes: int) -> bytes:
    """Checks the header and gives the data.

    Raises InitializationError if anything is wrong, before a byte of the data is looked at.
    """
    if not isinstance(snapshot, bytes):
        raise TypeError(f"a snapshot must be bytes, not {type(snapshot).__name__}")
    if len(snapshot) < _PREFIX_SIZE:
        _refuse("it is too short")
    header = snapshot[: _HEADER.size]
    magic, version, flags, build, length = _HEADER.unpack(header)
    if magic != _MAGIC:
        _refuse("it is no snapshot")
    if version != _VERSION or flags & ~_KEYED:
        _refuse(f"its format {version} is not known to this version of eryx")
    if build != _BUILD:
        _refuse("it was made by another build of eryx")
    if length != len(snapshot) - _PREFIX_SIZE:
        _refuse("it is cut off or has something behind it")
    if length > max_bytes:
        _refuse(f"it has {length} bytes, the limit is {max_bytes}")
    from hmac import compare_digest

    keyed = bool(flags & _KEYED)
    if keyed != (key is not None):
        _refuse("it was made with a key" if keyed else "it was made without a key")
    data = memoryview(snapshot)[_PREFIX_SIZE:]
    if not compare_digest(snapshot[_HEADER.size : _PREFIX_SIZE], _digest(header, data, key)):
        _refuse("it was altered, or the key is another" if keyed else "it is damaged")
    return bytes(data)
