"""Exceptions of WebAssembly: what wasm2c writes of try, catch and throw, made into ours.

A try saves registers (extension_try), a throw goes on with those of the innermost one
(extension_throw). Which one that is lies in the instance, and rests on nothing that the guest can
write:

- What is saved lies in the frame of the function, all of it from the first line to the last.
- A function with a try puts the target of its caller back when it returns, whatever is in between.
- The host takes the target away while it calls guest code or leaves the guest's stack, and before
  each run (guest_unwind_take).

So the target is always in a frame that is there. Without one, a throw is a trap.
"""

from __future__ import annotations

import re

# Those that there are, with what they are in generated code. All have one parameter, an i32.
TAGS = {"__cpp_exception": 1, "__c_longjmp": 2}

# A throw takes about as long as so many loops.
THROW_TICKS = 32

_TRY = "wasm_rt_try("
_TARGET = re.compile(r"^ *WASM_RT_UNWIND_TARGET (var_T\d+)_unwind_target;\n", re.MULTILINE)
_TAG = r"w2c_x_e(\d+)"
_CATCHES = re.compile(rf"if \(wasm_rt_exception_tag\(\) == {_TAG}\) $")
_NEXT_CATCH = re.compile(rf" else if \(wasm_rt_exception_tag\(\) == {_TAG}\) ")
_BRACE = re.compile(r"[{}]")

SUBSTITUTIONS = [
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (
            r"^( *)WASM_RT_UNWIND_TARGET \*(var_T\d+_outer_target)"
            r" = wasm_rt_get_unwind_target\(\);$",
            r"\1guest_registers *\2 = UNWIND_TARGET(instance);",
        ),
        (
            r"^( *)if \(!wasm_rt_try\((var_T\d+)_unwind_target\)\) \{\n"
            r" *wasm_rt_set_unwind_target\(&\2_unwind_target\);$",
            r"\1if (!UNWIND_TRY(instance, \2_registers)) {",
        ),
        (
            r"\bwasm_rt_set_unwind_target\((var_T\d+_outer_target)\);",
            r"UNWIND_TARGET(instance) = \1;",
        ),
        (
            rf"\bwasm_rt_load_exception\({_TAG}, sizeof\(u32\), &(var_i\d+)\);",
            r"UNWIND_SET(instance, TAG_\1, \2);",
        ),
        (
            r"\bwasm_rt_load_exception\((var_T\d+)_tag, \1_size, \1\);",
            r"UNWIND_SET(instance, \1_tag, \1_value);",
        ),
        (
            r"^ */\* save exception (var_T\d+) for rethrow \*/\n"
            r"( *)const wasm_rt_tag_t \1_tag = wasm_rt_exception_tag\(\);\n"
            r" *uint32_t \1_size = wasm_rt_exception_size\(\);\n"
            r" *void \*\1 = alloca\(\1_size\);\n"
            r" *wasm_rt_memcpy\(\1, wasm_rt_exception\(\), \1_size\);$",
            r"\2u32 \1_tag = UNWIND_TAG(instance); u32 \1_value = UNWIND_VALUE(instance);",
        ),
        (
            r"\bwasm_rt_memcpy\(&(var_i\d+), wasm_rt_exception\(\), sizeof\(u32\)\);",
            r"\1 = UNWIND_VALUE(instance);",
        ),
        (
            rf"\bwasm_rt_exception_tag\(\) == {_TAG}\b",
            r"UNWIND_TAG(instance) == TAG_\1",
        ),
        (r"\bwasm_rt_throw\(\);", "UNWIND_THROW(instance);"),
    )
]

KNOWN_NAMES = (
    r"|else|volatile|guest_registers|TAG_\d+|UNWIND_(?:TARGET|TRY|SET|TAG|VALUE|THROW|LEAVE)"
)

