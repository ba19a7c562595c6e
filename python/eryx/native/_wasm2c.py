"""What is rewritten in the C that wasm2c makes, of the guest and of native modules alike.

- The instance is our struct guest_instance, whose memory and table are reached through it.
- Every loop head counts a tick.
- The segment register that memory is reached through belongs to the host: it is never touched.

The toolchain loads this file by its path: it imports nothing of the package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Module:
    """How wasm2c writes the things of a module.

    The memory as a struct and as a pointer, the table, the type of the instance; and what the
    table is written as instead.
    """

    memory: str
    memory_pointer: str
    table: str
    instance: str
    new_table: str


GUEST = Module(
    memory="instance->w2c_memory",
    memory_pointer="(&instance->w2c_memory)",
    table="instance->w2c_T0",
    instance="w2c_guest",
    new_table="instance->table",
)
# A native module imports both from the guest.
EXTENSION = Module(
    memory="(*instance->w2c_x_m)",
    memory_pointer="(instance->w2c_x_m)",
    table="(*instance->w2c_x_t)",
    instance="w2c_ext",
    new_table="GUEST_TABLE",
)


def substitutions(module: Module) -> list[tuple[re.Pattern[str], str]]:
    """Patterns with their replacements, to be made in this order.

    Each is found at least once in any guest; a native module may do without.
    """
    memory, table = re.escape(module.memory), re.escape(module.table)
    pointer = re.escape(module.memory_pointer)
    argument = re.escape(module.memory_pointer[1:-1])
    pairs = [
        (
            r"^#if WASM_RT_USE_SEGUE_FOR_THIS_MODULE\n"
            rf" *wasm_rt_segue_write_base\({memory}\.data\);\n#endif\n",
            "",
        ),
        (
            rf"^  uint8_t\* const wasm_rt_local_memory_base = {pointer}->data;\n"
            rf"  uint64_t wasm_rt_local_memory_size = {pointer}->size;\n"
            r"  \(void\)wasm_rt_local_memory_base;\n  \(void\)wasm_rt_local_memory_size;\n",
            "",
        ),
        (rf"^ *wasm_rt_local_memory_size = {pointer}->size;\n", ""),
        (rf"wasm_rt_local_memory_base, wasm_rt_local_memory_size, {argument}, ", ""),
        (r"^( *var_L\d+:) *$", r"\1 GUEST_TICK(instance);"),
        (
            rf"CALL_INDIRECT\({table}, (\w+ \(\*\)\()void\*([^;]*?), "
            rf"{table}\.data\[var_\w+\]\.module_instance",
            rf"CALL_INDIRECT({module.new_table}, \1guest_instance*\2, instance",
        ),
        (rf"\bmemory_copy\({argument}, {argument}, ", "memory_copy(instance, "),
        (rf"\bmemory_fill\({argument}, ", "memory_fill(instance, "),
        (rf"\b{module.instance}\* instance\b", "guest_instance* instance"),
    ]
    return [(re.compile(pattern, re.MULTILINE), replacement) for pattern, replacement in pairs]
