"""Native extension modules: eryx.native and Sandbox(native_modules=...)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

import eryx
from eryx import native
from eryx._eryx import open_native_module
from eryx.native import NativeModule, NativeModuleError, _compile, _cross, _translate, _wasm
from toolchain import wasm_binary as wasm

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).with_name("native")
SUFFIX = ".cpython-314-wasm32-wasi.so"


@pytest.fixture(autouse=True)
def one_cache_of_zig(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zig compiles parts of libc for every new cache, which takes long."""
    own = str(_compile.default_cache() / "zig")
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", own)
    monkeypatch.setenv("ZIG_LOCAL_CACHE_DIR", own)


def built(source: Path, directory: Path) -> Path:
    """Compiles one source file to a native module in a directory; gives its path."""
    cache = _compile._private_directory(_compile.default_cache())
    environment = _compile.zig_environment(cache)
    cxx = source.suffix == ".cpp"
    compiled = directory / f"{source.stem}.o"
    output = directory / f"{source.stem}{SUFFIX}"
    flags = [f"-I{ROOT / 'guest'}", "-Wno-missing-field-initializers"]
    for command in (
        _cross.compile_command([*flags, "-c", str(source), "-o", str(compiled)], cxx=cxx),
        _cross.link_command([str(compiled)], str(output), cache, cxx=cxx),
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    compiled.unlink()
    return output


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the module spam, to be a volume at /native."""
    made = tmp_path_factory.mktemp("native")
    built(SOURCES / "spam.c", made)
    return made


@pytest.fixture(scope="module")
def spam(directory: Path) -> NativeModule:
    return native.translate(directory / f"spam{SUFFIX}")


def session(directory: Path, *modules: NativeModule, **options: object) -> eryx.Session:
    """A session that finds modules in a directory, and may load these."""
    made = eryx.Session(
        native_modules=modules,
        volumes=[(str(directory), "/native", True)],
        **options,  # type: ignore[arg-type]
    )
    made.execute("import sys; sys.path.append('/native')")
    return made


class TestUse:
    """What a program sees of a module."""

    @pytest.fixture
    def loaded(self, directory: Path, spam: NativeModule) -> eryx.Session:
        made = session(directory, spam)
        made.execute("import spam")
        return made

    def show(self, session: eryx.Session, expression: str) -> str:
        return session.execute(f"print({expression})").stdout

    def test_functions_and_variables(self, loaded: eryx.Session) -> None:
        assert self.show(loaded, "spam.count(), spam.count()") == "1 2"

    def test_pointers_to_own_functions_and_those_of_the_guest(self, loaded: eryx.Session) -> None:
        assert self.show(loaded, "spam.sort(3, 1, 2)") == "(1, 2, 3, 'second')"

    def test_constructors_have_run(self, loaded: eryx.Session) -> None:
        assert self.show(loaded, "spam.initialised()") == "42"

    def test_helpers_of_the_compiler_are_linked(self, loaded: eryx.Session) -> None:
        assert self.show(loaded, "spam.high_word(2**40)") == str(2**16)

    def test_exceptions_come_through(self, loaded: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError, match="from native code"):
            loaded.execute("spam.fail()")

    def test_where_it_is(self, loaded: eryx.Session) -> None:
        assert self.show(loaded, "spam.__file__") == f"/native/spam{SUFFIX}"

    def test_each_sandbox_has_its_own_variables(self, directory: Path, spam: NativeModule) -> None:
        first, second = session(directory, spam), session(directory, spam)
        program = "import spam; print(spam.count())"
        assert [one.execute(program).stdout for one in (first, second, first)] == ["1", "1", "2"]

    def test_a_sandbox_forgets_it_after_every_run(
        self, directory: Path, spam: NativeModule
    ) -> None:
        sandbox = eryx.Sandbox(native_modules=[spam], volumes=[(str(directory), "/native", True)])
        program = "import sys; sys.path.append('/native'); import spam; print(spam.count())"
        assert [sandbox.execute(program).stdout for _ in range(3)] == ["1"] * 3

    def test_many_modules_in_one_sandbox(self, directory: Path, tmp_path: Path) -> None:
        """Tables of several modules lie behind each other, in the order of loading."""
        text = (SOURCES / "spam.c").read_text()
        modules = []
        for number in range(4):
            name = f"spam{number}"
            source = tmp_path / f"{name}.c"
            source.write_text(
                text.replace("PyInit_spam", f"PyInit_{name}").replace(
                    "constructed = 42", f"constructed = {number}"
                )
            )
            modules.append(native.translate(built(source, tmp_path)))
        made = session(tmp_path, *modules)
        for number in (2, 0, 3, 1):
            made.execute(f"import spam{number}")
        program = (
            "print([(m.initialised(), m.sort(2, 1, 0)[0]) for m in (spam0, spam1, spam2, spam3)])"
        )
        assert made.execute(program).stdout == "[(0, 0), (1, 0), (2, 0), (3, 0)]"
        assert made.fork().execute(program).stdout == "[(0, 0), (1, 0), (2, 0), (3, 0)]"

    def test_cplusplus(self, tmp_path: Path) -> None:
        module = native.translate(built(SOURCES / "eggs.cpp", tmp_path))
        done = session(tmp_path, module).execute(
            "import eggs; print(eggs.count_words('b a one b'), eggs.area(5))"
        )
        assert done.stdout == "a=1 b=2 one=2 two=2  25"


class TestPermission:
    """Only what the caller has made available is ever loaded."""

    def test_no_module_is_allowed_by_itself(self, directory: Path) -> None:
        with pytest.raises(eryx.ExecutionError, match="may not load native modules") as caught:
            session(directory).execute("import spam")
        assert caught.value.exc_type == "ImportError"
        assert f"/native/spam{SUFFIX}" in str(caught.value)

    def test_another_file_is_refused(
        self, directory: Path, spam: NativeModule, tmp_path: Path
    ) -> None:
        data = (directory / f"spam{SUFFIX}").read_bytes()
        (tmp_path / f"spam{SUFFIX}").write_bytes(data + b"\0\2\1a")
        with pytest.raises(eryx.ExecutionError, match="not one of the native modules"):
            session(tmp_path, spam).execute("import spam")

    def test_a_copy_that_the_guest_made_is_the_same_module(
        self, directory: Path, spam: NativeModule
    ) -> None:
        """What counts is the content: the code comes from the host all the same."""
        made = session(directory, spam)
        made.execute(
            f"import shutil, sys; shutil.copy('/native/spam{SUFFIX}', '/data/spam{SUFFIX}')\n"
            "sys.path[:] = ['/data', *[p for p in sys.path if p != '/native']]\n"
            "import spam"
        )
        assert made.execute("print(spam.__file__, spam.count())").stdout.endswith(".so 1")

    def test_nothing_but_modules_can_be_given(self) -> None:
        with pytest.raises(TypeError, match="NativeModule, not str"):
            eryx.Sandbox(native_modules=["spam.so"])  # type: ignore[list-item]


class TestState:
    """A loaded module is part of the state of a session."""

    def test_fork(self, directory: Path, spam: NativeModule) -> None:
        first = session(directory, spam)
        first.execute("import spam; spam.count(); sort = spam.sort")
        second = first.fork()
        program = "print(spam.count(), sort(9, 8, 7))"
        assert second.execute(program).stdout == "2 (7, 8, 9, 'second')"
        first.close()
        assert second.execute(program).stdout == "3 (7, 8, 9, 'second')"

    def test_rollback_takes_a_module_away_and_brings_it_back(
        self, directory: Path, spam: NativeModule
    ) -> None:
        made = session(directory, spam)
        without = made.checkpoint()
        made.execute("import spam; spam.count()")
        with_module = made.checkpoint()
        made.rollback(without)
        assert made.execute("print('spam' in sys.modules)").stdout == "False"
        made.rollback(with_module)
        assert made.execute("print(spam.count(), spam.sort(3, 2, 1)[0])").stdout == "2 1"
        made.rollback(without)
        assert made.execute("import spam; print(spam.count())").stdout == "1"

    def test_file(self, directory: Path, spam: NativeModule, tmp_path: Path) -> None:
        first = session(directory, spam)
        first.execute("import spam; spam.count()")
        first.save(tmp_path / "state")
        second = session(directory, spam)
        second.load(tmp_path / "state")
        assert second.execute("print(spam.count(), spam.sort(3, 2, 1)[0])").stdout == "2 1"

    def test_file_that_needs_a_module_which_is_not_allowed(
        self, directory: Path, spam: NativeModule, tmp_path: Path
    ) -> None:
        first = session(directory, spam)
        first.execute("import spam")
        first.save(tmp_path / "state")
        second = session(directory)
        second.execute("x = 1")
        with pytest.raises(eryx.InitializationError, match=f"hash {spam.sha256[:12]}"):
            second.load(tmp_path / "state")
        assert second.execute("print(x)").stdout == "1"

    def test_reset(self, directory: Path, spam: NativeModule) -> None:
        made = session(directory, spam)
        made.execute("import spam; spam.count()")
        made.reset()
        made.execute("import sys; sys.path.append('/native'); import spam")
        assert made.execute("print(spam.count())").stdout == "1"


def directory_address() -> int:
    """Where the guest's list of its modules lies in its memory."""
    guest = os.environ.get("ERYX_GUEST_DIR", str(ROOT / "build" / "guest"))
    symbols = json.loads(Path(guest, "guest_symbols.json").read_text())
    return int(symbols["data"]["eryx_native_directory"])


class TestForgedList:
    """The list of modules lies in guest memory: what a guest writes there harms only itself."""

    @pytest.fixture
    def loaded(self, directory: Path, spam: NativeModule) -> eryx.Session:
        made = session(directory, spam)
        made.execute("import spam; spam.count()")
        return made

    @pytest.mark.parametrize(
        ("offset", "value", "message"),
        [
            (0, 0xFFFFFFFF, "damaged"),
            (0, 129, "damaged"),
            (0, 2, "may not load"),
            (8, 0x12345678, "may not load"),
        ],
    )
    def test_refused(
        self, loaded: eryx.Session, offset: int, value: int, message: str, tmp_path: Path
    ) -> None:
        loaded.execute(f"spam.poke({directory_address() + offset}, {value})")
        with pytest.raises(eryx.InitializationError, match=message):
            loaded.fork()
        assert loaded.execute("print(spam.count())").stdout == "2"
        loaded.save(tmp_path / "state")
        with pytest.raises(eryx.InitializationError, match=message):
            loaded.load(tmp_path / "state")
        assert loaded.execute("print(spam.count())").stdout == "3"

    def test_the_same_module_twice(self, loaded: eryx.Session, spam: NativeModule) -> None:
        base = directory_address()
        words = [spam.sha256[at : at + 8] for at in range(0, 64, 8)]
        for number, word in enumerate(words):
            value = int.from_bytes(bytes.fromhex(word), "little")
            loaded.execute(f"spam.poke({base + 48 + 4 * number}, {value})")
        loaded.execute(f"spam.poke({base}, 2)")
        with pytest.raises(eryx.InitializationError, match="may not load"):
            loaded.fork()

    @pytest.mark.parametrize("memory_base", [0, 3, 0x7FFFFFFF, 0xFFFFFFFF])
    def test_wrong_place(self, loaded: eryx.Session, memory_base: int) -> None:
        loaded.execute(f"spam.poke({directory_address() + 40}, {memory_base})")
        fork = loaded.fork()
        with pytest.raises(eryx.ExecutionError):
            fork.execute("print(spam.sort(3, 2, 1)); spam.high_word(1); spam.fail()")
        assert loaded.execute("print(spam.count())").stdout == "2"

    def test_empty_list(self, loaded: eryx.Session) -> None:
        loaded.execute(f"spam.poke({directory_address()}, 0)")
        with pytest.raises(eryx.ExecutionError, match="invalid function pointer"):
            loaded.fork().execute("spam.count()")
        assert loaded.execute("print(spam.count())").stdout == "2"


class TestContainment:
    """Native code ends as all guest code does, and nobody else notices."""

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("out_of_bounds()", "memory access out of bounds"),
            ("recurse()", "out of bounds|stack overflow"),
            ("wrong_pointer(4000000)", "invalid function pointer"),
            ("wrong_pointer(0)", "invalid function pointer"),
            ("wrong_type()", "invalid function pointer"),
        ],
    )
    def test_traps(self, directory: Path, spam: NativeModule, call: str, message: str) -> None:
        sandbox = eryx.Sandbox(native_modules=[spam], volumes=[(str(directory), "/native", True)])
        program = "import sys; sys.path.append('/native'); import spam\n"
        with pytest.raises(eryx.ExecutionError, match=message):
            sandbox.execute(f"{program}spam.{call}")
        assert sandbox.execute(f"{program}print(spam.count())").stdout == "1"

    def test_endless_loop(self, directory: Path, spam: NativeModule) -> None:
        made = session(
            directory, spam, resource_limits=eryx.ResourceLimits(execution_timeout_ms=100)
        )
        with pytest.raises(eryx.TimeoutError):
            made.execute("import spam; spam.loop()")

    def test_fuel(self, directory: Path, spam: NativeModule) -> None:
        made = session(directory, spam, max_fuel=5_000_000)
        with pytest.raises(eryx.ResourceLimitError):
            made.execute("import spam; spam.loop()")

    def test_memory_limit(self, tmp_path: Path) -> None:
        source = tmp_path / "large.c"
        source.write_text("char room[24 << 20];\nchar *PyInit_large(void) { return room; }\n")
        module = native.translate(built(source, tmp_path))
        made = session(
            tmp_path, module, resource_limits=eryx.ResourceLimits(max_memory_bytes=32 << 20)
        )
        with pytest.raises(eryx.ExecutionError, match="no memory for the native module"):
            made.execute("import large")
        assert made.execute("print(1)").stdout == "1"


