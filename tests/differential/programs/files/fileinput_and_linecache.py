"""fileinput, linecache, filecmp, stat.filemode, and reading a file in pieces."""

import filecmp
import fileinput
import linecache
import os
import stat

open("a.txt", "w").write("one\ntwo\n")
open("b.txt", "w").write("three\n")
for line in fileinput.input(["a.txt", "b.txt"]):
    print(
        fileinput.filename(),
        fileinput.lineno(),
        fileinput.filelineno(),
        fileinput.isfirstline(),
        line.rstrip(),
    )
fileinput.close()
with fileinput.input("a.txt", inplace=True, backup=".bak") as f:
    for line in f:
        print(line.rstrip().upper())
print(open("a.txt").read(), open("a.txt.bak").read())
print(
    repr(linecache.getline("a.txt", 2)),
    repr(linecache.getline("a.txt", 9)),
    linecache.getlines("b.txt"),
    linecache.getline("none.txt", 1) == "",
)
os.makedirs("x/sub")
os.makedirs("y/sub")
for path, text in (
    ("x/same", "s"),
    ("y/same", "s"),
    ("x/diff", "1"),
    ("y/diff", "22"),
    ("x/only", ""),
    ("y/other", ""),
    ("x/sub/q", ""),
):
    open(path, "w").write(text)
c = filecmp.dircmp("x", "y")
print(
    c.left_only,
    c.right_only,
    c.same_files,
    c.diff_files,
    c.common_dirs,
    c.subdirs["sub"].left_only,
    filecmp.cmp("x/same", "y/same", shallow=False),
    filecmp.cmpfiles("x", "y", ["same", "diff", "only"], shallow=False),
)
c.report_full_closure()
print(
    [stat.filemode(m) for m in (0o100644, 0o40755, 0o120777, 0o104755, 0o101777 | 0o40000, 0)],
    stat.S_IMODE(0o100644),
    stat.S_IFMT(0o40755) == stat.S_IFDIR,
)
with open("a.txt", "rb") as f:
    print([piece for piece in iter(lambda: f.read(3), b"")])
