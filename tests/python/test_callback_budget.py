"""Callbacks and events of guests that want the host to be busy or full."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

MEBIBYTE = 1 << 20


async def keep(**arguments: Any) -> None:
    await asyncio.sleep(60)


def size_of(values: str, count: int) -> str:
    """A program that has a text of JSON with so many values."""
    return f"import _eryx\ntext = '{{\"x\":[' + ','.join([{values!r}] * {count}) + ']}}'\n"


class TestArguments:
    @pytest.mark.parametrize("values", ["[]", "{}", "1", '"a"', '{"a":1}', "1e300", "[[[[]]]]"])
    def test_a_megabyte_of_small_values_is_refused(self, values: str) -> None:
        """To parse it would take the host many times as long as to copy it."""
        called = []

        def note(x: Any) -> None:
            called.append(x)

        sandbox = eryx.Sandbox(callbacks=[{"name": "note", "fn": note}])
        count = (MEBIBYTE - 10) // (len(values) + 1)
        program = size_of(values, count) + "assert len(text) <= 1 << 20\n"
        assert sandbox.execute(program + "print(_eryx.call('note', text))").stdout == "-2"
        assert not called
        few = size_of(values, 3000) + "print(_eryx.call('note', text))"
        assert sandbox.execute(few).stdout == "1"
        assert len(called[0]) == 3000

    def test_sixteen_megabytes_in_each_of_a_thousand_calls(self) -> None:
        """`cases/security/callback_cpu.py`: took 280 s for a deadline of one."""
        sandbox = eryx.Sandbox(callbacks=[{"name": "cb", "fn": lambda x: None}])
        code = size_of("[]", 3_600_000) + "print({_eryx.call('cb', text) for _ in range(1000)})"
        assert sandbox.execute(code).stdout == "{-2}"

    def test_a_small_limit_still_allows_some_thousand_values(self) -> None:
        def total(numbers: list[int]) -> int:
            return sum(numbers)

        limits = eryx.ResourceLimits(max_callback_bytes=12_000)
        sandbox = eryx.Sandbox(callbacks=[{"name": "total", "fn": total}], resource_limits=limits)
        assert sandbox.execute("print(await total([1] * 5000))").stdout == "5000"

    def test_a_larger_limit_allows_more(self) -> None:
        def count(rows: list[Any]) -> int:
            return len(rows)

        limits = eryx.ResourceLimits(max_callback_bytes=16 * MEBIBYTE)
        sandbox = eryx.Sandbox(callbacks=[{"name": "count", "fn": count}], resource_limits=limits)
        code = "print(await count([{'a': n, 'b': 'text'} for n in range(50_000)]))"
        assert sandbox.execute(code).stdout == "50000"


class TestPending:
    def test_arguments_of_open_calls(self) -> None:
        """`cases/security/callback_memory.py`, `cases/host/l0*.py`: took 3.8 GB of the host."""
        limits = eryx.ResourceLimits(max_callback_bytes=16 * MEBIBYTE)
        sandbox = eryx.Sandbox(callbacks=[{"name": "keep", "fn": keep}], resource_limits=limits)
        code = size_of("[]", 200_000) + (
            "opened = [_eryx.call('keep', text) for _ in range(60)]\n"
            "print([each for each in opened if each > 0], set(opened[4:]))\n"
            "import asyncio; await asyncio.sleep(0.05)\n"
        )
        gc.collect()
        tracemalloc.start()
        try:
            result = sandbox.execute(code)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert result.stdout == "[1, 2, 3, 4] {-3}"
        assert peak < 100 * MEBIBYTE

    def test_the_guest_is_told(self) -> None:
        limits = eryx.ResourceLimits(max_pending_callback_bytes=300_000)
        sandbox = eryx.Sandbox(callbacks=[{"name": "keep", "fn": keep}], resource_limits=limits)
        code = (
            "import asyncio\n"
            "first = asyncio.create_task(keep(x='y' * 50_000))\n"
            "await asyncio.sleep(0)\n"
            "try:\n    await keep(x='y' * 250_000)\n"
            "except RuntimeError as error:\n    print(error)\n"
        )
        assert "max_pending_callback_bytes" in sandbox.execute(code).stdout

    def test_answers_that_are_not_taken(self) -> None:
        """The answers wait for the guest; those over the budget are told as missing."""

        def large() -> str:
            return "x" * 1_000_000

        code = (
            "import _eryx\n"
            "for _ in range(100): _eryx.call('large', '{}')\n"
            "print(sum(status == 3 for _, status, _ in _eryx.wait(0)) >= 33)\n"
        )
        limits = eryx.ResourceLimits(max_memory_bytes=1 << 30)
        sandbox = eryx.Sandbox(callbacks=[{"name": "large", "fn": large}], resource_limits=limits)
        assert sandbox.execute(code).stdout == "True"

    def test_room_comes_back(self) -> None:
        limits = eryx.ResourceLimits(max_pending_callback_bytes=2 * MEBIBYTE)
        sandbox = eryx.Sandbox(
            callbacks=[{"name": "echo", "fn": lambda x: x}], resource_limits=limits
        )
        code = "for _ in range(50): assert len(await echo(x='y' * 1_000_000)) == 1_000_000"
        sandbox.execute(code)
        sandbox.execute(code)

    def test_no_call_with_a_budget_of_nothing(self) -> None:
        limits = eryx.ResourceLimits(max_pending_callback_bytes=0)
        sandbox = eryx.Sandbox(callbacks=[{"name": "keep", "fn": keep}], resource_limits=limits)
        with pytest.raises(eryx.ExecutionError, match="max_pending_callback_bytes"):
            sandbox.execute("await keep()")

    def test_calls_that_no_thread_has_begun(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their arguments go when they expire, however long the threads are busy."""
        jobs: list[Callable[[], None]] = []
        monkeypatch.setattr("eryx._workers.submit", jobs.append)
        limits = eryx.ResourceLimits(callback_timeout_ms=10)
        sandbox = eryx.Sandbox(
            callbacks=[{"name": "slow", "fn": print, "thread": True}], resource_limits=limits
        )
        code = (
            "for n in range(20):\n"
            "    try: await slow(x='y' * 1_000_000)\n"
            "    except TimeoutError: pass\n"
        )
        tracemalloc.start()
        try:
            sandbox.execute(code)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(jobs) == 20
        assert held < 5_000_000
        for job in jobs:
            job()  # nobody waits any more: nothing is printed

    def test_a_journal_has_an_end(self) -> None:
        """It holds the arguments of all calls of a run."""
        sandbox = eryx.Sandbox(callbacks=[{"name": "note", "fn": lambda text: None}])
        code = (
            "done = 0\n"
            "try:\n"
            "    for _ in range(1000):\n"
            "        await note('x' * 1_000_000); done += 1\n"
            "except RuntimeError as error:\n    print(done, error.host_type, error)\n"
        )
        outcome = sandbox.execute_with_journal(code)
        assert outcome.result is not None
        assert outcome.result.stdout.startswith("67 ResourceLimitError ")
        assert len(outcome.journal["entries"]) == 67


