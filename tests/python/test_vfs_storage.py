"""Storages in memory: the host's calls, sessions that mount them, copies, bytes."""

from __future__ import annotations

import doctest
import errno
import gc
import threading
from textwrap import dedent

import pytest

import eryx
from eryx import Session, VfsStorage

pytestmark = pytest.mark.usefixtures("each_isolation")


class TestVfsStorage:
    def test_repr_and_quota(self) -> None:
        storage = VfsStorage(max_bytes=1000, max_entries=2)
        assert "VfsStorage" in repr(storage)
        storage.write_bytes("a", b"x" * 900)
        with pytest.raises(OSError, match="space") as caught:
            storage.write_bytes("a", b"x" * 1001)
        assert caught.value.errno == errno.ENOSPC
        assert storage.read_bytes("a") == b"x" * 900
        storage.write_bytes("b", b"")
        with pytest.raises(OSError, match="space"):
            storage.write_bytes("c", b"")
        assert storage.entry_count == 2
        assert 900 <= storage.size_bytes <= 1000
        storage.remove("a")
        assert storage.size_bytes == 0

    def test_calls_of_the_host(self) -> None:
        storage = VfsStorage()
        storage.write_bytes("/x/y/z.bin", bytearray(b"\x00\xff"))
        storage.write_bytes("x/a", memoryview(b"1"))
        assert storage.list() == ["x"]
        assert storage.list("x") == ["a", "y"]
        assert storage.walk() == ["x/a", "x/y/z.bin"]
        assert storage.walk("x/y") == ["x/y/z.bin"]
        assert storage.read_bytes("x/y/z.bin") == b"\x00\xff"
        with pytest.raises(FileNotFoundError) as caught:
            storage.read_bytes("nothing")
        assert caught.value.filename == "nothing"
        with pytest.raises(IsADirectoryError):
            storage.read_bytes("x")
        with pytest.raises(NotADirectoryError):
            storage.list("x/a")
        with pytest.raises(OSError, match="not empty"):
            storage.remove("x")
        storage.remove("x/y/z.bin")
        storage.remove("x/y")
        with pytest.raises(FileNotFoundError):
            storage.remove("x/y")
        with pytest.raises(PermissionError):
            storage.write_bytes("../x", b"")
        for wrong in (None, b"x", 1):
            with pytest.raises(TypeError):
                storage.read_bytes(wrong)  # type: ignore[arg-type]
        for bad in ("a\0b", "\udc80"):
            with pytest.raises(ValueError, match=r"null|encode|surrogates"):
                storage.read_bytes(bad)
        with pytest.raises(OSError, match="too long"):
            storage.write_bytes("n" * 256, b"")

    def test_examples(self) -> None:
        import eryx._storage as module

        runner = doctest.DocTestRunner()
        for item in (VfsStorage, VfsStorage.walk, VfsStorage.from_bytes):
            for case in doctest.DocTestFinder(recurse=False).find(item, globs=vars(module)):
                runner.run(case)
        assert runner.summarize().failed == 0
        assert runner.summarize().attempted >= 10

    def test_arguments(self) -> None:
        with pytest.raises(TypeError):
            VfsStorage(max_bytes="1")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="max_entries"):
            VfsStorage(max_entries=-1)
        with pytest.raises(TypeError):
            VfsStorage(1)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            Session(vfs="x")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Session(vfs_mount_path=1)  # type: ignore[arg-type]
        for path in ("data", "/", "", "/a/../b", "/dev", "/python-stdlib/x", "/a//b"):
            with pytest.raises(ValueError, match="guest path"):
                Session(vfs=VfsStorage(), vfs_mount_path=path)

    def test_files_stay_over_runs_and_reset(self) -> None:
        storage = VfsStorage()
        storage.write_bytes("input.txt", b"from the host")
        session = Session(vfs=storage)
        assert session.vfs is storage
        assert session.vfs_mount_path == "/data"
        session.execute("text = open('/data/input.txt').read()")
        session.execute("open('/data/output.txt', 'w').write(text.upper())")
        session.reset()
        assert session.execute("print(open('/data/output.txt').read())").stdout == "FROM THE HOST"
        assert storage.read_bytes("output.txt") == b"FROM THE HOST"
        storage.remove("output.txt")
        with pytest.raises(eryx.ExecutionError, match="FileNotFoundError"):
            session.execute("open('/data/output.txt')")
        assert "vfs_mount_path='/data'" in repr(session)

    def test_custom_mount_path(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage, vfs_mount_path="/home/user")
        session.execute("import os; os.chdir('/home/user'); open('f', 'w').write('x')")
        assert storage.list() == ["f"]
        assert session.execute("print(os.listdir('/home'), os.listdir('/data'))").stdout == (
            "['user'] []"
        )
        other = Session(vfs=storage, vfs_mount_path="/elsewhere/deep")
        assert other.execute("print(open('/elsewhere/deep/f').read())").stdout == "x"
        assert "/home/user" in repr(session)

    def test_without_a_storage(self) -> None:
        session = Session()
        assert session.vfs is None
        assert session.vfs_mount_path is None
        own = Session(vfs_mount_path="/work")
        assert own.vfs is not None
        own.execute("open('/work/f', 'w').write('1')")
        assert own.vfs.list() == ["f"]

    def test_sessions_share_only_what_they_are_given(self) -> None:
        storage = VfsStorage()
        first, second, stranger = Session(vfs=storage), Session(vfs=storage), Session()
        first.execute("f = open('/data/shared', 'w'); f.write('1'); f.flush()")
        assert second.execute("print(open('/data/shared').read())").stdout == "1"
        assert stranger.execute("import os; print(os.listdir('/data'))").stdout == "[]"
        second.execute("import os; os.remove('/data/shared')")
        first.execute("f.write('2'); f.close()")
        assert storage.list() == []
        assert storage.size_bytes == 0

    def test_file_functions(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute(
            dedent(
                """
            import os, pathlib, shutil
            os.makedirs('/data/a/b')
            with open('/data/a/f', 'xb') as f:
                f.write(b'0123456789')
            with open('/data/a/f', 'r+b') as f:
                f.seek(4); f.write(b'x'); f.truncate(6); assert f.tell() == 5
            with open('/data/a/f', 'ab') as f:
                f.write(b'end')
            assert pathlib.Path('/data/a/f').read_bytes() == b'0123x5end'
            os.rename('/data/a/f', '/data/a/b/g')
            os.utime('/data/a/b/g', (1, 2))
            assert os.stat('/data/a/b/g').st_mtime == 2
            assert [(r, d, f) for r, d, f in os.walk('/data')] == [
                ('/data', ['a'], []), ('/data/a', ['b'], []), ('/data/a/b', [], ['g'])]
            shutil.copytree('/data/a', '/data/c')
            shutil.rmtree('/data/a')
            try:
                open('/data/c/b/g', 'x')
            except FileExistsError:
                pass
            else:
                raise AssertionError
            """
            )
        )
        assert storage.walk() == ["c/b/g"]

    def test_sqlite(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute(
            "import sqlite3\n"
            "d = sqlite3.connect('/data/db')\n"
            "d.execute('create table t(x)'); d.execute('insert into t values (1)'); d.commit()\n"
            "d.execute('insert into t values (2)'); d.rollback(); d.close()"
        )
        session.reset()
        other = Session(vfs=storage)
        for one in (session, other):
            done = one.execute(
                "import sqlite3\n"
                "print(sqlite3.connect('/data/db').execute('select x from t').fetchall())"
            )
            assert done.stdout == "[(1,)]"

    def test_quota_inside(self) -> None:
        storage = VfsStorage(max_bytes=100_000)
        session = Session(vfs=storage)
        done = session.execute(
            "import errno, os\n"
            "try:\n"
            "    with open('/data/f', 'wb') as f: f.write(bytes(200_000))\n"
            "except OSError as e: print(errno.errorcode[e.errno])\n"
            "os.remove('/data/f')\n"
            "open('/data/g', 'wb').write(bytes(50_000))"
        )
        assert done.stdout == "ENOSPC"
        assert storage.list() == ["g"]

    def test_renaming_with_a_full_quota(self) -> None:
        storage = VfsStorage(max_bytes=100_000, max_entries=4)
        session = Session(vfs=storage)
        done = session.execute(
            dedent(
                """
            import errno, os, shutil
            os.mkdir('/data/d')
            open('/data/a', 'wb').write(bytes(60_000))
            open('/data/b', 'wb').write(b'b')
            open('/data/c', 'wb').write(b'c')
            try:
                open('/data/e', 'w')
            except OSError as error:
                print(errno.errorcode[error.errno])
            os.rename('/data/a', '/data/' + 'x' * 255)
            os.rename('/data/' + 'x' * 255, '/data/d/a')
            os.replace('/data/b', '/data/c')
            os.rename('/data/d', '/data/d2')
            print(sorted(os.listdir('/data')), os.listdir('/data/d2'), open('/data/c').read())

            # From elsewhere it is a copy, which does not fit: nothing is lost, nothing is left.
            open('/tmp/big', 'wb').write(bytes(60_000))
            try:
                shutil.move('/tmp/big', '/data/big')
            except OSError as error:
                print(errno.errorcode[error.errno])
            print(os.path.getsize('/tmp/big'), os.path.exists('/data/big'))
            os.replace('/data/d2/a', '/data/c')
            """
            )
        )
        lines = done.stdout.split("\n")
        assert lines[:2] == ["ENOSPC", "['c', 'd2'] ['a'] b"]
        assert lines[2] == "ENOSPC"
        assert lines[3].startswith("60000 ")
        assert storage.read_bytes("c") == bytes(60_000)

    def test_what_is_removed_is_given_back(self) -> None:
        storage = VfsStorage(max_bytes=100_000, max_entries=2)
        session = Session(vfs=storage)
        done = session.execute(
            dedent(
                """
            import os
            def fill(name):
                with open(name, 'wb') as f: f.write(bytes(90_000))
            fill('/data/f'); os.truncate('/data/f', 10); fill('/data/g'); os.remove('/data/g')
            f = open('/data/f', 'r+b')
            os.remove('/data/f')
            f.seek(0); f.write(b'still here'); f.seek(0); print(f.read())
            fill('/data/f')
            f.close()
            os.remove('/data/f'); os.mkdir('/data/d'); os.rmdir('/data/d'); fill('/data/f')
            """
            )
        )
        assert done.stdout == "b'still here'"
        assert storage.entry_count == 1

    def test_paths_do_not_leave_the_mount(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        done = session.execute(
            dedent(
                """
            import os
            os.symlink('/etc/passwd', '/data/link')
            seen = []
            for path in ('/python-stdlib/os.py', '/dev/null', '/tmp/f', '/etc/passwd'):
                try:
                    os.link(path, '/data/hard')
                    seen.append(path)
                except OSError:
                    pass
            for path in ('/data/../etc/passwd', '/data//..//etc/passwd', '/data/link',
                         '/etc/passwd', '/data/' + 'x' * 5000, '/data/.\u2024/x',
                         '/data/\uff0e\uff0e/etc/passwd', '/data/..\u2215etc\u2215passwd'):
                try:
                    open(path)
                    seen.append(path)
                except OSError:
                    pass
            try:
                open('/data/a\\0b')
            except ValueError:
                seen.append('NUL')
            print(seen)
            """
            )
        )
        assert done.stdout == "['NUL']"
        with pytest.raises(OSError, match=r"."):
            storage.read_bytes("link")

    def test_fork(self) -> None:
        storage = VfsStorage()
        storage.write_bytes("f", b"x" * 200_000)
        copy = storage.fork()
        Session(vfs=copy).execute("open('/data/f', 'r+').write('changed')")
        assert storage.read_bytes("f") == b"x" * 200_000
        assert copy.read_bytes("f") == b"changed" + b"x" * 199_993
        storage.remove("f")
        assert copy.list() == ["f"]

    def test_bytes(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute(
            "import os\n"
            "os.mkdir('/data/d'); open('/data/d/f', 'w').write('text')\n"
            "os.symlink('d', '/data/s'); os.link('/data/d/f', '/data/h')\n"
            "os.utime('/data/h', (5, 5))"
        )
        data = storage.to_bytes()
        again = VfsStorage.from_bytes(data)
        assert again.walk() == ["d/f", "h", "s"]
        assert again.read_bytes("s/f") == b"text"
        check = "import os; print(os.stat('/data/h').st_mtime, os.stat('/data/h').st_nlink)"
        assert Session(vfs=again).execute(check).stdout == "5.0 2"
        for i in range(len(data)):
            with pytest.raises(ValueError, match="damaged"):
                VfsStorage.from_bytes(data[:i])
            damaged = bytearray(data)
            damaged[i] ^= 1
            with pytest.raises(ValueError, match="damaged"):
                VfsStorage.from_bytes(damaged)
        with pytest.raises(OSError, match="space"):
            VfsStorage.from_bytes(data, max_entries=1)

    def test_a_run_uses_what_another_thread_writes(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        stop = threading.Event()

        def write() -> None:
            for size in range(1, 100_000):
                if stop.is_set():
                    break
                storage.write_bytes("f", b"%d" % (size % 10) * (size % 1000))

        thread = threading.Thread(target=write)
        storage.write_bytes("f", b"")
        thread.start()
        try:
            session.execute(
                "for _ in range(500):\n"
                "    data = open('/data/f', 'rb', 0).read(2000)\n"
                "    assert len(set(data)) <= 1, data"
            )
        finally:
            stop.set()
            thread.join()

    def test_a_storage_outlives_its_session(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute("f = open('/data/f', 'w'); f.write('kept'); f.flush()")
        del session
        gc.collect()
        assert storage.read_bytes("f") == b"kept"
        session = Session(vfs=storage)
        del storage
        assert session.execute("print(open('/data/f').read())").stdout == "kept"

    def test_forked_sessions_share_the_storage(self) -> None:
        session = Session(vfs=VfsStorage())
        session.execute("f = open('/data/f', 'w')")
        fork = session.fork()
        assert fork.vfs is session.vfs
        fork.execute("f.write('of the fork'); f.close()")
        assert session.execute("print(open('/data/f').read())").stdout == "of the fork"
