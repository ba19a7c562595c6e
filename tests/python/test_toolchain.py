"""Tests of the build pipeline's parts."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

import eryx

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from toolchain import (  # noqa: E402
    bytecode,
    call_graph,
    crates,
    fair_locks,
    host_libraries,
    hot,
    inputs,
    instrument,
    interpreter,
    layout,
    libdeflate,
    llhttp,
    lock,
    native,
    newer_library,
    protocol,
    setup,
    stdlib,
)
from toolchain import wasm_binary as wasm  # noqa: E402
from toolchain.cache import MANIFEST, Cache, content_digest, key_of  # noqa: E402
from toolchain.errors import BuildError  # noqa: E402
from toolchain.leaves import binary  # noqa: E402
from toolchain.process import run_tool  # noqa: E402

NUMBERS = [0, 1, 63, 64, 127, 128, 255, 4096, 65535, 2**31 - 1, 2**32 - 1]


def make_module(dylink: tuple[int, int, int, int] | None = (100, 4, 3, 0)) -> bytes:
    """A small dynamic library: one import, two functions, one variable."""
    sections: list[tuple[int, bytes]] = []
    if dylink is not None:
        needs = b"".join(binary.encode_unsigned(value) for value in dylink)
        body = binary.encode_name("dylink.0") + b"\1" + binary.encode_unsigned(len(needs)) + needs
        sections.append((binary.SECTION_CUSTOM, body))
    kinds = [
        wasm.FunctionType((binary.I32, binary.I64), (binary.F64,)),
        wasm.FunctionType((), ()),
    ]
    sections += [
        (binary.SECTION_TYPE, binary.encode_vector([kind.encode() for kind in kinds])),
        (
            binary.SECTION_IMPORT,
            binary.encode_vector(
                [
                    wasm.Import("env", "memory", binary.KIND_MEMORY, b"\0\1").encode(),
                    wasm.Import("env", "wanted", binary.KIND_FUNCTION, b"\0").encode(),
                    wasm.Import(
                        "GOT.mem", "errno", binary.KIND_GLOBAL, bytes([binary.I32, 1])
                    ).encode(),
                ]
            ),
        ),
        (binary.SECTION_FUNCTION, binary.encode_vector([b"\1"])),
        (
            binary.SECTION_GLOBAL,
            binary.encode_vector(
                [bytes([binary.I32, 0, binary.OP_I32_CONST]) + b"\xc0\0" + b"\x0b"]
            ),
        ),
        (
            binary.SECTION_EXPORT,
            binary.encode_vector(
                [
                    wasm.Export("function", binary.KIND_FUNCTION, 1).encode(),
                    wasm.Export("variable", binary.KIND_GLOBAL, 1).encode(),
                ]
            ),
        ),
        (binary.SECTION_START, binary.encode_unsigned(1)),
        (binary.SECTION_CODE, binary.encode_vector([b"\2\0\x0b"])),
        (binary.SECTION_CUSTOM, binary.encode_name("name") + b"\0\5\4text"),
    ]
    return binary.MAGIC + b"".join(binary.encode_section(*section) for section in sections)


class TestWasmBinary:
    @pytest.mark.parametrize("number", NUMBERS)
    def test_unsigned_numbers_round_trip(self, number: int) -> None:
        assert binary.Reader(binary.encode_unsigned(number)).unsigned() == number

    @pytest.mark.parametrize("number", [*NUMBERS, *(-number for number in NUMBERS)])
    def test_signed_numbers_round_trip(self, number: int) -> None:
        assert binary.Reader(binary.encode_signed(number)).signed() == number

    def test_module_round_trips(self) -> None:
        data = make_module()
        module = wasm.Module.parse(data)
        assert module.encode(frozenset({"dylink.0", "name"})) == data
        assert b"dylink.0" not in module.encode()
        assert b"text" in module.encode()

    def test_module_is_understood(self) -> None:
        module = wasm.Module.parse(make_module())
        assert module.memory_needs == wasm.MemoryNeeds(100, 16, 3, 1)
        assert [entry.name for entry in module.imports] == ["memory", "wanted", "errno"]
        assert module.exported(binary.KIND_FUNCTION) == {"function": 1}
        assert module.function_type(0).parameters == (binary.I32, binary.I64)
        assert module.function_type(1).results == ()
        assert module.global_constant(1) == 64
        assert module.start == 1

    def test_renamed_imports_and_dropped_start_are_written(self) -> None:
        module = wasm.Module.parse(make_module())
        module.imports[1].module = "libc"
        module.start = None
        module.exports.append(wasm.Export("start", binary.KIND_FUNCTION, 1))
        again = wasm.Module.parse(module.encode())
        assert again.imports[1].module == "libc"
        assert again.start is None
        assert again.exported(binary.KIND_FUNCTION) == {"function": 1, "start": 1}

    @pytest.mark.parametrize("data", [b"", b"\0asm", b"not a module at all", make_module()[:-3]])
    def test_malformed_modules_are_refused(self, data: bytes) -> None:
        with pytest.raises(BuildError):
            wasm.Module.parse(data)


class TestLayout:
    def make_libraries(self) -> list[layout.Library]:
        return [
            layout.Library(name, wasm.Module.parse(make_module()))
            for name in ("one", "two", "guest")
        ]

    def test_libraries_follow_each_other_after_the_stack(self) -> None:
        plan = layout.place(self.make_libraries(), 5)
        bases = [library.memory_base for library in plan.libraries]
        assert bases == [layout.STACK_TOP, layout.STACK_TOP + 112, layout.STACK_TOP + 224]
        assert [library.table_base for library in plan.libraries] == [1, 4, 12]
        assert plan.pointer_base == 7
        assert plan.table_end == 15
        assert plan.heap_base % layout.PAGE == 0
        assert plan.initial_pages * layout.PAGE >= plan.heap_base + layout.INITIAL_HEAP

    def test_nothing_lies_in_the_page_that_is_not_mapped(self) -> None:
        plan = layout.place(self.make_libraries(), 0)
        header = (ROOT / "src" / "machine" / "guest_instance.h").read_text()
        lowest = re.search(r"#define GUEST_LOWEST_ADDRESS (\d+)u", header)
        assert lowest is not None
        assert plan.data_address("__stack_low") == layout.LOWEST_ADDRESS == int(lowest[1])
        # wasm-opt folds additions below 1,024 into accesses, as nothing lies there.
        assert layout.LOWEST_ADDRESS >= 1024

    def test_data_is_the_first_librarys_and_functions_are_the_guests(self) -> None:
        plan = layout.place(self.make_libraries(), 0)
        assert plan.data_address("variable") == layout.STACK_TOP + 64
        assert plan.data_address("__heap_base") == plan.heap_base
        assert plan.data_address("nowhere") is None
        provider = plan.function_provider("function")
        assert provider is plan.libraries[-1]
        assert plan.function_provider("wanted") is None

    def test_something_else_than_a_dynamic_library_is_refused(self) -> None:
        plain = layout.Library("plain", wasm.Module.parse(make_module(dylink=None)))
        with pytest.raises(BuildError, match="plain is not a dynamic library"):
            layout.place([plain], 0)


class TestCache:
    def test_entry_is_built_once(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        assert cache.find("step", "key") is None
        entry = cache.store("step", "key", lambda work: _write(work / "a" / "file", "text"))
        assert cache.find("step", "key") == entry
        assert (entry / "a" / "file").read_text() == "text"

    @pytest.mark.parametrize("damage", ["change", "remove", "manifest"])
    def test_damaged_entry_is_not_used(self, tmp_path: Path, damage: str) -> None:
        cache = Cache(tmp_path)
        entry = cache.store("step", "key", lambda work: _write(work / "file", "text"))
        if damage == "change":
            (entry / "file").write_text("tex!")
        elif damage == "remove":
            (entry / "file").unlink()
        else:
            (entry / MANIFEST).write_text("{")
        assert cache.find("step", "key") is None
        assert not entry.exists()

    def test_failed_build_leaves_nothing(self, tmp_path: Path) -> None:
        def fail(work: Path) -> None:
            _write(work / "file", "half")
            raise BuildError("stopped")

        cache = Cache(tmp_path)
        with pytest.raises(BuildError):
            cache.store("step", "key", fail)
        assert cache.find("step", "key") is None
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_pruning_keeps_what_was_used_last(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        for number in range(4):
            entry = cache.store("step", str(number), lambda work: _write(work / "file", "text"))
            os.utime(entry / MANIFEST, (number, number))
        cache.find("step", "1")
        cache.prune("step", 2)
        assert [cache.find("step", str(number)) is not None for number in range(4)] == [
            False,
            True,
            False,
            True,
        ]

    def test_what_a_killed_build_left_goes_a_day_later(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        for name, age in (("new", 3600), ("old", 25 * 3600)):
            _write(tmp_path / "step" / f".work-{name}" / "file", "half")
            then = time.time() - age
            os.utime(tmp_path / "step" / f".work-{name}", (then, then))
        cache.prune("step", 4)
        assert [path.name for path in (tmp_path / "step").iterdir()] == [".work-new"]

    def test_equal_results_have_equal_digests(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        entries = [
            cache.store("step", key, lambda work: _write(work / "file", "text")) for key in "ab"
        ]
        assert content_digest(entries[0]) == content_digest(entries[1])
        assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 1})


class TestLock:
    def test_lock_file_of_the_project_is_complete(self) -> None:
        found = lock.load_lock()
        assert {"libpython", "libc", "stdlib"} <= found.guest.frames.keys()
        for group in found.python.values():
            assert all(len(bytes.fromhex(package.sha256)) == 32 for package in group)
        assert all(entry.integrity.startswith("sha512-") for entry in found.npm)
        assert "://" not in lock.LOCK_PATH.read_text()

    def test_incomplete_lock_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "lock.json"
        data = json.loads(lock.LOCK_PATH.read_text())
        del data["guest"]["sha256"]
        path.write_text(json.dumps(data))
        with pytest.raises(BuildError, match="sha256"):
            lock.load_lock(path)

    def test_npm_integrity_is_checked(self, tmp_path: Path) -> None:
        path = tmp_path / "package.tgz"
        path.write_bytes(b"contents")
        good = "sha512-" + base64.b64encode(hashlib.sha512(b"contents").digest()).decode()
        lock.check_integrity(path, good)
        with pytest.raises(
            BuildError, match=r"package\.tgz is not what .* expected sha512-AAAA, got"
        ):
            lock.check_integrity(path, "sha512-AAAA")

    def test_changed_frame_is_named_with_both_hashes(self, tmp_path: Path) -> None:
        data = b"\0asm" + b"x" * 1000
        inputs.write_members([data], {"libc": hashlib.sha256(data).hexdigest()}, tmp_path)
        assert (tmp_path / "libc").read_bytes() == data
        with pytest.raises(BuildError) as caught:
            inputs.write_members([data + b"!"], {"libc": "ab" * 32}, tmp_path)
        assert "libc" in str(caught.value)
        assert "ab" * 32 in str(caught.value)
        assert hashlib.sha256(data + b"!").hexdigest()[:16] in str(caught.value)


CRATE = lock.Crate("some-source", "1.2.3+4.5", "")


class TestCrates:
    """Cargo is a program that puts down what a test says, or nothing."""

    @pytest.fixture
    def cargo(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Where the archive has to lie to be fetched."""
        fetched = tmp_path / "home" / "registry" / "cache" / "somewhere"
        fetched.mkdir(parents=True)
        program = tmp_path / "bin" / "cargo"
        program.parent.mkdir()
        program.write_text('#!/bin/sh\ntest "$1" = fetch && grep -q \'"=1.2.3"\' "$3"\n')
        program.chmod(0o755)
        monkeypatch.setenv("CARGO_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        return fetched / "some-source-1.2.3+4.5.crate"

    def make_archive(self, path: Path) -> lock.Crate:
        with tarfile.open(path, "w:gz") as archive:
            entry = tarfile.TarInfo("some-source-1.2.3+4.5/file")
            entry.size = 4
            archive.addfile(entry, io.BytesIO(b"text"))
        return lock.Crate(CRATE.name, CRATE.version, lock.sha256(path))

    def test_archive_is_taken_once_and_extracted(self, cargo: Path, tmp_path: Path) -> None:
        crate = self.make_archive(cargo)
        cache = Cache(tmp_path / "cache")
        assert (crates.extract(crate, tmp_path / "1", cache) / "file").read_text() == "text"
        cargo.unlink()
        assert (crates.extract(crate, tmp_path / "2", cache) / "file").read_text() == "text"

    def test_other_bytes_are_refused(self, cargo: Path, tmp_path: Path) -> None:
        crate = self.make_archive(cargo)
        cargo.write_bytes(cargo.read_bytes() + b"!")
        with pytest.raises(BuildError, match=r"some-source-1\.2\.3\+4\.5\.crate is not what"):
            crates.extract(crate, tmp_path / "out", Cache(tmp_path / "cache"))

    def test_nothing_fetched_is_an_error(self, cargo: Path, tmp_path: Path) -> None:
        assert not cargo.exists()
        with pytest.raises(BuildError, match="cargo fetched no some-source"):
            crates.fetch_archive(CRATE, tmp_path)

    def test_missing_cargo_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BuildError, match=r"cargo is missing: run .*setup"):
            crates.fetch_archive(CRATE, tmp_path)

    def test_perl_without_its_modules_does_not_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "perl" in setup.missing_system_packages()
        program = tmp_path / "perl"
        program.write_text("#!/bin/sh\nexit 2\n")
        program.chmod(0o755)
        assert "perl" in setup.missing_system_packages()
        program.write_text("#!/bin/sh\nexit 0\n")
        assert "perl" not in setup.missing_system_packages()


