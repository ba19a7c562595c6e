"""Dependencies: which are missing, and which to take from a directory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eryx import InitializationError
from eryx.packages import check, collect, resolve
from package_helpers import PLAIN, write
from wheel_files import tar_bytes, wheel_bytes


class TestMissing:
    WANTING = (
        "Requires-Dist: Absent_One>=2\n"
        "Requires-Dist: there<2\n"
        "Requires-Dist: old-thing; python_version < '3.9'\n"
        "Requires-Dist: extra-thing; extra == 'x'\n"
        "Requires-Dist: [[unreadable\n"
    )

    def test_named(self) -> None:
        there = wheel_bytes({"there.py": ""}, name="there", version="2.1")
        packages = collect([wheel_bytes(PLAIN, metadata=self.WANTING), there])
        assert [missing.name for missing in packages.missing] == ["absent-one", "there"]
        assert packages.explain_missing() == (
            "missing packages: absent-one>=2 (wanted by greet 1.0),"
            " there<2 (wanted by greet 1.0, but 2.1 is there)"
        )
        with pytest.raises(InitializationError, match="absent-one>=2"):
            packages.check()
        with pytest.raises(InitializationError, match="there<2"):
            check(packages)
        with pytest.raises(InitializationError, match="absent-one>=2"):
            check([wheel_bytes(PLAIN, metadata=self.WANTING)])

    def test_nothing_missing(self) -> None:
        wheel = wheel_bytes(PLAIN, metadata="Requires-Dist: there>=2\n")
        there = wheel_bytes({"there.py": ""}, name="there", version="2.1")
        assert check([wheel, there]).missing == ()

    def test_a_directory_counts(self, tmp_path: Path) -> None:
        """A package without metadata may be any version."""
        write(tmp_path / "absent_one" / "__init__.py", "")
        wheel = wheel_bytes(PLAIN, metadata="Requires-Dist: absent-one>=2\n")
        assert check([wheel, tmp_path / "absent_one"]).missing == ()


class TestResolve:
    def put(
        self, directory: Path, name: str, version: str, requires: str = "", **more: str
    ) -> None:
        metadata = "".join(f"Requires-Dist: {item}\n" for item in requires.split("|") if item)
        if "python" in more:
            metadata += f"Requires-Python: {more['python']}\n"
        tags = more.get("tags", "py3-none-any")
        files = {f"{name}/__init__.py": f"version = {version!r}"}
        data = wheel_bytes(files, name=name, version=version, metadata=metadata, tags=(tags,))
        write(directory / f"{name}-{version}-{tags}.whl", data)

    def names(self, directory: Path, *requirements: str) -> list[str]:
        found = resolve(requirements, find_links=directory)
        assert check(found).missing == ()
        return [Path(path).name.removesuffix("-py3-none-any.whl") for path in found]

    def test_highest_that_fits(self, tmp_path: Path) -> None:
        for version in ("1.0", "1.10", "1.9", "2.0"):
            self.put(tmp_path, "a", version)
        self.put(tmp_path, "a", "3.0", python=">=3.99")
        self.put(tmp_path, "a", "2.5", tags="cp314-cp314-manylinux_2_28_x86_64")
        self.put(tmp_path, "a", "4.0rc1")
        assert self.names(tmp_path, "a") == ["a-2.0"]
        assert self.names(tmp_path, "a<2") == ["a-1.10"]
        assert self.names(tmp_path, "A", "a!=2.0,!=1.10") == ["a-1.9"]
        assert self.names(tmp_path, "a>=4.0rc1") == ["a-4.0rc1"]
        assert self.names(tmp_path, "a; sys_platform == 'win32'") == []

    def test_dependencies(self, tmp_path: Path) -> None:
        self.put(tmp_path, "a", "1.0", "b>=1|c; extra == 'more'|d; python_version < '3'")
        self.put(tmp_path, "b", "1.0", "e")
        self.put(tmp_path, "c", "1.0", "a")
        self.put(tmp_path, "e", "1.0")
        assert self.names(tmp_path, "a") == ["a-1.0", "b-1.0", "e-1.0"]
        assert self.names(tmp_path, "a[more]") == ["a-1.0", "b-1.0", "c-1.0", "e-1.0"]
        assert self.names(tmp_path, "a", "a[more]") == ["a-1.0", "b-1.0", "c-1.0", "e-1.0"]

    def test_goes_back(self, tmp_path: Path) -> None:
        """The newest of one package may not fit with what another one wants."""
        self.put(tmp_path, "a", "2.0", "c>=2")
        self.put(tmp_path, "a", "1.0", "c")
        self.put(tmp_path, "b", "1.0", "c<2")
        self.put(tmp_path, "c", "1.0")
        self.put(tmp_path, "c", "2.0")
        assert self.names(tmp_path, "a", "b") == ["a-1.0", "b-1.0", "c-1.0"]
        assert self.names(tmp_path, "a") == ["a-2.0", "c-2.0"]

    def test_source_archives_as_a_fallback(self, tmp_path: Path) -> None:
        self.put(tmp_path, "a", "1.0", tags="cp314-cp314-win_amd64")
        info = "Name: a\nVersion: 1.0\nRequires-Dist: b\n"
        files = {"a-1.0/PKG-INFO": info, "a-1.0/a/__init__.py": ""}
        write(tmp_path / "a-1.0.tar.gz", tar_bytes(files))
        self.put(tmp_path, "b", "1.0")
        assert self.names(tmp_path, "a") == ["a-1.0.tar.gz", "b-1.0"]
        self.put(tmp_path, "a", "1.0")
        assert self.names(tmp_path, "a") == ["a-1.0"]

    def test_source_archive_named_as_another(self, tmp_path: Path) -> None:
        """Its contents decide, so it is not what the name of its file made it look like."""
        for name in ("a-2.0.tar.gz", "a-1.5.tgz"):
            files = {"a-1.0/PKG-INFO": "Name: a\nVersion: 1.0\n", "a-1.0/a/__init__.py": ""}
            write(tmp_path / name, tar_bytes(files))
        with pytest.raises(
            InitializationError, match=r"a-2.0.tar.gz: is named as a 2.0, but is a 1"
        ):
            resolve(["a"], find_links=tmp_path)
        write(tmp_path / "a-1.0.tgz", tar_bytes(files))
        assert self.names(tmp_path, "a") == ["a-1.0.tgz"]

    def test_a_long_chain_of_dependencies(self, tmp_path: Path) -> None:
        """One that is longer than the stack of Python."""
        count = sys.getrecursionlimit() + 10
        for number in range(count):
            self.put(tmp_path, f"a{number}", "1", f"a{number + 1}" if number + 1 < count else "")
        assert len(resolve(["a0"], find_links=tmp_path)) == count

    def test_what_cannot_be_met(self, tmp_path: Path) -> None:
        self.put(tmp_path, "a", "1.0", "b>=2")
        self.put(tmp_path, "b", "1.0")
        self.put(tmp_path, "n", "1.0", tags="cp314-cp314-manylinux_2_28_x86_64")
        for requirement, reason in (
            ("a", r"nothing fits b>=2 \(wanted by a 1.0\): there is b 1.0"),
            ("absent>1", r"nothing fits absent>1 \(wanted by you\): there is none"),
            ("n", r"n-1.0-cp314-cp314-manylinux_2_28_x86_64.whl is not for the sandbox"),
            ("a b", "not a requirement"),
        ):
            with pytest.raises(InitializationError, match=reason):
                resolve([requirement], find_links=tmp_path)
        with pytest.raises(InitializationError, match="cannot be read"):
            resolve(["a"], find_links=tmp_path / "absent")
        write(tmp_path / "z-1.0-py3-none-any.whl", b"PKjunk")
        with pytest.raises(InitializationError, match=r"z-1.0-py3-none-any.whl: broken zip"):
            resolve(["z"], find_links=tmp_path)

    def test_ends_in_time(self, tmp_path: Path) -> None:
        """A set of packages that excludes itself in many ways is given up."""
        for name in "abcdefgh":
            for version in range(6):
                self.put(tmp_path, "z", f"{version}.{ord(name)}")
                self.put(tmp_path, name, f"{version}.0", f"z=={version}.{ord(name)}")
        with pytest.raises(InitializationError):
            resolve(list("abcdefgh"), find_links=tmp_path)
