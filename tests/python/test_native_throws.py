"""C++ exceptions and longjmp() in native modules."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

import eryx
from eryx import native
from native_helpers import SOURCES, built, session

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

UNCAUGHT = "an exception that nothing catches"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("throws")
    for name in ("bacon.cpp", "toast.cpp", "leap.c"):
        built(SOURCES / name, made)
    return made


@pytest.fixture(scope="module")
def modules(directory: Path) -> list[native.NativeModule]:
    return [native.translate(path) for path in sorted(directory.glob("*.so"))]


@pytest.fixture
def loaded(directory: Path, modules: list[native.NativeModule]) -> eryx.Session:
    made = session(directory, *modules)
    made.execute("import bacon, toast, leap")
    return made


def show(session: eryx.Session, expression: str) -> str:
    return session.execute(f"print({expression})").stdout


class TestExceptions:
    def test_by_type_with_destructors_on_the_way(self, loaded: eryx.Session) -> None:
        assert show(loaded, "*(bacon.catch_kind(kind, 20) for kind in range(5))") == (
            "('int 7', 22) ('too far', 22) ('special 3', 22) ('string text', 22) ('something', 22)"
        )

    def test_thrown_again(self, loaded: eryx.Session) -> None:
        assert show(loaded, "*map(bacon.rethrown, range(4))") == (
            "int 7 too far special 3 string text"
        )

    def test_by_the_library(self, loaded: eryx.Session) -> None:
        assert show(loaded, "bacon.from_library()") == "vector, stoi: no conversion"

    def test_by_another_module(self, loaded: eryx.Session) -> None:
        """Also of types that each module describes by itself."""
        assert show(loaded, "*(toast.caught(bacon.thrower(), kind) for kind in range(5))") == (
            "int 7 too far special string text plain 4"
        )

    def test_modules_share_the_library(self, modules: list[native.NativeModule]) -> None:
        by_name = {module.name.partition(".")[0]: module for module in modules}
        (library,) = by_name["bacon"].needed
        assert library.name == "liberyx-c++.so"
        assert by_name["toast"].needed == (library,)
        assert by_name["leap"].needed == ()

    def test_nothing_catches(self, loaded: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError, match=UNCAUGHT):
            loaded.execute("bacon.raise_kind(1)")
        loaded.reset()
        loaded.execute("import sys; sys.path.append('/native'); import bacon")
        assert show(loaded, "bacon.catch_kind(1, 0)") == "('too far', 2)"

    def test_many(self, loaded: eryx.Session) -> None:
        assert show(loaded, "bacon.times(200_000)") == "200000"

    def test_python_inside_of_a_try(self, loaded: eryx.Session) -> None:
        assert show(loaded, "bacon.around(lambda: 1), bacon.around(lambda: 1 / 0)") == (
            "special 9 Python failed"
        )

    def test_a_try_inside_of_a_try_inside_of_python(self, loaded: eryx.Session) -> None:
        program = "bacon.around(lambda: toast.caught(bacon.thrower(), 0) + bacon.rethrown(2))"
        assert show(loaded, program) == "special 9"


class TestState:
    """The host comes and goes in the middle of a try."""

    def test_other_sandboxes_and_copies_meanwhile(
        self, directory: Path, modules: list[native.NativeModule]
    ) -> None:
        """A callback runs while a module is in a try; so do others on the same thread."""
        other = session(directory, *modules)
        other.execute("import bacon, leap")
        seen: list[str] = []

        def callback() -> None:
            seen.append(other.execute("print(bacon.rethrown(1))").stdout)
            copy = other.fork()
            with pytest.raises(eryx.ExecutionError, match=UNCAUGHT):
                copy.execute("bacon.raise_kind(0)")
            seen.append(other.execute("print(leap.returned(4, 2))").stdout)

        made = session(directory, *modules, callbacks=[{"name": "meanwhile", "fn": callback}])
        made.execute("import bacon")
        program = "print(bacon.around(meanwhile.sync))"
        assert made.execute(program).stdout == "special 9"
        assert seen == ["too far", "(4, 2)"]

    def test_copies_of_the_sandbox_that_is_in_a_try(
        self, directory: Path, modules: list[native.NativeModule], tmp_path: Path
    ) -> None:
        """Frames of native code are not in a copy: while a run is on there is an error that says
        so, and the throw still finds its catch."""
        made = session(
            directory, *modules, callbacks=[{"name": "meanwhile", "fn": lambda: attempt()}]
        )
        made.execute("import bacon")
        saved = made.checkpoint()
        refused: list[str] = []

        def attempt() -> None:
            for action in (
                made.fork,
                made.checkpoint,
                made.reset,
                lambda: made.rollback(saved),
                lambda: made.save(tmp_path / "state"),
                lambda: made.execute("bacon.rethrown(1)"),
            ):
                with pytest.raises(eryx.EryxError) as caught:
                    action()
                refused.append(str(caught.value))

        program = "caught = bacon.around(meanwhile.sync); print(caught)"
        assert made.execute(program).stdout == "special 9"
        assert refused == ["the sandbox is already running code that waits for this function"] * 6
        assert not (tmp_path / "state").exists()
        # When the run is over there are copies, which have what came of it.
        assert made.fork().execute("print(caught, bacon.rethrown(1))").stdout == "special 9 too far"
        made.rollback(saved)
        assert made.execute("print(bacon.rethrown(2))").stdout == "special 3"

    def test_run_that_is_suspended_in_a_try(
        self, directory: Path, modules: list[native.NativeModule]
    ) -> None:
        """It is run again with its journal, through the try as well."""
        answers: list[str] = []

        def ask() -> str:
            if not answers:
                raise eryx.SuspendCallback("not yet")
            return answers[0]

        made = eryx.Sandbox(
            callbacks=[{"name": "ask", "fn": ask}],
            native_modules=modules,
            volumes=[(str(directory), "/native", True)],
        )
        program = """
