"""Paths of real files: reading, writing, listing, globbing, renaming, links."""

import os
from pathlib import Path

base = Path("tree")
(base / "sub" / "deep").mkdir(parents=True)
(base / "a.txt").write_text("alpha\n", encoding="utf-8")
(base / "sub" / "b.py").write_text("print(1)\n")
(base / "sub" / "deep" / "c.py").write_bytes(b"\x00\x01")
(base / ".hidden").touch()
print(
    sorted(str(p) for p in base.rglob("*")),
    sorted(p.name for p in base.glob("*.txt")),
    sorted(map(str, base.glob("**/*.py"))),
    sorted(p.name for p in base.iterdir()),
    sorted(map(str, base.glob("*/"))),
    sorted(map(str, base.glob("**"))),
)
a = base / "a.txt"
print(
    a.exists(),
    a.is_file(),
    a.is_dir(),
    a.stat().st_size,
    a.read_text(),
    a.read_bytes(),
    a.open().readline(),
    base.is_dir(),
    (base / "zz").exists(),
    a.samefile("tree/a.txt"),
    a.resolve() == Path.cwd() / "tree" / "a.txt",
    Path("tree/../tree/a.txt").resolve().name,
    a.absolute().parts[-2:],
    Path("x").is_absolute(),
)
b = a.rename(base / "renamed.txt")
print(b, a.exists(), b.replace(base / "again.txt"), sorted(os.listdir(base)))
c = base / "again.txt"
c.write_text("x" * 5, newline="\n")
link = base / "link"
link.symlink_to("again.txt")
print(
    link.is_symlink(),
    link.read_text(),
    link.readlink(),
    os.path.islink(link),
    link.resolve().name,
    link.lstat().st_size,
)
link.unlink()
c.unlink()
c.unlink(missing_ok=True)
for root, dirs, files in base.walk():
    dirs.sort()
    print(root, dirs, sorted(files))
for root, dirs, files in base.walk(top_down=False):
    print(root, sorted(files))
copied = (base / "sub").copy(base / "copy")
moved = (base / "copy" / "b.py").move(base / "moved.py")
print(
    copied,
    moved,
    sorted(str(p.relative_to(base)) for p in base.rglob("*.py")),
    (base / "sub" / "b.py").copy_into(base).name,
    moved.info.is_file(),
    moved.info.exists(),
)
attempts = [
    lambda: (base / "none").read_text(),
    lambda: base.read_text(),
    lambda: base.mkdir(),
    lambda: (base / "p" / "q").mkdir(),
    lambda: base.rmdir(),
    lambda: (base / "none").unlink(),
    lambda: base.joinpath("none").rename("x"),
    lambda: (base / "moved.py").mkdir(exist_ok=True),
    lambda: base.mkdir(exist_ok=True),
    lambda: list((base / "none").iterdir()),
    lambda: (base / "moved.py" / "x").stat(),
    lambda: (base / "none").touch(exist_ok=False),
    lambda: (base / "moved.py").touch(exist_ok=False),
    lambda: base.write_text(5),
    lambda: (base / "x").write_text(b"a"),
    lambda: list(base.glob("")),
    lambda: list(base.glob("/abs")),
    lambda: Path("~nobody-here/x").expanduser(),
    lambda: (base / "moved.py").readlink(),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(
            number,
            type(error).__name__,
            getattr(error, "strerror", None) or error,
            getattr(error, "filename", None),
        )
