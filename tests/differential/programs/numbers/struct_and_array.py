"""struct formats and sizes, array types, memoryview casts."""

import array
import struct

print(struct.pack("<bBhHiIqQ", -1, 255, -2, 65535, -3, 2**32 - 1, -4, 2**64 - 1).hex())
print(
    struct.pack(">f d e ?".replace(" ", ""), 1.5, -2.25, 0.5, True).hex(),
    struct.pack("<10s5p3xc", b"hello", b"pascal", b"z"),
    struct.unpack("<10s5p3xc", struct.pack("<10s5p3xc", b"hello", b"pas", b"z")),
)
print(
    struct.calcsize("<bhilq"),
    struct.calcsize("=i"),
    struct.calcsize(">qb"),
    struct.calcsize("!3i"),
    struct.calcsize("<0s"),
    list(struct.iter_unpack("<Hb", b"\x01\x00\x02\x03\x00\x04")),
)
s = struct.Struct(">I4sB")
buffer = bytearray(12)
s.pack_into(buffer, 1, 7, b"ab", 9)
print(s.format, s.size, bytes(buffer), s.unpack_from(buffer, 1))
attempts = [
    lambda: struct.pack("b", 128),
    lambda: struct.pack("<H", -1),
    lambda: struct.pack("<i", 2**31),
    lambda: struct.pack("<i", 1.5),
    lambda: struct.pack("<i"),
    lambda: struct.pack("<i", 1, 2),
    lambda: struct.pack("s", "text"),
    lambda: struct.pack("c", b"ab"),
    lambda: struct.pack("<f", 1e300),
    lambda: struct.pack("e", 1e10),
    lambda: struct.unpack("<i", b"abc"),
    lambda: struct.unpack("y", b""),
    lambda: struct.calcsize("99999999999999999999i"),
    lambda: struct.pack_into("i", bytearray(2), 0, 1),
    lambda: struct.unpack_from("i", b"ab", 0),
    lambda: struct.pack("<q", 2**63),
    lambda: struct.pack("?", 1, 2),
    lambda: list(struct.iter_unpack("<H", b"abc")),
    lambda: struct.pack("<n", 1),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
a = array.array("i", [1, 2, 3])
a.append(4)
a.extend([5, 6])
a.insert(0, -1)
print(
    a,
    a[1:3],
    a.tolist(),
    a.index(3),
    a.count(2),
    a.pop(),
    a.itemsize,
    a.typecode,
    a * 2,
    a + a[:1],
    len(a),
    3 in a,
)
a.reverse()
a.remove(2)
a.byteswap()
print(
    a,
    a.tobytes().hex(),
    array.array("d", [1.5]).tobytes().hex(),
    array.array("w", "héy"),
    array.array("w", "ab").tounicode(),
    array.array("B", b"xyz"),
)
for attempt in (
    lambda: array.array("b", [128]),
    lambda: array.array("x"),
    lambda: array.array("i", ["a"]),
    lambda: array.array("i").pop(),
    lambda: array.array("i", [1]).append(1.5),
    lambda: array.array("B", [1]).frombytes(b"\x00") or array.array("H").frombytes(b"a"),
    lambda: array.array("i", [1]) + [2],
    lambda: array.array("i")[0],
    lambda: array.array("i").remove(1),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
m = memoryview(bytearray(range(8)))
print(
    m[2:5].tolist(),
    m[::-1].tolist(),
    m.cast("H").tolist(),
    m.cast("B", (2, 4)).tolist(),
    m.nbytes,
    m.readonly,
    m.format,
    m.shape,
    m.strides,
    bytes(m[::3]),
    m == bytes(range(8)),
    m.hex("-"),
)
m[0] = 255
m[1:3] = b"zz"
print(
    bytes(m),
    memoryview(b"ab") == memoryview(b"ab"),
    hash(memoryview(b"ab")) == hash(b"ab"),
    255 in m,
    m.index(3),
    m.count(255),
)
for attempt in (
    lambda: m.__setitem__(0, 256),
    lambda: m.__setitem__(slice(0, 2), b"abc"),
    lambda: memoryview(b"x").__setitem__(0, 1),
    lambda: m.cast("i").tolist() and m[1:4].cast("i"),
    lambda: m["a"],
    lambda: m[10],
    lambda: memoryview("s"),
    lambda: hash(m),
    lambda: m.cast("Z"),
    lambda: (m.release(), m.tolist()),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
