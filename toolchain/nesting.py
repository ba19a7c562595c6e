"""Lets programs be nested as deep as CPython's are elsewhere, and no deeper than is safe.

For WebAssembly, CPython compiles its parser with less room for recursion than on other platforms:
137 brackets in each other are its end, where 200 are allowed. The stack of a guest has the room.

The compiler of 3.14.0 does not count the comprehensions in comprehensions, which each take one
entry of a table of fixed size; 22 and more write behind it. Later releases raise SyntaxError. And
its last stage relies on what the ones before it found out about the stack, of which it takes more.
"""

from __future__ import annotations

import re

from toolchain.errors import BuildError
from toolchain.recursion import plain_name

# MAXSTACK of CPython's Parser/pegen.h, for WebAssembly and else.
_LEVELS_OF_WASM = 4000
_LEVELS = 6000
_LEVEL_CHECK = re.compile(rf"( (var_\w+) = ){_LEVELS_OF_WASM}(u;\n *(var_\w+) = \4 != \2;)")
_TOO_DEEP = "w2c_guest_0x5FPypegen_stack_overflow"
_LEAST_CHECKS = 480

# CO_MAXBLOCKS, and where struct _PyCfgExceptStack has its depth.
_MOST_BLOCKS = 21
_OFFSET_DEPTH = 4 * (_MOST_BLOCKS + 2)
_LABELLING = "label_exception_targets"
_RAISING = "eryx_guest_nested_blocks"
# Local variables of the function: the stack and its new depth.
_PUSH = re.compile(
    r"(?P<indent> *)var_i0 = (?P<stack>var_\w+);\n *var_i1 = (?P=stack);\n"
    rf" *var_i1 = i32_load_default32\(\(u64\)\(var_i1\) \+ {_OFFSET_DEPTH}u\);\n"
    r" *var_i2 = 1u;\n *var_i1 \+= var_i2;\n *(?P<depth>var_\w+) = var_i1;\n"
)
# The instruction, of which the target is read; its place in the source is before that.
_INSTRUCTION = re.compile(
    r"var_i0 = (?P<instruction>var_\w+);\n"
    r" *var_i0 = i32_load_default32\(\(u64\)\(var_i0\) \+ 24u\);\n"
)
_LOCATION = 8
# Both lists are freed.
_NO_MEMORY = re.compile(
    r" *var_\w+:;\n *var_i0 = w2c_guest_PyErr_NoMemory_0\(instance\);\n"
    r"((?:(?! *(?:goto|if|var_\w+:)).*\n)*? *var_i0 = 4294967295u;\n *goto var_Bfunc;\n)"
)

# What the last stage goes through a tree with and does not look at the stack; -1 is an error.
_PARTS = ("codegen_visit_stmt", "codegen_pattern")
_ENTERING = "eryx_guest_enter_part"
_ENTRY = "  FUNC_PROLOGUE;\n"


def _one(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    matches = list(pattern.finditer(text))
    if len(matches) != 1:
        raise BuildError(f"{_LABELLING} is not as it was: {len(matches)} of {pattern.pattern!r}")
    return matches[0]


def _count_blocks(text: str, raising: str) -> str:
    """Lets the function leave with an error as it does where memory is short."""
    push = _one(_PUSH, text)
    instruction = next(
        (
            match
            for match in reversed(list(_INSTRUCTION.finditer(text)))
            if match.end() < push.start()
        ),
        None,
    )
    if instruction is None:
        raise BuildError(f"{_LABELLING} is not as it was: it reads no instructions")
    leave = _one(_NO_MEMORY, text)[1]
    check = (
        f"{push['indent']}if ({push['depth']} > {_MOST_BLOCKS}u) {{\n"
        f"{push['indent']}  {raising}(instance, {instruction['instruction']} + {_LOCATION}u);\n"
        f"{leave}{push['indent']}}}\n"
    )
    return text[: push.end()] + check + text[push.end() :]


def _check_stack(text: str, entering: str) -> str:
    """Lets the function fail where the stack runs low."""
    if text.count(_ENTRY) != 1:
        raise BuildError("a function of the compiler has no beginning")
    check = f"  if ({entering}(instance) != 0) {{\n    return 4294967295u;\n  }}\n"
    return text.replace(_ENTRY, _ENTRY + check)


def allow_nesting(functions: dict[str, str]) -> dict[str, str]:
    """Gives those of the transformed function bodies that have to be replaced, by name."""
    changed: dict[str, str] = {}
    checks = 0
    by_name = {plain_name(name): name for name in functions}
    for name, text in functions.items():
        if _TOO_DEEP in text and plain_name(name) != "_Pypegen_stack_overflow":
            changed[name], count = _LEVEL_CHECK.subn(rf"\g<1>{_LEVELS}\g<3>", text)
            checks += count
    if checks < _LEAST_CHECKS:
        raise BuildError(f"the parser's checks are not where they were: {checks} were found")
    labelling = by_name[_LABELLING]
    changed[labelling] = _count_blocks(functions[labelling], by_name[_RAISING])
    for part in _PARTS:
        name = by_name[part]
        changed[name] = _check_stack(functions[name], by_name[_ENTERING])
    return changed
