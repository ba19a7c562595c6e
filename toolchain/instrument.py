"""Turns what wasm2c generates into the guest code that the host library expects.

- The instance is our struct guest_instance; the module's memory, table and stack pointer are its
  members.
- Every loop head and every cycle of calls counts a tick (call_graph.py); bulk memory operations
  count by size. What the counting is in C is the compiler's matter: native.py compiles all this
  twice, metered and not.
- The segment register that memory is reached through belongs to the host: it is never touched.
- The function table is constant and shared by all sandboxes: one for the metered code, one for the
  other, with the same functions at the same places.
- Host functions have readable names and are called through shims that guard the guest stack.

This is a textual transformation, so each substitution checks how often it found what it looks for,
and the result is searched for anything that should be gone: another wasm2c can not slip through.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from toolchain import call_graph
from toolchain.errors import BuildError
from toolchain.fair_locks import hand_over_locks
from toolchain.hot import load_hot_functions
from toolchain.leaves import wasm2c
from toolchain.recursion import guard_recursion
from toolchain.symbols import plain_name, symbols_source

# The interpreter's loop: if it is not among the hot functions, their list is of another guest.
INTERPRETER_LOOP = re.compile(r"w2c_guest_0x5FPyEval_EvalFrameDefault(?:_\d+)?")
HOT_FILE = "guest_hot.c"
FILE_COUNT = 24

SECTION = "eryx_guest_text"
# The plain one and the metered.
TABLES = ("guest_plain_table", "guest_metered_table")
# Functions of the guest are called so, in the metered code otherwise (native.py).
PREFIX = "w2c_guest_"
METERED_PREFIX = "w2c_meter_"
# Calls that no linker could make, of or from functions that their library does not export: caller,
# function and arguments. They are put at the end of the caller.
INSERTED_CALLS = (
    # SQLite is built without a source of randomness, and takes zeros.
    ("unixRandomness", "eryx_guest_fill_random", "var_p2, var_p1"),
    ("eryx_guest_forget_random", "sqlite3_randomness", "0, 0"),
)

EXPORT_NAMES = re.compile(r"eryx_\w+|cabi_realloc")
C_TYPES = {"u32": "uint32_t", "u64": "uint64_t", "f32": "float", "f64": "double", "void": "void"}

FUNCTION_HEAD = re.compile(
    r"(u32|u64|f32|f64|void) (w2c_guest_\w+)\(w2c_guest\* instance([^)]*)\) \{\n"
)
DROPPED_HEAD = re.compile(
    r"(?:static (?:u32|u64|f32|f64|void) wrap_w2c_"
    r"|static void init_(?:globals|memories|tables|data_instances|elem_instances|instance_import)\("
    r"|void wasm2c_guest_|wasm_rt_func_type_t wasm2c_guest_|wasm_rt_memory_t\* w2c_guest_memory\()"
)
ARRAY_HEAD = re.compile(r"const (u8|wasm_elem_segment_expr_t) (\w+)\[\] = \{")
FUNCTION_TYPE = re.compile(r'FUNC_TYPE_EXTERN_T\((w2c_guest_t\d+)\) = ("[^"]*");')
ELEMENT = re.compile(r"\{RefFunc, (\w+), \(wasm_rt_function_ptr_t\)wrap_(\w+), \{NULL\}, (\w+)\},")
IMPORT = re.compile(
    r"/\* import: '([^']*)' '([^']*)' \*/\n(u32|u64|f32|f64|void) (\w+)"
    r"\(struct (\w+)\*((?:, \w+)*)\);"
)
IMPORT_CALL = re.compile(r"\b(w2c_(?:wasi|eryx)0x3A\w+)\((instance->\w+)")
FORBIDDEN = (
    "segue",
    "instance->w2c_",
    "w2c_memory",
    "w2c_T0",
    "module_instance",
    "void*",
    "wasm_rt_local",
    "wasi0x3A",
)


@dataclass
class Function:
    """One function of the guest; parameters are C types."""

    name: str
    result: str
    parameters: list[str]
    text: str = ""

    def prototype(self, name: str | None = None) -> str:
        parameters = ", ".join(["guest_instance*", *self.parameters])
        return f"{self.result} {name or self.name}({parameters});"

    def public_prototype(self, name: str) -> str:
        parameters = ["guest_instance *instance"] + [
            f"{C_TYPES[kind]} p{number}" for number, kind in enumerate(self.parameters)
        ]
        separator = "" if C_TYPES[self.result].endswith("*") else " "
        return f"{C_TYPES[self.result]}{separator}{name}({', '.join(parameters)})"

    def arguments(self) -> str:
        return ", ".join(["instance", *(f"p{n}" for n in range(len(self.parameters)))])


@dataclass
class GeneratedCode:
    """The pieces of wasm2c's output."""

    functions: dict[str, Function] = field(default_factory=dict)
    exports: dict[str, Function] = field(default_factory=dict)
    imports: dict[str, tuple[str, Function]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, str] = field(default_factory=dict)
    set_up: dict[str, str] = field(default_factory=dict)
    prelude: str = ""


