"""Databases of sqlite3 that several sessions use: locks, and what is left of them."""

from __future__ import annotations

import os
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from eryx import ExecutionError, Sandbox, Session, VfsStorage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_isolation")

OPEN = "import sqlite3, os\ndb = sqlite3.connect('/data/db', timeout=0.05)\n"
BEGIN = OPEN + "db.execute('create table if not exists t (n)'); db.commit()\n"
INSERT = "db.execute('insert into t values (1)')\n"
COUNT = "print(db.execute('select count(*) from t').fetchone()[0])"
CHECK = "print(db.execute('pragma integrity_check').fetchall())"


def locked(session: Session, source: str) -> None:
    with pytest.raises(ExecutionError, match="database is locked"):
        session.execute(source)


class TestTwoSessions:
    def test_in_turns(self) -> None:
        storage = VfsStorage()
        first, second = Session(vfs=storage), Session(vfs=storage)
        first.execute(BEGIN)
        second.execute(BEGIN)
        for expected in range(1, 10, 2):
            assert first.execute(INSERT + "db.commit()\n" + COUNT).stdout == str(expected)
            assert second.execute(INSERT + "db.commit()\n" + COUNT).stdout == str(expected + 1)
        assert first.execute(CHECK).stdout == "[('ok',)]"
        assert storage.list() == ["db"]

    def test_a_writer_keeps_others_out(self) -> None:
        storage = VfsStorage()
        first, second = Session(vfs=storage), Session(vfs=storage)
        first.execute(BEGIN + INSERT)
        second.execute(OPEN)
        locked(second, INSERT)
        locked(second, COUNT)
        first.execute("db.rollback()")
        assert second.execute(INSERT + "db.commit()\n" + COUNT).stdout == "1"

    def test_who_waits_gets_it(self) -> None:
        storage = VfsStorage()
        sessions = [Session(vfs=storage) for _ in range(4)]
        sessions[0].execute(BEGIN)
        source = (
            "import sqlite3\ndb = sqlite3.connect('/data/db', timeout=20)\n"
            "for _ in range(25):\n    with db: db.execute('insert into t values (1)')"
        )
        threads = [threading.Thread(target=session.execute, args=(source,)) for session in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = sessions[0].execute(OPEN + COUNT + "\n" + CHECK)
        assert done.stdout == "100\n[('ok',)]"


class TestLocksLeftBehind:
    """A lock that its session cannot give up any more is gone with the session."""

    @pytest.mark.parametrize("end", ["reset", "close", "crash", "dropped"])
    def test_after_the_end_of_a_session(self, end: str) -> None:
        storage = VfsStorage()
        first, second = Session(vfs=storage), Session(vfs=storage)
        first.execute(BEGIN + INSERT)
        second.execute(OPEN)
        locked(second, INSERT)
        if end == "crash":
            with pytest.raises(ExecutionError):
                first.execute("os._exit(1)")
        if end == "close":
            first.close()
        elif end == "dropped":
            del first
        else:
            first.reset()
        # What was not committed is undone by whoever opens the database next.
        assert second.execute(COUNT + "\n" + INSERT + "db.commit()\n" + CHECK).stdout == (
            "0\n[('ok',)]"
        )
        assert storage.list() == ["db"]

    def test_of_a_run_that_is_undone(self) -> None:
        storage = VfsStorage()
        first, second = Session(vfs=storage, transactional=True), Session(vfs=storage)
        first.execute(BEGIN)
        with pytest.raises(ExecutionError, match="ZeroDivisionError"):
            first.execute(INSERT + "1/0")
        assert second.execute(OPEN + COUNT).stdout == "0"

    def test_a_rollback_keeps_what_was_locked_then(self) -> None:
        storage = VfsStorage()
        first, second = Session(vfs=storage), Session(vfs=storage)
        first.execute(BEGIN + INSERT)
        before = first.checkpoint(include_storage=True)
        first.execute("db.commit()")
        first.rollback(before)
        second.execute(OPEN)
        locked(second, INSERT)
        first.execute("db.commit()")
        assert second.execute(COUNT).stdout == "1"

    def test_in_a_volume(self, tmp_path: Path) -> None:
        sandbox = Sandbox(volumes=[(tmp_path, "/data", False)])
        with pytest.raises(ExecutionError):
            sandbox.execute(BEGIN + INSERT + "os._exit(1)")
        assert "db-journal" in os.listdir(tmp_path)
        assert sandbox.execute(OPEN + INSERT + "db.commit()\n" + COUNT).stdout == "1"
        with sqlite3.connect(tmp_path / "db") as host:
            assert host.execute("select n from t").fetchall() == [(1,)]

    def test_the_lock_of_another_session_stays(self, tmp_path: Path) -> None:
        """The system may give the directory the number that one's own had."""
        volumes = [(str(tmp_path), "/v", False)]
        first, second = Session(volumes=volumes), Session(volumes=volumes)
        insert = (BEGIN + INSERT).replace("/data", "/v")
        for _ in range(10):
            first.execute(insert + "db.commit(); db.close()")
            second.execute(insert)
            first.reset()
            assert (tmp_path / "db.lock").is_dir()
            second.reset()
            assert not (tmp_path / "db.lock").exists()

    def test_along_a_long_way(self) -> None:
        """Nobody walks a thousand steps to a lock when the session has ended."""
        storage = VfsStorage()
        session = Session(vfs=storage)
        code = """
import os
os.makedirs("/data/a")
open("/data/a/x.db", "w").close()
open("/data/a/y.db", "w").close()
os.mkdir("/data/" + "a/../" * 700 + "a/x.db.lock")
os.mkdir("/data/" + "a/../" * 50 + "a/y.db.lock")
"""
        session.execute(code)
        session.reset()
        assert storage.list("a") == ["x.db", "x.db.lock", "y.db"]

    def test_other_directories_of_that_name_stay(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute(
            "import os; os.mkdir('/data/build.lock'); os.mkdir('/data/x.lock')\n"
            "open('/data/x', 'w').write('no database')\n"
            + BEGIN
            + INSERT
            + "os.rmdir('/data/db.lock')\n"
            "os.mkdir('/data/db.lock'); open('/data/db.lock/f', 'w').close()"
        )
        session.close()
        assert [name for name in storage.list() if name.endswith(".lock")] == [
            "build.lock",
            "db.lock",
            "x.lock",
        ]

    def test_of_many_databases(self) -> None:
        storage = VfsStorage()
        session = Session(vfs=storage)
        session.execute(
            "import sqlite3\nfor i in range(200):\n"
            "    d = sqlite3.connect(f'/data/{i % 100}')\n"
            "    d.execute('create table if not exists t (n)'); d.close()\n"
            "keep = sqlite3.connect('/data/99'); keep.execute('insert into t values (1)')"
        )
        assert "99.lock" in storage.list()
        session.reset()
        assert "99.lock" not in storage.list()


class TestInMemory:
    @pytest.mark.parametrize(
        "name",
        [
            "file:books?mode=memory&cache=shared",
            "file::memory:?cache=shared",
            "file:/a/b?cache=shared&mode=memory",
            "file:%3Amemory%3A?cache=shared",
            "file:a b\u00e9?mode=memory&cache=shared#part",
        ],
    )
    def test_one_name_is_one_database(self, name: str) -> None:
        code = f"""
import sqlite3
first, second = (sqlite3.connect({name!r}, uri=True) for _ in range(2))
first.execute("create table t (n)")
first.execute("insert into t values (7)")
first.commit()
print(list(second.execute("select n from t")))
second.execute("insert into t values (8)"); second.commit()
print(first.execute("select sum(n) from t").fetchone())
first.close(); second.close()
print(sqlite3.connect({name!r}, uri=True).execute("select * from sqlite_master").fetchall())
import os
print(os.listdir("/data"))
"""
        assert Sandbox().execute(code).stdout.splitlines() == ["[(7,)]", "(15,)", "[]", "[]"]

    def test_others_are_as_they_were(self) -> None:
        code = """
import sqlite3
def rows(name, **more):
    first, second = (sqlite3.connect(name, **more) for _ in range(2))
    first.execute("create table t (n)")
    first.commit()
    return len(second.execute("select * from sqlite_master").fetchall())
print(rows(":memory:"), rows("file:x?mode=memory", uri=True))
print(rows("file:one?mode=memory&cache=private", uri=True))
print(rows("file:x?mode=memory&cache=shared"), rows("file:db?cache=shared", uri=True))
print(rows("file:?mode=memory&cache=shared", uri=True))
import os
print(sorted(os.listdir("/data")))
"""
        assert Sandbox().execute(code).stdout.splitlines() == [
            "0 0",
            "0",
            "1 1",
            "0",
            "['db', 'file:x?mode=memory&cache=shared']",
        ]

    def test_two_names_are_two_databases(self) -> None:
        code = """
import sqlite3
one = sqlite3.connect("file:one?mode=memory&cache=shared", uri=True)
two = sqlite3.connect("file:two?mode=memory&cache=shared", uri=True)
one.execute("create table t (n)")
print(two.execute("select * from sqlite_master").fetchall())
one.execute("insert into t values (1)")
other = sqlite3.connect("file:one?mode=memory&cache=shared", uri=True, timeout=0)
try:
    other.execute("insert into t values (1)")
except sqlite3.OperationalError as error:
    print(error)
"""
        assert Sandbox().execute(code).stdout.splitlines() == ["[]", "database is locked"]
