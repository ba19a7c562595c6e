"""Packages: wheels, source archives and directories become what a sandbox sees."""

from __future__ import annotations

import doctest
import os
from pathlib import Path
from textwrap import dedent
from typing import ClassVar

import pytest

from eryx import InitializationError
from eryx.packages import collect, resolve
from package_helpers import PLAIN, printed, write
from wheel_files import tar_bytes, wheel_bytes, zip_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx.packages._collect import Source

LONG = "x" * 100_000 + "!"


class TestWheels:
    def test_a_wheel(self, tmp_path: Path) -> None:
        path = write(tmp_path / "greet-1.0-py3-none-any.whl", wheel_bytes(PLAIN))
        packages = collect([path])
        (package,) = packages.packages
        assert (package.name, package.version, package.source) == ("greet", "1.0", path)
        assert package.files == 6
        assert packages.missing == ()
        assert packages.explain_missing() == ""
        assert packages.files["greet/data/x.txt"] == b"text"
        assert "greet/__pycache__/__init__.cpython-314.pyc" in packages.files
        assert repr(packages) == "<PackageSet: greet 1.0>"
        assert packages.size_bytes == sum(map(len, packages.files.values()))
        assert len(packages.digest) == 64
        assert packages.digest == collect([Path(path)]).digest
        assert "greet/data/x.txt" in packages.storage.walk()
        with pytest.raises(TypeError):
            packages.files["x"] = b""  # type: ignore[index]

    @pytest.mark.parametrize("form", ["bytes", "bytearray", "pair", "path"])
    def test_forms_of_sources(self, form: str, tmp_path: Path) -> None:
        data = wheel_bytes(PLAIN)
        name = "greet-1.0-py3-none-any.whl"
        sources: dict[str, Source] = {
            "bytes": data,
            "bytearray": bytearray(data),
            "pair": (name, memoryview(data)),
            "path": Path(write(tmp_path / name, data)),
        }
        packages = collect([sources[form]])
        assert str(packages.packages[0]) == "greet 1.0"
        assert printed(packages, "import greet; print(greet.hello())") == "hello"

    def test_metadata_inside(self) -> None:
        data = wheel_bytes(
            {
                **PLAIN,
                "greet/cli.py": "def main(): return 'ran'",
                "greet-1.0.dist-info/entry_points.txt": "[console_scripts]\ngreet = greet.cli:main",
            },
            metadata="Requires-Dist: other>=2; extra == 'x'\nSummary: says hello\n",
        )
        assert printed(
            collect([data]),
            """
            import importlib.metadata as metadata, importlib.resources as resources
            print(metadata.version("greet"), metadata.metadata("greet")["summary"])
            print(metadata.requires("greet"))
            (entry,) = metadata.entry_points(group="console_scripts")
            print(entry.name, entry.load()())
            files = metadata.files("greet")
            print(len(files), all(file.locate().exists() for file in files))
            print(resources.files("greet").joinpath("data/x.txt").read_text())
            print(metadata.packages_distributions()["greet"])
            """,
        ).splitlines() == [
            "1.0 says hello",
            "[\"other>=2; extra == 'x'\"]",
            "greet ran",
            "8 True",
            "text",
            "['greet']",
        ]

    def test_namespace_packages(self) -> None:
        packages = collect(
            [
                wheel_bytes({"ns/one.py": "x = 1"}, name="ns_one"),
                wheel_bytes({"ns/deep/two.py": "x = 2"}, name="ns_two"),
            ]
        )
        code = "from ns import one; from ns.deep import two; print(one.x + two.x)"
        assert printed(packages, code) == "3"

    def test_data_directories(self) -> None:
        """Modules of .data come in; what goes elsewhere on a host is left out, and told."""
        packages = collect(
            [
                wheel_bytes(
                    {
                        **PLAIN,
                        "greet-1.0.data/purelib/greet/more.py": "x = 5",
                        "greet-1.0.data/platlib/other.py": "x = 6",
                        "greet-1.0.data/scripts/greet": "#!python",
                        "greet-1.0.data/headers/greet.h": "",
                        "greet-1.0.data/data/share/man": "",
                    }
                )
            ]
        )
        assert set(packages.packages[0].ignored) == {
            "greet-1.0.data/scripts/greet",
            "greet-1.0.data/headers/greet.h",
            "greet-1.0.data/data/share/man",
        }
        assert printed(packages, "import greet.more, other; print(greet.more.x, other.x)") == "5 6"
        assert not any(".data/" in path for path in packages.files)

    @pytest.mark.parametrize(
        ("tags", "reason"),
        [
            ("py3-none-any", None),
            ("py2.py3-none-any", None),
            ("py314-none-any", None),
            ("py36-none-any", None),
            ("cp314-none-any", None),
            ("py2-none-any", "not for Python 3.14"),
            ("py315-none-any", "not for Python 3.14"),
            ("cp313-none-any", "not for Python 3.14"),
            ("cp314-cp314-manylinux_2_28_x86_64", "pure Python"),
            ("cp39-abi3-macosx_11_0_arm64", "pure Python"),
            ("py3-none-win32", "pure Python"),
            ("cp314-cp314-wasi_wasm32", None),
            ("cp314-cp314-wasi_0_2_0_wasm32", None),
            ("cp314-cp314-wasm32_wasip2", None),
            ("cp311-abi3-wasi_wasm32", None),
            ("py3-none-wasi_wasm32", None),
            ("cp313-cp313-wasi_wasm32", "not for Python 3.14"),
            ("cp315-abi3-wasi_wasm32", "not for Python 3.14"),
            ("cp314-cp314t-wasi_wasm32", "not for Python 3.14"),
            ("cp313-abi3-any", "not for Python 3.14"),
            ("cp314-cp314-emscripten_4_0_9_wasm32", "pure Python"),
        ],
    )
    def test_tags(self, tags: str, reason: str | None) -> None:
        name = f"greet-1.0-{tags}.whl"
        python, abi, platform = tags.split("-")
        each = tuple(f"{one}-{abi}-{platform}" for one in python.split("."))
        data = wheel_bytes(PLAIN, tags=each)
        if reason is None:
            assert collect([(name, data), *()]).packages
            assert collect([data]).packages
            return
        with pytest.raises(InitializationError, match=reason) as caught:
            collect([(name, data)])
        assert name in str(caught.value)
        with pytest.raises(InitializationError, match=reason):
            collect([data])

    @pytest.mark.parametrize(
        ("requires", "fits"),
        [(">=3.8", True), (">=3.15", False), ("<3.14", False), ("==3.14.*", True), ("junk", True)],
    )
    def test_requires_python(self, requires: str, fits: bool) -> None:
        data = wheel_bytes(PLAIN, metadata=f"Requires-Python: {requires}\n")
        if fits:
            assert collect([data]).packages
        else:
            with pytest.raises(InitializationError, match=r"package 1.*needs Python .*3\.14\.7"):
                collect([data])

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("greet.whl", "file name"),
            ("greet-1.0-py3-none.whl", "file name"),
            ("other-1.0-py3-none-any.whl", "is named as other"),
            ("greet-2.0-py3-none-any.whl", "but is greet 1.0"),
            ("Greet-1.0.0-py3-none-any.whl", None),
            ("greet-1.0-7-py3-none-any.whl", None),
        ],
    )
    def test_file_names(self, name: str, reason: str | None) -> None:
        if reason is None:
            assert collect([(name, wheel_bytes(PLAIN))]).packages
            return
        with pytest.raises(InitializationError, match=reason) as caught:
            collect([(name, wheel_bytes(PLAIN))])
        assert name in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"greet-1.0.dist-info/METADATA": "Version: 1.0\n"}, "no field 'name'"),
            ({"greet-1.0.dist-info/METADATA": "Name: greet\n"}, "no field 'version'"),
            ({"greet-1.0.dist-info/METADATA": "Name: greet\nVersion: x\n"}, "Invalid version: 'x'"),
            ({"greet-1.0.dist-info/METADATA": "Name: ../x\nVersion: 1\n"}, "name is invalid"),
            ({"greet-1.0.dist-info/METADATA": f"Name: {LONG}\nVersion: 1\n"}, "name is invalid"),
            ({"greet-1.0.dist-info/METADATA": f"Name: x\nVersion: 1.{LONG}\n"}, "too long"),
            ({"greet-1.0.dist-info/METADATA": b"\xff\xfe\x00"}, "no field"),
            ({"greet-1.0.dist-info/WHEEL": "Wheel-Version: 2.0\n"}, "wheel format '2.0'"),
            ({"greet-1.0.dist-info/WHEEL": ""}, "wheel format ''"),
            ({"greet-1.0.dist-info/WHEEL": f"Wheel-Version: {LONG}\n"}, "wheel format"),
            ({"greet-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nTag: {LONG}\n"}, "Tag 'xxx"),
            (
                {"greet-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3\n"},
                "Tag 'py3' must have",
            ),
            ({"greet-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\n"}, "made for nothing"),
            ({"other-1.0.dist-info/METADATA": ""}, "one .dist-info directory, this one 2"),
            ({"greet-1.0.dist-info/RECORD": "a,b\n"}, "RECORD has a line"),
            ({"greet-1.0.dist-info/RECORD": "greet/absent.py,,\n"}, "absent.py.*not in the wheel"),
            (
                {"greet-1.0.dist-info/RECORD": "greet/__init__.py,sha256=AAAA,1\n"},
                "__init__.py.*not what RECORD says",
            ),
            (
                {"greet-1.0.dist-info/RECORD": "greet/__init__.py,md5=AAAA,1\n"},
                "hash of the kind 'md5'",
            ),
        ],
    )
    def test_malformed_wheels(self, changes: dict[str, str | bytes], reason: str) -> None:
        with pytest.raises(InitializationError, match=reason) as caught:
            collect([wheel_bytes({**PLAIN, **changes})])
        assert str(caught.value).startswith("package 1 (bytes): ")
        assert len(str(caught.value)) < 400

    @pytest.mark.parametrize("absent", ["METADATA", "WHEEL"])
    def test_without_a_file_of_dist_info(self, absent: str, tmp_path: Path) -> None:
        files = {
            "greet-1.0.dist-info/METADATA": "Name: greet\nVersion: 1.0\n",
            "greet-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        }
        del files[f"greet-1.0.dist-info/{absent}"]
        with pytest.raises(InitializationError, match=f"{absent} is missing"):
            collect([("greet-1.0-py3-none-any.whl", zip_bytes({**PLAIN, **files}))])

    def test_without_record(self) -> None:
        files = {
            "greet-1.0.dist-info/METADATA": "Name: greet\nVersion: 1.0\n",
            "greet-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        }
        packages = collect([zip_bytes({**PLAIN, **files})])
        assert b"greet/data/x.txt,sha256=" in packages.files["greet-1.0.dist-info/RECORD"]

    def test_startup_files_are_ignored(self) -> None:
        """What the module site would run at the start of Python is never there."""
        names = (
            *("greet.pth", "sitecustomize.py", "usercustomize.py", "sitecustomize/__init__.py"),
            *("greet/__pycache__/__init__.cpython-314.pyc", "__pycache__/os.cpython-314.pyc"),
        )
        packages = collect([wheel_bytes({**PLAIN, **dict.fromkeys(names, "import nothing")})])
        assert set(packages.packages[0].ignored) == set(names)
        kept = dict(packages.files)
        assert kept.pop("greet/__pycache__/__init__.cpython-314.pyc") != b"import nothing"
        assert not set(names) & set(kept)

    def test_two_versions(self) -> None:
        one, two = wheel_bytes(PLAIN), wheel_bytes(PLAIN, version="2.0")
        with pytest.raises(InitializationError, match=r"greet 2\.0 is there twice: greet 1\.0"):
            collect([one, two])

    def test_packages_that_share_a_file(self) -> None:
        same = {"shared/__init__.py": "x = 1"}
        one, two = wheel_bytes(same, name="one"), wheel_bytes(same, name="two")
        assert len(collect([one, two]).packages) == 2
        three = wheel_bytes({"shared/__init__.py": "x = 2"}, name="three")
        with pytest.raises(InitializationError, match=r"shared/__init__.py.*other contents"):
            collect([one, three])
        four = wheel_bytes({"shared": "file"}, name="four")
        with pytest.raises(InitializationError, match="which is a file"):
            collect([one, four])

    def test_examples(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for directory in (tmp_path, tmp_path / "wheels"):
            write(directory / "greet-1.0-py3-none-any.whl", wheel_bytes(PLAIN))
        runner = doctest.DocTestRunner()
        for function in (collect, resolve):
            for case in doctest.DocTestFinder(recurse=False).find(
                function, globs={"collect": collect, "resolve": resolve}
            ):
                runner.run(case)
        assert runner.summarize() == (0, 3)


class TestSources:
    INFO = "Metadata-Version: 2.1\nName: greet\nVersion: 1.0\n"

    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            ({"greet/__init__.py": ""}, {"greet/__init__.py"}),
            ({"src/greet/__init__.py": "", "src/greet/x.txt": ""}, {"greet/x.txt"}),
            ({"greet.py": "x = 1", "setup.py": "raise SystemExit"}, {"greet.py"}),
            (
                {"lib/greet/__init__.py": "", "lib/x.egg-info/PKG-INFO": INFO}
                | {"lib/x.egg-info/top_level.txt": "_greet\ngreet\n"},
                {"greet/__init__.py"},
            ),
            (
                {"greet/__init__.py": "", "tests/__init__.py": "", "docs/conf.py": ""},
                {"greet/__init__.py"},
            ),
            (
                {"weird/pkg/__init__.py": ""}
                | {"pyproject.toml": "[tool.hatch.build.targets.wheel]\npackages=['weird/pkg']"},
                {"pkg/__init__.py"},
            ),
            (
                {"py/ns/inner/__init__.py": ""}
                | {"pyproject.toml": "[[tool.poetry.packages]]\ninclude='ns/inner'\nfrom='py'"},
                {"ns/inner/__init__.py"},
            ),
            (
                {"hello.py": "", "other.py": ""}
                | {"pyproject.toml": "[tool.flit.module]\nname='hello'"},
                {"hello.py"},
            ),
            (
                {"code/a/__init__.py": "", "code/b.py": ""}
                | {"pyproject.toml": "[tool.setuptools.packages.find]\nwhere=['code']"},
                {"a/__init__.py", "b.py"},
            ),
            (
                {"code/a/__init__.py": ""}
                | {"setup.cfg": "[options]\npackage_dir=\n    =code\npackages=find:\n"},
                {"a/__init__.py"},
            ),
            (
                {"a/__init__.py": "", "b.py": "", "c.py": ""}
                | {"setup.cfg": "[options]\npackages=a\npy_modules=b\n"},
                {"a/__init__.py", "b.py"},
            ),
            ({"only/__init__.py": "", "tests/test_x.py": ""}, {"only/__init__.py"}),
        ],
    )
    def test_layouts(self, files: dict[str, str], expected: set[str]) -> None:
        archive = {f"greet-1.0/{path}": data for path, data in files.items()}
        packages = collect([tar_bytes({**archive, "greet-1.0/PKG-INFO": self.INFO})])
        assert str(packages.packages[0]) == "greet 1.0"
        code = {path for path in packages.files if "dist-info" not in path and "_cache" not in path}
        assert expected <= code
        assert not any(path.startswith(("tests", "docs", "setup", "c.py")) for path in code)

    def test_metadata_inside(self) -> None:
        data = tar_bytes(
            {
                "greet-1.0/greet/__init__.py": "",
                "greet-1.0/PKG-INFO": self.INFO,
                "greet-1.0/pyproject.toml": dedent("""
                    [project]
                    name = "greet"
                    scripts = { greet = "greet:main" }
                    [project.entry-points.plug]
                    one = "greet:one"
                    """),
                "greet-1.0/greet.egg-info/PKG-INFO": self.INFO,
                "greet-1.0/greet.egg-info/top_level.txt": "greet",
                "greet-1.0/greet.egg-info/requires.txt": dedent("""
                    other>=1
                    [test]
                    tester
                    [:python_version < "3"]
                    old
                    """),
            }
        )
        packages = collect([data])
        assert packages.explain_missing() == "missing packages: other>=1 (wanted by greet 1.0)"
        assert printed(
            packages,
            """
            import importlib.metadata as metadata
            print(metadata.version("greet"), metadata.requires("greet"))
            print(sorted((entry.group, entry.name) for entry in metadata.entry_points()))
            """,
        ).splitlines() == [
            "1.0 ['other>=1', 'tester; extra == \"test\"', 'old; python_version < \"3\"']",
            "[('console_scripts', 'greet'), ('plug', 'one')]",
        ]

    def test_compiled_parts_are_told(self) -> None:
        files = {
            "greet-1.0/PKG-INFO": self.INFO,
            "greet-1.0/src/greet/__init__.py": "",
            "greet-1.0/src/greet/_fast.c": "int x;",
            "greet-1.0/tests/x.c": "",
        }
        packages = collect([("greet-1.0.tgz", tar_bytes(files))])
        assert packages.packages[0].not_built == ("src/greet/_fast.c",)
        assert "greet/_fast.c" not in packages.files

    @pytest.mark.parametrize(
        ("files", "reason"),
        [
            ({"g-1/one/__init__.py": "", "g-1/two/__init__.py": ""}, "cannot be told"),
            ({"g-1/README": ""}, "cannot be told"),
            ({"g-1/a.py": "", "other/b.py": ""}, "one directory at its top"),
            ({"a.py": ""}, "one directory at its top"),
            (
                {"g-1/g.py": "", "g-1/pyproject.toml": "[build-system]\nbuild-backend='maturin'"},
                "built by maturin",
            ),
            ({"g-1/g.py": "", "g-1/pyproject.toml": "["}, "pyproject.toml is malformed"),
            ({"g-1/g.py": "", "g-1/setup.cfg": "x"}, "setup.cfg is malformed"),
            ({"g-1/g.py": "", "g-1/PKG-INFO": "x"}, "no field"),
            (
                {"g-1/g.py": "", "g-1/PKG-INFO": INFO + "Requires-Python: <3\n"},
                "needs Python <3",
            ),
            (
                {"g-1/g/data.txt": "", "g-1/g.egg-info/PKG-INFO": INFO}
                | {"g-1/g.egg-info/top_level.txt": "g"},
                "no Python",
            ),
        ],
    )
    def test_what_cannot_be_used(self, files: dict[str, str], reason: str) -> None:
        with pytest.raises(InitializationError, match=reason) as caught:
            collect([("g-1.tar.gz", tar_bytes(files))])
        assert str(caught.value).startswith("g-1.tar.gz: ")

    def test_a_zip_of_a_project(self) -> None:
        files = {"g-1/PKG-INFO": self.INFO, "g-1/src/greet/__init__.py": "x = 3"}
        for source in (("g.zip", zip_bytes(files)), zip_bytes(files)):
            packages = collect([source])
            assert str(packages.packages[0]) == "greet 1.0"
            assert printed(packages, "import greet; print(greet.x)") == "3"

    def test_a_zip_of_packages(self) -> None:
        packages = collect([("layer.zip", zip_bytes({**PLAIN, "mod.py": "x = 4"}))])
        assert [str(package) for package in packages.packages] == ["greet", "mod"]
        assert printed(packages, "import mod, greet; print(mod.x, greet.hello())") == "4 hello"


class TestDirectories:
    def test_a_package(self, tmp_path: Path) -> None:
        write(tmp_path / "greet" / "__init__.py", "from greet.inner import x")
        write(tmp_path / "greet" / "inner.py", "x = 7")
        write(tmp_path / "greet" / "__pycache__" / "inner.cpython-311.pyc", b"\0")
        packages = collect([tmp_path / "greet"])
        assert packages.packages[0].name == "greet"
        assert packages.packages[0].version is None
        assert printed(packages, "import greet; print(greet.x)") == "7"
        assert not any("311" in path for path in packages.files)

    def test_a_directory_of_packages(self, tmp_path: Path) -> None:
        write(tmp_path / "greet" / "__init__.py", "x = 1")
        info = "Name: Greet\nVersion: 3\nRequires-Dist: absent\n"
        write(tmp_path / "greet-3.dist-info" / "METADATA", info)
        write(tmp_path / "greet-3.dist-info" / "RECORD", "greet/__init__.py,,\n")
        write(tmp_path / "lonely.py", "x = 2")
        write(tmp_path / "thing.pth", "import os; os.abort()")
        for packages in (collect([str(tmp_path)]), collect(site_packages=tmp_path)):
            assert [str(package) for package in packages.packages] == ["Greet 3", "lonely"]
            assert packages.packages[0].ignored == ("thing.pth",)
            assert packages.explain_missing() == "missing packages: absent (wanted by Greet 3)"
            assert printed(packages, "import greet, lonely; print(greet.x, lonely.x)") == "1 2"

    def test_a_project(self, tmp_path: Path) -> None:
        write(tmp_path / "src" / "greet" / "__init__.py", "x = 8")
        toml = """
        [project]
        name = "greet"
        version = "0.3"
        dependencies = ["other; python_version < '3'"]
        optional-dependencies = { more = ["extra-thing>=1"] }
        requires-python = ">=3.9"
        """
        write(tmp_path / "pyproject.toml", dedent(toml))
        packages = collect([tmp_path])
        assert str(packages.packages[0]) == "greet 0.3"
        assert printed(
            packages,
            """
            import greet, importlib.metadata as metadata
            print(greet.x, metadata.requires("greet"), metadata.version("greet"))
            """,
        ) == ("8 [\"other; python_version < '3'\", 'extra-thing>=1; extra == \"more\"'] 0.3")

    def test_links(self, tmp_path: Path) -> None:
        """Links are followed within a directory, however they are tied together, but not out."""
        root = tmp_path / "greet"
        write(root / "__init__.py", "")
        write(root / "sub" / "mod.py", "x = 9")
        (root / "linked.py").symlink_to("sub/mod.py")
        (root / "sub" / "loop").symlink_to("..")
        (root / "broken").symlink_to("nowhere")
        packages = collect([root])
        code = "from greet import linked; from greet.sub import mod; print(linked.x + mod.x)"
        assert printed(packages, code) == "18"
        secret = write(tmp_path / "secret.py", "x = 'secret'")
        for target in (secret, "../secret.py", str(tmp_path)):
            (root / "leak").symlink_to(target)
            with pytest.raises(InitializationError, match=r"greet: entry 'leak'.* out of the dir"):
                collect([root])
            (root / "leak").unlink()
        assert collect([root]).digest == packages.digest

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_pipes_are_not_waited_for(self, tmp_path: Path) -> None:
        write(tmp_path / "greet" / "__init__.py", "")
        os.mkfifo(tmp_path / "greet" / "pipe")
        with pytest.raises(InitializationError, match="'pipe' is a device, pipe"):
            collect([tmp_path / "greet"])
        os.mkfifo(tmp_path / "greet-1.0-py3-none-any.whl")
        with pytest.raises(InitializationError, match="is not a regular file"):
            collect([tmp_path / "greet-1.0-py3-none-any.whl"])

    def test_bad_directories(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(InitializationError, match=r"empty: there is no Python"):
            collect([tmp_path / "empty"])
        write(tmp_path / "not-a-name" / "__init__.py", "")
        with pytest.raises(InitializationError, match="'not-a-name' is not a name"):
            collect([tmp_path / "not-a-name"])
        with pytest.raises(InitializationError, match="is not a directory"):
            collect(site_packages=tmp_path / "absent")


class TestCtypes:
    """Packages that import ctypes get types of data, and never functions.

    What takes numpy is in tests/science/test_addresses.py.
    """

    FILES: ClassVar[dict[str, str]] = {"greet/__init__.py": "from ctypes import *; import ctypes"}

    def test_types_of_data(self) -> None:
        code = """
            from greet import *
            class Point(Structure):
                _fields_ = [("x", c_int32), ("y", c_double)]
            points = (Point * 2)(Point(1, 2.5))
            points[1].x = -7
            copy = Point.from_buffer_copy(bytes(points)[16:])
            print(sizeof(c_long), sizeof(Point), points[0].y, copy.x, c_uint8(257).value)
            text = create_string_buffer(b"hello")
            memmove(text, b"J", 1)
            print(text.value, cast(text, POINTER(c_char))[1], string_at(text, 3))
        """
        packages = collect([("greet-1.0-py3-none-any.whl", wheel_bytes(self.FILES))])
        assert printed(packages, dedent(code)) == "4 16 2.5 -7 1\nb'Jello' b'e' b'Jel'"

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("CDLL('libc.so')", "OSError"),
            ("ctypes.pythonapi.Py_GetVersion", "AttributeError"),
            ("string_at(8)", "ValueError"),
            ("c_int.from_address(8)", "ValueError"),
            ("cast(create_string_buffer(4), POINTER(c_char))[4]", "ValueError"),
            ("memmove(create_string_buffer(4), b'12345', 5)", "ValueError"),
            ("memmove(c_int(), b'1234', 4)", "ArgumentError"),
            ("addressof(c_int.from_buffer(bytearray(4)))", "ValueError"),
            ("cast(c_void_p(8), POINTER(c_int)).contents", "ValueError"),
            ("cast(c_void_p(0), POINTER(c_int)).contents", "ValueError"),
            ("cast(CFUNCTYPE(c_int)(int), c_void_p)", "NotImplementedError"),
        ],
    )
    def test_no_functions_and_no_memory_of_others(self, code: str, error: str) -> None:
        packages = collect([("greet-1.0-py3-none-any.whl", wheel_bytes(self.FILES))])
        program = (
            f"from greet import *\ntry: {code}\nexcept Exception as e: print(type(e).__name__)"
        )
        assert printed(packages, program) == error

    def test_addresses(self) -> None:
        """They are those of the memory, whatever an object is seen through."""
        code = """
            from greet import *
            import array
            class Inner(Structure):
                _fields_ = [("text", c_char_p), ("next", POINTER(c_int)), ("wide", c_wchar_p)]
            class Outer(Structure):
                _fields_ = [("first", c_int), ("inner", Inner)]
            outer = Outer()
            outer.inner.text, outer.inner.next = b"text", pointer(c_int(7))
            outer.inner.wide = "\u017c\U0001f600"
            print(addressof(outer.inner) - addressof(outer), sizeof(c_int))
            print(outer.inner.text, outer.inner.next[0], ascii(outer.inner.wide))
            numbers = (c_short * 4)(1, 2, 3, 4)
            place = addressof(numbers)
            print(cast(numbers, c_void_p).value == place)
            print(cast(pointer(numbers), c_void_p).value == place)
            print(cast(c_void_p(1234), c_void_p).value, cast(1234, c_void_p).value)
            print(cast(byref(numbers, 4), POINTER(c_short))[1], cast(numbers, POINTER(c_int))[0])
            print(cast(cast(numbers, c_void_p), POINTER(c_short))[3])
            memory = array.array("d", [1.5, 2.5])
            print(addressof((c_double * 1).from_buffer(memory, 8)) - memory.buffer_info()[0])
            many = pointer(pointer(c_int(5)))
            many[0] = pointer(c_int(6))
            print(many[0][0], many.contents.contents.value, bool(POINTER(c_int)()))
            text = c_char_p(b"abc")
            print(text.value, string_at(text), string_at(cast(text, c_void_p), 2))
            class Either(Union):
                _fields_ = [("inner", Inner), ("text", c_char_p)]
            either = Either()
            either.text = b"both"
            print(bool(either.inner), either.text, memoryview((c_double * 2)(1, 2)).tolist())
        """
        packages = collect([("greet-1.0-py3-none-any.whl", wheel_bytes(self.FILES))])
        assert printed(packages, dedent(code)).splitlines() == [
            "4 4",
            "b'text' 7 '\\u017c\\U0001f600'",
            "True",
            "True",
            "1234 1234",
            "4 131073",
            "4",
            "8",
            "6 6 False",
            "b'abc' b'abc' b'ab'",
            "True b'both' [1.0, 2.0]",
        ]

    def test_addresses_of_functions(self) -> None:
        """As numpy's generators of random numbers give them: to look at, and not to call."""
        code = """
            from greet import *
            kind = CFUNCTYPE(c_double, c_void_p)
            function = cast(4096, kind)
            again = cast(kind(lambda _: 2.5), kind)
            print(bool(function), bool(kind()), again(0), function.restype is c_double)
            try: function(0)
            except NotImplementedError as error: print("not called")
        """
        packages = collect([("greet-1.0-py3-none-any.whl", wheel_bytes(self.FILES))])
        assert printed(packages, dedent(code)) == "True False 2.5 True\nnot called"

    def test_not_without_a_package_that_wants_it(self) -> None:
        files = {"greet/__init__.py": ""}
        packages = collect([("greet-1.0-py3-none-any.whl", wheel_bytes(files))])
        program = "try: import ctypes\nexcept ImportError as error: print(error)"
        assert printed(packages, program) == "No module named '_ctypes'"


