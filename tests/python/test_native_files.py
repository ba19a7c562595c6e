"""Native modules as files: hostile ones, and what is kept of them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest

import eryx
from eryx import native
from eryx._eryx import open_native_module
from eryx.native import NativeModule, NativeModuleError, _compile, _translate, _wasm
from native_helpers import (
    I32,
    IMPORT_VOID,
    MEMORY_BASE,
    MEMORY_IMPORT,
    SUFFIX,
    TABLE_BASE,
    TABLE_IMPORT,
    VOID,
    body,
    dylink,
    function_module,
    module,
    section,
    session,
)
from toolchain import wasm_binary as wasm
from toolchain.leaves import binary

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")


class TestHostileFiles:
    """Files that are not modules, or want what there is not, are refused by name."""

    CASES: ClassVar[dict[str, tuple[bytes, str]]] = {
        "empty": (b"", "no WebAssembly module"),
        "text": (b"import os\n", "no WebAssembly module"),
        "elf": (b"\x7fELF" + bytes(60), "ELF file"),
        "only a head": (binary.MAGIC, "dylink.0 is missing"),
        "cut off": (function_module(0x41, 0)[:-3], "middle of a value"),
        "no dylink": (binary.MAGIC + section(1, VOID), "dylink.0 is missing"),
        "own memory": (module(section(5, b"\0\1")), "memory of its own"),
        "own table": (module(section(4, b"\x70\0\1")), "table of its own"),
        "other module": (
            module(section(1, VOID), section(2, wasm.Import("host", "run", 0, b"\0").encode())),
            "host.run",
        ),
        "wasi": (
            module(
                section(1, VOID),
                section(2, wasm.Import("wasi_snapshot_preview1", "fd_write", 0, b"\0").encode()),
            ),
            "wasi_snapshot_preview1.fd_write",
        ),
        "shared memory": (
            module(section(2, wasm.Import("env", "memory", 2, b"\3\1\1").encode())),
            "shared",
        ),
        "other memory": (
            module(section(2, wasm.Import("env", "memory2", 2, b"\0\1").encode())),
            "unknown memory",
        ),
        "other table": (
            module(section(2, wasm.Import("env", "table", 1, b"\x70\0\1").encode())),
            "unknown table",
        ),
        "references": (
            module(
                section(2, wasm.Import("env", "__indirect_function_table", 1, b"\x6f\0\1").encode())
            ),
            "unknown table",
        ),
        "writable base": (
            module(section(2, wasm.Import("env", "__memory_base", 3, b"\x7f\1").encode())),
            "unknown global",
        ),
        "other global": (
            module(section(2, wasm.Import("env", "errno", 3, b"\x7f\1").encode())),
            "unknown global",
        ),
        "global of 64 bits": (
            module(section(2, wasm.Import("GOT.mem", "errno", 3, b"\x7e\1").encode())),
            "unknown global",
        ),
        "two results": (module(section(1, b"\x60\0\2\x7f\x7f")), "more values"),
        "reference type": (module(section(1, b"\x60\1\x70\0")), "with references"),
        "exceptions": (module(section(13, b"\0\0")), "exceptions of its own"),
        "order of sections": (module(section(7), section(1, VOID)), "out of order"),
        "huge count": (
            module(binary.encode_section(1, b"\xff\xff\xff\xff\x0f")),
            "middle of a list",
        ),
        "endless number": (module(binary.encode_section(1, b"\xff" * 40)), "number that is too"),
        "too much memory": (
            module(needs=dylink(memory=0xFFFFFFF0)),
            "more memory or table",
        ),
        "too much table": (module(needs=dylink(table=0xFFFFFFF0)), "more memory or table"),
        "passive data": (module(section(11, b"\1\1a")), "fills its memory in an unknown way"),
        "data anywhere": (
            module(section(11, b"\0\x41\0\x0b\1a")),
            "does not depend on __memory_base",
        ),
        "data outside": (
            module(
                section(2, MEMORY_IMPORT, MEMORY_BASE),
                section(11, b"\0\x23\0\x41\x10\x6a\x0b\1a"),
            ),
            "more memory than it asks for",
        ),
        "data before": (
            module(
                section(2, MEMORY_IMPORT, MEMORY_BASE),
                section(11, b"\0\x23\0\x41\x7f\x6a\x0b\1a"),
            ),
            "more memory than it asks for",
        ),
        "elements outside": (
            module(
                section(1, VOID),
                section(2, TABLE_IMPORT, TABLE_BASE),
                section(3, b"\0"),
                section(9, b"\0\x23\0\x0b\1\0"),
                section(10, body()),
            ),
            "more of the table",
        ),
        "element that is not there": (
            module(
                section(2, TABLE_IMPORT, TABLE_BASE),
                section(9, b"\0\x23\0\x0b\1\7"),
                needs=dylink(table=1),
            ),
            "function that it has not",
        ),
        "start that is not there": (module(section(8)[:1] + b"\1\5"), "function that it has not"),
        "start with a result": (
            module(section(1, I32), section(3, b"\0"), b"\x08\1\0", section(10, body(0x41, 0))),
            "start function",
        ),
        "bodies missing": (module(section(1, VOID), section(3, b"\0")), "bodies differ"),
        "export that is not there": (
            module(section(7, wasm.Export("PyInit_bad", 0, 3).encode())),
            "function that it has not",
        ),
        "type that is not there": (
            module(section(1, VOID), section(3, b"\5"), section(10, body())),
            "type that it has not",
        ),
        "invalid code": (function_module(0xFF), "its code is not valid"),
        "wrong type of code": (function_module(0x42, 0), "its code is not valid"),
        "memory.init": (
            function_module(0x41, 0, 0x41, 0, 0x41, 0, 0xFC, 8, 0, 0, 0x41, 0),
            "its code is not valid",
        ),
        "table.grow": (
            function_module(0xD0, 0x70, 0x41, 1, 0xFC, 15, 0),
            "that sandboxes have not",
        ),
        "table.set": (
            function_module(0x41, 1, 0xD0, 0x70, 0x26, 0, 0x41, 0),
            "that sandboxes have not",
        ),
        "reference in a local": (
            function_module(0x41, 0, local_groups=b"\1\1\x70"),
            "that sandboxes have not",
        ),
        "global of a global": (
            module(section(6, b"\x7f\0\x23\5\x0b")),
            "initial value is not known",
        ),
    }

    @pytest.mark.parametrize("case", CASES)
    def test_refused(self, case: str) -> None:
        data, message = self.CASES[case]
        with pytest.raises(NativeModuleError, match=message) as caught:
            native.translate(data, name="bad.so")
        assert str(caught.value).startswith("bad.so: ")
        assert not list(_compile.default_cache().glob("work-*"))

    def test_every_prefix_of_a_module_is_refused(self, spam_directory: Path) -> None:
        data = (spam_directory / f"spam{SUFFIX}").read_bytes()
        for size in [*range(600), *range(600, len(data), 37)]:
            try:
                file = _wasm.parse(data[:size])
            except NativeModuleError:
                continue
            # A cut between two sections may leave a module, with less in it.
            assert len(file.code) == 0 or file.code_count == len(file.functions)

    def test_every_changed_byte_is_refused_or_harmless(self, spam_directory: Path) -> None:
        data = bytearray((spam_directory / f"spam{SUFFIX}").read_bytes())
        for position in range(8, min(len(data), 1500)):
            changed = data.copy()
            changed[position] ^= 0x55
            try:
                file = _wasm.parse(bytes(changed))
            except NativeModuleError:
                continue
            assert len(_wasm.reduced(file)) < 2 * len(data)

    def test_functions_that_nothing_has(self) -> None:
        data = module(
            section(1, VOID),
            section(2, IMPORT_VOID),
            section(3, b"\0"),
            section(7, wasm.Export("PyInit_bad", 0, 1).encode()),
            section(10, body(0x10, 0)),
        )
        with pytest.raises(eryx.InitializationError, match="no_such_function, which nothing has"):
            eryx.Sandbox(native_modules=[native.translate(data)])

    def test_function_of_another_type(self) -> None:
        """Called as () -> (), which would be undefined in native code."""
        data = module(
            section(1, VOID),
            section(2, wasm.Import("env", "PyLong_FromLong", 0, b"\0").encode()),
            section(3, b"\0"),
            section(7, wasm.Export("PyInit_bad", 0, 1).encode()),
            section(10, body(0x10, 0)),
        )
        with pytest.raises(eryx.InitializationError, match=r"as \( \), but it is \(i i\)"):
            eryx.Sandbox(native_modules=[native.translate(data)])

    def test_random_numbers_of_wasi_are_those_of_the_guest(self, tmp_path: Path) -> None:
        """As the standard library of Rust wants them: the init function aborts without."""
        get = (0x23, 0, 0x41, 16, 0x10, 0)  # random_get(memory base, 16)
        differ = (0x23, 0, 0x29, 3, 0, 0x23, 0, 0x29, 3, 8, 0x51, 0x72)  # or both halves alike
        data = module(
            section(1, b"\x60\2\x7f\x7f\1\x7f", I32),
            section(
                2,
                MEMORY_IMPORT,
                MEMORY_BASE,
                wasm.Import("wasi_snapshot_preview1", "random_get", 0, b"\0").encode(),
            ),
            section(3, b"\1"),
            section(7, wasm.Export("PyInit_bad", 0, 1).encode()),
            section(10, body(*get, *differ, 0x04, 0x40, 0x00, 0x0B, 0x41, 0)),
        )
        (tmp_path / "bad.so").write_bytes(data)
        with pytest.raises(eryx.ExecutionError, match="without raising an exception"):
            session(tmp_path, native.translate(data)).execute("import bad")

    def test_functions_of_the_host_cannot_be_had(self) -> None:
        data = module(
            section(1, b"\x60\1\x7f\1\x7f"),
            section(2, wasm.Import("env", "eryx_guest_alloc", 0, b"\0").encode()),
            section(3, b"\0"),
            section(10, body(0x20, 0, 0x10, 0)),
        )
        with pytest.raises(eryx.InitializationError, match="eryx_guest_alloc"):
            eryx.Sandbox(native_modules=[native.translate(data)])

    @pytest.mark.parametrize(
        ("code", "error", "message"),
        [
            ((0x03, 0x40, 0x0C, 0, 0x0B), eryx.TimeoutError, "timed out"),
            ((0x00,), eryx.ExecutionError, "aborted itself"),
            ((0x10, 0), eryx.ExecutionError, "stack overflow"),
        ],
    )
    def test_start_function_that_never_ends_well(
        self, tmp_path: Path, code: tuple[int, ...], error: type[Exception], message: str
    ) -> None:
        data = module(
            section(1, VOID),
            section(2, MEMORY_IMPORT),
            section(3, b"\0"),
            b"\x08\1\0",
            section(10, body(*code)),
        )
        (tmp_path / "bad.so").write_bytes(data)
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        made = session(tmp_path, native.translate(data), resource_limits=limits)
        with pytest.raises(error, match=message):
            made.execute("import bad")
        made.reset()
        assert made.execute("print(1)").stdout == "1"

    @pytest.mark.parametrize(
        ("code", "error", "message"),
        [
            # memory[0xfffffff0] = 1: an address that no relocation of the module can mean
            ((0x41, 0x70, 0x41, 1, 0x36, 2, 0), eryx.ExecutionError, "out of bounds"),
            ((0x03, 0x40, 0x0C, 0, 0x0B), eryx.TimeoutError, "timed out"),
        ],
    )
    def test_bad_relocations(
        self, tmp_path: Path, code: tuple[int, ...], error: type[Exception], message: str
    ) -> None:
        data = module(
            section(1, VOID),
            section(2, MEMORY_IMPORT),
            section(3, b"\0"),
            section(7, wasm.Export("__wasm_apply_data_relocs", 0, 0).encode()),
            section(10, body(*code)),
        )
        (tmp_path / "bad.so").write_bytes(data)
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        made = session(tmp_path, native.translate(data), resource_limits=limits)
        with pytest.raises(error, match=message):
            made.execute("import bad")
        made.reset()
        assert made.execute("print(1)").stdout == "1"

    def test_more_code_than_is_translated(self, tmp_path: Path) -> None:
        with open(tmp_path / "bad.so", "wb") as file:
            file.write(function_module(0x41, 0))
            file.truncate(100 << 20)
        with pytest.raises(NativeModuleError, match=r"bad\.so: it is larger than 67108864 bytes"):
            native.translate(tmp_path / "bad.so")

    def test_frame_larger_than_the_guard_of_the_stack(self, tmp_path: Path) -> None:
        """Recursion with frames of 160 kB: no step may go over the guard, which has 64."""
        count = 20_000
        locals_used = b"".join(
            # local n = memory[n] ...; call; memory[n] = local n, so that all of them live on.
            b"\x41"
            + binary.encode_signed(65536 + 8 * n)
            + b"\x29\3\0\x21"
            + binary.encode_unsigned(n)
            for n in range(count)
        )
        stores = b"".join(
            b"\x41"
            + binary.encode_signed(65536 + 8 * n)
            + b"\x20"
            + binary.encode_unsigned(n)
            + b"\x37\3\0"
            for n in range(count)
        )
        groups = b"\1" + binary.encode_unsigned(count) + b"\x7e"
        content = groups + locals_used + b"\x10\0" + stores + b"\x0b"
        data = module(
            section(1, VOID),
            section(2, MEMORY_IMPORT),
            section(3, b"\0"),
            b"\x08\1\0",
            section(10, binary.encode_unsigned(len(content)) + content),
        )
        (tmp_path / "bad.so").write_bytes(data)
        made = session(tmp_path, native.translate(data))
        with pytest.raises(eryx.ExecutionError, match="stack overflow"):
            made.execute("import bad")

    def test_module_without_an_init_function(self, tmp_path: Path) -> None:
        data = function_module(0x41, 0, name="PyInit_other")
        (tmp_path / "bad.so").write_bytes(data)
        with pytest.raises(eryx.ExecutionError, match="PyInit_bad"):
            session(tmp_path, native.translate(data)).execute("import bad")

    def test_init_function_that_gives_nonsense(self, tmp_path: Path) -> None:
        data = function_module(0x41, 0)
        (tmp_path / "bad.so").write_bytes(data)
        made = session(tmp_path, native.translate(data))
        with pytest.raises(eryx.ExecutionError, match="without raising an exception"):
            made.execute("import bad")
        assert made.execute("print(1)").stdout == "1"

    def test_large_file_that_is_not_allowed(self, tmp_path: Path, spam: NativeModule) -> None:
        with open(tmp_path / "bad.so", "wb") as file:
            file.truncate(100 << 20)
        with pytest.raises(eryx.ExecutionError, match="too large"):
            session(tmp_path, spam).execute("import bad")

    def test_text_that_is_not_understood_is_refused(self) -> None:
        for text in ("system(1);", 'x = "a";', "instance->memory.data = 0;", "#include <a>"):
            with pytest.raises(NativeModuleError, match="that sandboxes have not"):
                _translate.transform(text)


class TestCompiler:
    """Zig, else the compiler of the system."""

    def test_compiler_of_the_system(
        self, spam_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_compile, "_find_zig", lambda: None)
        made = native.translate(spam_directory / f"spam{SUFFIX}", cache=tmp_path)
        assert b"GCC: " in made.library.read_bytes()
        loaded = session(spam_directory, made)
        program = (
            "import spam; print(spam.count(), spam.sort(3, 1, 2), spam.high_word(2**40),"
            " spam.no_parameters())"
        )
        assert loaded.execute(program).stdout == "1 (1, 2, 3, 'second') 65536 7"
        with pytest.raises(eryx.ExecutionError, match="out of bounds"):
            loaded.execute("spam.out_of_bounds()")
        loaded.reset()
        loaded.execution_timeout_ms = 100
        with pytest.raises(eryx.TimeoutError):
            loaded.execute("import sys; sys.path.append('/native'); import spam; spam.loop()")

    def test_no_compiler(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_compile, "_find_zig", lambda: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(NativeModuleError, match=r"^a C compiler \(zig or cc\) is missing: "):
            native.translate(function_module(0x41, 9), name="bad.so", cache=tmp_path / "cache")


class TestCache:
    def test_second_time_needs_no_compiler(
        self, spam_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = spam_directory / f"spam{SUFFIX}"
        first = native.translate(path, cache=tmp_path / "cache")
        monkeypatch.setattr(_compile, "_compiler", lambda: ["/nonexistent"])
        assert native.translate(path, cache=tmp_path / "cache") == first

    def test_files_are_private(self, spam_directory: Path, tmp_path: Path) -> None:
        data = function_module(0x41, 1)
        made = native.translate(data, cache=tmp_path / "cache")
        assert made.library.stat().st_mode & 0o777 == 0o600
        assert made.library.parent.stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700

    def test_a_damaged_entry_is_made_anew(self, tmp_path: Path) -> None:
        data = function_module(0x41, 2)
        made = native.translate(data, cache=tmp_path)
        content = made.library.read_bytes()
        made.library.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert native.translate(data, cache=tmp_path).library_sha256 == made.library_sha256
        assert hashlib.sha256(made.library.read_bytes()).hexdigest() == made.library_sha256

    def test_two_translate_the_same_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = function_module(0x41, 6)
        build = _compile.build
        other: list[Path] = []

        def build_twice(*arguments: Any) -> Path:
            monkeypatch.setattr(_compile, "build", build)
            other.append(native.translate(data, cache=tmp_path).library)
            inode.append(other[0].stat().st_ino)
            return build(*arguments)

        inode: list[int] = []
        monkeypatch.setattr(_compile, "build", build_twice)
        made = native.translate(data, cache=tmp_path)
        assert [made.library] == other
        assert [made.library.stat().st_ino] == inode  # what the other one may be using is left

    def test_a_directory_that_others_can_write_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache").chmod(0o777)
        with pytest.raises(NativeModuleError, match="others could write there"):
            native.translate(function_module(0x41, 3), cache=tmp_path / "cache")

    def test_library_changed_after_it_was_translated(self, tmp_path: Path) -> None:
        made = native.translate(function_module(0x41, 4), cache=tmp_path)
        with open(made.library, "ab") as file:
            file.write(b"\0")
        with pytest.raises(eryx.InitializationError, match="damaged"):
            eryx.Sandbox(native_modules=[made])

    def test_library_that_others_can_write(self, tmp_path: Path) -> None:
        made = native.translate(function_module(0x41, 5), cache=tmp_path)
        made.library.chmod(0o666)
        with pytest.raises(eryx.InitializationError, match="only you can write"):
            eryx.Sandbox(native_modules=[made])

    def test_library_that_is_none_of_ours(self, tmp_path: Path) -> None:
        source = tmp_path / "other.c"
        source.write_text("int answer(void) { return 42; }\n")
        library = tmp_path / "other.so"
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
        library.chmod(0o600)
        digest = hashlib.sha256(library.read_bytes()).digest()
        with pytest.raises(eryx.InitializationError, match="not a native module"):
            open_native_module(os.fsencode(library), digest, ())
