"""asyncio's worker threads: to_thread() and run_in_executor() of a guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], eryx.ExecuteResult]
    Fails = Callable[[str], eryx.ExecutionError]

SLOW = """
import asyncio, time
def slow(seconds=0.05):
    time.sleep(seconds)
    return "slow"
async def one():
    return 1
"""


class TestTimeLimits:
    @pytest.mark.parametrize(
        "wait",
        [
            "asyncio.wait_for(asyncio.to_thread(slow), 0.01)",
            "asyncio.wait_for(asyncio.create_task(asyncio.to_thread(slow)), 0.01)",
            "asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, slow), 0.01)",
            "asyncio.wait_for(asyncio.gather(one(), asyncio.to_thread(slow)), 0.01)",
            "within(0.01, asyncio.to_thread(slow))",
            "first(asyncio.as_completed([asyncio.to_thread(slow)], timeout=0.01))",
        ],
    )
    def test_what_takes_longer_times_out(self, sandbox: eryx.Sandbox, wait: str) -> None:
        result = sandbox.execute(
            SLOW
            + f"""
async def within(seconds, awaitable):
    async with asyncio.timeout(seconds):
        return await awaitable
async def first(iterator):
    for item in iterator:
        return await item
async def main():
    try:
        print(await {wait})
    except TimeoutError:
        print("timed out")
    print(await asyncio.to_thread(slow, 0))
asyncio.run(main())
"""
        )
        assert result.stdout == "timed out\nslow"

    def test_what_is_fast_enough_does_not(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            SLOW + "print(await asyncio.wait_for(asyncio.to_thread(slow), 20))"
        )
        assert result.stdout == "slow"

    def test_wait_leaves_it_pending(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            SLOW
            + """
task = asyncio.create_task(asyncio.to_thread(slow))
done, pending = await asyncio.wait({task}, timeout=0.01)
print(len(done), len(pending), await task)
"""
        )
        assert result.stdout == "0 1 slow"

    def test_the_limit_of_the_run_holds(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=300)
        code = "import asyncio\ndef f():\n while True: pass\nawait asyncio.to_thread(f)"
        with pytest.raises(eryx.TimeoutError):
            eryx.Sandbox(resource_limits=limits).execute(code)


class TestAsOnAThread:
    def test_it_may_run_a_loop_of_its_own(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            SLOW
            + """
async def nested():
    return await asyncio.to_thread(lambda: asyncio.run(one()))
async def main():
    print(await asyncio.to_thread(lambda: asyncio.run(one())))
    print(await asyncio.to_thread(lambda: asyncio.run(nested())))
    print(asyncio.get_running_loop() is asyncio.get_event_loop())
    print(asyncio.current_task() in asyncio.all_tasks())
asyncio.run(main())
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
print(asyncio.get_event_loop() is loop)
"""
        )
        assert result.stdout.splitlines() == [
            *("1", "1", "True", "True"),
            *("1", "1", "True", "True", "True"),
        ]

    def test_it_has_no_loop_and_no_task(self, run: Run) -> None:
        result = run(
            """
            import asyncio
            def ask(function):
                try: return function()
                except RuntimeError as error: return str(error)
            for function in asyncio.get_running_loop, asyncio.current_task:
                print(await asyncio.to_thread(ask, function))
            """
        )
        assert result.stdout == "no running event loop\nno running event loop"

    def test_exceptions_come_to_who_waits(self, run: Run) -> None:
        result = run(
            """
            import asyncio
            def fail(error): raise error
            for error in ValueError("wrong"), StopIteration(3):
                try: await asyncio.to_thread(fail, error)
                except Exception as caught: print(type(caught).__name__, str(caught)[:30])
            """
        )
        assert result.stdout.splitlines() == [
            "ValueError wrong",
            "RuntimeError StopIteration interacts badly ",
        ]

    def test_an_exit_ends_the_program(self, fails: Fails) -> None:
        error = fails(
            "import asyncio, sys; await asyncio.to_thread(sys.exit, 3); print('not here')"
        )
        assert "exited with code 3" in str(error)

    def test_context_variables(self, run: Run) -> None:
        result = run(
            """
            import asyncio, contextvars
            variable = contextvars.ContextVar("variable", default="none")
            variable.set("set")
            loop = asyncio.get_running_loop()
            seen = await loop.run_in_executor(None, variable.get)
            print(await asyncio.to_thread(variable.get), seen)
            await asyncio.to_thread(variable.set, "changed")
            print(variable.get())
            """
        )
        assert result.stdout == "set none\nset"

    def test_it_is_run_though_nobody_waits(self, run: Run) -> None:
        result = run(
            """
            import asyncio
            async def main():
                loop = asyncio.get_running_loop()
                task = asyncio.create_task(asyncio.to_thread(print, "cancelled"))
                await asyncio.sleep(0)
                task.cancel()
                loop.run_in_executor(None, print, "at the end")
            asyncio.run(main())
            """
        )
        assert result.stdout == "cancelled\nat the end"

    def test_others_go_on_meanwhile(self, run: Run) -> None:
        result = run(
            """
            import asyncio, time
            order = []
            def slow(): time.sleep(0.05); order.append("f")
            async def a():
                order.append("a0"); await asyncio.to_thread(slow); order.append("a1")
            async def b():
                order.append("b0"); await asyncio.sleep(0.01); order.append("b1")
            await asyncio.gather(a(), b())
            print(*order)
            """
        )
        assert result.stdout == "a0 b0 b1 f a1"