class TestTrace:
    def test_texts_have_a_sum(self) -> None:
        """100,000 events with two names of 1,000 characters each took 800 MB."""
        code = (
            "import _eryx, json\n"
            "for batch in range(2000):\n"
            "    _eryx.trace(json.dumps([{'event': 'line', 'line': 1,\n"
            "        'function': chr(0x10000 + n) * 990 + str(batch), 'filename': 'f' * 5000}\n"
            "        for n in range(20)], ensure_ascii=False))\n"
        )
        result = eryx.Sandbox(trace=True).execute(code)
        assert result.trace_truncated
        texts = {id(text): sys.getsizeof(text) for event in result.trace for text in event[2:4]}
        assert sum(texts.values()) < 17 * MEBIBYTE

    def test_equal_texts_are_kept_once(self) -> None:
        result = eryx.Sandbox(trace=True).execute("for n in range(3000):\n    n = n")
        assert len({id(event.filename) for event in result.trace}) == 1
        assert not result.trace_truncated

    @pytest.mark.parametrize("text", ["' ' * 100_000_000", "'[' + '[],' * 300_000 + '[]]'"])
    def test_one_batch_that_is_too_large(self, text: str) -> None:
        limits = eryx.ResourceLimits(max_memory_bytes=1 << 30)
        sandbox = eryx.Sandbox(trace=True, resource_limits=limits)
        result = sandbox.execute(f"import _eryx\n_eryx.trace({text})\nprint('done')")
        assert result.stdout == "done"
        assert result.trace_truncated

    def test_long_names_of_a_program(self) -> None:
        """The guest cuts them, so that a batch of its events is never too large."""
        name = "\U0001d4b6" * 5000
        code = f"class {name}:\n    def f(self): pass\nfor n in range(300): {name}().f()\n"
        result = eryx.Sandbox(trace=True).execute(code)
        assert not result.trace_truncated
        assert max(len(event.function) for event in result.trace) == 1000


class TestReports:
    def test_a_report_of_a_hundred_megabytes(self) -> None:
        limits = eryx.ResourceLimits(max_memory_bytes=1 << 30)
        sandbox = eryx.Sandbox(resource_limits=limits)
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("raise ValueError('x' * 100_000_000)")
        assert len(str(caught.value)) <= 2 * MEBIBYTE
        result = sandbox.execute("result = 'x' * 100_000_000")
        assert "too large" in str(result.result_error)