class TestHostLibraries:
    def test_flags_are_those_of_the_host(self) -> None:
        options = (ROOT / "cmake" / "options.cmake").read_text()
        hardening = {flag for flag in host_libraries.FLAGS if flag.startswith(("-D_F", "-fstack"))}
        assert len(hardening) == 3
        assert [flag for flag in hardening if flag not in options] == []

    def test_what_is_left_out_is_not_there(self) -> None:
        features = ROOT / "build" / "libraries" / "include" / "openssl" / "configuration.h"
        if not features.is_file():
            pytest.skip("OpenSSL was built elsewhere")
        text = features.read_text()
        wanted = ("DSA", "DH", "SRP", "COMP", "DTLS", "QUIC", "CMS", "PSK", "EC_EXPLICIT_CURVES")
        names = [name for name in wanted if f"define OPENSSL_NO_{name}\n" not in text]
        assert names == []


class TestLlhttp:
    """The sources of the parser, out of the archive that carries them."""

    @staticmethod
    def pack(path: Path, *names: str) -> Path:
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                member = tarfile.TarInfo(f"aiohttp-1/{name}")
                member.size = len(name)
                archive.addfile(member, io.BytesIO(name.encode()))
        return path

    def test_only_what_is_compiled_is_taken(self, tmp_path: Path) -> None:
        names = [f"vendor/llhttp/{name}" for name in llhttp.FILES]
        archive = self.pack(tmp_path / "a.tar.gz", "setup.py", "other/llhttp.c", *names)
        output = tmp_path / "output"
        output.mkdir()
        llhttp.extract(archive, output)
        assert {path.name for path in output.iterdir()} == {
            "llhttp.c",
            "llhttp.h",
            "api.c",
            "http.c",
        }
        assert (output / "api.c").read_text() == "vendor/llhttp/src/native/api.c"

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        names = [f"vendor/llhttp/{name}" for name in llhttp.FILES[1:]]
        archive = self.pack(tmp_path / "a.tar.gz", *names)
        with pytest.raises(BuildError, match=r"a\.tar\.gz has no vendor/llhttp/build/c/llhttp\.c"):
            llhttp.extract(archive, tmp_path)


