"""Permission bits, the current directory, empty paths, and many open files inside a guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[[str], eryx.ExecuteResult]

pytestmark = pytest.mark.usefixtures("each_isolation")

MODE = "import os\ndef mode(path): return oct(os.lstat(path).st_mode)\n"


class TestModes:
    def test_files_are_0644_and_directories_0755(self, run: Run) -> None:
        result = run(
            """
            import os, stat
            open("f", "w").close()
            os.mkdir("d")
            os.symlink("f", "l")
            names = ["f", "d", "l", "/", "/tmp", "/dev/null"]
            names += ["/python-stdlib", "/python-stdlib/os.py"]
            result = [stat.filemode(os.lstat(name).st_mode) for name in names]
            result.append(stat.filemode(os.fstat(os.open("f", os.O_RDONLY)).st_mode))
            """
        )
        assert result.result == [
            *("-rw-r--r--", "drwxr-xr-x", "lrwxrwxrwx", "drwxr-xr-x", "drwxr-xr-x", "crw-rw-rw-"),
            *("drwxr-xr-x", "-rw-r--r--", "-rw-r--r--"),
        ]

    def test_archives_keep_modes(self, run: Run) -> None:
        result = run(
            """
            import io, os, shutil, tarfile, zipfile
            open("a.sh", "w").write("x")
            os.chmod("a.sh", 0o750)
            os.mkdir("sub")
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w") as archive:
                archive.add("a.sh")
                archive.add("sub")
            data.seek(0)
            with tarfile.open(fileobj=data) as archive:
                archive.extractall("out")
            with zipfile.ZipFile("z.zip", "w") as archive:
                archive.write("a.sh")
                in_zip = archive.getinfo("a.sh").external_attr >> 16
            shutil.copy("a.sh", "b.sh")
            shutil.copyfile("a.sh", "c.sh")
            modes = [os.stat(name).st_mode for name in ("out/a.sh", "out/sub", "b.sh", "c.sh")]
            result = [oct(mode) for mode in (in_zip, *modes)]
            """
        )
        assert result.result == ["0o100750", "0o100750", "0o40755", "0o100750", "0o100644"]

    def test_chmod_keeps_what_it_is_given(self, run: Run) -> None:
        result = run(
            MODE
            + """
open("f", "w").close()
os.symlink("f", "l")
os.mkdir("d")
open("d/g", "w").close()
seen = []
os.chmod("f", 0o600); seen.append(mode("f"))
os.chmod("l", 0o4711); seen.append(mode("f")); seen.append(mode("l"))
directory = os.open("d", os.O_RDONLY)
os.chmod("g", 0o400, dir_fd=directory); seen.append(mode("d/g"))
os.chmod(directory, 0o700); seen.append(mode("d"))
with open("f") as file:
    os.fchmod(file.fileno(), 0); seen.append(mode("f"))
print(open("f", "w").write("as root would"))
os.rename("f", "h"); os.link("h", "i"); os.chmod("i", 0o5); seen.append(mode("h"))
result = seen
"""
        )
        assert result.result == [
            *("0o100600", "0o104711", "0o120777", "0o100400", "0o40700", "0o100000", "0o100005"),
        ]

    def test_errors_of_chmod(self, run: Run) -> None:
        result = run(
            """
            import os
            os.symlink("nowhere", "l")
            def fails(path, mode=0o600, **more):
                try: os.chmod(path, mode, **more)
                except Exception as error: return f"{type(error).__name__}: {error}"
            for case in (
                ("missing",), ("l",), ("/python-stdlib/os.py",), ("/dev/null",), (99,), ("",),
                (1.5,), ("l", "x"), ("a\\0b",), ("l", 1 << 40),
            ):
                print(fails(*case))
            print(fails("l", follow_symlinks=False))
            """
        )
        assert result.stdout.splitlines() == [
            "FileNotFoundError: [Errno 44] No such file or directory: 'missing'",
            "FileNotFoundError: [Errno 44] No such file or directory: 'l'",
            "OSError: [Errno 69] Read-only file system: '/python-stdlib/os.py'",
            "OSError: [Errno 69] Read-only file system: '/dev/null'",
            "OSError: [Errno 8] Bad file descriptor: 99",
            "FileNotFoundError: [Errno 44] No such file or directory: ''",
            "TypeError: chmod: path should be string, bytes, os.PathLike or integer, not float",
            "TypeError: 'str' object cannot be interpreted as an integer",
            "ValueError: chmod: embedded null character in path",
            "OverflowError: Python int too large to convert to C int",
            "NotImplementedError: chmod: follow_symlinks unavailable on this platform",
        ]

    def test_umask_and_the_mode_that_is_asked_for(self, run: Run) -> None:
        result = run(
            MODE
            + """
