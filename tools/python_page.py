"""Writes the lists of docs/python.md, which say what Python inside has and has not.

``python -m tools.python_page`` writes them, with ``--check`` it tells whether they are right. What
there is a sandbox is asked; what CPython has on Linux mypy knows, which carries the stubs of its
library.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import eryx
from tools import sbom

PAGE = Path(__file__).parent.parent / "docs" / "python.md"
_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WIDTH = 140
_VERSION = (3, 14)

# Why a module is not there.
_DISPLAY = "there is no display"
_TERMINAL = "there is no terminal"
_LIBRARIES = "there are no shared libraries to open"
_HOST = "it is about the host's system"
_INSTALLER = "packages are the host's to give (docs/packages.md)"
_PLATFORM = "it is for another system"
_REASONS = {
    _DISPLAY: ("idlelib", "tkinter", "turtle", "turtledemo"),
    _TERMINAL: ("curses", "pty", "readline", "termios", "tty"),
    _LIBRARIES: ("ctypes",),
    _HOST: ("fcntl", "resource", "syslog"),
    _INSTALLER: ("ensurepip", "venv"),
    _PLATFORM: ("msilib", "msvcrt", "nt", "winreg", "winsound"),
}

# Modules whose names are compared one by one.
_COMPARED = ("os", "select", "signal", "socket", "threading", "time")

# Libraries that do not tell their versions, in the bill of materials.
_OF_BILL = {"bzip2": "libbz2", "xz": "liblzma", "tzdata": "time zones (tzdata)"}

_FACTS = """
import compression.zstd, decimal, platform, pyexpat, sqlite3, ssl, unicodedata, zlib

result = {
    "CPython": platform.python_version(),
    "SQLite": sqlite3.sqlite_version,
    "expat": pyexpat.EXPAT_VERSION.removeprefix("expat_"),
    "libmpdec": decimal.__libmpdec_version__,
    "libzstd": compression.zstd.zstd_version,
    "zlib": zlib.ZLIB_RUNTIME_VERSION,
    "OpenSSL": ssl.OPENSSL_VERSION.split()[1] + ", on the host",
    "Unicode": unicodedata.unidata_version,
}
"""


def _ask(program: str) -> object:
    return eryx.Sandbox().execute(program).result


def _wrapped(words: Iterable[str]) -> str:
    text = ", ".join(f"`{word}`" for word in words)
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def versions() -> str:
    """The interpreter and its libraries."""
    facts = _ask(_FACTS)
    assert isinstance(facts, dict)
    for component in sbom.COMPONENTS:
        if component.name in _OF_BILL:
            facts[_OF_BILL[component.name]] = component.version
    rows = [f"| {name} | {version} |" for name, version in facts.items()]
    return "\n".join(["| what | version |", "|---|---|", *rows, ""])


def module_names() -> list[str]:
    """The public modules of CPython's library, as the guest's interpreter knows them."""
    names = _ask("import sys; result = sorted(sys.stdlib_module_names)")
    assert isinstance(names, list)
    return [name for name in names if not name.startswith("_") and name not in ("antigravity",)]


def _can_import(name: str) -> bool:
    try:
        eryx.Sandbox().execute(f"import {name}")
    except eryx.ExecutionError:
        return False
    return True


def modules() -> str:
    """Those that can be imported."""
    return _wrapped(name for name in module_names() if _can_import(name))


def missing() -> str:
    """Those that cannot, and why. Raises KeyError for one without a reason."""
    reasons = {name: reason for reason, names in _REASONS.items() for name in names}
    by_reason: dict[str, list[str]] = {}
    for name in module_names():
        if not _can_import(name):
            by_reason.setdefault(reasons[name], []).append(name)
    rows = [
        f"| {', '.join(f'`{name}`' for name in names)} | {reason} |"
        for reason, names in by_reason.items()
    ]
    return "\n".join(["| modules | why not |", "|---|---|", *rows, ""])


def preloaded() -> str:
    """What every sandbox has imported when it begins."""
    path = PAGE.parent.parent / "guest" / "python" / "_eryx_runtime" / "preload.py"
    specification = importlib.util.spec_from_file_location("preload", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return _wrapped(module.MODULES)


def _holds(test: ast.expr) -> bool:
    """Whether a condition of a stub is true of this CPython on Linux."""
    if isinstance(test, ast.BoolOp):
        answers = [_holds(value) for value in test.values]
        return all(answers) if isinstance(test.op, ast.And) else any(answers)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return not _holds(test.operand)
    known = {"version_info": _VERSION, "platform": "linux", "TYPE_CHECKING": False}
    names = {"sys": type("Sys", (), known), "TYPE_CHECKING": False}
    return bool(eval(compile(ast.Expression(test), "stub", "eval"), names))


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements of a stub define at its top level."""
    for statement in body:
        match statement:
            case ast.If(test, yes, no):
                yield from _defined(yes if _holds(test) else no)
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                yield name
            case ast.AnnAssign(ast.Name(name)) | ast.Assign([ast.Name(name)]):
                yield name
            case ast.ImportFrom(names=aliases):
                yield from (alias.name for alias in aliases if alias.asname == alias.name)


