"""Nested brackets, calls, blocks and operators up to what the parser takes."""

import ast

for n in (90, 150, 190, 199, 201, 250):
    for left, right in (("(", ")"), ("[", "]"), ("f(", ")"), ("{1:", "}")):
        try:
            compile(left * n + "1" + right * n, "p.py", "eval")
            print(n, left, "compiles")
        except (SyntaxError, MemoryError, RecursionError) as error:
            print(n, left, type(error).__name__, error)
for n in (20, 99, 100, 101):
    source = "".join("    " * i + "if x:\n" for i in range(n)) + "    " * n + "pass\n"
    try:
        compile(source, "p.py", "exec")
        print(n, "compiles")
    except (SyntaxError, MemoryError, RecursionError) as error:
        print(n, type(error).__name__, error)
print(
    eval("1" + "+1" * 2000),
    len(ast.parse("a." * 50 + "b").body),
    eval("-" * 51 + "1"),
    eval("not " * 50 + "1"),
)
