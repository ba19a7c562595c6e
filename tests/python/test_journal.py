"""Journals: programs that are run again without calling again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import eryx

PROGRAM = """
import asyncio
first = await fetch(key="a")
second, third = await asyncio.gather(fetch(key="b"), fetch("c"))
try:
    await fetch(key="bad")
except RuntimeError as error:
    fourth = str(error)
result = [first, second, third, fourth]
"""


class Host:
    """Functions that count how often they are called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.approved = False

    def fetch(self, key: str) -> str:
        self.calls.append(key)
        if key == "bad":
            raise KeyError("no bad")
        return key * 2

    async def approve(self) -> str:
        self.calls.append("approve")
        if not self.approved:
            raise eryx.SuspendCallback("ask a person")
        return "yes"

    def sandbox(self) -> eryx.Sandbox:
        return eryx.Sandbox(
            callbacks=[
                {"name": "fetch", "fn": self.fetch},
                {"name": "approve", "fn": self.approve},
            ]
        )


def through_json(journal: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(journal))
    return result


class TestJournal:
    def test_recording(self) -> None:
        host = Host()
        outcome = host.sandbox().execute_with_journal(PROGRAM)
        assert outcome.result is not None
        assert outcome.result.result == ["aa", "bb", "cc", "KeyError: 'no bad'"]
        assert (outcome.error, outcome.suspended, outcome.replayed_callbacks) == (None, False, 0)
        assert [entry["arguments"]["key"] for entry in outcome.journal["entries"]] == [
            *("a", "b", "c", "bad")
        ]

    def test_replay_calls_nothing(self) -> None:
        host = Host()
        first = host.sandbox().execute_with_journal(PROGRAM)
        host.calls.clear()
        again = host.sandbox().execute_with_journal(PROGRAM, through_json(first.journal))
        assert host.calls == []
        assert again.replayed_callbacks == 4
        assert again.journal == first.journal
        assert again.result is not None
        assert first.result is not None
        assert again.result.result == first.result.result

    def test_the_first_miss_turns_live(self) -> None:
        host = Host()
        first = host.sandbox().execute_with_journal(PROGRAM)
        journal = through_json(first.journal)
        del journal["entries"][1]
        host.calls.clear()
        again = host.sandbox().execute_with_journal(PROGRAM, journal)
        assert again.replayed_callbacks == 1
        assert sorted(host.calls) == ["b", "bad", "c"]
        assert again.journal == first.journal

    def test_equal_calls_are_answered_in_turn(self) -> None:
        answers = iter(range(100))
        sandbox = eryx.Sandbox(callbacks=[{"name": "next_one", "fn": lambda: next(answers)}])
        code = "result = [await next_one() for _ in range(3)]"
        first = sandbox.execute_with_journal(code)
        again = sandbox.execute_with_journal(code, first.journal)
        assert again.result is not None
        assert again.result.result == [0, 1, 2]

    def test_arguments_are_compared_as_values(self) -> None:
        calls: list[Any] = []

        def take(**arguments: Any) -> None:
            calls.append(arguments)

        sandbox = eryx.Sandbox(
            callbacks=[{"name": "take", "fn": take, "schema": {"type": "object"}}]
        )
        code = "import sys\nawait invoke('take', **(dict(a=1, b=[2]) if {} else dict(b=[2], a=1)))"
        first = sandbox.execute_with_journal(code.format(True))
        journal = through_json(first.journal)
        del journal["code_sha256"]
        again = sandbox.execute_with_journal(code.format(False), journal)
        assert again.replayed_callbacks == 1
        assert len(calls) == 1

    def test_a_function_that_changes_its_arguments(self) -> None:
        def pop(items: list[int]) -> int:
            return items.pop()

        sandbox = eryx.Sandbox(callbacks=[{"name": "pop", "fn": pop}])
        outcome = sandbox.execute_with_journal("await pop([1, 2])")
        assert outcome.journal["entries"][0]["arguments"] == {"items": [1, 2]}

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_suspend_and_go_on(self, asynchronous: bool) -> None:
        host = Host()
        code = (
            "a = await fetch('a')\n"
            "try:\n    answer = await approve()\nfinally:\n    print('not reached')\n"
            "result = [a, answer]"
        )

        def run(journal: dict[str, Any] | None) -> eryx.ReplayOutcome:
            sandbox = host.sandbox()
            if asynchronous:
                return asyncio.run(sandbox.execute_with_journal_async(code, journal))
            return sandbox.execute_with_journal(code, journal)

        first = run(None)
        assert (first.suspended, first.suspend_reason) == (True, "ask a person")
        assert (first.result, first.error) == (None, None)
        assert [entry["name"] for entry in first.journal["entries"]] == ["fetch"]
        host.approved = True
        second = run(through_json(first.journal))
        assert not second.suspended
        assert second.result is not None
        assert second.result.result == ["aa", "yes"]
        assert host.calls == ["a", "approve", "approve"]

    def test_suspension_without_a_journal(self) -> None:
        sandbox = Host().sandbox()
        with pytest.raises(eryx.SuspendCallback) as caught:
            sandbox.execute("await approve()")
        assert caught.value.reason == "ask a person"
        assert sandbox.execute("print(1)").stdout == "1"

    def test_a_run_that_fails_has_a_journal(self) -> None:
        outcome = Host().sandbox().execute_with_journal("await fetch('a')\n1/0")
        assert isinstance(outcome.error, eryx.ExecutionError)
        assert outcome.error.exc_type == "ZeroDivisionError"
        assert outcome.result is None
        assert len(outcome.journal["entries"]) == 1
        assert "error=" in repr(outcome)

    def test_bound_to_the_program(self) -> None:
        sandbox = Host().sandbox()
        journal = sandbox.execute_with_journal("await fetch('a')").journal
        with pytest.raises(ValueError, match="another program"):
            sandbox.execute_with_journal("await fetch('b')", journal)

    @pytest.mark.parametrize(
        ("journal", "error"),
        [
            ([], TypeError),
            ({}, ValueError),
            ({"version": 2, "entries": []}, ValueError),
            ({"version": 1}, ValueError),
            ({"version": 1, "entries": [1]}, ValueError),
            ({"version": 1, "entries": [{"name": "fetch", "arguments": {}}]}, ValueError),
            ({"version": 1, "entries": [{"name": 1, "arguments": {}, "value": 1}]}, ValueError),
            ({"version": 1, "entries": [{"name": "x", "arguments": 1, "value": 1}]}, ValueError),
            (
                {"version": 1, "entries": [{"name": "x", "arguments": {}, "exception": "E"}]},
                ValueError,
            ),
        ],
    )
    def test_malformed_journals(self, journal: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            Host().sandbox().execute_with_journal("await fetch('a')", journal)

    def test_of_a_session(self) -> None:
        host = Host()
        with eryx.Session(callbacks=[{"name": "fetch", "fn": host.fetch}]) as session:
            first = session.execute_with_journal("x = await fetch('a')")
            session.reset()
            session.execute_with_journal("x = await fetch('a')", first.journal)
            assert session.execute("print(x)").stdout == "aa"
        assert host.calls == ["a"]
