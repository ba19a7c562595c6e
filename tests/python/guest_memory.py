"""Looks for bytes in the memory of all guests of this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIN_RESERVED = 1 << 32  # what lies unused behind the memory of a guest


def _mappings() -> list[tuple[int, int, str]]:
    with open("/proc/self/maps") as file:
        parts = [line.split()[:2] for line in file]
    return [
        (int(begin, 16), int(end, 16), rights)
        for (begin, end), rights in ((place.split("-"), rights) for place, rights in parts)
    ]


def _regions() -> Iterator[tuple[int, int]]:
    """Begin and end of what is mapped before each large reserved region, without a gap."""
    mappings = _mappings()
    for index, (begin, end, rights) in enumerate(mappings):
        if rights.startswith("---") and end - begin >= _MIN_RESERVED:
            top = bottom = begin
            for before, after, rights_before in reversed(mappings[:index]):
                if after != bottom or not rights_before.startswith("r"):
                    break
                bottom = before
            yield bottom, top


def contents() -> Iterator[bytes]:
    """The linear memory of each guest."""
    regions = list(_regions())
    assert regions, "there is no guest"
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        for begin, end in regions:
            content = os.pread(memory, end - begin, begin)
            assert len(content) == end - begin
            yield content
    finally:
        os.close(memory)


def contents_of_process(pid: int) -> Iterator[bytes]:
    """All that another process could read; nothing if it may not be looked into."""
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except PermissionError:
        return
    try:
        with open(f"/proc/{pid}/maps") as file:
            for line in file:
                place, rights, *_ = line.split()
                begin, end = (int(part, 16) for part in place.split("-"))
                if rights.startswith("rw"):
                    try:
                        yield os.pread(memory, end - begin, begin)
                    except OSError:
                        pass  # it is not there any more
    finally:
        os.close(memory)


def find_in_process(pid: int, *needles: bytes) -> list[bytes]:
    """Gives the needles that are anywhere in what a process has written."""
    return [
        needle for content in contents_of_process(pid) for needle in needles if needle in content
    ]


def find_in_guests(*needles: bytes) -> list[bytes]:
    """Gives the needles that are anywhere in the linear memory of a guest."""
    found = []
    for content in contents():
        found += [needle for needle in needles if needle in content]
    return found
