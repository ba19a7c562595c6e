"""Tests of the packer of archives; tests/c/test_archive.c tests the reader."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from toolchain.archive import pack  # noqa: E402
from toolchain.errors import BuildError  # noqa: E402

HEADER = struct.Struct("<8sIIQQQ")
ENTRY = struct.Struct("<IIHBBIIIQQ")


def unpack(path: Path) -> tuple[dict[str, bytes | None], list[tuple[int, bytes]]]:
    """Contents by path (None for directories), and (parent, name) of each entry in order."""
    data = path.read_bytes()
    magic, version, count, time, names_size, size = HEADER.unpack_from(data)
    assert (magic, version, size) == (b"ERYXPACK", 1, len(data))
    assert 1_735_689_600 <= time < 1_767_225_600  # in 2025
    names = HEADER.size + ENTRY.size * count
    contents: dict[str, bytes | None] = {}
    order: list[tuple[int, bytes]] = []
    paths: list[str] = []
    next_child = 1
    for index in range(count):
        entry = ENTRY.unpack_from(data, HEADER.size + index * ENTRY.size)
        parent, name_offset, name_length, kind, zero = entry[:5]
        first, children, zero_too, start, length = entry[5:]
        assert zero == zero_too == 0
        assert name_offset + name_length <= names_size
        name = data[names + name_offset : names + name_offset + name_length]
        order.append((parent, name))
        prefix = paths[parent] + "/" if index and paths[parent] else ""
        paths.append(prefix + name.decode())
        if kind == 1:
            assert (first, start, length) == (next_child, 0, 0)
            next_child += children
            contents[paths[-1]] = None
        else:
            assert (kind, first, children) == (2, 0, 0)
            assert start >= names + names_size
            contents[paths[-1]] = data[start : start + length]
            assert len(data[start : start + length]) == length
    assert next_child == count
    return contents, order


def test_round_trip(tmp_path: Path) -> None:
    entries = {
        "os.py": b"os",
        "a/b/c/deep.py": b"deep",
        "a/b.py": b"",
        "a/z\u00e4.txt": bytes(range(256)) * 100,
        "a.py": b"a",
    }
    pack(entries, tmp_path / "out")
    contents, order = unpack(tmp_path / "out")
    files = {path: data for path, data in contents.items() if data is not None}
    assert files == entries
    assert {path for path, data in contents.items() if data is None} == {"", "a", "a/b", "a/b/c"}
    assert order[0] == (0, b"")
    assert order[1:] == sorted(order[1:])


def test_nothing_but_a_root(tmp_path: Path) -> None:
    pack({}, tmp_path / "out")
    assert unpack(tmp_path / "out")[0] == {"": None}


def test_order_and_time_do_not_matter(tmp_path: Path) -> None:
    entries = {f"d{i % 7}/f{i}": str(i).encode() for i in range(100)}
    pack(entries, tmp_path / "one")
    pack(dict(reversed(entries.items())), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_replaces_in_one_step(tmp_path: Path) -> None:
    pack({"a": b"1"}, tmp_path / "out")
    pack({"a": b"2"}, tmp_path / "out")
    assert unpack(tmp_path / "out")[0]["a"] == b"2"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "./a",
        "a\0b",
        "x" * 256,
        "\u00e4" * 128,
        "\udcff",
    ],
)
def test_refuses_paths(tmp_path: Path, path: str) -> None:
    with pytest.raises(BuildError, match="archive path"):
        pack({path: b""}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_refuses_a_file_that_is_also_a_directory(tmp_path: Path) -> None:
    for entries in ({"a": b"", "a/b": b""}, {"a/b": b"", "a": b""}):
        with pytest.raises(BuildError, match=r"is a directory|under a file"):
            pack(entries, tmp_path / "out")
