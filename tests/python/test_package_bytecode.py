"""Modules of packages are compiled once, in a sandbox, and kept."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

import eryx
from eryx import Session
from eryx.packages import PackageSet, collect
from eryx.packages import _bytecode as bytecode_module
from package_helpers import PLAIN, printed, session_with, write
from wheel_files import wheel_bytes


class TestBytecode:
    def test_it_is_used(self) -> None:
        """The guest runs the bytecode and not the source, tracebacks show the source."""
        source = "def f():\n    raise ValueError('from bytecode')\n"
        packages = collect([wheel_bytes({"greet/__init__.py": source})])
        pyc = packages.files["greet/__pycache__/__init__.cpython-314.pyc"]
        assert b"/site-packages/greet/__init__.py" in pyc
        assert int.from_bytes(pyc[4:8], "little") == 1  # a hash that is not checked
        files = dict(packages.files)
        files["greet/__init__.py"] = b"raise SystemError('the source was compiled')"
        storage = PackageSet(packages.packages, files, ()).storage
        session = Session(vfs=storage, vfs_mount_path="/packages")
        session.execute("import sys; sys.path.append('/packages'); import greet")
        with pytest.raises(eryx.ExecutionError, match="from bytecode") as caught:
            session.execute("greet.f()")
        assert 'File "/packages/greet/__init__.py", line 2' in str(caught.value)

    def test_what_does_not_compile(self) -> None:
        """Such files stay as they are: many packages have some for other Pythons."""
        files: dict[str, str | bytes] = {
            **PLAIN,
            "greet/old.py": "print 'hello'",
            "greet/nul.py": b"\0",
            "greet/latin.py": b"# coding: latin-1\nx = '\xe9'",
            "greet/wrong.py": b"x = '\xe9'",
            "greet/deep.py": "x = " + "(" * 5000 + ")" * 5000,
            "greet/deeper.py": "-" * 100_000 + "1",
        }
        packages = collect([wheel_bytes(files)])
        compiled = {path for path in packages.files if path.endswith(".pyc")}
        assert compiled == {
            f"greet/__pycache__/{name}.cpython-314.pyc" for name in ("__init__", "latin")
        }
        session = session_with(packages)
        assert session.execute("from greet import latin; print(latin.x)").stdout == "é"
        with pytest.raises(eryx.ExecutionError, match="SyntaxError"):
            session.execute("import greet.old")

    def test_without(self) -> None:
        packages = collect([wheel_bytes(PLAIN)], bytecode=False)
        assert not any(path.endswith(".pyc") for path in packages.files)
        assert printed(packages, "import greet; print(greet.hello())") == "hello"

    def test_kept_in_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = wheel_bytes({"greet/__init__.py": "x = 'kept in memory'"})
        first = collect([data])

        def fail(*_: object) -> None:
            raise AssertionError("compiled again")

        monkeypatch.setattr(bytecode_module, "_compile_all", fail)
        assert collect([data]).digest == first.digest

    def test_kept_memory_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bytecode_module, "_kept", {})
        monkeypatch.setattr(bytecode_module, "_MAX_KEPT_BYTES", 1000)
        for number in range(20):
            collect([wheel_bytes({"greet/__init__.py": f"x = {number}"})])
        assert 0 < len(bytecode_module._kept) < 10

    def test_kept_on_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path))
        data = wheel_bytes({"greet/__init__.py": "x = 'kept on disk'"})
        compiled: list[int] = []
        original = bytecode_module._compile_all

        def counting(sources: dict[str, bytes]) -> dict[str, bytes]:
            compiled.append(len(sources))
            return original(sources)

        monkeypatch.setattr(bytecode_module, "_compile_all", counting)
        digests = set()
        for damage in (None, None, b"", b"junk", "cut", "flip", None):
            monkeypatch.setattr(bytecode_module, "_kept", {})
            stored = list((tmp_path / "packages").glob("*"))
            if damage is not None:
                (entry,) = stored
                good = entry.read_bytes()
                bad = {"cut": good[:-1], "flip": good[:-1] + bytes([good[-1] ^ 1])}
                entry.write_bytes(bad[damage] if isinstance(damage, str) else damage)
            digests.add(collect([data], cache=True).digest)
        assert len(digests) == 1
        assert compiled == [1] * 5  # the first time, and after each damage
        assert (tmp_path / "packages").stat().st_mode & 0o077 == 0

    def test_threads_share_what_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One thread counted what another one was adding: "dictionary changed size"."""
        monkeypatch.setattr(bytecode_module, "_kept", {})
        monkeypatch.setattr(bytecode_module, "_MAX_KEPT_BYTES", 2_000)
        monkeypatch.setattr(bytecode_module, "_compile_all", lambda sources: dict(sources))
        interval = sys.getswitchinterval()
        errors: list[Exception] = []

        def work(first: int) -> None:
            try:
                for number in range(first, first + 2_000):
                    files = {"m.py": b"%d" % (number % 500)}
                    assert bytecode_module.bytecode_of(files, cache=False) == files
            except Exception as error:
                errors.append(error)

        sys.setswitchinterval(1e-6)
        try:
            threads = [threading.Thread(target=work, args=(137 * n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        assert errors == []

    def test_stop_leaves_no_half_written_bytecode(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a stop leaves is whole, for a guest believes bytecode without a look at it."""
        body = "".join(f"x{number} = {number}.5\n" for number in range(2_000))
        files = {f"m{number}.py": f"{body}y = {number}\n".encode() for number in range(8)}
        whole = bytecode_module._compile_all(files)
        assert len(whole) == 8
        sources, made = sum(map(len, files.values())), sum(map(len, whole.values()))
        counts = []
        for part in range(1, 16):  # a disk that becomes full stops it anywhere
            monkeypatch.setattr(bytecode_module, "_STORAGE_BYTES", sources + made * part // 16)
            done = bytecode_module._compile_all(files)
            assert done.items() <= whole.items()
            counts.append(len(done))
        assert counts == sorted(counts)
        assert counts[0] < counts[-1] < 8

    def test_folder_that_others_can_write_to(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is found there could be of somebody else: it is neither read nor written."""
        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(bytecode_module, "_kept", {})
        data = wheel_bytes({"greet/__init__.py": "x = 'kept on disk'"})
        collect([data], cache=True)
        (entry,) = (tmp_path / "packages").iterdir()
        good = entry.read_bytes()
        (tmp_path / "packages").chmod(0o770)
        assert bytecode_module._load(entry.name) is None
        bytecode_module._store(entry.name, {"greet/__init__.py": b"of somebody else"})
        assert entry.read_bytes() == good
        (tmp_path / "packages").chmod(0o700)
        assert bytecode_module._load(entry.name) is not None

    def test_disk_that_cannot_be_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ERYX_CACHE_DIR", write(tmp_path / "file", b""))
        monkeypatch.setattr(bytecode_module, "_kept", {})
        assert collect([wheel_bytes(PLAIN)], cache=True).packages

    def test_disk_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(bytecode_module, "_MAX_DISK_BYTES", 1500)
        for number in range(12):
            collect([wheel_bytes({"greet/__init__.py": f"y = {number}"})], cache=True)
        assert sum(file.stat().st_size for file in (tmp_path / "packages").iterdir()) <= 1500

    def test_many_modules(self) -> None:
        """Several sandboxes share the work."""
        files = {f"greet/m{number}.py": f"x = {number}" for number in range(200)}
        packages = collect([wheel_bytes({**PLAIN, **files})])
        assert sum(path.endswith(".pyc") for path in packages.files) == 201
        assert printed(packages, "from greet import m0, m199; print(m0.x, m199.x)") == "0 199"
