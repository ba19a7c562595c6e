"""A small binary file format: header, records, checksum, damaged input."""

import struct
import zlib

HEADER = struct.Struct("<4sHI")
RECORD = struct.Struct("<I12sd?")


def pack(rows):
    body = b"".join(RECORD.pack(n, name.encode(), value, flag) for n, name, value, flag in rows)
    return HEADER.pack(b"DATA", len(rows), zlib.crc32(body)) + body


def unpack(data):
    magic, count, crc = HEADER.unpack_from(data)
    if magic != b"DATA":
        raise ValueError(f"wrong magic {magic!r}")
    body = memoryview(data)[HEADER.size :]
    if zlib.crc32(body) != crc:
        raise ValueError("checksum differs")
    return [
        (n, name.rstrip(b"\0").decode(), value, flag)
        for n, name, value, flag in RECORD.iter_unpack(body)
    ][:count]


data = pack([(1, "one", 1.5, True), (2**32 - 1, "zwölf", -0.0, False)])
print(len(data), data[:10].hex(" "), unpack(data), RECORD.size, HEADER.size)
for bad in (b"", data[:5], b"XXXX" + data[4:], data[:-1], data[:-1] + b"\x05", data + b"\0"):
    try:
        print(unpack(bad))
    except (ValueError, struct.error) as error:
        print(type(error).__name__, error)
for row in ((-1, "x", 1, True), (1, "x", "y", True), (1, "a name that is too long", 1.0, 1)):
    try:
        print(unpack(pack([row])))
    except struct.error as error:
        print(error)
