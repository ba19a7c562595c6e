"""Writing by a temporary file and rename, backups, rotation, truncation, seeking in records."""

import contextlib
import os
import shutil


@contextlib.contextmanager
def atomic(path):
    temporary = f"{path}.tmp"
    try:
        with open(temporary, "w") as f:
            yield f
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


with atomic("data.txt") as f:
    f.write("first version\n")
try:
    with atomic("data.txt") as f:
        f.write("half")
        raise RuntimeError("crash")
except RuntimeError as error:
    print(error, open("data.txt").read(), os.listdir())
for n in range(4):
    if os.path.exists("log"):
        for old in (2, 1):
            if os.path.exists(f"log.{old}"):
                os.replace(f"log.{old}", f"log.{old + 1}")
        shutil.copy2("log", "log.1")
    with open("log", "w") as f:
        f.write(f"run {n}")
print(sorted((name, open(name).read()) for name in os.listdir() if name.startswith("log")))
with open("records.bin", "w+b") as f:
    for n in range(5):
        f.write(f"{n:>7}\n".encode())
    f.seek(3 * 8)
    print(f.read(8), f.tell())
    f.seek(8)
    f.write(b"changed\n")
    f.seek(0)
    print(f.read())
    f.truncate(16)
    f.seek(0)
    print(f.read().split())
print(os.stat("records.bin").st_size)
