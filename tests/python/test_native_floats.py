"""Floating-point flags in native modules: the processor's, and nothing else of it."""

from __future__ import annotations

import pytest

import eryx
from eryx import native
from eryx.native import NativeModule
from native_helpers import SOURCES, built, session

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

INVALID, DIVISION, OVERFLOW, UNDERFLOW, INEXACT = 1, 4, 8, 16, 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[eryx.Session, NativeModule]:
    directory = tmp_path_factory.mktemp("floats")
    module = native.translate(built(SOURCES / "floats.c", directory))
    loaded = session(directory, module)
    loaded.execute("import floats")
    return loaded, module


@pytest.fixture
def loaded(made: tuple[eryx.Session, NativeModule]) -> eryx.Session:
    return made[0]


@pytest.mark.parametrize(
    ("call", "flags"),
    [
        ("'/', 1, 0", DIVISION),
        ("'/', 0.0, 0.0", INVALID),
        ("'/', 1, 2", 0),
        ("'/', 1, 3", INEXACT),
        ("'*', 1e308, 1e10", OVERFLOW | INEXACT),
        ("'*', 1e-308, 1e-10", UNDERFLOW | INEXACT),
        ("'s', -1, 0", INVALID),
    ],
)
def test_what_an_operation_raises(loaded: eryx.Session, call: str, flags: int) -> None:
    assert loaded.execute(f"print(floats.operate({call})[1])").stdout == str(flags)


@pytest.mark.parametrize("operator", ["<", ">"])
def test_comparisons_raise_nothing(loaded: eryx.Session, operator: str) -> None:
    """Also not with a NaN: C's isless() is the same as < in WebAssembly."""
    program = (
        "nan = float('nan')\n"
        f"compare = lambda a, b: floats.operate({operator!r}, a, b)\n"
        "print([compare(nan, 1), compare(1, nan), compare(nan, nan)])\n"
        "print([compare(1, 2), compare(2, 1), compare(2, 2)])"
    )
    results = [1.0, 3.0, 2.0] if operator == "<" else [3.0, 1.0, 2.0]
    expected = f"{[(3.0, 0)] * 3}\n{[(result, 0) for result in results]}"
    assert loaded.execute(program).stdout == expected


def test_raised_by_hand_and_held(loaded: eryx.Session) -> None:
    program = (
        "floats.operate('+', 0, 0); print(floats.raised(4), floats.raised(1), floats.hold(),"
        " floats.test())"
    )
    assert loaded.execute(program).stdout == "4 5 (0, 5) 5"


def test_a_run_begins_without_flags(loaded: eryx.Session) -> None:
    loaded.execute("floats.raised(1)")
    assert loaded.execute("print(floats.test())").stdout == "0"


def test_nothing_else_of_the_processor_can_be_changed(loaded: eryx.Session) -> None:
    """Neither which flags trap nor how is rounded, here or in the host."""
    program = (
        "floats.anything(-1, -1); floats.anything(-1, 0)\n"
        "print(floats.anything(0, 0), floats.operate('/', 1, 0), floats.operate('/', 1, 3))"
    )
    expected = f"0 (inf, {DIVISION}) ({1 / 3}, {INEXACT})"
    assert loaded.execute(program).stdout == expected
    assert 5e-324 * 2 == 1e-323


def test_flags_are_kept_while_the_guest_waits(loaded: eryx.Session) -> None:
    program = "import time; floats.raised(8); time.sleep(0.01); print(floats.test())"
    assert int(loaded.execute(program).stdout) & OVERFLOW
