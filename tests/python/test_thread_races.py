"""Races on purpose end in a guest as they do natively; 10,000 seeds with ERYX_TEST_FULL=1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import eryx

PROGRAM = Path(__file__).resolve().parents[1] / "threads" / "races.py"
SEEDS = 10_000 if os.environ.get("ERYX_TEST_FULL") else 140
AT_A_TIME = 70

LIMITS = eryx.ResourceLimits(execution_timeout_ms=120_000)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_results_are_those_of_native_threads(first: int) -> None:
    seeds = [str(first), str(min(first + AT_A_TIME, SEEDS))]
    native = subprocess.run(
        [sys.executable, str(PROGRAM), *seeds], capture_output=True, text=True, check=True
    )
    sandbox = eryx.Sandbox(resource_limits=LIMITS, meter=first % (2 * AT_A_TIME) == 0)
    assert sandbox.execute(PROGRAM.read_text(), arguments=seeds).stdout == native.stdout.rstrip()