def _replace(
    pattern: str | re.Pattern[str], replacement: str, text: str, expected: int | None = None
) -> str:
    """re.subn that insists on the number of matches (at least one if none is given)."""
    if isinstance(pattern, str):
        pattern = re.compile(pattern, re.MULTILINE)
    result, count = pattern.subn(replacement, text)
    if count == 0 or (expected is not None and count != expected):
        raise BuildError(
            f"wasm2c's output has changed: {count} matches of {pattern.pattern!r},"
            f" expected {expected or 'some'}"
        )
    return result


def _replace_once(pattern: str, replacement: str, text: str) -> str:
    return _replace("(?s:" + pattern + ")", replacement, text, 1)


def host_function_name(module: str, name: str) -> str:
    """The C name of a host function that the guest imports."""
    module = module.replace("\\2F", "/")
    if module == "eryx:host":
        return "eryx_host_" + name.replace("-", "_")
    match = re.fullmatch(r"wasi:([\w-]+)/([\w-]+)@0\.2\.\d+", module)
    if not match:
        raise BuildError(f"the guest imports {name!r} of the unknown module {module!r}")
    name = name.replace("[resource-drop]", "drop.").replace("[method]", "")
    name = name.replace("[static]", "").replace("[constructor]", "new.")
    return re.sub(r"[^\w]", "_", f"wasi_{match[1]}_{match[2]}_{name}")


def _read_imports(header: str, code: GeneratedCode) -> None:
    for module, name, result, symbol, structure, parameters in IMPORT.findall(header):
        types = [kind for kind in parameters.split(", ") if kind]
        target = Function(host_function_name(module, name), result, types)
        code.imports[symbol] = (f"instance->{structure}_instance", target)
    if len(code.imports) != header.count("/* import: "):
        raise BuildError("wasm2c's output has changed: an import is declared in an unknown way")
    names = [target.name for _, target in code.imports.values()]
    if len(set(names)) != len(names):
        raise BuildError("two host functions have the same name")


def _export_target(name: str, text: str) -> str | None:
    """The function that an export wrapper calls, or None if this is no wrapper."""
    if "segue_saved_base" not in text:
        return None
    match = re.search(
        r"^  (?:u(?:32|64) ret = |f(?:32|64) ret = |)(w2c_guest_\w+)\(instance", text, re.M
    )
    if not match:
        raise BuildError(f"wasm2c's output has changed: cannot tell what export {name} calls")
    return match[1]


def _read_source(source: str, code: GeneratedCode, wrappers: dict[str, str]) -> None:
    """Sorts the top-level items of one C file."""
    # Each item starts in column 0 and, if it has a body, ends with a line "}" or "};".
    for item in re.split(r"\n(?=[^\s}#])", source):
        if item.startswith(("/*", "\n", "FUNC_TYPE_EXTERN_T")) or not item.strip():
            for name, digest in FUNCTION_TYPE.findall(item):
                code.types[name] = digest
            continue
        head = item.split("\n", 1)[0]
        if match := FUNCTION_HEAD.match(item):
            result, name, parameters = match.groups()
            target = _export_target(name, item)
            if target is not None:
                wrappers[name.removeprefix("w2c_guest_")] = target
                continue
            types = [part.split()[0] for part in parameters.split(",") if part]
            code.functions[name] = Function(name, result, types, item + "\n")
        elif match := ARRAY_HEAD.match(head):
            code.arrays[match[2]] = item
        elif DROPPED_HEAD.match(head):
            code.set_up[head.split("(", 1)[0].split()[-1]] = item
        elif not head.startswith('#include "guest-impl.h"'):
            raise BuildError(f"wasm2c's output has changed: unknown item {head[:80]!r}")


