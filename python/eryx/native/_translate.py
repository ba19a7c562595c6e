"""Turns what wasm2c makes of a reduced module into the C source of a shared object.

As in the guest itself: memory is reached through the segment register of the host, the table is the
sandbox's, and the code exists twice, plain and metered. What is metered counts a tick at every loop
head. The guest can be trusted not to spend its time in long code without loops, modules cannot:
their functions count ticks too, long ones several.

Text that is not understood is refused: after the substitutions nothing may be left but names that
are known to be harmless.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from eryx.native import _unwind, _vectors
from eryx.native._errors import NativeModuleError
from eryx.native._wasm import LETTERS, MEMORY_BASE, STACK_POINTER, TABLE_BASE
from eryx.native._wasm2c import EXTENSION, substitutions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eryx.native._wasm import Global, ImportedFunction, NativeFile

# C source of one file at most, so that several are compiled at once.
FILE_CHARACTERS = 3_000_000

# The file that has no code of the module.
DESCRIPTOR = "module.c"

# Lines of C between two ticks, about.
TICK_LINES = 100

# It has one way in and one way out.
_FUNCTION = re.compile(
    r"^(u32|u64|f32|f64|v128|void) (w2c_ext_f(\d+))\(w2c_ext\* instance([^)]*)\) \{\n.*?^\}\n",
    re.MULTILINE | re.DOTALL,
)
_END = re.compile(r"\n  FUNC_EPILOGUE;\n(?:  return var_\w+;\n)?\}\n\Z")
_TYPE = re.compile(
    r'^FUNC_TYPE(?:_EXTERN)?_T\((w2c_ext_t\d+)\) = ("(?:\\x[0-9a-f]{2}){32}");', re.M
)
_SUBSTITUTIONS = [
    *substitutions(EXTENSION),
    *_vectors.SUBSTITUTIONS,
    # Each function counts when it is entered, so that no cycle of calls goes without.
    (re.compile(r"^  FUNC_PROLOGUE;$", re.M), "  GUEST_TICK(instance);"),
    (re.compile(r"\bwasm_rt_grow_memory\(instance->w2c_x_m, "), "MEMORY_GROW(instance, "),
    (re.compile(r"\(\*instance->w2c_x_m\)\.pages\b"), "MEMORY_PAGES(instance)"),
    (re.compile(r"\(\*instance->w2c_x_g(\d+)\)"), r"GLOBAL_\1"),
    (re.compile(r"\bw2c_x_f(\d+)\(instance->w2c_x_instance\b"), r"IMPORT_\1(instance"),
    *(
        (re.compile(rf"\b(var_[fd]\d+) {operator} (var_[fd]\d+);"), rf"{name}(\1, \2);")
        for operator, name in (
            ("<", "IS_LESS"),
            ("<=", "IS_LESS_EQUAL"),
            (">", "IS_GREATER"),
            (">=", "IS_GREATER_EQUAL"),
        )
    ),
    # Behind a constant that is not a number, whose bits are in front of it.
    (re.compile(r" /\* -?nan(?::0x[0-9a-f]+)? \*/"), ""),
]
# A statement that another one can be put in front of, if the line before it is at an end.
_STATEMENT = re.compile(r" +(?!case |default:)[^{}]*;")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_KNOWN_NAME = re.compile(
    r"u8|u16|u32|u64|s8|s16|s32|s64|f32|f64|void|if|goto|return|switch|case|default|instance"
    r"|guest_instance|var_\w+|w2c_ext_[ft]\d+|GLOBAL_\d+|IMPORT_\d+|GUEST_TICK|GUEST_TABLE"
    r"|CALL_INDIRECT|memory_copy|memory_fill|MEMORY_GROW|MEMORY_PAGES"
    r"|FUNC_EPILOGUE|UNREACHABLE|INFINITY"
    r"|[if](?:32|64)_(?:load|store)(?:8|16|32)?(?:_[su])?_default32"
    r"|[if](?:32|64)_reinterpret_[if](?:32|64)"
    r"|I(?:32|64)_(?:CLZ|CTZ|POPCNT|ROTL|ROTR|DIV_S|REM_S|TRUNC_(?:SAT_)?[SU]_F(?:32|64))"
    r"|DIV_U|REM_U|FMIN|FMAX|IS_(?:LESS|GREATER)(?:_EQUAL)?"
    r"|wasm_(?:sqrt|floor|ceil|trunc|nearbyint|fabs|quiet)f?|copysignf?"
    + _unwind.KNOWN_NAMES
    + _vectors.KNOWN_NAMES
)
# Also the characters that could begin something that is not a name.
_FOREIGN = re.compile(r"""["'#\\@`$]|/[/*]|->|\binstance\.""")

