"""Bit counting, masks, two's complement, Gray code, parity, packing flags, popcount, CRC by hand."""

import struct
import zlib

print(
    [n.bit_count() for n in (0, 1, 255, 2**64 - 1, -5)],
    [bin(n & -n) for n in (12, 40)],
    [n & (n - 1) == 0 for n in (1, 6, 64)],
    [f"{n ^ (n >> 1):03b}" for n in range(8)],
    f"{-5 & 0xFF:08b}",
    (-5 & 0xFFFFFFFF) >> 28,
    0xDEADBEEF >> 16 & 0xFF,
    ~0,
    ~7,
    1 << 0,
)
swap = int.from_bytes((0x12345678).to_bytes(4, "big"), "little")
print(
    hex(swap),
    int(f"{6:08b}"[::-1], 2),
    struct.unpack("<i", struct.pack("<I", 0xFFFFFFFE)),
    struct.unpack(">f", bytes.fromhex("40490fdb"))[0],
    struct.pack(">d", -0.1).hex(),
)
flags = {"read": 1, "write": 2, "run": 4}
value = flags["read"] | flags["run"]
print(
    [n for n, bit in flags.items() if value & bit],
    value & ~flags["read"],
    value ^ flags["write"],
    f"{value:#06b}",
)


def crc32(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


print(crc32(b"hello") == zlib.crc32(b"hello"), hex(crc32(b"123456789")))
x, y = 13, 27
x ^= y
y ^= x
x ^= y
print(
    x,
    y,
    sum(1 << i for i in (0, 3, 5)),
    [i for i in range(8) if 41 >> i & 1],
    7 // 2 << 1 | 7 & 1,
    True << 3,
    5 & True,
)
