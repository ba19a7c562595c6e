import contextlib
import os
import shutil

start = os.getcwd()
os.makedirs("a/b")
open("file", "w").write("here")
os.symlink(os.path.join(start, "a", "b"), "link")
for path in (
    "a",
    "..",
    ".",
    "a/b/../..",
    "link",
    "..",
    "..",
    "./.",
    "link/..",
    "..",
    "nope",
    "file",
    "",
    "a//b/",
):
    try:
        os.chdir(path)
        print(repr(path), os.path.relpath(os.getcwd(), start))
    except OSError as error:
        print(repr(path), type(error).__name__, error.strerror)
os.chdir(start)
for _ in range(1500):
    os.chdir("a")
    os.chdir("..")
print(os.getcwd() == start, open("file").read())
with contextlib.chdir("a"):
    print(os.listdir(), open("../file").read())
os.chdir("/..")
print(os.getcwd(), os.path.isdir("../.."), os.path.exists("../../.." + start))
os.chdir(start)
for name in (
    "stat",
    "lstat",
    "listdir",
    "mkdir",
    "rmdir",
    "unlink",
    "readlink",
    "utime",
    "chdir",
    "makedirs",
):
    try:
        print(name, getattr(os, name)(""))
    except OSError as error:
        print(name, type(error).__name__, error.strerror)
for call in (
    lambda: open(""),
    lambda: os.rename("", "x"),
    lambda: os.rename("file", ""),
    lambda: shutil.rmtree(""),
):
    try:
        print(call())
    except OSError as error:
        print(type(error).__name__, error.strerror)
print(os.path.exists(""), os.path.isdir(""), os.access("", os.F_OK), sorted(os.listdir()))
os.closerange(50, 80)
print(open("file").read())
