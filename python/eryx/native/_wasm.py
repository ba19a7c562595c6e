"""Reads native modules and reduces them to what the translator takes.

A native module is a WebAssembly dynamic library: position independent, with the section dylink.0.
Here it is taken apart. What is left for wasm2c has functions and nothing else: memory, table, all
globals and all functions of others are imported under names that are made here, and there are no
names, data, elements or exports in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eryx.native._binary import (
    F32,
    F64,
    FUNCREF,
    FUNCTION_TYPE,
    I32,
    I64,
    KIND_FUNCTION,
    KIND_GLOBAL,
    KIND_MEMORY,
    KIND_TABLE,
    KIND_TAG,
    MAGIC,
    OP_END,
    OP_F32_CONST,
    OP_F64_CONST,
    OP_GLOBAL_GET,
    OP_I32_ADD,
    OP_I32_CONST,
    OP_I64_CONST,
    SECTION_CODE,
    SECTION_CUSTOM,
    SECTION_DATA,
    SECTION_DATA_COUNT,
    SECTION_ELEMENT,
    SECTION_EXPORT,
    SECTION_FUNCTION,
    SECTION_GLOBAL,
    SECTION_IMPORT,
    SECTION_MEMORY,
    SECTION_START,
    SECTION_TABLE,
    SECTION_TAG,
    SECTION_TYPE,
    V128,
    FormatError,
    Reader,
    encode_name,
    encode_section,
    encode_type,
    encode_unsigned,
    encode_vector,
)
from eryx.native._errors import NativeModuleError
from eryx.native._unwind import TAGS

MAX_BYTES = 64 << 20
MAX_FUNCTIONS = 200_000
MAX_GLOBALS = 1 << 17  # also of variables that are exported
MAX_PARAMETERS = 1000
MAX_MEMORY = 1 << 30
MAX_TABLE = 1 << 19
MAX_ALIGNMENT = 16  # a power of two

# Where sections come that are not in the order of their numbers.
ORDER = {SECTION_DATA_COUNT: SECTION_ELEMENT + 0.5, SECTION_TAG: SECTION_MEMORY + 0.5}

NUMBERS = {I32: "i", I64: "j", F32: "f", F64: "d"}
LETTERS = {**NUMBERS, V128: "o"}

STACK_POINTER = "__stack_pointer"
MEMORY_BASE = "__memory_base"
TABLE_BASE = "__table_base"
BASES = (STACK_POINTER, MEMORY_BASE, TABLE_BASE)

SYMBOL_WEAK = 1  # in dylink.0

# What the standard library of Rust imports even of a library, and which function of the guest is
# the same. Everything else of WASI is the guest's own matter.
WASI = "wasi_snapshot_preview1"
WASI_FUNCTIONS = {"random_get": "getentropy"}


@dataclass(frozen=True)
class Constant:
    """An initial value: a number, to which the value of a global may be added."""

    value: int
    base: int | None = None


@dataclass(frozen=True)
class ImportedFunction:
    name: str
    type_index: int
    weak: bool = False


@dataclass(frozen=True)
class ImportedTag:
    """A kind of exception."""

    name: str
    type_index: int


@dataclass(frozen=True)
class Global:
    """One global, imported or not."""

    kind: int
    mutable: bool
    module: str = ""
    name: str = ""
    initial: Constant | None = None
    weak: bool = False


@dataclass(frozen=True)
class Segment:
    """Bytes of data, or numbers of functions, at an offset from the module's base."""

    offset: int
    data: bytes = b""
    functions: tuple[int, ...] = ()


