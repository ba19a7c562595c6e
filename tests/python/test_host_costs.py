"""One call of a guest keeps the host for milliseconds at most, whatever is in it."""

from __future__ import annotations

import pytest

from host_costs import UNITS, dearest_call, dearest_trace

# 5 ms on the machine that the weights of src/sandbox/json_cost.c were found on; others are slower.
MOST_MS = 15


@pytest.mark.parametrize("name", UNITS)
def test_arguments_of_the_largest_size(name: str) -> None:
    values, milliseconds = dearest_call(UNITS[name])
    assert values > 0
    assert milliseconds < MOST_MS


def test_events_of_the_largest_size() -> None:
    _, milliseconds = dearest_trace()
    assert milliseconds < MOST_MS