class TestArguments:
    def test_wrong_types(self, tmp_path: Path) -> None:
        for wrong in ("x.whl", b"PK", tmp_path):
            with pytest.raises(TypeError, match="sequence"):
                collect(wrong)  # type: ignore[arg-type]
        for item in (None, 1, ("x",), ("x", "y"), (b"x", b"y")):
            with pytest.raises(TypeError, match=r"package|contents"):
                collect([item])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="not bytes"):
            collect([_BytesPath()])  # type: ignore[list-item]
        with pytest.raises(TypeError):
            resolve("x", find_links=tmp_path)
        with pytest.raises(TypeError):
            resolve([1], find_links=tmp_path)  # type: ignore[list-item]

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("absent-1.0-py3-none-any.whl", "no such file"),
            ("x.rar", "no such file"),
            ("bad\0name.whl", "NUL"),
        ],
    )
    def test_missing_files(self, name: str, reason: str, tmp_path: Path) -> None:
        with pytest.raises(InitializationError, match=reason) as caught:
            collect([str(tmp_path / name)])
        assert name.replace("\0", "\\x00") in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("x.rar", "unknown kind"),
            ("x.py", "unknown kind"),
            ("x.tar.bz2", "unknown kind"),
            ("x.egg", "eggs"),
            ("x.whl", "broken zip"),
            ("x.zip", "broken zip"),
            ("x.tar.gz", "broken gzip"),
        ],
    )
    def test_unknown_and_broken_files(self, name: str, reason: str, tmp_path: Path) -> None:
        path = write(tmp_path / name, b"what is this?")
        with pytest.raises(InitializationError, match=reason) as caught:
            collect([path])
        assert path in str(caught.value)

    def test_bytes_of_no_kind(self) -> None:
        for data in (b"", b"what is this?", b"PK", b"\x1f\x8b"):
            with pytest.raises(InitializationError, match=r"package 2 \(bytes\): "):
                collect([wheel_bytes(PLAIN), data])

    def test_nothing(self) -> None:
        packages = collect([])
        assert (packages.packages, dict(packages.files)) == ((), {})
        assert repr(packages) == "<PackageSet: empty>"


class _BytesPath:
    def __fspath__(self) -> bytes:
        return b"x.whl"
