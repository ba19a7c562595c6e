"""SandboxPool: sandboxes that several requests share, one after the other."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import open_descriptors, private_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Long enough for any loaded machine; nothing waits for it unless a test fails.
LONG_MS = 60_000


@pytest.fixture(name="pool")
def small_pool() -> Iterator[eryx.SandboxPool]:
    with eryx.SandboxPool(max_size=2, acquire_timeout_ms=LONG_MS) as made:
        yield made


def output(sandbox: eryx.Sandbox, code: str) -> str:
    return sandbox.execute(code).stdout


def wait_for_waiters(pool: eryx.SandboxPool, count: int) -> None:
    """Until so many threads or tasks have begun to wait."""
    while pool.stats().wait_count < count:
        time.sleep(0.001)


class TestAcquire:
    def test_with(self, pool: eryx.SandboxPool) -> None:
        with pool.acquire() as sandbox:
            assert isinstance(sandbox, eryx.PooledSandbox)
            assert isinstance(sandbox, eryx.Sandbox)
            assert output(sandbox, "print('hello')") == "hello"
            assert pool.stats().in_use == 1
            assert not sandbox.is_released
        assert sandbox.is_released
        assert pool.stats().in_use == 0

    def test_release(self, pool: eryx.SandboxPool) -> None:
        sandbox = pool.acquire()
        assert output(sandbox, "print(1)") == "1"
        sandbox.release()
        sandbox.release()
        assert pool.stats().in_use == 0
        for use in (
            lambda: sandbox.execute("1"),
            lambda: sandbox.execute_with_journal("1"),
            lambda: asyncio.run(sandbox.execute_async("1")),
            sandbox.__enter__,
        ):
            with pytest.raises(eryx.PoolError, match="given back"):
                use()
        sandbox.cancel()

    def test_every_execute(self, pool: eryx.SandboxPool) -> None:
        with pool.acquire(callbacks=[{"name": "ask", "fn": lambda: 5}]) as sandbox:
            assert asyncio.run(sandbox.execute_async("print(await ask())")).stdout == "5"
            outcome = sandbox.execute_with_journal("print(await ask())")
            assert outcome.result is not None
            assert outcome.result.stdout == "5"

    def test_forgotten_lease_comes_back(self, pool: eryx.SandboxPool) -> None:
        for _ in range(5):
            pool.acquire().execute("x = 1")
        gc.collect()
        assert pool.stats().in_use == 0
        assert pool.stats().total == 1

    def test_options_of_one_use(self, pool: eryx.SandboxPool) -> None:
        pieces: list[str] = []
        limits = eryx.ResourceLimits(execution_timeout_ms=50)
        with pool.acquire(
            resource_limits=limits,
            callbacks=[{"name": "ask", "fn": lambda: 41}],
            on_stdout=pieces.append,
            result_variable="answer",
            trace=True,
        ) as sandbox:
            done = sandbox.execute("answer = await ask(); print(answer)")
            assert done.result == 41
            assert "".join(pieces) == "41\n"
            assert done.trace
            with pytest.raises(eryx.TimeoutError):
                sandbox.execute("while True: pass")
        with pool.acquire() as sandbox:
            done = sandbox.execute(
                "import time; time.sleep(0.1); print('ask' in dir()); answer = 1; result = 2"
            )
            assert done.stdout == "False"
            assert done.result == 2
            assert not done.trace
        assert "".join(pieces) == "41\n"
        assert pool.stats().total_creations == 1

    def test_wrong_options(self, pool: eryx.SandboxPool) -> None:
        for wrong, error in (
            ({"resource_limits": 5}, TypeError),
            ({"callbacks": [5]}, TypeError),
            ({"result_variable": "not a name"}, ValueError),
            ({"volumes": []}, TypeError),
            ({"nonsense": 1}, TypeError),
            ({"timeout_ms": -1}, ValueError),
            ({"timeout_ms": "x"}, TypeError),
        ):
            with pytest.raises(error):
                pool.acquire(**wrong)
            if "timeout_ms" not in wrong:
                with pytest.raises(error):
                    pool.try_acquire(**wrong)
        assert pool.stats().in_use == 0

    def test_try_acquire(self, pool: eryx.SandboxPool) -> None:
        first, second = pool.try_acquire(), pool.try_acquire()
        with pytest.raises(eryx.PoolExhaustedError, match="all 2 sandboxes"):
            pool.try_acquire()
        second.release()
        with pool.try_acquire() as again:
            assert output(again, "print(1)") == "1"
        first.release()

    def test_timeout(self, pool: eryx.SandboxPool) -> None:
        with pool.acquire(), pool.acquire():
            for timeout in (0, 20):
                with pytest.raises(eryx.PoolTimeoutError, match=f"within {timeout} ms"):
                    pool.acquire(timeout_ms=timeout)
        stats = pool.stats()
        assert (stats.in_use, stats.available, stats.wait_count) == (0, 2, 2)
        assert stats.total_wait_time_ms >= 20
        assert stats.average_wait_time_ms == stats.total_wait_time_ms / 2

    def test_errors_have_their_bases(self) -> None:
        for error in (eryx.PoolExhaustedError, eryx.PoolTimeoutError, eryx.PoolClosedError):
            assert issubclass(error, eryx.PoolError)
        assert issubclass(eryx.PoolError, eryx.EryxError)

    def test_a_lease_is_made_by_a_pool_only(self) -> None:
        with pytest.raises(TypeError, match="acquire"):
            eryx.PooledSandbox()


class TestIsolation:
    def test_nothing_of_one_lease_is_in_the_next(self) -> None:
        code = (
            "import os, sys, builtins, random\n"
            "before = [hasattr(sys, 'mine'), hasattr(builtins, 'mine'), os.listdir('/data'),"
            " os.listdir('/tmp'), 'json' in dir(), os.environ.get('MINE'), sys.argv, os.getcwd()]\n"
            "sys.mine = builtins.mine = 1; open('/data/f', 'w').write('f')\n"
            "open('/tmp/f', 'w').write('f'); import json; os.environ['MINE'] = '1'\n"
            "os.chdir('/tmp'); random.seed(1); json.dumps = None; print(before)"
        )
        with eryx.SandboxPool(max_size=1) as pool:
            seen = []
            for _ in range(4):
                with pool.acquire() as sandbox:
                    seen.append(output(sandbox, code))
            assert set(seen) == {"[False, False, [], [], False, None, ['<user>'], '/data']"}
            assert pool.stats().total_creations == 1

    def test_random_numbers_differ(self, pool: eryx.SandboxPool) -> None:
        drawn = set()
        for _ in range(5):
            with pool.acquire() as sandbox:
                drawn.add(output(sandbox, "import random; print(random.random())"))
        assert len(drawn) == 5

    def test_after_failures(self) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            for end in ("1 / 0", "import os; os._exit(3)", "import sys; sys.exit(2)"):
                with pool.acquire() as sandbox, pytest.raises(eryx.ExecutionError):
                    sandbox.execute(f"x = 1; {end}")
            limits = eryx.ResourceLimits(execution_timeout_ms=30)
            with pool.acquire(resource_limits=limits) as sandbox, pytest.raises(eryx.TimeoutError):
                sandbox.execute("while True: pass")
            with pytest.raises(ZeroDivisionError), pool.acquire() as sandbox:
                print(sandbox.execute("x = 1").duration_ms / 0)
            with pool.acquire() as sandbox:
                assert output(sandbox, "print('x' in dir())") == "False"
            assert pool.stats().in_use == 0

    def test_journals_and_input_stay_with_their_lease(self, pool: eryx.SandboxPool) -> None:
        with pool.acquire() as sandbox:
            assert sandbox.execute("print(input())", stdin="secret").stdout == "secret"
        with pool.acquire() as sandbox:
            assert output(sandbox, "import sys; print(repr(sys.stdin.read()))") == "''"


class TestThreads:
    def test_no_more_than_max_size_at_a_time(self) -> None:
        inside, most = 0, 0
        lock = threading.Lock()

        def work(number: int) -> str:
            nonlocal inside, most
            with pool.acquire() as sandbox:
                with lock:
                    inside += 1
                    most = max(most, inside)
                text = output(sandbox, f"print({number}, 'seen' in dir()); seen = 1")
                with lock:
                    inside -= 1
            return text

        with (
            eryx.SandboxPool(max_size=3, acquire_timeout_ms=LONG_MS) as pool,
            ThreadPoolExecutor(12) as threads,
        ):
            texts = list(threads.map(work, range(60)))
            stats = pool.stats()
        assert texts == [f"{number} False" for number in range(60)]
        assert most <= 3
        assert stats.total_acquisitions == 60
        assert stats.total_creations <= 3
        assert (stats.in_use, stats.idle, stats.available) == (0, stats.total, 3)

    def test_first_come_first_served(self) -> None:
        order: list[int] = []

        def work(number: int) -> None:
            with pool.acquire():
                order.append(number)

        with eryx.SandboxPool(max_size=1, acquire_timeout_ms=LONG_MS) as pool:
            first = pool.acquire()
            threads = []
            for number in range(6):
                threads.append(threading.Thread(target=work, args=(number,)))
                threads[-1].start()
                wait_for_waiters(pool, number + 1)
            with pytest.raises(eryx.PoolExhaustedError):
                pool.try_acquire()
            first.release()
            for thread in threads:
                thread.join()
        assert order == list(range(6))

    def test_release_ends_a_run_of_another_thread(self, pool: eryx.SandboxPool) -> None:
        sandbox = pool.acquire(resource_limits=eryx.ResourceLimits(execution_timeout_ms=None))
        ends: list[BaseException] = []
        started = threading.Event()

        def run() -> None:
            try:
                sandbox.execute("print('on'); import time; time.sleep(600)")
            except eryx.EryxError as error:
                ends.append(error)

        sandbox._request.on_output = lambda stream, data: started.set()
        thread = threading.Thread(target=run)
        thread.start()
        assert started.wait(LONG_MS / 1000)
        sandbox.release()
        thread.join()
        assert [type(error) for error in ends] == [eryx.CancelledError]
        with pool.acquire() as other:
            assert output(other, "print('fine')") == "fine"

    def test_release_inside_of_a_callback_is_refused(self, pool: eryx.SandboxPool) -> None:
        refused: list[Exception] = []

        def release() -> None:
            try:
                sandbox.release()
            except eryx.EryxError as error:
                refused.append(error)
                raise

        with pool.acquire(callbacks=[{"name": "release", "fn": release}]) as sandbox:
            with pytest.raises((eryx.ExecutionError, eryx.CancelledError)):
                sandbox.execute("release.sync()")
            assert len(refused) == 1
            assert output(sandbox, "print('still there')") == "still there"
        assert pool.stats().in_use == 0

    def test_interrupted_while_it_waits(self, child: Callable[[str], str]) -> None:
        """Ctrl-C leaves the queue, and the pool works on."""
        out = child(
            """
            import os, signal, threading, time, eryx
            pool = eryx.SandboxPool(max_size=1, acquire_timeout_ms=None)
            first = pool.acquire()

            def interrupt():
                while pool.stats().wait_count == 0:
                    time.sleep(0.001)
                os.kill(os.getpid(), signal.SIGINT)

            threading.Thread(target=interrupt).start()
            try:
                pool.acquire()
            except KeyboardInterrupt:
                print("interrupted", len(pool._waiting))
            first.release()
            with pool.try_acquire() as sandbox:
                print(sandbox.execute("print(1)").stdout, pool.stats().in_use)
            """
        )
        assert out.splitlines() == ["interrupted 0", "1 1"]

    def test_place_is_free_whatever_happens_to_the_sandbox(
        self, pool: eryx.SandboxPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A sandbox that could not be made clean took its place in the pool with it."""

        class Broken:
            def reset(self) -> None:
                raise MemoryError

        lease = pool.acquire()
        lease.execute("1")
        monkeypatch.setattr(lease, "_core", Broken())
        monkeypatch.setattr(type(lease), "cancel", lambda self: None)
        with pytest.raises(MemoryError):
            lease.release()
        assert (pool.stats().in_use, pool.stats().available) == (0, 2)
        with pool.acquire() as one, pool.acquire() as two:
            assert output(one, "print(1)") + output(two, "print(2)") == "12"


