"""Makes CPython's recursion checks see the native stack.

CPython compares the address of a local with a limit in the thread state. In WebAssembly that is the
linear stack, which many functions do not use at all, while their native frames still take room:
recursion through them would meet the guard page (which ends the guest) before the limit (which
raises RecursionError). So wherever the limit is loaded, it is replaced by one that no address
reaches once the native stack runs low.
"""

from __future__ import annotations

import re

from toolchain.errors import BuildError

# offsetof(_PyThreadStateImpl, c_stack_soft_limit) in this libpython; guest/runtime.c checks it at
# run time.
SOFT_LIMIT_OFFSET = 712

# Users of the limit besides the callers of _Py_CheckRecursiveCall.
_OTHER_USERS = (
    "_PyEval_EvalFrameDefault",
    "_Py_Dealloc",
    "_Py_ReachedRecursionLimitWithMargin",
    "Py_EnterRecursiveCall",
)
_CHECK = "w2c_guest_0x5FPy_CheckRecursiveCall"
_LEAST_FUNCTIONS = 40

_LOAD = r"i32_load_default32\(\(u64\)\(var_\w+\)"
_SITES = (
    re.compile(
        rf"( = {SOFT_LIMIT_OFFSET}u;\n *(var_\w+) \+= var_\w+;\n"
        rf"(?: *var_\w+ = \2;\n)? *\2 = )({_LOAD}\))"
    ),
    re.compile(rf"( = )({_LOAD} \+ {SOFT_LIMIT_OFFSET}u\))"),
)


def plain_name(name: str) -> str:
    """The name in the source of a function that wasm2c has mangled."""
    name = re.sub(r"_\d+$", "", name.removeprefix("w2c_guest_"))
    return re.sub(r"0x([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), name)


def guard_recursion(functions: dict[str, str]) -> dict[str, str]:
    """Gives those of the transformed function bodies that have to be replaced, by name."""
    changed: dict[str, str] = {}
    for name, text in functions.items():
        if plain_name(name) not in _OTHER_USERS and _CHECK not in text:
            continue
        if plain_name(name) == "_Py_CheckRecursiveCall":
            continue
        first, count = _SITES[0].subn(r"\1GUEST_STACK_LIMIT(instance, \3)", text)
        result, more = _SITES[1].subn(r"\1GUEST_STACK_LIMIT(instance, \2)", first)
        if count + more > 0:
            changed[name] = result
    missing = set(_OTHER_USERS) - {plain_name(name) for name in changed}
    if missing or len(changed) < _LEAST_FUNCTIONS:
        raise BuildError(
            f"recursion checks are not where they were: {len(changed)} functions,"
            f" without {sorted(missing)}"
        )
    return changed
