"""Native modules that were made to use up time or memory of the host."""

from __future__ import annotations

import re
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest

import eryx
from conftest import LATENESS_MS
from eryx import native
from eryx.native import NativeModule, NativeModuleError, _compile, _translate, _wasm
from native_helpers import (
    MEMORY_IMPORT,
    VOID,
    body,
    custom,
    dylink,
    function_module,
    module,
    section,
    session,
)
from toolchain import wasm_binary as wasm
from toolchain.leaves import binary

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

# memory[8192] += 1; there is no memory in the first page.
COUNT_UP = (0x41, 0, 0x41, 0, 0x28, 2, 0x80, 0x40, 0x41, 1, 0x6A, 0x36, 2, 0x80, 0x40)

# memory[8192] = memory[8192] ** 2 + 1, of which two are not one of another kind.
_LOADED = (0x41, 0, 0x28, 2, 0x80, 0x40)
SQUARE = (0x41, 0, *_LOADED, *_LOADED, 0x6C, 0x41, 1, 0x6A, 0x36, 2, 0x80, 0x40)


def linked(number: int, names: list[str]) -> bytes:
    """A module with one weak import that nothing has, which needs others by name."""
    parts = {
        1: b"\0\0\0\0",
        2: binary.encode_vector([binary.encode_name(name) for name in names]),
        4: binary.encode_vector(
            [binary.encode_name("env") + binary.encode_name("nothing") + b"\1"]
        ),
    }
    needs = b"".join(
        bytes([kind]) + binary.encode_unsigned(len(part)) + part for kind, part in parts.items()
    )
    return module(
        section(1, VOID),
        section(2, wasm.Import("env", "nothing", 0, b"\0").encode()),
        section(3, b"\0"),
        section(7, wasm.Export(f"function_{number}", 0, 1).encode()),
        section(10, body()),
        needs=custom("dylink.0", needs),
    )