@dataclass
class NativeFile:
    """A native module, taken apart."""

    types: list[tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    imports: list[ImportedFunction] = field(default_factory=list)
    tags: list[ImportedTag] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    imported_globals: int = 0
    exports: dict[str, int] = field(default_factory=dict)
    variables: dict[str, int] = field(default_factory=dict)
    start: int | None = None
    elements: list[Segment] = field(default_factory=list)
    data: list[Segment] = field(default_factory=list)
    code: bytes = b""
    code_count: int = 0
    memory_size: int = 0
    memory_alignment: int = 1
    table_size: int = 0
    table_alignment: int = 1
    needed: list[str] = field(default_factory=list)
    weak: set[tuple[str, str]] = field(default_factory=set)
    has_dylink: bool = False

    def signature(self, type_index: int) -> str:
        """The text that the hash of a function type is made of."""
        parameters, results = self.types[type_index]
        return (
            "".join(LETTERS[kind] for kind in parameters)
            + " "
            + "".join(LETTERS[kind] for kind in results)
        )

    def type_of(self, function: int) -> int:
        """The number of the type of a function, imported or not."""
        if function < len(self.imports):
            return self.imports[function].type_index
        return self.functions[function - len(self.imports)]

    @property
    def function_count(self) -> int:
        return len(self.imports) + len(self.functions)


def parse(data: bytes) -> NativeFile:
    """Takes a native module apart.

    Raises NativeModuleError, without the name of the file, if it is none or needs something that
    sandboxes have not.
    """
    if len(data) > MAX_BYTES:
        raise NativeModuleError(f"it is larger than {MAX_BYTES} bytes")
    if data[:8] != MAGIC:
        what = "an ELF file" if data[:4] == b"\x7fELF" else "no WebAssembly module"
        raise NativeModuleError(f"it is {what}: a native module is built for wasm32-wasi")
    try:
        return _parse(data)
    except FormatError as error:
        raise NativeModuleError(f"it {error}") from None


def _parse(data: bytes) -> NativeFile:
    file = NativeFile()
    reader = Reader(data)
    reader.take(8)
    exports: list[tuple[str, int, int]] = []
    last = 0.0
    while not reader.at_end:
        section = reader.byte()
        body = Reader(reader.take(reader.unsigned()))
        if section != SECTION_CUSTOM:
            order = ORDER.get(section, section)
            if order <= last:
                raise NativeModuleError("its sections are out of order")
            last = order
        if section == SECTION_EXPORT:
            exports = [(body.name(), body.byte(), body.unsigned()) for _ in range(body.count())]
        else:
            _read_section(file, section, body)
        if not body.at_end and section not in (SECTION_CUSTOM, SECTION_CODE):
            raise NativeModuleError(f"its section {section} has something left over")
    _check(file, exports)
    return file


def _read_section(file: NativeFile, section: int, body: Reader) -> None:
    if section == SECTION_CUSTOM:
        if body.name() == "dylink.0":
            if file.types or file.imports or file.functions:
                raise NativeModuleError("its section dylink.0 is not the first one")
            _read_dylink(file, body)
    elif section == SECTION_TYPE:
        for _ in range(body.count(MAX_FUNCTIONS)):
            file.types.append(_read_type(body))
    elif section == SECTION_IMPORT:
        _read_imports(file, body)
    elif section == SECTION_FUNCTION:
        file.functions = [body.unsigned() for _ in range(body.count(MAX_FUNCTIONS))]
    elif section in (SECTION_TABLE, SECTION_MEMORY):
        if body.unsigned():
            what = "table" if section == SECTION_TABLE else "memory"
            raise NativeModuleError(f"it has a {what} of its own: it is not a dynamic library")
    elif section == SECTION_GLOBAL:
        for _ in range(body.count(MAX_GLOBALS)):
            kind, mutable = _read_global_type(body)
            file.globals.append(Global(kind, mutable, initial=_read_constant(body)))
    elif section == SECTION_START:
        file.start = body.unsigned()
    elif section == SECTION_ELEMENT:
        for _ in range(body.count()):
            file.elements.append(_read_element(file, body))
    elif section == SECTION_CODE:
        file.code = body.data
        file.code_count = body.unsigned()
    elif section == SECTION_DATA:
        for _ in range(body.count()):
            file.data.append(_read_data(file, body))
    elif section == SECTION_DATA_COUNT:
        body.unsigned()
    elif section == SECTION_TAG:
        raise NativeModuleError("it has exceptions of its own, not those of C++")
    else:
        raise NativeModuleError(f"it has a section of the unknown kind {section}")


def _read_dylink(file: NativeFile, body: Reader) -> None:
    file.has_dylink = True
    while not body.at_end:
        kind = body.byte()
        part = Reader(body.take(body.unsigned()))
        if kind == 1:
            file.memory_size = part.unsigned()
            file.memory_alignment = 1 << min(part.unsigned(), 31)
            file.table_size = part.unsigned()
            file.table_alignment = 1 << min(part.unsigned(), 31)
        elif kind == 2:
            file.needed = [part.name() for _ in range(part.count())]
        elif kind == 4:
            for _ in range(part.count()):
                module, name, flags = part.name(), part.name(), part.unsigned()
                if flags & 3 == SYMBOL_WEAK:
                    file.weak.add((module, name))


def _read_type(body: Reader) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if body.byte() != FUNCTION_TYPE:
        raise NativeModuleError("it has a type that is not a function type")
    parameters = body.take(body.unsigned())
    results = body.take(body.unsigned())
    if len(results) > 1 or len(parameters) > MAX_PARAMETERS:
        raise NativeModuleError("it has a function with more values than C functions have")
    if not LETTERS.keys() >= {*parameters, *results}:
        raise NativeModuleError("it has a function with references, which are not had")
    return tuple(parameters), tuple(results)


def _read_global_type(body: Reader) -> tuple[int, bool]:
    kind, mutable = body.byte(), body.byte()
    if kind not in NUMBERS or mutable > 1:
        raise NativeModuleError("it has a global of an unknown type")
    return kind, bool(mutable)


def _read_limits(body: Reader) -> None:
    flags = body.byte()
    if flags > 1:
        raise NativeModuleError("it wants a memory or a table that is shared or has 64 bits")
    body.unsigned()
    if flags:
        body.unsigned()


def _read_imports(file: NativeFile, body: Reader) -> None:
    for _ in range(body.count()):
        module, name, kind = body.name(), body.name(), body.byte()
        # Linkers say "env" of symbols whose address is taken as well.
        weak = bool({(module, name), ("env", name)} & file.weak)
        shown = f"{module}.{name}"
        if kind == KIND_FUNCTION:
            if module == WASI and name in WASI_FUNCTIONS:
                module, name = "env", WASI_FUNCTIONS[name]
            if module != "env":
                raise NativeModuleError(
                    f"it calls {shown}: only functions of Python and of the C library can be had"
                )
            file.imports.append(ImportedFunction(name, body.unsigned(), weak))
        elif kind == KIND_TABLE:
            if shown != "env.__indirect_function_table" or body.byte() != FUNCREF:
                raise NativeModuleError(f"it imports the unknown table {shown}")
            _read_limits(body)
        elif kind == KIND_MEMORY:
            if shown != "env.memory":
                raise NativeModuleError(f"it imports the unknown memory {shown}")
            _read_limits(body)
        elif kind == KIND_GLOBAL:
            value, mutable = _read_global_type(body)
            known = module in ("GOT.mem", "GOT.func") or (module == "env" and name in BASES)
            if not known or value != I32 or (mutable and name in (MEMORY_BASE, TABLE_BASE)):
                raise NativeModuleError(f"it imports the unknown global {shown}")
            file.globals.append(Global(value, mutable, module, name, weak=weak))
        elif kind == KIND_TAG:
            if module != "env" or name not in TAGS or body.byte() != 0:
                raise NativeModuleError(f"it imports the unknown exception {shown}")
            file.tags.append(ImportedTag(name, body.unsigned()))
        else:
            raise NativeModuleError(f"it imports {shown}, which is of an unknown kind")
    file.imported_globals = len(file.globals)


def _read_constant(body: Reader) -> Constant:
    value = 0
    base: int | None = None
    depth = 0
    while (opcode := body.byte()) != OP_END:
        if opcode in (OP_I32_CONST, OP_I64_CONST):
            value += body.signed()
        elif opcode == OP_F32_CONST:
            value += int.from_bytes(body.take(4), "little")
        elif opcode == OP_F64_CONST:
            value += int.from_bytes(body.take(8), "little")
        elif opcode == OP_GLOBAL_GET and base is None:
            base = body.unsigned()
        elif opcode == OP_I32_ADD and depth >= 2:
            depth -= 2
        else:
            raise NativeModuleError("it has an initial value that is not a plain number or address")
        depth += 1
    if depth != 1:
        raise NativeModuleError("it has an initial value that is none")
    return Constant(value, base)


def _offset(file: NativeFile, body: Reader, base: str) -> int:
    """The place of a segment, from a base that has to be that one."""
    constant = _read_constant(body)
    known = constant.base is not None and constant.base < file.imported_globals
    if not known or file.globals[constant.base or 0].name != base:
        raise NativeModuleError(f"it has a segment whose place does not depend on {base}")
    return constant.value & 0xFFFFFFFF


def _read_element(file: NativeFile, body: Reader) -> Segment:
    flags = body.unsigned()
    if flags not in (0, 2) or (flags == 2 and body.unsigned() != 0):
        raise NativeModuleError("it fills its table in an unknown way")
    offset = _offset(file, body, TABLE_BASE)
    if flags == 2 and body.byte() != 0:
        raise NativeModuleError("it fills its table with something else than functions")
    functions = tuple(body.unsigned() for _ in range(body.count()))
    return Segment(offset, functions=functions)


def _read_data(file: NativeFile, body: Reader) -> Segment:
    flags = body.unsigned()
    if flags not in (0, 2) or (flags == 2 and body.unsigned() != 0):
        raise NativeModuleError("it fills its memory in an unknown way (threads?)")
    offset = _offset(file, body, MEMORY_BASE)
    return Segment(offset, data=body.take(body.unsigned()))


def _check(file: NativeFile, exports: list[tuple[str, int, int]]) -> None:
    if not file.has_dylink:
        raise NativeModuleError("its section dylink.0 is missing: it is not a dynamic library")
    if (
        file.memory_size > MAX_MEMORY
        or file.table_size > MAX_TABLE
        or file.memory_alignment > 1 << MAX_ALIGNMENT
        or file.table_alignment > 1 << MAX_ALIGNMENT
    ):
        raise NativeModuleError("it wants more memory or table than there is")
    if file.function_count > MAX_FUNCTIONS or len(file.types) > MAX_FUNCTIONS:
        raise NativeModuleError(f"it has more than {MAX_FUNCTIONS} functions")
    if len(file.globals) > MAX_GLOBALS:
        raise NativeModuleError(f"it has more than {MAX_GLOBALS} globals")
    if file.code_count != len(file.functions):
        raise NativeModuleError("its numbers of functions and of bodies differ")
    indices = [entry.type_index for entry in file.imports] + file.functions
    tag_types = [tag.type_index for tag in file.tags]
    if any(index >= len(file.types) for index in indices):
        raise NativeModuleError("it has a function of a type that it has not")
    if any(file.types[index : index + 1] != [((I32,), ())] for index in tag_types):
        raise NativeModuleError("it imports an exception of an unknown type")
    called = [function for segment in file.elements for function in segment.functions]
    called += [] if file.start is None else [file.start]
    for name, kind, index in exports:
        if kind == KIND_FUNCTION:
            called.append(index)
            file.exports[name] = index
        elif kind == KIND_GLOBAL:
            _check_variable(file, name, index)
    if any(function >= file.function_count for function in called):
        raise NativeModuleError("it names a function that it has not")
    if file.start is not None and file.types[file.type_of(file.start)] != ((), ()):
        raise NativeModuleError("its start function has parameters")
    for segment in file.elements:
        if segment.offset + len(segment.functions) > file.table_size:
            raise NativeModuleError("it fills more of the table than it asks for")
    for segment in file.data:
        if segment.offset + len(segment.data) > file.memory_size:
            raise NativeModuleError("it fills more memory than it asks for")
    for entry in file.globals[file.imported_globals :]:
        base = entry.initial.base if entry.initial else None
        if base is not None and (
            base >= file.imported_globals
            or file.globals[base].name not in (MEMORY_BASE, TABLE_BASE)
        ):
            raise NativeModuleError("it has a global whose initial value is not known")


def _check_variable(file: NativeFile, name: str, index: int) -> None:
    if index >= len(file.globals):
        raise NativeModuleError("it exports a global that it has not")
    entry = file.globals[index]
    if entry.initial is not None and entry.initial.base is None and entry.kind == I32:
        file.variables[name] = entry.initial.value & 0xFFFFFFFF


def _import(name: str, kind: int, description: bytes) -> bytes:
    return encode_name("x") + encode_name(name) + bytes([kind]) + description


def reduced(file: NativeFile) -> bytes:
    """The module that is left for wasm2c: imports are x.f0, x.f1, …, x.g0, …, x.e0, …,
    x.m and x.t."""
    types = [encode_type(*each) for each in file.types]
    imports = [
        _import(f"f{number}", KIND_FUNCTION, encode_unsigned(entry.type_index))
        for number, entry in enumerate(file.imports)
    ]
    imports.append(_import("m", KIND_MEMORY, b"\0\0"))
    imports.append(_import("t", KIND_TABLE, bytes([FUNCREF, 0, 0])))
    imports += [
        _import(f"g{number}", KIND_GLOBAL, bytes([entry.kind, entry.mutable]))
        for number, entry in enumerate(file.globals)
    ]
    imports += [
        _import(f"e{number}", KIND_TAG, b"\0" + encode_unsigned(tag.type_index))
        for number, tag in enumerate(file.tags)
    ]
    functions = [encode_unsigned(index) for index in file.functions]
    return (
        MAGIC
        + encode_section(SECTION_TYPE, encode_vector(types))
        + encode_section(SECTION_IMPORT, encode_vector(imports))
        + encode_section(SECTION_FUNCTION, encode_vector(functions))
        + (encode_section(SECTION_CODE, file.code) if file.functions else b"")
    )
