"""Writes the archive of the standard library (src/vfs/archive.h describes it) to a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from toolchain import leaves
from toolchain.errors import BuildError

_NAME_MAX = 255


def _check(path: str) -> None:
    """Finds out here what the host library would refuse when it opens the archive."""
    try:
        names = path.encode().split(b"/")
    except UnicodeEncodeError as error:
        raise BuildError(f"archive path {path!r} is not Unicode text") from error
    for name in names:
        if name in (b"", b".", b"..") or b"\0" in name or len(name) > _NAME_MAX:
            raise BuildError(f"archive path {path!r} has a component that is not allowed")


def pack(entries: Mapping[str, bytes], output: Path) -> None:
    """Writes the archive; entries maps relative paths with "/" between the components to contents.

    The result depends on nothing but the entries. It replaces output in one step.
    """
    for path in entries:
        _check(path)
    try:
        archive = leaves.archive.pack(entries)
    except ValueError as error:
        raise BuildError(f"archive path {error}") from error
    temporary = output.with_name(f"{output.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(archive)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)
