"""The ABI of the C library as text, a line for each function, number, member and size.

``python -m tools.abi`` writes the record of this version, which a test compares with the headers:
what is in it stays until the soname changes (docs/c.md).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "include"
_ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)\)?")
_FUNCTION = re.compile(r"(?:^|(?<=[;}\n]))\s*(\w[\w *]*[ *]eryx_\w+\([^(){};]*\));")
_NUMBER = re.compile(r"\b(ERYX_\w+) = \(?(\d+)\)?(?=[,\s}])")
_MEMBER = re.compile(r"^ *(\d+) \|( +)(.+) (\w+)$")
_SIZE = re.compile(r"^ *\| *\[sizeof=(\d+)")


def record_path() -> Path:
    """The record of this version's ABI."""
    text = (INCLUDE / "eryx" / "version.h").read_text()
    major, minor = re.findall(r"^#define ERYX_VERSION_M\w+ (\d+)$", text, re.MULTILINE)
    name = f"{major}.{minor}" if major == "0" else major
    return ROOT / "tests" / "hosts" / f"abi-{name}.txt"


def _run(*command: str | Path, stdin: str = "") -> str:
    return subprocess.run(
        [sys.executable, "-m", "ziglang", *command],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _header() -> str:
    """The headers as the compiler sees them."""
    header = INCLUDE / "eryx" / "eryx.h"
    return _run("cc", f"-I{INCLUDE}", "-E", "-P", "-x", "c", header)


def _layouts(header: str) -> list[str]:
    """Members and sizes of the structs."""
    lines = []
    options = ("-triple", "x86_64-linux-gnu", "-fsyntax-only", "-fdump-record-layouts-complete")
    text = _run("clang", "-cc1", *options, "-x", "cpp-output", "-", stdin=header)
    for part in text.split("*** Dumping AST Record Layout\n"):
        head, *rest = part.splitlines() or [""]
        struct = re.search(r"\| struct (eryx_\w+)$", head)
        if struct is None:
            continue
        name = struct[1]
        for line in rest:
            member = _MEMBER.match(line)
            size = _SIZE.match(line)
            if size is not None:
                lines.append(f"size of {name}: {size[1]}")
            elif member is not None and "(unnamed" not in line and member[4] != "reserved":
                lines.append(f"{name}.{member[4]}: {member[3]} at {member[1]}")
    return lines


def describe() -> list[str]:
    """All lines, sorted."""
    header = _header()
    text = _ATTRIBUTE.sub("", header)
    functions = [" ".join(found.split()) for found in _FUNCTION.findall(text)]
    numbers = [f"{name} = {number}" for name, number in _NUMBER.findall(text)]
    return sorted({*functions, *numbers, *_layouts(header)})


def _growing(lines: list[str]) -> dict[str, int]:
    """Sizes of the structs that may become larger: those of options, and the result."""
    names = {line.partition(".")[0] for line in lines if ".struct_size:" in line} | {"eryx_result"}
    names.discard("eryx_limits")  # which lies inside of others
    sizes = dict(re.findall(r"^size of (\w+): (\d+)$", "\n".join(lines), re.MULTILINE))
    return {name: int(sizes[name]) for name in names if name in sizes}


def broken(before: list[str], now: list[str]) -> list[str]:
    """What of a record does not hold any more."""
    sizes = _growing(now)
    may_grow = {
        f"size of {name}: {size}"
        for name, size in _growing(before).items()
        if size <= sizes.get(name, 0)
    }
    return [line for line in before if line not in {*now, *may_grow}]


def main() -> int:
    """Writes the record."""
    record_path().write_text("\n".join(describe()) + "\n")
    print(record_path())
    return 0


if __name__ == "__main__":
    sys.exit(main())
