"""Modes of files and directories: defaults, chmod, umask, in archives."""

import io
import os
import stat
import tarfile
import zipfile

open("a.txt", "w").write("x")
os.mkdir("d")
print(stat.filemode(os.stat("a.txt").st_mode), stat.filemode(os.stat("d").st_mode))
b = io.BytesIO()
with tarfile.open(fileobj=b, mode="w") as t:
    t.add("a.txt")
    t.add("d")
    print([oct(m.mode) for m in t.getmembers()])
with zipfile.ZipFile(io.BytesIO(), "w") as z:
    z.write("a.txt")
    z.write("d")
    print([oct(i.external_attr >> 16) for i in z.infolist()])
os.chmod("a.txt", 0o600)
print(stat.filemode(os.stat("a.txt").st_mode))
os.chmod("a.txt", 0o755)
print(oct(stat.S_IMODE(os.stat("a.txt").st_mode)), os.access("a.txt", os.X_OK))
old = os.umask(0o077)
open("b.txt", "w").close()
print(oct(old), oct(stat.S_IMODE(os.stat("b.txt").st_mode)), oct(os.umask(old)))
