"""Programs for the tests of adapters, and what is looked for in their answers."""

from __future__ import annotations

import base64
import struct
import zlib


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# A picture of two by two red pixels.
PNG = b"".join(
    (
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress(2 * (b"\0" + 2 * b"\xff\0\0"))),
        _chunk(b"IEND", b""),
    )
)
PNG_BASE64 = base64.b64encode(PNG).decode()

SHOW_PICTURE = f"""
import base64

class Picture:
    def _repr_png_(self):
        return base64.b64decode("{PNG_BASE64}")

Picture()
"""

# Some frameworks have no `await` in programs.
FAIL = "1 / 0"
FAILURE = "ZeroDivisionError: division by zero"
FOREVER = "while True: pass"
