"""Writes the table of what extension modules can be linked to (src/machine/guest_symbols.h)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from itertools import accumulate

from toolchain.errors import BuildError

SIGNATURE_LETTERS = {"u32": "i", "u64": "j", "f32": "f", "f64": "d"}

# What is there for the host alone.
HIDDEN = re.compile(r"eryx_\w+|cabi_realloc")


def signature(parameters: list[str], result: str) -> str:
    """The text that the hash of a function type is made of, in wasm2c as here."""
    text = "".join(SIGNATURE_LETTERS[kind] for kind in parameters) + " "
    return text if result == "void" else text + SIGNATURE_LETTERS[result]


def plain_name(mangled: str) -> str:
    """The WebAssembly name of an export that wasm2c has mangled."""
    return re.sub(r"0x([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), mangled)


def _c_digest(digest: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in digest) + '"'


def _names(kind: str, names: list[str]) -> list[str]:
    sizes = [len(name) + 1 for name in names]
    offsets = [0, *accumulate(sizes)][: len(names)]
    return [
        f"const uint32_t guest_{kind}_count = {len(names)};",
        f"const char guest_{kind}_names[] =",
        *(f'    "{name}\\0"' for name in names),
        "    ;",
        f"const uint32_t guest_{kind}_name_offsets[] = {{",
        *(f"{offset}," for offset in offsets),
        "};",
    ]


def _functions(name: str, functions: list[str]) -> list[str]:
    rows = [f"(wasm_rt_function_ptr_t){function}," for function in functions]
    return [f"static const wasm_rt_function_ptr_t {name}[] = {{", *rows, "};"]


def symbols_source(
    symbols: Mapping[str, Mapping[str, object]],
    functions: Mapping[str, tuple[str, list[str], str]],
    types: Mapping[str, str],
    metered: Callable[[str], str],
) -> str:
    """C source of the tables.

    symbols: symbols.json of the link; functions: exported name to C name, parameters and result;
    types: names of wasm2c's function types with their hashes as C literals; metered: gives the C
    name that a function has in the metered code.
    """
    public = sorted(
        name
        for name in symbols["functions"]
        if name in functions and re.fullmatch(r"[\w.$]+", name) and not HIDDEN.fullmatch(name)
    )
    if len(public) < 0.9 * len(symbols["functions"]):
        raise BuildError(f"only {len(public)} of {len(symbols['functions'])} symbols are exported")
    variables = sorted(name for name in symbols["data"] if re.fullmatch(r"[\w.$]+", name))
    known = {
        bytes(int(code, 16) for code in re.findall(r"\\x([0-9a-f]{2})", literal)): name
        for name, literal in types.items()
    }
    texts: list[str] = []
    numbers: list[int] = []
    prototypes: list[str] = []
    for name in public:
        c_name, parameters, result = functions[name]
        text = signature(parameters, result)
        if text not in texts:
            texts.append(text)
        numbers.append(texts.index(text))
        arguments = ", ".join(["guest_instance*", *parameters])
        prototypes += [f"{result} {form}({arguments});" for form in (c_name, metered(c_name))]
    extra: list[str] = []
    rows: list[str] = []
    for number, text in enumerate(texts):
        digest = hashlib.sha256(text.encode()).digest()
        if digest not in known:
            extra.append(f"static const char type_{number}[33] = {_c_digest(digest)};")
        rows.append(f'    {{"{text}", {known.get(digest, f"type_{number}")}}},')
    return "\n".join(
        [
            "/* Written by toolchain/symbols.py. */",
            '#include "guest_operations.h"',
            "",
            '#include "guest_symbols.h"',
            "",
            *sorted(set(prototypes)),
            "",
            *extra,
            "const guest_signature guest_signatures[] = {",
            *rows,
            "};",
            *_names("function", public),
            "const uint16_t guest_function_signatures[] = {",
            *(f"{number}," for number in numbers),
            "};",
            *_functions("plain_functions", [functions[name][0] for name in public]),
            *_functions("metered_functions", [metered(functions[name][0]) for name in public]),
            "const wasm_rt_function_ptr_t *const guest_functions[] = {plain_functions,"
            " metered_functions};",
            *_names("variable", variables),
            "const uint32_t guest_variable_addresses[] = {",
            *(f"{symbols['data'][name]}u," for name in variables),
            "};",
            "",
        ]
    )
