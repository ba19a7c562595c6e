"""chdir there and back, getcwd, relative paths, the empty path."""

import os
from pathlib import Path

home = os.getcwd()
os.mkdir("sub")
for _ in range(700):
    os.chdir("sub")
    os.chdir("..")
print(os.getcwd() == home, Path.cwd() == Path(home))
os.chdir("./sub/../sub/.")
open("inside.txt", "w").write("here")
print(
    os.path.relpath(os.getcwd(), home),
    os.listdir(),
    os.path.abspath("x") == os.path.join(home, "sub", "x"),
    os.listdir(".."),
)
os.chdir("/")
print(os.getcwd(), os.path.exists(os.path.join(home, "sub", "inside.txt")))
os.chdir(home)
for attempt in (
    lambda: open(""),
    lambda: os.listdir(""),
    lambda: os.stat(""),
    lambda: os.mkdir(""),
    lambda: os.chdir(""),
    lambda: os.remove(""),
    lambda: os.rename("sub", ""),
    lambda: os.path.exists(""),
):
    try:
        print(attempt())
    except OSError as error:
        print(type(error).__name__, error.strerror)
