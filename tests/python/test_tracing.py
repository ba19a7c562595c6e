"""Tracing: what a run did, line by line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import eryx

PROGRAM = """\
def double(x):
    y = x * 2
    return y

double(1)
await ask()
try:
    double(None)
except TypeError:
    pass
"""


def traced(code: str = PROGRAM, **parameters: Any) -> eryx.ExecuteResult:
    sandbox = eryx.Sandbox(trace=True, callbacks=[{"name": "ask", "fn": lambda: 1}], **parameters)
    return sandbox.execute(code)


class TestTrace:
    def test_off_by_default(self) -> None:
        result = eryx.Sandbox().execute("x = 1")
        assert (result.trace, result.trace_truncated) == ([], False)

    def test_events_in_order(self) -> None:
        events = [
            (event.event, event.line, event.function)
            for event in traced().trace
            if event.event not in ("call", "return") or event.function == "double"
        ]
        assert events == [
            ("line", 1, "<module>"),
            ("line", 5, "<module>"),
            ("call", 1, "double"),
            ("line", 2, "double"),
            ("line", 3, "double"),
            ("return", 3, "double"),
            ("line", 6, "<module>"),
            ("callback_start", 0, "ask"),
            ("callback_end", 0, "ask"),
            ("line", 7, "<module>"),
            ("line", 8, "<module>"),
            ("call", 1, "double"),
            ("line", 2, "double"),
            ("exception", 2, "double"),
            ("return", 2, "double"),
            ("exception", 8, "<module>"),
            ("line", 9, "<module>"),
            ("line", 10, "<module>"),
        ]

    def test_fields(self) -> None:
        result = traced()
        assert {event.filename for event in result.trace if event.line} == {"<user>"}
        start, end = (event for event in result.trace if event.event.startswith("callback"))
        assert start.callback_id == end.callback_id > 0
        assert start.duration_ms is None
        assert end.duration_ms is not None
        assert 0 <= end.duration_ms < 10_000
        with pytest.raises(AttributeError):
            start.line = 1  # type: ignore[misc]

    def test_handler_gets_each_event(self) -> None:
        seen: list[eryx.TraceEvent] = []
        result = traced(on_trace=seen.append)
        assert seen == result.trace

    def test_a_handler_is_enough(self) -> None:
        """It was never called without `trace=True`."""
        seen: list[eryx.TraceEvent] = []
        for sandbox in (eryx.Sandbox(on_trace=seen.append), eryx.Session(on_trace=seen.append)):
            seen.clear()
            result = sandbox.execute("x = 1\ny = 2")
            assert [event.line for event in seen if event.event == "line"] == [1, 2]
            assert seen == result.trace
        with eryx.SandboxPool() as pool, pool.acquire(on_trace=seen.append) as lease:
            seen.clear()
            assert lease.execute("x = 1").trace == seen != []

    def test_a_handler_and_no_tracing(self) -> None:
        seen: list[eryx.TraceEvent] = []
        assert eryx.Sandbox(on_trace=seen.append, trace=False).execute("x = 1").trace == []
        assert eryx.Sandbox(on_trace=seen.append).execute("x = 1", trace=False).trace == []
        assert seen == []

    def test_handler_gets_them_while_the_run_goes_on(self) -> None:
        seen: list[eryx.TraceEvent] = []
        counts: list[int] = []
        sandbox = eryx.Sandbox(
            trace=True,
            on_trace=seen.append,
            callbacks=[{"name": "look", "fn": lambda: counts.append(len(seen))}],
        )
        sandbox.execute("x = 1\nawait look()\ny = 2\nawait look()")
        assert 0 < counts[0] < counts[1] < len(seen)

    def test_chosen_for_one_run(self) -> None:
        sandbox = eryx.Sandbox()
        assert sandbox.execute("x = 1").trace == []
        assert [event.line for event in sandbox.execute("x = 1", trace=True).trace][:2] == [1, 1]
        traced_sandbox = eryx.Sandbox(trace=True)
        assert traced_sandbox.execute("x = 1", trace=False).trace == []
        assert traced_sandbox.execute("x = 1").trace != []

    def test_the_library_only_if_asked_for(self) -> None:
        code = "import textwrap\ntextwrap.dedent(' x')"
        sandbox = eryx.Sandbox()
        files = {event.filename for event in sandbox.execute(code, trace=True).trace}
        assert files == {"<user>"}
        files = {event.filename for event in sandbox.execute(code, trace="all").trace}
        assert any(name.endswith("textwrap.py") for name in files)

    def test_uncaught_exception_shows_its_line(self) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            traced("x = 1\n\n1/0")
        raised = [event for event in caught.value.trace if event.event == "exception"]
        assert [event.line for event in raised] == [3]

    @pytest.mark.parametrize("limit", [0, 1, 100])
    def test_number_of_events_is_bounded(self, limit: int) -> None:
        result = traced("for i in range(10_000_000 // 1000):\n    pass", max_trace_events=limit)
        assert len(result.trace) == limit
        assert result.trace_truncated

    def test_not_truncated(self) -> None:
        assert not traced("x = 1").trace_truncated

    def test_the_guest_may_trace_itself(self) -> None:
        code = (
            "import sys\nseen = []\n"
            "def tracer(frame, event, arg):\n    seen.append(event)\n    return tracer\n"
            "def f():\n    return 1\n"
            "sys.settrace(tracer)\nf()\nsys.settrace(None)\nresult = seen"
        )
        result = traced(code)
        assert result.result[:3] == ["call", "line", "return"]
        assert any(event.function == "f" for event in result.trace)

    def test_asynchronously(self) -> None:
        sandbox = eryx.Sandbox(trace=True)
        result = asyncio.run(sandbox.execute_async("for i in range(5000):\n    x = i"))
        assert sum(event.event == "line" and event.line == 2 for event in result.trace) == 5000

    def test_output_and_line_numbers_are_the_same(self) -> None:
        assert traced("print(1)").stdout == "1"

    @pytest.mark.parametrize("trace", ["user", "", 1, 0, []])
    def test_bad_modes(self, trace: Any) -> None:
        with pytest.raises(ValueError, match="trace must be"):
            eryx.Sandbox(trace=trace)
        with pytest.raises(ValueError, match="trace must be"):
            eryx.Sandbox().execute("", trace=trace)

    def test_bad_parameters(self) -> None:
        with pytest.raises(TypeError):
            eryx.Sandbox(on_trace=1)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            eryx.Sandbox(max_trace_events=None)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="max_trace_events"):
            eryx.Sandbox(max_trace_events=-1)

    def test_a_guest_that_makes_events_up(self) -> None:
        """The guest's own module is no way around the limit or the types."""
        code = (
            "import sys\n"
            "host = sys.modules['_eryx']\n"
            'event = \'{"event":"line","line":1,"function":"f","filename":"g"}\'\n'
            "for text in ('[' * 100_000, 'no', '{}', '[1, null, {\"event\": 1}]',\n"
            '        \'[{"event": "line", "line": "x", "function": 1, "filename": []}]\',\n'
            "        '[' + ','.join([event] * 700) + ']'):\n"
            "    host.trace(text)\n"
            "print('done')"
        )
        result = traced(code, max_trace_events=500)
        assert result.stdout == "done"
        assert len(result.trace) == 500
        assert result.trace_truncated
