"""A module that was just written can be imported, as beside a script."""

import importlib
import os
import sys

with open("helpers_here.py", "w") as f:
    f.write("def f():\n    return 42\n\nNAME = __name__\n")
os.makedirs("package_here/inner")
open("package_here/__init__.py", "w").write("from .inner import VALUE\n")
open("package_here/inner/__init__.py", "w").write("VALUE = 'inner'\n")
open("package_here/other.py", "w").write(
    "from . import VALUE\nfrom .inner import VALUE as v\nok = VALUE is v\n"
)
import helpers_here

print(helpers_here.f(), helpers_here.NAME, os.path.basename(helpers_here.__file__))
import package_here.other

print(package_here.VALUE, package_here.other.ok)
open("helpers_here.py", "w").write("def f():\n    return 'a longer answer than before'\n")
importlib.invalidate_caches()
print(importlib.reload(helpers_here).f())
open("broken_here.py", "w").write("x = (\n")
try:
    import broken_here
except SyntaxError as error:
    print(error.msg, error.lineno, os.path.basename(error.filename))
