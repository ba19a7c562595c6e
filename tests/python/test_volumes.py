"""Directories and files of the host in a sandbox."""

from __future__ import annotations

import os
import socket
import threading
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import eryx
from eryx import Sandbox, Session, VfsStorage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_isolation")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory that is mounted, beside one that is not."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret").write_text("secret")
    return tmp_path / "in"


class TestVolumes:
    def test_read_and_write(self, host: Path) -> None:
        (host / "deep" / "er").mkdir(parents=True)
        (host / "deep" / "er" / "f").write_text("of the host")
        sandbox = Sandbox(volumes=[(str(host), "/mnt/work", False)])
        done = sandbox.execute(
            "import os\n"
            "print(open('/mnt/work/deep/er/f').read(), os.listdir('/mnt'))\n"
            "open('/mnt/work/new', 'w').write('of the guest')\n"
            "os.mkdir('/mnt/work/made'); os.rename('/mnt/work/new', '/mnt/work/made/moved')"
        )
        assert done.stdout == "of the host ['work']"
        assert (host / "made" / "moved").read_text() == "of the guest"
        (host / "made" / "moved").write_text("changed")
        assert sandbox.execute("print(open('/mnt/work/made/moved').read())").stdout == "changed"

    def test_native_code_of_the_host_cannot_be_written_to(
        self, host: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Translated native modules are loaded into this process."""
        monkeypatch.setenv("ERYX_CACHE_DIR", str(host / "cache"))
        (host / "cache" / "native" / "entry").mkdir(parents=True)
        (host / "link").symlink_to(host / "cache")
        for path in ("", "cache", "cache/native", "cache/native/entry", "link", "cache/../cache"):
            with pytest.raises(
                eryx.InitializationError, match=r"must not write to .*/cache/native"
            ):
                Sandbox(volumes=[(host / path, "/in", False)])
            Sandbox(volumes=[(host / path, "/in", True)])
        Sandbox(volumes=[(host.parent / "out", "/in", False)])

    def test_native_code_that_comes_later_cannot_be_written_to(
        self, host: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pool checks its options once, but for this."""
        monkeypatch.setenv("ERYX_CACHE_DIR", str(host / "cache"))
        with eryx.SandboxPool(volumes=[(host, "/in", False)]) as pool:
            pool.acquire().release()
            (host / "cache" / "native").mkdir(parents=True)
            with pytest.raises(eryx.InitializationError, match="must not write to"):
                pool.acquire()
            assert pool.stats().in_use == 0

    def test_read_only(self, host: Path) -> None:
        (host / "f").write_text("kept")
        (host / "d").mkdir()
        before = (host / "f").stat()
        sandbox = Sandbox(volumes=[(host, "/in", True)])
        done = sandbox.execute(
            dedent(
                """
            import errno, os
            assert open('/in/f').read() == 'kept' and sorted(os.listdir('/in')) == ['d', 'f']
            assert os.stat('/in/f').st_size == 4
            for name, action in {
                'write': lambda: open('/in/f', 'w'),
                'append': lambda: open('/in/f', 'a'),
                'update': lambda: open('/in/f', 'r+'),
                'create': lambda: open('/in/g', 'w'),
                'remove': lambda: os.remove('/in/f'),
                'rename': lambda: os.rename('/in/f', '/in/g'),
                'out': lambda: os.rename('/in/f', '/data/g'),
                'in': lambda: os.rename('/data/own', '/in/g'),
                'mkdir': lambda: os.mkdir('/in/e'),
                'rmdir': lambda: os.rmdir('/in/d'),
                'utime': lambda: os.utime('/in/f', (1, 1)),
                'truncate': lambda: os.truncate('/in/f', 0),
                'link': lambda: os.link('/in/f', '/in/g'),
                'symlink': lambda: os.symlink('f', '/in/g'),
                'chmod': lambda: os.chmod('/in/f', 0o777),
            }.items():
                open('/data/own', 'w').close()
                try:
                    action()
                except OSError as error:
                    if error.errno in (errno.EROFS, errno.EXDEV):
                        continue
                    name += f' {error}'
                print(name)
            """
            )
        )
        assert done.stdout == ""
        assert sorted(os.listdir(host)) == ["d", "f"]
        after = (host / "f").stat()
        assert (after.st_mtime_ns, after.st_size, after.st_mode) == (
            before.st_mtime_ns,
            before.st_size,
            before.st_mode,
        )

    def test_several_and_a_storage(self, host: Path) -> None:
        other = host.parent / "other"
        other.mkdir()
        storage = VfsStorage()
        session = Session(vfs=storage, volumes=[(host, "/mnt/a", False), (other, "/mnt/b", False)])
        session.execute(
            "import shutil\n"
            "open('/mnt/a/f', 'w').write('1')\n"
            "shutil.copy('/mnt/a/f', '/mnt/b/f'); shutil.copy('/mnt/b/f', '/data/f')"
        )
        assert (other / "f").read_text() == "1"
        assert storage.read_bytes("f") == b"1"
        session.reset()
        assert session.execute("print(open('/mnt/b/f').read())").stdout == "1"

    def test_a_session_gets_a_storage(self, host: Path) -> None:
        session = Session(volumes=[(host, "/in", True)])
        assert isinstance(session.vfs, VfsStorage)
        session.execute("open('/data/f', 'w').write('1')")
        session.reset()
        assert session.vfs.read_bytes("f") == b"1"

    def test_one_file(self, host: Path) -> None:
        (host / "f").write_text("one")
        (host / "sibling").write_text("secret")
        sandbox = Sandbox(
            volumes=[(host / "f", "/in/given", False), (host / "f", "/in/fixed", True)]
        )
        done = sandbox.execute(
            "import os\n"
            "print(open('/in/given').read(), sorted(os.listdir('/in')))\n"
            "open('/in/given', 'w').write('two')\n"
            "try: open('/in/fixed', 'w')\n"
            "except OSError: print(open('/in/fixed').read())"
        )
        assert done.stdout == "one ['fixed', 'given']\ntwo"
        assert (host / "f").read_text() == "two"

    def test_wrong_volumes(self, host: Path) -> None:
        missing = str(host / "missing")
        with pytest.raises(eryx.InitializationError, match="missing"):
            Sandbox(volumes=[(missing, "/in", True)])
        with pytest.raises(eryx.InitializationError, match="/dev/null"):
            Sandbox(volumes=[("/dev/null", "/in", True)])
        for wrong in (
            "x",
            [(host, 1, True)],
            [(host, "/in", 1)],
            [(1, "/in", True)],
            1,
        ):
            with pytest.raises(TypeError):
                Sandbox(volumes=wrong)  # type: ignore[arg-type]
        for items in ((), (host,), (host, "/in", True, True)):
            with pytest.raises(ValueError, match="host, guest, read_only"):
                Sandbox(volumes=[items])  # type: ignore[list-item]
        for path in (
            "in",
            "",
            "/",
            "/in/",
            "/a/./b",
            "/dev/x",
            "/python-stdlib",
            "/site-packages/x",
        ):
            with pytest.raises(ValueError, match="guest path"):
                Sandbox(volumes=[(host, path, True)])
        with pytest.raises(ValueError, match="two mounts at the guest path /a"):
            Sandbox(volumes=[(host, "/a", True), (host, "/a", False)])
        with pytest.raises(ValueError, match="two mounts at the guest path /data"):
            Session(vfs=VfsStorage(), volumes=[(host, "/data", True)])
        with pytest.raises(ValueError, match="null"):
            Sandbox(volumes=[(f"{host}\0", "/in", True)])

    def test_links_are_not_followed_out(self, host: Path) -> None:
        (host / "f").write_text("inside")
        (host / "up").symlink_to("../out/secret")
        (host / "absolute").symlink_to(host.parent / "out")
        (host / "fine").symlink_to("f")
        sandbox = Sandbox(volumes=[(host, "/in", False)])
        done = sandbox.execute(
            dedent(
                """
            import os
            print(open('/in/fine').read(), os.readlink('/in/fine'))
            for action in (
                lambda: open('/in/up').read(),
                lambda: open('/in/absolute/secret').read(),
                lambda: os.listdir('/in/absolute'),
                lambda: os.stat('/in/up'),
                lambda: open('/in/absolute/new', 'w'),
                lambda: os.rename('/in/f', '/in/absolute/f'),
                lambda: os.readlink('/in/absolute'),
                lambda: (os.link('/in/up', '/in/hard'), open('/in/hard').read()),
                lambda: os.link('/in/absolute/secret', '/in/hard'),
                lambda: os.utime('/in/up', (1, 1)),
                lambda: os.truncate('/in/up', 0),
                lambda: os.symlink('/etc/passwd', '/in/planted'),
                lambda: os.symlink('../out', '/in/planted'),
            ):
                try:
                    print(action())
                except OSError:
                    pass
            """
            )
        )
        assert done.stdout == "inside f"
        assert os.listdir(host.parent / "out") == ["secret"]
        assert (host.parent / "out" / "secret").read_text() == "secret"
        assert (host.parent / "out" / "secret").stat().st_mtime > 1

    def test_swapping_meanwhile(self, host: Path) -> None:
        (host / "d").mkdir()
        (host / "d" / "secret").write_text("inside")
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                (host / "d").rename(host / "kept")
                (host / "d").symlink_to("../out")
                (host / "d").unlink()
                (host / "kept").rename(host / "d")

        thread = threading.Thread(target=swap)
        sandbox = Sandbox(volumes=[(host, "/in", False)])
        thread.start()
        try:
            done = sandbox.execute(
                "seen = set()\n"
                "for i in range(5000):\n"
                "    try: seen.add(open('/in/d/secret').read())\n"
                "    except OSError: pass\n"
                "    try: open('/in/d/new', 'w').close()\n"
                "    except OSError: pass\n"
                "print(seen <= {'inside'})"
            )
        finally:
            stop.set()
            thread.join()
        assert done.stdout == "True"
        assert os.listdir(host.parent / "out") == ["secret"]

    def test_pipes_and_sockets(self, host: Path) -> None:
        os.mkfifo(host / "pipe")
        here = os.getcwd()
        os.chdir(host)  # the path of a socket must be short
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind("socket")
                done = Sandbox(volumes=[(host, "/in", False)]).execute(
                    "for name in ('pipe', 'socket'):\n"
                    "  for mode in ('r', 'w', 'r+', 'a'):\n"
                    "    try: open(f'/in/{name}', mode)\n"
                    "    except OSError: pass\n"
                    "    else: print(name, mode)"
                )
        finally:
            os.chdir(here)
        assert done.stdout == ""

    def test_devices(self) -> None:
        done = Sandbox(volumes=[("/dev", "/in", False)]).execute(
            "import os\n"
            "for name in ('null', 'zero', 'full', 'random', 'tty'):\n"
            "  for mode in ('r', 'w', 'r+', 'a'):\n"
            "    try: open(f'/in/{name}', mode)\n"
            "    except OSError: pass\n"
            "    else: print(name, mode)\n"
            "print('null' in os.listdir('/in'))"
        )
        assert done.stdout == "True"

    def test_no_special_modes(self, host: Path) -> None:
        Sandbox(volumes=[(host, "/in", False)]).execute(
            dedent(
                """
            import os
            os.close(os.open('/in/f', os.O_CREAT | os.O_WRONLY, 0o7777))
            for action in (lambda: os.chmod('/in/f', 0o4755), lambda: os.mkfifo('/in/p'),
                           lambda: os.mknod('/in/n'), lambda: os.chown('/in/f', 0, 0)):
                try:
                    action()
                except (OSError, AttributeError, NotImplementedError):
                    pass
            """
            )
        )
        assert os.listdir(host) == ["f"]
        assert (host / "f").stat().st_mode & 0o7111 == 0

    def test_a_volume_that_is_removed(self, host: Path) -> None:
        sandbox = Sandbox(volumes=[(host, "/in", False)])
        host.rmdir()
        host.mkdir()
        (host / "f").write_text("another directory")
        done = sandbox.execute(
            "import os\n"
            "print(os.listdir('/in'))\n"
            "try: open('/in/f', 'w')\n"
            "except FileNotFoundError: print('gone')"
        )
        assert done.stdout == "[]\ngone"

    def test_descriptors_are_given_back(self, host: Path) -> None:
        def use() -> None:
            Sandbox(volumes=[(host, "/in", False)]).execute("f = open('/in/f', 'w'); f.write('x')")

        for _ in range(4):
            use()  # workers are there from then on
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            use()
        end = time.monotonic() + 10
        while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < end:
            time.sleep(0.01)  # a socket of a worker is closed by the thread that serves it
        assert len(os.listdir("/proc/self/fd")) <= before
        assert (host / "f").read_text() == "x"
