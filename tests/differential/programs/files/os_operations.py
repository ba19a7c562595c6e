"""os: directories, renames, stat, walk, descriptors, environment, path functions."""

import os
import stat

os.makedirs("d/e/f")
os.makedirs("d/e/f", exist_ok=True)
for name in ("d/1.txt", "d/e/2.txt", "d/e/f/3.txt"):
    open(name, "w").write(name)
print(
    sorted(os.listdir("d")),
    [(r, sorted(ds), sorted(fs)) for r, ds, fs in os.walk("d")],
    [(r, fs) for r, ds, fs in os.walk("d", topdown=False)],
    sorted(
        (e.name, e.is_dir(), e.is_file(), e.path, e.stat().st_size if e.is_file() else "")
        for e in os.scandir("d")
    ),
)
os.rename("d/1.txt", "d/one.txt")
os.replace("d/e/2.txt", "d/one.txt")
print(open("d/one.txt").read(), os.path.exists("d/e/2.txt"))
os.renames("d/e/f/3.txt", "g/h/3.txt")
print(os.path.isdir("d/e"), os.listdir("g/h"))
os.removedirs("d/e") if os.path.isdir("d/e") else print("gone")
s = os.stat("d/one.txt")
print(
    s.st_size,
    stat.S_ISREG(s.st_mode),
    stat.S_ISDIR(os.stat("d").st_mode),
    s[stat.ST_SIZE],
    s.st_nlink,
    os.stat("d/one.txt").st_mtime == s.st_mtime,
)
os.utime("d/one.txt", (1000, 2000))
print(
    os.path.getmtime("d/one.txt"), os.stat("d/one.txt").st_atime, os.stat("d/one.txt").st_mtime_ns
)
os.truncate("d/one.txt", 3)
fd = os.open("raw", os.O_RDWR | os.O_CREAT | os.O_EXCL)
print(
    os.write(fd, b"hello"),
    os.lseek(fd, 1, os.SEEK_SET),
    os.read(fd, 2),
    os.fstat(fd).st_size,
    os.pread(fd, 3, 0),
    os.pwrite(fd, b"J", 0),
    os.ftruncate(fd, 4),
    os.fsync(fd),
    os.isatty(fd),
    os.close(fd),
    open("raw").read(),
)
os.link("raw", "hard")
os.symlink("raw", "soft")
print(
    os.readlink("soft"),
    os.path.samefile("raw", "hard"),
    os.stat("raw").st_nlink,
    os.path.lexists("soft"),
    os.lstat("soft").st_size,
    os.path.realpath("soft") == os.path.join(os.getcwd(), "raw"),
)
os.unlink("raw")
print(
    open("hard").read(),
    os.path.exists("soft"),
    os.path.lexists("soft"),
    os.access("hard", os.R_OK),
    os.access("none", os.F_OK),
)
os.environ["EXAMPLE"] = "1"
print(
    os.environ.get("EXAMPLE"),
    os.getenv("NONE", "d"),
    os.path.expandvars("$EXAMPLE/${EXAMPLE}/$NONE"),
    os.environ.pop("EXAMPLE"),
    "EXAMPLE" in os.environ,
    os.sep,
    os.linesep,
    os.pathsep,
    os.curdir,
    os.extsep,
    os.devnull,
    os.name,
)
p = os.path
print(
    p.join("a", "b", "/c", "d"),
    p.join("a", ""),
    p.split("/a/b/"),
    p.splitext("a.tar.gz"),
    p.splitext(".bashrc"),
    p.basename("a/b"),
    p.dirname("a/b"),
    p.normpath("a/./b/../../c//d"),
    p.commonpath(["/a/b/c", "/a/b/d"]),
    p.commonprefix(["abc", "abd"]),
    p.relpath("/a/b", "/a/c"),
    p.isabs("/a"),
    p.splitdrive("/a"),
    p.splitroot("//a/b"),
    p.normpath(""),
    p.abspath("x") == p.join(os.getcwd(), "x"),
    os.fspath("a"),
    os.fsencode("é"),
    os.fsdecode(b"\xff").encode("utf-8", "surrogateescape"),
)
attempts = [
    lambda: os.listdir("none"),
    lambda: os.mkdir("d"),
    lambda: os.rmdir("d"),
    lambda: os.rmdir("hard"),
    lambda: os.remove("none"),
    lambda: os.remove("d"),
    lambda: os.rename("none", "x"),
    lambda: os.rename("hard", "none/x"),
    lambda: os.stat("none"),
    lambda: os.open("none", os.O_RDONLY),
    lambda: os.close(12345),
    lambda: os.read(12345, 1),
    lambda: os.chdir("none"),
    lambda: os.chdir("hard"),
    lambda: os.readlink("hard"),
    lambda: os.symlink("a", "soft"),
    lambda: os.link("none", "x"),
    lambda: os.makedirs("hard/x"),
    lambda: os.environ["NONE"],
    lambda: os.environ.__setitem__("a", 1),
    lambda: p.join("a", 1),
    lambda: p.join("a", b"b"),
    lambda: p.commonpath([]),
    lambda: p.commonpath(["/a", "b"]),
    lambda: os.listdir("hard"),
    lambda: os.fspath(5),
    lambda: os.scandir("none"),
    lambda: os.truncate("none", 1),
    lambda: os.stat("a\0b"),
    lambda: os.rename("d", "d/inside"),
    lambda: p.relpath(""),
    lambda: os.mkdir("none/x/y"),
    lambda: os.replace("d", "hard"),
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
            getattr(error, "filename2", None),
        )