HEAD = f"""
#define UNWIND (((guest_extended*)instance)->unwind)
#define UNWIND_TARGET(instance) (UNWIND.target)
#define UNWIND_TAG(instance) (UNWIND.tag)
#define UNWIND_VALUE(instance) (UNWIND.value)
#define UNWIND_SET(instance, thrown, number) \\
  ((void)(UNWIND.tag = (thrown), UNWIND.value = (number)))
#define UNWIND_TRY(instance, registers) \\
  (extension_try(&(registers)) ? 1 : (UNWIND.target = &(registers), 0))
#define UNWIND_THROW(instance) do {{ \\
    GUEST_CHARGE(instance, {THROW_TICKS}); \\
    extension_throw(instance, UNWIND.target); \\
  }} while (0)
__attribute__((returns_twice, visibility("hidden"))) int extension_try(guest_registers*);
__attribute__((noreturn, visibility("hidden")))
void extension_throw(guest_instance*, const guest_registers*);
"""

# The trap is one that has a number in wasm-rt.h.
CODE = """
__asm__(".text\\n"
        ".globl extension_try\\n.hidden extension_try\\n.type extension_try, @function\\n"
        "extension_try:\\n"
        "movq (%rsp), %rax\\n"
        "leaq 8(%rsp), %rcx\\n"
        "movq %rax, 0(%rdi)\\n"
        "movq %rcx, 8(%rdi)\\n"
        "movq %rbx, 16(%rdi)\\n"
        "movq %rbp, 24(%rdi)\\n"
        "movq %r12, 32(%rdi)\\n"
        "movq %r13, 40(%rdi)\\n"
        "movq %r14, 48(%rdi)\\n"
        "movq %r15, 56(%rdi)\\n"
        "xorl %eax, %eax\\n"
        "retq\\n"
        ".globl extension_throw\\n.hidden extension_throw\\n.type extension_throw, @function\\n"
        "extension_throw:\\n"
        "testq %rsi, %rsi\\n"
        "jz 1f\\n"
        "movq 16(%rsi), %rbx\\n"
        "movq 24(%rsi), %rbp\\n"
        "movq 32(%rsi), %r12\\n"
        "movq 40(%rsi), %r13\\n"
        "movq 48(%rsi), %r14\\n"
        "movq 56(%rsi), %r15\\n"
        "movl $1, %eax\\n"
        "movq 8(%rsi), %rsp\\n"
        "jmpq *0(%rsi)\\n"
        "1: movl $7, %edi\\n"
        "jmp wasm_rt_trap\\n");
_Static_assert(WASM_RT_TRAP_UNCAUGHT_EXCEPTION == 7, "above");
_Static_assert(sizeof(guest_registers) == 64, "above");
"""


def _brace_last_catches(text: str) -> str:
    """Puts braces around what follows the catches of some tags in the same try.

    wasm2c writes the statements of a catch_all behind ``else`` without any, so that all but the
    first would be run whatever was caught. They are the last ones of the block.
    """
    result: list[str] = []
    position = 0
    blocks: list[tuple[bool, int]] = []  # whether it is that of a catch; braces to be added
    for match in _BRACE.finditer(text):
        start = match.start()
        if match[0] == "{":
            line = text.rfind("\n", 0, start) + 1
            blocks.append((bool(_CATCHES.search(text, line, start)), 0))
            continue
        if not blocks:
            break
        is_catch, added = blocks.pop()
        result += [text[position:start], "}" * added, "}"]
        position = start + 1
        follows = text.startswith(" else ", position)
        if is_catch and follows and not _NEXT_CATCH.match(text, position):
            result.append(" else {\n")
            position += len(" else ")
            opener, count = blocks[-1]
            blocks[-1] = (opener, count + 1)
    return "".join([*result, text[position:]])


def rewrite(function: str) -> str:
    """The text of a function with try or throw in our words; that of another as it is."""
    if "wasm_rt_throw" not in function and _TRY not in function:
        return function
    function = _brace_last_catches(function)
    tries = _TARGET.findall(function)
    if tries:
        function = _TARGET.sub("", function)
        registers = "".join(f" guest_registers {name}_registers;" for name in tries)
        function = function.replace(
            "\n  FUNC_PROLOGUE;\n",
            f"\n  guest_registers *var_caller = UNWIND_TARGET(instance);{registers}\n"
            "  FUNC_PROLOGUE;\n",
            1,
        ).replace("\n  FUNC_EPILOGUE;\n", "\n  UNWIND_TARGET(instance) = var_caller;\n")
    for pattern, replacement in SUBSTITUTIONS:
        function = pattern.sub(replacement, function)
    return function
