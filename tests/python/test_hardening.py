"""What the native module is like as a file: nothing writable can run, nothing is borrowed."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
from pathlib import Path

import pytest

from eryx import _eryx

MODULE = Path(_eryx.__file__)


def readelf(*options: str) -> str:
    return subprocess.run(
        ["readelf", "--wide", *options, str(MODULE)], capture_output=True, text=True, check=True
    ).stdout


def undefined_symbols() -> set[str]:
    return set(re.findall(r" UND ([\w@.]+)", readelf("--dyn-syms")))


class TestNativeModule:
    def test_no_memory_can_be_written_and_run(self) -> None:
        segments = re.findall(
            r"^\s+(LOAD|GNU_STACK|GNU_RELRO)\s+(?:0x\w+\s+){5}([R ][W ][E ])",
            readelf("--segments"),
            re.MULTILINE,
        )
        kinds = [kind for kind, _ in segments]
        assert "GNU_STACK" in kinds
        assert "GNU_RELRO" in kinds
        assert [flags for _, flags in segments if "W" in flags and "E" in flags] == []

    def test_addresses_of_functions_are_read_only_from_the_begin(self) -> None:
        dynamic = readelf("--dynamic")
        assert "BIND_NOW" in dynamic
        assert "TEXTREL" not in dynamic

    def test_only_what_python_and_the_worker_call_is_shown(self) -> None:
        shown = re.findall(
            r"^\s+\d+: \w+ +\d+ +\w+ +(?:GLOBAL|WEAK) +DEFAULT +(?!UND)\S+ (\S+)",
            readelf("--dyn-syms"),
            re.MULTILINE,
        )
        assert sorted(shown) == ["PyInit__eryx", "worker_serve"]

    def test_libraries_of_the_system_are_those_of_c_alone(self) -> None:
        needed = re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic"))
        of_c = r"(libc|libm|libpthread|libdl|librt|libutil|libgcc_s|ld-linux-x86-64)\.so\.\d"
        assert [name for name in needed if not re.fullmatch(of_c, name)] == []

    def test_overflows_are_noticed(self) -> None:
        names = {name.partition("@")[0] for name in undefined_symbols()}
        assert "__stack_chk_fail" in names
        assert {"__memcpy_chk", "__memset_chk"} & names

    def test_shadow_stacks_are_not_promised(self) -> None:
        # A guest is left for another stack, which a shadow stack would take for an attack.
        assert "SHSTK" not in readelf("--notes")

    def test_wheel_keeps_the_promise_of_its_tag(self) -> None:
        try:
            distribution = importlib.metadata.distribution("eryx-sandbox")
        except importlib.metadata.PackageNotFoundError:
            pytest.skip("eryx is not installed as a wheel")
        if not MODULE.is_relative_to(Path(str(distribution.locate_file("")))):
            pytest.skip("the package of a build directory is tested, not the wheel")
        assert "manylinux_2_28_x86_64" in (distribution.read_text("WHEEL") or "")
        versions = re.findall(r"@GLIBC_2\.(\d+)", " ".join(undefined_symbols()))
        assert versions
        assert max(map(int, versions)) <= 28
