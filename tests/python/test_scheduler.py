"""Asynchronous runs that compute: whose turn it is, and that nobody waits for a thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

import eryx
from conftest import run_python
from eryx import _asynchronous, _scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDLESS = "while True: pass"
COMPUTES = "x = 0\nfor i in range(500_000): x += i\nprint(x)"
COMPUTED = "124999750000"


def limits(**fields: Any) -> eryx.ResourceLimits:
    return eryx.ResourceLimits(**{"execution_timeout_ms": 60_000, **fields})


@pytest.fixture(autouse=True)
def default_threads() -> Iterator[None]:
    yield
    eryx.configure()


class Stuck:
    """A job that keeps a thread until it is told to end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.end = threading.Event()

    def compute(self) -> bool:
        self.begun.set()
        self.end.wait()
        return False

    def done(self) -> None:
        pass

    def cancel(self) -> None:
        self.end.set()


@pytest.fixture
def stuck_thread() -> Iterator[None]:
    """The only thread of the scheduler does something else."""
    eryx.configure(threads=1)
    work = Stuck()
    _scheduler.scheduler().submit(_scheduler.Job(work))
    assert work.begun.wait(60)
    yield
    work.end.set()


@pytest.fixture
def busy_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop's thread has no time for guests."""
    monkeypatch.setattr(_asynchronous._loop_time, "free_ns", 2**63)


class NoExecutor(concurrent.futures.ThreadPoolExecutor):
    """A default executor that must not be used."""

    def submit(self, *arguments: Any, **named: Any) -> Any:
        raise AssertionError("the default executor is the application's own")