def read_generated(directory: Path) -> GeneratedCode:
    """Reads guest.h, guest-impl.h and guest_*.c."""
    code = GeneratedCode()
    header = (directory / "guest.h").read_text()
    _read_imports(header, code)
    code.prelude = (directory / "guest-impl.h").read_text()
    wrappers: dict[str, str] = {}
    for path in sorted(directory.glob("guest_*.c")):
        _read_source(path.read_text(), code, wrappers)
    for name, target in wrappers.items():
        code.exports[name] = code.functions[target]
    if not code.functions or not code.exports or not code.types:
        raise BuildError("wasm2c's output has changed: no functions, exports or types found")
    return code


def name_types(code: GeneratedCode) -> None:
    """Renames function types, so that nothing but functions has names as functions have."""
    pattern = re.compile(r"\bw2c_guest_t\d+\b")
    names = {name: name.replace("w2c_guest_t", "guest_type_") for name in code.types}

    def replace(match: re.Match[str]) -> str:
        return names.get(match[0], match[0])

    for function in code.functions.values():
        function.text = pattern.sub(replace, function.text)
    for name, text in code.arrays.items():
        if "wasm_elem_segment_expr_t" in text[:80]:
            code.arrays[name] = pattern.sub(replace, text)
    code.types = {names[name]: digest for name, digest in code.types.items()}


def name_steadily(code: GeneratedCode) -> None:
    """Renames functions that wasm-merge gave a number which depends on all others.

    With a number that only counts those of the same name, a change in one file leaves other files
    as they are.
    """
    seen: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for name in code.functions:
        match = re.fullmatch(r"(\w+?)_\d{4,}(_\d+)?", name)
        if match:
            base = match[1] + (match[2] or "")
            seen[base] = seen.get(base, 0) + 1
            renamed[name] = f"{base}_copy{seen[base]}"
    if set(renamed.values()) & code.functions.keys():
        raise BuildError("a function cannot be renamed: its new name is taken")
    pattern = re.compile(r"\b(wrap_)?(w2c_guest_\w+?_\d{4,}(?:_\d+)?)\b")

    def replace(match: re.Match[str]) -> str:
        return (match[1] or "") + renamed.get(match[2], match[2])

    for function in code.functions.values():
        function.text = pattern.sub(replace, function.text)
        function.name = renamed.get(function.name, function.name)
    code.functions = {function.name: function for function in code.functions.values()}
    for name, text in code.arrays.items():
        if "wasm_elem_segment_expr_t" in text[:80]:
            code.arrays[name] = pattern.sub(replace, text)


def transform_functions(code: GeneratedCode) -> None:
    """Rewrites the bodies of all functions."""
    names = list(code.functions)
    mark = "\n/*+*/\n"
    text = mark.join(code.functions[name].text for name in names)
    for pattern, replacement in wasm2c.substitutions(wasm2c.GUEST):
        text = _replace(pattern, replacement, text)
    text = _replace(r"instance->w2c_memory\b", "instance->memory", text)
    text = _replace(r"instance->w2c_g0\b", "instance->stack_pointer", text)
    text = _rename_imports(text, code)
    for leftover in FORBIDDEN:
        position = text.find(leftover)
        if position >= 0:
            line = text[text.rfind("\n", 0, position) + 1 : text.find("\n", position)]
            raise BuildError(
                f"wasm2c's output has changed: {leftover!r} is left in {line.strip()!r}"
            )
    bodies = text.split(mark)
    if len(bodies) != len(names):
        raise BuildError("a function was lost")
    for name, body in zip(names, bodies, strict=True):
        code.functions[name].text = body
    for change in (guard_recursion, hand_over_locks):
        changed = change({name: function.text for name, function in code.functions.items()})
        for name, body in changed.items():
            code.functions[name].text = body


