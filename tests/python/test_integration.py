"""The sandbox as a whole: isolation, library, files, threads, asyncio, signals, fork."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import LATENESS_MS, open_descriptors, run_python

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]
    Fails = Callable[[str], eryx.ExecutionError]


class TestIntegration:
    @pytest.mark.parametrize(
        "code",
        [
            "import json; print(json.loads(json.dumps({'a': [1]})) == {'a': [1]})",
            r"import re; print(re.sub(r'(\d+)', r'<\1>', 'a1b22') == 'a<1>b<22>')",
            "import math; print(round(math.tau, 3) == 6.283)",
            "import datetime; print(datetime.date(2024, 2, 29).isoformat() == '2024-02-29')",
            "import collections; print(collections.Counter('aab').most_common(1) == [('a', 2)])",
            "import itertools; print(len(list(itertools.permutations('abc'))) == 6)",
            "import hashlib; print(hashlib.sha256(b'').hexdigest().startswith('e3b0c442'))",
            "import base64; print(base64.b64encode(b'ab') == b'YWI=')",
            "import zlib; print(zlib.decompress(zlib.compress(b'a' * 999)) == b'a' * 999)",
            "import decimal; print(decimal.Decimal('0.1') * 3 == decimal.Decimal('0.3'))",
            "import uuid; print(uuid.UUID(int=1).hex == '0' * 31 + '1')",
            "import random; random.seed(1); print(random.randint(0, 9) in range(10))",
            "import csv, io; print(list(csv.reader(io.StringIO('a,\"b,c\"'))) == [['a', 'b,c']])",
            "import pathlib; print(pathlib.PurePath('/a/b.c').suffix == '.c')",
            "import dataclasses; print(dataclasses.make_dataclass('D', ['x'])(1).x == 1)",
            "import typing; print(typing.get_type_hints(type('C', (), {})) == {})",
            "import unittest; print(unittest.TestCase().assertEqual(1, 1) is None)",
            "import logging, sys; logging.basicConfig(stream=sys.stdout, format='%(message)s');"
            " logging.warning('True')",
            "import fractions; print(fractions.Fraction(1, 3) * 3 == 1)",
            "import heapq, bisect, statistics, string, textwrap, copy, pprint, enum; print(True)",
            "import pickle; print(pickle.loads(pickle.dumps({1: 'a'})) == {1: 'a'})",
            "import xml.etree.ElementTree as e; print(e.fromstring('<a><b/></a>')[0].tag == 'b')",
            "import tomllib; print(tomllib.loads('a = 1') == {'a': 1})",
            "import zipfile, io; z = zipfile.ZipFile(io.BytesIO(), 'w'); z.writestr('a', 'b');"
            " print(z.read('a') == b'b')",
            "import tempfile; f = tempfile.NamedTemporaryFile(); print(f.write(b'ab') == 2)",
            "import ast, dis, tokenize, inspect; print(ast.unparse(ast.parse('a+b')) == 'a + b')",
            "import html, urllib.parse; print(urllib.parse.quote('a b') == 'a%20b')",
            "import unicodedata; print(unicodedata.name('é')[:5] == 'LATIN')",
            "import functools; print(functools.reduce(int.__mul__, range(1, 9)) == 40320)",
        ],
    )
    def test_standard_library(self, run: Run, code: str) -> None:
        assert run(code).stdout == "True"

    def test_sqlite(self, run: Run) -> None:
        result = run(
            """
            import sqlite3
            for path in (":memory:", "/data/base.db"):
                connection = sqlite3.connect(path)
                connection.execute("create table t (x integer, y text)")
                connection.executemany("insert into t values (?, ?)", [(1, "a"), (2, "ü")])
                connection.commit()
                connection.execute("delete from t")
                connection.rollback()
                print(connection.execute("select * from t order by x").fetchall())
                connection.close()
            print(sqlite3.connect("/data/base.db").execute("select count(*) from t").fetchone())
            """
        )
        assert result.stdout == "[(1, 'a'), (2, 'ü')]\n" * 2 + "(2,)"

    def test_nothing_of_the_host_is_visible(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ERYX_TEST_SECRET", "hidden")
        here = os.path.abspath(__file__)
        result = run(
            f"""
            import os
            print("ERYX_TEST_SECRET" in os.environ, "HOME" in os.environ, "PATH" in os.environ)
            for path in ("/etc/passwd", "/proc/self/maps", "/dev/mem", "/root", "/home", {here!r}):
                print(os.path.exists(path))
            print("secret" in str(os.listdir("/")))
            """
        )
        assert set(result.stdout.split()) == {"False"}

    @pytest.mark.parametrize(
        "code",
        [
            "import ctypes",
            "import subprocess; subprocess.run(['true'])",
            "import os; os.fork()",
            "import os; os.execv('/bin/true', ['true'])",
            "import os; assert os.system('true') == 0",
            "import os; os.popen('true').read()",
            "import multiprocessing; multiprocessing.Process(target=print).start()",
            "import socket; socket.create_connection(('127.0.0.1', 1), 1)",
            "import socket; socket.socket().bind(('127.0.0.1', 0))",
            "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1/', timeout=1)",
            "open('/python-stdlib/os.py', 'a')",
            "open('/python-stdlib/new.py', 'w')",
            "import os; os.remove('/python-stdlib/os.py')",
            "import os; os.mkdir('/site-packages/new')",
            "open('/new', 'w')",
            "open('/data/../../etc/passwd')",
            "open('/data/x\\0y', 'w')",
        ],
    )
    def test_what_cannot_be_done(self, fails: Fails, code: str) -> None:
        error = fails(code)
        assert error.exc_type, "an exception of Python, not a crash"

    def test_refused_sockets_raise_oserror(self, run: Run) -> None:
        result = run(
            """
            import socket
            for attempt in (
                lambda: socket.create_connection(("127.0.0.1", 80), 1),
                lambda: socket.getaddrinfo("localhost", 80),
                lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", 1)),
            ):
                try:
                    attempt()
                except OSError:
                    print("refused")
            """
        )
        assert result.stdout == "refused\nrefused\nrefused"

    def test_files(self, run: Run) -> None:
        result = run(
            """
            import os, pathlib, shutil
            print(os.getcwd())
            root = pathlib.Path("/data/tree")
            (root / "a" / "b").mkdir(parents=True)
            (root / "a" / "b" / "file.txt").write_text("one\\ntwo\\n")
            with open(root / "a" / "b" / "file.txt", "r+") as file:
                file.seek(0, os.SEEK_END)
                file.write("three")
                file.seek(0)
                print(file.read().split())
            os.rename(root / "a", root / "c")
            shutil.copy(root / "c" / "b" / "file.txt", root / "copy")
            print(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
            print((root / "copy").stat().st_size, os.path.isdir(root / "c"))
            for attempt in (lambda: os.rmdir(root), lambda: open("/data/missing"),
                            lambda: open(root / "copy", "x"), lambda: os.listdir(root / "copy")):
                try:
                    attempt()
                except OSError as error:
                    print(type(error).__name__)
            shutil.rmtree(root)
            print(os.listdir("/data"))
            """
        )
        assert result.stdout.splitlines() == [
            "/data",
            "['one', 'two', 'three']",
            "['c', 'c/b', 'c/b/file.txt', 'copy']",
            "13 True",
            "OSError",
            "FileNotFoundError",
            "FileExistsError",
            "NotADirectoryError",
            "[]",
        ]

    def test_unclosed_file_is_flushed(self, run: Run) -> None:
        assert (
            run(
                "import atexit\n"
                "file = open('/data/f', 'w')\n"
                "file.write('text')\n"
                "del file\n"
                "print(open('/data/f').read())"
            ).stdout
            == "text"
        )

    def test_runtime_is_not_in_the_way(self, run: Run) -> None:
        result = run(
            """
            import sys
            frame = sys._getframe()
            print(frame.f_back is None, sorted(name for name in globals() if name[0] != "_"))
            """
        )
        assert result.stdout == "True ['frame', 'sys']"


class TestThreads:
    def test_interpreter_lock_is_released(self) -> None:
        count = 0
        stop = threading.Event()

        def work() -> None:
            nonlocal count
            while not stop.is_set():
                count += 1
                time.sleep(0.001)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            eryx.Sandbox().execute(
                "import time\nend = time.time() + 0.3\nwhile time.time() < end: pass"
            )
        finally:
            stop.set()
            thread.join()
        assert count >= 20

    def test_eight_threads_with_sandboxes_of_their_own(self) -> None:
        problems: list[object] = []

        def work(number: int) -> None:
            try:
                for round_number in range(10):
                    sandbox = eryx.Sandbox()
                    expected = f"{number} {round_number} {sum(range(10_000))}"
                    code = f"print({number}, {round_number}, sum(range(10_000)))"
                    assert sandbox.execute(code).stdout == expected
                    with pytest.raises(eryx.ExecutionError):
                        sandbox.execute("1/0")
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []

    def test_short_runs_go_on_while_threads_come_and_go(self) -> None:
        """One keeps the interpreter lock for long after each run, one ends in the middle."""
        totals: dict[int, int] = {}

        def work(number: int) -> None:
            session = eryx.Session()
            session.execute(f"total = {number}")
            for _ in range(20 if number == 0 else 300):
                session.execute("total += 1")
                if number == 1:
                    sum(range(5_000))
            totals[number] = int(session.execute("print(total)").stdout)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert totals == {0: 20, 1: 301, 2: 302, 3: 303}

    def test_runs_of_one_sandbox_wait_for_each_other(self) -> None:
        sandbox = eryx.Sandbox()
        outputs: list[str] = []

        def work(number: int) -> None:
            code = f"import time; print({number}); time.sleep(0.02); print({number})"
            outputs.append(sandbox.execute(code).stdout)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outputs) == [f"{number}\n{number}" for number in range(6)]

    def test_sandbox_may_move_between_threads(self, sandbox: eryx.Sandbox) -> None:
        outputs: list[str] = []
        for number in range(3):
            code = f"print({number})"
            thread = threading.Thread(
                target=lambda code=code: outputs.append(sandbox.execute(code).stdout)
            )
            thread.start()
            thread.join()
        assert outputs == ["0", "1", "2"]

    @pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(60)"])
    def test_cancel(self, sandbox: eryx.Sandbox, code: str) -> None:
        timer = threading.Timer(0.2, sandbox.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(eryx.CancelledError) as caught:
            sandbox.execute("print('x', flush=True)\n" + code)
        assert time.monotonic() - started < 5
        assert caught.value.stdout == "x"
        timer.join()
        assert sandbox.execute("print('next')").stdout == "next"

    def test_cancel_cannot_be_swallowed(self, sandbox: eryx.Sandbox) -> None:
        timer = threading.Timer(0.2, sandbox.cancel)
        timer.start()
        with pytest.raises(eryx.CancelledError):
            sandbox.execute(
                "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
            )
        timer.join()


class TestAsync:
    def test_result(self, sandbox: eryx.Sandbox) -> None:
        result = asyncio.run(sandbox.execute_async("print(1)\nresult = 2"))
        assert (result.stdout, result.result) == ("1", 2)

    def test_errors(self, sandbox: eryx.Sandbox) -> None:
        with pytest.raises(eryx.ExecutionError, match="ZeroDivisionError"):
            asyncio.run(sandbox.execute_async("1/0"))
        with pytest.raises(TypeError):
            asyncio.run(sandbox.execute_async(b""))  # type: ignore[arg-type]

    def test_a_hundred_sleeping_guests_need_no_threads(self) -> None:
        threads_before = threading.active_count()

        async def main() -> tuple[float, int]:
            started = time.monotonic()
            runs = [
                asyncio.create_task(
                    eryx.Sandbox().execute_async(f"import time; time.sleep(0.5); print({number})")
                )
                for number in range(100)
            ]
            await asyncio.sleep(0.45)
            threads = threading.active_count()
            results = await asyncio.gather(*runs)
            assert [result.stdout for result in results] == [str(number) for number in range(100)]
            return time.monotonic() - started, threads

        elapsed, threads = asyncio.run(main())
        assert elapsed < 10, "they slept at the same time"
        assert threads - threads_before < 50

    def test_computing_guest_leaves_the_loop_alive(self) -> None:
        async def main() -> int:
            task = asyncio.create_task(
                eryx.Sandbox().execute_async(
                    "import time\nend = time.time() + 0.4\nwhile time.time() < end: pass"
                )
            )
            rounds = 0
            while not task.done():
                await asyncio.sleep(0.01)
                rounds += 1
            await task
            return rounds

        assert asyncio.run(main()) >= 10

    @pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(60)"])
    def test_cancelled_task_stops_the_guest(self, code: str) -> None:
        async def main() -> None:
            sandbox = eryx.Sandbox()
            task = asyncio.create_task(sandbox.execute_async(code))
            await asyncio.sleep(0.1)
            task.cancel()
            started = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - started < 2
            assert (await sandbox.execute_async("print(1)")).stdout == "1"
            assert sandbox.execute("print(2)").stdout == "2"

        started = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - started < 10

    @pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(60)"])
    def test_cancel_ends_an_asynchronous_run(self, code: str) -> None:
        async def main() -> None:
            sandbox = eryx.Sandbox()
            asyncio.get_running_loop().call_later(0.1, sandbox.cancel)
            with pytest.raises(eryx.CancelledError):
                await asyncio.wait_for(sandbox.execute_async(code), 10)

        asyncio.run(main())

    def test_timeout_of_asyncio(self) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(eryx.Sandbox().execute_async("while True: pass"), 0.1)

        asyncio.run(main())

    def test_time_limit(self) -> None:
        sandbox = eryx.Sandbox(resource_limits=eryx.ResourceLimits(execution_timeout_ms=150))
        for code in ("while True: pass", "import time; time.sleep(60)"):
            with pytest.raises(eryx.TimeoutError) as caught:
                asyncio.run(sandbox.execute_async(code))
            assert caught.value.duration_ms <= 150 + LATENESS_MS

    def test_runs_of_one_sandbox_take_turns(self) -> None:
        async def main() -> None:
            sandbox = eryx.Sandbox()
            codes = [f"import time; time.sleep(0.01); print({number})" for number in range(5)]
            tasks = [asyncio.create_task(sandbox.execute_async(code)) for code in codes]
            await asyncio.sleep(0.005)
            tasks[3].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(results.pop(3), asyncio.CancelledError)
            assert [str(result) for result in results] == ["0", "1", "2", "4"]

        asyncio.run(main())

    def test_blocking_run_on_the_loops_thread_is_refused_not_stuck(self) -> None:
        async def main() -> None:
            sandbox = eryx.Sandbox()
            task = asyncio.create_task(sandbox.execute_async("import time; time.sleep(0.1)"))
            await asyncio.sleep(0.02)
            with pytest.raises(eryx.EryxError, match="already running"):
                sandbox.execute("print(1)")
            await task

        asyncio.run(main())

    def test_handlers_are_called_on_the_loops_thread(self) -> None:
        threads: set[int] = set()
        chunks: list[str] = []

        def handler(chunk: str) -> None:
            threads.add(threading.get_ident())
            chunks.append(chunk)

        sandbox = eryx.Sandbox(on_stdout=handler)
        code = (
            "import time\n"
            "for number in range(5):\n"
            "    print(number, flush=True)\n"
            "    end = time.time() + 0.02\n"
            "    while time.time() < end: pass"
        )
        result = asyncio.run(sandbox.execute_async(code))
        assert "".join(chunks) == "0\n1\n2\n3\n4\n"
        assert result.stdout == "0\n1\n2\n3\n4"
        assert threads == {threading.get_ident()}

    def test_loop_that_stops_in_the_middle(self) -> None:
        sandbox = eryx.Sandbox()
        loop = asyncio.new_event_loop()
        coroutine = sandbox.execute_async("while True: pass")
        task = loop.create_task(coroutine)
        loop.run_until_complete(asyncio.sleep(0.1))
        coroutine.close()
        assert sandbox.execute("print('usable')").stdout == "usable"
        task.cancel()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    def test_loop_that_is_closed_while_a_guest_waits(self) -> None:
        sandbox = eryx.Sandbox()
        loop = asyncio.new_event_loop()
        task = loop.create_task(sandbox.execute_async("import time; time.sleep(60)"))
        loop.run_until_complete(asyncio.sleep(0.1))
        task.get_coro().close()
        task.cancel()
        loop.close()
        sandbox.cancel()
        assert sandbox.execute("print('usable')").stdout == "usable"


class TestSignals:
    @pytest.mark.parametrize(
        "code", ["while True: pass", "import time; time.sleep(60)", "sum(range(10**12))"]
    )
    def test_interrupt_ends_a_run(self, code: str) -> None:
        done = run_python(
            f"""
            import os, signal, threading, time, eryx
            sandbox = eryx.Sandbox()
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            started = time.monotonic()
            try:
                sandbox.execute({code!r})
            except KeyboardInterrupt:
                assert time.monotonic() - started < 0.3 + 1
                print(sandbox.execute("print('usable')").stdout)
            """
        )
        assert (done.stdout, done.returncode) == ("usable\n", 0), done.stderr

    def test_other_signal_handlers_run_meanwhile(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import os, signal, threading, eryx
            seen = []
            signal.signal(signal.SIGUSR1, lambda *arguments: seen.append(1))
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            result = eryx.Sandbox().execute(
                "import time\\nend = time.time() + 0.4\\nwhile time.time() < end: pass\\nprint(1)"
            )
            print(seen, result.stdout)
            """
        )
        assert output == "[1] 1"

    def test_interrupt_while_waiting_for_the_turn(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import os, signal, threading, time, eryx
            sandbox = eryx.Sandbox()
            thread = threading.Thread(
                target=lambda: print(sandbox.execute("import time; time.sleep(1); print(1)").stdout)
            )
            thread.start()
            time.sleep(0.1)
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                sandbox.execute("print(2)")
            except KeyboardInterrupt:
                print("interrupted")
            thread.join()
            print(sandbox.execute("print(3)").stdout)
            """
        )
        assert output.split() == ["interrupted", "1", "3"]

    def test_faulthandler_is_intact(self) -> None:
        done = run_python(
            """
            import faulthandler
            faulthandler.enable()
            import eryx
            sandbox = eryx.Sandbox()
            sandbox.execute("print(1)")
            import ctypes
            ctypes.string_at(8)
            """
        )
        assert done.returncode == -11
        assert "Fatal Python error: Segmentation fault" in done.stderr

    def test_faulthandler_enabled_later_does_not_break_the_guest(self) -> None:
        done = run_python(
            """
            import eryx
            sandbox = eryx.Sandbox()
            sandbox.execute("print(1)")
            import faulthandler
            faulthandler.enable()
            try:
                sandbox.execute("import sys\\nsys.setrecursionlimit(10**9)\\n"
                                "def f(): return [f()]\\nf()")
            except eryx.EryxError as error:
                print("ended")
            print(sandbox.execute("print('fine')").stdout)
            """
        )
        assert (done.stdout, done.returncode) == ("ended\nfine\n", 0), done.stderr


class TestFork:
    def test_child_gets_an_error_and_parent_goes_on(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import os, eryx
            sandbox = eryx.Sandbox()
            sandbox.execute("print(1)")
            pid = os.fork()
            if pid == 0:
                try:
                    sandbox.execute("print(2)")
                except eryx.EryxError as error:
                    code = 0 if "parent" in str(error) else 1
                else:
                    code = 2
                if eryx.Sandbox().execute("print('child')").stdout != "child":
                    code = 3
                del sandbox
                os._exit(code)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            print(sandbox.execute("print('parent')").stdout)
            """
        )
        assert output.split() == ["0", "parent"]

    def test_fork_while_another_thread_runs(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import os, threading, time, warnings, eryx
            warnings.simplefilter("ignore")
            sandbox = eryx.Sandbox()
            outputs = []
            thread = threading.Thread(target=lambda: outputs.append(
                sandbox.execute("import time; time.sleep(0.5); print('thread')").stdout))
            thread.start()
            time.sleep(0.1)
            pid = os.fork()
            if pid == 0:
                try:
                    sandbox.execute("print(2)")
                except eryx.EryxError:
                    os._exit(0)
                os._exit(1)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            thread.join()
            print(*outputs)
            """
        )
        assert output.split() == ["0", "thread"]

    def test_multiprocessing(self, tmp_path: object) -> None:
        path = os.path.join(str(tmp_path), "program.py")
        with open(path, "w") as file:
            file.write(
                "import multiprocessing, sys, warnings\n"
                "warnings.simplefilter('ignore')\n"
                "import eryx\n"
                "def work(number):\n"
                "    return eryx.Sandbox().execute(f'print({number} ** 2)').stdout\n"
                "if __name__ == '__main__':\n"
                "    sandbox = eryx.Sandbox()\n"
                "    for method in ('fork', 'spawn'):\n"
                "        with multiprocessing.get_context(method).Pool(2) as pool:\n"
                "            print(pool.map(work, range(4)))\n"
                "    print(sandbox.execute('print(1)').stdout)\n"
            )
        done = run_python(f"import runpy; runpy.run_path({path!r}, run_name='__main__')")
        assert done.stdout == "['0', '1', '4', '9']\n" * 2 + "1\n", done.stderr


class TestLifetimes:
    def test_no_descriptors_per_sandbox(self) -> None:
        eryx.Sandbox()
        before = open_descriptors()
        sandboxes = [eryx.Sandbox() for _ in range(50)]
        assert open_descriptors() == before
        assert sandboxes[49].execute("print(1)").stdout == "1"

    def test_failed_creation_leaves_nothing(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import resource, eryx
            sandbox = eryx.Sandbox()
            resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
            live = []
            for _ in range(10):
                try:
                    live.append(eryx.Sandbox())
                except eryx.InitializationError:
                    break
            else:
                raise SystemExit("the limit did not bite")
            count = len(live)
            live.clear()
            for _ in range(50):
                try:
                    eryx.Sandbox(), eryx.Sandbox()
                except eryx.InitializationError:
                    pass
            print(sandbox.execute("print('alive')").stdout)
            """
        )
        assert output == "alive"

    def test_missing_image(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import eryx
            from eryx._eryx import Engine
            for image, stdlib in (("/nonexistent/image", "/nonexistent/stdlib"),
                                  ("/dev/null", "/dev/null"), ("/", "/")):
                try:
                    Engine(image, stdlib)
                except eryx.InitializationError as error:
                    print("refused")
            try:
                Engine("a\\0b", "c")
            except ValueError:
                print("refused")
            """
        )
        assert output.split() == ["refused"] * 4