class TestAsyncio:
    def test_async_with(self, pool: eryx.SandboxPool) -> None:
        async def main() -> list[str]:
            async def one(number: int) -> str:
                async with pool.acquire() as sandbox:
                    code = f"import asyncio; await asyncio.sleep(0.001); print({number})"
                    return (await sandbox.execute_async(code)).stdout

            return await asyncio.gather(*[one(number) for number in range(30)])

        assert asyncio.run(main()) == [str(number) for number in range(30)]
        stats = pool.stats()
        assert stats.in_use == 0
        assert stats.total_creations <= 2
        assert stats.total_acquisitions == 30

    def test_await(self, pool: eryx.SandboxPool) -> None:
        async def main() -> None:
            first, second = await pool.acquire(), pool.acquire()
            third = pool.acquire()
            with pytest.raises(eryx.PoolError, match="not acquired yet"):
                third.execute("1")
            with pytest.raises(eryx.PoolError, match="not acquired yet"):
                await third.execute_async("1")
            waiting = asyncio.ensure_future(third.__aenter__())
            await asyncio.sleep(0)
            first.release()
            assert (await (await waiting).execute_async("print(3)")).stdout == "3"
            second.release()
            third.release()

        asyncio.run(main())
        assert pool.stats().in_use == 0

    def test_timeout(self, pool: eryx.SandboxPool) -> None:
        async def main() -> None:
            async with pool.acquire(), pool.acquire():
                with pytest.raises(eryx.PoolTimeoutError):
                    async with pool.acquire(timeout_ms=10):
                        pass

        asyncio.run(main())
        assert pool.stats().in_use == 0

    def test_cancelled_while_it_waits(self) -> None:
        """The place goes to the next one, also if it was granted at the same moment."""

        async def main(pool: eryx.SandboxPool) -> None:
            async def wait(order: list[int], number: int) -> None:
                async with pool.acquire():
                    order.append(number)

            for granted in (False, True):
                order: list[int] = []
                first = await pool.acquire()
                tasks = [asyncio.create_task(wait(order, number)) for number in range(3)]
                await asyncio.sleep(0.001)
                if granted:
                    first.release()
                tasks[0].cancel()
                if not granted:
                    first.release()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert tasks[0].cancelled()
                assert order == [1, 2]
                assert pool.stats().in_use == 0

        with eryx.SandboxPool(max_size=1) as pool:
            asyncio.run(main(pool))

    def test_cancelled_while_it_runs(self, pool: eryx.SandboxPool) -> None:
        async def main() -> None:
            async def run() -> None:
                async with pool.acquire() as sandbox:
                    await sandbox.execute_async("import time; time.sleep(600)")

            task = asyncio.create_task(run())
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with pool.acquire() as sandbox:
                assert (await sandbox.execute_async("print(1)")).stdout == "1"

        asyncio.run(main())
        assert pool.stats().in_use == 0

    def test_leaving_while_another_task_runs(self, pool: eryx.SandboxPool) -> None:
        async def main() -> None:
            async with pool.acquire() as sandbox:
                run = asyncio.create_task(sandbox.execute_async("import time; time.sleep(600)"))
                await asyncio.sleep(0.02)
            with pytest.raises(eryx.CancelledError):
                await run

        asyncio.run(main())
        assert pool.stats().in_use == 0

    def test_threads_and_tasks_wait_together(self) -> None:
        order: list[str] = []

        def thread() -> None:
            with pool.acquire():
                order.append("thread")

        async def task(name: str) -> None:
            async with pool.acquire():
                order.append(name)

        async def main() -> None:
            first = await pool.acquire()
            before = asyncio.create_task(task("before"))
            await asyncio.sleep(0)
            worker = threading.Thread(target=thread)
            worker.start()
            wait_for_waiters(pool, 2)
            after = asyncio.create_task(task("after"))
            await asyncio.sleep(0)
            first.release()
            await asyncio.gather(before, after)
            worker.join()

        with eryx.SandboxPool(max_size=1, acquire_timeout_ms=LONG_MS) as pool:
            asyncio.run(main())
        assert order == ["before", "thread", "after"]

    def test_exhausted(self, pool: eryx.SandboxPool) -> None:
        async def main() -> None:
            async with pool.try_acquire(), pool.try_acquire():
                with pytest.raises(eryx.PoolExhaustedError):
                    pool.try_acquire()

        asyncio.run(main())
        assert pool.stats().available == 2

    def test_closed_while_tasks_wait(self, pool: eryx.SandboxPool) -> None:
        async def main() -> list[object]:
            async with pool.acquire(), pool.acquire():
                waiting = [asyncio.ensure_future(pool.acquire().__aenter__()) for _ in range(3)]
                await asyncio.sleep(0.001)
                pool.close()
                return await asyncio.gather(*waiting, return_exceptions=True)

        ends = asyncio.run(main())
        assert [type(end) for end in ends] == [eryx.PoolClosedError] * 3
        assert (pool.stats().in_use, pool.stats().total) == (0, 0)

    def test_many_come_and_give_up(self) -> None:
        """Threads and tasks that wait, time out and are cancelled in any order lose no place."""
        some = random.Random(5)
        served: list[int] = []

        def thread(number: int) -> None:
            for _ in range(10):
                try:
                    with pool.acquire(timeout_ms=number) as sandbox:
                        served.append(int(output(sandbox, f"print({number})")))
                except eryx.PoolTimeoutError:
                    pass

        async def task(number: int) -> None:
            async with pool.acquire(timeout_ms=some.choice((0, 1, 5, LONG_MS))) as sandbox:
                code = f"import time; time.sleep(0.002); print({number})"
                done = await sandbox.execute_async(code)
                served.append(int(done.stdout))

        async def main() -> list[object]:
            tasks = [asyncio.create_task(task(number)) for number in range(200)]
            for _ in range(100):
                await asyncio.sleep(some.random() / 1000)
                some.choice(tasks).cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

        with eryx.SandboxPool(max_size=3) as pool:
            threads = [threading.Thread(target=thread, args=(number,)) for number in range(4)]
            for each in threads:
                each.start()
            ends = asyncio.run(main())
            for each in threads:
                each.join()
            kinds = {type(end) for end in ends if end is not None}
            assert kinds == {asyncio.CancelledError, eryx.PoolTimeoutError}
            assert len(served) >= sum(end is None for end in ends) > 0
            stats = pool.stats()
            assert (stats.in_use, stats.available, len(pool._waiting)) == (0, 3, 0)
            assert stats.total_acquisitions >= len(served)

    def test_waiter_of_a_closed_loop_is_passed_over(self) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            first = pool.acquire()
            loop = asyncio.new_event_loop()

            async def begin() -> object:
                return loop.create_task(pool.acquire().__aenter__())

            task = loop.run_until_complete(begin())
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            first.release()
            assert pool.stats().in_use == 0
            with pool.try_acquire() as sandbox:
                assert output(sandbox, "print(1)") == "1"
            del task