def insert_calls(code: GeneratedCode) -> None:
    """Puts in what INSERTED_CALLS says."""
    for *names, arguments in INSERTED_CALLS:
        caller, called = (
            code.exports.get(name) or code.functions.get(PREFIX + name) for name in names
        )
        if caller is None or called is None:
            raise BuildError(f"{' or '.join(names)} is not among the guest's functions")
        call = f"{called.name}(instance, {arguments});"
        caller.text = _replace(
            r"\n  FUNC_EPILOGUE;", f"\n  {call}\n  FUNC_EPILOGUE;", caller.text, 1
        )


def count_calls(code: GeneratedCode, hot: frozenset[str]) -> None:
    """Puts ticks into cycles of calls, where that costs least."""
    for function in code.functions.values():
        function.text = call_graph.count_indirect_calls(function.text)
    graph = {
        name: call_graph.read_calls(function.text).functions
        for name, function in code.functions.items()
    }
    for name in call_graph.choose_entries(graph, lambda name: 100 if name in hot else 1):
        function = code.functions[name]
        function.text = call_graph.count_entry(function.text)


def check_calls(code: GeneratedCode, shims: dict[str, str]) -> None:
    """Fails if there is a cycle of calls without a tick; shims are texts by name."""
    digests = code.types
    by_digest: dict[str, set[str]] = {}
    for kind, function in _table(code)[0].values():
        by_digest.setdefault(digests[kind], set()).add(function)
    exported = {function.name for name, function in code.exports.items() if is_host_export(name)}
    call_graph.check_ticks(
        {**{name: function.text for name, function in code.functions.items()}, **shims},
        {kind: by_digest.get(digest, set()) for kind, digest in digests.items()},
        dict.fromkeys(shims, exported),
    )


def is_host_export(name: str) -> bool:
    """Whether the host calls that export."""
    return EXPORT_NAMES.fullmatch(name) is not None


def _rename_imports(text: str, code: GeneratedCode) -> str:
    """Sends the calls of host functions to the shims."""

    def shim(match: re.Match[str]) -> str:
        symbol, argument = match.groups()
        expected, target = code.imports.get(symbol, (None, None))
        if target is None or argument != expected:
            raise BuildError(f"wasm2c's output has changed: unknown call of an import {match[0]!r}")
        return f"shim_{target.name}(instance"

    return IMPORT_CALL.sub(shim, text)


OPERATIONS_HEAD = f"""\
/* Written by toolchain/instrument.py; the macros and helpers are wasm2c's. */
#ifndef GUEST_OPERATIONS_H
#define GUEST_OPERATIONS_H

#include <math.h>
#include "guest_code.h"

/* The trap handler tells guest code from host code by this section. */
#pragma clang section text="{SECTION}"
#pragma GCC visibility push(hidden)

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef float f32;
typedef double f64;

#define IS_SINGLE_UNSHARED_DEFAULT32_MEMORY 1

/* What a function is called in the metered code (toolchain/native.py). */
#ifdef ERYX_ONE_VARIANT
#define METERED(name) w2c_guest_##name
#else
#define METERED(name) w2c_meter_##name
#endif
"""

OPERATIONS_TAIL = """
#define GUEST_BULK_SMALL (2u << 10)
#define GUEST_BULK_PIECE (64u << 10)

#define GUEST_CHARGE_BYTES(instance, size) \\
  GUEST_CHARGE(instance, (int64_t)((size) / GUEST_BULK_BYTES_PER_TICK))

/*
 * A signal that finds the thread in libc asks for attention. A guest may well be there most of the
 * time, so it looks after all that takes longer than the way there and back, and goes piece by
 * piece.
 */
W2C_COLD_FUNC static void guest_fill_large(guest_instance* instance, u8* to, u32 value, u64 size) {
  while (size > 0) {
    u64 piece = size < GUEST_BULK_PIECE ? size : GUEST_BULK_PIECE;
    GUEST_CHARGE_BYTES(instance, piece);
    memset(to, (int)value, piece);
    guest_attend_if_asked(instance);
    to += piece;
    size -= piece;
  }
}

W2C_COLD_FUNC static void guest_copy_large(
    guest_instance* instance, u8* to, const u8* from, u64 size) {
  bool forward = to <= from;
  u64 done = 0;
  while (done < size) {
    u64 piece = size - done < GUEST_BULK_PIECE ? size - done : GUEST_BULK_PIECE;
    u64 offset = forward ? done : size - done - piece;
    GUEST_CHARGE_BYTES(instance, piece);
    memmove(to + offset, from + offset, piece);
    guest_attend_if_asked(instance);
    done += piece;
  }
}

static inline void memory_fill(guest_instance* instance, u64 to, u32 value, u64 size) {
  RANGE_CHECK(&instance->memory, to, size);
  if (UNLIKELY(size > GUEST_BULK_SMALL)) {
    guest_fill_large(instance, instance->memory.data + to, value, size);
    return;
  }
  GUEST_CHARGE_BYTES(instance, size);
  memset(instance->memory.data + to, (int)value, size);
}

static inline void memory_copy(guest_instance* instance, u64 to, u64 from, u64 size) {
  RANGE_CHECK(&instance->memory, to, size);
  RANGE_CHECK(&instance->memory, from, size);
  if (UNLIKELY(size > GUEST_BULK_SMALL)) {
    guest_copy_large(instance, instance->memory.data + to, instance->memory.data + from, size);
    return;
  }
  GUEST_CHARGE_BYTES(instance, size);
  memmove(instance->memory.data + to, instance->memory.data + from, size);
}
"""