# What the functions are called in the plain and in the metered code.
_CODE = ("w2c_ext_f", "w2c_ext_metered_f")

_C_TYPES = {"i": "u32", "j": "u64", "f": "f32", "d": "f64", "o": "v128"}

# A function that the translator makes itself; its name and signature, see headers/fenv.h.
_FLOAT_FLAGS = ("eryx_float_flags", "ii i")

_HEAD = (
    """\
/* Written by eryx.native. */
#include "guest_operations.h"
#include "guest_extension.h"

#ifdef ERYX_METERED
#define VARIANT 1
#define LONG_CODE(instance) GUEST_TICK(instance); guest_attend_if_asked(instance)
#else
#define VARIANT 0
#define LONG_CODE(instance) ((void)0)
#endif

extern uint32_t extension_slot;

typedef u32 __attribute__((aligned(1), may_alias)) global_u32;
typedef u64 __attribute__((aligned(1), may_alias)) global_u64;
typedef f32 __attribute__((aligned(1), may_alias)) global_f32;
typedef f64 __attribute__((aligned(1), may_alias)) global_f64;

#define BASES (((const guest_extended*)instance)->bases[extension_slot])
#define GLOBAL(type, offset) \\
  (*(type __seg_gs*)(uintptr_t)(u32)(BASES.memory + (offset)))
#define GUEST_TABLE (instance->table)
#define MEMORY_GROW(instance, pages) ((u32)wasm_rt_grow_memory(&(instance)->memory, pages))
#define MEMORY_PAGES(instance) ((u32)(instance)->memory.pages)

/* Whether C compared with < or with isless() cannot be seen in WebAssembly, whose comparisons set
 * no flag. Those of < in C set that of an invalid operation if there is a NaN. */
#define IS_LESS(x, y) ((u32)__builtin_isless(x, y))
#define IS_LESS_EQUAL(x, y) ((u32)__builtin_islessequal(x, y))
#define IS_GREATER(x, y) ((u32)__builtin_isgreater(x, y))
#define IS_GREATER_EQUAL(x, y) ((u32)__builtin_isgreaterequal(x, y))

__attribute__((visibility("hidden"))) u32 extension_float_flags(guest_instance*, u32, u32);
"""
    + _unwind.HEAD
)

# Flags and nothing else: what is masked and how numbers are rounded stays as it is.
_FLOATS = """
__attribute__((visibility("hidden"), noinline)) u32 extension_float_flags(
    guest_instance* instance, u32 cleared, u32 raised) {
  u32 control;
  __asm__ volatile("stmxcsr %0" : "=m"(control) : : "memory");
  u32 before = control & 0x3f;
  control = (control & ~(cleared & 0x3f)) | (raised & 0x3f);
  __asm__ volatile("ldmxcsr %0" : : "m"(control) : "memory");
  return before;
}
"""

# The host's functions are reached by jumps, whatever their calling convention is.
_HOST_CALLS = (
    """
__attribute__((visibility("hidden"))) uint32_t extension_slot;
__attribute__((visibility("hidden"))) wasm_rt_function_ptr_t extension_interrupted;
__attribute__((visibility("hidden"))) wasm_rt_function_ptr_t extension_attend;
__attribute__((visibility("hidden"))) wasm_rt_function_ptr_t extension_trap;
__attribute__((visibility("hidden"))) wasm_rt_function_ptr_t extension_grow;
__attribute__((visibility("hidden"))) wasm_rt_function_ptr_t extension_call_target;
__asm__(".text\\n"
        ".globl guest_interrupted\\n.hidden guest_interrupted\\n"
        ".type guest_interrupted, @function\\n"
        "guest_interrupted: jmpq *extension_interrupted(%rip)\\n"
        ".globl guest_attend\\n.hidden guest_attend\\n.type guest_attend, @function\\n"
        "guest_attend: jmpq *extension_attend(%rip)\\n"
        ".globl wasm_rt_trap\\n.hidden wasm_rt_trap\\n.type wasm_rt_trap, @function\\n"
        "wasm_rt_trap: jmpq *extension_trap(%rip)\\n"
        ".globl wasm_rt_grow_memory\\n.hidden wasm_rt_grow_memory\\n"
        ".type wasm_rt_grow_memory, @function\\n"
        "wasm_rt_grow_memory: jmpq *extension_grow(%rip)\\n"
        ".globl guest_call_target\\n.hidden guest_call_target\\n"
        ".type guest_call_target, @function\\n"
        "guest_call_target: jmpq *extension_call_target(%rip)\\n");
"""
    + _unwind.CODE
)


