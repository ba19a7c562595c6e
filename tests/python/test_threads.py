"""Threads of a guest: threading, queues, pools, executors and asyncio, as programs expect them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from network_helpers import run as run_network
from servers import DripServer

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]
    Fails = Callable[[str], eryx.ExecutionError]


class TestThreading:
    def test_start_join_and_values(self, run: Run) -> None:
        result = run(
            """
            import threading
            found = []
            threads = [threading.Thread(target=found.append, args=[n]) for n in range(20)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(sorted(found) == list(range(20)), any(t.is_alive() for t in threads))
            print(threading.active_count(), threading.current_thread() is threading.main_thread())
            """
        )
        assert result.stdout == "True False\n1 True"

    def test_identities_differ(self, run: Run) -> None:
        result = run(
            """
            import threading
            barrier, idents = threading.Barrier(8), []
            def work():
                idents.append(threading.get_ident())
                barrier.wait()
            threads = [threading.Thread(target=work) for _ in range(7)]
            for thread in threads: thread.start()
            work()
            for thread in threads: thread.join()
            print(len(set(idents)), idents[-1] == threading.main_thread().ident)
            """
        )
        assert result.stdout == "8 True"

    def test_native_identities(self, run: Run) -> None:
        result = run(
            """
            import os, threading
            found = {}
            def work():
                found[threading.current_thread()] = threading.get_native_id()
            threads = [threading.Thread(target=work) for _ in range(7)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            work()
            print(len(set(found.values())), all(t.native_id == n for t, n in found.items()))
            print(threading.get_native_id() == threading.main_thread().native_id == os.getpid())
            print(threading.Thread().native_id)
            """
        )
        assert result.stdout == "8 True\nTrue\nNone"

    def test_locks_keep_counts_right(self, run: Run) -> None:
        result = run(
            """
            import threading
            n, lock = 0, threading.Lock()
            def add():
                global n
                for _ in range(5000):
                    with lock: n += 1
            threads = [threading.Thread(target=add) for _ in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(n)
            """
        )
        assert result.stdout == "40000"

    def test_locals_and_context_variables_are_the_threads_own(self, run: Run) -> None:
        result = run(
            """
            import contextvars, threading, time
            local, variable = threading.local(), contextvars.ContextVar("v", default=0)
            right = []
            def work(n):
                local.n = n
                variable.set(n)
                time.sleep(0.002)
                right.append(local.n == n and variable.get() == n)
            threads = [threading.Thread(target=work, args=[n]) for n in range(6)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(right == [True] * 6, hasattr(local, "n"))
            """
        )
        assert result.stdout == "True False"

    def test_what_is_computed_gives_way(self, run: Run) -> None:
        result = run(
            """
            import threading, time
            stop, counts = False, [0, 0, 0]
            def spin(n):
                while not stop: counts[n] += 1
            threads = [threading.Thread(target=spin, args=[n]) for n in range(3)]
            for thread in threads: thread.start()
            time.sleep(0.15)
            stop = True
            for thread in threads: thread.join()
            print(all(counts))
            """
        )
        assert result.stdout == "True"

    def test_switch_interval_counts(self, run: Run) -> None:
        result = run(
            """
            import sys, threading, time
            def changes(interval):
                sys.setswitchinterval(interval)
                turns, stop, last = 0, False, None
                def spin(n):
                    nonlocal turns, last
                    while not stop:
                        if last != n:
                            last = n
                            turns += 1
                threads = [threading.Thread(target=spin, args=[n]) for n in range(2)]
                for thread in threads: thread.start()
                time.sleep(0.2)
                stop = True
                for thread in threads: thread.join()
                return turns
            short, long = changes(0.001), changes(0.05)
            print(short > 2 * long, long > 0)
            """
        )
        assert result.stdout == "True True"

    def test_exceptions_go_to_the_hook(self, run: Run) -> None:
        result = run(
            """
            import threading
            def boom(): 1 / 0
            thread = threading.Thread(target=boom, name="boomer")
            thread.start(); thread.join()
            threading.excepthook = lambda args: print(args.exc_type.__name__, args.thread.name)
            thread = threading.Thread(target=boom, name="again")
            thread.start(); thread.join()
            """
        )
        assert result.stdout == "ZeroDivisionError again"
        assert result.stderr.startswith("Exception in thread boomer:\nTraceback (most recent")
        assert "in boom\n    def boom(): 1 / 0" in result.stderr
        assert result.stderr.rstrip().endswith("ZeroDivisionError: division by zero")

    def test_traces_and_profiles(self, run: Run) -> None:
        result = run(
            """
            import threading
            seen = []
            def trace(frame, event, argument):
                seen.append((event, frame.f_code.co_name))
                return trace
            def work(): return 1
            threading.settrace(trace)
            thread = threading.Thread(target=work)
            thread.start(); thread.join()
            threading.settrace(None)
            print(("call", "work") in seen, ("return", "work") in seen)
            calls = []
            note = lambda frame, event, _: calls.append((event, frame.f_code.co_name))
            threading.setprofile(note)
            thread = threading.Thread(target=work)
            thread.start(); thread.join()
            threading.setprofile(None)
            print(("call", "work") in calls)
            """
        )
        assert result.stdout == "True True\nTrue"

    def test_recursion_is_caught(self, run: Run) -> None:
        result = run(
            """
            import threading
            def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
            class Odd:
                def __getattr__(self, name): return getattr(self, name + "x")
            def work():
                print(deep(900))
                for function in (lambda: deep(10**6), lambda: Odd().a, lambda: repr(nested)):
                    try: function()
                    except RecursionError: print("RecursionError")
            nested = []
            for _ in range(100_000): nested = [nested]
            thread = threading.Thread(target=work)
            thread.start(); thread.join()
            """
        )
        assert result.stdout.split() == ["900"] + ["RecursionError"] * 3

    def test_a_program_ends_when_its_threads_have(self, run: Run) -> None:
        result = run(
            """
            import threading, time
            def work():
                time.sleep(0.05)
                print("last")
            threading.Thread(target=work).start()
            threading.Thread(target=time.sleep, args=[1000], daemon=True).start()
            print("first")
            """
        )
        assert result.stdout == "first\nlast"
        assert result.duration_ms < 5000

    def test_exits_of_threads(self, run: Run, fails: Fails) -> None:
        result = run(
            """
            import sys, threading
            thread = threading.Thread(target=sys.exit, args=[3])
            thread.start(); thread.join()
            print("goes on")
            """
        )
        assert (result.stdout, result.stderr) == ("goes on", "")
        error = fails(
            "import os, threading, time; threading.Thread(target=os._exit, args=[4]).start()\n"
            "time.sleep(100)"
        )
        assert "exited with code 4" in str(error)

    def test_timers_events_conditions_semaphores_and_barriers(self, run: Run) -> None:
        result = run(
            """
            import threading
            event, order = threading.Event(), []
            threading.Timer(0.01, event.set).start()
            order.append(event.wait(10))
            condition, ready = threading.Condition(), []
            def produce():
                for n in range(3):
                    with condition:
                        ready.append(n)
                        condition.notify()
            threading.Thread(target=produce).start()
            for _ in range(3):
                with condition:
                    condition.wait_for(lambda: ready)
                    order.append(ready.pop(0))
            inside, most, limit = 0, 0, threading.BoundedSemaphore(3)
            barrier = threading.Barrier(9)
            def enter():
                global inside, most
                with limit:
                    inside += 1
                    most = max(most, inside)
                    threading.Event().wait(0.002)
                    inside -= 1
                barrier.wait()
            for _ in range(8): threading.Thread(target=enter).start()
            barrier.wait()
            print(order, most)
            """
        )
        assert result.stdout == "[True, 0, 1, 2] 3"

    def test_stack_size(self, run: Run) -> None:
        result = run(
            """
            import threading
            threading.stack_size(2 << 20)
            thread = threading.Thread(target=print, args=["large"])
            thread.start(); thread.join()
            """
        )
        assert result.stdout == "large"


class TestQueuesAndPools:
    def test_queues(self, run: Run) -> None:
        result = run(
            """
            import queue, threading
            for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue):
                q, got = kind(3), []
                def consume():
                    while (item := q.get()) >= 0:
                        got.append(item)
                        q.task_done()
                thread = threading.Thread(target=consume)
                thread.start()
                for n in range(200): q.put(n)
                q.join()
                q.put(-1)
                thread.join()
                print(sorted(got) == list(range(200)))
            q = queue.SimpleQueue()
            threading.Timer(0.01, q.put, ["late"]).start()
            print(q.get(timeout=10))
            """
        )
        assert result.stdout == "True\nTrue\nTrue\nlate"

    def test_executors(self, run: Run) -> None:
        result = run(
            """
            import time
            from concurrent.futures import ThreadPoolExecutor, as_completed, wait
            def work(n):
                time.sleep(0.01)
                if n == 5: raise ValueError(n)
                return n * n
            start = time.monotonic()
            with ThreadPoolExecutor(8) as pool:
                futures = [pool.submit(work, n) for n in range(40)]
                done, pending = wait(futures)
                print(len(done), len(pending), type(futures[5].exception()).__name__)
                print(sum(f.result() for f in as_completed(futures) if f.exception() is None))
                print(list(pool.map(work, range(3))))
            print(time.monotonic() - start < 0.3)
            """
        )
        assert result.stdout.splitlines() == ["40 0 ValueError", "20515", "[0, 1, 4]", "True"]

    def test_an_executor_that_nobody_shuts_down(self, run: Run) -> None:
        result = run(
            """
            from concurrent.futures import ThreadPoolExecutor
            pool = ThreadPoolExecutor(4)
            print(pool.submit(pow, 2, 10).result())
            pool.submit(print, "also")
            """
        )
        assert result.stdout == "1024\nalso"

    def test_pools_of_multiprocessing(self, run: Run) -> None:
        result = run(
            """
            from multiprocessing.dummy import Pool
            from multiprocessing.pool import ThreadPool
            with ThreadPool(4) as pool:
                print(pool.map(abs, range(-3, 3)), pool.apply_async(pow, (2, 5)).get())
            with Pool(2) as pool:
                print(list(pool.imap(str, range(4))))
            """
        )
        assert result.stdout == "[3, 2, 1, 0, 1, 2] 32\n['0', '1', '2', '3']"


class TestAsyncio:
    def test_threads_and_loops(self, run: Run) -> None:
        result = run(
            """
            import asyncio, threading, time
            async def inner(): return threading.current_thread() is threading.main_thread()
            async def main():
                loop = asyncio.get_running_loop()
                print(await asyncio.to_thread(lambda: asyncio.run(inner())))
                print(await loop.run_in_executor(None, threading.current_thread) is not None)
                future = loop.create_future()
                def later():
                    time.sleep(0.01)
                    loop.call_soon_threadsafe(future.set_result, "from outside")
                threading.Thread(target=later).start()
                print(await future)
                start = time.monotonic()
                await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(4)))
                print(time.monotonic() - start < 0.18)
                coroutine = asyncio.run_coroutine_threadsafe
                def ask(): return coroutine(inner(), loop).result()
                print(await asyncio.to_thread(ask))
            asyncio.run(main())
            """
        )
        assert result.stdout.splitlines() == ["False", "True", "from outside", "True", "True"]

    def test_a_limit_of_time_over_a_thread(self, run: Run) -> None:
        result = run(
            """
            import asyncio, time
            start = time.monotonic()
            async def main():
                try:
                    await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.2), 0.02)
                except TimeoutError:
                    print(time.monotonic() - start < 0.15)
            asyncio.run(main())
            """
        )
        assert result.stdout == "True"


class TestCallbacks:
    def test_threads_wait_together(self) -> None:
        async def slow(n: int) -> int:
            await asyncio.sleep(0.1)
            return n * 2

        async def main() -> tuple[eryx.ExecuteResult, float]:
            sandbox = eryx.Sandbox(callbacks=[_callback("slow", slow)])
            start = time.monotonic()
            done = await sandbox.execute_async(
                "from concurrent.futures import ThreadPoolExecutor\n"
                "with ThreadPoolExecutor(10) as pool:\n"
                "    print(sum(pool.map(lambda n: slow.sync(n=n), range(10))))"
            )
            return done, time.monotonic() - start

        done, seconds = asyncio.run(main())
        assert done.stdout == "90"
        assert seconds < 0.8  # ten of them in turn would take a second

    def test_tasks_and_threads_get_their_own_answers(self) -> None:
        async def echo(n: int) -> int:
            await asyncio.sleep(0.001 * (n % 5))
            return n

        done = eryx.Sandbox(callbacks=[_callback("echo", echo)]).execute(
            "import asyncio, threading\n"
            "wrong = []\n"
            "def work(k):\n"
            "    for n in range(k, k + 20):\n"
            "        if echo.sync(n=n) != n: wrong.append(n)\n"
            "threads = [threading.Thread(target=work, args=[k * 100]) for k in range(5)]\n"
            "for thread in threads: thread.start()\n"
            "for _ in range(10):\n"
            "    found = await asyncio.gather(*(echo(n=n) for n in range(8)))\n"
            "    if found != list(range(8)): wrong.append(found)\n"
            "for thread in threads: await asyncio.to_thread(thread.join)\n"
            "print(wrong)"
        )
        assert done.stdout == "[]"


class TestDeadlocks:
    def test_all_threads_wait_for_each_other(self, fails: Fails) -> None:
        error = fails(
            """
            import threading
            a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
            def other():
                with b:
                    both.wait()
                    a.acquire()
            threading.Thread(target=other, name="other", daemon=True).start()
            with a:
                both.wait()
                b.acquire()
            """
        )
        text = str(error)
        assert "RuntimeError: all threads wait for each other" in text
        assert "MainThread: line" in text
        assert "other: line" in text
        assert "in other: a.acquire()" in text

    def test_joining_one_that_waits_for_ever(self, run: Run) -> None:
        result = run(
            """
            import queue, threading
            thread = threading.Thread(target=queue.Queue().get, daemon=True)
            thread.start()
            try: thread.join()
            except RuntimeError as error: print(str(error).splitlines()[0])
            print(thread.is_alive())
            """
        )
        assert result.stdout.splitlines()[0].startswith("all threads wait for each other")
        assert result.stdout.splitlines()[1] == "True"

    def test_a_thread_that_the_end_of_the_program_waits_for(self, fails: Fails) -> None:
        error = fails("import queue, threading; threading.Thread(target=queue.Queue().get).start()")
        assert "all threads wait for each other" in str(error)

    def test_an_event_loop_that_nobody_wakes(self, fails: Fails) -> None:
        error = fails(
            """
            import asyncio, threading
            threading.Thread(target=threading.Event().wait, daemon=True).start()
            async def main(): await asyncio.get_running_loop().create_future()
            asyncio.run(main())
            """
        )
        assert "all threads wait for each other" in str(error)


class TestLimits:
    def test_more_threads_than_allowed(self) -> None:
        limits = eryx.ResourceLimits(max_threads=3)
        done = eryx.Sandbox(resource_limits=limits).execute(
            "import threading\n"
            "event = threading.Event()\n"
            "for n in range(5):\n"
            "    try: threading.Thread(target=event.wait).start()\n"
            "    except RuntimeError as error: print(n, error)\n"
            "event.set()"
        )
        assert done.stdout == "3 can't start new thread\n4 can't start new thread"

    def test_none_at_all(self) -> None:
        with pytest.raises(eryx.ExecutionError, match="can't start new thread"):
            eryx.Sandbox(resource_limits=eryx.ResourceLimits(max_threads=0)).execute(
                "import threading; threading.Thread(target=print).start()"
            )

    @pytest.mark.parametrize(
        "body",
        [
            "while True: pass",
            "time.sleep(1000)",
            "lock.acquire(); lock.acquire()",
            "threading.Event().wait()",
            "queue.Queue().get()",
        ],
    )
    @pytest.mark.parametrize("main", ["while True: pass", "time.sleep(1000)", "threads[0].join()"])
    def test_deadlines_end_them_whatever_they_do(self, body: str, main: str) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=150)
        session = eryx.Session(resource_limits=limits)
        session.execute("import queue, threading, time\nlock = threading.Lock()")
        code = (
            f"def work():\n    {body}\n"
            "threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]\n"
            "for thread in threads: thread.start()\n"
            f"{main}"
        )
        start = time.monotonic()
        if main.endswith("join()") and "while" not in body and "sleep" not in body:
            with pytest.raises(eryx.ExecutionError, match="all threads wait for each other"):
                session.execute(code)
        else:
            with pytest.raises(eryx.TimeoutError):
                session.execute(code)
        assert time.monotonic() - start < 5

    def test_memory_is_counted(self) -> None:
        limits = eryx.ResourceLimits(max_memory_bytes=48 << 20, max_threads=1000)
        done = eryx.Sandbox(resource_limits=limits).execute(
            "import threading\n"
            "event, n = threading.Event(), 0\n"
            "try:\n"
            "    while True:\n"
            "        threading.Thread(target=event.wait, daemon=True).start()\n"
            "        n += 1\n"
            "except (MemoryError, RuntimeError) as error:\n"
            "    print(0 < n < 1000)\n"
            "event.set()"
        )
        assert done.stdout == "True"


class TestSessions:
    def test_daemon_threads_rest_and_go_on(self) -> None:
        session = eryx.Session()
        session.execute(
            "import threading, queue, time\n"
            "jobs, done = queue.Queue(), []\n"
            "def worker():\n"
            "    while True: done.append(jobs.get())\n"
            "threading.Thread(target=worker, name='worker', daemon=True).start()"
        )
        (thread,) = session.threads
        assert (thread.name, thread.daemon, thread.state) == ("worker", True, "waiting for threads")
        assert "in worker: while True: done.append(jobs.get())" in thread.where
        assert session.execute("jobs.put(1); time.sleep(0.01); print(done)").stdout == "[1]"
        assert session.execute("jobs.put(2); time.sleep(0.01); print(done)").stdout == "[1, 2]"

    def test_others_are_waited_for(self) -> None:
        session = eryx.Session()
        done = session.execute(
            "import threading, time\n"
            "def work():\n"
            "    time.sleep(0.05); print('worked')\n"
            "threading.Thread(target=work).start()"
        )
        assert done.stdout == "worked"
        assert session.threads == ()

    def test_an_executor_lives_on(self) -> None:
        session = eryx.Session()
        session.execute(
            "from concurrent.futures import ThreadPoolExecutor\n"
            "pool = ThreadPoolExecutor(2)\n"
            "print(pool.submit(pow, 2, 3).result())"
        )
        assert len(session.threads) == 1
        assert session.execute("print(pool.submit(pow, 2, 4).result())").stdout == "16"
        session.execute("pool.shutdown()")
        assert not session.threads

    def test_stop_threads(self) -> None:
        session = eryx.Session()
        session.execute(
            "import threading, time, queue\n"
            "ended = []\n"
            "def run(function):\n"
            "    try: function()\n"
            "    finally: ended.append(1)\n"
            "def spin():\n"
            "    while True: pass\n"
            "lock = threading.Lock(); lock.acquire()\n"
            "for function in (spin, lambda: time.sleep(1000), queue.Queue().get, lock.acquire,\n"
            "                 queue.SimpleQueue().get, threading.Event().wait):\n"
            "    threading.Thread(target=run, args=[function], daemon=True).start()"
        )
        assert len(session.threads) == 6
        assert session.stop_threads() == ()
        done = session.execute("print(len(ended), threading.active_count())")
        assert done.stdout == "6 1"

    @pytest.mark.parametrize("what", ["fork", "checkpoint", "save"])
    def test_copies_need_that_there_are_none(self, what: str, tmp_path: Any) -> None:
        session = eryx.Session()
        session.execute(
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=[1000], name='beat', daemon=True).start()"
        )
        arguments = (tmp_path / "state",) if what == "save" else ()
        with pytest.raises(ValueError, match=r"threads are alive, whose stacks .*: beat"):
            getattr(session, what)(*arguments)
        session.stop_threads()
        getattr(session, what)(*arguments)

    def test_a_rollback_ends_them(self) -> None:
        session = eryx.Session()
        before = session.checkpoint()
        session.execute(
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=[1000], daemon=True).start()"
        )
        session.rollback(before)
        assert session.threads == ()
        assert session.execute("import threading; print(threading.active_count())").stdout == "1"

    def test_a_stopped_run_takes_its_threads_along(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=200)
        session = eryx.Session(resource_limits=limits)
        session.execute("import threading, time\nx = 1")
        with pytest.raises(eryx.TimeoutError):
            session.execute(
                "for _ in range(64): threading.Thread(target=time.sleep, args=[1000]).start()\n"
                "while True: pass"
            )
        assert session.threads == ()
        assert session.execute("print(x, threading.active_count())").stdout == "1 1"


def _write_and_close(descriptor: int) -> None:
    os.write(descriptor, b"line\n")
    os.close(descriptor)


def _callback(name: str, function: Any) -> dict[str, Any]:
    return {
        "name": name,
        "fn": function,
        "description": name,
        "schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
    }


class TestOutside:
    """Threads that wait for sockets and for the host, beside others that go on."""

    def test_downloads_go_on_together(self) -> None:
        with DripServer(b"x" * 20, 0.01) as server:
            start = time.monotonic()
            done = run_network(
                """
                import socket, sys, threading
                from concurrent.futures import ThreadPoolExecutor
                def fetch(n):
                    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
                        connection.sendall(b"go")
                        data = b""
                        while more := connection.recv(100): data += more
                        return len(data)
                with ThreadPoolExecutor(8) as pool:
                    print(sum(pool.map(fetch, range(8))))
                """,
                server.host,
                server.port,
            )
        assert done.stdout == "160"
        assert time.monotonic() - start < 8 * 0.2

    def test_others_compute_while_one_reads(self) -> None:
        with DripServer(b"x" * 10, 0.02) as server:
            done = run_network(
                """
                import socket, sys, threading
                n, got = 0, []
                def read():
                    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
                        connection.sendall(b"go")
                        while more := connection.recv(1): got.append(n)
                thread = threading.Thread(target=read)
                thread.start()
                while thread.is_alive(): n += 1
                print(len(got), got[-1] > got[0] or got)
                """,
                server.host,
                server.port,
            )
        assert done.stdout == "10 True"

    def test_standard_input(self, sandbox: eryx.Sandbox) -> None:
        read, write = os.pipe()
        with open(read) as file:
            writer = threading.Timer(0.1, _write_and_close, [write])
            writer.start()
            done = sandbox.execute(
                "import threading\n"
                "n = 0\n"
                "thread = threading.Thread(target=lambda: print(input()))\n"
                "thread.start()\n"
                "while thread.is_alive(): n += 1\n"
                "print(n > 100)",
                stdin=file,
            )
            writer.join()
        assert done.stdout == "line\nTrue"

    def test_a_call_that_its_run_has_left_behind(self) -> None:
        answers: list[int] = []

        async def never(n: int) -> int:
            await asyncio.sleep(60)
            answers.append(n)
            return n

        session = eryx.Session(callbacks=[_callback("never", never)])
        session.execute(
            "import threading, time\n"
            "found = []\n"
            "def work():\n"
            "    try: never.sync(n=1)\n"
            "    except RuntimeError as error: found.append(str(error))\n"
            "threading.Thread(target=work, daemon=True).start()\n"
            "time.sleep(0.01)"
        )
        assert session.threads[0].state == "waiting"
        done = session.execute("time.sleep(0.01); print(found)")
        assert done.stdout == "['the run that made the call has ended']"
        assert not answers
