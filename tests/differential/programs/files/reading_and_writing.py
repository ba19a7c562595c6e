"""A file that is read and written has one position, from wherever it is sought."""

import os

with open("b.txt", "w") as f:
    f.write("x\ny\nz\n\n")
with open("b.txt", "r+") as f:
    print(
        f.readline(),
        f.tell(),
        f.read(1),
        f.seek(0),
        f.write("X"),
        f.seek(0, 2),
        f.write("end"),
        f.truncate(),
    )
print(repr(open("b.txt").read()))
with open("b.txt", "a+") as f:
    f.write("!")
    f.seek(0)
    print(repr(f.read()))
with open("b.bin", "wb") as f:
    print(f.write(b"0123456789"), f.seek(0), f.write(b"X"), f.seek(0, 2), f.write(b"end"), f.tell())
print(open("b.bin", "rb").read())
fd = os.open("b.bin", os.O_RDWR)
print(
    os.read(fd, 3),
    os.write(fd, b"-"),
    os.read(fd, 3),
    os.write(fd, b"+"),
    os.lseek(fd, 0, os.SEEK_END),
)
print(os.read(fd, 3), os.write(fd, b"more"), os.lseek(fd, -2, os.SEEK_CUR), os.read(fd, 5))
print(
    os.lseek(fd, -6, os.SEEK_END),
    os.read(fd, 2),
    os.pwrite(fd, b"!", 0),
    os.read(fd, 2),
    os.pread(fd, 2, 0),
    os.write(fd, b"w"),
    os.lseek(fd, 0, os.SEEK_CUR),
)
os.close(fd)
print(open("b.bin", "rb").read())
fd = os.open("b.bin", os.O_RDWR | os.O_APPEND)
print(
    os.read(fd, 4),
    os.write(fd, b"A"),
    os.read(fd, 3),
    os.lseek(fd, 1, os.SEEK_SET),
    os.read(fd, 2),
    os.write(fd, b"B"),
    os.lseek(fd, 0, os.SEEK_CUR),
)
os.close(fd)
with open("b.bin", "a+b") as f:
    print(
        f.tell(),
        f.write(b"!"),
        f.seek(0),
        f.read(4),
        f.write(b"?"),
        f.tell(),
        f.seek(-3, 2),
        f.read(),
    )
with open("b.bin", "r+b") as f:
    print(f.read(2), f.write(b"12"), f.read(2), f.seek(-1, 1), f.write(b"3"), f.seek(0), f.read())
with open("lines.txt", "w+") as f:
    f.write("one\ntwo\nthree\n")
    f.seek(0)
    print(f.readline(), f.tell())
    f.seek(f.tell())
    f.write("TWO")
    f.seek(0)
    print(f.read())
