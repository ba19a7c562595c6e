"""zlib, gzip, bz2, lzma, zstd round trips, streaming, and damaged data."""

import bz2
import gzip
import io
import zlib

data = b"".join(b"line %d of the file\n" % (i % 50) for i in range(2000))
for name, module in (("zlib", zlib), ("gzip", gzip), ("bz2", bz2)):
    packed = module.compress(data)
    print(name, module.decompress(packed) == data, len(packed) < len(data) // 4)
for level in (0, 1, 6, 9):
    print(level, zlib.decompress(zlib.compress(data, level)) == data)
d = zlib.decompressobj()
packed = zlib.compress(data) + b"trailing"
out = d.decompress(packed, 100)
print(out[:20], len(out), d.eof, len(d.unconsumed_tail) > 0)
out += d.decompress(d.unconsumed_tail)
print(out == data, d.eof, d.unused_data)
c = zlib.compressobj(wbits=-15)
raw = c.compress(data) + c.flush(zlib.Z_SYNC_FLUSH) + c.compress(b"more") + c.flush()
print(
    zlib.decompress(raw, wbits=-15) == data + b"more",
    zlib.decompress(gzip.compress(b"x"), wbits=31),
)
c = zlib.compressobj(zdict=b"hello world")
small = c.compress(b"hello world hello") + c.flush()
print(zlib.decompressobj(zdict=b"hello world").decompress(small))
buffer = io.BytesIO()
with gzip.GzipFile("name.txt", "wb", fileobj=buffer, mtime=0) as f:
    f.write(b"first\n")
    f.write(b"second\n")
print(
    buffer.getvalue()[:18].hex(),
    gzip.open(io.BytesIO(buffer.getvalue()), "rt").read().split(),
    gzip.decompress(buffer.getvalue() * 2),
)
with gzip.open("x.gz", "wt", encoding="utf-8") as f:
    f.write("zeile ü\n" * 3)
with gzip.open("x.gz", "rt", encoding="utf-8") as f:
    print([line for line in f])
with bz2.open("x.bz2", "wb") as f:
    f.write(data)
with bz2.open("x.bz2") as f:
    print(f.readline(), f.seek(1000), f.read(10), f.tell())
attempts = [
    lambda: zlib.decompress(b"garbage"),
    lambda: zlib.decompress(zlib.compress(data)[:-5]),
    lambda: zlib.decompress(b""),
    lambda: zlib.compress("text"),
    lambda: zlib.compress(b"", 77),
    lambda: zlib.decompress(zlib.compress(b"abc")[:-1] + b"\x00"),
    lambda: gzip.decompress(b"garbage"),
    lambda: gzip.decompress(gzip.compress(b"abc")[:-3]),
    lambda: gzip.decompress(b""),
    lambda: gzip.decompress(gzip.compress(b"abc")[:-8] + b"\0" * 8),
    lambda: gzip.open("x.gz", "rwb"),
    lambda: bz2.decompress(b"garbage"),
    lambda: bz2.decompress(bz2.compress(data)[:-5]),
    lambda: bz2.decompress(b""),
    lambda: bz2.compress(b"", 10),
    lambda: gzip.compress("x"),
    lambda: zlib.decompressobj().decompress(b"x" * 10),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(number, type(error).__name__, error)
