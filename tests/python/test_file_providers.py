"""Files that the host's own code provides."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import eryx
from eryx import FileInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.usefixtures("each_isolation")


class Shelf:
    """A provider over a dict; paths with something under them are directories."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = {} if files is None else files
        self.calls: list[str] = []

    def _is_directory(self, path: str) -> bool:
        return any(name.startswith(path + "/") for name in self.files)

    def stat(self, path: str) -> FileInfo | None:
        self.calls.append(f"stat {path}")
        if path in self.files:
            return FileInfo("file", len(self.files[path]), 86_400.5)
        return FileInfo("directory") if self._is_directory(path) else None

    def list(self, path: str) -> Iterable[str | tuple[str, FileInfo]]:
        self.calls.append(f"list {path}")
        start = path + "/" if path else ""
        names = {name[len(start) :] for name in self.files if name.startswith(start)}
        yield from sorted({name.split("/")[0] for name in names})

    def read(self, path: str) -> bytes:
        self.calls.append(f"read {path}")
        return self.files[path]

    def write(self, path: str, data: bytes) -> None:
        self.calls.append(f"write {path}")
        self.files[path] = data

    def remove(self, path: str) -> None:
        self.calls.append(f"remove {path}")
        if path in self.files:
            del self.files[path]


class AsyncShelf:
    """The same, async."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.shelf = Shelf(files)
        self.seconds = 0.0

    async def stat(self, path: str) -> FileInfo | None:
        await asyncio.sleep(self.seconds)
        return self.shelf.stat(path)

    async def list(self, path: str) -> Iterable[str | tuple[str, FileInfo]]:
        return list(self.shelf.list(path))

    async def read(self, path: str) -> bytes:
        await asyncio.sleep(0)
        return self.shelf.read(path)

    async def write(self, path: str, data: bytes) -> None:
        self.shelf.write(path, data)

    async def remove(self, path: str) -> None:
        self.shelf.remove(path)


PROGRAM = """
import os
found = [sorted(os.listdir("/s")), open("/s/one").read(), open("/s/sub/two", "rb").read().decode()]
found.append([os.path.isdir("/s/sub"), os.path.getsize("/s/one"), os.stat("/s/one").st_mtime])
with open("/s/new", "w") as file:
    file.write("x" * 300_000)
with open("/s/one", "a") as file:
    file.write("+")
os.makedirs("/s/deep/er")
with open("/s/deep/er/file", "wb") as file:
    file.write(b"deep")