def names_on_linux(module: str) -> set[str]:
    """The public names that CPython has in a module on Linux."""
    stubs = importlib.util.find_spec("mypy")
    assert stubs is not None
    assert stubs.origin is not None
    folder = Path(stubs.origin).parent / "typeshed" / "stdlib"
    found = [folder / f"{module}.pyi", folder / module / "__init__.pyi"]
    tree = ast.parse(next(path for path in found if path.is_file()).read_text())
    return {name for name in _defined(tree.body) if not name.startswith("_")}


def lacking() -> str:
    """Functions and classes that modules have on Linux, and have not here."""
    rows = []
    for module in _COMPARED:
        here = _ask(f"import {module}; result = dir({module})")
        assert isinstance(here, list)
        away = sorted(filter(str.islower, names_on_linux(module) - set(here)))
        if away:
            rows.append(f"| `{module}` | {', '.join(f'`{name}`' for name in away)} |")
    return "\n".join(["| module | has not |", "|---|---|", *rows, ""])


def digests() -> str:
    """What hashlib.new() takes."""
    names = _ask("import hashlib; result = sorted(hashlib.algorithms_available)")
    assert isinstance(names, list)
    return _wrapped(names)


def numbers() -> str:
    """What of sys tells of the machine."""
    facts = _ask(
        "import os, sys, time; result = {"
        "'sys.platform': sys.platform, 'os.name': os.name, 'sys.byteorder': sys.byteorder,"
        "'sys.maxsize': sys.maxsize, 'sys.hash_info.width': sys.hash_info.width,"
        "'sys.getrecursionlimit()': sys.getrecursionlimit(),"
        "'sys.getfilesystemencoding()': sys.getfilesystemencoding(),"
        "'os.cpu_count()': os.cpu_count(), 'os.getpid()': os.getpid(), 'os.getuid()': os.getuid(),"
        "'os.getcwd()': os.getcwd(), 'time.tzname': list(time.tzname)}"
    )
    assert isinstance(facts, dict)
    rows = [f"| `{name}` | `{value!r}` |" for name, value in facts.items()]
    return "\n".join(["| expression | value |", "|---|---|", *rows, ""])


Maker = Callable[[], str]
LISTS: tuple[Maker, ...] = (versions, modules, missing, preloaded, lacking, digests, numbers)


def render(page: str) -> str:
    """The page with its lists as they should be. Raises KeyError for an unknown list."""
    makers = {maker.__name__: maker for maker in LISTS}
    return _BLOCK.sub(lambda found: f"{found[1]}{makers[found[2]]()}{found[3]}", page)


def main() -> int:
    """Writes or checks the page."""
    before = PAGE.read_text()
    after = render(before)
    if sys.argv[1:] == ["--check"]:
        return int(before != after)
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