class TestLibdeflate:
    @staticmethod
    def pack(folder: Path, *names: str) -> lock.Crate:
        """A crate of such files, where Cargo leaves it."""
        folder.mkdir(parents=True)
        path = folder / "some-source-1.0.crate"
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                member = tarfile.TarInfo(f"some-source-1.0/libdeflate/{name}")
                member.size = len(name)
                archive.addfile(member, io.BytesIO(name.encode()))
        return lock.Crate("some-source", "1.0", lock.sha256(path))

    def extract(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
        crate = self.pack(tmp_path / "registry" / "cache" / "one", *names)
        monkeypatch.setenv("CARGO_HOME", str(tmp_path))
        monkeypatch.setattr(crates, "run_tool", lambda *_, **__: None)
        output = tmp_path / "output"
        output.mkdir()
        libdeflate.extract(crate, output, cache=Cache(tmp_path / "kept"))
        return output

    def test_only_what_is_compiled_is_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        output = self.extract(tmp_path, monkeypatch, "COPYING", *libdeflate.FILES)
        found = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
        assert found == set(libdeflate.FILES)

    def test_a_missing_file_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(BuildError, match=r"some-source has no lib/x86/cpu_features\.h"):
            self.extract(tmp_path, monkeypatch, *libdeflate.FILES[:-1])


class TestTools:
    def test_failing_tool_shows_the_end_of_its_output(self, tmp_path: Path) -> None:
        code = "print('first'); import sys; sys.exit('the reason')"
        with pytest.raises(BuildError, match=r"failed with code 1:\n(.|\n)*the reason"):
            run_tool([sys.executable, "-c", code], log=tmp_path / "log")

    def test_missing_tool_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BuildError, match="cannot run no-such-tool"):
            run_tool(["no-such-tool"], log=tmp_path / "log")

    def test_missing_cmake_is_named(self, tmp_path: Path) -> None:
        code = (
            "from pathlib import Path\n"
            "from toolchain.image import build_image_tool\n"
            "build_image_tool(Path('.'), Path('.'), Path('.'), 1)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "cmake is missing" in done.stderr


class TestInstrument:
    @pytest.mark.parametrize(
        ("module", "name", "expected"),
        [
            (
                "wasi:io/streams@0.2.0",
                "[method]output-stream.write",
                "wasi_io_streams_output_stream_write",
            ),
            ("wasi:io\\2Fpoll@0.2.0", "[resource-drop]pollable", "wasi_io_poll_drop_pollable"),
            (
                "wasi:cli/environment@0.2.0",
                "get-environment",
                "wasi_cli_environment_get_environment",
            ),
            ("eryx:host", "report-exit_code", "eryx_host_report_exit_code"),
        ],
    )
    def test_host_functions_have_readable_names(
        self, module: str, name: str, expected: str
    ) -> None:
        assert instrument.host_function_name(module, name) == expected

    def test_unknown_import_module_is_refused(self) -> None:
        with pytest.raises(BuildError, match="unknown module 'env'"):
            instrument.host_function_name("env", "abort")

    def test_changed_generator_output_is_noticed(self) -> None:
        code = instrument.GeneratedCode()
        text = "void w2c_guest_f(w2c_guest* instance) {\n  FUNC_PROLOGUE;\n}\n"
        code.functions["w2c_guest_f"] = instrument.Function("w2c_guest_f", "void", [], text)
        with pytest.raises(BuildError, match="wasm2c's output has changed"):
            instrument.transform_functions(code)

    def test_calls_are_inserted_at_the_end_of_a_function(self) -> None:
        code = instrument.GeneratedCode()
        for *names, _ in instrument.INSERTED_CALLS:
            for name in names:
                text = f"void w2c_guest_{name}() {{\n  FUNC_PROLOGUE;\n  FUNC_EPILOGUE;\n}}\n"
                function = instrument.Function(f"w2c_guest_{name}", "void", [], text)
                code.functions[function.name] = function
        instrument.insert_calls(code)
        for caller, called, arguments in instrument.INSERTED_CALLS:
            call = f"w2c_guest_{called}(instance, {arguments});\n  FUNC_EPILOGUE;"
            assert call in code.functions[f"w2c_guest_{caller}"].text
        del code.functions["w2c_guest_unixRandomness"]
        with pytest.raises(BuildError, match="unixRandomness or eryx_guest_fill_random is not"):
            instrument.insert_calls(code)


def _function(name: str, *statements: str) -> str:
    lines = [f"u32 w2c_guest_{name}(guest_instance* instance, u32 var_p0, ", "    u32 var_p1) {"]
    lines += ["  u32 var_l2 = 0, var_l3 = 0, ", "      var_l4 = 0;", "  FUNC_PROLOGUE;"]
    lines += ["  u32 var_i0, var_i1;", *(f"  {statement}" for statement in statements)]
    return "\n".join([*lines, "  return var_i0;", "}", ""])


def _call(name: str) -> str:
    return f"var_i0 = w2c_guest_{name}(instance, var_i0, var_i1);"


_CALL_POINTER = (
    "var_i0 = CALL_INDIRECT(instance->table, u32 (*)(guest_instance*, u32), guest_type_3, "
    "var_i1, instance, var_i0);"
)


class TestInterpreter:
    """What is read of CPython's source (toolchain/interpreter.py)."""

    MAKEFILE = (
        "POBJS=\t\\\n\t\tParser/token.o \\\n\nPARSER_OBJS=\t$(POBJS) Parser/pegen.o @OTHERS@\n"
        "PYTHON_OBJS=\tPython/$(DYNLOADFILE) Parser/token.o\n"
    )

    def test_files_are_those_of_the_makefile(self) -> None:
        found = interpreter.makefile_objects(self.MAKEFILE, "PARSER_OBJS", "PYTHON_OBJS")
        assert found == ["Parser/token.c", "Parser/pegen.c", "Python/dynload_shlib.c"]
        with pytest.raises(BuildError, match="has no OBJECT_OBJS"):
            interpreter.makefile_objects(self.MAKEFILE, "OBJECT_OBJS")

    def test_modules_are_declared_and_listed(self) -> None:
        template = "/* -- ADDMODULE MARKER 1 -- */\n{\n/* -- ADDMODULE MARKER 2 -- */\n}\n"
        table = interpreter.table_of_modules(template, ["math", "_csv"])
        assert table.startswith("extern PyObject* PyInit_math(void);\nextern PyObject* PyInit__csv")
        assert '    {"math", PyInit_math},\n    {"_csv", PyInit__csv},\n}\n' in table

    def test_frozen_modules_are_those_of_the_makefile(self) -> None:
        line = "\t$(FREEZE_MODULE) m{0} $(srcdir)/Lib/m{0}.py Python/frozen_modules/m{0}.h\n"
        text = "".join(line.format(number) for number in range(20))
        found = interpreter.frozen_modules(text)
        assert found[0] == ("m0", "Lib/m0.py", "Python/frozen_modules/m0.h")
        with pytest.raises(BuildError, match="in another way"):
            interpreter.frozen_modules(line.format(1))

    def test_each_patch_says_why(self) -> None:
        patches = sorted(interpreter.CONFIGURATION.glob("*.patch"))
        assert patches
        for patch in patches:
            assert re.match(r"[A-Z][^\n]{20,}", patch.read_text()), patch.name


class TestFairLocks:
    BODY = "    var_i2 = (u64)((s64)var_j2 > (s64)var_j3);\n"

    def test_locks_are_handed_over_where_fuel_is_counted(self) -> None:
        name = "w2c_guest_mutex_unpark"
        changed = fair_locks.hand_over_locks({name: self.BODY, "other": ""})
        assert changed == {name: self.BODY.replace("= (u64)", "= instance->metered | (u64)")}

    @pytest.mark.parametrize("functions", [{}, {"w2c_guest_mutex_unpark": "another body"}])
    def test_another_lock_is_refused(self, functions: dict[str, str]) -> None:
        with pytest.raises(BuildError, match="mutex_unpark"):
            fair_locks.hand_over_locks(functions)


class TestCallGraph:
    """Metered code has a tick in every cycle of calls, or there is no build."""

    def check(
        self,
        functions: dict[str, str],
        table: dict[str, list[str]] | None = None,
    ) -> None:
        """With a function h that calls nothing."""
        named = {f"w2c_guest_{name}": text for name, text in functions.items()}
        named["w2c_guest_h"] = _function("h")
        call_graph.check_ticks(named, table or {}, {})

    def test_calls_without_a_cycle_need_no_tick(self) -> None:
        self.check({"f": _function("f", _call("g"), _call("h")), "g": _function("g", _call("h"))})

    def test_a_cycle_is_named(self) -> None:
        functions = {
            "a": _function("a", _call("h"), _call("b")),
            "b": _function("b", _call("c")),
            "c": _function("c", _call("a")),
        }
        names = " -> ".join(f"w2c_guest_{name}" for name in "abca")
        with pytest.raises(BuildError, match=f"1 cycles of calls count no tick, one is: {names}$"):
            self.check(functions)
        for name, text in functions.items():
            self.check({**functions, name: call_graph.count_entry(text)})

    def test_a_tick_has_to_be_met_on_every_way(self) -> None:
        loop = _function("f", "var_L1: GUEST_TICK(instance);", "var_i0 = 1u;", _call("f"))
        with pytest.raises(BuildError, match="w2c_guest_f -> w2c_guest_f"):
            self.check({"f": loop})
        one_of_two = _function("f", "GUEST_TICK(instance);", _call("f"), _call("f"))
        with pytest.raises(BuildError, match="w2c_guest_f -> w2c_guest_f"):
            self.check({"f": one_of_two})
        self.check({"f": _function("f", "GUEST_TICK(instance);", _call("f"))})

    def test_calls_through_the_table_may_lead_to_all_of_their_type(self) -> None:
        functions = {"f": _function("f", _CALL_POINTER), "g": _function("g", _call("f"))}
        self.check(functions, {"guest_type_3": ["w2c_guest_h"]})
        with pytest.raises(BuildError, match="w2c_guest_f -> w2c_guest_g -> w2c_guest_f"):
            self.check(functions, {"guest_type_3": ["w2c_guest_h", "w2c_guest_g"]})
        functions["f"] = call_graph.count_indirect_calls(functions["f"])
        self.check(functions, {"guest_type_3": ["w2c_guest_h", "w2c_guest_g"]})

    def test_host_functions_may_call_the_guest(self) -> None:
        shim = "void shim_host(guest_instance *instance) {\n  host(instance);\n}\n"
        functions = {"w2c_guest_f": _function("f", "shim_host(instance);"), "shim_host": shim}
        call_graph.check_ticks(functions, {}, {})
        with pytest.raises(BuildError, match="shim_host -> w2c_guest_f -> shim_host"):
            call_graph.check_ticks(functions, {}, {"shim_host": ["w2c_guest_f"]})

    def test_what_cannot_be_followed_is_refused(self) -> None:
        with pytest.raises(BuildError, match="nowhere: w2c_guest_missing"):
            self.check({"f": _function("f", _call("missing"))})
        with pytest.raises(BuildError, match="no statement"):
            call_graph.count_indirect_calls(f"  if (var_i0) {{ {_CALL_POINTER} }}\n")
        with pytest.raises(BuildError, match="no prologue"):
            call_graph.count_entry("void f(void) {\n}\n")

    def test_cheap_functions_are_chosen(self) -> None:
        graph = {
            "loop": {"spam", "eggs", "leaf"},
            "spam": {"loop"},
            "eggs": {"loop", "eggs"},
            "leaf": set[str](),
        }
        assert call_graph.choose_entries(graph, lambda name: 1) == {"loop", "eggs"}
        assert call_graph.choose_entries(graph, lambda name: 100 if name == "loop" else 1) == {
            "spam",
            "eggs",
        }
        turned = {name: graph[name] for name in reversed(graph)}
        assert call_graph.choose_entries(turned, lambda name: 1) == {"loop", "eggs"}


class TestVariants:
    def make_object(self, names: bytes, code: bytes) -> bytes:
        """An ELF file with the sections .text and .strtab."""
        header = bytearray(64)
        header[:6] = b"\x7fELF\x02\x01"
        struct.pack_into("<Q", header, 0x28, 64 + len(code) + len(names))
        struct.pack_into("<HH", header, 0x3A, 64, 2)
        sections = bytearray(128)
        struct.pack_into("<I", sections, 4, 1)
        struct.pack_into("<QQ", sections, 0x18, 64, len(code))
        struct.pack_into("<I", sections, 64 + 4, 3)
        struct.pack_into("<QQ", sections, 64 + 0x18, 64 + len(code), len(names))
        return bytes(header + code + names + sections)

    def test_functions_get_the_names_of_metered_code(self) -> None:
        made = self.make_object(b"\0w2c_guest_f\0shim_f\0guest_type_1\0w2c_guest_g\0", b"\xc3")
        wanted = b"\0w2c_meter_f\0shim_f\0guest_type_1\0w2c_meter_g\0"
        assert native.rename_functions(made) == self.make_object(wanted, b"\xc3")

    def test_unknown_object_files_are_refused(self) -> None:
        with pytest.raises(BuildError, match="64-bit ELF"):
            native.rename_functions(b"\0asm")
        with pytest.raises(BuildError, match="not where they were"):
            native.rename_functions(self.make_object(b"\0w2c_guest_f\0", b"w2c_guest_f"))

    def test_shims_are_the_same_in_both(self) -> None:
        assert instrument.metered_name("w2c_guest_f_copy1") == "METERED(f_copy1)"
        assert instrument.metered_name("shim_eryx_host_call") == "shim_eryx_host_call"


class TestHotFunctions:
    def make_code(self, *names: str) -> instrument.GeneratedCode:
        code = instrument.GeneratedCode()
        for name in names:
            code.functions[name] = instrument.Function(name, "void", [], "x" * 100)
        return code

    def test_hot_functions_are_together_and_the_rest_keeps_its_order(self) -> None:
        loop = "w2c_guest_0x5FPyEval_EvalFrameDefault_0"
        others = [f"w2c_guest_f{number}" for number in range(100)]
        files = instrument.split_functions(
            self.make_code(*others[:50], loop, *others[50:]), frozenset({loop, others[7], "gone"})
        )
        assert files.pop(instrument.HOT_FILE) == [others[7], loop]
        assert len(files) == instrument.FILE_COUNT
        assert [name for file in sorted(files) for name in files[file]] == [
            name for name in others if name != others[7]
        ]

    def test_list_of_another_guest_is_noticed(self) -> None:
        with pytest.raises(BuildError, match="does not fit this guest"):
            instrument.split_functions(self.make_code("w2c_guest_f"), frozenset({"w2c_guest_f"}))

    def test_weights_come_from_all_blocks(self) -> None:
        report = (
            "Counters:\n  w2c_guest_f:\n    Hash: 0x1\n    Counters: 3\n    Function count: 2\n"
            "    Block counts: [10, 5]\n  main.c:helper:\n    Function count: 9\n"
            "    Block counts: []\n  w2c_guest_g:\n    Function count: 4\n"
        )
        assert hot.weigh(report) == {"w2c_guest_f": 17, "w2c_guest_g": 4}


class TestStandardLibrary:
    def test_modules_that_cannot_work_are_left_out(self) -> None:
        kept = ["os.py", "asyncio/__init__.py", "email/architecture.rst", "tkinter/font.py"]
        kept += ["idlelib/idle.py", "turtle.py", "json/__pycache__/x.pyc", "unittest/case.py"]
        assert [path for path in kept if stdlib._is_kept(path)] == [
            "os.py",
            "asyncio/__init__.py",
            "unittest/case.py",
        ]

    def test_a_name_may_be_taken_once(self) -> None:
        with pytest.raises(BuildError, match=r"os\.py"):
            stdlib.merge({"os.py": b""}, {"os.py": b""})

    def test_bytecode_lies_where_python_looks(self) -> None:
        assert stdlib.bytecode_path("os.py") == "__pycache__/os.cpython-314.pyc"
        assert stdlib.bytecode_path("a/b/c.py") == "a/b/__pycache__/c.cpython-314.pyc"

    def test_output_of_the_compile_program_is_checked(self) -> None:
        encoded = base64.b64encode(b"code").decode()
        found = bytecode.parse_output(f"os.py *{encoded}\ncsv.py {encoded}\n")
        assert found == {"os.py": b"code", "csv.py": b"code"}
        assert found.to_import() == {"csv.py": b"code"}
        with pytest.raises(BuildError, match=r"bad\.py .* does not compile: invalid syntax"):
            bytecode.parse_output("bad.py !invalid syntax\n")
        with pytest.raises(BuildError, match="printed something else"):
            bytecode.parse_output("Traceback (most recent call last):\n")


class TestNewerLibrary:
    def test_files_are_chosen_by_what_has_changed(self, tmp_path: Path) -> None:
        old = {
            "csv.py": b"1",
            "same.py": b"1",
            "os.py": b"1",
            "sysconfig/__init__.py": b"1",
            "gone.py": b"1",
            "notes.txt": b"1",
        }
        for name in (*old, "added.py", *newer_library.ADDED):
            if name != "gone.py":
                _write(tmp_path / name, "1" if name == "same.py" else "2")
        chosen = newer_library.choose(old, tmp_path)
        assert chosen == dict.fromkeys(("csv.py", *newer_library.ADDED), b"2")
        renewed = newer_library.renew(old, chosen)
        assert renewed["csv.py"] == b"2"
        assert renewed["gone.py"] == renewed["os.py"] == b"1"

    def test_file_without_an_older_one_is_noticed(self) -> None:
        with pytest.raises(BuildError, match=r"new\.py is not in the guest's library"):
            newer_library.renew({"csv.py": b""}, {"new.py": b""})

    def test_archive_is_the_locked_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = newer_library.read()
        assert len(files) > 100
        patterns = newer_library.KEPT
        kept = [name for name in files for each in patterns if fnmatch.fnmatchcase(name, each)]
        assert kept == []
        other = tmp_path / "other.tar.xz"
        other.write_bytes(newer_library.ARCHIVE.read_bytes() + b"!")
        monkeypatch.setattr(newer_library, "ARCHIVE", other)
        with pytest.raises(BuildError, match="expected SHA-256"):
            newer_library.read()

    def test_guest_has_the_newer_files(self) -> None:
        files = newer_library.read()
        for name in ("http/client.py", "tarfile.py"):
            program = f"print(open('/python-stdlib/{name}', newline='').read(), end='')"
            assert eryx.Sandbox().execute(program).stdout == files[name].decode().rstrip()

    def test_files_that_the_interpreter_holds_frozen_are_left(self) -> None:
        frozen = eryx.Sandbox().execute("import _imp; print(*_imp._frozen_module_names())")
        names = {name.replace(".", "/") + ".py" for name in frozen.stdout.split()}
        assert names & newer_library.read().keys() == set()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class TestProtocol:
    """The numbers that guest and host share are written down once."""

    def test_all_enums_are_in_the_module(self) -> None:
        names: dict[str, int] = {}
        exec(protocol.numbers_module(ROOT), names)
        for header in (ROOT / "protocol").glob("*.h"):
            for name, value in protocol.read(header).items():
                assert names[name] == value
        assert names["ASK_TLS"] == 1
        assert names["TLS_FAILED"] == -1
        assert names["ERYX_RUN_SEAL"] == 5

    def test_a_member_without_a_number_is_refused(self, tmp_path: Path) -> None:
        header = tmp_path / "odd.h"
        header.write_text("enum odd {\n    ODD_ONE = 1, /* one */\n    ODD_TWO,\n};\n")
        with pytest.raises(BuildError, match="'ODD_TWO' is not a name with a number"):
            protocol.read(header)

    def test_no_number_is_typed_again(self) -> None:
        """In the guest's Python code, that is."""
        names: dict[str, int] = {}
        exec(protocol.numbers_module(ROOT), names)
        for path in (ROOT / "guest" / "python").rglob("*.py"):
            typed = re.findall(r"^(\w+) = -?\d+\b", path.read_text(), re.MULTILINE)
            assert not names.keys() & set(typed), path