def section(number: int, *items: bytes) -> bytes:
    return wasm.encode_section(number, wasm.encode_vector(list(items)))


def custom(name: str, payload: bytes) -> bytes:
    return wasm.encode_section(0, wasm.encode_name(name) + payload)


def dylink(memory: int = 16, table: int = 0) -> bytes:
    needs = b"".join(map(wasm.encode_unsigned, (memory, 4, table, 0)))
    return custom("dylink.0", b"\1" + wasm.encode_unsigned(len(needs)) + needs)


VOID = b"\x60\0\0"
I32 = b"\x60\0\1\x7f"
MEMORY_IMPORT = wasm.Import("env", "memory", 2, b"\0\1").encode()
TABLE_IMPORT = wasm.Import("env", "__indirect_function_table", 1, b"\x70\0\0").encode()
MEMORY_BASE = wasm.Import("env", "__memory_base", 3, b"\x7f\0").encode()
TABLE_BASE = wasm.Import("env", "__table_base", 3, b"\x7f\0").encode()


def body(*code: int, local_groups: bytes = b"\0") -> bytes:
    content = local_groups + bytes(code) + b"\x0b"
    return wasm.encode_unsigned(len(content)) + content


def module(*sections: bytes, needs: bytes | None = None) -> bytes:
    return wasm.MAGIC + (dylink() if needs is None else needs) + b"".join(sections)


