"""Binary files, BytesIO, buffered readers and writers, raw files."""

import io
import os

with open("a.bin", "wb") as f:
    print(
        f.write(bytes(range(20))),
        f.tell(),
        f.seek(5),
        f.write(b"XX"),
        f.seek(-1, 2),
        f.write(b"E"),
        f.raw.mode,
        f.mode,
    )
with open("a.bin", "rb") as f:
    print(
        f.read(3),
        f.peek(2)[:2],
        f.read1(4),
        f.tell(),
        f.seek(2, 1),
        f.read(),
        f.read(),
        f.readinto(bytearray(3)),
        f.seek(-3, os.SEEK_END),
        f.readline(),
    )
with open("a.bin", "r+b", buffering=0) as f:
    buffer = bytearray(4)
    print(
        type(f).__name__,
        f.readinto(buffer),
        buffer,
        f.readall()[:3],
        f.truncate(6),
        f.seek(0),
        f.read(100),
        f.seek(10),
        f.write(b"hole"),
        f.fileno() > 2,
    )
print(open("a.bin", "rb").read())
b = io.BytesIO(b"line1\nline2\n\nend")
print(
    b.readlines(),
    b.seek(0),
    list(b),
    b.getvalue()[:3],
    b.seek(2),
    b.truncate(),
    b.getvalue(),
    b.write(b"abc"),
    b.getbuffer().nbytes,
    b.tell(),
    b.seek(20),
    b.write(b"far"),
    b.getvalue(),
)
s = io.StringIO("a\nb\r\nc", newline=None)
print(
    s.readlines(),
    s.seek(0),
    s.read(2),
    s.tell(),
    s.write("Q"),
    s.getvalue(),
    s.line_buffering,
    io.StringIO("x\ny").readline(),
    io.StringIO("a\r\n", newline="").read().encode(),
)
r = io.BufferedReader(io.BytesIO(b"0123456789"), buffer_size=4)
print(r.read(2), r.peek(), r.read1(), r.read1(3), r.tell())
w = io.BufferedWriter(io.BytesIO(), buffer_size=8)
w.write(b"12345")
print(w.raw.getvalue(), w.flush(), w.raw.getvalue(), type(w.detach()).__name__)
rw = io.BufferedRandom(io.BytesIO(b"abcdef"))
print(rw.read(2), rw.write(b"ZZ"), rw.seek(0), rw.read())
p = io.BufferedRWPair(io.BytesIO(b"in"), io.BytesIO())
print(p.read(), p.write(b"out"))


class Countdown(io.RawIOBase):
    def __init__(self):
        self.n = 5

    def readable(self):
        return True

    def readinto(self, b):
        if not self.n:
            return 0
        b[0] = 48 + self.n
        self.n -= 1
        return 1


print(
    io.BufferedReader(Countdown()).read(),
    io.TextIOWrapper(io.BufferedReader(Countdown())).read(2),
    Countdown().readall(),
    list(Countdown()),
)
for attempt in (
    lambda: io.BytesIO("s"),
    lambda: io.StringIO(b"x"),
    lambda: io.BytesIO(b"x").seek(-1),
    lambda: io.StringIO("abc").seek(-1, 1),
    lambda: io.BytesIO().read("a"),
    lambda: Countdown().write(b"x"),
    lambda: (b.close(), b.read()),
    lambda: io.BufferedReader(5),
    lambda: io.BufferedWriter(io.BytesIO(), 0),
    lambda: io.TextIOWrapper(io.BytesIO(b"\xff"), "ascii").read(),
    lambda: io.RawIOBase().read(),
    lambda: rw.seek(-5),
    lambda: w.write(b"x"),
    lambda: io.BytesIO().fileno(),
    lambda: io.StringIO().truncate(-1),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
