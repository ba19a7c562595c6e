"""What native modules do in sandboxes: eryx.native and Sandbox(native_modules=...)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import eryx
from eryx import native
from eryx.native import NativeModule
from native_helpers import (
    ROOT,
    SOURCES,
    SUFFIX,
    built,
    session,
)

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")


class TestUse:
    """What a program sees of a module."""

    @pytest.fixture
    def loaded(self, spam_directory: Path, spam: NativeModule, each_isolation: str) -> eryx.Session:
        made = session(spam_directory, spam)
        made.execute("import spam")
        return made

    def show(self, session: eryx.Session, expression: str) -> str:
        return session.execute(f"print({expression})").stdout

    def test_in_a_worker_of_its_own_nothing_else_becomes_code(
        self, spam_directory: Path, spam: NativeModule
    ) -> None:
        """Modules are opened before the filter of system calls, which lets nothing be mapped."""
        with eryx.Workers(processes=1) as workers:
            plain = workers.session()
            made = workers.session(
                volumes=[(spam_directory, "/native", True)], native_modules=[spam]
            )
            made.execute("import sys; sys.path.append('/native'); import spam")
            assert made.execute("spam.count()").value == 1
            first, second = workers.pids
            name = os.path.basename(spam.library)
            if os.geteuid() == 0:  # others do not see the maps of what is not dumpable
                assert name not in Path(f"/proc/{first}/maps").read_text()
                assert name in Path(f"/proc/{second}/maps").read_text()
            for pid in workers.pids:
                assert "\nSeccomp:\t2\n" in Path(f"/proc/{pid}/status").read_text()
            with pytest.raises(eryx.ExecutionError, match="No module named 'spam'"):
                plain.execute("import spam")

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

    def test_functions_with_fewer_parameters_than_arguments(self, loaded: eryx.Session) -> None:
        """As on real machines: a method without arguments gets a second one, which is NULL."""
        expression = "spam.only_self(), spam.only_self_with_keywords(1, a=2), spam.no_parameters()"
        assert self.show(loaded, expression) == "spam spam 7"
        assert loaded.fork().execute(f"print({expression})").stdout == "spam spam 7"

    def test_where_it_is(self, loaded: eryx.Session) -> None:
        assert self.show(loaded, "spam.__file__") == f"/native/spam{SUFFIX}"

    def test_each_sandbox_has_its_own_variables(
        self, spam_directory: Path, spam: NativeModule
    ) -> None:
        first, second = session(spam_directory, spam), session(spam_directory, spam)
        program = "import spam; print(spam.count())"
        assert [one.execute(program).stdout for one in (first, second, first)] == ["1", "1", "2"]

    def test_a_sandbox_forgets_it_after_every_run(
        self, spam_directory: Path, spam: NativeModule
    ) -> None:
        sandbox = eryx.Sandbox(
            native_modules=[spam], volumes=[(str(spam_directory), "/native", True)]
        )
        program = "import sys; sys.path.append('/native'); import spam; print(spam.count())"
        assert [sandbox.execute(program).stdout for _ in range(3)] == ["1"] * 3

    def test_many_modules_in_one_sandbox(self, spam_directory: Path, tmp_path: Path) -> None:
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

    @pytest.mark.parametrize("exceptions", [True, False])
    def test_cplusplus(self, exceptions: bool, tmp_path: Path) -> None:
        module = native.translate(built(SOURCES / "eggs.cpp", tmp_path, exceptions=exceptions))
        assert [one.name for one in module.needed] == ["liberyx-c++.so"] * exceptions
        done = session(tmp_path, module).execute(
            "import eggs; print(eggs.count_words('b a one b'), eggs.area(5))"
        )
        assert done.stdout == "a=1 b=2 one=2 two=2  25"

    def test_copies_of_descriptors(self, tmp_path: Path) -> None:
        module = native.translate(built(SOURCES / "descriptors.c", tmp_path))
        done = session(tmp_path, module).execute(
            "import descriptors; print(descriptors.say('text'))"
        )
        assert done.stdout.split() == ["text0"]

    def test_cplusplus_with_the_library_of_the_guest(self, tmp_path: Path) -> None:
        """libc++ as modules of their own, which other modules of the sandbox share."""
        own = Path(native.__file__).with_name("libraries")
        libraries = [str(own / "libc++.so"), str(own / "libc++abi.so")]
        # Its interface is not the one that zig's headers have by themselves.
        flags = ["-Wno-macro-redefined", "-D_LIBCPP_ABI_VERSION=2", "-D_LIBCPP_ABI_NAMESPACE=__2"]
        built(SOURCES / "eggs.cpp", tmp_path, flags=flags, libraries=libraries, exceptions=False)
        module = native.translate(tmp_path / f"eggs{SUFFIX}")
        assert [needed.name for needed in module.needed] == ["libc++.so", "libc++abi.so"]
        done = session(tmp_path, module).execute(
            "import eggs; print(eggs.count_words('b a one b'), eggs.area(5))"
        )
        assert done.stdout == "a=1 b=2 one=2 two=2  25"


class TestPermission:
    """Only what the caller has made available is ever loaded."""

    def test_no_module_is_allowed_by_itself(self, spam_directory: Path) -> None:
        with pytest.raises(eryx.ExecutionError, match="may not load native modules") as caught:
            session(spam_directory).execute("import spam")
        assert caught.value.exc_type == "ImportError"
        assert f"/native/spam{SUFFIX}" in str(caught.value)

    def test_another_file_is_refused(
        self, spam_directory: Path, spam: NativeModule, tmp_path: Path
    ) -> None:
        data = (spam_directory / f"spam{SUFFIX}").read_bytes()
        (tmp_path / f"spam{SUFFIX}").write_bytes(data + b"\0\2\1a")
        with pytest.raises(eryx.ExecutionError, match="not one of the native modules"):
            session(tmp_path, spam).execute("import spam")

    def test_a_copy_that_the_guest_made_is_the_same_module(
        self, spam_directory: Path, spam: NativeModule
    ) -> None:
        """What counts is the content: the code comes from the host all the same."""
        made = session(spam_directory, spam)
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

    def test_fork(self, spam_directory: Path, spam: NativeModule) -> None:
        first = session(spam_directory, spam)
        first.execute("import spam; spam.count(); sort = spam.sort")
        second = first.fork()
        program = "print(spam.count(), sort(9, 8, 7))"
        assert second.execute(program).stdout == "2 (7, 8, 9, 'second')"
        first.close()
        assert second.execute(program).stdout == "3 (7, 8, 9, 'second')"

    def test_rollback_takes_a_module_away_and_brings_it_back(
        self, spam_directory: Path, spam: NativeModule
    ) -> None:
        made = session(spam_directory, spam)
        without = made.checkpoint()
        made.execute("import spam; spam.count()")
        with_module = made.checkpoint()
        made.rollback(without)
        assert made.execute("print('spam' in sys.modules)").stdout == "False"
        made.rollback(with_module)
        assert made.execute("print(spam.count(), spam.sort(3, 2, 1)[0])").stdout == "2 1"
        made.rollback(without)
        assert made.execute("import spam; print(spam.count())").stdout == "1"

    def test_file(self, spam_directory: Path, spam: NativeModule, tmp_path: Path) -> None:
        first = session(spam_directory, spam)
        first.execute("import spam; spam.count()")
        first.save(tmp_path / "state")
        second = session(spam_directory, spam)
        second.load(tmp_path / "state")
        assert second.execute("print(spam.count(), spam.sort(3, 2, 1)[0])").stdout == "2 1"

    def test_file_that_needs_a_module_which_is_not_allowed(
        self, spam_directory: Path, spam: NativeModule, tmp_path: Path
    ) -> None:
        first = session(spam_directory, spam)
        first.execute("import spam")
        first.save(tmp_path / "state")
        second = session(spam_directory)
        second.execute("x = 1")
        with pytest.raises(eryx.InitializationError, match=f"hash {spam.sha256[:12]}"):
            second.load(tmp_path / "state")
        assert second.execute("print(x)").stdout == "1"

    def test_reset(self, spam_directory: Path, spam: NativeModule) -> None:
        made = session(spam_directory, spam)
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
    def loaded(self, spam_directory: Path, spam: NativeModule) -> eryx.Session:
        made = session(spam_directory, spam)
        made.execute("import spam; spam.count()")
        return made

    @pytest.mark.parametrize(
        ("offset", "value", "message"),
        [
            (0, 0xFFFFFFFF, "damaged"),
            (0, 513, "damaged"),
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
            ("too_many()", "invalid function pointer"),
            ("other_result()", "invalid function pointer"),
        ],
    )
    def test_traps(self, spam_directory: Path, spam: NativeModule, call: str, message: str) -> None:
        sandbox = eryx.Sandbox(
            native_modules=[spam], volumes=[(str(spam_directory), "/native", True)]
        )
        program = "import sys; sys.path.append('/native'); import spam\n"
        with pytest.raises(eryx.ExecutionError, match=message):
            sandbox.execute(f"{program}spam.{call}")
        assert sandbox.execute(f"{program}print(spam.count())").stdout == "1"

    def test_endless_loop(self, spam_directory: Path, spam: NativeModule) -> None:
        made = session(
            spam_directory, spam, resource_limits=eryx.ResourceLimits(execution_timeout_ms=100)
        )
        with pytest.raises(eryx.TimeoutError):
            made.execute("import spam; spam.loop()")

    def test_fuel(self, spam_directory: Path, spam: NativeModule) -> None:
        made = session(spam_directory, spam, max_fuel=5_000_000)
        with pytest.raises(eryx.ResourceLimitError):
            made.execute("import spam; spam.loop()")

    def test_metered_and_plain_by_turns(self, spam_directory: Path, spam: NativeModule) -> None:
        """Its variables and its pointers to functions are the same to both."""
        made = session(spam_directory, spam)
        made.execute("import spam; functions = (spam.count, spam.only_self, spam.no_parameters)")
        program = "result = [function() for function in functions], spam.sort(3, 1, 2)"
        fuel = []
        for turn in range(1, 5):
            made.fuel_limit = None if turn % 2 else 5_000_000
            done = made.execute(program)
            assert done.result == [[turn, "spam", 7], [1, 2, 3, "second"]]
            fuel.append(done.fuel_consumed)
            with pytest.raises(eryx.ExecutionError, match="from native code"):
                made.execute("spam.fail()")
        assert [count is not None for count in fuel] == [False, True, False, True]

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
