"""zipfile: writing, reading, appending, paths, comments, damaged files."""

import io
import os
import zipfile

with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    z.writestr("one.txt", "text " * 100)
    z.writestr(
        zipfile.ZipInfo("dir/two.txt", (2024, 1, 2, 3, 4, 6)), b"\x00\x01", zipfile.ZIP_STORED
    )
    z.mkdir("empty")
    open("f.txt", "w").write("from a file")
    z.write("f.txt", "stored/f.txt")
    with z.open("streamed", "w") as s:
        s.write(b"a" * 10)
    z.comment = b"a comment"
with zipfile.ZipFile("a.zip") as z:
    print(
        z.namelist(),
        z.comment,
        z.testzip(),
        z.read("dir/two.txt"),
        z.getinfo("one.txt").file_size,
        z.getinfo("one.txt").compress_size < 100,
        z.getinfo("dir/two.txt").date_time,
        z.getinfo("empty/").is_dir(),
        [i.compress_type for i in z.infolist()],
        z.getinfo("one.txt").CRC,
        z,
    )
    with z.open("one.txt") as f:
        print(f.read(4), f.readline()[:5], f.tell(), f.seek(0), io.TextIOWrapper(f).read(9))
    z.extractall("out")
    z.extract("one.txt", "single")
print(
    sorted(os.path.join(r, f) for r, _, fs in os.walk("out") for f in fs),
    open("out/stored/f.txt").read(),
    os.path.isdir("out/empty"),
)
with zipfile.ZipFile("a.zip", "a") as z:
    z.writestr("late", "x")
p = zipfile.Path("a.zip")
print(
    sorted(c.name for c in p.iterdir()),
    (p / "dir" / "two.txt").read_bytes(),
    (p / "dir").is_dir(),
    (p / "zz").exists(),
    str(p / "dir"),
    sorted(str(c) for c in p.glob("**/*.txt")),
    zipfile.is_zipfile("a.zip"),
    zipfile.is_zipfile("f.txt"),
)
evil = io.BytesIO()
with zipfile.ZipFile(evil, "w") as z:
    z.writestr("../escape.txt", "x")
    z.writestr("/abs.txt", "y")
zipfile.ZipFile(evil).extractall("safe")
print(sorted(os.path.join(r, f) for r, _, fs in os.walk("safe") for f in fs))
data = open("a.zip", "rb").read()
attempts = [
    lambda: zipfile.ZipFile(io.BytesIO(b"junk")),
    lambda: zipfile.ZipFile(io.BytesIO(data[:-10])),
    lambda: zipfile.ZipFile("a.zip").read("nope"),
    lambda: zipfile.ZipFile("none.zip"),
    lambda: zipfile.ZipFile("a.zip", "q"),
    lambda: zipfile.ZipFile(io.BytesIO(data.replace(b"text text", b"tEXt tExt", 1))).testzip(),
    lambda: zipfile.ZipFile("x.zip", "w", 99),
    lambda: zipfile.ZipFile("a.zip").writestr("a", "b"),
    lambda: zipfile.ZipFile("a.zip").open("one.txt", "w"),
    lambda: zipfile.ZipFile("y.zip", "x").close() or zipfile.ZipFile("y.zip", "x"),
    lambda: z.writestr("a", "b"),
    lambda: zipfile.ZipFile("a.zip").extract("none"),
    lambda: zipfile.ZipInfo("a", (1979, 1, 1, 0, 0, 0)),
    lambda: zipfile.ZipFile("a.zip").open("one.txt", pwd="str"),
    lambda: zipfile.ZipFile("w.zip", "w").write("none"),
    lambda: zipfile.ZipFile(io.BytesIO(b"")),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(number, type(error).__name__, getattr(error, "strerror", None) or error)
