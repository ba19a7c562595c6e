"""What a run tells of the files that it made, changed and removed."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

import eryx
from eryx import FileChange

pytestmark = pytest.mark.usefixtures("each_isolation")


def _short(files: list[FileChange]) -> list[tuple[str, str]]:
    return [(change.kind, change.path) for change in files]


class TestFilesOfARun:
    def test_a_run_that_changes_nothing_has_none(self) -> None:
        done = eryx.Sandbox().execute("open('/python-stdlib/os.py').read(9); print(1)")
        assert done.files == []
        assert not done.files_truncated

    def test_files_directories_and_links_are_told_with_their_sizes(self) -> None:
        done = eryx.Sandbox().execute(
            "import os\n"
            "open('a.txt', 'w').write('hello')\n"
            "os.makedirs('/tmp/x/y')\n"
            "os.symlink('a.txt', 'link')"
        )
        assert done.files == [
            FileChange("/data/a.txt", "made", "file", 5),
            FileChange("/data/link", "made", "link", 0),
            FileChange("/tmp/x", "made", "directory", 0),
            FileChange("/tmp/x/y", "made", "directory", 0),
        ]
        assert done.read("/data/a.txt") == done.read("a.txt") == b"hello"
        assert done.read("link") == b"a.txt"

    def test_what_is_gone_at_the_end_was_never_there(self) -> None:
        done = eryx.Sandbox().execute(
            "import os, tempfile\n"
            "with tempfile.TemporaryDirectory() as folder: open(folder + '/x', 'w').write('x')\n"
        )
        assert done.files == []

    def test_each_run_of_a_session_tells_its_own(self) -> None:
        session = eryx.Session()
        first = session.execute(
            "import os\nfor name in 'abc': open(name, 'w').write(name)\nos.mkdir('d')"
        )
        second = session.execute(
            "open('a', 'a').write('more'); os.remove('b'); os.rename('c', 'd/c')"
        )
        assert _short(first.files) == [
            ("made", "/data/a"),
            ("made", "/data/b"),
            ("made", "/data/c"),
            ("made", "/data/d"),
        ]
        assert second.files == [
            FileChange("/data/a", "changed", "file", 5),
            FileChange("/data/b", "removed", "file", 0),
            FileChange("/data/c", "removed", "file", 0),
            FileChange("/data/d/c", "made", "file", 1),
        ]
        assert session.execute("open('a').read()").files == []
        assert first.read("a") == b"a"
        assert second.read("a") == b"amore"

    def test_a_directory_that_moves_takes_its_files_along(self) -> None:
        session = eryx.Session()
        session.execute("import os\nos.makedirs('d/e'); open('d/e/f', 'w').write('1')")
        done = session.execute("os.rename('d', 'q')")
        assert _short(done.files) == [
            ("removed", "/data/d"),
            ("removed", "/data/d/e"),
            ("removed", "/data/d/e/f"),
            ("made", "/data/q"),
            ("made", "/data/q/e"),
            ("made", "/data/q/e/f"),
        ]
        assert done.read("q/e/f") == b"1"

    def test_a_file_of_an_earlier_run_is_written_through_its_descriptor(self) -> None:
        session = eryx.Session()
        session.execute("f = open('log', 'w'); f.write('one'); f.flush()")
        done = session.execute("f.write('two'); f.flush()")
        assert done.files == [FileChange("/data/log", "changed", "file", 6)]

    def test_a_file_that_is_replaced_by_another_has_changed(self) -> None:
        session = eryx.Session()
        session.execute("import os\nopen('a', 'w').write('1'); open('b', 'w').write('22')")
        assert session.execute("os.replace('b', 'a')").files == [
            FileChange("/data/a", "changed", "file", 2),
            FileChange("/data/b", "removed", "file", 0),
        ]

    def test_hard_links_are_told_by_all_their_names(self) -> None:
        session = eryx.Session()
        session.execute("import os\nopen('a', 'w').write('1'); os.link('a', 'b')")
        assert _short(session.execute("open('a', 'w').write('2')").files) == [
            ("changed", "/data/a"),
            ("changed", "/data/b"),
        ]

    def test_a_storage_is_told_where_it_is_seen(self) -> None:
        storage = eryx.VfsStorage()
        storage.write_text("in", "1")
        session = eryx.Session(files=storage, files_path="/work")
        done = session.execute("open('/work/out', 'w').write(open('/work/in').read() * 3)")
        assert done.files == [FileChange("/work/out", "made", "file", 3)]
        storage.remove("out")
        assert done.read("/work/out") == b"111"
        assert session.execute("1").files == []

    def test_two_sessions_tell_of_one_storage(self) -> None:
        storage = eryx.VfsStorage()
        one, two = eryx.Session(files=storage), eryx.Session(files=storage)
        assert _short(one.execute("open('a', 'w').write('1')").files) == [("made", "/data/a")]
        assert _short(two.execute("open('a', 'w').write('2')").files) == [("changed", "/data/a")]
        assert one.execute("open('a').read()").files == []

    def test_a_run_that_failed_tells_them_as_well(self) -> None:
        for sandbox in (eryx.Sandbox(), eryx.Session(), eryx.Session(transactional=True)):
            with pytest.raises(eryx.ExecutionError) as caught:
                sandbox.execute("open('a', 'w').write('half'); 1 / 0")
            assert caught.value.files == [FileChange("/data/a", "made", "file", 4)]
            assert caught.value.read("a") == b"half"
            assert caught.value.to_dict()["files"][0]["path"] == "/data/a"

    def test_a_run_that_was_stopped_tells_them(self) -> None:
        with pytest.raises(eryx.TimeoutError) as caught:
            eryx.Sandbox().execute("open('a', 'w').write('x')\nwhile True: pass", timeout_ms=300)
        assert _short(caught.value.files) == [("made", "/data/a")]

    def test_a_lease_tells_its_own(self) -> None:
        with eryx.SandboxPool(max_size=1) as pool:
            with pool.acquire() as sandbox:
                done = sandbox.execute("open('a', 'w').write('1')")
            with pool.acquire() as sandbox:
                assert sandbox.execute("import os; os.listdir('/data')").files == []
            assert done.read("a") == b"1"

    def test_contents_stay_when_the_sandbox_has_gone(self) -> None:
        sandbox = eryx.Sandbox()
        done = sandbox.execute("open('a', 'wb').write(bytes(range(256)) * 1000)")
        sandbox.execute("open('a', 'wb').write(b'other')")
        sandbox.close()
        assert done.read("a") == bytes(range(256)) * 1000

    def test_they_go_along_in_copies_and_pickles(self) -> None:
        done = eryx.Sandbox().execute("open('a', 'w').write('hello'); import os; os.mkdir('d')")
        for other in (pickle.loads(pickle.dumps(done)), copy.copy(done), copy.deepcopy(done)):
            assert other == done
            assert other.files == done.files
            assert other.read("a") == b"hello"
        assert done != eryx.Sandbox().execute("open('a', 'w').write('hallo')")

    def test_what_is_not_there_cannot_be_read(self) -> None:
        session = eryx.Session()
        session.execute("open('a', 'w').write('1')")
        done = session.execute("import os; os.remove('a'); os.mkdir('d')")
        with pytest.raises(FileNotFoundError):
            done.read("a")
        with pytest.raises(FileNotFoundError):
            done.read("../etc/passwd")
        with pytest.raises(IsADirectoryError):
            done.read("d")
        with pytest.raises(TypeError):
            done.read(b"a")  # type: ignore[arg-type]
        with pytest.raises(FileNotFoundError):
            eryx.Sandbox().execute("1").read("a")

    def test_a_path_that_is_too_long_is_left_out_and_said(self) -> None:
        done = eryx.Sandbox().execute(
            "import os\n"
            "deep = '/'.join(['n' * 200] * 15)\n"
            "os.makedirs('/data/a/' + deep); os.makedirs('/data/b/' + deep)\n"
            "os.rename('/data/b', '/data/a/' + deep + '/b')"
        )
        assert done.files_truncated
        assert 16 < len(done.files) < 32

    def test_many_files_are_all_told(self) -> None:
        done = eryx.Sandbox().execute("for i in range(3000): open(f'{i:04}', 'w').close()")
        assert len(done.files) == 3000
        assert done.files[-1].path == "/data/2999"
        assert not done.files_truncated


class TestFilesAndSnapshots:
    def test_forks_and_rollbacks_begin_anew(self) -> None:
        session = eryx.Session()
        session.execute("open('a', 'w').write('1')")
        before = session.checkpoint()
        fork = session.fork()
        assert fork.execute("open('a').read()").files == []
        assert _short(fork.execute("open('a', 'w').write('2')").files) == [("changed", "/data/a")]
        session.execute("open('b', 'w').write('1')")
        session.rollback(before)
        assert session.execute("import os; os.listdir('/data')").files == []

    def test_what_is_saved_is_not_new_when_it_is_loaded(self, tmp_path: Path) -> None:
        session = eryx.Session()
        session.execute("open('a', 'w').write('1')")
        session.save(tmp_path / "saved")
        other = eryx.Session()
        other.load(tmp_path / "saved")
        assert other.execute("open('a').read()").files == []
        assert _short(other.execute("open('a', 'a').write('1')").files) == [("changed", "/data/a")]
