"""Lets CPython's garbage collector look at young objects only when it is time by their number.

CPython 3.14.0 collects in increments then, each of which traverses what is reachable from the stack
anew: a program that builds one large list takes time by the square of its length (3.14.1 mended
it). What is older is collected by how much memory is used; see guest/pressure.h.
"""

from __future__ import annotations

import re

from toolchain.errors import BuildError

# _PyGC_Collect(thread, 1, _Py_GC_REASON_HEAP) in _Py_RunGC(): a generation of 1 is an increment.
_FUNCTION = "w2c_guest_0x5FPy_RunGC"
_CALL = re.compile(
    r"( = )1u(;\n *var_\w+ = 0u;\n *var_\w+ = w2c_guest_0x5FPyGC_Collect\(instance, )"
)


def collect_young(functions: dict[str, str]) -> dict[str, str]:
    """Gives the one of the transformed function bodies that has to be replaced, by name."""
    if _FUNCTION not in functions:
        raise BuildError(f"there is no function {_FUNCTION}")
    text, count = _CALL.subn(r"\g<1>0u\2", functions[_FUNCTION])
    if count != 1:
        raise BuildError(f"{count} calls of the garbage collector in {_FUNCTION}, expected one")
    return {_FUNCTION: text}
