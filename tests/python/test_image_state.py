"""What the image froze and a program can see: it must be as in a Python that has just started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]

TASK_NAME = """
import asyncio
await asyncio.sleep(0)
print(asyncio.current_task().get_name())
"""


class TestCounters:
    def test_the_first_task_is_number_one(self, sandbox: eryx.Sandbox) -> None:
        assert sandbox.execute(TASK_NAME).stdout == "Task-1"
        own_loop = "import asyncio\nasync def main(): print(asyncio.current_task().get_name())\n"
        assert sandbox.execute(own_loop + "asyncio.run(main())").stdout == "Task-1"

    def test_tasks_of_a_session_go_on(self) -> None:
        with eryx.Session() as session:
            assert session.execute(TASK_NAME).stdout == "Task-1"
            assert session.execute(TASK_NAME).stdout == "Task-2"

    def test_names_of_threads_and_executors(self, run: Run) -> None:
        result = run(
            """
            import threading
            from concurrent.futures import ThreadPoolExecutor
            print(threading.Thread(target=print).name, ThreadPoolExecutor()._thread_name_prefix)
            print(threading.current_thread().name, threading.active_count())
            """
        )
        assert result.stdout == "Thread-1 (print) ThreadPoolExecutor-0\nMainThread 1"


class TestTimes:
    def test_of_logging(self, run: Run) -> None:
        result = run(
            """
            import logging, time
            record = logging.makeLogRecord({})
            print(0 <= record.relativeCreated < 5000, record.process, record.taskName)
            """
        )
        assert result.stdout == "True 1 None"

    def test_of_directories(self, run: Run) -> None:
        result = run(
            """
            import os, time
            print(all(abs(time.time() - os.stat(path).st_mtime) < 60 for path in ("/data", "/tmp")))
            """
        )
        assert result.stdout == "True"


# All that modules and their classes hold.
WALK = """
import itertools, sys, time

def everything():
    for name, module in list(sys.modules.items()):
        for key, value in list(vars(module).items()):
            yield f"{name}.{key}", value
            if isinstance(value, type) and value.__module__ == name:
                for attribute, item in list(vars(value).items()):
                    yield f"{name}.{key}.{attribute}", item
"""


class TestNothingIsLeft:
    def test_of_any_counter(self, run: Run) -> None:
        result = run(
            WALK
            + """
used, found = [], 0
for name, value in everything():
    counter = getattr(value, "__self__", value)
    if type(counter) is itertools.count:
        found += 1
        if repr(counter) not in ("count(0)", "count(1)"):
            used.append((name, repr(counter)))
print(used, found > 2)
"""
        )
        assert result.stdout == "[] True"

    def test_of_any_time(self, run: Run) -> None:
        result = run(
            WALK
            + """
now, old, found = time.time(), [], 0
for name, value in everything():
    if type(value) in (int, float):
        seconds = value / 1e9 if value > 1e15 else value
        if now - 3e8 < seconds < now + 60:
            found += 1
            if seconds < now - 60:
                old.append((name, value))
