"""Links dynamic libraries into one module whose addresses are all constants.

Each library's imports are renamed to the module that has what it wants; one more module, written
here, defines memory, table, the stack pointer, every base and every address as a constant.
wasm-merge then makes one module of them, and wasm-opt folds the constants in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from toolchain import wasm_binary as wasm
from toolchain.errors import BuildError
from toolchain.layout import STACK_TOP, Layout, Library, place
from toolchain.leaves import binary
from toolchain.process import run_tool
from toolchain.tools import Tools

LINK_MODULE = "link"
START_FUNCTION = "eryx_link_start"
MEMORY_EXPORT = "memory"
STACK_POINTER = "__stack_pointer"
LIBRARY_START = "__eryx_library_start"

# The guest's own functions take the place of a library's. What it calls by this prefix is the one
# that was replaced.
REPLACED_PREFIX = "__eryx_replaced_"
MAXIMUM_PAGES = 65536

# libc first: the others' constructors allocate.
INITIALISATION_ORDER = ("libc", "clocks", "signal", "libpython", "modules", "guest")
CONSTRUCTORS = ("_initialize", "__wasm_call_ctors")
RELOCATIONS = "__wasm_apply_data_relocs"

# What the host calls. All other exported functions are kept in the symbol table only.
HOST_EXPORT_PREFIX = "eryx_"
HOST_EXPORTS = frozenset({"cabi_realloc"})

# wasm-opt must not emit what wasm2c cannot read.
BINARYEN_FEATURES = ["-all", "--disable-compact-imports"]


@dataclass
class LinkModule:
    """The module that provides what the libraries share."""

    layout: Layout
    functions: list[tuple[str, str, wasm.FunctionType]] = field(default_factory=list)
    function_indices: dict[tuple[str, str], int] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    table_entries: list[int] = field(default_factory=list)
    start_calls: list[int] = field(default_factory=list)

    def import_function(self, library: Library, name: str) -> int:
        """The index of a library's exported function inside the link module."""
        key = (library.name, name)
        if key not in self.function_indices:
            index = library.exports(binary.KIND_FUNCTION)[name]
            self.function_indices[key] = len(self.functions)
            self.functions.append((*key, library.module.function_type(index)))
        return self.function_indices[key]

    def function_address(self, library: Library, name: str) -> int:
        """A table index for a library's exported function."""
        self.table_entries.append(self.import_function(library, name))
        return self.layout.pointer_base + len(self.table_entries) - 1

    def encode(self) -> bytes:
        types = list(dict.fromkeys(kind for _, _, kind in self.functions))
        start_type = wasm.FunctionType((), ())
        if start_type not in types:
            types.append(start_type)
        imports = [
            wasm.Import(
                module, name, binary.KIND_FUNCTION, binary.encode_unsigned(types.index(kind))
            ).encode()
            for module, name, kind in self.functions
        ]
        table_size = self.layout.table_end
        table = bytes([binary.FUNCREF, 1]) + binary.encode_unsigned(table_size) * 2
        memory = (
            b"\1"
            + binary.encode_unsigned(self.layout.initial_pages)
            + binary.encode_unsigned(MAXIMUM_PAGES)
        )
        exports = [
            wasm.Export(MEMORY_EXPORT, binary.KIND_MEMORY, 0),
            wasm.Export("__indirect_function_table", binary.KIND_TABLE, 0),
            wasm.Export(STACK_POINTER, binary.KIND_GLOBAL, 0),
            wasm.Export(START_FUNCTION, binary.KIND_FUNCTION, len(self.functions)),
        ]
        global_values = [_global(STACK_TOP, mutable=True)]
        for name, value in self.constants.items():
            exports.append(wasm.Export(name, binary.KIND_GLOBAL, len(global_values)))
            # The importing side declares addresses as mutable, so these have to be as well.
            global_values.append(_global(value, mutable=not name.startswith("__")))
        element = (
            b"\0"
            + bytes([binary.OP_I32_CONST])
            + binary.encode_signed(self.layout.pointer_base)
            + bytes([binary.OP_END])
            + binary.encode_vector([binary.encode_unsigned(index) for index in self.table_entries])
        )
        body = b"\0" + b"".join(
            bytes([binary.OP_CALL]) + binary.encode_unsigned(index) for index in self.start_calls
        )
        body += bytes([binary.OP_END])
        sections = [
            (binary.SECTION_TYPE, [kind.encode() for kind in types]),
            (binary.SECTION_IMPORT, imports),
            (binary.SECTION_FUNCTION, [binary.encode_unsigned(types.index(start_type))]),
            (binary.SECTION_TABLE, [table]),
            (binary.SECTION_MEMORY, [memory]),
            (binary.SECTION_GLOBAL, global_values),
            (binary.SECTION_EXPORT, [entry.encode() for entry in exports]),
            (binary.SECTION_ELEMENT, [element]),
            (binary.SECTION_CODE, [binary.encode_unsigned(len(body)) + body]),
        ]
        return binary.MAGIC + b"".join(
            binary.encode_section(section, binary.encode_vector(items))
            for section, items in sections
        )