def operations_header(code: GeneratedCode) -> str:
    """wasm2c's helpers, less what the host does differently."""
    text = code.prelude
    text = _replace_once(r"\A.*?(?=// Computes a pointer to an object)", "", text)
    text = _replace_once(
        r"// POSIX uses FS for TLS, GS is free\n.*?"
        r"(?=#define MEM_ADDR_MEMOP\(mem, addr, n\) \(\(uint8_t __seg_gs)",
        "",
        text,
    )
    # Memory is reached through the segment alone, so loads and stores need no more than an address.
    text = _replace_once(
        r"#define DEF_MEM_CHECKS0\(.*?(?=DEFINE_LOAD\(i32_load, )",
        MEMORY_ACCESS,
        text,
    )
    text = _replace_once(
        r"#define RANGE_CHECK\(mem, offset, len\).*?while \(0\);\n", RANGE_CHECK, text
    )
    text = _replace_once(
        r"static inline void memory_fill\(.*?(?=static inline void memory_init\()",
        OPERATIONS_TAIL,
        text,
    )
    text = _replace_once(r"typedef enum \{ RefFunc, RefNull.*\Z", "", text)
    # The host finds the targets of calls whose types are not known to be the same.
    text = _replace_once(
        r"W2C_COLD_FUNC static bool func_types_eq_slowpath\(.*?(?=static inline uint64_t checked_)",
        CALL_INDIRECT,
        text,
    )
    types = "".join(f"extern const char {name}[33];\n" for name in code.types)
    return OPERATIONS_HEAD + text + types + "\n#endif\n"


MEMORY_ACCESS = """\
#define DEFINE_LOAD(name, t1, t2, t3, force_read)                             \\
  static inline t3 name##_default32(u64 addr) {                               \\
    typedef t1 __attribute__((aligned(1), may_alias)) unaligned;              \\
    return (t3)(t2)*(const unaligned __seg_gs*)(uintptr_t)addr;               \\
  }

#define DEFINE_STORE(name, t1, t2)                                            \\
  static inline void name##_default32(u64 addr, t2 value) {                   \\
    typedef t1 __attribute__((aligned(1), may_alias)) unaligned;              \\
    *(unaligned __seg_gs*)(uintptr_t)addr = (t1)value;                        \\
  }

"""

# There is no memory in the page at 0 either.
RANGE_CHECK = """\
#define RANGE_CHECK(mem, offset, len)                                           \\
  do {                                                                          \\
    uint64_t res = checked_add_u64(offset, len);                                \\
    if (UNLIKELY(res > (mem)->size ||                                           \\
                 ((offset) < GUEST_LOWEST_ADDRESS && (uint64_t)(len) != 0)))    \\
      TRAP(OOB);                                                                \\
  } while (0);
"""

CALL_INDIRECT = """\
#define CALL_INDIRECT(table, t, ft, x, ...)                             \\
  (((t)(LIKELY((x) < (table).size && (ft) == (table).data[x].func_type) \\
            ? (table).data[x].func                                      \\
            : guest_call_target(&(table), ft, x)))(__VA_ARGS__))

"""


