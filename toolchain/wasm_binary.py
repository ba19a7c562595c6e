"""Reading and writing WebAssembly modules, as far as linking needs it.

Sections that the linker does not change are kept as the bytes that they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from toolchain.errors import BuildError

MAGIC = b"\0asm\1\0\0\0"

SECTION_CUSTOM = 0
SECTION_TYPE = 1
SECTION_IMPORT = 2
SECTION_FUNCTION = 3
SECTION_TABLE = 4
SECTION_MEMORY = 5
SECTION_GLOBAL = 6
SECTION_EXPORT = 7
SECTION_START = 8
SECTION_ELEMENT = 9
SECTION_CODE = 10
SECTION_DATA = 11
SECTION_DATA_COUNT = 12

KIND_FUNCTION = 0
KIND_TABLE = 1
KIND_MEMORY = 2
KIND_GLOBAL = 3
KIND_TAG = 4

I32 = 0x7F
I64 = 0x7E
F32 = 0x7D
F64 = 0x7C
FUNCREF = 0x70
VALUE_TYPE_NAMES = {I32: "i32", I64: "i64", F32: "f32", F64: "f64"}

OP_END = 0x0B
OP_CALL = 0x10
OP_GLOBAL_GET = 0x23
OP_I32_CONST = 0x41
OP_I64_CONST = 0x42


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


class Reader:
    """A cursor over the bytes of a module or section."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.data)

    def byte(self) -> int:
        if self.at_end:
            raise BuildError("WebAssembly module ends in the middle of a value")
        value = self.data[self.position]
        self.position += 1
        return value

    def take(self, size: int) -> bytes:
        if self.position + size > len(self.data):
            raise BuildError("WebAssembly module ends in the middle of a value")
        self.position += size
        return self.data[self.position - size : self.position]

    def unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def signed(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if byte & 0x40 else value

    def name(self) -> str:
        return self.take(self.unsigned()).decode()


@dataclass(frozen=True)
class FunctionType:
    parameters: tuple[int, ...]
    results: tuple[int, ...]

    def encode(self) -> bytes:
        return (
            b"\x60"
            + encode_unsigned(len(self.parameters))
            + bytes(self.parameters)
            + encode_unsigned(len(self.results))
            + bytes(self.results)
        )


@dataclass
class Import:
    module: str
    name: str
    kind: int
    description: bytes

    def encode(self) -> bytes:
        return (
            encode_name(self.module) + encode_name(self.name) + bytes([self.kind])
        ) + self.description


@dataclass
class Export:
    name: str
    kind: int
    index: int

    def encode(self) -> bytes:
        return encode_name(self.name) + bytes([self.kind]) + encode_unsigned(self.index)


@dataclass(frozen=True)
class MemoryNeeds:
    """What a dynamic library asks its linker for (section dylink.0)."""

    memory_size: int
    memory_alignment: int
    table_size: int
    table_alignment: int


def encode_section(section: int, payload: bytes) -> bytes:
    return bytes([section]) + encode_unsigned(len(payload)) + payload


def _skip_limits(reader: Reader) -> None:
    flags = reader.byte()
    reader.unsigned()
    if flags & 1:
        reader.unsigned()


def _read_import(reader: Reader) -> Import:
    module, name, kind = reader.name(), reader.name(), reader.byte()
    start = reader.position
    if kind == KIND_FUNCTION:
        reader.unsigned()
    elif kind == KIND_TABLE:
        reader.byte()
        _skip_limits(reader)
    elif kind == KIND_MEMORY:
        _skip_limits(reader)
    elif kind == KIND_GLOBAL:
        reader.take(2)
    elif kind == KIND_TAG:
        reader.byte()
        reader.unsigned()
    else:
        raise BuildError(f"import {module}.{name} is of unknown kind {kind}")
    return Import(module, name, kind, reader.data[start : reader.position])


def _read_constant(reader: Reader) -> int | None:
    """The value of a constant expression, or None if it is more than one i32.const."""
    value: int | None = None
    instructions = 0
    while (opcode := reader.byte()) != OP_END:
        instructions += 1
        if opcode == OP_I32_CONST:
            value = reader.signed()
        elif opcode == OP_I64_CONST:
            reader.signed()
            instructions += 1
        elif opcode == OP_GLOBAL_GET:
            reader.unsigned()
            instructions += 1
        elif opcode not in (0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E):
            raise BuildError(f"global has an initialiser with opcode {opcode:#x}")
    return value if instructions == 1 else None


@dataclass
class Module:
    """A module taken apart: imports, exports, start and globals as lists, the rest as bytes."""

    sections: list[tuple[int, bytes]]
    types: list[FunctionType] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    start: int | None = None
    function_types: list[int] = field(default_factory=list)
    global_constants: list[int | None] = field(default_factory=list)
    global_types: list[tuple[int, bool]] = field(default_factory=list)
    memory_needs: MemoryNeeds | None = None
    memory_minimum_pages: int | None = None

    @classmethod
    def parse(cls, data: bytes) -> Module:
        """Takes a module apart; raises BuildError if it is none."""
        if data[:8] != MAGIC:
            raise BuildError("not a WebAssembly module")
        module = cls([])
        reader = Reader(data)
        reader.take(8)
        while not reader.at_end:
            section = reader.byte()
            payload = reader.take(reader.unsigned())
            module.sections.append((section, payload))
            module._parse_section(section, Reader(payload))
        return module

    def _parse_section(self, section: int, reader: Reader) -> None:
        if section == SECTION_CUSTOM:
            if reader.name() == "dylink.0":
                self._parse_dylink(reader)
        elif section == SECTION_TYPE:
            for _ in range(reader.unsigned()):
                if reader.byte() != 0x60:
                    raise BuildError("type section has something else than a function type")
                parameters = tuple(reader.take(reader.unsigned()))
                self.types.append(FunctionType(parameters, tuple(reader.take(reader.unsigned()))))
        elif section == SECTION_IMPORT:
            self.imports = [_read_import(reader) for _ in range(reader.unsigned())]
        elif section == SECTION_FUNCTION:
            self.function_types = [reader.unsigned() for _ in range(reader.unsigned())]
        elif section == SECTION_MEMORY:
            if reader.unsigned():
                reader.byte()
                self.memory_minimum_pages = reader.unsigned()
        elif section == SECTION_GLOBAL:
            for _ in range(reader.unsigned()):
                self.global_types.append((reader.byte(), bool(reader.byte())))
                self.global_constants.append(_read_constant(reader))
        elif section == SECTION_EXPORT:
            self.exports = [
                Export(reader.name(), reader.byte(), reader.unsigned())
                for _ in range(reader.unsigned())
            ]
        elif section == SECTION_START:
            self.start = reader.unsigned()

    def _parse_dylink(self, reader: Reader) -> None:
        while not reader.at_end:
            kind = reader.byte()
            body = Reader(reader.take(reader.unsigned()))
            if kind == 1:
                size, alignment = body.unsigned(), body.unsigned()
                self.memory_needs = MemoryNeeds(
                    size, 1 << alignment, body.unsigned(), 1 << body.unsigned()
                )

    @property
    def imported_functions(self) -> list[Import]:
        return [entry for entry in self.imports if entry.kind == KIND_FUNCTION]

    @property
    def imported_globals(self) -> list[Import]:
        return [entry for entry in self.imports if entry.kind == KIND_GLOBAL]

    def exported(self, kind: int) -> dict[str, int]:
        """Names of the exports of one kind, with their indices."""
        return {export.name: export.index for export in self.exports if export.kind == kind}

    def function_type(self, index: int) -> FunctionType:
        """The type of a function, imported or not."""
        imported = self.imported_functions
        if index < len(imported):
            return self.types[Reader(imported[index].description).unsigned()]
        return self.types[self.function_types[index - len(imported)]]

    def global_constant(self, index: int) -> int | None:
        """The value of an i32 global of this module, or None if it is not a plain constant."""
        return self.global_constants[index - len(self.imported_globals)]

    def encode(self, keep_custom: frozenset[str] = frozenset({"name"})) -> bytes:
        """Puts the module together again, with only the custom sections that are named."""
        out = bytearray(MAGIC)
        for section, payload in self.sections:
            if section == SECTION_CUSTOM and Reader(payload).name() not in keep_custom:
                continue
            if section == SECTION_IMPORT:
                payload = encode_vector([entry.encode() for entry in self.imports])
            elif section == SECTION_EXPORT:
                payload = encode_vector([entry.encode() for entry in self.exports])
            elif section == SECTION_START:
                if self.start is None:
                    continue
                payload = encode_unsigned(self.start)
            out += encode_section(section, payload)
        return bytes(out)
