"""The source of each run of a session stays with the code that it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import eryx

DEFINITIONS = '''\
import enum, inspect
def half(x):
    y = x  # of the first run
    return y / 0

class Point:
    """Of the first run."""
    x: int = 0
    def move(self): self.x += 1

class OwnError(Exception): kind = "first"

class Color(enum.Enum):
    red = "first"
'''
# Longer than the definitions, with other text on each line.
OTHER = "\n".join(f"other_{n} = {n}" for n in range(30))
SHOW = OTHER + "\nfor thing in (half, Point, OwnError, Color): print(inspect.getsource(thing))"
SOURCES = "\n".join(
    "".join(DEFINITIONS.splitlines(keepends=True)[first:last])
    for first, last in ((1, 4), (5, 9), (10, 11), (12, 14))
).rstrip()


def output(session: eryx.Session, code: str) -> str:
    return session.execute(code).stdout


def traceback_of(session: eryx.Session, code: str) -> str:
    with pytest.raises(eryx.ExecutionError) as caught:
        session.execute(code)
    return str(caught.value)


def forked(session: eryx.Session, directory: Path) -> eryx.Session:
    return session.fork()


def saved(session: eryx.Session, directory: Path) -> eryx.Session:
    session.save(directory / "session")
    other = eryx.Session()
    other.execute(OTHER)
    other.load(directory / "session")
    return other


def restored(session: eryx.Session, directory: Path) -> eryx.Session:
    other = eryx.Session()
    other.execute(OTHER)
    other.restore_state(session.snapshot_state())
    return other


def restored_twice(session: eryx.Session, directory: Path) -> eryx.Session:
    return restored(restored(session, directory), directory)


def rolled_back(session: eryx.Session, directory: Path) -> eryx.Session:
    before = session.checkpoint()
    session.execute("x = 1\ndef half(x): return 'another'\nclass Point: pass")
    session.rollback(before)
    return session


@pytest.fixture
def session() -> eryx.Session:
    made = eryx.Session()
    made.execute(DEFINITIONS)
    return made


WAYS = pytest.mark.parametrize("way", [forked, saved, restored, restored_twice, rolled_back])
Way = Callable[[eryx.Session, Path], eryx.Session]


class TestSourceOfEachRun:
    def test_traceback_shows_the_run_that_a_frame_is_of(self, session: eryx.Session) -> None:
        assert traceback_of(session, "# second\nname = 'a'\nprint(name)\nhalf(4)") == (
            'Traceback (most recent call last):\n  File "<user>", line 4, in <module>\n'
            "    half(4)\n    ~~~~^^^\n"
            '  File "<user>", line 4, in half\n    return y / 0\n           ~~^~~\n'
            "ZeroDivisionError: division by zero\n"
        )

    def test_getsource_of_functions_and_classes(self, session: eryx.Session) -> None:
        assert output(session, SHOW) == SOURCES

    @WAYS
    def test_state_that_went_elsewhere(
        self, session: eryx.Session, way: Way, tmp_path: Path
    ) -> None:
        other = way(session, tmp_path)
        assert output(other, "import inspect\n" + SHOW) == SOURCES
        assert "    return y / 0\n" in traceback_of(other, OTHER + "\nhalf(1)")

    def test_factory(self) -> None:
        factory = eryx.SandboxFactory(setup_code=DEFINITIONS)
        sandbox = factory.create_sandbox()
        assert sandbox.execute(SHOW).stdout == SOURCES
        with pytest.raises(eryx.ExecutionError, match=r'File "<setup>", line 4, in half\n +return'):
            sandbox.execute(OTHER + "\nhalf(1)")

    def test_warning_shows_the_line_of_its_run(self, session: eryx.Session) -> None:
        session.execute("import warnings\ndef warn():\n    warnings.warn('careful')")
        assert session.execute(OTHER + "\nwarn()").stderr == (
            "<user>:3: UserWarning: careful\n  warnings.warn('careful')"
        )

    def test_redefined_class_has_its_new_source(self, session: eryx.Session) -> None:
        for number in range(3):
            session.execute(f"class Again:\n    number = {number}")
        assert output(session, "print(inspect.getsource(Again))") == (
            "class Again:\n    number = 2"
        )

    def test_old_class_has_its_source_or_none(self, session: eryx.Session) -> None:
        session.execute("class A:\n    def f(self): return 1\nold = A")
        session.execute("class A:\n    def f(self): return 2")
        assert "return 1" in output(session, "print(inspect.getsource(old))")
        session.execute("class B: number = 1\nold = B")
        session.execute("class B: number = 2")
        with pytest.raises(eryx.ExecutionError, match="OSError: source code not available"):
            session.execute("inspect.getsource(old)")

    def test_name_is_the_callers_everywhere(self, session: eryx.Session) -> None:
        code = (
            "import logging, sys, traceback\nlogging.basicConfig(stream=sys.stdout,"
            " format='%(pathname)s %(filename)s %(message)s')\nlogging.error('said')\n"
            "print(half.__code__.co_filename, inspect.getfile(half), inspect.getfile(Point))\n"
            "try: half(1)\nexcept ZeroDivisionError as e: trace = e.__traceback__\n"
            "print(*traceback.extract_tb(trace), sep='\\n')"
        )
        assert output(session, code).splitlines() == [
            "<user> <user> said",
            "<user> <user> <user>",
            "<FrameSummary file <user>, line 5 in <module>>",
            "<FrameSummary file <user>, line 4 in half>",
        ]

    def test_code_can_be_marshalled_pickled_and_profiled(self, session: eryx.Session) -> None:
        code = """
import cProfile, copy, io, marshal, pickle, pstats, types
name = Point.move.__code__.co_filename
assert marshal.loads(marshal.dumps(Point.move.__code__)).co_filename == "<user>"
stream = io.BytesIO()
marshal.dump({"code": [half.__code__, (1, {name})]}, stream)
assert list(marshal.loads(stream.getvalue())["code"][1][1]) == ["<user>"]
for copied in (pickle.loads(pickle.dumps(name)), copy.deepcopy(name)):
    assert type(copied) is str and copied == "<user>"
profile = cProfile.Profile()
profile.runcall(Point().move)
profile.dump_stats("/tmp/profile")
print(*sorted(pstats.Stats("/tmp/profile").stats)[0])
try: marshal.dumps(object())
except ValueError as error: print(error)
"""
        assert output(session, code).splitlines() == [
            "<user> 9 move",
            "unmarshallable object",
        ]

    def test_sources_go_with_their_code(self, session: eryx.Session) -> None:
        comment = "#" * 200_000
        before = session.execute("import gc\ngc.collect()").peak_memory_bytes
        for _ in range(60):
            session.execute(f"def replaced(): pass\n{comment}")
            session.execute(f"class Replaced: pass\n{comment}")
        assert before is not None
        after = session.execute("").peak_memory_bytes
        assert after is not None
        assert after < before + 3_000_000
        assert "of the first run" in output(session, "print(inspect.getsource(half))")
