"""Packs images that differ in the seed of their hashes (src/machine/seed_images.h reads them)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from toolchain.errors import BuildError

# How many images there are, with the first.
COUNT = 4

_VERSION = 1
_HEADER = struct.Struct("<8sII32sQ")
_ENTRY = struct.Struct("<QQQQ")

# Of an image's header (src/machine/image.c): the build, and the checksum.
_BUILD = slice(16, 48)
_CHECKSUM = struct.Struct("<Q")
_CHECKSUM_AT = 64


def _difference(first: bytes, other: bytes) -> bytes:
    """The bytes of the other image, combined by exclusive or with those of the first."""
    size = len(other)
    left = int.from_bytes(first[:size], "little")
    return (left ^ int.from_bytes(other, "little")).to_bytes(size, "little")


def pack(images: Sequence[Path], output: Path) -> None:
    """Writes all images but the first, as what they differ from it.

    Raises BuildError if two of them are the same, as they would be with one seed.
    """
    first, *others = [path.read_bytes() for path in images]
    if len({first, *others}) != len(images):
        raise BuildError("two images were made with the same seed")
    entries = b""
    packed = b""
    begin = _HEADER.size + len(others) * _ENTRY.size
    for other in others:
        part = zlib.compress(_difference(first, other), 9)
        (checksum,) = _CHECKSUM.unpack_from(other, _CHECKSUM_AT)
        offset = begin + len(packed)
        entries += _ENTRY.pack(checksum, len(other), offset, len(part))
        packed += part
    (checksum,) = _CHECKSUM.unpack_from(first, _CHECKSUM_AT)
    header = _HEADER.pack(b"ERYXSEED", _VERSION, len(others), first[_BUILD], checksum)
    output.write_bytes(header + entries + packed)
