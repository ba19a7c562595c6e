"""Reading and writing WebAssembly modules, as far as linking needs it.

Sections that the linker does not change are kept as the bytes that they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from toolchain.errors import BuildError
from toolchain.leaves import binary


@dataclass(frozen=True)
class FunctionType:
    parameters: tuple[int, ...]
    results: tuple[int, ...]

    def encode(self) -> bytes:
        return binary.encode_type(self.parameters, self.results)


@dataclass
class Import:
    module: str
    name: str
    kind: int
    description: bytes

    def encode(self) -> bytes:
        return (
            binary.encode_name(self.module) + binary.encode_name(self.name) + bytes([self.kind])
        ) + self.description


@dataclass
class Export:
    name: str
    kind: int
    index: int

    def encode(self) -> bytes:
        return (
            binary.encode_name(self.name) + bytes([self.kind]) + binary.encode_unsigned(self.index)
        )


@dataclass(frozen=True)
class MemoryNeeds:
    """What a dynamic library asks its linker for (section dylink.0)."""

    memory_size: int
    memory_alignment: int
    table_size: int
    table_alignment: int


def _skip_limits(reader: binary.Reader) -> None:
    flags = reader.byte()
    reader.unsigned()
    if flags & 1:
        reader.unsigned()


def _read_import(reader: binary.Reader) -> Import:
    module, name, kind = reader.name(), reader.name(), reader.byte()
    start = reader.position
    if kind == binary.KIND_FUNCTION:
        reader.unsigned()
    elif kind == binary.KIND_TABLE:
        reader.byte()
        _skip_limits(reader)
    elif kind == binary.KIND_MEMORY:
        _skip_limits(reader)
    elif kind == binary.KIND_GLOBAL:
        reader.take(2)
    elif kind == binary.KIND_TAG:
        reader.byte()
        reader.unsigned()
    else:
        raise BuildError(f"import {module}.{name} is of unknown kind {kind}")
    return Import(module, name, kind, reader.data[start : reader.position])


def _read_constant(reader: binary.Reader) -> int | None:
    """The value of a constant expression, or None if it is more than one i32.const."""
    value: int | None = None
    instructions = 0
    while (opcode := reader.byte()) != binary.OP_END:
        instructions += 1
        if opcode == binary.OP_I32_CONST:
            value = reader.signed()
        elif opcode == binary.OP_I64_CONST:
            reader.signed()
            instructions += 1
        elif opcode == binary.OP_GLOBAL_GET:
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
        if data[:8] != binary.MAGIC:
            raise BuildError("not a WebAssembly module")
        module = cls([])
        try:
            reader = binary.Reader(data)
            reader.take(8)
            while not reader.at_end:
                section = reader.byte()
                payload = reader.take(reader.unsigned())
                module.sections.append((section, payload))
                module._parse_section(section, binary.Reader(payload))
        except binary.FormatError as error:
            raise BuildError(f"a WebAssembly module is damaged: it {error}") from None
        return module

    def _parse_section(self, section: int, reader: binary.Reader) -> None:
        if section == binary.SECTION_CUSTOM:
            if reader.name() == "dylink.0":
                self._parse_dylink(reader)
        elif section == binary.SECTION_TYPE:
            for _ in range(reader.unsigned()):
                if reader.byte() != binary.FUNCTION_TYPE:
                    raise BuildError("type section has something else than a function type")
                parameters = tuple(reader.take(reader.unsigned()))
                self.types.append(FunctionType(parameters, tuple(reader.take(reader.unsigned()))))
        elif section == binary.SECTION_IMPORT:
            self.imports = [_read_import(reader) for _ in range(reader.unsigned())]
        elif section == binary.SECTION_FUNCTION:
            self.function_types = [reader.unsigned() for _ in range(reader.unsigned())]
        elif section == binary.SECTION_MEMORY:
            if reader.unsigned():
                reader.byte()
                self.memory_minimum_pages = reader.unsigned()
        elif section == binary.SECTION_GLOBAL:
            for _ in range(reader.unsigned()):
                self.global_types.append((reader.byte(), bool(reader.byte())))
                self.global_constants.append(_read_constant(reader))
        elif section == binary.SECTION_EXPORT:
            self.exports = [
                Export(reader.name(), reader.byte(), reader.unsigned())
                for _ in range(reader.unsigned())
            ]
        elif section == binary.SECTION_START:
            self.start = reader.unsigned()

    def _parse_dylink(self, reader: binary.Reader) -> None:
        while not reader.at_end:
            kind = reader.byte()
            body = binary.Reader(reader.take(reader.unsigned()))
            if kind == 1:
                size, alignment = body.unsigned(), body.unsigned()
                self.memory_needs = MemoryNeeds(
                    size, 1 << alignment, body.unsigned(), 1 << body.unsigned()
                )

    @property
    def imported_functions(self) -> list[Import]:
        return [entry for entry in self.imports if entry.kind == binary.KIND_FUNCTION]

    @property
    def imported_globals(self) -> list[Import]:
        return [entry for entry in self.imports if entry.kind == binary.KIND_GLOBAL]

    def exported(self, kind: int) -> dict[str, int]:
        """Names of the exports of one kind, with their indices."""
        return {export.name: export.index for export in self.exports if export.kind == kind}

    def function_type(self, index: int) -> FunctionType:
        """The type of a function, imported or not."""
        imported = self.imported_functions
        if index < len(imported):
            return self.types[binary.Reader(imported[index].description).unsigned()]
        return self.types[self.function_types[index - len(imported)]]

    def global_constant(self, index: int) -> int | None:
        """The value of an i32 global of this module, or None if it is not a plain constant."""
        return self.global_constants[index - len(self.imported_globals)]

    def encode(self, keep_custom: frozenset[str] = frozenset({"name"})) -> bytes:
        """Puts the module together again, with only the custom sections that are named."""
        out = bytearray(binary.MAGIC)
        for section, payload in self.sections:
            if (
                section == binary.SECTION_CUSTOM
                and binary.Reader(payload).name() not in keep_custom
            ):
                continue
            if section == binary.SECTION_IMPORT:
                payload = binary.encode_vector([entry.encode() for entry in self.imports])
            elif section == binary.SECTION_EXPORT:
                payload = binary.encode_vector([entry.encode() for entry in self.exports])
            elif section == binary.SECTION_START:
                if self.start is None:
                    continue
                payload = binary.encode_unsigned(self.start)
            out += binary.encode_section(section, payload)
        return bytes(out)
