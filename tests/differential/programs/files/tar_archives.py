"""tarfile: members, filters, streams, compression, safe extraction."""

import io
import os
import tarfile


def info(name, data=b"", **fields):
    made = tarfile.TarInfo(name)
    made.size = len(data)
    for key, value in fields.items():
        setattr(made, key, value)
    return made, io.BytesIO(data)


for mode in ("w", "w:gz", "w:bz2"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        t.addfile(*info("dir", type=tarfile.DIRTYPE, mode=0o755))
        t.addfile(*info("dir/a.txt", b"alpha", mtime=1000, mode=0o644, uname="ann"))
        t.addfile(*info("é" * 60 + "/long.txt", b"long"))
        t.addfile(*info("link", type=tarfile.SYMTYPE, linkname="dir/a.txt"))
    out.seek(0)
    with tarfile.open(fileobj=out) as t:
        print(
            mode,
            t.getnames(),
            t.extractfile("dir/a.txt").read(),
            [m.type for m in t],
            t.getmember("dir/a.txt").mtime,
            oct(t.getmember("dir/a.txt").mode),
            t.getmember("dir/a.txt").uname,
            t.getmember("link").linkname,
            t.getmember("dir").isdir(),
            t.extractfile("dir"),
        )
        t.extractall(f"out_{mode[2:]}", filter="data")
    print(open(f"out_{mode[2:]}/dir/a.txt").read(), os.path.islink(f"out_{mode[2:]}/link"))
os.makedirs("tree/s")
open("tree/s/f", "w").write("f")
with tarfile.open("t.tar", "w") as t:
    t.add("tree", arcname="root", filter=lambda m: m if not m.name.endswith("skip") else None)
with tarfile.open("t.tar", "a") as t:
    t.add("tree/s/f", "late")
with tarfile.open("t.tar") as t:
    print(t.getnames(), tarfile.is_tarfile("t.tar"), tarfile.is_tarfile("tree/s/f"))
for name, fields in (
    ("../up", {}),
    ("/abs", {}),
    ("x", {"type": tarfile.SYMTYPE, "linkname": "../../../../../../etc"}),
    ("y", {"type": tarfile.CHRTYPE}),
    ("ok", {"mode": 0o4777}),
):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        t.addfile(*info(name, **fields))
    out.seek(0)
    try:
        with tarfile.open(fileobj=out) as t:
            t.extractall("safe")
        print(name, sorted(os.listdir("safe")))
    except tarfile.FilterError as error:
        print(name, type(error).__name__, str(error).split("'/")[0])
for attempt in (
    lambda: tarfile.open("none.tar"),
    lambda: tarfile.open("t.tar", "q"),
    lambda: tarfile.open("t.tar").getmember("zz"),
    lambda: tarfile.open("t.tar").extractfile("zz"),
    lambda: tarfile.open("t.tar", "w:zz"),
    lambda: tarfile.open("t2.tar", "w").add("none"),
    lambda: tarfile.open("t.tar", "r:gz"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, getattr(error, "strerror", None) or error)
