"""Bytes with a header that says what they are and for which build, and a digest."""

from __future__ import annotations

import struct

from eryx._errors import InitializationError
from eryx._eryx import BUILD_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_KEYED = 1  # flag: the digest is an HMAC
_BUILD = bytes.fromhex(BUILD_ID)
# magic, version, flags, build id, length of the data; the digest and the data follow.
_HEADER = struct.Struct("<8sHH32sQ")
_DIGEST_SIZE = 32
_PREFIX_SIZE = _HEADER.size + _DIGEST_SIZE


def check_key(key: bytes | None) -> None:
    """Refuses what is not a key."""
    if key is not None and not isinstance(key, bytes):
        raise TypeError(f"key must be bytes or None, not {type(key).__name__}")
    if key is not None and not key:
        raise ValueError("key must not be empty")


def _digest(header: bytes, data: bytes | memoryview, key: bytes | None) -> bytes:
    import hashlib

    if key is None:
        digest = hashlib.sha256(header)
        digest.update(data)
        return digest.digest()
    import hmac

    code = hmac.new(key, header, hashlib.sha256)
    code.update(data)
    return code.digest()


class Seal:
    """One kind of sealed bytes."""

    __slots__ = ("_magic", "_noun", "_version", "what")

    def __init__(self, magic: bytes, version: int, noun: str, verb: str) -> None:
        """magic: 8 bytes. noun and verb: "snapshot" and "restored", for messages."""
        self._magic = magic
        self._version = version
        self._noun = noun
        self.what = f"the {noun} cannot be {verb}"

    def seal(self, data: bytes, key: bytes | None) -> bytes:
        """Puts a header before the data. key: for an HMAC in place of a plain digest."""
        flags = 0 if key is None else _KEYED
        header = _HEADER.pack(self._magic, self._version, flags, _BUILD, len(data))
        return b"".join((header, _digest(header, data, key), data))

    def open(
        self, sealed: bytes, key: bytes | None, max_bytes: int, what: str | None = None
    ) -> memoryview:
        """Checks everything and gives the data.

        what: start of the messages, in place of ``the <noun> cannot be <verb>``.

        Raises InitializationError if anything is wrong, before a byte of the data is looked at.
        """

        def refuse(reason: str) -> NoReturn:
            raise InitializationError(f"{what or self.what}: {reason}")

        if len(sealed) < _PREFIX_SIZE:
            refuse("it is too short")
        header = sealed[: _HEADER.size]
        magic, version, flags, build, length = _HEADER.unpack(header)
        if magic != self._magic:
            refuse(f"it is no {self._noun}")
        if version != self._version or flags & ~_KEYED:
            refuse(f"its format {version} is not known to this version of eryx")
        if build != _BUILD:
            refuse("it was made by another build of eryx")
        if length != len(sealed) - _PREFIX_SIZE:
            refuse("it is cut off or has something behind it")
        if length > max_bytes:
            refuse(f"it has {length} bytes, the limit is {max_bytes}")
        from hmac import compare_digest

        keyed = bool(flags & _KEYED)
        if keyed != (key is not None):
            refuse("it was made with a key" if keyed else "it was made without a key")
        data = memoryview(sealed)[_PREFIX_SIZE:]
        if not compare_digest(sealed[_HEADER.size : _PREFIX_SIZE], _digest(header, data, key)):
            refuse("it was altered, or the key is another" if keyed else "it is damaged")
        return data
