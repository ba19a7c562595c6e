"""Writes a C file that defines the names of Python which a module needs.

python tools/python_names.py MODULE OUTPUT

`eryx-worker` opens the extension module for the host library in it, and never calls what is about
Python there. The dynamic linker wants all names all the same.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_DYNAMIC_SYMBOLS = 11  # SHT_DYNSYM


def undefined_names(module: bytes) -> list[str]:
    """What a shared object of 64 bits needs of others."""
    (table,) = struct.unpack_from("<Q", module, 0x28)
    entry_size, count = struct.unpack_from("<HH", module, 0x3A)
    sections = [_SECTION.unpack_from(module, table + entry_size * i) for i in range(count)]
    (symbols,) = [section for section in sections if section[1] == _DYNAMIC_SYMBOLS]
    names_at = sections[symbols[6]][4]
    found = []
    for at in range(symbols[4], symbols[4] + symbols[5], _SYMBOL.size):
        name, _, _, section, _, _ = _SYMBOL.unpack_from(module, at)
        if name and section == 0:
            begin = names_at + name
            found.append(module[begin : module.index(b"\0", begin)].decode())
    return sorted(found)


def main() -> int:
    """Reads and writes."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    module, output = map(Path, sys.argv[1:])
    names = [name for name in undefined_names(module.read_bytes()) if "Py" in name[:3]]
    lines = [f"extern void *const {name}[8];\nvoid *const {name}[8] = {{0}};" for name in names]
    text = "/* Made by tools/python_names.py. */\n" + "\n".join(lines) + "\n"
    output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
