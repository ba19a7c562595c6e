"""importlib: modules made in memory, finders, reloads, resources, errors, __main__."""

import importlib
import importlib.abc
import importlib.util
import sys
import types

SOURCES = {
    "virtual": "value = 1\ndef f(): return __name__",
    "package": "from . import sub\nx = sub.y",
    "package.sub": "y = 5",
    "broken": "x = ",
    "failing": "1 / 0",
    "circular_a": "import circular_b\nname = 'a'",
    "circular_b": "from circular_a import name",
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name in SOURCES:
            return importlib.util.spec_from_loader(name, self, is_package=name == "package")
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], f"<{module.__name__}>", "exec"), module.__dict__)


sys.meta_path.append(Finder())
import package
import virtual
from package.sub import y

print(
    virtual.value,
    virtual.f(),
    package.x,
    y,
    package.__path__,
    virtual.__spec__.name,
    "package.sub" in sys.modules,
    virtual,
)
SOURCES["virtual"] = "value = 2"
virtual.extra = "kept"
print(
    importlib.reload(virtual).value,
    virtual.extra,
    importlib.import_module(".sub", "package").y,
    importlib.import_module("package.sub") is sys.modules["package.sub"],
)
for name in (
    "broken",
    "failing",
    "circular_a",
    "missing",
    "package.missing",
    "virtual.sub",
    "os.path.x",
    "",
):
    try:
        importlib.import_module(name)
        print(name, "imported")
    except BaseException as error:
        print(
            name,
            type(error).__name__,
            str(error).split(" (/")[0],
            getattr(error, "name", None),
            name in sys.modules,
        )
for statement in (
    "from virtual import nothing",
    "from package import *\nprint(x)",
    "import virtual.value",
    "from . import x",
    "from .. import y",
    "import sys as system, os.path as p\nprint(system is sys)",
    "from os import path, getcwd as g\nprint(g is os_g)",
    "from math import *\nprint(pi)",
    "import nothing_at_all",
    "from nothing_at_all import x",
    "__import__('x.y.z')",
):
    try:
        exec(
            statement, {"sys": sys, "os_g": importlib.import_module("os").getcwd, "__package__": ""}
        )
    except Exception as error:
        print(repr(statement), type(error).__name__, error)
module = types.ModuleType("made", "its doc")
exec(
    "def __getattr__(name):\n    if name == 'lazy': return 'made late'\n    raise AttributeError(f'no {name} here')\ndef __dir__(): return ['lazy']",
    module.__dict__,
)
print(module.lazy, dir(module), module.__doc__, module)
sys.modules["made"] = module
from made import lazy

print(
    lazy,
    __name__,
    sys.modules["__main__"].__dict__ is globals(),
    importlib.util.find_spec("json").name,
    importlib.util.find_spec("nope"),
    importlib.util.resolve_name(".x", "a.b"),
    "json" in sys.stdlib_module_names,
    "sys" in sys.builtin_module_names,
)
sys.modules["blocked"] = None
for attempt in (
    lambda: module.other,
    lambda: __import__("blocked"),
    lambda: importlib.reload(5),
    lambda: importlib.import_module(".x"),
    lambda: importlib.util.find_spec("a.b.c"),
    lambda: importlib.import_module("json.nothing"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
spec = importlib.util.spec_from_file_location("from_file", "written.py")
open("written.py", "w").write("z = __file__[-10:]")
loaded = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loaded)
print(loaded.z, loaded.__name__)