os.rename("/s/sub/two", "/s/sub/three")
os.remove("/s/gone")
walked = os.walk("/s")
found.append(sorted(os.path.join(p, name)[3:] for p, _, names in walked for name in names))
found
"""


class TestWhatAProviderGives:
    @pytest.mark.parametrize("kind", [Shelf, AsyncShelf])
    def test_files_are_read_written_listed_and_removed(self, kind: Callable[..., Any]) -> None:
        provider = kind({"one": b"one", "sub/two": b"two", "gone": b""})
        files = getattr(provider, "shelf", provider).files
        done = eryx.Sandbox(volumes=[(provider, "/s")]).execute(PROGRAM)
        assert done.value == [
            ["gone", "one", "sub"],
            "one",
            "two",
            [True, 3, 86_400.5],
            ["deep/er/file", "new", "one", "sub/three"],
        ]
        assert files == {
            "new": b"x" * 300_000,
            "one": b"one+",
            "deep/er/file": b"deep",
            "sub/three": b"two",
        }

    def test_on_an_event_loop(self) -> None:
        provider = AsyncShelf({"one": b"one", "sub/two": b"two", "gone": b""})
        shelf = Shelf({"one": b"one", "sub/two": b"two", "gone": b""})

        async def main() -> list[Any]:
            async with eryx.Session(volumes=[(provider, "/s"), (shelf, "/t")]) as session:
                first = await session.execute_async(PROGRAM)
                second = await session.execute_async(PROGRAM.replace('"/s', '"/t'))
                return [first.value, second.value]

        first, second = asyncio.run(main())
        assert first == second
        assert provider.shelf.files == shelf.files

    def test_a_file_is_written_once_when_it_is_closed(self) -> None:
        shelf = Shelf()
        session = eryx.Session(volumes=[(shelf, "/s")])
        session.execute("f = open('/s/a', 'wb')\nfor _ in range(100): f.write(b'x' * 10_000)")
        assert shelf.files == {}
        session.execute("f.flush(); import os; os.fsync(f.fileno())")
        assert len(shelf.files["a"]) == 1_000_000
        session.execute("f.write(b'end'); f.close()")
        assert shelf.files["a"].endswith(b"xend")
        assert shelf.calls.count("write a") == 2

    def test_what_is_open_is_seen_before_it_is_written(self) -> None:
        done = eryx.Sandbox(volumes=[(Shelf({"b": b""}), "/s")]).execute(
            "import os\n"
            "f = open('/s/a', 'w'); f.write('12'); f.flush()\n"
            "os.listdir('/s'), os.path.getsize('/s/a'), open('/s/a').read()"
        )
        assert done.value == [["b", "a"], 2, "12"]

    def test_what_the_host_changes_is_seen_at_the_next_look(self) -> None:
        shelf = Shelf({"a": b"1"})
        session = eryx.Session(volumes=[(shelf, "/s")])
        assert session.execute("open('/s/a').read()").value == "1"
        shelf.files["a"] = b"22"
        shelf.files["b"] = b""
        done = session.execute("import os\nopen('/s/a').read(), os.listdir('/s')")
        assert done.value == ["22", ["a", "b"]]
        del shelf.files["a"]
        assert session.execute("os.path.exists('/s/a')").value is False

    def test_answers_are_used_again_for_as_long_as_it_says(self) -> None:
        shelf = Shelf({"a": b"1"})
        shelf.cache_ms = 60_000  # type: ignore[attr-defined]
        session = eryx.Session(volumes=[(shelf, "/s")])
        code = "import os\nopen('/s/a').read(), os.path.exists('/s/a'), os.listdir('/s')"
        first = session.execute(code).value
        calls = list(shelf.calls)
        shelf.files["a"] = b"2"
        assert session.execute(code).value == first
        assert shelf.calls == calls

    def test_what_a_list_tells_of_its_names_is_not_asked_for_again(self) -> None:
        class Told(Shelf):
            def list(self, path: str) -> Iterable[str | tuple[str, FileInfo]]:
                return [(name, FileInfo("file", 7)) for name in sorted(self.files)]

        shelf = Told({f"f{number}": b"" for number in range(100)})
        done = eryx.Sandbox(volumes=[(shelf, "/s")]).execute(
            "import os\nsum(entry.is_file() and entry.stat().st_size for entry in os.scandir('/s'))"
        )
        assert done.value == 700
        assert shelf.calls == []

    def test_temporary_files_are_moved_to_their_places(self) -> None:
        shelf = Shelf({"a": b"old", "d/x": b"x", "d/y": b"y"})
        eryx.Sandbox(volumes=[(shelf, "/s")]).execute(
            "import os, shutil\n"
            "with open('/s/a.tmp', 'w') as f: f.write('new')\n"
            "os.replace('/s/a.tmp', '/s/a')\n"
            "shutil.move('/s/d', '/s/e')\n"
            "shutil.copy('/s/e/x', '/s/z')\n"
        )
        assert shelf.files == {"a": b"new", "e/x": b"x", "e/y": b"y", "z": b"x"}

    def test_a_provider_without_write_is_read_only(self) -> None:
        class Fixed:
            def stat(self, path: str) -> FileInfo | None:
                return FileInfo("file", 1) if path == "a" else None

            def list(self, path: str) -> list[str]:
                return ["a"]

            def read(self, path: str) -> bytes:
                return b"1"

        both: list[Any] = [[(Fixed(), "/s")], [(Shelf({"a": b"1"}), "/s", "ro")]]
        for volumes in both:
            done = eryx.Sandbox(volumes=volumes).execute(
                "import os, errno\n"
                "refused = []\n"
                "for step in (lambda: open('/s/a', 'w'), lambda: open('/s/b', 'w'),\n"
                "             lambda: os.remove('/s/a'), lambda: os.mkdir('/s/d'),\n"
                "             lambda: os.rename('/s/a', '/s/b')):\n"
                "    try: step(); refused.append(None)\n"
                "    except OSError as error: refused.append(error.errno == errno.EROFS)\n"
                "refused, open('/s/a').read()"
            )
            assert done.value == [[True] * 5, "1"]

    def test_own_ways_to_rename_and_to_make_directories(self) -> None:
        class More(Shelf):
            def rename(self, path: str, new_path: str) -> None:
                self.calls.append(f"rename {path} {new_path}")

            def make_directory(self, path: str) -> None:
                self.calls.append(f"make {path}")
                self.files[path + "/."] = b""

        shelf = More({"a": b"1"})
        eryx.Sandbox(volumes=[(shelf, "/s")]).execute(
            "import os\nos.mkdir('/s/d'); os.rename('/s/a', '/s/b')"
        )
        assert [call for call in shelf.calls if call[:4] in ("make", "rena")] == [
            "make d",
            "rename a b",
        ]

    def test_python_modules_can_be_imported_from_it(self) -> None:
        shelf = Shelf({"helpers.py": b"def double(n): return 2 * n"})
        done = eryx.Sandbox(volumes=[(shelf, "/lib")]).execute(
            "import sys\nsys.path.append('/lib')\nsys.dont_write_bytecode = True\n"
            "import helpers\nhelpers.double(21)"
        )
        assert done.value == 42

    def test_several_and_other_volumes(self, tmp_path: Any) -> None:
        (tmp_path / "f").write_text("host")
        one, two = Shelf({"f": b"1"}), Shelf({"f": b"2"})
        sandbox = eryx.Sandbox(volumes=[(one, "/a"), (tmp_path, "/b", "ro"), (two, "/a/in")])
        done = sandbox.execute(
            "import os\nread = [open(p).read() for p in ('/a/f', '/b/f', '/a/in/f')]\n"
            "read, sorted(os.listdir('/a'))"
        )
        assert done.value == [["1", "host", "2"], ["f", "in"]]


class TestWhatCanGoWrong:
    def test_errors_keep_their_numbers_and_others_are_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Shelf):
            def read(self, path: str) -> bytes:
                if path == "denied":
                    raise PermissionError(errno.EACCES, "not yours")
                if path == "missing":
                    raise FileNotFoundError
                raise LookupError("the database is down")

            def write(self, path: str, data: bytes) -> None:
                raise OSError(errno.ENOSPC, "full")

        shelf = Broken({"denied": b"", "missing": b"", "other": b""})
        with caplog.at_level(logging.WARNING, "eryx.callbacks"):
            done = eryx.Sandbox(volumes=[(shelf, "/s")]).execute(
                "import errno\n"
                "found = []\n"
                "for name in ('denied', 'missing', 'other'):\n"
                "    try: open('/s/' + name)\n"
                "    except OSError as error: found.append(errno.errorcode[error.errno])\n"
                "found"
            )
        assert done.value == ["EACCES", "ENOENT", "EIO"]
        assert "read of /s/other" in caplog.text
        assert "the database is down" in caplog.text

    def test_close_tells_that_a_file_could_not_be_written(self) -> None:
        class Full(Shelf):
            def write(self, path: str, data: bytes) -> None:
                raise OSError(errno.ENOSPC, "full")

        done = eryx.Sandbox(volumes=[(Full(), "/s")]).execute(
            "import errno\n"
            "try:\n"
            "    with open('/s/a', 'w') as f: f.write('1')\n"
            "except OSError as error: print(errno.errorcode[error.errno])"
        )
        assert done.stdout == "ENOSPC"

    @pytest.mark.parametrize(
        "answer",
        [None, 1, "text", FileInfo("link", 1), ("file",), FileInfo("file", -1)],  # type: ignore[arg-type]
    )
    def test_answers_that_make_no_sense_are_errors_of_the_guest(self, answer: object) -> None:
        class Odd(Shelf):
            def stat(self, path: str) -> FileInfo | None:
                return answer  # type: ignore[return-value]

            def read(self, path: str) -> bytes:
                return answer  # type: ignore[return-value]

            def list(self, path: str) -> Any:
                return answer

        done = eryx.Sandbox(volumes=[(Odd(), "/s")]).execute(
            "import os\n"
            "failed = 0\n"
            "for step in (lambda: open('/s/a').read(), lambda: os.listdir('/s')):\n"
            "    try: step()\n"
            "    except OSError: failed += 1\n"
            "failed"
        )
        assert done.value in (1, 2)

    def test_names_that_cannot_be_are_left_out(self) -> None:
        class Names(Shelf):
            def list(self, path: str) -> list[str]:
                return ["a", "..", ".", "", "a/b", "x" * 300, "ok"]

            def stat(self, path: str) -> FileInfo | None:
                return FileInfo("file", 1)

        done = eryx.Sandbox(volumes=[(Names(), "/s")]).execute("import os; os.listdir('/s')")
        assert done.value == ["a", "ok"]

    def test_contents_count_for_the_quota(self) -> None:
        shelf = Shelf({"big": b"x" * 3_000_000, "small": b"x" * 600_000})
        sandbox = eryx.Sandbox(
            volumes=[(shelf, "/s")],
            resource_limits=eryx.ResourceLimits(max_vfs_bytes=1_000_000),
        )
        done = sandbox.execute(
            "import errno\n"
            "found = []\n"
            "def size(path):\n"
            "    try: return len(open(path, 'rb').read())\n"
            "    except OSError as error: return errno.errorcode[error.errno]\n"
            "found = [size('/s/big'), size('/s/small'), size('/s/small')]\n"
            "f = open('/s/new', 'wb', buffering=0)\n"
            "try:\n"
            "    while True: f.write(b'x' * 65536)\n"
            "except OSError as error: found.append(errno.errorcode[error.errno])\n"
            "found"
        )
        assert done.value == ["ENOSPC", 600_000, 600_000, "ENOSPC"]

    @pytest.mark.parametrize("use_async", [False, True])
    def test_a_slow_provider_does_not_outlast_the_deadline(self, use_async: bool) -> None:
        slow: Any = AsyncShelf({"a": b"1"}) if use_async else Shelf({"a": b"1"})
        if use_async:
            slow.seconds = 30.0
        else:

            def read(path: str) -> bytes:
                time.sleep(1.5)
                return b"1"

            slow.read = read
        sandbox = eryx.Sandbox(volumes=[(slow, "/s")])
        began = time.monotonic()
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute("open('/s/a')", timeout_ms=300)
        assert time.monotonic() - began < 1.4
        assert sandbox.execute("1 + 1").value == 2

    def test_an_answer_that_does_not_come_is_an_error_of_the_guest(self) -> None:
        slow = AsyncShelf({"a": b"1"})
        slow.seconds = 30.0
        limits = eryx.ResourceLimits(callback_timeout_ms=200)
        done = eryx.Sandbox(volumes=[(slow, "/s")], resource_limits=limits).execute(
            "try: open('/s/a')\nexcept OSError as error: print('no answer')"
        )
        assert done.stdout == "no answer"

    def test_other_sandboxes_go_on_while_one_waits(self) -> None:
        release = threading.Event()

        class Waiting(Shelf):
            def read(self, path: str) -> bytes:
                release.wait(20)
                return b"late"

        async def main() -> list[object]:
            slow = eryx.Sandbox(volumes=[(Waiting({"a": b""}), "/s")])
            waiting = asyncio.create_task(slow.execute_async("open('/s/a').read()"))
            others = [
                (await eryx.Sandbox().execute_async(f"{number} * 2")).value for number in range(3)
            ]
            assert not waiting.done()
            release.set()
            return [*others, (await waiting).value]

        assert asyncio.run(main()) == [0, 2, 4, "late"]

    def test_a_cancelled_run_leaves_the_session_usable(self) -> None:
        slow = AsyncShelf({"a": b"1"})
        slow.seconds = 30.0

        async def main() -> object:
            async with eryx.Sandbox(volumes=[(slow, "/s")]) as sandbox:
                task = asyncio.create_task(sandbox.execute_async("open('/s/a')"))
                await asyncio.sleep(0.2)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                return (await sandbox.execute_async("1 + 1")).value

        assert asyncio.run(main()) == 2

    def test_threads_of_the_guest_use_it_side_by_side(self) -> None:
        shelf = Shelf({f"f{number}": str(number).encode() * 10 for number in range(8)})
        done = eryx.Sandbox(volumes=[(shelf, "/s")]).execute(
            "from concurrent.futures import ThreadPoolExecutor\n"
            "def work(n):\n"
            "    text = open(f'/s/f{n}').read()\n"
            "    with open(f'/s/out{n}', 'w') as f: f.write(text * 2)\n"
            "    return text\n"
            "with ThreadPoolExecutor(4) as pool: found = list(pool.map(work, range(8)))\n"
            "found"
        )
        assert done.value == [str(number) * 10 for number in range(8)]
        assert all(shelf.files[f"out{n}"] == str(n).encode() * 20 for n in range(8))

    @pytest.mark.parametrize(
        ("volume", "kind"),
        [
            ((Shelf(), "relative"), ValueError),
            ((Shelf(), "/s", "overlay"), ValueError),
            ((Shelf(), 5), TypeError),
            ((object(), "/s", "ro"), TypeError),
        ],
    )
    def test_what_cannot_be_mounted(self, volume: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind):
            eryx.Sandbox(volumes=[volume])

    def test_links_are_refused(self) -> None:
        done = eryx.Sandbox(volumes=[(Shelf({"a": b""}), "/s")]).execute(
            "import os\n"
            "refused = 0\n"
            "for step in (lambda: os.symlink('a', '/s/l'), lambda: os.link('/s/a', '/s/l')):\n"
            "    try: step()\n"
            "    except PermissionError: refused += 1\n"
            "refused"
        )
        assert done.value == 2


class TestStates:
    def test_forks_and_rollbacks_take_open_files_along(self) -> None:
        shelf = Shelf({"a": b"12345"})
        session = eryx.Session(volumes=[(shelf, "/s")])
        session.execute("f = open('/s/a'); f.read(2); g = open('/s/new', 'w'); g.write('1')")
        before = session.checkpoint()
        fork = session.fork()
        assert fork.execute("f.read()").value == "345"
        fork.execute("g.write('fork'); g.close()")
        assert shelf.files["new"] == b"1fork"
        session.execute("g.write('other'); g.close(); f.close()")
        assert shelf.files["new"] == b"1other"
        session.rollback(before)
        assert session.execute("f.read()").value == "345"

    def test_files_must_be_closed_to_save(self, tmp_path: Any) -> None:
        session = eryx.Session(volumes=[(Shelf({"a": b"1"}), "/s")])
        session.execute("f = open('/s/a')")
        with pytest.raises(ValueError, match="open"):
            session.save(tmp_path / "saved")
        session.execute("f.close()")
        session.save(tmp_path / "saved")
        other = eryx.Session(volumes=[(Shelf({"a": b"2"}), "/s")])
        other.load(tmp_path / "saved")
        assert other.execute("open('/s/a').read()").value == "2"

    def test_pools_and_factories(self) -> None:
        shelf = Shelf({"a": b"1"})
        with eryx.SandboxPool(max_size=1, volumes=[(shelf, "/s")]) as pool:
            for _ in range(2):
                with pool.acquire() as sandbox:
                    assert sandbox.execute("open('/s/a').read()").value == "1"
        factory = eryx.SandboxFactory(setup_code="x = 1")
        made = factory.create_sandbox(volumes=[(shelf, "/s")])
        assert made.execute("x, open('/s/a').read()").value == [1, "1"]
