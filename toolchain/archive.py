"""Packs many files into one that src/archive.c maps (its header describes the layout)."""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.errors import BuildError

MAGIC = b"ERYXPACK"
VERSION = 1

# Everything gets this time stamp (2026-01-01), so that equal contents make equal archives.
TIME = 1_767_225_600

_HEADER = struct.Struct("<8sIIQQQ")
_ENTRY = struct.Struct("<IIHBBIIIQQ")
_TYPE_DIRECTORY = 1
_TYPE_FILE = 2
_DATA_ALIGNMENT = 16
_NAME_MAX = 255


@dataclass
class _Node:
    """A file (contents set) or a directory (contents None)."""

    name: bytes = b""
    contents: bytes | None = None
    children: dict[bytes, _Node] = field(default_factory=dict)
    parent: int = 0
    first_child: int = 0


def _insert(root: _Node, path: str, contents: bytes) -> None:
    """Puts a file into the tree, with the directories on its way."""
    try:
        names = path.encode("utf-8").split(b"/")
    except UnicodeEncodeError as error:
        raise BuildError(f"archive path {path!r} is not Unicode text") from error
    directory = root
    for position, name in enumerate(names):
        if name in (b"", b".", b"..") or b"\0" in name or len(name) > _NAME_MAX:
            raise BuildError(f"archive path {path!r} has a component that is not allowed")
        last = position == len(names) - 1
        child = directory.children.get(name)
        if child is None:
            child = _Node(name, contents if last else None)
            directory.children[name] = child
        elif last or child.contents is not None:
            raise BuildError(f"archive path {path!r} is taken twice")
        directory = child


def _breadth_first(root: _Node) -> list[_Node]:
    """All nodes, children of one directory side by side and sorted; sets parent and first_child."""
    ordered = [root]
    waiting = deque([0])
    while waiting:
        index = waiting.popleft()
        directory = ordered[index]
        directory.first_child = len(ordered)
        for _, child in sorted(directory.children.items()):
            child.parent = index
            if child.contents is None:
                waiting.append(len(ordered))
            ordered.append(child)
    return ordered


def pack(entries: Mapping[str, bytes], output: Path) -> None:
    """Writes the archive; entries maps relative paths with "/" between the components to contents.

    The result depends on nothing but the entries. It replaces output in one step.
    """
    root = _Node()
    for path, contents in entries.items():
        _insert(root, path, bytes(contents))
    nodes = _breadth_first(root)

    names = b"".join(node.name for node in nodes)
    position = _HEADER.size + _ENTRY.size * len(nodes) + len(names)
    index = bytearray()
    data: list[bytes] = []
    name_offset = 0
    for node in nodes:
        if node.contents is None:
            kind, data_offset, size = _TYPE_DIRECTORY, 0, 0
        else:
            padding = -position % _DATA_ALIGNMENT
            data += (bytes(padding), node.contents)
            kind, data_offset, size = _TYPE_FILE, position + padding, len(node.contents)
            position = data_offset + size
        index += _ENTRY.pack(
            node.parent,
            name_offset,
            len(node.name),
            kind,
            0,
            node.first_child,
            len(node.children),
            0,
            data_offset,
            size,
        )
        name_offset += len(node.name)

    header = _HEADER.pack(MAGIC, VERSION, len(nodes), TIME, len(names), position)
    temporary = output.with_name(f"{output.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as stream:
            stream.write(header)
            stream.write(index)
            stream.write(names)
            stream.writelines(data)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)
