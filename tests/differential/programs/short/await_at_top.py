"""Top-level await is no Python of files, natively."""

code = "import asyncio\nawait asyncio.sleep(0)"
try:
    compile(code, "p.py", "exec")
except SyntaxError as error:
    print(error.msg, error.lineno)
import ast

print(compile(code, "p.py", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).co_flags & 0x80 != 0)
