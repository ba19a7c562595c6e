"""Volumes of the mode "overlay": the host's folder is read, what is written stays in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import eryx
from eryx import FileChange

pytestmark = pytest.mark.usefixtures("each_isolation")


def _tree(folder: Path) -> dict[str, str]:
    """Everything under a folder: contents, targets, "/" for directories."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        else:
            found[name] = "/" if path.is_dir() else path.read_text()
    return found


def _short(changes: list[FileChange]) -> list[tuple[str, str]]:
    return [(change.kind, change.path) for change in changes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "host"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "one").write_text("one")
    (top / "two").write_text("two")
    (top / "sub" / "deep" / "three").write_text("three")
    (top / "link").symlink_to("one")
    return top


@pytest.fixture
def session(folder: Path) -> Iterator[eryx.Session]:
    with eryx.Session(volumes=[(folder, "/o", "overlay")]) as made:
        made.execute("import os, shutil\nread = lambda path: open(path).read()")
        yield made


def _walk(session: eryx.Session) -> dict[str, str]:
    value = session.execute(
        "found = {}\n"
        "for place, folders, files in os.walk('/o'):\n"
        "    for name in folders + files:\n"
        "        path = os.path.join(place, name)\n"
        "        found[path[3:]] = '-> ' + os.readlink(path) if os.path.islink(path) else ("
        "'/' if os.path.isdir(path) else read(path))\n"
        "found"
    ).value
    assert isinstance(value, dict)
    return value


