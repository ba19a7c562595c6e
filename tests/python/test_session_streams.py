"""The standard streams of a session: as good as new in each run, whatever the one before did."""

from __future__ import annotations

import pytest

import eryx

# What a run does to its streams, and nothing of it may be left in the next one.
CHANGES = {
    "replace": "import io, sys; sys.stdout = io.StringIO(); sys.stdin = sys.stderr = None",
    "replace both": "import sys; sys.stdout = sys.__stdout__ = sys.stderr",
    "delete": "import sys; del sys.stdout, sys.__stdin__",
    "close": "import sys; sys.stdout.close(); sys.stdin.close()",
    "close the raw ones": "import sys; sys.stdout.buffer.close(); sys.stdin.buffer.raw.close()",
    "detach": "import sys; sys.stdout.detach(); sys.stdin.buffer.detach()",
    "line ends": "import sys; sys.stdout.reconfigure(newline='\\r\\n')",
    "encoding": "import sys\nsys.stdout.reconfigure(encoding='utf-16')\n"
    "sys.stdin.reconfigure(encoding='utf-16', errors='strict')",
    "buffering": "import sys; sys.stdout.reconfigure(write_through=False, line_buffering=True)",
    "method": "import sys; sys.stdout.write = lambda text: len(text)",
    "method of the raw one": "import sys; sys.stdout.buffer.write = len",
    "method of the buffer": "import sys; sys.stdin.buffer.read1 = lambda size: b'made up'",
    "name": "import sys; sys.stdout.mode = 'x'; sys.stdout.buffer.name = 'another'",
    "read on": "import sys; sys.stdin.readline(); sys.stdin.read(1)",
    "peek": "import sys; sys.stdin.buffer.peek()",
    "read to the end": "import sys; sys.stdin.read()",
}
LOOK = r"""
import sys
assert sys.stdin is sys.__stdin__ and sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__
sys.stdout.write(f"{sys.stdout!r} {sys.stdin!r} {sys.stdin.errors} {sys.stdin.read()!r}\n")
sys.stderr.write(f"{sys.stderr!r} {sys.stderr.line_buffering} {sys.stdout.write_through}\n")
"""


def look(session: eryx.Session) -> tuple[bytes, bytes]:
    """What a program sees and writes."""
    done = session.execute(LOOK, stdin="ä\r\nsecond")
    return done.stdout_bytes, done.stderr_bytes


class TestStreamsOfASession:
    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
    def test_are_fresh_after_a_run_that_changed_them(self, change: str) -> None:
        with eryx.Session() as session:
            fresh = look(session)
            assert b"second" in fresh[0]
            assert b"stderr" in fresh[1]
            session.execute(change, stdin="first\nrest of it")
            assert look(session) == fresh

    def test_are_fresh_after_a_run_that_was_stopped(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=100)
        with eryx.Session(resource_limits=limits) as session:
            fresh = look(session)
            with pytest.raises(eryx.TimeoutError):
                session.execute("import sys; sys.stdin.readline(); sys.stdout = None\nwhile 1: 1")
            assert look(session) == fresh

    def test_are_the_same_objects_while_nothing_changes_them(self) -> None:
        with eryx.Session() as session:
            session.execute("import sys")  # the first run has those of the image
            session.execute("kept = sys.stdin, sys.stdout, sys.stderr; print('some')")
            code = "result = kept[0] is sys.stdin, kept[1] is sys.stdout, kept[2] is sys.stderr"
            assert session.execute(code).result == [True, True, True]

    def test_that_were_kept_can_be_written_to_when_there_are_others(self) -> None:
        with eryx.Session() as session:
            session.execute("import sys")  # the first run has those of the image
            session.execute("kept = sys.stdout; sys.stdout = None")
            assert session.execute("kept.write('old '); print('new')").stdout == "old new"

    def test_of_a_fork_are_its_own(self) -> None:
        with eryx.Session() as session:
            session.execute("import sys")
            with session.fork() as other:
                other.execute("sys.stdin.readline(); sys.stdout = None", stdin="a\nb\n")
                assert session.execute("print(sys.stdin.read())", stdin="c").stdout == "c"
                assert other.execute("print(sys.stdin.read())", stdin="d").stdout == "d"

    def test_text_that_was_held_back_is_written_at_the_end(self) -> None:
        with eryx.Session() as session:
            code = "import sys; sys.stdout.reconfigure(write_through=False)\nprint('held')"
            assert session.execute(code).stdout == "held"
            code = "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)\nprint('own')"
            assert session.execute(code).stdout == "own"
            assert session.execute("print('after it')").stdout == "after it"