def _global(value: int, *, mutable: bool) -> bytes:
    return (
        bytes([binary.I32, int(mutable), binary.OP_I32_CONST])
        + binary.encode_signed(value)
        + bytes([binary.OP_END])
    )


def _resolve_imports(library: Library, layout: Layout, link: LinkModule) -> list[str]:
    """Renames a library's imports to where they come from; gives the names that nobody has."""
    missing = []
    for entry in library.module.imports:
        if entry.module == "env":
            if entry.kind == binary.KIND_MEMORY:
                entry.module, entry.name = LINK_MODULE, MEMORY_EXPORT
                entry.description = b"\0\1"
            elif entry.kind == binary.KIND_TABLE:
                entry.module = LINK_MODULE
                entry.description = bytes([binary.FUNCREF, 0, 1])
            elif entry.name == STACK_POINTER:
                entry.module = LINK_MODULE
            elif entry.name in ("__memory_base", "__table_base"):
                base = entry.name
                entry.module, entry.name = LINK_MODULE, f"{base}_{library.name}"
                link.constants[entry.name] = (
                    library.memory_base if base == "__memory_base" else library.table_base
                )
            elif entry.kind == binary.KIND_FUNCTION:
                if entry.name.startswith(REPLACED_PREFIX):
                    _export_replaced(entry.name, library, layout)
                provider = layout.function_provider(entry.name)
                if provider is None:
                    missing.append(entry.name)
                else:
                    entry.module = provider.name
        elif entry.module == "GOT.mem":
            address = layout.data_address(entry.name)
            if address is None:
                missing.append(entry.name)
                continue
            entry.module, entry.name = LINK_MODULE, f"data:{entry.name}"
            link.constants[entry.name] = address
        elif entry.module == "GOT.func":
            provider = layout.function_provider(entry.name)
            if provider is None:
                missing.append(entry.name)
                continue
            constant = f"function:{entry.name}"
            if constant not in link.constants:
                link.constants[constant] = link.function_address(provider, entry.name)
            entry.module, entry.name = LINK_MODULE, constant
    return missing


def _export_replaced(name: str, user: Library, layout: Layout) -> None:
    """Exports a function of another library under a name that nothing replaces."""
    replaced = name.removeprefix(REPLACED_PREFIX)
    for library in layout.libraries:
        index = library.exports(binary.KIND_FUNCTION).get(replaced)
        if index is not None and library is not user:
            if name not in library.exports(binary.KIND_FUNCTION):
                library.module.exports.append(wasm.Export(name, binary.KIND_FUNCTION, index))
            return


def _plan_start(libraries: list[Library], link: LinkModule) -> None:
    """Lists what the start function calls: memory set-up, then relocations, then constructors."""
    order = sorted(libraries, key=lambda library: INITIALISATION_ORDER.index(library.name))
    for library in order:
        module = library.module
        if module.start is not None:
            module.exports.append(wasm.Export(LIBRARY_START, binary.KIND_FUNCTION, module.start))
            module.start = None
            link.start_calls.append(link.import_function(library, LIBRARY_START))
    for names in ((RELOCATIONS,), CONSTRUCTORS):
        for library in order:
            for name in names:
                if name in library.exports(binary.KIND_FUNCTION):
                    link.start_calls.append(link.import_function(library, name))
                    break


def _drop_unused_exports(layout: Layout, link: LinkModule) -> None:
    """Leaves one function of each exported name: the one that others are linked to."""
    providers = _providers(layout)
    for library in layout.libraries:
        library.module.exports = [
            export
            for export in library.module.exports
            if export.kind != binary.KIND_FUNCTION
            or providers[export.name] is library
            or (library.name, export.name) in link.function_indices
        ]


