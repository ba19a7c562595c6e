"""Runs whose events are taken one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import eryx


def events_of(
    sandbox: eryx.Sandbox,
    code: str,
    decide: Callable[[eryx.Call], object] = lambda call: None,
    **options: Any,
) -> list[Any]:
    async def collect() -> list[Any]:
        found: list[Any] = []
        async with sandbox.start(code, **options) as run:
            async for event in run:
                found.append(event)
                if isinstance(event, eryx.Call):
                    decide(event)
        return found

    return asyncio.run(collect())


def pay(amount: int) -> str:
    return f"paid {amount}"


class TestEvents:
    def test_come_in_order_with_the_result_at_the_end(self) -> None:
        code = (
            "import sys\nprint('a', 1)\nprint('b', file=sys.stderr)\nx = await pay(5)\nprint(x)\nx"
        )
        first, second, call, third, done = events_of(eryx.Sandbox(callbacks=[pay]), code)
        assert (first.stream, first.text) == ("stdout", "a 1\n")
        assert (second.stream, second.text) == ("stderr", "b\n")
        assert (call.name, call.arguments) == ("pay", {"amount": 5})
        assert third.text == "paid 5\n"
        assert done.result.value == "paid 5"
        assert done.error is None
        assert done.text == done.result.text

    def test_an_error_is_in_the_last_one(self) -> None:
        (done,) = events_of(eryx.Session(), "1 / 0")
        assert isinstance(done.error, eryx.ExecutionError)
        assert done.result is None
        assert "ZeroDivisionError" in done.text

    def test_trace(self) -> None:
        events = events_of(eryx.Sandbox(), "x = 1", trace=True)
        assert any(
            isinstance(event, eryx.Trace) and event.event.event == "line" for event in events
        )

    def test_options_of_the_run(self) -> None:
        *_, done = events_of(
            eryx.Sandbox(),
            "[x, input(), await pay(2)]",
            inputs={"x": 1},
            stdin="typed",
            callbacks=[pay],
        )
        assert done.result.value == [1, "typed", "paid 2"]

    def test_a_guest_that_writes_much_waits(self) -> None:
        events = events_of(eryx.Sandbox(), "for i in range(2000): print(i)")
        assert "".join(event.text for event in events[:-1]) == "".join(
            f"{i}\n" for i in range(2000)
        )


class TestCalls:
    def test_can_be_answered_and_refused_and_changed(self) -> None:
        code = """
async def outcome(amount):
    try:
        return await pay(amount)
    except RuntimeError as error:
        return f"refused: {error}"
[await outcome(n) for n in (1, 2, 3, 4)]
"""

        def decide(call: eryx.Call) -> None:
            amount = call.arguments["amount"]
            if amount == 1:
                call.answer({"by": "hand"})
            elif amount == 2:
                call.refuse("too much")
            elif amount == 3:
                call.arguments["amount"] = 30
                call.allow()

        *_, done = events_of(eryx.Sandbox(callbacks=[pay]), code, decide)
        assert done.result.value == [{"by": "hand"}, "refused: too much", "paid 30", "paid 4"]

    def test_async_and_threaded_functions(self) -> None:
        async def later(n: int) -> int:
            await asyncio.sleep(0.01)
            return n + 1

        callbacks: list[Any] = [later, {"name": "worker", "fn": lambda n: n + 2, "thread": True}]
        *_, done = events_of(eryx.Sandbox(callbacks=callbacks), "[await later(1), await worker(1)]")
        assert done.result.value == [2, 3]

    def test_are_decided_once(self) -> None:
        def decide(call: eryx.Call) -> None:
            call.answer(1)
            with pytest.raises(eryx.EryxError, match="decided already"):
                call.refuse()

        *_, done = events_of(eryx.Sandbox(callbacks=[pay]), "await pay(1)", decide)
        assert done.result.value == 1

    def test_a_deferred_one_goes_on_in_a_later_run(self) -> None:
        """The approval of a person, who takes longer than the process lives."""
        code = "a = await pay(1)\nb = await pay(2)\n[a, b]"
        sandbox = eryx.Sandbox(callbacks=[pay])
        seen: list[int] = []

        def decide(call: eryx.Call) -> None:
            seen.append(call.arguments["amount"])
            if call.arguments["amount"] == 2 and len(seen) == 2:
                call.defer("ask the owner")

        *_, done = events_of(sandbox, code, decide)
        assert done.is_suspended
        assert done.error.reason == "ask the owner"
        *_, again = events_of(sandbox, code, decide, journal=done.journal)
        assert again.result.value == ["paid 1", "paid 2"]
        assert seen == [1, 2, 2]

    def test_what_a_function_raises(self) -> None:
        def broken() -> None:
            raise KeyError("x")

        *_, done = events_of(eryx.Sandbox(callbacks=[broken]), "await broken()")
        assert done.error.exc_message == "KeyError: 'x'"

    def test_arguments_are_looked_at(self) -> None:
        *_, done = events_of(eryx.Sandbox(callbacks=[pay]), "await pay('x')")
        assert "argument 'amount' must be int" in done.error.exc_message


class TestEnds:
    def test_leaving_ends_the_run(self) -> None:
        async def leave() -> eryx.Session:
            session = eryx.Session(transactional=True)
            async with session.start("print('on')\nwhile True: pass") as run:
                async for event in run:
                    assert isinstance(event, eryx.Output)
                    break
            assert (await session.execute_async("1")).value == 1
            return session

        asyncio.run(leave())

    def test_with_a_call_that_is_open(self) -> None:
        async def leave() -> object:
            sandbox = eryx.Sandbox(callbacks=[pay])
            async with sandbox.start("await pay(1)") as run:
                async for event in run:
                    assert isinstance(event, eryx.Call)
                    break
            return (await sandbox.execute_async("1")).value

        assert asyncio.run(leave()) == 1

    def test_has_to_be_begun(self) -> None:
        async def iterate() -> None:
            run = eryx.Sandbox().start("1")
            with pytest.raises(eryx.EryxError, match="async with"):
                await run.__anext__()

        asyncio.run(iterate())
        with pytest.raises(TypeError, match="code must be a str"):
            eryx.Sandbox().start(1)  # type: ignore[arg-type]

    def test_an_exception_of_the_host_is_raised(self) -> None:
        async def run() -> None:
            session = eryx.Session()
            session.close()
            async with session.start("1") as run:
                events = [event async for event in run]
            assert isinstance(events[0], eryx.Done)
            assert "closed" in str(events[0].error)

        asyncio.run(run())
