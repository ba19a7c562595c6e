"""Session: one interpreter that lives on."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import eryx
from conftest import open_descriptors, private_bytes

STUBBORN = """
while True:
    try:
        while True: pass
    except BaseException: pass
"""


@pytest.fixture
def session() -> eryx.Session:
    return eryx.Session()


def output(session: eryx.Session, code: str) -> str:
    return session.execute(code).stdout


class TestSession:
    def test_state_is_kept(self, session: eryx.Session) -> None:
        session.execute("import math\nx = 2\ndef f(y): return x * y\nclass A:\n    z = 5\na = A()")
        assert output(session, "x += 1; print(f(4), A().z, a.z, math.pi > 3)") == "12 5 5 True"

    def test_sessions_share_nothing(self, session: eryx.Session) -> None:
        session.execute("x = 1; import sys; sys.secret = 1; open('/data/f', 'w').write('f')")
        other = eryx.Session()
        assert output(
            other, "import sys, os; print(hasattr(sys, 'secret'), os.listdir('/data'))"
        ) == ("False []")

    def test_execution_count(self, session: eryx.Session) -> None:
        assert session.execution_count == 0
        session.execute("1")
        with pytest.raises(eryx.ExecutionError):
            session.execute("1/0")
        with pytest.raises(eryx.ExecutionError):
            session.execute("not python at all")
        assert session.execution_count == 3
        assert repr(session) == "Session(execution_count=3)"

    def test_failed_run_leaves_earlier_state(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        with pytest.raises(eryx.ExecutionError, match="ZeroDivisionError"):
            session.execute("x = 2; y = 1 / 0")
        assert output(session, "print(x)") == "2"

    def test_result_variable_is_of_one_run(self, session: eryx.Session) -> None:
        assert session.execute("result = [1]").result == [1]
        assert session.execute("x = 1").result is None

    def test_soft_timeout_keeps_state(self, session: eryx.Session) -> None:
        session.execute("x = 41")
        session.execution_timeout_ms = 50
        with pytest.raises(eryx.TimeoutError):
            session.execute("x += 1\nwhile True: pass")
        assert output(session, "print(x)") == "42"

    def test_hard_timeout_needs_reset(self, session: eryx.Session) -> None:
        session.execution_timeout_ms = 50
        with pytest.raises(eryx.TimeoutError):
            session.execute(STUBBORN)
        with pytest.raises(eryx.InitializationError, match="reset"):
            session.execute("print(1)")
        with pytest.raises(eryx.InitializationError, match="reset"):
            session.snapshot_state()
        with pytest.raises(eryx.InitializationError, match="reset"):
            session.fork()
        session.reset()
        assert output(session, "print(1)") == "1"

    def test_crash_needs_reset(self, session: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError):
            session.execute("import os; os._exit(3)")
        with pytest.raises(eryx.InitializationError, match="reset"):
            session.execute("print(1)")
        session.reset()
        assert output(session, "print(1)") == "1"

    def test_system_exit_keeps_state(self, session: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            session.execute("x = 1\nimport sys\nsys.exit(4)")
        assert caught.value.exit_code == 4
        assert output(session, "print(x)") == "1"

    def test_timeout_attribute(self, session: eryx.Session) -> None:
        assert session.execution_timeout_ms == 30_000
        session.execution_timeout_ms = None
        assert session.execution_timeout_ms is None
        session.execution_timeout_ms = 7
        assert session.execution_timeout_ms == 7
        with pytest.raises(ValueError, match="negative"):
            session.execution_timeout_ms = -1
        with pytest.raises(TypeError):
            session.execution_timeout_ms = "7"  # type: ignore[assignment]
        assert session.execution_timeout_ms == 7

    def test_limits_are_those_of_a_sandbox_if_nothing_is_said(self, session: eryx.Session) -> None:
        grow = "x = 1; b = bytearray(130_000_000)"
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            session.execute(grow)
        many = "for n in range(17_000): open(f'/tmp/{n}', 'w').close()"
        with pytest.raises(eryx.ExecutionError, match="No space left"):
            session.execute(many)
        flood = session.execute("print('x' * 17_000_000)")
        assert flood.stdout_truncated
        assert output(session, "print(x)") == "1"

    def test_limits_come_from_the_constructor(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=5, max_fuel=6)
        session = eryx.Session(resource_limits=limits)
        assert (session.execution_timeout_ms, session.fuel_limit) == (5, 6)
        session = eryx.Session(resource_limits=limits, execution_timeout_ms=None, max_fuel=7)
        assert (session.execution_timeout_ms, session.fuel_limit) == (None, 7)
        assert limits.execution_timeout_ms == 5
        with pytest.raises(TypeError):
            eryx.Session(resource_limits=5)  # type: ignore[arg-type]

    def test_fuel_is_of_each_run(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        session.fuel_limit = 300_000
        for _ in range(3):
            session.execute("for n in range(1000): pass")
        with pytest.raises(eryx.ResourceLimitError, match="fuel"):
            session.execute("while True: pass")
        assert output(session, "print(x)") == "1"
        session.fuel_limit = None
        assert session.fuel_limit is None
        session.execute("for n in range(100_000): pass")
        session.fuel_limit = 1_000
        with pytest.raises(eryx.ResourceLimitError, match="the limit is 1000"):
            session.execute("print(2)")

    def test_stubborn_program_without_fuel_needs_reset(self, session: eryx.Session) -> None:
        session.fuel_limit = 300_000
        with pytest.raises(eryx.ResourceLimitError, match="fuel"):
            session.execute(STUBBORN)
        with pytest.raises(eryx.InitializationError, match="reset"):
            session.execute("print(1)")

    def test_memory_limit_is_kept(self) -> None:
        session = eryx.Session(resource_limits=eryx.ResourceLimits(max_memory_bytes=50_000_000))
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            session.execute("x = 1; b = bytearray(60_000_000)")
        assert output(session, "print(x)") == "1"

    def test_reset(self, session: eryx.Session) -> None:
        session.execute("x = 1; open('/data/f', 'w').write('f')")
        session.reset()
        assert session.execution_count == 0
        assert (
            output(session, "import os; print('x' in globals(), os.listdir('/data'))") == "False []"
        )

    def test_clear_state(self, session: eryx.Session) -> None:
        session.execute(
            "import json\nx = 1\n_y = 2\ndef f(): pass\nopen('/data/f', 'w').write('f')"
        )
        session.clear_state()
        assert (
            output(
                session,
                "print([n for n in globals() if not n.startswith('__')], __name__)\n"
                "print(open('/data/f').read(), len([1]))",
            )
            == "[] __main__\nf 1"
        )
        assert session.execution_count == 2

    def test_callbacks_stay(self) -> None:
        def add(n: int) -> int:
            return n + 1

        session = eryx.Session(callbacks=[{"name": "add", "fn": add, "description": "Adds one"}])
        call = "print(await add(1), await add(2))"
        session.execute("x = await add(1)")
        session.clear_state()
        before = session.checkpoint()
        for one in (session, session.fork()):
            done = one.execute(call)
            assert (done.stdout, done.callback_invocations) == ("2 3", 2)
        session.rollback(before)
        assert output(session, call) == "2 3"
        session.reset()
        assert output(session, call) == "2 3"

    def test_cleared_objects_are_finalised(self, session: eryx.Session) -> None:
        session.execute(
            "class A:\n    def __del__(self): open('/data/gone', 'w').write('1')\na = A()"
        )
        session.clear_state()
        assert output(session, "print(open('/data/gone').read())") == "1"

    def test_tracebacks_name_the_right_lines(self, session: eryx.Session) -> None:
        session.execute("def f():\n    raise ValueError('from the first run')")
        with pytest.raises(eryx.ExecutionError) as caught:
            session.execute("x = 1\n\nf()")
        assert "raise ValueError('from the first run')" in caught.value.traceback
        assert "line 3" in caught.value.traceback

    def test_tasks_and_await(self, session: eryx.Session) -> None:
        session.execute(
            "import asyncio\nasync def f():\n    await asyncio.sleep(0.001)\n    return 5"
        )
        assert output(session, "print(await f())") == "5"

    def test_asynchronous_runs(self, session: eryx.Session) -> None:
        async def main() -> list[str]:
            await session.execute_async("x = []")
            await asyncio.gather(*(session.execute_async(f"x.append({n})") for n in range(5)))
            return [(await session.execute_async("print(x)")).stdout]

        assert asyncio.run(main()) == ["[0, 1, 2, 3, 4]"]

    def test_threads_take_turns(self, session: eryx.Session) -> None:
        session.execute("x = 0")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: session.execute("y = x; y += 1; x = y"), range(100)))
        assert output(session, "print(x)") == "100"

    def test_cancel_keeps_state(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        timer = threading.Timer(0.05, session.cancel)
        timer.start()
        with pytest.raises(eryx.CancelledError):
            session.execute("x = 2\nwhile True: pass")
        timer.join()
        assert output(session, "print(x)") == "2"

    def test_handlers_get_output(self) -> None:
        pieces: list[str] = []
        session = eryx.Session(on_stdout=pieces.append)
        session.execute("print(1)")
        session.fork().execute("print(2)")
        assert "".join(pieces) == "1\n2\n"

    def test_close(self, session: eryx.Session) -> None:
        with session as same:
            assert same is session
            session.execute("x = 1")
        session.close()
        session.cancel()
        for use in (
            lambda: session.execute("1"),
            session.reset,
            session.clear_state,
            session.fork,
            session.checkpoint,
            session.snapshot_state,
        ):
            with pytest.raises(eryx.EryxError, match="closed"):
                use()
        assert repr(session) == "Session(execution_count=1)"

    @pytest.mark.parametrize("end", ["close", "dropped"])
    def test_memory_is_given_back(self, end: str) -> None:
        def use() -> None:
            session = eryx.Session()
            session.execute("x = bytearray(5_000_000)")
            if end == "close":
                session.close()

        for _ in range(20):
            use()
        before, descriptors = private_bytes(), open_descriptors()
        for _ in range(1_000):
            use()
        assert private_bytes() - before < 20_000_000
        assert open_descriptors() == descriptors

    def test_trim_gives_back_what_is_kept(self) -> None:
        for session in [eryx.Session() for _ in range(8)]:
            session.execute("x = list(range(50_000))")
        del session
        before = private_bytes()
        eryx.trim()
        assert private_bytes() < before - 2**20
        assert output(eryx.Session(), "print(1)") == "1"

    def test_arguments_are_named(self) -> None:
        parameters = inspect.signature(eryx.Session).parameters.values()
        assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
        names = {parameter.name for parameter in parameters}
        assert names >= set(inspect.signature(eryx.Sandbox).parameters)
        assert names >= {
            "vfs",
            "vfs_mount_path",
            "execution_timeout_ms",
            "max_fuel",
            "transactional",
        }
        with pytest.raises(TypeError):
            eryx.Session(None)  # type: ignore[call-arg]

    def test_sqlite_database(self, session: eryx.Session) -> None:
        session.execute(
            "import sqlite3\nc = sqlite3.connect('/data/d.db')\n"
            "c.execute('create table t (x)'); c.execute('insert into t values (1)'); c.commit()"
        )
        session.execute("c.execute('insert into t values (2)'); c.rollback()")
        assert output(session, "print(c.execute('select x from t').fetchall())") == "[(1,)]"

    def test_vfs_attributes_without_one(self, session: eryx.Session) -> None:
        assert session.vfs is None
        assert session.vfs_mount_path is None


class TestTransactional:
    def test_failed_run_is_undone(self) -> None:
        session = eryx.Session(transactional=True)
        session.execute("x = 1; open('/data/f', 'w').write('a')")
        with pytest.raises(eryx.ExecutionError):
            session.execute("x = 2; open('/data/f', 'w').write('b'); 1 / 0")
        assert output(session, "print(x, open('/data/f').read())") == "1 a"
        assert session.execution_count == 3

    def test_crash_is_undone(self) -> None:
        session = eryx.Session(transactional=True)
        session.execute("x = 1")
        with pytest.raises(eryx.ExecutionError):
            session.execute("x = 2; import os; os._exit(1)")
        assert output(session, "print(x)") == "1"

    def test_restoring_that_does_not_end_is_undone(self) -> None:
        hostile = eryx.Session()
        hostile.execute(
            "class Endless:\n"
            f"    def __reduce__(self): return exec, ({STUBBORN!r},)\n"
            "endless = Endless()"
        )
        snapshot = hostile.snapshot_state()
        code = "x = 1; open('/data/f', 'w').write('a')"
        plain = eryx.Session(execution_timeout_ms=50)
        session = eryx.Session(transactional=True, execution_timeout_ms=50)
        for one in (plain, session):
            one.execute(code)
            with pytest.raises(eryx.TimeoutError):
                one.restore_state(snapshot)
        with pytest.raises(eryx.InitializationError, match="reset"):
            plain.execute("print(x)")
        assert output(session, "print(x, open('/data/f').read())") == "1 a"
        assert session.execution_count == 2

    def test_hard_timeout_is_undone(self) -> None:
        session = eryx.Session(transactional=True, execution_timeout_ms=50)
        session.execute("x = 1")
        with pytest.raises(eryx.TimeoutError):
            session.execute("x = 2\n" + STUBBORN)
        assert output(session, "print(x)") == "1"

    def test_given_up_run_is_undone(self) -> None:
        session = eryx.Session(transactional=True)
        session.execute("x = 1")

        async def main() -> None:
            await asyncio.wait_for(
                session.execute_async("x = 2; import time; time.sleep(60)"), 0.05
            )

        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert output(session, "print(x)") == "1"


class TestLiveState:
    def test_fork_has_what_cannot_be_pickled(self, session: eryx.Session) -> None:
        session.execute(
            "import threading\ng = (n for n in range(9)); next(g)\nlock = threading.Lock()\n"
            "lock.acquire()\nf = open('/data/f', 'w+'); f.write('one'); f.flush()"
        )
        fork = session.fork()
        assert fork.execution_count == 1
        code = "print(next(g), lock.locked()); f.write('two'); f.seek(0); print(f.read())"
        assert output(fork, code) == "1 True\nonetwo"
        assert output(session, "print(next(g), open('/data/f').read())") == "1 one"

    def test_forks_draw_other_random_numbers(self, session: eryx.Session) -> None:
        session.execute("import random, uuid, os")
        code = "print(random.random(), uuid.uuid4(), os.urandom(8).hex())"
        lines = [output(session.fork(), code) for _ in range(5)]
        parts = [set(column) for column in zip(*(line.split() for line in lines), strict=True)]
        assert [len(part) for part in parts] == [5, 5, 5]

    def test_forks_name_temporary_files_differently(self, session: eryx.Session) -> None:
        session.execute("import tempfile; tempfile.mktemp()")
        names = {output(session.fork(), "print(tempfile.mktemp())") for _ in range(5)}
        assert len(names) == 5

    def test_random_numbers_of_a_fork_whose_first_run_is_undone(self) -> None:
        session = eryx.Session(transactional=True)
        session.execute("import random; random.seed(1)")
        fork = session.fork()
        with pytest.raises(eryx.ExecutionError):
            fork.execute("1 / 0")
        draw = "print(random.random())"
        assert output(fork, draw) != output(session, draw)

    def test_fork_has_limits_of_its_own(self, session: eryx.Session) -> None:
        session.execution_timeout_ms = 5_000
        fork = session.fork()
        fork.execution_timeout_ms = 50
        assert session.execution_timeout_ms == 5_000
        with pytest.raises(eryx.TimeoutError):
            fork.execute("while True: pass")

    def test_many_forks(self, session: eryx.Session) -> None:
        session.execute("x = bytearray(b'x' * 3_000_000)")
        forks = [session.fork() for _ in range(30)]
        for number, fork in enumerate(forks):
            fork.execute(f"x[{number}] = 1")
        assert [output(fork, "print(x.index(1), x.count(1))") for fork in forks] == [
            f"{number} 1" for number in range(30)
        ]
        assert output(session, "print(x.count(1))") == "0"

    def test_large_buffers_are_shared(self) -> None:
        limits = eryx.ResourceLimits(max_memory_bytes=2**29)
        session = eryx.Session(resource_limits=limits)
        session.execute("b = bytearray(b'x') * 100_000_000")
        first = session.fork()
        before = private_bytes()
        forks = [first.fork() for _ in range(20)]
        assert private_bytes() - before < 60_000_000
        assert {output(fork, "print(b[0], b[-1], len(b))") for fork in forks} == {
            "120 120 100000000"
        }

    def test_rollback(self, session: eryx.Session) -> None:
        session.execute("x = 1; g = iter(range(9)); next(g)")
        checkpoint = session.checkpoint()
        for _ in range(3):
            assert output(session, "x += 1; print(x, next(g))") == "2 1"
            session.rollback(checkpoint)
            assert session.execution_count == 1
        assert "execution_count=1" in repr(checkpoint)

    def test_rollback_after_crash_and_reset(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        checkpoint = session.checkpoint()
        with pytest.raises(eryx.ExecutionError):
            session.execute("import os; os._exit(1)")
        session.rollback(checkpoint)
        assert output(session, "print(x)") == "1"
        session.reset()
        session.rollback(checkpoint)
        assert output(session, "print(x)") == "1"
        with pytest.raises(TypeError):
            session.rollback(None)  # type: ignore[arg-type]

    def test_threads_share_a_checkpoint(self, session: eryx.Session) -> None:
        session.execute("import os\nfor n in range(20): open(f'/data/{n}', 'w').write('x')")
        checkpoint = session.checkpoint()

        def go_back(fork: eryx.Session) -> str:
            for _ in range(30):
                fork.rollback(checkpoint)
            return output(
                fork, "print(sum(os.path.getsize('/data/' + n) for n in os.listdir('/data')))"
            )

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(go_back, [session.fork() for _ in range(4)])) == {"20"}

    def test_checkpoint_belongs_to_its_process(self, child: object) -> None:
        assert callable(child)
        code = """
            import os, eryx
            session = eryx.Session()
            checkpoint = session.checkpoint()
            if os.fork() == 0:
                try:
                    eryx.Session().rollback(checkpoint)
                except eryx.EryxError as error:
                    print(error, flush=True)
                os._exit(0)
            os.wait()
            session.rollback(checkpoint)
            print(session.execute("print(1)").stdout)
        """
        assert child(code) == "the checkpoint belongs to the parent of this process\n1"

    def test_checkpoints_do_not_pile_up(self, session: eryx.Session) -> None:
        session.execute("b = bytearray(b'x') * 20_000_000")
        session.checkpoint()
        before, descriptors = private_bytes(), open_descriptors()
        for _ in range(30):
            session.execute("b[::4096] = b'y' * len(b[::4096])")
            session.checkpoint()
        assert private_bytes() - before < 60_000_000
        assert open_descriptors() - descriptors <= 4

    def test_save_and_load(self, session: eryx.Session, tmp_path: Path) -> None:
        session.execute(
            "import os, tempfile\nx = {1: 'a'}\ng = iter(range(9)); next(g)\n"
            "f = open('/data/f', 'w+'); f.write('one'); f.flush()\n"
            "os.mkdir('/tmp/d'); os.link('/data/f', '/tmp/d/h'); os.symlink('f', '/data/s')\n"
            "t = tempfile.TemporaryFile(); t.write(b'gone'); t.flush()\n"
            "rest = os.scandir('/data'); names = [next(rest).name]"
        )
        path = tmp_path / "state"
        session.save(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_size < 4_000_000
        assert [entry.name for entry in tmp_path.iterdir()] == ["state"]
        other = eryx.Session()
        other.load(path)
        assert (
            output(
                other,
                "print(x, next(g)); f.write('!'); f.seek(0)\n"
                "print(f.read(), open('/data/s').read())\n"
                "t.seek(0); print(t.read(), os.stat('/tmp/d/h').st_nlink)\n"
                "print(sorted(names + [e.name for e in rest]))",
            )
            == "{1: 'a'} 1\none! one!\nb'gone' 2\n['f', 's']"
        )

    def test_load_goes_on_in_another_process(
        self, session: eryx.Session, tmp_path: Path, child: object
    ) -> None:
        session.execute("b = bytearray(b'x') * 5_000_000; n = (i for i in range(3)); next(n)")
        session.fork().save(tmp_path / "state")
        assert callable(child)
        code = f"""
            import eryx
            session = eryx.Session()
            session.load({str(tmp_path / "state")!r})
            print(session.execute("print(b.count(b'x'), next(n))").stdout)
        """
        assert child(code) == "5000000 1"

    def test_load_refuses_what_does_not_fit(self, tmp_path: Path) -> None:
        path = tmp_path / "state"
        small = eryx.Session(resource_limits=eryx.ResourceLimits(max_memory_bytes=30_000_000))
        small.execute("x = 1")
        with pytest.raises(eryx.InitializationError, match="No such file"):
            small.load(path)
        with pytest.raises(eryx.InitializationError, match="not a saved session"):
            small.load(tmp_path)
        large = eryx.Session()
        large.execute("b = bytearray(b'x') * 40_000_000")
        large.save(path)
        with pytest.raises(eryx.ResourceLimitError, match="the limit is 30000000"):
            small.load(path)
        with pytest.raises(eryx.InitializationError, match="No such file"):
            small.save(tmp_path / "absent" / "state")
        assert output(small, "print(x)") == "1"

    def test_load_does_not_read_files_that_are_too_large(
        self, session: eryx.Session, tmp_path: Path
    ) -> None:
        path = tmp_path / "state"
        session.execute("x = 1")
        session.save(path)
        os.truncate(path, 2**42)
        with pytest.raises(eryx.InitializationError, match="damaged"):
            session.load(path)
        assert output(session, "print(x)") == "1"

    def test_load_refuses_another_build(self, session: eryx.Session, tmp_path: Path) -> None:
        path = tmp_path / "state"
        session.save(path)
        data = bytearray(path.read_bytes())
        for position in (8, 16, 47, 48):  # format version, build, image
            data[position] ^= 1
            path.write_bytes(data)
            with pytest.raises(eryx.InitializationError, match="another build of eryx"):
                session.load(path)
            data[position] ^= 1

    def test_load_refuses_damaged_files(self, session: eryx.Session, tmp_path: Path) -> None:
        path = tmp_path / "state"
        session.execute("x = 1; open('/data/f', 'w').write('contents')")
        session.save(path)
        data = path.read_bytes()
        other = eryx.Session()
        other.execute("x = 2")
        step = len(data) // 400
        positions = [*range(100), *range(100, len(data), step), *range(len(data) - 300, len(data))]
        for position in positions:
            damaged = bytearray(data)
            damaged[position] ^= 0x10
            path.write_bytes(damaged)
            with pytest.raises(eryx.InitializationError):
                other.load(path)
        for length in (0, 1, 8, 95, 96, 500, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:length])
            with pytest.raises(eryx.InitializationError):
                other.load(path)
        path.write_bytes(data + b"\0")
        with pytest.raises(eryx.InitializationError):
            other.load(path)
        assert output(other, "print(x)") == "2"
        path.write_bytes(data)
        other.load(path)
        assert output(other, "print(x, open('/data/f').read())") == "1 contents"
