"""The numbers of protocol/*.h, which guest and host share, for the guest's Python code."""

from __future__ import annotations

import re
from pathlib import Path

from toolchain.errors import BuildError

MODULE = "_eryx_runtime/numbers.py"

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ENUM = re.compile(r"\benum(?: (\w+))? \{(.*?)\}", re.DOTALL)
_MEMBER = re.compile(r"(\w+) = (-?(?:0x[0-9a-fA-F]+|\d+))u?")


# Enums that are in other headers, by those.
_ELSEWHERE = {"include/eryx/eryx.h": "eryx_run_command", "guest/pressure.h": "memory_user"}


def read(header: Path, only: str | None = None) -> dict[str, int]:
    """Names and values of the members of all enums, or of one; each has to have its number."""
    numbers: dict[str, int] = {}
    for enum, body in _ENUM.findall(_COMMENT.sub("", header.read_text())):
        if only is not None and enum != only:
            continue
        for member in filter(None, map(str.strip, body.split(","))):
            match = _MEMBER.fullmatch(member)
            if match is None:
                raise BuildError(f"{header}: {member!r} is not a name with a number")
            numbers[match[1]] = int(match[2], 0)
    return numbers


def numbers_module(root: Path) -> bytes:
    """The source of the guest's module with all of them; root: of the project."""
    lines = ['"""The numbers that guest and host share, of protocol/*.h. Made by the toolchain."""']
    seen: dict[str, int] = {}
    found = [(header, read(header)) for header in sorted((root / "protocol").glob("*.h"))]
    found += [(root / path, read(root / path, enum)) for path, enum in _ELSEWHERE.items()]
    for header, numbers in found:
        twice = sorted(numbers.keys() & seen.keys())
        if twice:
            raise BuildError(f"{header}: {twice[0]} is in another header as well")
        seen |= numbers
        lines += ["", f"# {header.name}"] if numbers else []
        lines += [f"{name} = {value}" for name, value in numbers.items()]
    return ("\n".join(lines) + "\n").encode()
