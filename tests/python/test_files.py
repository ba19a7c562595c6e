"""The files of sessions and storages, for the host."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

import eryx


@pytest.fixture(params=["session", "storage"])
def files(request: pytest.FixtureRequest) -> eryx.VfsStorage | eryx.SessionFiles:
    if request.param == "session":
        return eryx.Session().files
    return eryx.VfsStorage()


class TestBoth:
    def test_texts_and_bytes(self, files: eryx.SessionFiles) -> None:
        files.write_text("a/b.txt", "ü")
        files.write_bytes("/a/c", b"\0\xff")
        assert files.read_text("a/b.txt") == "ü"
        assert files.read_bytes("a/c") == b"\0\xff"
        assert files.list("a") == ["b.txt", "c"]
        assert files.walk() == ["a/b.txt", "a/c"]
        assert files.glob("**/*.txt") == ["a/b.txt"]
        assert files.glob("*/c") == ["a/c"]
        assert "a" in files
        assert files.exists("a/c")
        assert "b" not in files
        assert not files.exists("x/y")
        files.remove("a/c")
        assert files.list("/a") == ["b.txt"]

    def test_what_is_not_there(self, files: eryx.SessionFiles) -> None:
        for wrong in (lambda: files.read_bytes("x"), lambda: files.remove("x")):
            with pytest.raises(FileNotFoundError):
                wrong()
        files.write_text("d/f", "")
        with pytest.raises(IsADirectoryError):
            files.read_bytes("d")
        with pytest.raises(OSError, match="not empty"):
            files.remove("d")
        with pytest.raises(TypeError, match="path must be a str"):
            files.read_bytes(1)  # type: ignore[arg-type]

    def test_open(self, files: eryx.SessionFiles) -> None:
        with files.open("a", "w") as file:
            file.write("line\n")
        with files.open("b", "wb") as file:
            file.write(b"x")
        with files.open("a") as file:
            assert list(file) == ["line\n"]
        with files.open("b", "rb") as file:
            assert file.read() == b"x"
        with files.open("a", "a") as file:
            file.write("more\n")
        with files.open("c", "ab") as file:
            file.write(b"new")
        with files.open("d", "x") as file:
            file.write("made")
        assert files.read_text("a") == "line\nmore\n"
        assert files.read_text("c") + files.read_text("d") == "newmade"
        with pytest.raises(FileExistsError):
            files.open("d", "x")
        with pytest.raises(ValueError, match="mode must be"):
            files.open("a", "r+")  # type: ignore[arg-type]

    def test_what_is_no_text_and_no_bytes(self, files: eryx.SessionFiles) -> None:
        with pytest.raises(TypeError, match="text must be a str"):
            files.write_text("a", b"x")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="bytes-like object is required"):
            files.write_bytes("a", "x")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="the bytes of an archive, not str"):
            files.from_zip("/tmp/a.zip")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="path must be a str"):
            files.to_zip(5)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="null character"):
            files.read_bytes("a\0b")
        assert files.list() == []

    def test_folders(self, files: eryx.SessionFiles, tmp_path: Path) -> None:
        source = tmp_path / "in"
        (source / "deep").mkdir(parents=True)
        (source / "deep" / "f").write_bytes(b"1")
        files.from_folder(source, "/up")
        assert files.walk() == ["up/deep/f"]
        files.to_folder(tmp_path / "out", "up")
        assert (tmp_path / "out" / "deep" / "f").read_bytes() == b"1"

    def test_zip_archives(self, files: eryx.SessionFiles) -> None:
        files.write_text("a/b", "1")
        data = files.to_zip()
        assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["a/b"]
        evil = io.BytesIO()
        with zipfile.ZipFile(evil, "w") as archive:
            archive.writestr("../../up", "2")
        files.from_zip(evil.getvalue(), "/in")
        files.from_zip(data, "/again")
        assert files.walk() == ["a/b", "again/a/b", "in/up"]
        with pytest.raises(ValueError, match="cannot be read"):
            files.from_zip(b"x")


class TestSessions:
    def test_programs_see_the_same(self) -> None:
        session = eryx.Session()
        assert session.files.list() == []
        session.files.write_text("in/a", "from the host")
        assert session.execute("open('/data/in/a').read()").value == "from the host"
        session.execute("open('/data/out', 'w').write('from inside')")
        assert session.files.read_text("out") == "from inside"
        assert session.execution_count == 2

    def test_forks_have_their_own(self) -> None:
        session = eryx.Session()
        session.files.write_text("a", "1")
        fork = session.fork()
        fork.files.write_text("a", "2")
        assert session.files.read_text("a") == "1"

    def test_paths_do_not_lead_out(self) -> None:
        session = eryx.Session()
        session.files.write_text("../../tmp/a", "1")
        assert session.execute(
            "import os; [os.path.exists('/tmp/a'), os.listdir('/data')]"
        ).value == [
            False,
            ["tmp"],
        ]

    def test_quotas(self) -> None:
        session = eryx.Session(resource_limits=eryx.ResourceLimits(max_vfs_bytes=1000))
        with pytest.raises(OSError, match="space"):
            session.files.write_bytes("a", bytes(2000))
        small = eryx.Session(resource_limits=eryx.ResourceLimits(max_result_bytes=10))
        small.files.write_bytes("a", bytes(2000))
        assert len(small.files.read_bytes("a")) == 2000
        assert small.execute("result = 'a' * 20").result is None

    def test_a_guest_that_answers_by_itself(self) -> None:
        session = eryx.Session()
        code = "import _eryx_runtime.session_files as files\nfiles._read = lambda path: {'x': 1}"
        session.files.write_text("a", "1")
        session.execute(code)
        with pytest.raises(eryx.EryxError, match="contents of a file"):
            session.files.read_bytes("a")

    def test_names_are_also_those_of_others(self) -> None:
        storage = eryx.VfsStorage()
        session = eryx.Session(files=storage, files_path="/mine", max_fuel=10**9)
        assert session.files is session.vfs is storage
        assert session.files_path == session.vfs_mount_path == "/mine"
        assert session.max_fuel == session.fuel_limit == 10**9
        session.fuel_limit = 10**10
        assert session.max_fuel == 10**10
        assert eryx.Session(vfs=storage).files is storage
        with pytest.raises(TypeError, match="give one of them"):
            eryx.Session(files=storage, vfs=storage)

    def test_a_session_that_is_closed(self) -> None:
        session = eryx.Session()
        session.close()
        with pytest.raises(eryx.EryxError, match="closed"):
            session.files.list()
