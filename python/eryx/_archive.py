"""Packs files into the archive that src/vfs/archive.h describes."""

from __future__ import annotations

import struct
from collections import deque
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"ERYXPACK"
_VERSION = 1
_HEADER = struct.Struct("<8sIIQQQ")
_ENTRY = struct.Struct("<IIHBBIIIQQ")
_DIRECTORY = 1
_FILE = 2
_DATA_ALIGNMENT = 16

# All entries have one time stamp, in 2025. It depends on the names, so that importlib notices that
# what it remembers of another archive at the same place is stale.
_TIME = 1_735_689_600
_TIME_SPAN = 31_536_000


class _Node:
    __slots__ = ("children", "contents", "first_child", "name", "parent")

    def __init__(self, name: bytes, contents: bytes | None) -> None:
        self.name = name
        self.contents = contents  # None for a directory
        self.children: dict[bytes, _Node] = {}
        self.parent = 0
        self.first_child = 0


def _tree(files: Mapping[str, bytes]) -> _Node:
    root = _Node(b"", None)
    for path, contents in files.items():
        *directories, last = path.encode().split(b"/")
        directory = root
        for name in directories:
            child = directory.children.get(name)
            if child is None:
                child = directory.children[name] = _Node(name, None)
            elif child.contents is not None:
                raise ValueError(f"{path!r} lies under a file")
            directory = child
        if last in directory.children:
            raise ValueError(f"{path!r} is a directory")
        directory.children[last] = _Node(last, contents)
    return root


def _breadth_first(root: _Node) -> list[_Node]:
    """All nodes, children of one directory side by side and sorted."""
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


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of files by path.

    paths: relative, with ``/`` between plain names; what is wrong with a name is found out when the
    archive is opened. The result depends on the files only.

    Raises ValueError if a path is both a file and a directory.
    """
    nodes = _breadth_first(_tree(files))
    names = b"".join(node.name for node in nodes)
    position = _HEADER.size + _ENTRY.size * len(nodes) + len(names)
    index = bytearray()
    data: list[bytes] = []
    places: dict[bytes, int] = {}  # equal contents are stored once
    name_offset = 0
    for node in nodes:
        kind, data_offset, size = _DIRECTORY, 0, 0
        if node.contents is not None:
            kind, size = _FILE, len(node.contents)
            if node.contents not in places:
                padding = -position % _DATA_ALIGNMENT
                data += (bytes(padding), node.contents)
                places[node.contents] = position + padding
                position += padding + size
            data_offset = places[node.contents]
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
    time = _TIME + crc32(index, crc32(names)) % _TIME_SPAN
    header = _HEADER.pack(_MAGIC, _VERSION, len(nodes), time, len(names), position)
    return b"".join((header, index, names, *data))


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of an archive, which must be sound; of an empty one none."""
    if not archive:
        return {}
    _, _, count, _, names_size, _ = _HEADER.unpack_from(archive)
    names = memoryview(archive)[_HEADER.size + _ENTRY.size * count :][:names_size]
    paths = [""]
    files = {}
    for index in range(1, count):
        parent, name_offset, name_size, kind, _, _, _, _, offset, size = _ENTRY.unpack_from(
            archive, _HEADER.size + _ENTRY.size * index
        )
        name = bytes(names[name_offset : name_offset + name_size]).decode()
        path = f"{paths[parent]}/{name}" if paths[parent] else name
        paths.append(path)
        if kind == _FILE:
            files[path] = archive[offset : offset + size]
    return files
