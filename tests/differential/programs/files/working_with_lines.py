"""Reading, filtering, numbering, sorting, merging and counting lines of files."""

from collections import Counter
from heapq import merge
from pathlib import Path

Path("a.txt").write_text("pear\napple\n\nfig\napple\n")
Path("b.txt").write_text("banana\ncherry\nno newline at end")
with open("a.txt") as a, open("b.txt") as b, open("out.txt", "w") as out:
    for number, line in enumerate((line for file in (a, b) for line in file), 1):
        if line.strip():
            out.write(f"{number:>3}: {line.rstrip()}\n")
print(Path("out.txt").read_text())
print(
    Counter(Path("a.txt").read_text().split()),
    list(merge(sorted(open("a.txt")), sorted(open("b.txt")))),
    sum(1 for _ in open("b.txt")),
    max(open("a.txt"), key=len),
    open("b.txt").read().splitlines()[-1],
)
with open("a.txt", "a") as f:
    f.writelines(f"{n}\n" for n in range(3))
    print("kiwi", "plum", sep=", ", file=f)
lines = open("a.txt").readlines()
print(len(lines), lines[-1], [l for i, l in enumerate(lines) if i % 3 == 0])
with open("copy.txt", "wb") as out:
    out.write(b"".join(Path(n).read_bytes() for n in ("a.txt", "b.txt")))
print(Path("copy.txt").stat().st_size, sorted(p.name for p in Path().glob("*.txt")))
with open("a.txt") as f:
    print(next(f), f.readline(), f.read(3), [*f][:1])
import os

os.remove("copy.txt")
print(
    os.path.exists("copy.txt"),
    [e.name for e in sorted(os.scandir(), key=lambda e: e.name) if e.is_file()],
)
try:
    open("missing/dir.txt", "w")
except OSError as error:
    print(error.strerror, error.filename)
