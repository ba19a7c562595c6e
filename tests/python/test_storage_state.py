"""Storages as a part of the state of a session: checkpoints, saved sessions, transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eryx import ExecutionError, InitializationError, Session, VfsStorage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_isolation")


def contents(storage: VfsStorage) -> dict[str, bytes]:
    return {path: storage.read_bytes(path) for path in storage.walk()}


class TestCheckpoints:
    def test_rollback_leaves_the_storage_alone_unless_asked(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        without = session.checkpoint()
        including = session.checkpoint(include_storage=True)
        session.execute("open('/data/f', 'w').write('x')")
        session.rollback(without)
        assert contents(storage) == {"f": b"x"}
        session.rollback(including)
        assert contents(storage) == {}

    def test_files_and_what_is_open_come_back(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute("import os; f = open('/data/log', 'w+'); f.write('one\\n'); f.flush()")
        before = session.checkpoint(include_storage=True)
        for _ in range(3):
            session.execute("f.write('two\\n'); f.flush(); os.rename('/data/log', '/data/l')")
            assert contents(storage) == {"l": b"one\ntwo\n"}
            session.rollback(before)
            assert contents(storage) == {"log": b"one\n"}
            look = "f.seek(0); print(f.read(), os.fstat(f.fileno()).st_nlink)"
            assert session.execute(look).stdout == "one\n 1"

    def test_after_a_crash_and_a_reset(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute("open('/data/f', 'w').write('1')")
        before = session.checkpoint(include_storage=True)
        with pytest.raises(ExecutionError):
            session.execute("open('/data/f', 'w').write('2')\nimport os; os._exit(1)")
        session.rollback(before)
        assert contents(storage) == {"f": b"1"}
        session.execute("open('/data/f', 'w').write('3')")
        session.reset()
        assert contents(storage) == {"f": b"3"}
        session.rollback(before)
        assert contents(storage) == {"f": b"1"}

    def test_sessions_that_share_the_storage(self) -> None:
        storage = VfsStorage()
        first, second = Session(vfs=storage), Session(vfs=storage)
        first.execute("open('/data/f', 'w').write('1')")
        second.execute("f = open('/data/f', 'r+')")
        before = first.checkpoint(include_storage=True)
        second.execute("f.write('2'); f.flush()")
        first.rollback(before)
        # What was open is as it was, but it is another file now.
        assert second.execute("f.seek(0); print(f.read(), open('/data/f').read())").stdout == "2 1"

    def test_the_storage_is_not_counted_twice(self) -> None:
        storage = VfsStorage(max_bytes=100_000, max_entries=3)
        session = Session(vfs=storage)
        session.execute("for n in 'abc': open('/data/' + n, 'wb').write(b'x' * 33_000)")
        used = storage.size_bytes
        before = session.checkpoint(include_storage=True)
        session.execute("for n in 'abc': open('/data/' + n, 'wb').write(b'y' * 33_000)")
        session.rollback(before)
        assert set(contents(storage).values()) == {b"x" * 33_000}
        assert (storage.size_bytes, storage.entry_count) == (used, 3)

    def test_a_database_is_rolled_back_whole(self) -> None:
        session = Session(vfs=VfsStorage())
        session.execute(
            "import sqlite3; db = sqlite3.connect('/data/db')\n"
            "db.execute('create table t (n)'); db.commit()\n"
            "db.execute('insert into t values (1)')"
        )
        before = session.checkpoint(include_storage=True)
        session.execute("db.commit(); db.execute('insert into t values (2)'); db.commit()")
        session.rollback(before)
        look = "print(db.execute('select * from t').fetchall(), db.in_transaction)"
        assert session.execute(look).stdout == "[(1,)] True"
        assert session.execute("db.rollback()\n" + look).stdout == "[] False"


class TestTransactions:
    def test_all_undoes_the_storage(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage, transactional="all")
        session.execute("open('/data/f', 'w').write('kept')")
        for last in ("1/0", "import os; os._exit(2)"):
            with pytest.raises(ExecutionError):
                session.execute("open('/data/f', 'w').write('undone'); x = 1\n" + last)
            assert contents(storage) == {"f": b"kept"}
            assert session.execute("print('x' in dir())").stdout == "False"

    def test_true_does_not(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage, transactional=True)
        with pytest.raises(ExecutionError):
            session.execute("open('/data/f', 'w').write('kept'); 1/0")
        assert contents(storage) == {"f": b"kept"}

    def test_other_values_are_refused(self) -> None:
        with pytest.raises(ValueError, match="transactional must be"):
            Session(transactional="some")  # type: ignore[arg-type]


@pytest.mark.here_alone("sessions in workers are saved without storages")
class TestFiles:
    def test_saved_with_the_storage(self, tmp_path: Path) -> None:
        first = Session(vfs=VfsStorage(), vfs_mount_path="/store")
        first.execute(
            "import os; f = open('/store/f', 'w+'); f.write('x' * 200_000); f.flush()\n"
            "os.symlink('f', '/store/s'); os.link('/store/f', '/store/h')"
        )
        first.save(tmp_path / "saved", include_storage=True)
        storage = VfsStorage()
        storage.write_bytes("old", b"")
        second = Session(vfs=storage, vfs_mount_path="/store")
        second.load(tmp_path / "saved")
        assert storage.list() == ["f", "h", "s"]
        done = second.execute(
            "f.write('y'); f.close()\n"
            "print(os.stat('/store/s').st_size, os.stat('/store/h').st_nlink)"
        )
        assert done.stdout == "200001 2"

    def test_open_files_need_the_storage(self, tmp_path: Path) -> None:
        session = Session(vfs=VfsStorage())
        session.execute("f = open('/data/f', 'w')")
        with pytest.raises(ValueError, match="open"):
            session.save(tmp_path / "saved")
        session.save(tmp_path / "saved", include_storage=True)

    def test_a_session_without_the_storage_is_refused(self, tmp_path: Path) -> None:
        first = Session(vfs=VfsStorage())
        first.save(tmp_path / "saved", include_storage=True)
        elsewhere = VfsStorage()
        for second in (Session(), Session(vfs=elsewhere, vfs_mount_path="/other")):
            second.execute("x = 1")
            with pytest.raises(InitializationError, match="a storage at /data"):
                second.load(tmp_path / "saved")
            assert second.execute("print(x)").stdout == "1"

    def test_the_quota_of_the_storage_holds(self, tmp_path: Path) -> None:
        first = Session(vfs=VfsStorage())
        first.execute("open('/data/f', 'w').write('x' * 200_000)")
        first.save(tmp_path / "saved", include_storage=True)
        small = VfsStorage(max_bytes=100_000)
        small.write_bytes("old", b"o")
        second = Session(vfs=small)
        with pytest.raises(InitializationError, match="limits"):
            second.load(tmp_path / "saved")
        assert contents(small) == {"old": b"o"}