class TestWhatIsSeen:
    def test_what_the_host_has_is_read(self, session: eryx.Session, folder: Path) -> None:
        assert _walk(session) == _tree(folder)
        assert session.volumes[0].changes() == []

    def test_what_is_written_is_seen_by_the_guest_alone(
        self, session: eryx.Session, folder: Path
    ) -> None:
        before = _tree(folder)
        session.execute(
            "open('/o/one', 'a').write('+')\n"
            "open('/o/new', 'w').write('new')\n"
            "os.makedirs('/o/sub/more'); open('/o/sub/more/x', 'w').write('x')\n"
        )
        seen = _walk(session)
        assert seen["one"] == "one+"
        assert seen["link"] == "-> one"
        assert session.execute("read('/o/link')").value == "one+"
        assert seen["new"] == "new"
        assert seen["sub/more/x"] == "x"
        assert seen["sub/deep/three"] == "three"
        assert _tree(folder) == before

    def test_a_file_of_the_host_is_read_until_it_is_written_to(
        self, session: eryx.Session, folder: Path
    ) -> None:
        session.execute("f = open('/o/one', 'r+')")
        (folder / "one").write_text("later")
        assert session.execute("read('/o/one')").value == "later"
        assert session.volumes[0].changes() == []
        session.execute("f.write('L'); f.close()")
        (folder / "one").write_text("too late")
        assert session.execute("read('/o/one')").value == "Later"

    def test_files_are_cut_extended_and_written_in_the_middle(self, session: eryx.Session) -> None:
        done = session.execute(
            "os.truncate('/o/one', 2)\n"
            "with open('/o/two', 'r+') as f: f.seek(5); f.write('!')\n"
            "open('/o/sub/deep/three', 'w').close()\n"
            "read('/o/one'), read('/o/two'), read('/o/sub/deep/three'), os.path.getsize('/o/two')"
        )
        assert done.value == ["on", "two\0\0!", "", 6]

    def test_names_that_were_removed_are_gone_and_can_be_used_again(
        self, session: eryx.Session
    ) -> None:
        session.execute("os.remove('/o/one'); shutil.rmtree('/o/sub')")
        assert sorted(_walk(session)) == ["link", "two"]
        assert session.execute("os.path.exists('/o/one'), os.path.exists('/o/sub')").value == [
            False,
            False,
        ]
        session.execute("os.mkdir('/o/one'); os.mkdir('/o/sub'); open('/o/sub/x', 'w').write('x')")
        assert _walk(session) == {
            "link": "-> one",
            "one": "/",
            "sub": "/",
            "sub/x": "x",
            "two": "two",
        }

    def test_a_directory_that_is_not_empty_is_not_removed(self, session: eryx.Session) -> None:
        done = session.execute(
            "problems = []\n"
            "for step in (lambda: os.rmdir('/o/sub'), lambda: os.rmdir('/o/sub/deep'),\n"
            "             lambda: os.rename('/o/empty', '/o/sub'),\n"
            "             lambda: os.remove('/o/nothing'),\n"
            "             lambda: os.mkdir('/o/sub'), lambda: open('/o/one', 'x')):\n"
            "    os.makedirs('/o/empty', exist_ok=True)\n"
            "    try: step(); problems.append(None)\n"
            "    except OSError as e: problems.append(type(e).__name__ + str(e.errno))\n"
            "problems"
        )
        assert [str(name)[:12] for name in done.value] == [
            "OSError55",
            "OSError55",
            "OSError55",
            "FileNotFound",
            "FileExistsEr",
            "FileExistsEr",
        ]
        session.execute(
            "os.remove('/o/sub/deep/three'); os.rmdir('/o/sub/deep'); os.rmdir('/o/sub')"
        )
        assert "sub" not in _walk(session)

    def test_renames_of_files_and_directories(self, session: eryx.Session, folder: Path) -> None:
        before = _tree(folder)
        session.execute(
            "os.rename('/o/one', '/o/two')\n"
            "os.rename('/o/sub', '/o/moved')\n"
            "os.rename('/o/moved/deep', '/o/deep')\n"
            "os.rename('/o/deep/three', '/o/moved/3')\n"
            "open('/o/moved/3', 'a').write('!')\n"
        )
        assert _walk(session) == {
            "deep": "/",
            "link": "-> one",
            "moved": "/",
            "moved/3": "three!",
            "two": "one",
        }
        session.execute("os.rename('/o/moved', '/o/sub')")
        assert _walk(session)["sub/3"] == "three!"
        assert _tree(folder) == before

    def test_two_files_that_change_places(self, session: eryx.Session, folder: Path) -> None:
        session.execute(
            "os.rename('/o/one', '/o/x'); os.rename('/o/two', '/o/one')\n"
            "os.rename('/o/x', '/o/two')"
        )
        assert _short(session.volumes[0].changes()) == [("changed", "one"), ("changed", "two")]
        session.volumes[0].apply()
        assert (folder / "one").read_text() == "two"
        assert (folder / "two").read_text() == "one"

    def test_a_directory_cannot_be_moved_into_itself(self, session: eryx.Session) -> None:
        done = session.execute(
            "try: os.rename('/o/sub', '/o/sub/deep/inside')\n"
            "except OSError as error: problem = error.errno\n"
            "import errno; problem == errno.EINVAL"
        )
        assert done.value is True

    def test_hard_links(self, session: eryx.Session) -> None:
        done = session.execute(
            "os.link('/o/one', '/o/same'); open('/o/same', 'a').write('+')\n"
            "read('/o/one'), os.path.samefile('/o/one', '/o/same')"
        )
        assert done.value == ["one+", True]

    def test_listing_goes_on_while_files_are_written(self, session: eryx.Session) -> None:
        done = session.execute(
            "for i in range(200): open(f'/o/sub/deep/n{i}', 'w').close()\n"
            "names = []\n"
            "with os.scandir('/o/sub/deep') as entries:\n"
            "    for entry in entries:\n"
            "        names.append(entry.name)\n"
            "        open(entry.path, 'a').write('.')\n"
            "len(names), len(set(names))"
        )
        assert done.value == [201, 201]

    def test_permissions_and_times_are_kept_in_memory(
        self, session: eryx.Session, folder: Path
    ) -> None:
        before = (folder / "one").stat()
        done = session.execute(
            "os.chmod('/o/one', 0o751); os.utime('/o/one', (5, 6))\n"
            "s = os.stat('/o/one'); oct(s.st_mode & 0o777), s.st_mtime, s.st_size, read('/o/one')"
        )
        assert done.value == ["0o751", 6.0, 3, "one"]
        assert (folder / "one").stat().st_mtime == before.st_mtime

    def test_databases(self, session: eryx.Session) -> None:
        done = session.execute(
            "import sqlite3\n"
            "db = sqlite3.connect('/o/db'); db.execute('create table t (n)')\n"
            "db.execute('insert into t values (42)'); db.commit(); db.close()\n"
            "sqlite3.connect('/o/db').execute('select n from t').fetchone()[0]"
        )
        assert done.value == 42

    def test_several_overlays_and_other_mounts(self, folder: Path, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        sandbox = eryx.Sandbox(
            volumes=[(folder, "/a", "overlay"), (folder, "/b", "overlay"), (other, "/a/in", False)]
        )
        done = sandbox.execute(
            "import os\n"
            "open('/a/one', 'w').write('A'); open('/b/one', 'w').write('B')\n"
            "open('/a/in/file', 'w').write('real')\n"
            "problem = None\n"
            "try: os.rename('/a/one', '/b/three')\n"
            "except OSError as error: problem = type(error).__name__\n"
            "read = [open(f'/{place}/one').read() for place in 'ab']\n"
            "[*read, problem is not None, sorted(os.listdir('/a'))]"
        )
        assert done.value == ["A", "B", True, ["in", "link", "one", "sub", "two"]]
        assert (other / "file").read_text() == "real"
        assert [_short(volume.changes()) for volume in sandbox.volumes[:2]] == [
            [("changed", "one")],
            [("changed", "one")],
        ]


class TestWhatTheHostGets:
    def test_changes_say_what_is_different_and_apply_writes_it(
        self, session: eryx.Session, folder: Path
    ) -> None:
        session.execute(
            "open('/o/one', 'a').write('+')\n"
            "os.remove('/o/two')\n"
            "os.rename('/o/sub', '/o/moved')\n"
            "os.makedirs('/o/new/dir'); open('/o/new/dir/f', 'w').write('f')\n"
            "os.symlink('one', '/o/other')\n"
            "os.chmod('/o/link', 0o644)\n"
        )
        volume = session.volumes[0]
        changes = volume.changes()
        assert changes == [
            FileChange("moved", "made", "directory", 0),
            FileChange("moved/deep", "made", "directory", 0),
            FileChange("moved/deep/three", "made", "file", 5),
            FileChange("new", "made", "directory", 0),
            FileChange("new/dir", "made", "directory", 0),
            FileChange("new/dir/f", "made", "file", 1),
            FileChange("one", "changed", "file", 4),
            FileChange("other", "made", "link", 0),
            FileChange("sub", "removed", "directory", 0),
            FileChange("two", "removed", "file", 0),
        ]
        assert volume.read("one") == b"one+"
        assert volume.read("/moved/deep/three") == b"three"
        assert volume.read("other") == b"one"
        seen = _walk(session)
        assert volume.apply() == changes
        assert _tree(folder) == seen
        assert _walk(session) == seen
        assert volume.changes() == []

    def test_a_directory_in_the_place_of_a_file_and_back(
        self, session: eryx.Session, folder: Path
    ) -> None:
        session.execute(
            "os.remove('/o/one'); os.mkdir('/o/one'); open('/o/one/in', 'w').write('in')\n"
            "shutil.rmtree('/o/sub'); open('/o/sub', 'w').write('a file now')\n"
            "os.remove('/o/link'); open('/o/link', 'w').write('no link now')\n"
        )
        seen = _walk(session)
        session.volumes[0].apply()
        assert _tree(folder) == seen

    def test_a_directory_that_was_made_anew_hides_what_was_in_it(
        self, session: eryx.Session, folder: Path
    ) -> None:
        session.execute("shutil.rmtree('/o/sub'); os.mkdir('/o/sub'); open('/o/sub/x', 'w')")
        assert _short(session.volumes[0].changes()) == [
            ("removed", "sub/deep"),
            ("made", "sub/x"),
        ]
        session.volumes[0].apply()
        assert sorted(_tree(folder)) == ["link", "one", "sub", "sub/x", "two"]

    def test_permissions_of_a_file_stay_when_it_is_replaced(
        self, session: eryx.Session, folder: Path
    ) -> None:
        (folder / "one").chmod(0o640)
        session.execute("open('/o/one', 'a').write('+')")
        session.volumes[0].apply()
        assert (folder / "one").stat().st_mode & 0o777 == 0o640

    def test_nothing_is_written_through_a_link_that_came_meanwhile(
        self, session: eryx.Session, folder: Path, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        session.execute("open('/o/sub/x', 'w').write('x')")
        (folder / "sub").rename(folder / "away")
        (folder / "sub").symlink_to(outside)
        volume = session.volumes[0]
        with pytest.raises(NotADirectoryError, match="sub"):
            volume.apply()
        assert list(outside.iterdir()) == []
        assert not [name for name in os.listdir(folder) if name.startswith(".eryx")]
        assert ("made", "sub/x") in _short(volume.changes())

    def test_discard_forgets_them(self, session: eryx.Session, folder: Path) -> None:
        session.execute(
            "os.remove('/o/one'); open('/o/two', 'w').write('x'); f = open('/o/n', 'w+')"
        )
        session.volumes[0].discard()
        assert _walk(session) == _tree(folder)
        assert session.execute("f.write('still'); f.seek(0); f.read()").value == "still"

    def test_other_volumes_keep_no_changes(self, folder: Path) -> None:
        sandbox = eryx.Sandbox(volumes=[(folder, "/r", "ro"), f"{folder}:/w:rw"])
        assert [volume.mode for volume in sandbox.volumes] == ["ro", "rw"]
        for volume in sandbox.volumes:
            for ask in (volume.changes, volume.apply, volume.discard):
                with pytest.raises(eryx.EryxError, match="no overlay"):
                    ask()

    def test_a_closed_session_has_none(self, folder: Path) -> None:
        session = eryx.Session(volumes=[(folder, "/o", "overlay")])
        volume = session.volumes[0]
        session.close()
        with pytest.raises(eryx.EryxError, match="closed"):
            volume.changes()


class TestWhereItEnds:
    def test_a_sandbox_begins_each_run_anew(self, folder: Path) -> None:
        sandbox = eryx.Sandbox(volumes=[f"{folder}:/o:overlay"])
        sandbox.execute("open('/o/x', 'w').write('1')")
        assert _short(sandbox.volumes[0].changes()) == [("made", "x")]
        assert sandbox.execute("import os; os.path.exists('/o/x')").value is False
        assert sandbox.volumes[0].changes() == []

    def test_changes_of_a_run_that_used_much_memory_stay_until_the_next(self, folder: Path) -> None:
        sandbox = eryx.Sandbox(volumes=[(folder, "/o", "overlay")])
        sandbox.execute("x = bytearray(90_000_000); open('/o/x', 'w').write('1')")
        assert _short(sandbox.volumes[0].changes()) == [("made", "x")]

    def test_reset_forgets_what_was_written(self, session: eryx.Session, folder: Path) -> None:
        session.execute("open('/o/x', 'w').write('1'); os.remove('/o/one')")
        session.reset()
        assert session.volumes[0].changes() == []
        assert session.execute("open('/o/one').read()").value == "one"

    def test_the_quota_counts_what_is_in_memory_and_not_what_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "big").write_bytes(b"x" * 3_000_000)
        limits = eryx.ResourceLimits(max_vfs_bytes=2_000_000)
        session = eryx.Session(volumes=[(tmp_path, "/o", "overlay")], resource_limits=limits)
        code = (
            "import errno\n"
            "size = len(open('/o/big', 'rb').read())\n"
            "try:\n"
            "    with open('/o/big', 'ab') as f: f.write(b'!')\n"
            "except OSError as error: full = error.errno == errno.ENOSPC\n"
            "open('/o/big', 'wb').write(b'!')\n"
            "size, full, open('/o/big', 'rb').read().decode()"
        )
        assert session.execute(code).value == [3_000_000, True, "!"]

    def test_entries_count_as_well(self, folder: Path) -> None:
        limits = eryx.ResourceLimits(max_vfs_entries=20)
        sandbox = eryx.Sandbox(volumes=[(folder, "/o", "overlay")], resource_limits=limits)
        done = sandbox.execute(
            "import errno\nmade = 0\n"
            "try:\n"
            "    while True: open(f'/o/{made}', 'w').close(); made += 1\n"
            "except OSError as error: print(made, error.errno == errno.ENOSPC)"
        )
        assert done.stdout == "20 True"

    @pytest.mark.parametrize("mode", ["rx", "", "OVERLAY"])
    def test_other_modes_are_refused(self, folder: Path, mode: str) -> None:
        with pytest.raises(ValueError, match="overlay"):
            eryx.Sandbox(volumes=[(folder, "/o", mode)])

    def test_a_file_cannot_be_an_overlay(self, folder: Path) -> None:
        with pytest.raises(ValueError, match="directory"):
            eryx.Sandbox(volumes=[(folder / "one", "/o", "overlay")])

    def test_links_do_not_lead_out(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        (folder / "up").symlink_to("../secret")
        (folder / "abs").symlink_to(tmp_path / "secret")
        (folder / "dir").symlink_to("..")
        session = eryx.Session(volumes=[(folder, "/o", "overlay")])
        done = session.execute(
            "import os\n"
            "refused = []\n"
            "for step in (lambda: open('/o/up'), lambda: open('/o/abs'),\n"
            "             lambda: open('/o/dir/secret'),\n"
            "             lambda: open('/o/up', 'w'), lambda: os.listdir('/o/dir'),\n"
            "             lambda: os.symlink('/etc', '/o/made'),\n"
            "             lambda: os.symlink('../x', '/o/made')):\n"
            "    try: step(); refused.append(False)\n"
            "    except OSError: refused.append(True)\n"
            "refused"
        )
        assert done.value == [True] * 7
        session.execute("os.rename('/o/up', '/o/sub/deep/up')")
        with pytest.raises(eryx.ExecutionError):
            session.execute("open('/o/sub/deep/up').read()")
        assert (tmp_path / "secret").read_text() == "secret"

    def test_what_is_no_file_cannot_be_opened(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe")
        session = eryx.Session(volumes=[(folder, "/o", "overlay")])
        done = session.execute(
            "import os\n"
            "refused = []\n"
            "for step in (lambda: open('/o/pipe'), lambda: open('/o/pipe', 'w'),\n"
            "             lambda: os.rename('/o/pipe', '/o/p')):\n"
            "    try: step(); refused.append(False)\n"
            "    except OSError: refused.append(True)\n"
            "os.remove('/o/pipe')\n"
            "refused, os.path.exists('/o/pipe')"
        )
        assert done.value == [[True, True, True], False]
        assert _short(session.volumes[0].changes()) == [("removed", "pipe")]


class TestStates:
    def test_forks_go_separate_ways(self, session: eryx.Session) -> None:
        session.execute(
            "open('/o/one', 'a').write('+'); f = open('/o/two', 'a+'); os.remove('/o/link')"
        )
        fork = session.fork()
        fork.execute("f.write('fork'); f.close(); open('/o/mine', 'w'); os.remove('/o/one')")
        session.execute("f.write('session'); f.close()")
        assert session.execute(
            "read('/o/two'), read('/o/one'), os.path.exists('/o/mine')"
        ).value == [
            "twosession",
            "one+",
            False,
        ]
        assert fork.execute("read('/o/two'), os.path.exists('/o/one')").value == ["twofork", False]
        assert _short(fork.volumes[0].changes()) == [
            ("removed", "link"),
            ("made", "mine"),
            ("removed", "one"),
            ("changed", "two"),
        ]

    def test_open_files_and_directories_of_the_host_go_along(self, session: eryx.Session) -> None:
        session.execute(
            "f = open('/o/sub/deep/three'); f.read(2)\n"
            "entries = os.scandir('/o'); seen = [next(entries).name]\n"
            "d = os.scandir('/o/sub/deep')"
        )
        fork = session.fork()
        session.execute("f.close()")
        session.close()
        assert fork.execute("f.read()").value == "ree"
        assert fork.execute("sorted(seen + [entry.name for entry in entries])").value == [
            "link",
            "one",
            "sub",
            "two",
        ]
        assert fork.execute("[entry.name for entry in d]").value == ["three"]

    def test_rollback_undoes_what_was_written(self, session: eryx.Session) -> None:
        session.execute("open('/o/one', 'a').write('+')")
        before = session.checkpoint()
        for _ in range(2):
            session.execute("shutil.rmtree('/o/sub'); os.remove('/o/one'); open('/o/x', 'w')")
            session.rollback(before)
            assert _short(session.volumes[0].changes()) == [("changed", "one")]
            assert session.execute("read('/o/one')").value == "one+"

    def test_a_transaction_that_fails_leaves_nothing(self, folder: Path) -> None:
        session = eryx.Session(volumes=[(folder, "/o", "overlay")], transactional=True)
        with pytest.raises(eryx.ExecutionError):
            session.execute("open('/o/x', 'w').write('1'); 1 / 0")
        assert session.volumes[0].changes() == []

    def test_a_saved_session_takes_it_along(
        self, session: eryx.Session, folder: Path, tmp_path: Path
    ) -> None:
        session.execute(
            "open('/o/one', 'a').write('+'); os.remove('/o/two'); os.rename('/o/sub', '/o/moved')\n"
            "f = open('/o/open', 'w+'); f.write('1'); f.flush()"
        )
        seen = _walk(session)
        session.save(tmp_path / "saved")
        other = eryx.Session(volumes=[(folder, "/o", "overlay")])
        other.execute("open('/o/not-seen', 'w').write('later')")
        other.load(tmp_path / "saved")
        assert _walk(other) == seen
        assert other.execute("f.write('2'); f.seek(0); f.read()").value == "12"
        assert _short(other.volumes[0].changes()) == _short(session.volumes[0].changes())

    def test_a_saved_session_needs_an_overlay_at_the_same_path(
        self, session: eryx.Session, folder: Path, tmp_path: Path
    ) -> None:
        session.save(tmp_path / "saved")
        for volumes in (None, [(folder, "/other", "overlay")], [(folder, "/o", "ro")]):
            other = eryx.Session(volumes=volumes)
            with pytest.raises(eryx.InitializationError, match="overlay at /o"):
                other.load(tmp_path / "saved")
            assert other.execute("1 + 1").value == 2

    def test_a_file_of_the_host_must_be_closed_to_save(
        self, session: eryx.Session, tmp_path: Path
    ) -> None:
        session.execute("f = open('/o/one')")
        with pytest.raises(ValueError, match="open"):
            session.save(tmp_path / "saved")
        session.execute("f.close()")
        session.save(tmp_path / "saved")
