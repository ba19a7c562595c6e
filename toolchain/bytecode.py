"""Compiles the standard library to bytecode inside the guest: no other has the same format."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.image import run_image_tool

# Runs in the guest. Prints "path base64" for each module, "path *base64" for those that a new
# sandbox has imported already, and "path !reason" for those that do not compile.
PROGRAM = """
import sys

IMPORTED = {getattr(module, "__file__", None) for module in sys.modules.values()}

import base64
import os
from importlib import _bootstrap_external as external
from importlib.util import source_hash

ROOT = "/python-stdlib"
for directory, directories, names in os.walk(ROOT):
    directories.sort()
    for name in sorted(names):
        if not name.endswith(".py"):
            continue
        path = directory + "/" + name
        with open(path, "rb") as stream:
            source = stream.read()
        shown = path[len(ROOT) + 1 :]
        try:
            code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError) as error:
            print(shown, "!" + str(error))
            continue
        data = external._code_to_hash_pyc(code, source_hash(source), False)
        print(shown, "*" * (path in IMPORTED) + base64.b64encode(data).decode())
"""


class Bytecode(dict[str, bytes]):
    """That of the library, by source path."""

    imported: frozenset[str] = frozenset()  # modules in the image: nobody reads theirs again

    def to_import(self) -> dict[str, bytes]:
        """That of the modules that are not imported yet."""
        return {path: data for path, data in self.items() if path not in self.imported}


def parse_output(text: str) -> Bytecode:
    """Raises BuildError for a module that did not compile."""
    found = Bytecode()
    imported = set()
    for line in text.splitlines():
        path, _, value = line.partition(" ")
        if value.startswith("!"):
            raise BuildError(f"{path} of the standard library does not compile: {value[1:]}")
        if value.startswith("*"):
            imported.add(path)
        try:
            found[path] = base64.b64decode(value.removeprefix("*"), validate=True)
        except binascii.Error as error:
            raise BuildError(
                f"the compile program printed something else: {line[:200]!r}"
            ) from error
    found.imported = frozenset(imported)
    return found


def compile_library(
    tool: Path,
    archive: Path,
    image: Path,
    work: Path,
    environment: Mapping[str, str] | None = None,
) -> Bytecode:
    """Runs the compile program with the image tool."""
    program = work / "compile.py"
    program.write_text(PROGRAM)
    failure = "compiling the standard library failed"
    found = parse_output(
        run_image_tool(tool, ["run", archive, image, program], failure, environment)
    )
    if "os.py" not in found.imported or "unittest/case.py" not in found.to_import():
        raise BuildError("compiling the standard library did not give what it should")
    return found