import sys
sys.path.append("/native")
import bacon
seen = []
print(bacon.around(lambda: seen.append(ask.sync())), seen)
"""
        first = made.execute_with_journal(program)
        assert first.suspended
        answers.append("yes")
        second = made.execute_with_journal(program, first.journal)
        assert second.result is not None
        assert second.result.stdout == "special 9 ['yes']"

    def test_a_variable_of_a_thread_may_have_a_destructor(self, loaded: eryx.Session) -> None:
        assert show(loaded, "toast.remembered(1), toast.remembered(22)") == "1; 1;22;"

    def test_threads_are_in_a_try_each(self, loaded: eryx.Session) -> None:
        """A throw goes to the try of the thread that it is in, whichever was entered last."""
        program = """
            import threading, time
            caught = []
            def work(number):
                for turn in range(10):
                    def switch():
                        time.sleep(0.001 * ((number * 7 + turn) % 5))
                        if (number + turn) % 2:
                            raise ValueError
                    caught.append((number, bacon.around(switch), leap.returned(number, 3)))
            threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print(len(caught), sorted({row for row in caught}))
        """
        said = loaded.execute(textwrap.dedent(program)).stdout
        expected = sorted(
            (number, what, (number, 2))
            for number in range(1, 6)
            for what in ("special 9", "Python failed")
        )
        assert said == f"50 {expected}"

    def test_fork_checkpoint_rollback_and_save(
        self,
        loaded: eryx.Session,
        directory: Path,
        modules: list[native.NativeModule],
        tmp_path: Path,
    ) -> None:
        loaded.execute("caught = bacon.catch_kind(2, 3)")
        saved = loaded.checkpoint()
        copy = loaded.fork()
        loaded.execute("caught = None")
        loaded.rollback(saved)
        loaded.save(tmp_path / "state")
        again = session(directory, *modules)
        again.load(tmp_path / "state")
        for each in (loaded, copy, again):
            assert show(each, "caught, bacon.rethrown(1), leap.returned(3, 9)") == (
                "('special 3', 5) too far (3, 2)"
            )

    def test_timeout_inside_of_a_try(self, loaded: eryx.Session) -> None:
        loaded.execution_timeout_ms = 200
        with pytest.raises(eryx.TimeoutError):
            loaded.execute("def f():\n while True: pass\nbacon.around(f)")
        loaded.reset()
        loaded.execute("import sys; sys.path.append('/native'); import bacon")
        with pytest.raises(eryx.ExecutionError, match=UNCAUGHT):
            loaded.execute("bacon.raise_kind(2)")


class TestLongJumps:
    def test_back_to_the_place(self, loaded: eryx.Session) -> None:
        assert show(loaded, "leap.returned(7, 0), leap.returned(8, 50), leap.returned(0, 1)") == (
            "(7, 2) (8, 2) (1, 2)"
        )

    def test_the_place_that_is_meant(self, loaded: eryx.Session) -> None:
        assert show(loaded, "leap.nested()") == "(5, 1)"

    def test_function_that_has_returned(self, loaded: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError, match=UNCAUGHT):
            loaded.execute("leap.stale()")

    def test_many(self, loaded: eryx.Session) -> None:
        assert show(loaded, "leap.times(200_000)") == "200000"
