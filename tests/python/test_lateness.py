"""How late the end of hostile programs is. `bench/lateness.py` shows how late exactly."""

from __future__ import annotations

import time
from typing import Any

import pytest

import eryx
from hostile_programs import PROGRAMS

TIMEOUT_MS = 200

# A machine that is busy with other things, and still far from programs that nothing stops.
LATEST_MS = 1000


def cb(**_: Any) -> None:
    """What the programs call."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_programs_end_at_their_deadline(name: str) -> None:
    limits = eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS, max_callback_invocations=None)
    sandbox = eryx.Sandbox(resource_limits=limits, callbacks=[{"name": "cb", "fn": cb}])
    began = time.perf_counter()
    with pytest.raises(eryx.EryxError) as caught:
        sandbox.execute(PROGRAMS[name])
    milliseconds = (time.perf_counter() - began) * 1000
    assert isinstance(caught.value, eryx.TimeoutError), str(caught.value)[-500:]
    assert TIMEOUT_MS <= milliseconds < TIMEOUT_MS + LATEST_MS
    assert sandbox.execute("print('well')").stdout == "well"
