"""open in text mode: newlines, encodings, seek and tell, buffering, iteration, errors."""

import io
import os

with open("a.txt", "w", encoding="utf-8", newline="") as f:
    print(
        f.write("one\r\ntwo\nthree\rfour ü\n"),
        f.tell(),
        f.name,
        f.mode,
        f.encoding,
        f.newlines,
        f.writable(),
        f.readable(),
        f.seekable(),
        f.closed,
    )
print(os.path.getsize("a.txt"), open("a.txt", "rb").read())
for newline in (None, "", "\n", "\r", "\r\n"):
    with open("a.txt", encoding="utf-8", newline=newline) as f:
        print(repr(newline), f.readlines(), f.newlines)
with open("b.txt", "w", newline="\r\n") as f:
    f.writelines(["x\n", "y\n"])
    print("z", file=f, end="\n\n")
print(open("b.txt", "rb").read(), open("b.txt").read())
with open("latin.txt", "w", encoding="latin-1", errors="replace") as f:
    f.write("caf\xe9 €")
print(
    open("latin.txt", "rb").read(),
    open("latin.txt", encoding="utf-8", errors="replace").read().encode(),
    open("latin.txt", encoding="utf-8", errors="surrogateescape")
    .read()
    .encode("utf-8", "surrogateescape"),
)
with open("x.txt", "x") as f:
    print(f.reconfigure(line_buffering=True), f.line_buffering)
attempts = [
    lambda: open("x.txt", "x"),
    lambda: open("a.txt", "q"),
    lambda: open("a.txt", "rw"),
    lambda: open("a.txt", "rb", encoding="utf-8"),
    lambda: open("a.txt", newline="x"),
    lambda: open("a.txt", encoding="nope"),
    lambda: open("a.txt").write("x"),
    lambda: open("a.txt", "w").read(),
    lambda: open("latin.txt", encoding="utf-8").read(),
    lambda: open("a.txt", buffering=0),
    lambda: open("a\0b"),
    lambda: open(None),
    lambda: open("a.txt", "w").write(b"x"),
    lambda: open("a.txt", "wb").write("x"),
    lambda: f.read(),
    lambda: open(99),
    lambda: open("a.txt", "rt").seek(1, 1),
    lambda: open("a.txt", "wx"),
    lambda: open("a.txt", "U"),
    lambda: open(-1),
    lambda: io.open("a.txt", "w", errors="zz").write("é"),
    lambda: next(open("a.txt")),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(number, type(error).__name__, getattr(error, "strerror", None) or error)
