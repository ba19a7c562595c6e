"""Errors that the compiler finds after the parser, with their line."""

import traceback

for source in (
    "x = 1\ndef f(a, a): pass",
    "x = 1\nreturn 5",
    "if x:\n    break",
    "continue",
    "def f():\n    nonlocal y",
    "def f():\n    await x",
    "async def f():\n    yield 1\n    return 2",
    "def f():\n    x = 1\n    global x",
    "class A:\n    yield 1",
    "from __future__ import nope",
    "x: int = (yield)",
    "[(yield) for x in y]",
    "def f():\n    from m import *",
    "nonlocal z",
    "a = b = await c",
    "lambda: await x",
    "def f(*, **k): pass",
    "class C:\n    __slots__ = ()\n    nonlocal q",
    "async def g():\n    [x async for x in y]\n    yield from z",
    "try: pass\nexcept: pass\nexcept A: pass",
):
    try:
        compile(source, "<example>", "exec")
        print("compiles", repr(source))
    except SyntaxError as error:
        print("".join(traceback.format_exception_only(error)))
