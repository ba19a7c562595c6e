"""A read-eval-print loop that is fed from a list."""

import code
import codeop
import contextlib
import io

for source in (
    "x = 1",
    "if x:",
    "if x:\n  y",
    "def f():\n  pass\n",
    "(1,",
    "1 +",
    "x = ",
    "(((",
    "print(1)",
    "class A:",
    "@d",
    "for",
    "a b",
):
    try:
        print(repr(source), codeop.compile_command(source) is not None)
    except SyntaxError as error:
        print(repr(source), error.msg)
lines = iter(
    [
        "x = 6",
        "x * 7",
        "for i in range(2):",
        "    print(i)",
        "",
        "1 / 0",
        "def f(:",
        "undefined",
        "'done'",
    ]
)


def read(prompt):
    try:
        line = next(lines)
    except StopIteration:
        raise EOFError from None
    print(prompt + line)
    return line


out = io.StringIO()
with contextlib.redirect_stderr(out):
    code.interact(banner="hello", readfunc=read, local={}, exitmsg="bye", local_exit=True)
print(out.getvalue())