def _providers(layout: Layout) -> dict[str, Library]:
    """The library that each exported function is taken from."""
    found: dict[str, Library] = {}
    for library in layout.libraries:
        for name in library.exports(binary.KIND_FUNCTION):
            if name not in found:
                provider = layout.function_provider(name)
                found[name] = provider or library
    return found


def _symbol_table(layout: Layout, link: LinkModule) -> dict[str, dict[str, int | str]]:
    """What native extensions can link to: functions by provider, table indices, data addresses."""
    functions: dict[str, int | str] = {}
    providers = _providers(layout)
    data: dict[str, int | str] = dict(layout.symbols)
    for library in layout.libraries:
        for name in library.exports(binary.KIND_FUNCTION):
            if not name.startswith(("__wasm_", "__eryx_")) and name != "_initialize":
                functions[name] = providers[name].name
        for name in library.exports(binary.KIND_GLOBAL):
            address = layout.data_address(name)
            if address is not None:
                data.setdefault(name, address)
    table: dict[str, int | str] = {
        name.removeprefix("function:"): value
        for name, value in link.constants.items()
        if name.startswith("function:")
    }
    return {"functions": functions, "data": data, "table": table}


def link_libraries(paths: dict[str, Path], output: Path, tools: Tools) -> None:
    """Links libraries (name to file, in link order) into linked.wasm and symbols.json in output.

    Raises BuildError if a symbol is missing or more than the stack pointer is left as a global.
    """
    libraries = [
        Library(name, wasm.Module.parse(path.read_bytes())) for name, path in paths.items()
    ]
    pointers = {
        entry.name
        for library in libraries
        for entry in library.module.imports
        if entry.module == "GOT.func"
    }
    layout = place(libraries, len(pointers))
    link = LinkModule(layout)
    missing = [
        f"{name} (wanted by {library.name})"
        for library in libraries
        for name in _resolve_imports(library, layout, link)
    ]
    if missing:
        raise BuildError("symbols that no library has: " + ", ".join(missing))
    symbols = _symbol_table(layout, link)
    _plan_start(libraries, link)
    _drop_unused_exports(layout, link)

    arguments: list[str] = []
    for library in libraries:
        path = output / f"{library.name}.wasm"
        path.write_bytes(library.module.encode())
        arguments += [str(path), library.name]
    link_path = output / "link.wasm"
    link_path.write_bytes(link.encode())
    merged_path = output / "merged.wasm"
    run_tool(
        [
            *tools.binaryen("wasm-merge"),
            *arguments,
            str(link_path),
            LINK_MODULE,
            "-o",
            str(merged_path),
            "--rename-export-conflicts",
            "-g",
            *BINARYEN_FEATURES,
        ],
        log=output / "merge.log",
    )

    # Only what is reachable from outside may stay exported, or nothing would fold.
    merged = wasm.Module.parse(merged_path.read_bytes())
    public = set(symbols["functions"])
    merged.exports = [
        export
        for export in merged.exports
        if (
            export.kind == binary.KIND_FUNCTION
            and (_host_calls(export.name) or export.name in public)
        )
        or (export.kind == binary.KIND_MEMORY and export.name == MEMORY_EXPORT)
    ]
    merged_path.write_bytes(merged.encode())
    linked_path = output / "linked.wasm"
    run_tool(
        [
            *tools.binaryen("wasm-opt"),
            str(merged_path),
            "-o",
            str(linked_path),
            "--simplify-globals",
            "--remove-unused-module-elements",
            "--low-memory-unused",
            "-O3",
            "-g",
            *BINARYEN_FEATURES,
        ],
        log=output / "optimise.log",
    )
    linked = wasm.Module.parse(linked_path.read_bytes())
    mutable = [kind for kind in linked.global_types if kind[1]]
    if len(linked.global_types) != 1 or len(mutable) != 1:
        raise BuildError(
            f"{len(linked.global_types)} globals are left after linking,"
            f" expected only {STACK_POINTER}"
        )
    if linked.start is not None:
        raise BuildError("a start function is left after linking")
    (output / "symbols.json").write_text(json.dumps(symbols, indent=1, sort_keys=True))
    for path in (merged_path, link_path, *(output / f"{name}.wasm" for name in paths)):
        path.unlink()


def _host_calls(name: str) -> bool:
    return name.startswith(HOST_EXPORT_PREFIX) or name in HOST_EXPORTS
