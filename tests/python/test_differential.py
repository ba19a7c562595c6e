"""Programs of our own do in a sandbox what they do in CPython 3.14, to the letter.

Each of tests/differential/programs has the output beside it that a native CPython had, so sandboxes
are compared anywhere; where a native 3.14 is (`ERYX_NATIVE_PYTHON` or `python3.14` in PATH) it runs
them, too. `python tests/differential/record.py` records what it makes of them.
"""

from __future__ import annotations

import sys
import tomllib

import pytest

import eryx
from differential import (
    DIRECTORY,
    RECORDED,
    Native,
    expected_path,
    find_native,
    run_natively,
    sources,
)

sys.path.insert(0, str(DIRECTORY))

from run_native import text_of

PROGRAMS = sources()
KNOWN: dict[str, str] = tomllib.loads((DIRECTORY / "known.toml").read_text("utf-8"))
SAME = [name for name in PROGRAMS if not name.startswith("known/")]


def run_inside(sandbox: eryx.Sandbox, source: str) -> str:
    """What a program writes in a sandbox."""
    done: eryx.ExecuteResult | eryx.ExecutionError
    try:
        done = sandbox.execute(source)
    except eryx.ExecutionError as error:
        done = error
    return text_of(done.stdout_bytes, done.stderr_bytes, "/python-stdlib")


def expected(name: str) -> str:
    """What a native CPython made of a program."""
    return expected_path(name).read_bytes().decode()


@pytest.fixture(scope="module")
def one_sandbox() -> eryx.Sandbox:
    """A sandbox that runs one program after the other."""
    return eryx.Sandbox()


@pytest.fixture(scope="module")
def native() -> Native:
    """A native CPython that can be compared with; the tests are skipped without one."""
    found = find_native()
    if found is None:
        pytest.skip("no CPython 3.14 here: set ERYX_NATIVE_PYTHON to the command that starts one")
    if found.version < RECORDED:
        pytest.skip(f"CPython {found.version} has faults that {RECORDED} has not")
    return found


class TestSandbox:
    """What a program writes in a sandbox, traceback and all, is what it writes natively."""

    @pytest.mark.parametrize("name", SAME)
    def test_same_as_native(self, one_sandbox: eryx.Sandbox, name: str) -> None:
        assert run_inside(one_sandbox, PROGRAMS[name]) == expected(name)

    @pytest.mark.parametrize("name", KNOWN)
    def test_known_difference_is_still_there(self, one_sandbox: eryx.Sandbox, name: str) -> None:
        program = f"known/{name}"
        found = run_inside(one_sandbox, PROGRAMS[program])
        assert found != expected(program), "not a difference any more: move it to its area"


class TestNative:
    """The recorded outputs are true."""

    def test_recorded_outputs(self, native: Native) -> None:
        found = run_natively(native, PROGRAMS)
        wrong = [name for name in PROGRAMS if found[name] != expected(name)]
        assert not wrong, f"recorded anew by tests/differential/record.py? {wrong}"


class TestPrograms:
    """The collection itself."""

    def test_each_known_difference_has_a_reason(self) -> None:
        known = {name.removeprefix("known/") for name in PROGRAMS if name.startswith("known/")}
        assert known == KNOWN.keys()
        assert all(KNOWN.values())

    def test_enough_programs(self) -> None:
        assert len(SAME) >= 300