print(old, found > 0)
"""
        )
        assert result.stdout == "[] True"

    def test_of_the_programs_that_warmed_it_up(self, run: Run) -> None:
        result = run(
            """
            import gc, sys, tempfile, uuid, warnings
            print(tempfile.tempdir, tempfile._name_sequence, uuid._node)
            registry = "__warningregistry__"
            print([name for name in sys.modules if getattr(sys.modules[name], registry, None)])
            print(warnings.onceregistry, gc.garbage, sys.gettrace(), sys.getprofile())
            print(hasattr(sys, "last_exc"), sys.exc_info(), sys.argv, sorted(vars()))
            """
        )
        lines = result.stdout.splitlines()
        assert lines[:3] == ["None None None", "[]", "{} [] None None"]
        assert lines[3].startswith("False (None, None, None) ['<user>'] ['__builtins__'")

    def test_of_context_and_of_loops(self, run: Run) -> None:
        result = run(
            """
            import asyncio, contextvars, decimal
            try: asyncio.get_event_loop()
            except RuntimeError as error: print(error)
            print(len(contextvars.copy_context()), decimal.getcontext().flags[decimal.Inexact])
            """
        )
        assert result.stdout == "There is no current event loop in thread 'MainThread'.\n0 False"


RANDOM_OF_SQLITE = "print(db.execute('select random()').fetchone())"


class TestRandomState:
    def test_sqlite_draws_anew_in_forks(self) -> None:
        with eryx.Session() as session:
            session.execute("import sqlite3; db = sqlite3.connect(':memory:')")
            session.execute(RANDOM_OF_SQLITE)
            forks = [session, session.fork(), session.fork()]
            assert len({fork.execute(RANDOM_OF_SQLITE).stdout for fork in forks}) == 3

    def test_sqlite_draws_anew_in_each_sandbox_of_a_factory(self) -> None:
        setup = "import sqlite3; db = sqlite3.connect(':memory:')\n" + RANDOM_OF_SQLITE
        factory = eryx.SandboxFactory(setup_code=setup)
        drawn = {factory.create_sandbox().execute(RANDOM_OF_SQLITE).stdout for _ in range(3)}
        assert len(drawn) == 3

    @pytest.mark.parametrize(
        "draw",
        [
            "random.random()",
            "random.__dict__.get('random') or random.randrange(10**9)",
            "__import__('random', fromlist=['gauss']).gauss()",
            "random.Random().random()",
            "next(tempfile._get_candidate_names())",
            "str(uuid.uuid1())",
            "str(uuid.uuid7())",
            "uuid.getnode()",
            "email.utils.make_msgid()",
            "sqlite3.connect(':memory:').execute('select random()').fetchone()[0]",
            "sqlite3.connect(':memory:').execute('select hex(randomblob(8))').fetchone()[0]",
        ],
    )
    def test_no_two_sandboxes_draw_the_same(self, draw: str) -> None:
        code = f"import email.utils, random, sqlite3, tempfile, uuid\nresult = {draw}"
        assert len({eryx.Sandbox().execute(code).result for _ in range(3)}) == 3


class TestRandom:
    """The generator of `random` is seeded when it is used first."""

    NAMES = "'seed' in names and 'random' in names and '_inst' in names and '__dir__' not in names"

    def test_all_names_are_there(self, run: Run) -> None:
        result = run(f"import random; names = dir(random); print({self.NAMES})")
        assert result.stdout == "True"
        result = run(
            """
            from random import *
            names = vars(__import__("random"))
            print(all(name in globals() and name in names for name in names["__all__"]))
            """
        )
        assert result.stdout == "True"

    def test_a_name_that_is_not_there(self, run: Run) -> None:
        result = run(
            """
            import random
            for _ in range(2):
                try:
                    random.absent
                except AttributeError as error:
                    print(error, error.name, error.obj is random)
            """
        )
        line = "module 'random' has no attribute 'absent' absent True"
        assert result.stdout == f"{line}\n{line}"

    def test_a_seed_of_the_program_holds(self, run: Run) -> None:
        code = "import random; random.seed(1); print(random.random(), random.getrandbits(40))"
        assert run(code).stdout == "0.13436424411240122 884107995871"

    def test_a_state_of_the_program_holds_in_a_session(self) -> None:
        with eryx.Session() as session:
            session.execute("import random; random.seed(1); state = random.getstate()")
            first = session.execute("print(random.random())").stdout
            session.execute("random.setstate(state)")
            assert session.execute("print(random.random())").stdout == first

    def test_it_can_be_loaded_again(self, run: Run) -> None:
        code = "import importlib, random; importlib.reload(random); print(random.randrange(1))"
        assert run(code).stdout == "0"


class TestModules:
    def test_that_are_imported_are_in_the_library_as_sources_alone(self, run: Run) -> None:
        result = run(
            """
            import inspect, json, os, sys, unittest
            result = os.path.exists(json.__spec__.cached), os.path.exists(unittest.__spec__.cached)
            print(inspect.getsource(json.loads).splitlines()[0])
            del sys.modules["json"]
            import json as other
            print(other is not json, other.loads("[1]"))
            """
        )
        assert result.result == [False, True]
        assert result.stdout.startswith("def loads(s, *")
        assert result.stdout.endswith("\nTrue [1]")

    def test_errors_in_them_are_shown_with_their_lines(self, sandbox: eryx.Sandbox) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("import json; json.loads('[')")
        assert 'File "/python-stdlib/json/decoder.py"' in caught.value.traceback
        assert "return _default_decoder.decode(s)" in caught.value.traceback
