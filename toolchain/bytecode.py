"""Compiles the standard library to bytecode inside the guest: no other has the same format."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.image import run_image_tool

# Runs in the guest. Prints "path base64" for each module, "path !reason" for those that do not
# compile.
PROGRAM = """
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
        print(shown, base64.b64encode(data).decode())
"""


def parse_output(text: str) -> dict[str, bytes]:
    """Bytecode by source path; raises BuildError for a module that did not compile."""
    found: dict[str, bytes] = {}
    for line in text.splitlines():
        path, _, value = line.partition(" ")
        if value.startswith("!"):
            raise BuildError(f"{path} of the standard library does not compile: {value[1:]}")
        try:
            found[path] = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise BuildError(
                f"the compile program printed something else: {line[:200]!r}"
            ) from error
    return found


def compile_library(
    tool: Path,
    archive: Path,
    image: Path,
    work: Path,
    environment: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """Runs the compile program with the image tool; gives the bytecode by source path."""
    program = work / "compile.py"
    program.write_text(PROGRAM)
    failure = "compiling the standard library failed"
    found = parse_output(
        run_image_tool(tool, ["run", archive, image, program], failure, environment)
    )
    if "os.py" not in found:
        raise BuildError("compiling the standard library gave nothing")
    return found