def _parameters(signature: str) -> tuple[list[str], str]:
    parameters, result = signature.split(" ")
    return [_C_TYPES[letter] for letter in parameters], _C_TYPES.get(result, "void")


def _string(text: str) -> str:
    """A C string literal of any text."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode()) + '"'


def _tick_often(text: str) -> str:
    """Puts ticks into code that goes on for long without a loop or a call.

    A tick is no branch. The look at whether there is something to attend to is one, without which
    the compiler would take minutes for the longest blocks.
    """
    lines = [""]
    count = 0
    for line in text.split("\n"):
        count = 0 if "GUEST_TICK" in line else count + 1
        if count > TICK_LINES and lines[-1][-1:] in set(";{}") and _STATEMENT.fullmatch(line):
            lines.append("  LONG_CODE(instance);")
            count = 0
        lines.append(line)
    return "\n".join(lines[1:])


def _sorted(names: dict[str, int]) -> list[tuple[str, int]]:
    """As the host looks for them: by the bytes of the name."""
    return sorted(names.items(), key=lambda item: item[0].encode())


def transform(text: str) -> str:
    """Rewrites the functions; raises NativeModuleError if something unknown is left in them."""
    for pattern, replacement in _SUBSTITUTIONS:
        text = pattern.sub(replacement, text)
    names = set(_NAME.findall(text))
    foreign = [name for name in names if not _KNOWN_NAME.fullmatch(name)] or _FOREIGN.findall(text)
    if foreign:
        raise NativeModuleError(
            f"it uses something of WebAssembly that sandboxes have not: {min(foreign)}"
        )
    return _tick_often(text)


def global_offset(file: NativeFile, number: int) -> int:
    """Where a global lies, from the memory base of the module."""
    return (file.memory_size + 7) // 8 * 8 + 8 * number


def _global_macro(file: NativeFile, number: int, entry: Global) -> str:
    if entry.name == STACK_POINTER:
        value = "(instance->stack_pointer)"
    elif entry.module == "env" and entry.name == MEMORY_BASE:
        value = "BASES.memory"
    elif entry.module == "env" and entry.name == TABLE_BASE:
        value = "BASES.table"
    else:
        kind = _C_TYPES[LETTERS[entry.kind]]
        value = f"GLOBAL(global_{kind}, {global_offset(file, number)}u)"
    return f"#define GLOBAL_{number} {value}"


def _is_float_flags(file: NativeFile, imported: ImportedFunction) -> bool:
    return (imported.name, file.signature(imported.type_index)) == _FLOAT_FLAGS


def _declarations(file: NativeFile, types: list[tuple[str, str]], vectors: bool) -> Iterator[str]:
    yield _HEAD
    if vectors:
        yield '#include "guest_vectors.h"'
    for name, _ in types:
        yield f"extern const char {name}[33];"
    for number, entry in enumerate(file.globals):
        yield _global_macro(file, number, entry)
    for number, tag in enumerate(file.tags):
        yield f"#define TAG_{number} {_unwind.TAGS[tag.name]}u"
    count = len(file.imports) + 1
    yield f"extern wasm_rt_function_ptr_t extension_imports[2][{count}];"
    for number, imported in enumerate(file.imports):
        if _is_float_flags(file, imported):
            yield f"#define IMPORT_{number} extension_float_flags"
            continue
        parameters, result = _parameters(file.signature(imported.type_index))
        kind = f"{result} (*)({', '.join(['guest_instance*', *parameters])})"
        yield (
            f"#define IMPORT_{number}(...)"
            f" (({kind})extension_imports[VARIANT][{number}])(__VA_ARGS__)"
        )
    first = len(file.imports)
    yield "#ifdef ERYX_METERED"
    for number in range(len(file.functions)):
        yield f"#define {_CODE[0]}{first + number} {_CODE[1]}{first + number}"
    yield "#endif"
    for number in range(len(file.functions)):
        yield _prototype(file, _CODE[0], first + number)


def _prototype(file: NativeFile, prefix: str, function: int) -> str:
    parameters, result = _parameters(file.signature(file.type_of(function)))
    return f"{result} {prefix}{function}({', '.join(['guest_instance*', *parameters])});"


def _global_row(entry: Global) -> str:
    kind, name, value = "GUEST_GLOBAL_CONSTANT", "0", 0
    if entry.module == "GOT.mem":
        kind, name = "GUEST_GLOBAL_ADDRESS", _string(entry.name)
    elif entry.module == "GOT.func":
        kind, name = "GUEST_GLOBAL_POINTER", _string(entry.name)
    elif entry.initial is not None:
        value = entry.initial.value & (0xFFFFFFFF if entry.kind in (0x7F, 0x7D) else (1 << 64) - 1)
    return f"{{{kind}, {int(entry.weak)}, {name}, {value}ull}},"


def _globals(file: NativeFile) -> Iterator[str]:
    for entry in file.globals:
        base = entry.initial.base if entry.initial is not None else None
        if base is None:
            yield _global_row(entry)
        else:
            kind = "MEMORY" if file.globals[base].name == MEMORY_BASE else "TABLE"
            assert entry.initial is not None
            yield f"{{GUEST_GLOBAL_{kind}, 0, 0, {entry.initial.value & 0xFFFFFFFF}ull}},"


def _array(kind: str, name: str, rows: list[str]) -> list[str]:
    """An array that is never empty, since C has none that are."""
    return [f"static const {kind} {name}[] = {{", *(rows or ["{0},"]), "};"]


def _type_literal(signature: str) -> str:
    """A wasm_rt_func_type_t as wasm2c writes it."""
    digest = hashlib.sha256(signature.encode()).digest()
    return '"' + "".join(f"\\x{byte:02x}" for byte in digest) + '"'


def _type(signature: str, names: dict[str, str]) -> Iterator[str]:
    """Defines a type unless it has a name already."""
    literal = _type_literal(signature)
    if literal not in names:
        names[literal] = f"extra_type_{len(names)}"
        yield f"static const char {names[literal]}[33] = {literal};"


def _wider_signatures(signature: str) -> list[str]:
    """What a function is often cast to: all that CPython calls with one or two more arguments."""
    parameters, result = signature.split(" ")
    if parameters not in ("", "i", "ii") or result not in ("", "i"):
        return []
    return [f"{'i' * count} {result}" for count in (2, 3) if count > len(parameters)]


def _adapters(name: str, function: int, signature: str, wider: str) -> Iterator[str]:
    count = len(wider.split(" ")[0])
    given = len(signature.split(" ")[0])
    parameters = ", ".join(["guest_instance* instance", *(f"u32 p{i}" for i in range(count))])
    arguments = ", ".join(["instance", *(f"p{i}" for i in range(given))])
    result = _parameters(signature)[1]
    for variant, prefix in enumerate(_CODE):
        yield (
            f"static {result} {name}_{variant}({parameters}) {{"
            f" {'' if result == 'void' else 'return '}{prefix}{function}({arguments}); }}"
        )


def _pointers(*names: str) -> str:
    """The code of a function, in both variants."""
    return f"{{{', '.join(f'(wasm_rt_function_ptr_t){name}' for name in names)}}}"


def _descriptor(
    file: NativeFile, digest: bytes, build: str, types: list[tuple[str, str]]
) -> Iterator[str]:
    used = sorted(
        {
            *file.exports.values(),
            *(function for segment in file.elements for function in segment.functions),
            *([] if file.start is None else [file.start]),
        }
    )
    place = {function: number for number, function in enumerate(used)}
    yield _HOST_CALLS
    yield _FLOATS
    yield (
        '__attribute__((visibility("hidden"))) wasm_rt_function_ptr_t '
        f"extension_imports[2][{len(file.imports) + 1}];"
    )
    names = {literal: name for name, literal in types}
    functions = []
    for function in used:
        signature = file.signature(file.type_of(function))
        own = function >= len(file.imports)
        if own:
            yield _prototype(file, _CODE[1], function)
        pointers = _pointers(*(f"{prefix}{function}" for prefix in _CODE)) if own else "{0}"
        number = 0 if own else function
        adapters: list[str] = []
        for wider in _wider_signatures(signature) if own else ():
            name = f"adapter_{function}_{len(adapters)}"
            yield from _adapters(name, function, signature, wider)
            yield from _type(wider, names)
            code = _pointers(f"{name}_0", f"{name}_1")
            adapters.append(f"{{{names[_type_literal(wider)]}, {code}}}")
        yield from _type(signature, names)
        functions.append(
            f'{{"{signature}", {names[_type_literal(signature)]}, {pointers}, {number},'
            f" {{{', '.join(adapters) or '{0}'}}}}},"
        )
    for name, literal in types:
        yield f'__attribute__((visibility("hidden"))) const char {name}[33] = {literal};'
    yield from _array("guest_extension_function", "functions", functions)
    table = [0] * file.table_size
    for segment in file.elements:
        for number, function in enumerate(segment.functions):
            table[segment.offset + number] = place[function] + 1
    yield from _array("uint32_t", "table", [f"{entry}," for entry in table])
    yield from _array(
        "guest_extension_import",
        "imports",
        [
            f'{{{_string(entry.name)}, "{file.signature(entry.type_index)}",'
            f" {int(entry.weak or _is_float_flags(file, entry))}}},"
            for entry in file.imports
        ],
    )
    yield from _array(
        "guest_extension_export",
        "exports",
        [f"{{{_string(name)}, {place[index]}}}," for name, index in _sorted(file.exports)],
    )
    yield from _array(
        "guest_extension_export",
        "variables",
        [f"{{{_string(name)}, {value}u}}," for name, value in _sorted(file.variables)],
    )
    yield from _array("guest_extension_global", "globals", list(_globals(file)))
    data = []
    for number, segment in enumerate(file.data):
        content = segment.data.rstrip(b"\0")
        if content:
            yield f"static const uint8_t data_{number}[] = {{"
            for start in range(0, len(content), 32):
                yield ",".join(map(str, content[start : start + 32])) + ","
            yield "};"
            data.append(f"{{{segment.offset}u, {len(content)}u, data_{number}}},")
    yield from _array("guest_extension_data", "data", data)
    yield from _array("uint8_t", "hash", [f"{byte}," for byte in digest])
    start = 0 if file.start is None else place[file.start] + 1
    yield f"""
