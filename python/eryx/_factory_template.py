"""What a factory is made of, and its form in files."""

from __future__ import annotations

import json
import struct
import zlib

from eryx._errors import InitializationError, ResourceLimitError
from eryx._sealed import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEAL = Seal(b"ERYXFACT", 1, "factory file", "loaded")
# Sizes of the parts as they are unpacked: description (JSON), packages, frozen memory.
SIZES = struct.Struct("<QQQ")
MOST_BYTES = 2**31
_COMPRESSION = 4  # half the time of 6 for a few per cent more


class Template:
    """What a factory is made of, as bytes: enough to make it again."""

    __slots__ = ("archive", "description", "frozen")

    def __init__(self, description: dict[str, Any], archive: bytes, frozen: bytes) -> None:
        self.description = description
        self.archive = archive  # of the packages; empty for none
        self.frozen = frozen  # what Core.freeze() gave

    def pack(self) -> bytes:
        """All of it in one piece, compressed."""
        description = json.dumps(self.description).encode()
        parts = (description, self.archive, self.frozen)
        packer = zlib.compressobj(_COMPRESSION)
        packed = [packer.compress(part) for part in parts]
        return b"".join((SIZES.pack(*map(len, parts)), *packed, packer.flush()))

    @classmethod
    def unpack(cls, data: memoryview, most_bytes: int, what: str) -> Template:
        """The reverse; whoever made the bytes is trusted only as far as a program in a sandbox.

        most_bytes: of all parts, unpacked.
        """
        try:
            sizes = SIZES.unpack_from(data)
            if sum(sizes) > MOST_BYTES:
                raise ValueError("it is too large")
            if sum(sizes) > most_bytes:
                problem = f"it needs {sum(sizes)} bytes, the limit is {most_bytes}"
                raise ResourceLimitError(f"{what}: {problem}")
            unpacker = zlib.decompressobj()
            plain = memoryview(unpacker.decompress(data[SIZES.size :], sum(sizes) + 1))
            if len(plain) != sum(sizes) or not unpacker.eof or unpacker.unused_data:
                raise ValueError("its sizes are wrong")
            frozen_begin = sizes[0] + sizes[1]
            description = json.loads(bytes(plain[: sizes[0]]))
            _check_description(description)
            archive = bytes(plain[sizes[0] : frozen_begin])
            return cls(description, archive, bytes(plain[frozen_begin:]))
        except (ValueError, RecursionError, struct.error, zlib.error) as error:
            raise InitializationError(f"{what}: {error}") from None


def open_template(
    sealed: bytes, key: bytes | None, what: str | None, most_bytes: int = MOST_BYTES
) -> Template:
    """The template in sealed bytes, all of which is checked. what: names them in errors."""
    data = SEAL.open(sealed, key, MOST_BYTES, what)
    return Template.unpack(data, most_bytes, what or SEAL.what)


def _are_declarations(text: object) -> bool:
    if text is None:
        return True
    declared = json.loads(text) if isinstance(text, str) else None
    return isinstance(declared, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in declared
    )


def _check_description(description: Any) -> None:
    if not (
        isinstance(description, dict)
        and isinstance(description.get("imports"), list)
        and isinstance(description.get("packages"), list)
        and isinstance(description.get("setup"), bool)
        and _are_declarations(description.get("callbacks"))
        and isinstance(description.get("native_files"), list)
        and all(isinstance(name, str) for name in description["imports"])
        and all(isinstance(name, str) for name in description["native_files"])
        and all(
            isinstance(package, list)
            and len(package) == 2
            and all(isinstance(part, str) for part in package)
            for package in description["packages"]
        )
    ):
        raise ValueError("its description is malformed")
