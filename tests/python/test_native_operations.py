"""Every operation of WebAssembly on numbers, in native modules."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

import eryx
from eryx import native
from native_helpers import MEMORY_IMPORT, SOURCES, body, built, module, section, session
from toolchain.leaves import binary

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

INT, LONG, FLOAT, DOUBLE = 0x7F, 0x7E, 0x7D, 0x7C  # i32, i64, f32, f64

# First and last opcode, operands and result of all that only compute.
OPERATIONS = [
    (0x45, 0x45, (INT,), INT),  # eqz
    (0x46, 0x4F, (INT, INT), INT),  # comparisons
    (0x50, 0x50, (LONG,), INT),
    (0x51, 0x5A, (LONG, LONG), INT),
    (0x5B, 0x60, (FLOAT, FLOAT), INT),
    (0x61, 0x66, (DOUBLE, DOUBLE), INT),
    (0x67, 0x69, (INT,), INT),  # clz, ctz, popcnt
    (0x6A, 0x78, (INT, INT), INT),  # arithmetic
    (0x79, 0x7B, (LONG,), LONG),
    (0x7C, 0x8A, (LONG, LONG), LONG),
    (0x8B, 0x91, (FLOAT,), FLOAT),
    (0x92, 0x98, (FLOAT, FLOAT), FLOAT),
    (0x99, 0x9F, (DOUBLE,), DOUBLE),
    (0xA0, 0xA6, (DOUBLE, DOUBLE), DOUBLE),
    (0xA7, 0xA7, (LONG,), INT),  # conversions
    (0xA8, 0xA9, (FLOAT,), INT),
    (0xAA, 0xAB, (DOUBLE,), INT),
    (0xAC, 0xAD, (INT,), LONG),
    (0xAE, 0xAF, (FLOAT,), LONG),
    (0xB0, 0xB1, (DOUBLE,), LONG),
    (0xB2, 0xB3, (INT,), FLOAT),
    (0xB4, 0xB5, (LONG,), FLOAT),
    (0xB6, 0xB6, (DOUBLE,), FLOAT),
    (0xB7, 0xB8, (INT,), DOUBLE),
    (0xB9, 0xBA, (LONG,), DOUBLE),
    (0xBB, 0xBB, (FLOAT,), DOUBLE),
    (0xBC, 0xBC, (FLOAT,), INT),  # reinterpretations
    (0xBD, 0xBD, (DOUBLE,), LONG),
    (0xBE, 0xBE, (INT,), FLOAT),
    (0xBF, 0xBF, (LONG,), DOUBLE),
    (0xC0, 0xC1, (INT,), INT),  # sign extensions
    (0xC2, 0xC4, (LONG,), LONG),
]
# The same behind 0xFC: conversions that saturate.
SATURATING = [
    (0, 1, FLOAT, INT),
    (2, 3, DOUBLE, INT),
    (4, 5, FLOAT, LONG),
    (6, 7, DOUBLE, LONG),
]


def every_operation() -> bytes:
    """A module with a function for each operation."""
    rows = [
        (bytes([code]), operands, result)
        for first, last, operands, result in OPERATIONS
        for code in range(first, last + 1)
    ]
    rows += [
        (bytes([0xFC, code]), (operand,), result)
        for first, last, operand, result in SATURATING
        for code in range(first, last + 1)
    ]
    types = [bytes([0x60, len(operands), *operands, 1, result]) for _, operands, result in rows]
    bodies = [
        body(*(x for n in range(len(operands)) for x in (0x20, n)), *code)
        for code, operands, _ in rows
    ]
    return module(
        section(1, *types),
        section(2, MEMORY_IMPORT),
        section(3, *(binary.encode_unsigned(n) for n in range(len(rows)))),
        section(10, *bodies),
    )


def test_every_operation_on_numbers_is_translated(tmp_path: Path) -> None:
    made = native.translate(every_operation(), cache=tmp_path / "cache")
    assert made.library.stat().st_size > 0


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> eryx.Session:
    directory = tmp_path_factory.mktemp("figures")
    made = session(directory, native.translate(built(SOURCES / "figures.c", directory)))
    made.execute("import figures")
    return made


def test_constants_that_are_no_numbers_keep_their_bits(figures: eryx.Session) -> None:
    """Of both widths and signs, with a payload, signalling."""
    wide = (0x7FF8 << 48, 0xFFF8 << 48, 0x7FF8 << 48 | 0xABCDEF, 0x7FF << 52 | 1)
    narrow = (0x7FC << 20, 0xFFC << 20, 0x7FC << 20 | 0xABCDE, 0x7F8 << 20 | 1)
    expected = struct.pack("<4Q2d", *wide, -math.inf, -0.0)
    expected += struct.pack("<4I2f", *narrow, -math.inf, -0.0)
    shown = figures.execute("print(figures.constants().hex())").stdout
    assert bytes.fromhex(shown) == expected


def test_sign_of_another_number(figures: eryx.Session) -> None:
    program = "print(figures.copy_sign(1.5, -0.0), figures.copy_sign(-2.0, 3.0))"
    assert figures.execute(program).stdout == "(-1.5, -1.5) (2.0, 2.0)"