__attribute__((visibility("default"))) const guest_extension GUEST_EXTENSION_SYMBOL = {{
  .version = GUEST_EXTENSION_VERSION, .build = "{build}", .hash = hash,
  .memory_size = {file.memory_size}u, .memory_alignment = {file.memory_alignment}u,
  .table_size = {file.table_size}u, .table_alignment = {file.table_alignment}u,
  .start = {start}u, .function_count = {len(functions)}, .import_count = {len(file.imports)},
  .export_count = {len(file.exports)}, .variable_count = {len(file.variables)},
  .global_count = {len(file.globals)}, .data_count = {len(data)},
  .functions = functions, .table = table, .imports = imports, .exports = exports,
  .variables = variables, .globals = globals, .data = data, .slot = &extension_slot,
  .import_pointers = {{extension_imports[0], extension_imports[1]}},
  .interrupted = &extension_interrupted, .attend = &extension_attend,
  .trap = &extension_trap, .grow = &extension_grow,
  .call_target = &extension_call_target,
}};
"""


def _is_whole(function: str) -> bool:
    """Whether a function has one beginning and one end, which is the only way out."""
    return (
        function.count("\n  FUNC_PROLOGUE;\n") == 1
        and function.count("FUNC_EPILOGUE") == 1
        and function.count("return ") <= 1
        and _END.search(function) is not None
    )


def sources(file: NativeFile, generated: str, digest: bytes, build: str) -> dict[str, str]:
    """C files by name, for one shared object.

    generated: what wasm2c wrote for the reduced module; digest: SHA-256 of the whole module;
    build: BUILD_ID of the guest.
    """
    types = _TYPE.findall(generated)
    found = list(_FUNCTION.finditer(generated))
    numbers = [int(match[3]) for match in found]
    whole = all(_is_whole(match[0]) for match in found)
    if sorted(numbers) != list(range(len(file.imports), file.function_count)) or not whole:
        raise NativeModuleError("wasm2c gave something unexpected for it")
    vectors = _vectors.uses_vectors(generated)
    declarations = "\n".join(_declarations(file, types, vectors)) + "\n"
    files = {DESCRIPTOR: declarations + "\n".join(_descriptor(file, digest, build, types))}
    part: list[str] = []
    size = 0
    for position, match in enumerate(found):
        part.append(_unwind.rewrite(match[0]))
        size += len(match[0])
        if size > FILE_CHARACTERS or position == len(found) - 1:
            files[f"part_{len(files):03}.c"] = declarations + transform("\n".join(part))
            part, size = [], 0
    return files
