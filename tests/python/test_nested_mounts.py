"""Mounts that lie under other mounts."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from eryx import Sandbox, Session, VfsStorage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_isolation")

ACROSS = dedent(
    """
    import errno, os, shutil
    def error_of(action, *arguments):
        try:
            action(*arguments)
        except OSError as error:
            return errno.errorcode[error.errno]
    """
)


class TestNestedMounts:
    def test_volume_in_a_storage(self, tmp_path: Path) -> None:
        (tmp_path / "in.txt").write_text("host")
        storage = VfsStorage()
        storage.write_bytes("input/hidden", b"h")
        storage.write_bytes("own", b"o")
        session = Session(vfs=storage, volumes=[(tmp_path, "/data/input", False)])
        done = session.execute(
            ACROSS
            + dedent(
                """
                print(sorted(os.listdir('/data')), os.listdir('/data/input'))
                print(open('/data/input/in.txt').read(), open('/data/input/../own').read())
                print(sorted(e.name for e in os.scandir('/data') if e.is_dir()))
                print([d for d, _, _ in os.walk('/data')])
                print(error_of(os.rename, '/data/own', '/data/input/own'))
                shutil.move('/data/own', '/data/input/own')
                print(error_of(os.rmdir, '/data/input'))
                print(error_of(os.rename, '/data/input', '/data/x'))
                print(error_of(os.mkdir, '/data/input'), os.path.realpath('/data/input/../input'))
                """
            )
        )
        assert done.stdout.split("\n") == [
            "['input', 'own'] ['in.txt']",
            "host o",
            "['input']",
            "['/data', '/data/input']",
            "EXDEV",
            "EBUSY",
            "EBUSY",
            "EEXIST /data/input",
        ]
        assert (tmp_path / "own").read_bytes() == b"o"
        assert storage.walk() == ["input/hidden"]

    def test_storage_in_a_volume(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("host")
        (tmp_path / "up").symlink_to("deep/vfs/../../f")
        (tmp_path / "out").symlink_to("deep/vfs/../../../etc")
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "hidden").write_text("h")
        storage = VfsStorage()
        session = Session(
            vfs=storage, vfs_mount_path="/work/deep/vfs", volumes=[(tmp_path, "/work", True)]
        )
        done = session.execute(
            ACROSS
            + dedent(
                """
                print(sorted(os.listdir('/work')), os.listdir('/work/deep'))
                open('/work/deep/vfs/new', 'w').write('x')
                print(error_of(open, '/work/new', 'w'), error_of(open, '/work/deep/new', 'w'))
                print(open('/work/up').read(), error_of(os.listdir, '/work/out'))
                """
            )
        )
        assert done.stdout.split("\n") == [
            "['deep', 'f', 'out', 'up'] ['vfs']",
            "EROFS EROFS",
            "host EPERM",
        ]
        assert storage.list() == ["new"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "f", "out", "up"]

    def test_volumes_in_each_other_and_in_tmp(self, tmp_path: Path) -> None:
        for name in ("a", "b", "c"):
            (tmp_path / name).mkdir()
            (tmp_path / name / f"of_{name}").write_text(name)
        sandbox = Sandbox(
            volumes=[
                (tmp_path / "c", "/v/one/two", False),
                (tmp_path / "a", "/v", True),
                (tmp_path / "b", "/v/one", False),
                (tmp_path / "c", "/tmp/c", False),
                (tmp_path / "a" / "of_a", "/v/file", True),
            ]
        )
        for _ in range(2):
            done = sandbox.execute(
                "import os, tempfile\n"
                "for d, names, files in os.walk('/v'): print(d, sorted(names), sorted(files))\n"
                "tempfile.NamedTemporaryFile()\nopen('/tmp/c/x', 'w').write('x')\n"
                "print(os.listdir('/tmp'), open('/v/file').read())"
            )
            assert done.stdout.split("\n") == [
                "/v ['one'] ['file', 'of_a']",
                "/v/one ['two'] ['of_b']",
                "/v/one/two [] ['of_c']" if not _ else "/v/one/two [] ['of_c', 'x']",
                "['c'] a",
            ]

    def test_nothing_lies_under_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_text("")
        volumes = [(tmp_path, "/v/f/x", True), (tmp_path / "f", "/v/f", True)]
        with pytest.raises(ValueError, match="under /v/f, which is a file"):
            Sandbox(volumes=volumes)

    @pytest.mark.here_alone("sessions in workers are saved without storages")
    def test_state_with_nested_mounts(self, tmp_path: Path) -> None:
        host = tmp_path / "host"
        host.mkdir()
        (host / "f").write_text("host")
        storage = VfsStorage()
        session = Session(vfs=storage, volumes=[(host, "/data/in", True)])
        session.execute("f = open('/data/own', 'w+'); f.write('1'); f.flush()")
        before = session.checkpoint(include_storage=True)
        session.execute("f.write('2'); f.flush()")
        session.rollback(before)
        look = (
            "f.seek(0); print(f.read(), open('/data/in/../own').read(), open('/data/in/f').read())"
        )
        assert session.execute(look).stdout == "1 1 host"
        session.save(tmp_path / "saved", include_storage=True)
        other = Session(vfs=VfsStorage(), volumes=[(host, "/data/in", True)])
        other.load(tmp_path / "saved")
        assert other.execute(look).stdout == "1 1 host"
        assert session.fork().execute(look).stdout == "1 1 host"
