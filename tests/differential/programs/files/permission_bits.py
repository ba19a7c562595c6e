import io
import os
import pathlib
import shutil
import stat
import tarfile
import tempfile
import zipfile


def mode(path):
    return stat.filemode(os.lstat(path).st_mode)


os.umask(0o22)
open("f", "w").close()
os.mkdir("d")
os.symlink("f", "l")
print(mode("f"), mode("d"), mode("l"))
for bits in (0o600, 0o4711, 0o1777, 0, 0o644):
    os.chmod("l", bits)
    print(oct(bits), mode("f"), oct(stat.S_IMODE(os.stat("l").st_mode)))
with open("f") as file:
    os.fchmod(file.fileno(), 0o640)
    print(oct(os.fstat(file.fileno()).st_mode))
    os.chmod(file.fileno(), 0o400)
directory = os.open("d", os.O_RDONLY)
open("d/g", "w").close()
os.chmod("g", 0o111, dir_fd=directory)
print(mode("f"), mode("d/g"))
os.close(directory)
print(os.umask(0o77), os.umask(0o27))
open("a", "w").close()
os.makedirs("m/n", mode=0o777)
os.mkdir("o", 0o750)
os.close(os.open("b", os.O_CREAT | os.O_WRONLY, 0o666))
os.close(os.open("b", os.O_CREAT | os.O_WRONLY, 0o600))
pathlib.Path("p").touch(mode=0o777)
print([mode(name) for name in ("a", "m", "m/n", "o", "b", "p")], os.umask(0o22))
number, name = tempfile.mkstemp()
print(mode(name), mode(tempfile.mkdtemp()))

os.chmod("f", 0o750)
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as archive:
    for name in ("f", "d", "l"):
        archive.add(name)
    print([oct(member.mode) for member in archive.getmembers()])
data.seek(0)
with tarfile.open(fileobj=data) as archive:
    archive.extractall("out")
print([mode(os.path.join("out", name)) for name in ("f", "d", "d/g", "l")])
with zipfile.ZipFile("z.zip", "w") as archive:
    archive.write("f")
    archive.write("d")
    print([oct(entry.external_attr >> 16) for entry in archive.infolist()])
for copy in (shutil.copy, shutil.copy2, shutil.copyfile):
    print(mode(copy("f", copy.__name__)))
print(mode(shutil.copytree("d", "e")), mode("e/g"))
os.rename("f", "h")
os.link("h", "i")
os.chmod("i", 0o5)
print(
    mode("h"),
    os.access("h", os.X_OK),
    os.access("a", os.X_OK),
    shutil.which("h", path=os.getcwd()) is not None,
)
for call in (
    lambda: os.chmod("missing", 0),
    lambda: os.chmod("f", "x"),
    lambda: os.chmod(1.5, 0),
    lambda: os.umask("x"),
):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, getattr(error, "strerror", error))
print(
    os.chmod in os.supports_fd,
    os.chmod in os.supports_dir_fd,
    os.chmod in os.supports_follow_symlinks,
)
