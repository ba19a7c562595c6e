"""Beside other libraries for many things at a time: trio and gevent."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def run_quietly(program: str) -> str:
    """Runs a program that may leave no messages, not at its exit either; gives its stdout."""
    command = [sys.executable, "-W", "default::ResourceWarning", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


class TestTrio:
    @pytest.fixture(autouse=True)
    def there(self) -> None:
        pytest.importorskip("trio")

    def test_async_methods_name_asyncio(self) -> None:
        output = run_quietly(
            """
            import eryx, trio
            async def main():
                sandbox, pool = eryx.Sandbox(), eryx.SandboxPool(max_size=1)
                async def enter():
                    async with pool.acquire():
                        pass
                async def wait():
                    await pool.acquire()
                for call in (
                    lambda: sandbox.execute_async("1"),
                    lambda: sandbox.execute_with_journal_async("1"),
                    lambda: eryx.Session().execute_async("1"),
                    enter,
                    wait,
                ):
                    try:
                        await call()
                    except RuntimeError as error:
                        print("need a running event loop of asyncio" in str(error))
                print(pool.stats().in_use, sandbox.execute("print(1)").stdout)
            trio.run(main)
            """
        )
        assert output.split() == [*["True"] * 5, "0", "1"]

    def test_worker_threads(self) -> None:
        output = run_quietly(
            """
            import asyncio, eryx, trio
            async def double(n):
                await asyncio.sleep(0.001)
                return 2 * n
            async def run(n, found):
                sandbox = eryx.Sandbox(callbacks=[{"name": "double", "fn": double}])
                code = f"print(await double(n={n}))"
                found[n] = (await trio.to_thread.run_sync(sandbox.execute, code)).stdout
            async def main():
                found = {}
                async with trio.open_nursery() as nursery:
                    for n in range(5):
                        nursery.start_soon(run, n, found)
                print(*(found[n] for n in range(5)))
            trio.run(main)
            """
        )
        assert output == "0 2 4 6 8"


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import asyncio, gevent, time, eryx

def in_greenlets(function, count=5):
    jobs = [gevent.spawn(function, number) for number in range(count)]
    gevent.joinall(jobs, timeout=60)
    return " ".join(str(job.value) for job in jobs)

async def later(n):
    await asyncio.sleep(0.01)
    return n

def run(fn, n, **options):
    limits = eryx.ResourceLimits(callback_timeout_ms=options.pop("timeout_ms", 10_000))
    sandbox = eryx.Sandbox(callbacks=[dict(name="f", fn=fn, **options)], resource_limits=limits)
    return sandbox.execute(f"print(await f(n={n}))").stdout
"""


class TestGevent:
    @pytest.fixture(autouse=True)
    def there(self) -> None:
        pytest.importorskip("gevent")

    def run(self, program: str) -> str:
        return run_quietly(GREENLETS + textwrap.dedent(program))

    def test_async_callbacks_in_several_greenlets(self) -> None:
        """The loop of the first one was in the way of the others, which got errors."""
        assert self.run("print(in_greenlets(lambda n: run(later, n)))") == "0 1 2 3 4"

    def test_async_callbacks_that_wait_for_each_other(self) -> None:
        output = self.run(
            """
            arrived = []
            async def meet(n):
                arrived.append(n)
                while len(arrived) < 5:
                    await asyncio.sleep(0.005)
                return n
            print(in_greenlets(lambda n: run(meet, n)))
            """
        )
        assert output == "0 1 2 3 4"

    def test_greenlets_may_use_asyncio_meanwhile(self) -> None:
        output = self.run(
            """
            running = gevent.spawn(run, later, 7)
            gevent.sleep(0.001)
            print(asyncio.run(later(8)), running.get(timeout=60))
            """
        )
        assert output == "8 7"

    def test_other_callbacks(self) -> None:
        output = self.run(
            """
            def wait(n):
                time.sleep(0.01)
                return n
            print(in_greenlets(lambda n: run(wait, n)))
            print(in_greenlets(lambda n: run(wait, n, thread=True)))
            """
        )
        assert output == "0 1 2 3 4\n0 1 2 3 4"

    def test_a_callback_that_takes_too_long(self) -> None:
        output = self.run(
            """
            async def never(n):
                await asyncio.sleep(60)
            def late(n):
                try:
                    run(never, n, timeout_ms=50)
                except eryx.ExecutionError as error:
                    return "timed" if "timed out" in str(error) else error
            print(in_greenlets(late))
            """
        )
        assert output == "timed timed timed timed timed"

    def test_threads_of_gevent(self) -> None:
        output = self.run(
            """
            pool = gevent.get_hub().threadpool
            jobs = [pool.spawn(run, later, n) for n in range(5)]
            print(*(job.get(timeout=60) for job in jobs))
            """
        )
        assert output == "0 1 2 3 4"

    def test_imported_before_it_patches(self) -> None:
        output = run_quietly(
            "import eryx\nprint(eryx.Sandbox().execute('print(1)').stdout)\n"
            + GREENLETS
            + "print(in_greenlets(lambda n: run(later, n)))\n"
            + "print(in_greenlets(lambda n: run(lambda n: n, n, thread=True)))\n"
        )
        assert output == "1\n0 1 2 3 4\n0 1 2 3 4"
