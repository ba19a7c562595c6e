"""Calls of WASI preview 1 in a linked module, which crates make past the C library.

They are turned to functions that the module brings along (wasi_preview1.c).
"""

from __future__ import annotations

from eryx.native._binary import (
    KIND_FUNCTION,
    KIND_GLOBAL,
    KIND_TABLE,
    KIND_TAG,
    MAGIC,
    SECTION_IMPORT,
    Reader,
    encode_name,
    encode_section,
    encode_vector,
)
from eryx.native._wasm import WASI, WASI_FUNCTIONS

PREFIX = "eryx_wasi_"
PROVIDED = (
    *("args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get"),
    *("environ_sizes_get", "fd_close", "fd_read", "fd_seek", "fd_write", "poll_oneoff"),
    *("proc_exit", "sched_yield"),
)


def _skip_description(reader: Reader, kind: int) -> None:
    """Goes on behind what an import is."""
    if kind == KIND_FUNCTION:
        reader.unsigned()
    elif kind == KIND_GLOBAL:
        reader.take(2)
    elif kind == KIND_TAG:
        reader.byte()
        reader.unsigned()
    else:
        if kind == KIND_TABLE:
            reader.byte()
        if reader.byte() & 1:
            reader.unsigned()
        reader.unsigned()


def redirected(data: bytes, provided: set[str] | None = None) -> tuple[bytes, set[str]]:
    """A module whose calls of WASI go to functions of its own, and which calls it has.

    provided: those that there are functions for; None to change nothing.
    Raises FormatError for what is no module.
    """
    reader = Reader(data)
    result = [reader.take(len(MAGIC))]
    called: set[str] = set()
    while not reader.at_end:
        start = reader.position
        section = reader.byte()
        content = reader.take(reader.unsigned())
        if section != SECTION_IMPORT:
            result.append(data[start : reader.position])
            continue
        body = Reader(content)
        entries: list[bytes] = []
        for _ in range(body.count()):
            module, name = body.name(), body.name()
            described = body.position
            kind = body.byte()
            _skip_description(body, kind)
            if module == WASI and kind == KIND_FUNCTION and name not in WASI_FUNCTIONS:
                called.add(name)
                if provided is not None and name in provided:
                    module, name = "env", PREFIX + name
            description = content[described : body.position]
            entries.append(encode_name(module) + encode_name(name) + description)
        result.append(encode_section(SECTION_IMPORT, encode_vector(entries)))
    return b"".join(result), called