# The function tables of the guest are constants: only what is behind them depends on the sandbox.
OWN_CALLS = """\
#ifdef ERYX_METERED
#define GUEST_OWN_TABLE guest_metered_table
#else
#define GUEST_OWN_TABLE guest_plain_table
#endif

/* Calls of native modules, and of functions whose type is another's twin. */
__attribute__((cold, noinline)) static wasm_rt_function_ptr_t guest_call_other(
    const guest_instance* instance, wasm_rt_func_type_t type, u32 index) {
  const wasm_rt_funcref_table_t* table = &instance->table;
  return index < table->size && type == table->data[index].func_type
             ? table->data[index].func
             : guest_call_target(table, type, index);
}

#undef CALL_INDIRECT
#define CALL_INDIRECT(table, t, ft, x, ...)                                     \\
  (((t)(LIKELY((x) < GUEST_TABLE_SIZE && (ft) == GUEST_OWN_TABLE[x].func_type)  \\
            ? GUEST_OWN_TABLE[x].func                                           \\
            : guest_call_other(instance, ft, x)))(__VA_ARGS__))
"""


def table_header(code: GeneratedCode) -> str:
    """How functions of the guest call through the table."""
    size = _table(code)[1]
    return _header(
        "GUEST_TABLE_H",
        "The function tables of the guest, which are constants.",
        [
            f"#define GUEST_TABLE_SIZE {size}u",
            *(f"extern const wasm_rt_funcref_t {name}[GUEST_TABLE_SIZE];" for name in TABLES),
            "",
            OWN_CALLS,
        ],
    )


SHIM_HEAD = """\
/* Written by toolchain/instrument.py: the way from guest code to the host functions. It exists once
 * and counts always, as sandboxes that are not metered have more ticks than they can use. */
#define ERYX_METERED 1
#include "guest_imports.h"
#include "guest_operations.h"
"""


def _shims(code: GeneratedCode) -> dict[str, str]:
    """The functions between guest code and host functions, by name."""
    shims = {}
    for _, target in sorted(code.imports.values(), key=lambda entry: entry[1].name):
        name = f"shim_{target.name}"
        call = f"{target.name}({target.arguments()})"
        lines = [f"  {call_graph.TICK}", "  guest_enter_host(instance);"]
        if target.result == "void":
            lines += [f"  {call};", "  guest_leave_host(instance);"]
        else:
            kind = C_TYPES[target.result]
            lines += [f"  {kind} result = {call};", "  guest_leave_host(instance);"]
            lines += ["  return result;"]
        shims[name] = "\n".join([f"{target.public_prototype(name)} {{", *lines, "}", ""])
    return shims


def _shims_source(code: GeneratedCode, shims: dict[str, str]) -> str:
    prototypes = [
        target.public_prototype(f"shim_{target.name}") + ";\n"
        for _, target in sorted(code.imports.values(), key=lambda entry: entry[1].name)
    ]
    return "\n".join([SHIM_HEAD, "".join(prototypes), *shims.values()])


def _header(guard: str, comment: str, lines: list[str]) -> str:
    return (
        f"/* {comment} Written by toolchain/instrument.py. */\n#ifndef {guard}\n#define {guard}\n\n"
        '#include "guest_instance.h"\n\n' + "\n".join(lines) + "\n\n#endif\n"
    )


def _table(code: GeneratedCode) -> tuple[dict[int, tuple[str, str]], int]:
    """The type and the function of each entry of the function table by its place, and its size."""
    text = code.set_up["init_tables"]
    size_match = re.search(r"wasm_rt_allocate_funcref_table\(&instance->w2c_T0, (\d+), \1\);", text)
    if not size_match:
        raise BuildError(
            "wasm2c's output has changed: the function table is made in an unknown way"
        )
    size = int(size_match[1])
    entries: dict[int, tuple[str, str]] = {}
    segments = re.findall(
        r"funcref_table_init\(&instance->w2c_T0, (\w+), (\d+), (\d+)u, 0, \2, instance\);", text
    )
    if len(segments) != text.count("funcref_table_init"):
        raise BuildError(
            "wasm2c's output has changed: an element segment is placed in an unknown way"
        )
    for array, count, start in segments:
        found = ELEMENT.findall(code.arrays[array])
        if len(found) != int(count):
            raise BuildError(
                f"wasm2c's output has changed: {array} has {len(found)} of {count} entries"
            )
        for number, (kind, function, _) in enumerate(found):
            if function in code.imports:
                function = f"shim_{code.imports[function][1].name}"
            elif function not in code.functions:
                raise BuildError(f"the function table names {function}, which does not exist")
            entries[int(start) + number] = (kind, function)
    return entries, size


