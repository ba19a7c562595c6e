"""What the dearest events of a guest cost the host in Python. `bench/host_costs.py` shows them.

The C side has tests of its own: `tests/c/test_host_costs.c`, `test_tls_costs.c`.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import eryx
from eryx._calls import Calls

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEBIBYTE = 1 << 20

# Values of which a call may have very many: so many as the library lets through.
UNITS = {
    "lists": "[]",
    "objects": "{}",
    "lists in lists": "[[[[]]]]",
    "objects with a key": '{"a":1}',
    "small numbers": "1",
    "large numbers": "9" * 4000,
    "fractions": "1e300",
    "long fractions": "0.12345678901234567",
    "short texts": '"ab"',
    "escaped texts": '"\\u0100"',
    "one text": '"' + "x" * 1_000_000 + '"',
    "one escaped text": '"' + "\\n" * 500_000 + '"',
}

_CALL = """
import _eryx
unit = {unit!r}
def text(count): return '{{"x":[' + ",".join([unit] * count) + "]}}"
low, high = 0, {most} // (len(unit) + 1)
while low < high:
    middle = (low + high + 1) // 2
    if _eryx.call("cb", text(middle)) > 0: low = middle
    else: high = middle - 1
for _ in range({tries}): _eryx.call("cb", text(low))
result = low
"""

_TRACE = """
import _eryx
event = '{"event":"line","line":1,"function":"f","filename":"g"}'
for _ in range(%d): _eryx.trace("[" + ",".join([event] * 700) + "]")
result = 700
"""


@contextmanager
def _measured() -> Iterator[list[float]]:
    """Milliseconds of this thread for each event of guests."""
    taken: list[float] = []
    handle = Calls.handle

    def timed(self: Calls, event: tuple[Any, ...]) -> bool:
        began = time.thread_time()
        try:
            return handle(self, event)
        finally:
            taken.append((time.thread_time() - began) * 1000)

    Calls.handle = timed  # type: ignore[method-assign]
    try:
        yield taken
    finally:
        Calls.handle = handle  # type: ignore[method-assign]


def dearest_call(unit: str, tries: int = 10) -> tuple[int, float]:
    """How many such values one call may have, and what it costs at least, in milliseconds."""

    def cb(x: list[Any]) -> None:
        assert isinstance(x, list)

    limits = eryx.ResourceLimits(max_callback_invocations=None, execution_timeout_ms=None)
    sandbox = eryx.Sandbox(callbacks=[{"name": "cb", "fn": cb}], resource_limits=limits)
    code = _CALL.format(unit=unit, most=_MEBIBYTE, tries=tries)
    with _measured() as taken:
        result = sandbox.execute(code)
    return result.result, min(taken[-tries:])


def dearest_trace(tries: int = 10) -> tuple[int, float]:
    """The same for a batch of events."""
    with _measured() as taken:
        result = eryx.Sandbox(trace=True, max_trace_events=10**6).execute(_TRACE % tries)
    return result.result, sorted(taken)[-tries]