import tempfile
seen = [os.umask(0o77)]
open("a", "w").close(); seen.append(mode("a"))
os.mkdir("d"); seen.append(mode("d"))
seen.append(os.umask(0))
os.close(os.open("b", os.O_CREAT | os.O_WRONLY, 0o666)); seen.append(mode("b"))
os.close(os.open("b", os.O_CREAT | os.O_WRONLY, 0o600)); seen.append(mode("b"))
os.mkdir("e", 0o777); seen.append(mode("e"))
os.umask(0o22)
os.close(os.open("c", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o700)); seen.append(mode("c"))
number, path = tempfile.mkstemp(); seen.append(mode(path))
seen.append(mode(tempfile.mkdtemp()))
open("z", "w").close(); seen.append(mode("z"))
result = seen
"""
        )
        assert result.result == [
            *(0o22, "0o100600", "0o40700", 0o77, "0o100666", "0o100666", "0o40777", "0o100700"),
            *("0o100600", "0o40700", "0o100644"),
        ]

    def test_what_nobody_may_run_is_not_executable(self, run: Run) -> None:
        result = run(
            """
            import os, shutil
            open("tool", "w").close()
            def may():
                return os.access("tool", os.X_OK), os.access("tool", os.R_OK | os.W_OK)
            seen = [may(), shutil.which("tool", path="/data")]
            os.chmod("tool", 0o100)
            seen += [may(), shutil.which("tool", path="/data"), os.access("/data", os.X_OK)]
            result = [*seen, os.access("missing", os.F_OK)]
            """
        )
        assert result.result == [[False, True], None, [True, True], "/data/tool", True, False]

    def test_the_umask_of_one_run_is_not_that_of_the_next(self, sandbox: eryx.Sandbox) -> None:
        sandbox.execute("import os; os.umask(0)")
        assert sandbox.execute("import os; print(os.umask(0))").stdout == "18"

    def test_modes_are_a_part_of_the_state(self, tmp_path: Path) -> None:
        session = eryx.Session()
        session.execute(MODE + "open('/data/f', 'w').close(); os.chmod('/data/f', 0o640)")
        session.execute("os.chmod('/tmp', 0o1777); os.umask(0o27)")
        look = (
            "open('/data/' + name, 'w').close()\n"
            "print(mode('/data/f'), mode('/tmp'), mode('/data/' + name))"
        )
        expected = "0o100640 0o41777 0o100640"
        copy = session.fork()
        assert copy.execute("name = 'g'\n" + look).stdout == expected
        session.save(tmp_path / "session")
        with eryx.Session() as loaded:
            loaded.load(tmp_path / "session")
            assert loaded.execute("name = 'h'\n" + look).stdout == expected

    def test_modes_in_a_storage(self) -> None:
        storage = eryx.VfsStorage()
        with eryx.Session(vfs=storage) as session:
            session.execute("import os; open('/data/f', 'w').close(); os.chmod('/data/f', 0o755)")
        storage.write_bytes("f", b"new")
        storage.write_bytes("g", b"")
        look = MODE + "print(mode('/data/f'), mode('/data/g'))"
        for other in (storage, storage.fork(), eryx.VfsStorage.from_bytes(storage.to_bytes())):
            assert eryx.Session(vfs=other).execute(look).stdout == "0o100755 0o100644"

    def test_volumes_show_the_modes_of_the_host(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("x")
        (tmp_path / "f").chmod(0o640)
        (tmp_path / "d").mkdir()
        (tmp_path / "d").chmod(0o711)
        sandbox = eryx.Sandbox(volumes=[(str(tmp_path), "/mnt/v", False)])
        result = sandbox.execute(
            MODE
            + "os.chmod('/mnt/v/f', 0o4777); os.umask(0); print(mode('/mnt/v/f'), mode('/mnt/v/d'))"
        )
        assert result.stdout == "0o100640 0o40711"
        assert (tmp_path / "f").stat().st_mode & 0o7777 == 0o640


class TestCurrentDirectory:
    def test_is_always_a_plain_path(self, run: Run) -> None:
        result = run(
            """
            import os
            os.makedirs("a/b")
            os.symlink("/data/a/b", "/data/l")
            for path in ("a", "..", ".", "a/b/../..", "l", "..", "/", "..", "/data//a///b/", "./.",
                         "/data/l/..", "nope", "/python-stdlib/os.py", "", "../../tmp/.", "/data"):
                try:
                    os.chdir(path)
                    print(os.getcwd())
                except OSError as error:
                    print(error)
            """
        )
        assert result.stdout.splitlines() == [
            *("/data/a", "/data", "/data", "/data", "/data/a/b", "/data/a", "/", "/"),
            *("/data/a/b", "/data/a/b", "/data/a"),
            "[Errno 44] No such file or directory: 'nope'",
            "[Errno 54] Not a directory: '/python-stdlib/os.py'",
            "[Errno 44] No such file or directory: ''",
            *("/tmp", "/data"),
        ]

    def test_many_changes(self, run: Run) -> None:
        result = run(
            """
            import os
            os.mkdir("sub")
            for _ in range(3000):
                os.chdir("sub")
                os.chdir("..")
            open("x", "w").write("still here")
            print(os.getcwd(), open("/data/x").read())
            """
        )
        assert result.stdout == "/data still here"

    def test_an_empty_path_is_no_path(self, run: Run) -> None:
        result = run(
            """
            import os, shutil
            open("f", "w").close()
            here = os.open(".", os.O_RDONLY)
            calls = [
                lambda: os.stat(""), lambda: os.lstat(""), lambda: open(""), lambda: open("", "w"),
                lambda: os.open("", os.O_RDONLY), lambda: os.listdir(""),
                lambda: list(os.scandir("")),
                lambda: os.mkdir(""), lambda: os.rmdir(""), lambda: os.unlink(""),
                lambda: os.rename("", "g"), lambda: os.rename("f", ""), lambda: os.readlink(""),
                lambda: os.symlink("", "s"), lambda: os.symlink("f", ""), lambda: os.link("", "s"),
                lambda: os.utime(""), lambda: os.chdir(""), lambda: os.chmod("", 0),
                lambda: os.truncate("", 0), lambda: shutil.rmtree(""), lambda: os.makedirs(""),
                lambda: os.stat("", dir_fd=here), lambda: os.mkdir("", dir_fd=here),
                lambda: os.unlink("", dir_fd=here), lambda: os.open("", os.O_RDONLY, dir_fd=here),
            ]
            seen = []
            for number, call in enumerate(calls):
                try:
                    seen.append((number, call()))
                except FileNotFoundError:
                    pass
            print(seen, os.access("", os.F_OK), os.path.exists(""), os.path.isdir(""), os.listdir())
            """
        )
        assert result.stdout == "[] False False False ['f']"


class TestOpenFiles:
    @pytest.mark.parametrize(
        "open_one", ["open('/tmp/f')", "open('/tmp/f', 'rb')", "open('/tmp/g', 'w')"]
    )
    def test_too_many_are_an_oserror(self, sandbox: eryx.Sandbox, open_one: str) -> None:
        result = sandbox.execute(f"""
import errno
open("/tmp/f", "w").close()
files = []
try:
    while True:
        files.append({open_one})
except OSError as error:
    print(error.errno == errno.EMFILE, len(files) > 500, bytearray(64 << 10) != b"")
files.clear()
print(open("/tmp/f").read() == "")
""")
        assert result.stdout == "True True True\nTrue"

    def test_closing_what_is_not_open_does_no_harm(self, run: Run) -> None:
        result = run(
            """
            import os
            os.closerange(3, 256)
            open("f", "w").write("x")
            print(os.listdir("/data"), os.getcwd())
            """
        )
        assert result.stdout == "['f'] /data"

    def test_no_access_mode_means_reading(self, run: Run) -> None:
        result = run(
            """
            import os
            open("f", "w").write("text")
            print(os.read(os.open("f", 0), 9), os.read(os.open("new", os.O_CREAT), 9))
            """
        )
        assert result.stdout == "b'text' b''"