def _table_source(name: str, entries: dict[int, tuple[str, str]], size: int) -> list[str]:
    rows = [
        f"{{{entries[place][0]}, (wasm_rt_function_ptr_t){entries[place][1]}}},"
        if place in entries
        else "{0, 0},"
        for place in range(size)
    ]
    return [f"const wasm_rt_funcref_t {name}[] = {{", *rows, "};"]


def _data_segments(code: GeneratedCode) -> tuple[list[str], list[str], int]:
    """Arrays of the data segments, statements that copy them, and the initial memory in pages."""
    text = code.set_up["init_memories"]
    pages = re.search(
        r"wasm_rt_allocate_memory\(&instance->w2c_memory, (\d+), 65536, 0, 65536\);", text
    )
    loads = re.findall(r"LOAD_DATA\(instance->w2c_memory, (.*), (\w+), (\d+)\);", text)
    if not pages or len(loads) != text.count("LOAD_DATA") or not loads:
        raise BuildError("wasm2c's output has changed: memory is set up in an unknown way")
    arrays = ["static " + code.arrays[name] for _, name, _ in loads]
    copies = [
        f"  LOAD_DATA(instance->memory, {where}, {name}, {size});" for where, name, size in loads
    ]
    return arrays, copies, int(pages[1])


def metered_name(name: str) -> str:
    """What a function is called in the metered code, in C that knows both; shims are the same."""
    return f"METERED({name.removeprefix(PREFIX)})" if name.startswith(PREFIX) else name


def module_source(code: GeneratedCode) -> str:
    """The file that holds tables, types, data segments, set-up and exports."""
    entries, size = _table(code)
    metered = {place: (kind, metered_name(name)) for place, (kind, name) in entries.items()}
    arrays, copies, pages = _data_segments(code)
    stack = re.search(r"instance->w2c_g0 = (\d+)u;", code.set_up["init_globals"])
    if not stack or code.set_up["init_globals"].count("=") != 1:
        raise BuildError("wasm2c's output has changed: the stack pointer is not the only global")
    exported = {name: code.exports[name] for name in code.exports if is_host_export(name)}
    used = {name for _, name in entries.values()}
    used |= {function.name for function in exported.values()}
    shims = {f"shim_{target.name}": target for _, target in code.imports.values()}
    prototypes = [
        prototype
        for name in sorted(used)
        for function in [code.functions.get(name) or shims[name]]
        for prototype in dict.fromkeys(
            (function.prototype(name), function.prototype(metered_name(name)))
        )
    ]
    parts = [
        "/* Written by toolchain/instrument.py: what is not a function of the guest itself. */",
        '#include "guest_exports.h"\n#include "guest_operations.h"\n',
        *prototypes,
        *(f"const char {name}[33] = {digest};" for name, digest in code.types.items()),
        "",
        *_table_source(TABLES[0], entries, size),
        *_table_source(TABLES[1], metered, size),
        f"const wasm_rt_funcref_t *const guest_tables[] = {{{', '.join(TABLES)}}};",
        f"const uint32_t guest_table_size = {size};",
        f"const uint64_t guest_initial_pages = {pages};\n",
        *arrays,
        "\nvoid guest_code_instantiate(guest_instance *instance) {",
        f"  instance->stack_pointer = {stack[1]}u;",
        *copies,
        "}",
    ]
    for name, function in exported.items():
        head = function.public_prototype(f"guest_export_{name}")
        call = f"{function.name}({function.arguments()});"
        metered_call = f"{metered_name(function.name)}({function.arguments()});"
        if function.result == "void":
            body = (
                f"  if (instance->metered) {{\n    {metered_call}\n  }} else {{\n    {call}\n  }}"
            )
        else:
            body = f"  if (instance->metered) {{\n    return {metered_call}\n  }}\n  return {call}"
        parts.append(f"\n{head} {{\n{body}\n}}")
    return "\n".join(parts) + "\n"