class TestThreads:
    def test_there_are_none_until_a_run_needs_one(self, child: Callable[[str], str]) -> None:
        out = child(
            f"""
            import asyncio, eryx, threading
            def threads():
                return [t.daemon for t in threading.enumerate() if t.name == "eryx-compute"]
            eryx.configure(threads=3)
            eryx.Sandbox().execute({COMPUTES!r})
            print(threads())
            asyncio.run(eryx.Sandbox().execute_async({COMPUTES!r}))
            print(threads())
            """
        )
        assert out.split("\n") == ["[]", "[True]"]

    def test_the_default_executor_is_left_alone(self) -> None:
        async def main() -> str:
            asyncio.get_running_loop().set_default_executor(NoExecutor())
            return (await eryx.Sandbox().execute_async(COMPUTES)).stdout

        assert asyncio.run(main()) == COMPUTED

    def test_an_executor_full_of_waiting_threads_is_no_matter(self) -> None:
        free = threading.Event()

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
            blocked = loop.run_in_executor(None, free.wait)
            try:
                with pytest.raises(eryx.TimeoutError):
                    await eryx.Sandbox(
                        resource_limits=limits(execution_timeout_ms=200)
                    ).execute_async(ENDLESS)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(eryx.Sandbox().execute_async(ENDLESS), 0.2)
                sandbox = eryx.Sandbox()
                loop.call_later(0.2, sandbox.cancel)
                with pytest.raises(eryx.CancelledError):
                    await sandbox.execute_async(ENDLESS)
                assert (await eryx.Sandbox().execute_async(COMPUTES)).stdout == COMPUTED
            finally:
                free.set()
            await blocked

        asyncio.run(main())

    def test_executor_threads_that_wait_for_runs(self) -> None:
        async def main() -> list[str]:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(2))

            def ask() -> str:
                run = eryx.Sandbox().execute_async(COMPUTES)
                return asyncio.run_coroutine_threadsafe(run, loop).result(60).stdout

            return await asyncio.gather(*[asyncio.to_thread(ask) for _ in range(4)])

        assert asyncio.run(main()) == [COMPUTED] * 4

    def test_lookups_go_on_beside_endless_guests(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            count = 2 * len(os.sched_getaffinity(0)) + 8
            guests = [
                asyncio.create_task(eryx.Sandbox().execute_async(ENDLESS)) for _ in range(count)
            ]
            await asyncio.sleep(0.1)
            assert await asyncio.wait_for(loop.getaddrinfo("127.0.0.1", 80), 10)
            for guest in guests:
                guest.cancel()
            await asyncio.gather(*guests, return_exceptions=True)

        asyncio.run(main())

    def test_a_forked_process_has_threads_of_its_own(self, child: Callable[[str], str]) -> None:
        out = child(
            f"""
            import asyncio, eryx, os, warnings
            warnings.simplefilter("ignore")
            def run():
                print(asyncio.run(eryx.Sandbox().execute_async({COMPUTES!r})).stdout, flush=True)
            run()
            process = os.fork()
            run()
            if process:
                assert os.waitpid(process, 0)[1] == 0
            """
        )
        assert out.split("\n") == [COMPUTED] * 3

    @pytest.mark.parametrize("ending", ["", "loop.close()", "loop.run_until_complete(cancel())"])
    def test_the_end_of_the_process_waits_for_no_run(self, ending: str) -> None:
        began = time.monotonic()
        done = run_python(
            f"""
            import asyncio, eryx
            limits = eryx.ResourceLimits(execution_timeout_ms=600_000)
            async def begin():
                for _ in range(6):
                    tasks.append(asyncio.create_task(
                        eryx.Sandbox(resource_limits=limits).execute_async({ENDLESS!r})
                    ))
                await asyncio.sleep(0.3)
            async def cancel():
                for task in tasks:
                    task.cancel()
            tasks = []
            loop = asyncio.new_event_loop()
            loop.run_until_complete(begin())
            {ending}
            print("end")
            """
        )
        assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
        assert time.monotonic() - began < 60

    def test_runs_at_exit(self, child: Callable[[str], str]) -> None:
        out = child(
            f"""
            import asyncio, atexit, eryx
            def last():
                print(asyncio.run(eryx.Sandbox().execute_async({COMPUTES!r})).stdout)
            atexit.register(last)
            last()
            """
        )
        assert out.split("\n") == [COMPUTED] * 2

    def test_without_threads_the_loop_computes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        fresh: dict[str, _scheduler.Scheduler] = {}
        monkeypatch.setattr(_scheduler, "_current", fresh)
        monkeypatch.setattr(threading.Thread, "start", refuse)
        assert asyncio.run(eryx.Sandbox().execute_async(COMPUTES)).stdout == COMPUTED


class TestConfigure:
    @pytest.mark.parametrize(
        ("threads", "error"),
        [
            (0, ValueError),
            (-1, ValueError),
            (1001, ValueError),
            ("2", TypeError),
            (True, TypeError),
        ],
    )
    def test_wrong_numbers(self, threads: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match="threads"):
            eryx.configure(threads=threads)

    def test_the_default_is_the_number_of_usable_cpus(self) -> None:
        eryx.configure()
        assert _scheduler.scheduler().max_threads == len(os.sched_getaffinity(0))

    def test_it_can_be_changed_while_guests_run(self) -> None:
        def threads() -> int:
            return sum(thread.name == "eryx-compute" for thread in threading.enumerate())

        async def until(count: int) -> None:
            for _ in range(6_000):
                if threads() == count:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError(f"there are {threads()} threads, not {count}")

        async def main() -> None:
            guests = [asyncio.create_task(eryx.Sandbox().execute_async(ENDLESS)) for _ in range(6)]
            for count in (1, 4, 2):
                eryx.configure(threads=count)
                await until(count)
            for guest in guests:
                guest.cancel()
            await asyncio.gather(*guests, return_exceptions=True)
            assert (await eryx.Sandbox().execute_async(COMPUTES)).stdout == COMPUTED

        asyncio.run(main())


class TestTurns:
    def test_all_get_the_same_share(self) -> None:
        eryx.configure(threads=2)

        async def main() -> list[int]:
            sandboxes = [eryx.Sandbox(resource_limits=limits(), meter=True) for _ in range(40)]
            runs = [asyncio.create_task(sandbox.execute_async(ENDLESS)) for sandbox in sandboxes]
            await asyncio.sleep(3)
            for sandbox in sandboxes:
                sandbox.cancel()
            ends = await asyncio.gather(*runs, return_exceptions=True)
            return [cast("eryx.CancelledError", end).fuel_consumed or 0 for end in ends]

        fuel = asyncio.run(main())
        assert min(fuel) > 0.4 * sum(fuel) / len(fuel)
        assert max(fuel) < 2.5 * sum(fuel) / len(fuel)

    def test_a_short_run_is_not_kept_by_long_ones(self) -> None:
        eryx.configure(threads=1)

        async def main() -> None:
            hogs = [asyncio.create_task(eryx.Sandbox().execute_async(ENDLESS)) for _ in range(12)]
            await asyncio.sleep(0.1)
            sandbox = eryx.Sandbox(resource_limits=limits(execution_timeout_ms=10_000))
            assert (await sandbox.execute_async(COMPUTES)).stdout == COMPUTED
            assert not any(hog.done() for hog in hogs)
            for hog in hogs:
                hog.cancel()
            await asyncio.gather(*hogs, return_exceptions=True)

        asyncio.run(main())

    def test_the_loop_goes_on_while_many_begin(self) -> None:
        async def main() -> float:
            worst, last = 0.0, time.monotonic()
            runs = [asyncio.create_task(eryx.Sandbox().execute_async(ENDLESS)) for _ in range(300)]
            for _ in range(20):
                await asyncio.sleep(0.01)
                worst, last = max(worst, time.monotonic() - last), time.monotonic()
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)
            return worst

        assert asyncio.run(main()) < 0.6  # which is the moment that each of them may have

    def test_the_time_of_a_run_begins_with_its_first_slice(
        self, stuck_thread: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def main() -> eryx.ExecuteResult:
            monkeypatch.setattr(_asynchronous._loop_time, "free_ns", 2**63)
            sandbox = eryx.Sandbox(resource_limits=limits(execution_timeout_ms=400))
            run = asyncio.create_task(sandbox.execute_async("print(1)"))
            await asyncio.sleep(0.6)
            assert not run.done()
            eryx.configure(threads=2)
            return await run

        result = asyncio.run(main())
        assert result.stdout == "1"
        assert result.queued_ms > 500
        assert result.duration_ms < 400

    def test_what_does_not_wait_has_not_waited(self) -> None:
        assert eryx.Sandbox().execute("print(1)").queued_ms == 0
        assert asyncio.run(eryx.Sandbox().execute_async("print(1)")).queued_ms < 10_000


@pytest.mark.usefixtures("stuck_thread")
class TestNobodyWaitsForAThread:
    @pytest.mark.usefixtures("busy_loop")
    def test_queue_timeout(self) -> None:
        with eryx.Session(resource_limits=limits(queue_timeout_ms=50)) as session:
            session.execute("x = 1")
            with pytest.raises(eryx.TimeoutError, match="queue_timeout_ms") as caught:
                asyncio.run(session.execute_async("x = 2"))
            assert caught.value.queued_ms >= 50
            assert session.execution_count == 1
            assert session.execute("print(x)").stdout == "1"

    @pytest.mark.usefixtures("busy_loop")
    @pytest.mark.parametrize("by", ["cancel", "task", "wait_for"])
    def test_cancelled_before_the_first_slice(self, by: str) -> None:
        session = eryx.Session(resource_limits=limits())

        async def main() -> None:
            run = asyncio.create_task(session.execute_async("print(1)"))
            await asyncio.sleep(0.02)
            if by == "cancel":
                session.cancel()
                with pytest.raises(eryx.CancelledError):
                    await run
            elif by == "task":
                run.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await run
            else:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(run, 0.01)
            assert session.execution_count == 0
            assert session.execute("print(2)").stdout == "2"

        asyncio.run(main())

    @pytest.mark.parametrize(
        "code", [ENDLESS, "while True:\n  try:\n    while True: pass\n  except BaseException: pass"]
    )
    def test_a_limit_of_time_ends_a_run_that_waits_for_its_next_slice(self, code: str) -> None:
        sandbox = eryx.Sandbox(resource_limits=limits(execution_timeout_ms=200))
        with pytest.raises(eryx.TimeoutError):
            asyncio.run(sandbox.execute_async(code))
        assert sandbox.execute("print(1)").stdout == "1"

    @pytest.mark.parametrize("by", ["cancel", "task", "close"])
    def test_a_run_that_waits_for_its_next_slice_is_cancelled(self, by: str) -> None:
        session = eryx.Session(resource_limits=limits())

        async def main() -> None:
            run = asyncio.create_task(session.execute_async(ENDLESS))
            await asyncio.sleep(0.05)
            if by == "cancel":
                session.cancel()
                with pytest.raises(eryx.CancelledError):
                    await run
            elif by == "task":
                run.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await run
            else:
                await asyncio.to_thread(session.close)
                with pytest.raises(eryx.CancelledError):
                    await run

        asyncio.run(main())
        session.close()


class TestGivenUp:
    def test_a_sandbox_is_free_soon_after_its_task_was_cancelled(self) -> None:
        sandbox = eryx.Sandbox(resource_limits=limits())

        async def main() -> None:
            for _ in range(20):
                run = asyncio.create_task(sandbox.execute_async(ENDLESS))
                await asyncio.sleep(0.01)
                run.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await run
                assert (await sandbox.execute_async("print(1)")).stdout == "1"
                run = asyncio.create_task(sandbox.execute_async(ENDLESS))
                await asyncio.sleep(0.01)
                run.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await run
                assert sandbox.execute("print(2)").stdout == "2"

        asyncio.run(main())

    @pytest.mark.parametrize(
        "code", ["await never()", "import time\ntime.sleep(600)", ENDLESS, "print(1)"]
    )
    @pytest.mark.parametrize("is_late", [False, True])
    def test_a_loop_that_is_closed_in_mid_run(self, code: str, is_late: bool) -> None:
        async def never() -> None:
            await asyncio.Event().wait()

        sandbox = eryx.Sandbox(callbacks=[{"name": "never", "fn": never}], resource_limits=limits())
        loop = asyncio.new_event_loop()
        task = loop.create_task(sandbox.execute_async(code))
        loop.run_until_complete(asyncio.sleep(0.0 if code == "print(1)" else 0.05))
        answers: list[str] = []
        waiter = threading.Thread(
            target=lambda: answers.append(sandbox.execute("print('next')").stdout)
        )
        if is_late:
            loop.close()
        waiter.start()
        time.sleep(0.01)
        loop.close()
        waiter.join(60)
        assert answers == ["next"]
        del task


class TestProcessorTime:
    def test_it_ends_a_run(self) -> None:
        sandbox = eryx.Sandbox(resource_limits=limits(cpu_timeout_ms=50))
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute(ENDLESS)
        with pytest.raises(eryx.TimeoutError):
            asyncio.run(sandbox.execute_async("while True:\n  try: 1\n  except BaseException: 2"))

    def test_waiting_is_free(self) -> None:
        sandbox = eryx.Sandbox(resource_limits=limits(cpu_timeout_ms=1_000))
        assert sandbox.execute("import time\ntime.sleep(1.2)\nprint(1)").stdout == "1"

    def test_many_that_share_the_processors_have_all_of_it(self) -> None:
        async def main() -> list[str]:
            allowed = limits(cpu_timeout_ms=alone_ms * 8 + 100)
            runs = [
                eryx.Sandbox(resource_limits=allowed).execute_async(COMPUTES) for _ in range(40)
            ]
            return [result.stdout for result in await asyncio.gather(*runs)]

        alone_ms = int(eryx.Sandbox().execute(COMPUTES).duration_ms)
        assert asyncio.run(main()) == [COMPUTED] * 40
