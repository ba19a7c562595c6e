"""The table of packages: what is measured when it is made, and how own tests have ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from native import table, times
from toolchain.cache import Cache

pytestmark = pytest.mark.sample

BUSY = "sum(range(10**{power}))"


def busy(power: int) -> None:
    subprocess.run([sys.executable, "-c", BUSY.format(power=power)], check=True)


class TestTimes:
    """How long steps took."""

    def test_the_longest_is_kept(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        assert times.read(cache, "key") is None
        cache.store("step", "key", times.timed(cache, "key", lambda output: busy(7)))
        first = times.read(cache, "key")
        assert first is not None
        assert first["processor"] > 0
        cache.store("step", "other", times.timed(cache, "key", lambda output: None))
        assert times.read(cache, "key") == first

    def test_a_step_that_fails_is_not_known(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)

        def fail(output: Path) -> None:
            raise OSError(str(output))

        with pytest.raises(OSError, match="step"):
            cache.store("step", "key", times.timed(cache, "key", fail))
        assert times.read(cache, "key") is None

    def test_as_text(self) -> None:
        quiet = {"seconds": 3.2, "processor": 5.9, "load": 1.0}
        assert table._time([quiet, quiet]) == "6 s, 12 s of processors"
        assert table._time([quiet, {**quiet, "load": 9.0}]) == "6 s*, 12 s of processors"
        assert table._time([quiet, None]) == "made before"


class TestOutcomes:
    """How the tests of packages ended."""

    def test_counts_and_reasons(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(table, "OUTCOMES", tmp_path)
        assert table._tests("regex") == (
            "0 pass, 0 fail, 0 are skipped; 1 files were not run",
            "",
        )
        outcome = {"passed": 1490, "skipped": 2, "failed": {"test_regex.py::test_main": "no"}}
        table.keep_outcome("regex", "regex.tests.test_regex", outcome)
        text, reasons = table._tests("regex")
        assert text == "1,490 pass, 1 fail, 2 are skipped"
        assert reasons == "it runs the tests of the program that was started, which has none"
        assert table._tests("seaborn") == ("none are run", "")
