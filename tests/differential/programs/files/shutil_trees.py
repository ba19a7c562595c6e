"""shutil: copies, moves, removal, archives, disk usage, which."""

import os
import shutil

os.makedirs("src/sub")
open("src/a.txt", "w").write("a")
open("src/sub/b.txt", "w").write("b")
open("src/skip.pyc", "w").write("c")
shutil.copytree("src", "dst", ignore=shutil.ignore_patterns("*.pyc"))
tree = lambda top: sorted(os.path.join(r, f) for r, _, fs in os.walk(top) for f in fs)
print(
    tree("dst"),
    shutil.copy("src/a.txt", "dst/sub"),
    shutil.copyfile("src/a.txt", "copy.txt"),
    shutil.copy2("src/a.txt", "two.txt"),
    shutil.move("copy.txt", "dst"),
    tree("dst"),
)
shutil.copytree("src", "dst", dirs_exist_ok=True)
print(tree("dst"), shutil.move("dst/sub", "moved"), tree("moved"))
for kind in ("zip", "tar", "gztar"):
    name = shutil.make_archive(f"out_{kind}", kind, "src")
    shutil.unpack_archive(name, f"un_{kind}")
    print(os.path.basename(name), tree(f"un_{kind}"))
print(
    shutil.make_archive("based", "zip", ".", "src").endswith("based.zip"),
    sorted(n for n, _ in shutil.get_archive_formats() if n in ("zip", "tar", "gztar")),
)
errors = []
shutil.rmtree("dst")
shutil.rmtree("none", ignore_errors=True)
shutil.rmtree(
    "none", onexc=lambda f, path, error: errors.append((f.__name__, path, type(error).__name__))
)
print(
    os.path.exists("dst"),
    errors,
    shutil.which("no-such-command"),
    shutil.get_terminal_size((80, 24)),
)
with open("src/a.txt", "rb") as i, open("streamed", "wb") as o:
    shutil.copyfileobj(i, o, 1)
print(open("streamed").read())
for attempt in (
    lambda: shutil.copy("none", "x"),
    lambda: shutil.copyfile("src/a.txt", "src/a.txt"),
    lambda: shutil.copytree("src", "moved"),
    lambda: shutil.move("none", "x"),
    lambda: shutil.rmtree("none"),
    lambda: shutil.rmtree("streamed"),
    lambda: shutil.make_archive("x", "nope"),
    lambda: shutil.unpack_archive("streamed"),
    lambda: shutil.move("src", "src/sub"),
    lambda: shutil.copyfile("src", "x"),
    lambda: shutil.copytree("none", "y"),
    lambda: shutil.unpack_archive("none.zip"),
    lambda: (
        shutil.move("src/a.txt", "moved")
        and shutil.move("src/skip.pyc", "moved/skip")
        and shutil.move("streamed", "moved")
        and shutil.move("moved/a.txt", "moved/")
    ),
):
    try:
        print(attempt())
    except Exception as error:
        print(
            type(error).__name__,
            getattr(error, "strerror", None) or str(error).replace(os.getcwd(), "."),
        )