def function_module(*code: int, local_groups: bytes = b"\0", name: str = "PyInit_bad") -> bytes:
    """A module with one function of type () -> i32, exported."""
    return module(
        section(1, I32),
        section(2, MEMORY_IMPORT, TABLE_IMPORT, MEMORY_BASE, TABLE_BASE),
        section(3, b"\0"),
        section(7, wasm.Export(name, 0, 0).encode()),
        section(10, body(*code, local_groups=local_groups)),
    )


IMPORT_VOID = wasm.Import("env", "no_such_function", 0, b"\0").encode()


class TestHostileFiles:
    """Files that are no modules, or want what there is not, are refused by name."""

    CASES: ClassVar[dict[str, tuple[bytes, str]]] = {
        "empty": (b"", "no WebAssembly module"),
        "text": (b"import os\n", "no WebAssembly module"),
        "elf": (b"\x7fELF" + bytes(60), "ELF file"),
        "only a head": (wasm.MAGIC, "dylink.0 is missing"),
        "cut off": (function_module(0x41, 0)[:-3], "middle of a value"),
        "no dylink": (wasm.MAGIC + section(1, VOID), "dylink.0 is missing"),
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
        "vectors": (module(section(1, b"\x60\1\x7b\0")), "vectors"),
        "reference type": (module(section(1, b"\x60\1\x70\0")), "vectors or references"),
        "exceptions": (module(section(13, b"\0\0")), "unknown kind 13"),
        "order of sections": (module(section(7), section(1, VOID)), "out of order"),
        "huge count": (module(wasm.encode_section(1, b"\xff\xff\xff\xff\x0f")), "middle of a list"),
        "endless number": (module(wasm.encode_section(1, b"\xff" * 40)), "number that is too"),
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
        "vector code": (
            function_module(0xFD, 12, *range(16), 0x1A, 0x41, 0),
            "its code is not valid",
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

    def test_every_prefix_of_a_module_is_refused(self, directory: Path) -> None:
        data = (directory / f"spam{SUFFIX}").read_bytes()
        for size in [*range(600), *range(600, len(data), 37)]:
            try:
                file = _wasm.parse(data[:size])
            except NativeModuleError:
                continue
            # A cut between two sections may leave a module, with less in it.
            assert len(file.code) == 0 or file.code_count == len(file.functions)

    def test_every_changed_byte_is_refused_or_harmless(self, directory: Path) -> None:
        data = bytearray((directory / f"spam{SUFFIX}").read_bytes())
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

    def test_frame_larger_than_the_guard_of_the_stack(self, tmp_path: Path) -> None:
        """Recursion with frames of hundreds of kilobytes: no step may go over the guard."""
        count = 40_000
        locals_used = b"".join(
            # local n = memory[n] ...; call; memory[n] = local n, so that all of them live on.
            b"\x41" + wasm.encode_signed(8 * n) + b"\x29\3\0\x21" + wasm.encode_unsigned(n)
            for n in range(count)
        )
        stores = b"".join(
            b"\x41" + wasm.encode_signed(8 * n) + b"\x20" + wasm.encode_unsigned(n) + b"\x37\3\0"
            for n in range(count)
        )
        groups = b"\1" + wasm.encode_unsigned(count) + b"\x7e"
        content = groups + locals_used + b"\x10\0" + stores + b"\x0b"
        data = module(
            section(1, VOID),
            section(2, MEMORY_IMPORT),
            section(3, b"\0"),
            b"\x08\1\0",
            section(10, wasm.encode_unsigned(len(content)) + content),
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


class TestCache:
    def test_second_time_needs_no_compiler(
        self, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = directory / f"spam{SUFFIX}"
        first = native.translate(path, cache=tmp_path / "cache")
        monkeypatch.setattr(_compile, "zig_program", lambda: "/nonexistent")
        assert native.translate(path, cache=tmp_path / "cache") == first

    def test_files_are_private(self, directory: Path, tmp_path: Path) -> None:
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


class TestWheels:
    def wheel(self, path: Path, **files: bytes) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path

    def test_all_modules_of_a_wheel(self, tmp_path: Path) -> None:
        one, two = function_module(0x41, 6), function_module(0x41, 7)
        wheel = self.wheel(
            tmp_path / "a.whl", **{"a/one.so": one, "a/two.so": two, "a/__init__.py": b""}
        )
        assert [module.name for module in native.from_wheel(wheel)] == ["one.so", "two.so"]

    def test_modules_that_need_each_other(self, tmp_path: Path) -> None:
        provider = module(
            section(1, I32),
            section(3, b"\0"),
            section(7, wasm.Export("answer_of_library", 0, 0).encode()),
            section(10, body(0x41, 42)),
        )
        needed = wasm.encode_vector([wasm.encode_name("libanswer.so")])
        needs = b"".join(map(wasm.encode_unsigned, (0, 0, 0, 0)))
        user = module(
            section(1, I32, VOID, b"\x60\1\x7f\1\x7f"),
            section(
                2,
                wasm.Import("env", "answer_of_library", 0, b"\0").encode(),
                wasm.Import("env", "PyLong_FromLong", 0, b"\2").encode(),
            ),
            section(3, b"\0"),
            section(7, wasm.Export("PyInit_user", 0, 2).encode()),
            section(10, body(0x10, 0, 0x10, 1)),
            needs=custom(
                "dylink.0",
                b"\1\4" + needs + b"\2" + wasm.encode_unsigned(len(needed)) + needed,
            ),
        )
        wheel = self.wheel(tmp_path / "b.whl", **{"b/user.so": user, "b/libanswer.so": provider})
        modules = native.from_wheel(wheel)
        assert [one.name for one in modules] == ["libanswer.so", "user.so"]
        (tmp_path / "user.so").write_bytes(user)
        # The init function gives the number 42, which is no module, but was computed there.
        with pytest.raises(eryx.ExecutionError, match=r"int|not a module|initialization"):
            session(tmp_path, modules[1]).execute("import user")
        with pytest.raises(NativeModuleError, match=r"user\.so: it needs libanswer\.so"):
            native.translate(user, name="user.so")

    def test_wheel_of_another_platform(self, tmp_path: Path) -> None:
        wheel = self.wheel(tmp_path / "c.whl", **{"c/m.so": b"\x7fELF" + bytes(50)})
        with pytest.raises(NativeModuleError, match=r"c\.whl: c/m\.so: it is an ELF file"):
            native.from_wheel(wheel)

    def test_no_wheel(self, tmp_path: Path) -> None:
        (tmp_path / "d.whl").write_bytes(b"text")
        with pytest.raises(NativeModuleError, match=r"d\.whl: it cannot be read"):
            native.from_wheel(tmp_path / "d.whl")

    def test_wheel_without_modules(self, tmp_path: Path) -> None:
        wheel = self.wheel(tmp_path / "e.whl", **{"e/__init__.py": b""})
        assert native.from_wheel(wheel) == []


class TestCommands:
    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "eryx", *arguments],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def test_precompile(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "f.whl", "w") as archive:
            archive.writestr("f.so", function_module(0x41, 8))
        done = self.run("precompile", str(tmp_path / "f.whl"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("f.so: /")

    def test_precompile_of_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "g.whl").write_bytes(b"")
        done = self.run("precompile", str(tmp_path / "g.whl"))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("eryx: g.whl: it cannot be read")

    def test_build_wheel_without_headers(self, tmp_path: Path) -> None:
        done = self.run("build-wheel", str(tmp_path), "--include", str(tmp_path))
        assert done.returncode == 1
        assert "no headers of Python" in done.stderr


INCLUDE = os.environ.get("ERYX_PYTHON_INCLUDE", "/opt/forky/usr/include/python3.14")


@pytest.mark.skipif(not os.path.exists(f"{INCLUDE}/Python.h"), reason="no headers of Python 3.14")
class TestBuild:
    """eryx build-wheel, with the real headers."""

    PROGRAM = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *describe(PyObject *self, PyObject *number)
{
    return PyUnicode_FromFormat("%d %d %R", (int)sizeof(void *), SIZEOF_LONG, number);
}

static PyMethodDef methods[] = {{"describe", describe, METH_O, "Describes."}, {0}};
static PyModuleDef_Slot slots[] = {{0}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "ham", NULL, 0, methods, slots};

PyMODINIT_FUNC PyInit_ham(void)
{
    return PyModuleDef_Init(&definition);
}
"""

    def write_tree(self, tree: Path) -> None:
        """A package that setuptools builds."""
        tree.mkdir()
        (tree / "ham.c").write_text(self.PROGRAM)
        (tree / "setup.py").write_text(
            "from setuptools import Extension, setup\n"
            "setup(name='ham', version='1', ext_modules=[Extension('ham', ['ham.c'])])\n"
        )

    def test_build_and_use(self, tmp_path: Path) -> None:
        pytest.importorskip("setuptools")
        tree = tmp_path / "tree"
        self.write_tree(tree)
        from eryx.native._build import build_wheel

        wheel = build_wheel(tree, tmp_path / "out", include=INCLUDE, isolation=False)
        assert wheel.name == "ham-1-cp314-cp314-wasi_wasm32.whl"
        with zipfile.ZipFile(wheel) as archive:
            assert archive.testzip() is None
            names = archive.namelist()
            archive.extractall(tmp_path / "site")
        assert f"ham{SUFFIX}" in names
        done = session(tmp_path / "site", *native.from_wheel(wheel)).execute(
            "import ham; print(ham.describe('x'))"
        )
        assert done.stdout == "4 4 'x'"

    def test_commands_and_program_of_the_document(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("setuptools")
        tree = tmp_path / "ham-1"
        self.write_tree(tree)
        with tarfile.open(tmp_path / "ham-1.tar.gz", "w:gz") as archive:
            archive.add(tree, "ham-1")
        text = (ROOT / "docs" / "native.md").read_text()
        commands = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        programs = re.findall(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert (len(commands), len(programs)) == (1, 1)
        monkeypatch.chdir(tmp_path)
        for line in commands[0].splitlines():
            words = line.replace("/usr/include/python3.14", INCLUDE).split()
            assert words.pop(0) == "eryx"
            done = subprocess.run(
                [sys.executable, "-m", "eryx", *words], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        done = subprocess.run(
            [sys.executable, "-c", programs[0]], capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == re.findall(r"# prints: (.*)$", programs[0], re.MULTILINE)[0]

    def test_a_build_that_fails_says_why(self, tmp_path: Path) -> None:
        (tmp_path / "setup.py").write_text("raise SystemExit('no such luck')\n")
        from eryx.native._build import build_wheel

        with pytest.raises(NativeModuleError, match="no such luck"):
            build_wheel(tmp_path, tmp_path / "out", include=INCLUDE, isolation=False)

    def test_configuration_is_that_of_the_guest(self, tmp_path: Path) -> None:
        from eryx.native._build import guest_configuration, stage_headers

        configuration = guest_configuration()
        stage_headers(Path(INCLUDE), configuration, tmp_path / "include")
        text = (tmp_path / "include" / "pyconfig.h").read_text()
        assert "#define SIZEOF_VOID_P 4\n" in text
        assert json.dumps(configuration["EXT_SUFFIX"]) == f'"{SUFFIX}"'
