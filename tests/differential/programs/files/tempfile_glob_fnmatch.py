"""Temporary files and directories, glob patterns, fnmatch."""

import fnmatch
import glob
import os
import tempfile

with tempfile.TemporaryDirectory(prefix="pre_", suffix="_suf") as d:
    name = os.path.basename(d)
    print(name.startswith("pre_"), name.endswith("_suf"), os.path.isdir(d))
    for each in ("a1.txt", "a2.txt", "b1.py", ".hid", "[x].txt", "A3.TXT"):
        open(os.path.join(d, each), "w").close()
    os.mkdir(os.path.join(d, "s"))
    open(os.path.join(d, "s", "deep.txt"), "w").close()
    g = lambda pattern, **k: sorted(glob.glob(pattern, root_dir=d, **k))
    print(
        g("*.txt"),
        g("a?.txt"),
        g("[ab]1.*"),
        g("[!a]*"),
        g("**/*.txt", recursive=True),
        g("**", recursive=True),
        g("*", include_hidden=True),
        g(".*"),
        g(glob.escape("[x].txt")),
        g("*/"),
        g("none*"),
        g("s/*"),
    )
print(os.path.exists(d))
with tempfile.NamedTemporaryFile("w+", suffix=".log", delete_on_close=False) as f:
    f.write("text")
    f.close()
    print(open(f.name).read(), f.name.endswith(".log"))
print(os.path.exists(f.name))
with tempfile.TemporaryFile() as f:
    print(f.write(b"x"), f.seek(0), f.read())
with tempfile.SpooledTemporaryFile(max_size=5, mode="w+") as f:
    f.write("abc")
    print(f._rolled, f.write("defgh"), f._rolled, f.seek(0), f.read())
fd, path = tempfile.mkstemp(text=True, dir=".")
os.close(fd)
print(
    os.path.dirname(path) == os.getcwd(),
    os.path.getsize(path),
    os.path.isdir(tempfile.mkdtemp(dir=".")),
    os.path.isdir(tempfile.gettempdir()),
    tempfile.gettempprefix(),
)
print(
    fnmatch.filter(["a.py", "b.PY", "c.txt"], "*.py"),
    fnmatch.fnmatch("abc", "a[b-d]?"),
    fnmatch.fnmatchcase("A", "a"),
    fnmatch.translate("*.p[!y]?"),
    fnmatch.fnmatch("a/b", "*"),
    fnmatch.filterfalse(["a", "b"], "a"),
    glob.translate("**/*.py", recursive=True),
    fnmatch.fnmatch("[", "[["),
    fnmatch.translate("[]"),
)
for attempt in (
    lambda: tempfile.mkstemp(dir="none"),
    lambda: tempfile.mkdtemp(dir="none"),
    lambda: tempfile.NamedTemporaryFile("q"),
    lambda: tempfile.mkstemp(prefix=b"a", suffix="b"),
    lambda: fnmatch.fnmatch(b"a", "a"),
    lambda: glob.glob(5),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, getattr(error, "strerror", None) or error)
