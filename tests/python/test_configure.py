"""Settings of the process: `eryx.configure`."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from conftest import run_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    yield
    eryx.configure()


class TestArguments:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"threads": "4"},
            {"stop_signal": 1.5},
            {"max_descriptors": True},
            {"max_descriptors_per_sandbox": "many"},
        ],
    )
    def test_wrong_types_are_named(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match=f"^{next(iter(wrong))} must be an int or None, not"):
            eryx.configure(**wrong)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"threads": 0},
            {"threads": 1_001},
            {"stop_signal": 0},
            {"stop_signal": signal.SIGSEGV},
            {"stop_signal": signal.SIGRTMAX + 1},
            {"max_descriptors": 0},
            {"max_descriptors_per_sandbox": -1},
        ],
    )
    def test_wrong_numbers_are_named(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=f"^{next(iter(wrong))} "):
            eryx.configure(**wrong)


class TestStopSignal:
    def test_chosen_one_is_used_and_its_handler_kept(self) -> None:
        program = """
            import os, signal, eryx
            seen = []
            number = signal.SIGRTMIN + 4
            signal.signal(number, lambda number, frame: seen.append(number))
            eryx.configure(stop_signal=number)
            limits = eryx.ResourceLimits(execution_timeout_ms=50)
            try:
                eryx.Sandbox(resource_limits=limits).execute("while True: pass")
            except eryx.TimeoutError:
                print("stopped", seen)
            child = os.fork()
            if child == 0:
                os.kill(os.getppid(), number)
                os._exit(0)
            os.waitpid(child, 0)
            print("theirs", len(seen))
            try:
                eryx.configure(stop_signal=number + 1)
            except ValueError as error:
                print(error)
            eryx.configure()
        """
        done = run_python(program)
        assert done.stderr == ""
        lines = done.stdout.splitlines()
        assert lines[:2] == ["stopped []", "theirs 1"]
        assert "a guest has run already" in lines[2]


class TestDescriptors:
    def test_limit_is_told_to_the_guest(self, tmp_path: Path) -> None:
        eryx.configure(max_descriptors_per_sandbox=20)
        sandbox = eryx.Sandbox(volumes=[(str(tmp_path), "/host", False)])
        code = (
            "held = []\n"
            "try:\n"
            "    for i in range(100): held.append(open(f'/host/{i}', 'w'))\n"
            "except OSError as error:\n"
            "    result = [error.errno, len(held) <= 20]\n"
        )
        found = sandbox.execute(code).result
        assert isinstance(found, list)
        named = sandbox.execute("import errno; result = errno.EMFILE").result
        assert found == [named, True]
