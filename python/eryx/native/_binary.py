"""Numbers, names and lists of WebAssembly's binary format, read and written.

The toolchain loads this file by its path to link the guest: it imports nothing of the package.
"""

from __future__ import annotations

MAGIC = b"\0asm\1\0\0\0"
MAX_ITEMS = 1 << 19  # of a list of which nothing else is known

SECTION_CUSTOM, SECTION_TYPE, SECTION_IMPORT, SECTION_FUNCTION = range(4)
SECTION_TABLE, SECTION_MEMORY, SECTION_GLOBAL, SECTION_EXPORT = range(4, 8)
SECTION_START, SECTION_ELEMENT, SECTION_CODE, SECTION_DATA = range(8, 12)
SECTION_DATA_COUNT, SECTION_TAG = range(12, 14)

KIND_FUNCTION, KIND_TABLE, KIND_MEMORY, KIND_GLOBAL, KIND_TAG = range(5)

I32, I64, F32, F64, V128 = range(0x7F, 0x7A, -1)
FUNCREF = 0x70
FUNCTION_TYPE = 0x60

OP_END = 0x0B
OP_CALL = 0x10
OP_GLOBAL_GET = 0x23
OP_I32_CONST, OP_I64_CONST, OP_F32_CONST, OP_F64_CONST = range(0x41, 0x45)
OP_I32_ADD = 0x6A


class FormatError(ValueError):
    """The bytes are not what the format says; the text goes on after "it "."""


def encode_unsigned(value: int) -> bytes:
    """LEB128 of a non-negative number."""
    out = bytearray()
    while True:
        low = value & 0x7F
        value >>= 7
        if not value:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def encode_signed(value: int) -> bytes:
    """LEB128 of a number in two's complement."""
    out = bytearray()
    while True:
        low = value & 0x7F
        value >>= 7
        if (value == 0 and not low & 0x40) or (value == -1 and low & 0x40):
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def encode_name(text: str) -> bytes:
    """A UTF-8 string with its length before it."""
    data = text.encode()
    return encode_unsigned(len(data)) + data


def encode_vector(items: list[bytes]) -> bytes:
    """A number of items, then the items."""
    return encode_unsigned(len(items)) + b"".join(items)


def encode_section(section: int, payload: bytes) -> bytes:
    """A section with its number and length before it."""
    return bytes([section]) + encode_unsigned(len(payload)) + payload


def encode_type(parameters: tuple[int, ...], results: tuple[int, ...]) -> bytes:
    """The type of a function."""
    return (
        bytes([FUNCTION_TYPE])
        + encode_unsigned(len(parameters))
        + bytes(parameters)
        + encode_unsigned(len(results))
        + bytes(results)
    )


class Reader:
    """A cursor over bytes that nobody vouches for; raises FormatError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.data)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.position:
            raise FormatError("ends in the middle of a value")
        self.position += size
        return self.data[self.position - size : self.position]

    def byte(self) -> int:
        return self.take(1)[0]

    def _leb(self) -> tuple[int, int, int]:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value, shift, byte
            if shift >= 70:
                raise FormatError("has a number that is too long")

    def unsigned(self) -> int:
        value = self._leb()[0]
        if value > 0xFFFFFFFF:
            raise FormatError("has a number that is too large")
        return value

    def signed(self) -> int:
        value, shift, last = self._leb()
        return value - (1 << shift) if last & 0x40 else value

    def name(self) -> str:
        try:
            return self.take(self.unsigned()).decode()
        except UnicodeDecodeError:
            raise FormatError("has a name that is not UTF-8") from None

    def count(self, most: int = MAX_ITEMS) -> int:
        """How many items follow; each has at least one byte."""
        count = self.unsigned()
        if count > len(self.data) - self.position:
            raise FormatError("ends in the middle of a list")
        if count > most:
            raise FormatError(f"has a list of more than {most} items")
        return count
