"""Rules for the C sources that no compiler checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST_SOURCES = sorted([*ROOT.glob("src/*/*.[ch]"), *ROOT.glob("python/_eryx/*.[ch]")])
ALL_SOURCES = sorted(
    [
        *HOST_SOURCES,
        *ROOT.glob("include/eryx/*.h"),
        *ROOT.glob("guest/*.[ch]"),
        *ROOT.glob("tests/c/*.[ch]"),
        *ROOT.glob("tests/fuzz/*.[ch]"),
    ]
)

# The rooms of src/. Each file may include files of its own room and of those before it.
ROOMS = (
    *("base", "machine", "vfs", "tls", "net", "secrets", "native", "state", "sandbox", "live"),
    *("imports", "worker"),
)

# Compiled with generated code and shipped next to each other: they know no rooms.
SHIPPED = {
    "guest_code.h",
    "guest_extension.h",
    "guest_instance.h",
    "guest_symbols.h",
    "guest_vectors.h",
    "wasm-rt.h",
}

# The only places that may turn a guest's offset into an address: the door itself, and those that
# lay out or save the memory as a whole.
MEMORY_OWNERS = {
    "src/live/image_build.c",
    "src/machine/guest_memory.h",
    "src/machine/image.c",
    "src/machine/memory.c",
    "src/machine/memory_difference.c",
    "src/machine/memory_reset.c",
    "src/machine/trap.c",
    "src/machine/wall.c",
    "src/machine/wasm-rt.h",
    "src/sandbox/limits.c",
    "src/sandbox/run.c",
    "src/sandbox/sandbox.c",
}


def code_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines without comments and the contents of strings."""
    text = re.sub(
        r"/\*.*?\*/",
        lambda comment: "\n" * comment[0].count("\n"),
        path.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    return enumerate(text.splitlines(), 1)


def findings(paths: list[Path], pattern: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in code_lines(path)
        if re.search(pattern, line)
    ]


def test_sources_are_found() -> None:
    names = {path.name for path in HOST_SOURCES}
    assert {"guest_memory.h", "wasi_io.c", "handles.c"} <= names


def includes_of(path: Path) -> list[str]:
    """What a file includes in quotation marks."""
    return re.findall(r'^#include "([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)


def test_rooms_are_all_there_is() -> None:
    assert {path.name for path in (ROOT / "src").iterdir()} == set(ROOMS)


def test_no_room_knows_one_after_it() -> None:
    order = {room: number for number, room in enumerate(ROOMS)}
    turned = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in ROOT.glob("src/*/*.[ch]")
        for name in includes_of(path)
        if order.get(name.partition("/")[0], 0) > order[path.parent.name]
    ]
    assert turned == []


def test_files_are_included_with_their_room() -> None:
    """Else -iquote src/machine would let one room's files be found under a bare name."""
    bare = [
        f"{path.relative_to(ROOT)} includes {name}"
        for folder in ("src/*", "tests/c", "tests/fuzz")
        for path in ROOT.glob(f"{folder}/*.[ch]")
        for name in includes_of(path)
        if "/" not in name
        and (ROOT / "src" / "machine" / name).is_file()
        and not (path.name in SHIPPED and name in SHIPPED)
    ]
    assert bare == []


def test_guest_memory_is_reached_through_one_door() -> None:
    paths = [path for path in HOST_SOURCES if str(path.relative_to(ROOT)) not in MEMORY_OWNERS]
    assert findings(paths, r"memory(\.|->)data\b") == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b(abort|exit|_exit|_Exit|quick_exit)\(",
        r"(?<!_)\bassert\(",
        r"\b(printf|puts|putchar|perror)\(",
        r"\b(gets|strcpy|strcat|sprintf|vsprintf|strtok|alloca)\(",
        r"\b(longjmp|setjmp|siglongjmp|sigsetjmp)\b",
        r"\b(system|popen|execv\w*|execl\w*)\(",
    ],
)
def test_host_code_does_not_call(pattern: str) -> None:
    # What assertion.c has is not in what is shipped.
    assert findings([path for path in HOST_SOURCES if path.name != "assertion.c"], pattern) == []


def test_no_unfinished_business() -> None:
    marks = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in ALL_SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(rf"\b({marks})\b", line)
    ]
    assert found == []


def test_files_stay_readable() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ALL_SOURCES}
    assert {str(path): count for path, count in lengths.items() if count > 800} == {}