class TestPool:
    def test_parameters(self) -> None:
        for wrong, error in (
            ({"max_size": 0}, ValueError),
            ({"max_size": "5"}, TypeError),
            ({"max_size": True}, TypeError),
            ({"min_idle": -1}, ValueError),
            ({"max_size": 1, "min_idle": 2}, ValueError),
            ({"acquire_timeout_ms": -1}, ValueError),
            ({"idle_timeout_ms": 1.5}, TypeError),
            ({"factory": 5}, TypeError),
            ({"volumes": 5}, TypeError),
            ({"callbacks": []}, TypeError),
            ({"nonsense": 1}, TypeError),
        ):
            with pytest.raises(error):
                eryx.SandboxPool(**wrong)
        with eryx.SandboxPool() as pool:
            assert pool.max_size == 10
            assert repr(pool) == "SandboxPool(max_size=10, in_use=0)"
        assert repr(pool) == "SandboxPool(max_size=10, in_use=0, closed)"

    def test_stats(self) -> None:
        with eryx.SandboxPool(max_size=4, min_idle=2) as pool:
            assert pool.stats().as_dict() == {
                "available": 4,
                "average_wait_time_ms": 0.0,
                "idle": 2,
                "in_use": 0,
                "total": 2,
                "total_acquisitions": 0,
                "total_creations": 2,
                "total_wait_time_ms": 0.0,
                "wait_count": 0,
            }
            leases = [pool.acquire() for _ in range(3)]
            stats = pool.stats()
            assert (stats.total, stats.idle, stats.in_use, stats.available) == (3, 0, 3, 1)
            assert stats.total_creations == 3
            for lease in leases:
                lease.release()
            assert pool.stats().idle == 3
            assert "total_acquisitions=3" in repr(pool.stats())

    def test_idle_ones_go(self) -> None:
        with eryx.SandboxPool(max_size=5, min_idle=1, idle_timeout_ms=0) as pool:
            leases = [pool.acquire() for _ in range(4)]
            for lease in leases:
                lease.release()
            assert pool.stats().idle == 1
            assert pool.evict_idle() == 0
        with eryx.SandboxPool(max_size=5, min_idle=1, idle_timeout_ms=30) as pool:
            leases = [pool.acquire() for _ in range(4)]
            for lease in leases:
                lease.release()
            end = time.monotonic() + 0.03
            while time.monotonic() <= end:
                time.sleep(0.005)
            assert pool.evict_idle() == 3
            assert pool.stats().idle == 1
        with eryx.SandboxPool(max_size=2, min_idle=0, idle_timeout_ms=None) as pool:
            pool.acquire().release()
            assert pool.evict_idle() == 0
            assert pool.stats().idle == 1

    def test_close(self) -> None:
        pool = eryx.SandboxPool(max_size=1, acquire_timeout_ms=LONG_MS)
        lease = pool.acquire()
        ends: list[type[BaseException]] = []

        def wait() -> None:
            try:
                pool.acquire()
            except eryx.PoolError as error:
                ends.append(type(error))

        thread = threading.Thread(target=wait)
        thread.start()
        wait_for_waiters(pool, 1)
        assert not pool.is_closed
        pool.close()
        pool.close()
        thread.join()
        assert pool.is_closed
        assert ends == [eryx.PoolClosedError]
        assert output(lease, "print('to the end')") == "to the end"
        lease.release()
        for use in (pool.acquire, pool.try_acquire):
            with pytest.raises(eryx.PoolClosedError):
                use()
        stats = pool.stats()
        assert (stats.total, stats.idle, stats.available) == (0, 0, 0)

    def test_volumes(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("host")
        volumes = iter([(tmp_path, "/host", True)])
        with (
            eryx.SandboxPool(max_size=2, volumes=volumes) as pool,
            pool.acquire() as first,
            pool.acquire() as second,
        ):
            for sandbox in (first, second):
                assert output(sandbox, "print(open('/host/f').read())") == "host"
        with pytest.raises(eryx.InitializationError, match="nowhere"):
            eryx.SandboxPool(volumes=[("/nowhere", "/host", True)])

    def test_of_a_factory(self) -> None:
        factory = eryx.SandboxFactory(
            setup_code="seen = []\ndef f(): return ask.sync()",
            callbacks=[{"name": "ask", "fn": lambda: 5}],
        )
        with factory.create_pool(max_size=1, min_idle=1) as pool:
            del factory
            for _ in range(2):
                with pool.acquire() as sandbox:
                    assert output(sandbox, "seen.append(f()); print(seen)") == "[5]"
            with pool.acquire(callbacks=[{"name": "other", "fn": lambda: 6}]) as sandbox:
                assert output(sandbox, "print(f(), await other())") == "5 6"
            assert pool.stats().total_creations == 1

    def test_defaults_of_create_pool(self) -> None:
        """Row 207."""
        with eryx.SandboxFactory().create_pool() as pool:
            assert (pool.max_size, pool.stats().idle) == (10, 1)
            assert (pool._acquire_seconds, pool._idle_seconds) == (30, 300)

    def test_after_a_fork(self, child: Callable[[str], str]) -> None:
        out = child(
            """
            import os, eryx
            pool = eryx.SandboxPool(max_size=1)
            lease = pool.acquire()
            pid = os.fork()
            if pid == 0:
                print(pool.stats().in_use, flush=True)
                with pool.acquire(timeout_ms=0) as sandbox:
                    print(sandbox.execute("print('child')").stdout, flush=True)
                try:
                    lease.execute("1")
                except eryx.EryxError as error:
                    print(error, flush=True)
                lease.release()
                del lease
                print(pool.stats().in_use, flush=True)
                os._exit(0)
            os.waitpid(pid, 0)
            print(lease.execute("print('parent')").stdout, pool.stats().in_use)
            """
        )
        assert out.splitlines() == [
            "0",
            "child",
            "the sandbox belongs to the parent of this process",
            "0",
            "parent 1",
        ]

    def test_memory_and_descriptors_stay_bounded(self) -> None:
        with eryx.SandboxPool(max_size=2) as pool:
            pool.acquire().execute("1")
            gc.collect()
            memory, descriptors = private_bytes(), open_descriptors()
            for _ in range(50):
                with pool.acquire() as sandbox:
                    sandbox.execute("x = bytearray(2_000_000)")
            assert private_bytes() - memory < 16 * 2**20
            assert open_descriptors() == descriptors


def test_asyncio_is_whole_when_a_pool_was_used_before_it() -> None:
    """CPython 3.11 has two tables of tasks if asyncio's C module is imported before asyncio."""
    code = """
import sys
import eryx

with eryx.SandboxPool(max_size=1) as pool, pool.acquire() as sandbox:
    sandbox.execute("1")
print("asyncio" in sys.modules)

import asyncio

async def main():
    async with asyncio.timeout(60):
        return asyncio.current_task() is not None

print(asyncio.run(main()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