def _source_file(names: list[str], code: GeneratedCode) -> str:
    """Functions with the declarations of just what they use: other changes leave the file alone."""
    bodies = "\n".join(code.functions[name].text for name in names)
    wanted = set(re.findall(r"\b(?:w2c_guest|shim)_\w+", bodies))
    declarations = [
        function.prototype() for name, function in code.functions.items() if name in wanted
    ]
    declarations += [
        target.prototype(f"shim_{target.name}")
        for _, target in code.imports.values()
        if f"shim_{target.name}" in wanted
    ]
    return (
        "/* Written by toolchain/instrument.py. */\n"
        '#include "guest_operations.h"\n#include "guest_table.h"\n\n'
        + "\n".join(sorted(declarations))
        + "\n\n"
        + bodies
    )


def split_functions(code: GeneratedCode, hot: frozenset[str]) -> dict[str, list[str]]:
    """Distributes the functions over files: the hot ones into one, the others into equal parts.

    A compiler sees only what is in the same file, so together the hot ones can be inlined into each
    other.
    """
    together = [name for name in code.functions if name in hot]
    if not any(INTERPRETER_LOOP.fullmatch(name) for name in together):
        raise BuildError("hot_functions.txt does not fit this guest: see toolchain/hot.py")
    files = {HOT_FILE: together}
    rest = [name for name in code.functions if name not in hot]
    target = sum(len(code.functions[name].text) for name in rest) / FILE_COUNT
    written = 0.0
    for name in rest:
        number = min(int(written / target), FILE_COUNT - 1)
        files.setdefault(f"guest_{number:02}.c", []).append(name)
        written += len(code.functions[name].text)
    return files


def _symbols(code: GeneratedCode, symbols: Path) -> str:
    functions = {
        plain_name(name): (function.name, function.parameters, function.result)
        for name, function in code.exports.items()
    }
    return symbols_source(json.loads(symbols.read_text()), functions, code.types, metered_name)


def instrument(directory: Path, symbols: Path, output: Path) -> None:
    """Reads wasm2c's files in directory; writes C files to output and headers to output/include.

    symbols: symbols.json of the link.
    """
    code = read_generated(directory)
    name_types(code)
    name_steadily(code)
    transform_functions(code)
    insert_calls(code)
    hot = load_hot_functions()
    count_calls(code, hot)
    shims = _shims(code)
    check_calls(code, shims)
    include = output / "include"
    include.mkdir(parents=True)
    (output / "guest_operations.h").write_text(operations_header(code))
    (output / "guest_table.h").write_text(table_header(code))
    (output / "guest_imports.c").write_text(_shims_source(code, shims))
    (output / "guest_module.c").write_text(module_source(code))
    (output / "guest_symbols.c").write_text(_symbols(code, symbols))
    for file, names in split_functions(code, hot).items():
        (output / file).write_text(_source_file(names, code))
    (include / "guest_imports.h").write_text(
        _header(
            "GUEST_IMPORTS_H",
            "The host functions that the guest calls.",
            sorted(
                target.public_prototype(target.name) + ";" for _, target in code.imports.values()
            ),
        )
    )
    (include / "guest_exports.h").write_text(
        _header(
            "GUEST_EXPORTS_H",
            "The guest functions that the host calls.",
            sorted(
                function.public_prototype(f"guest_export_{name}") + ";"
                for name, function in code.exports.items()
                if is_host_export(name)
            ),
        )
    )
    digest = hashlib.sha256()
    for path in sorted([*output.glob("*.c"), *output.glob("*.h")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    (include / "guest_build.h").write_text(_build_header(digest.digest()))


def _build_header(build: bytes) -> str:
    values = [f"0x{byte:02x}" for byte in build]
    rows = [", ".join(values[start : start + 8]) for start in range(0, 32, 8)]
    initialiser = ", \\\n     ".join(rows)
    return (
        "/* Which build of the guest this is: an image fits only the code it was made with."
        " Written by toolchain/instrument.py. */\n"
        "#ifndef GUEST_BUILD_H\n#define GUEST_BUILD_H\n\n"
        f"#define GUEST_BUILD_ID \\\n    {{{initialiser}}}\n"
        f'#define GUEST_BUILD_ID_TEXT "{build.hex()}"\n\n#endif\n'
    )