class TestTime:
    def test_calls_without_a_loop_end_at_the_deadline(self, tmp_path: Path) -> None:
        """Each of 64 functions calls the next one twice: there is neither a loop nor recursion."""
        calls = [body(0x10, number + 1, 0x10, number + 1) for number in range(63)]
        data = module(
            section(1, VOID),
            section(2, MEMORY_IMPORT),
            section(3, *[b"\0"] * 64),
            b"\x08\1\0",
            section(10, *calls, body(*SQUARE)),
        )
        (tmp_path / "bad.so").write_bytes(data)
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        made = session(tmp_path, native.translate(data), resource_limits=limits)
        began = time.monotonic()
        with pytest.raises(eryx.TimeoutError):
            made.execute("import bad")
        assert time.monotonic() - began < (200 + LATENESS_MS) / 1000

    @pytest.mark.parametrize(
        "code",
        [
            COUNT_UP * 1000,
            (0x20, 0, 0x04, 0x40, *COUNT_UP[:4], 0x1A, 0x1A, 0x0B) * 1000,  # in many blocks
            (0x20, 0, 0x04, 0x40, 0x05, 0x0B) * 2000,  # in blocks with nothing in them
        ],
    )
    def test_long_code_counts_several_ticks(
        self, tmp_path: Path, code: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[str] = []
        transform = _translate.transform

        def see(text: str) -> str:
            seen.append(transform(text))
            return seen[-1]

        monkeypatch.setattr(_translate, "transform", see)
        native.translate(
            function_module(*code, 0x41, 0, local_groups=b"\1\1\x7f"), cache=tmp_path / "cache"
        )
        pieces = re.split("GUEST_TICK|LONG_CODE", seen[0])
        assert len(pieces) > 20
        assert max(piece.count("\n") for piece in pieces) < 1.2 * _translate.TICK_LINES

    def test_many_ways_to_the_same_module(self, tmp_path: Path) -> None:
        """Two modules need two others, which need the same two, and so on."""
        needed: list[NativeModule] = []
        everything: list[NativeModule] = []
        for number in range(0, 60, 2):
            names = [other.name for other in needed]
            needed = [
                native.translate(linked(which, names), name=f"m{which}.so", needed=needed)
                for which in (number, number + 1)
            ]
            everything += needed
        (tmp_path / "last.so").write_bytes(linked(58, [other.name for other in everything[-4:-2]]))
        began = time.monotonic()
        made = session(tmp_path, *needed)
        with pytest.raises(eryx.ExecutionError, match="PyInit_last"):
            made.execute("import last")
        assert needed[0] == needed[0] != needed[1]
        assert len({*everything}) == 60
        assert len(repr(needed)) < 1000
        assert time.monotonic() - began < 2

    def test_many_exports_that_are_used_by_name(self) -> None:
        names = [f"function_{number}" for number in range(30_000)]
        data = module(
            section(1, VOID),
            section(
                2,
                MEMORY_IMPORT,
                *(wasm.Import("GOT.func", name, 3, b"\x7f\1").encode() for name in names),
            ),
            section(3, b"\0"),
            section(7, *(wasm.Export(name, 0, 0).encode() for name in names)),
            section(10, body()),
        )
        made = native.translate(data)
        began = time.monotonic()
        eryx.Sandbox(native_modules=[made])
        assert time.monotonic() - began < 1

    def test_copies_of_a_session_with_large_tables(self, tmp_path: Path) -> None:
        """The table is had once, not once for each number of modules."""
        modules = []
        for number in range(15):
            data = module(needs=dylink(memory=number, table=1 << 18))
            (tmp_path / f"m{number}.so").write_bytes(data)
            modules.append(native.translate(data))
        made = session(tmp_path, *modules)
        for number in range(15):
            with pytest.raises(eryx.ExecutionError, match=f"PyInit_m{number}"):
                made.execute(f"import m{number}")
        began = time.monotonic()
        copies = [made.fork() for _ in range(10)]
        assert time.monotonic() - began < 1
        assert copies[-1].execute("print(1)").stdout == "1"


def test_more_modules_than_a_byte_counts(tmp_path: Path) -> None:
    """Packages for science have hundreds of them."""
    names = [f"m{number}" for number in range(150)]
    with ThreadPoolExecutor() as pool:
        modules = list(
            pool.map(lambda n: native.translate(module(needs=dylink(n + 16))), range(150))
        )
    for number, name in enumerate(names):
        (tmp_path / f"{name}.so").write_bytes(module(needs=dylink(number + 16)))
    made = session(tmp_path, *modules)
    program = f"""
for name in {names!r}:
    try:
        __import__(name)
    except ImportError as error:
        assert f"PyInit_{{name}}" in str(error), error
"""
    made.execute(program)
    made.save(tmp_path / "state")
    other = session(tmp_path, *modules)
    other.load(tmp_path / "state")
    for each in (made, made.fork(), other):
        assert each.execute(f"{program}\nprint(len({names!r}))").stdout == "150"


class TestMemory:
    CASES: ClassVar[dict[str, bytes]] = {
        "types": section(1, *[VOID] * 200_001),
        "globals": section(6, *[b"\x7f\0\x41\0\x0b"] * 200_000),
        "exports": section(7, *[wasm.Export("", 0, 0).encode()] * 600_000),
        "imports": section(2, *[MEMORY_IMPORT] * 600_000),
    }

    @pytest.mark.parametrize("case", CASES)
    def test_lists_that_are_too_long(self, case: str) -> None:
        with pytest.raises(NativeModuleError, match="a list of more than"):
            _wasm.parse(module(self.CASES[case]))

    def test_tools_that_write_too_much(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_compile, "_OUTPUT_MAX_BYTES", 1 << 20)
        bodies = [body(local_groups=b"\1\xd0\x86\3\x7f")] * 10  # 50,000 variables each
        data = module(section(1, VOID), section(3, *[b"\0"] * 10), section(10, *bodies))
        with pytest.raises(NativeModuleError, match="wasm2c failed"):
            native.translate(data, cache=tmp_path / "cache")


def test_damaged_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "bad.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bad.so", function_module(0x41, 0) * 20)
    data = bytearray(wheel.read_bytes())
    data[40:60] = b"\xff" * 20
    wheel.write_bytes(data)
    with pytest.raises(NativeModuleError, match=r"^bad\.whl: it cannot be read"):
        native.from_wheel(wheel)


def test_names_that_are_no_text_in_messages() -> None:
    """Messages of the host have room for 200 bytes of a name."""
    data = module(
        section(1, VOID),
        section(2, wasm.Import("env", "a" + "\u00e9" * 300, 0, b"\0").encode()),
        section(3, b"\0"),
        section(10, body(0x10, 0)),
    )
    with pytest.raises(eryx.InitializationError, match=r"aé.*which nothing has"):
        eryx.Sandbox(native_modules=[native.translate(data)])
