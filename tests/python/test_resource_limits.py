"""ResourceLimits: values, defaults, and that they hold."""

from __future__ import annotations

import time
from typing import Any

import pytest

import eryx
from conftest import LATENESS_MS, private_bytes

DEFAULTS = {
    "execution_timeout_ms": 30_000,
    "callback_timeout_ms": 10_000,
    "max_memory_bytes": 134_217_728,
    "max_callback_invocations": 1_000,
    "max_fuel": None,
    "max_vfs_bytes": None,
    "max_output_bytes": 16_777_216,
    "max_result_bytes": 16_777_216,
    "max_vfs_entries": None,
    "max_open_handles": None,
}
MIB = 1024 * 1024


def limited(**fields: int | None) -> eryx.Sandbox:
    values: dict[str, Any] = fields
    return eryx.Sandbox(resource_limits=eryx.ResourceLimits(**values))


class TestResourceLimits:
    def test_defaults(self) -> None:
        limits = eryx.ResourceLimits()
        assert {name: getattr(limits, name) for name in DEFAULTS} == DEFAULTS

    def test_keyword_only(self) -> None:
        with pytest.raises(TypeError):
            eryx.ResourceLimits(1)  # type: ignore[call-arg]

    def test_unlimited_has_none_everywhere(self) -> None:
        limits = eryx.ResourceLimits.unlimited()
        assert all(getattr(limits, name) is None for name in DEFAULTS)
        assert eryx.Sandbox(resource_limits=limits).execute("print(1)").stdout == "1"

    @pytest.mark.parametrize("name", DEFAULTS)
    def test_fields_can_be_read_and_set(self, name: str) -> None:
        limits = eryx.ResourceLimits(**{name: 123})
        assert getattr(limits, name) == 123
        setattr(limits, name, None)
        assert getattr(limits, name) is None
        setattr(limits, name, 0)
        assert getattr(limits, name) == 0

    @pytest.mark.parametrize("name", DEFAULTS)
    @pytest.mark.parametrize(
        ("value", "exception"),
        [
            (-1, ValueError),
            (2**63, ValueError),
            (1.5, TypeError),
            ("1", TypeError),
            (True, TypeError),
            ([], TypeError),
        ],
    )
    def test_wrong_values(self, name: str, value: object, exception: type[Exception]) -> None:
        wrong: dict[str, Any] = {name: value}
        with pytest.raises(exception, match=name):
            eryx.ResourceLimits(**wrong)
        limits = eryx.ResourceLimits()
        with pytest.raises(exception, match=name):
            setattr(limits, name, value)
        assert getattr(limits, name) == DEFAULTS[name]

    def test_unknown_fields(self) -> None:
        with pytest.raises(TypeError):
            eryx.ResourceLimits(max_colours=1)  # type: ignore[call-arg]
        with pytest.raises(AttributeError):
            eryx.ResourceLimits().max_colours = 1  # type: ignore[attr-defined]

    def test_repr_and_equality(self) -> None:
        limits = eryx.ResourceLimits(max_fuel=5)
        assert eval(repr(limits), {"ResourceLimits": eryx.ResourceLimits}) == limits
        assert limits != eryx.ResourceLimits()
        assert limits != "limits"
        for name in DEFAULTS:
            assert f"{name}=" in repr(limits)

    def test_limits_are_copied(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=20_000)
        sandbox = eryx.Sandbox(resource_limits=limits)
        limits.execution_timeout_ms = 0
        assert sandbox.execute("print(1)").stdout == "1"

    @pytest.mark.parametrize("name", DEFAULTS)
    def test_greatest_value(self, name: str) -> None:
        assert limited(**{name: 2**63 - 1}).execute("print(1)").stdout == "1"

    # What each limit does; test_withstand.py has the programs that try hard to get around them.

    def test_time(self) -> None:
        sandbox = limited(execution_timeout_ms=200)
        started = time.monotonic()
        with pytest.raises(eryx.TimeoutError, match="timed out") as caught:
            sandbox.execute("print('before', flush=True)\nwhile True: pass")
        assert caught.value.stdout == "before"
        assert 200 <= caught.value.duration_ms <= 200 + LATENESS_MS
        assert (time.monotonic() - started) * 1000 <= 200 + LATENESS_MS + 50
        assert sandbox.execute("print('after')").stdout == "after"

    def test_time_zero(self) -> None:
        with pytest.raises(eryx.TimeoutError):
            limited(execution_timeout_ms=0).execute("print(1)")

    def test_output_before_the_end_is_kept_unflushed(self) -> None:
        # What still lies in the guest's own buffers is given to the host where the guest yields.
        sandbox = limited(execution_timeout_ms=100)
        with pytest.raises(eryx.TimeoutError) as caught:
            sandbox.execute("print('before')\nwhile True: pass")
        assert caught.value.stdout == "before"

    def test_memory_is_refused_to_the_guest(self) -> None:
        sandbox = limited(max_memory_bytes=64 * MIB)
        result = sandbox.execute(
            "try:\n    data = bytearray(100_000_000)\nexcept MemoryError:\n    print('refused')"
        )
        assert result.stdout == "refused"
        assert result.memory_limit_hit
        assert result.peak_memory_bytes <= 64 * MIB
        assert not sandbox.execute("pass").memory_limit_hit

    def test_memory_limit_is_told_from_a_plain_memory_error(self) -> None:
        sandbox = limited(max_memory_bytes=64 * MIB)
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("raise MemoryError")
        assert caught.value.exc_type == "MemoryError"
        assert not caught.value.memory_limit_hit
        with pytest.raises(eryx.EryxError) as caught_limit:
            sandbox.execute("data = bytearray(100_000_000)")
        assert caught_limit.value.memory_limit_hit

    def test_memory_of_the_host_stays_below_the_limit(self) -> None:
        sandbox = limited(max_memory_bytes=64 * MIB)
        before = private_bytes()
        with pytest.raises(eryx.EryxError):
            sandbox.execute("data = []\nwhile True: data.append(bytearray(100_000))")
        assert private_bytes() - before < 80 * MIB

    def test_memory_below_what_python_has(self) -> None:
        for size in (0, 1, MIB):
            try:
                limited(max_memory_bytes=size).execute("data = bytearray(30_000_000)")
            except eryx.EryxError:
                continue
            pytest.fail("a run had more memory than was allowed")

    def test_fuel(self) -> None:
        sandbox = limited(max_fuel=3_000_000)
        assert sandbox.execute("print(1)").stdout == "1"
        with pytest.raises(eryx.ResourceLimitError) as caught:
            sandbox.execute("print('x', flush=True)\nwhile True: pass")
        assert "3000000" in str(caught.value).replace(",", "")
        assert "fuel" in str(caught.value)
        assert caught.value.stdout == "x"
        # A slice after the soft stop may be used for the orderly end.
        assert (caught.value.fuel_consumed or 0) >= 3_000_000
        assert sandbox.execute("print(2)").stdout == "2"

    @pytest.mark.parametrize("fuel", [0, 1, 1000])
    def test_tiny_fuel(self, fuel: int) -> None:
        with pytest.raises(eryx.EryxError):
            limited(max_fuel=fuel).execute("for _ in range(100_000): pass")

    def test_fuel_cannot_be_swallowed(self) -> None:
        code = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
        with pytest.raises(eryx.ResourceLimitError):
            limited(max_fuel=1_000_000).execute(code)

    def test_output_is_cut_in_the_middle(self) -> None:
        sandbox = limited(max_output_bytes=1000)
        result = sandbox.execute("print('head' + 'x' * 100_000 + 'tail')")
        assert result.stdout_truncated
        assert not result.stderr_truncated
        assert result.stdout.startswith("head")
        assert result.stdout.endswith("tail")
        assert len(result.stdout_bytes) <= 1000
        result = sandbox.execute("print('x' * 900)")
        assert not result.stdout_truncated
        assert result.stdout == "x" * 900

    def test_output_cap_is_for_both_streams_together(self) -> None:
        result = limited(max_output_bytes=1000).execute(
            "import sys\nprint('o' * 5000)\nprint('e' * 5000, file=sys.stderr)"
        )
        # A flood on one stream leaves the other one an eighth of the cap.
        assert len(result.stdout_bytes) + len(result.stderr_bytes) <= 1000 + 125
        assert result.stdout_truncated
        assert result.stderr_truncated

    def test_output_zero(self) -> None:
        result = limited(max_output_bytes=0).execute("print('x')")
        assert result.stdout == ""
        assert result.stdout_truncated

    def test_file_bytes(self) -> None:
        result = limited(max_vfs_bytes=100_000).execute(
            """
import errno, os
with open("/data/a", "wb") as file:
    file.write(b"x" * 90_000)
def write():
    try:
        with open("/tmp/b", "wb") as file:
            file.write(b"x" * 20_000)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "fine"
print(write())
os.remove("/data/a")
print(write())
"""
        )
        assert result.stdout == "ENOSPC\nfine"

    def test_huge_files_are_refused_without_allocating(self) -> None:
        before = private_bytes()
        result = eryx.Sandbox().execute(
            """
import os
def attempt(action):
    try:
        with open("/data/file", "wb") as file:
            action(file)
    except (OSError, OverflowError):
        return "refused"
    return "fine"
def write_far(file):
    file.seek(2**40)
    file.write(b"x")
    file.flush()
print(attempt(lambda file: file.truncate(2**40)), attempt(lambda file: file.truncate(2**62)))
print(attempt(write_far))
"""
        )
        assert result.stdout == "refused refused\nrefused"
        assert private_bytes() - before < 64 * MIB

    def test_file_entries(self) -> None:
        result = limited(max_vfs_entries=100).execute(
            """
count = 0
try:
    while count < 1000:
        open(f"/data/{count}", "w").close()
        count += 1
except OSError as error:
    print(type(error).__name__)
print(count)
"""
        )
        name, count = result.stdout.split()
        assert name == "OSError"
        assert 80 <= int(count) <= 100

    def test_open_handles(self) -> None:
        result = limited(max_open_handles=50).execute(
            """
files = []
try:
    while len(files) < 1000:
        files.append(open(f"/data/{len(files)}", "w"))
except OSError as error:
    print(type(error).__name__)
count = len(files)
del files
open("/data/again", "w").close()
print(count)
"""
        )
        name, count = result.stdout.split()
        assert name == "OSError"
        assert 10 <= int(count) <= 50
