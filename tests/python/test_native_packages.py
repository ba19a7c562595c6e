"""Real packages with native modules: built from source, in factories, with their own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from eryx import InitializationError, ResourceLimits, SandboxFactory, native
from eryx.packages import collect, resolve
from toolchain import guest_packages
from wheel_files import wheel_bytes

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")

PACKAGES = ("cityhash", "markupsafe", "msgpack", "regex", "simplejson")
PATIENT = ResourceLimits(execution_timeout_ms=300_000, max_memory_bytes=1 << 30)

# A program of which each line says whether it is the compiled code that answers.
USE = """
import cityhash, farmhash, markupsafe, msgpack, regex, simplejson.encoder
print(cityhash.CityHash64("hello"), farmhash.FarmHash64("hello"))
print(markupsafe.escape("<a>"), markupsafe._escape_inner.__module__)
print(msgpack.unpackb(msgpack.packb({"a": [1, 2.5, None]})), msgpack.Packer.__module__)
print(regex.findall(r"\\p{Lu}\\w+", "Hello wOrld Ünder"), regex.search("(?:foo){e<=1}", "fo")[0])
print(simplejson.dumps({"a": [1, 2.5, None]}), simplejson.encoder.c_make_encoder is not None)
"""
USED = """\
13009744463427800296 13009744463427800296
&lt;a&gt; markupsafe._speedups
{'a': [1, 2.5, None]} msgpack._cmsgpack
['Hello', 'Orld', 'Ünder'] fo
{"a": [1, 2.5, null]} True"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The unpacked source archives, by name of the package."""
    directory = tmp_path_factory.mktemp("sources")
    found: dict[str, Path] = {}
    for name in PACKAGES:
        (archive,) = guest_packages.sources(name)
        with tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
        (found[name],) = directory.glob(f"{name}-*")
    return found


@pytest.fixture(scope="module")
def wheels(
    sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, one_cache_of_zig: None
) -> Path:
    """A directory with the wheels that were built of them, and pytest."""
    directory = tmp_path_factory.mktemp("wheels")
    for tree in sources.values():
        native.build_wheel(tree, directory, isolation=False)
    for wheel in guest_packages.wheels("pytest", "iniconfig", "pluggy", "packaging", "pygments"):
        (directory / wheel.name).symlink_to(wheel)
    return directory


@pytest.fixture(scope="module")
def factory(wheels: Path) -> SandboxFactory:
    modules = ["cityhash", "farmhash", "markupsafe", "msgpack", "regex", "simplejson"]
    return SandboxFactory(packages=resolve(PACKAGES, find_links=wheels), imports=modules)


class TestOwnTests:
    """The test suites of the packages, run inside."""

    def run_pytest(self, wheels: Path, package: str, tests: Path) -> str:
        chosen = resolve([package, "pytest"], find_links=wheels)
        sandbox = SandboxFactory(packages=chosen).create_sandbox(
            resource_limits=PATIENT, volumes=[(tests, "/tests", True)]
        )
        # Both would duplicate the standard streams, which is not had.
        options = ["-q", "--capture=sys", "-p", "no:faulthandler", "-p", "no:cacheprovider"]
        done = sandbox.execute(f"import pytest; result = pytest.main({[*options, '/tests']})")
        assert done.result == 0, done.stdout
        return done.stdout

    def test_msgpack(self, wheels: Path, sources: dict[str, Path]) -> None:
        said = self.run_pytest(wheels, "msgpack", sources["msgpack"] / "test")
        assert int(re.findall(r"(\d+) passed", said)[0]) > 150

    def test_markupsafe(self, wheels: Path, sources: dict[str, Path]) -> None:
        said = self.run_pytest(wheels, "markupsafe", sources["markupsafe"] / "tests")
        assert int(re.findall(r"(\d+) passed", said)[0]) > 70

    def run_unittest(
        self, wheels: Path, package: str, tests: Path | None, suite: str
    ) -> tuple[int, dict[str, str]]:
        """How many tests were run, and the last lines of what was said of those that failed."""
        volumes = [] if tests is None else [(tests, "/tests", True)]
        sandbox = SandboxFactory(packages=resolve([package], find_links=wheels)).create_sandbox(
            resource_limits=PATIENT, volumes=volumes
        )
        done = sandbox.execute(
            f"import sys, unittest; sys.path.append('/tests'); {suite}\n"
            "found = unittest.TextTestRunner(stream=sys.stdout).run(suite)\n"
            "wrong = [*found.failures, *found.errors]\n"
            "said = {test.id(): text.splitlines()[-1] for test, text in wrong}\n"
            "result = [found.testsRun, said]"
        )
        count, said = done.result
        return count, said

    def test_regex(self, wheels: Path, sources: dict[str, Path]) -> None:
        """All pass, the one that starts threads as well."""
        tests = sources["regex"] / "regex" / "tests"
        suite = (
            "import test_regex; suite = unittest.defaultTestLoader.loadTestsFromModule(test_regex)"
        )
        count, said = self.run_unittest(wheels, "regex", tests, suite)
        assert count > 100
        assert not said

    def test_simplejson(self, wheels: Path) -> None:
        """All pass but those that start processes."""
        suite = "import simplejson.tests; suite = simplejson.tests.all_tests_suite()"
        count, said = self.run_unittest(wheels, "simplejson", None, suite)
        assert count > 500
        assert set(said.values()) == {"OSError: [Errno 58] can't start new process in the sandbox"}


class TestFactory:
    """Wheels with native modules in factories."""

    def test_sandbox_and_session(self, factory: SandboxFactory) -> None:
        assert factory.create_sandbox().execute(USE).stdout == USED
        session = factory.create_session()
        assert session.execute(USE).stdout == USED
        session.execute("pattern = regex.compile('(?i)b+')")
        assert session.fork().execute("print(pattern.sub('x', 'bbbb BBBB'))").stdout == "x x"

    def test_pool(self, factory: SandboxFactory) -> None:
        with factory.create_pool(max_size=1) as pool:
            for _ in range(2):
                with pool.acquire() as sandbox:
                    assert sandbox.execute(USE).stdout == USED

    def test_sandboxes_share_nothing(self, factory: SandboxFactory) -> None:
        change = "import markupsafe._speedups as module; module.mark = 1; print(module.mark)"
        look = "import markupsafe._speedups as module; print(hasattr(module, 'mark'))"
        assert factory.create_sandbox().execute(change).stdout == "1"
        assert factory.create_sandbox().execute(look).stdout == "False"

    def test_file(self, factory: SandboxFactory, tmp_path: Path) -> None:
        path = tmp_path / "native.factory"
        factory.save(path)
        assert SandboxFactory.load(path).create_sandbox().execute(USE).stdout == USED
        assert path.stat().st_size == factory.size_bytes

    def test_file_where_nothing_was_translated(
        self, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Loading never compiles; modules that the caller names are enough."""
        (wheel,) = wheels.glob("markupsafe-*")
        SandboxFactory(packages=[wheel], imports=["markupsafe"]).save(tmp_path / "file")
        modules = native.from_wheel(wheel)
        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path / "empty"))
        with pytest.raises(InitializationError) as caught:
            SandboxFactory.load(tmp_path / "file")
        assert str(caught.value) == (
            f"{tmp_path}/file: the factory cannot be loaded:"
            " markupsafe/_speedups.cpython-314-wasm32-wasi.so: it is not in"
            f" {tmp_path}/empty/native: translate it there with `eryx precompile`"
        )
        loaded = SandboxFactory.load(tmp_path / "file", native_modules=modules)
        program = "import markupsafe; print(markupsafe._escape_inner.__module__)"
        assert loaded.create_sandbox().execute(program).stdout == "markupsafe._speedups"

    def test_file_that_names_what_it_has_not(self) -> None:
        factory = SandboxFactory(setup_code="x = 1")
        factory._description["native_files"] = ["missing.so"]
        with pytest.raises(InitializationError, match=r"missing\.so is not among its files"):
            SandboxFactory.from_bytes(factory.to_bytes())

    def test_kept_on_disk(self, wheels: Path, tmp_path: Path) -> None:
        (wheel,) = wheels.glob("markupsafe-*")
        program = "import markupsafe; print(markupsafe.escape('<'))"
        for _ in range(2):
            made = SandboxFactory(packages=[wheel], imports=["markupsafe"], cache=tmp_path)
            assert made.create_sandbox().execute(program).stdout == "&lt;"
        assert len(list(tmp_path.iterdir())) == 1

    def test_installed_packages(self, wheels: Path, tmp_path: Path) -> None:
        """A folder of packages brings its modules along, for all sandboxes or for one."""
        import zipfile

        (wheel,) = wheels.glob("markupsafe-*")
        zipfile.ZipFile(wheel).extractall(tmp_path)
        program = "import markupsafe; print(markupsafe._escape_inner.__module__)"
        whole = SandboxFactory(site_packages=tmp_path).create_sandbox()
        single = SandboxFactory().create_sandbox(site_packages=tmp_path)
        for sandbox in (whole, single):
            assert sandbox.execute(program).stdout == "markupsafe._speedups"

    def test_on_the_command_line(self, wheels: Path, tmp_path: Path) -> None:
        (wheel,) = wheels.glob("msgpack-*")
        program = "import msgpack; print(msgpack.packb([1]), msgpack.Packer.__module__)"
        file = str(tmp_path / "file")
        for words in (
            ["--package", str(wheel), "-c", program],
            ["factory", "build", "--package", str(wheel), "--import", "msgpack", "-o", file],
            ["--factory", file, "-c", program],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "eryx", *words], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            if words[-1] == program:
                assert done.stdout == "b'\\x91\\x01' msgpack._cmsgpack\n"


class TestReading:
    """What the reader of packages makes of native modules."""

    def test_native_wheels_are_preferred(self, wheels: Path, tmp_path: Path) -> None:
        (native_wheel,) = wheels.glob("markupsafe-*")
        os.symlink(native_wheel, tmp_path / native_wheel.name)
        version = native_wheel.name.split("-")[1]
        (tmp_path / f"markupsafe-{version}-py3-none-any.whl").write_bytes(
            wheel_bytes({"markupsafe/__init__.py": ""}, name="markupsafe", version=version)
        )
        assert resolve(["markupsafe"], find_links=tmp_path) == [str(tmp_path / native_wheel.name)]

    def test_files_are_named(self, wheels: Path) -> None:
        (wheel,) = wheels.glob("markupsafe-*")
        found = collect([wheel], bytecode=False)
        assert dict(found.native_files) == {
            "markupsafe/_speedups.cpython-314-wasm32-wasi.so": str(wheel)
        }
        assert [module.name for module in found.native_modules()] == [
            "_speedups.cpython-314-wasm32-wasi.so"
        ]

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"\x7fELF" + bytes(60), "is not a module for WebAssembly"),
            (b"\0asm\2\0\0\0", "it is no WebAssembly module"),
            (b"\0asm\1\0\0\0", "it is not a dynamic library"),
        ],
    )
    def test_wrong_modules(self, data: bytes, message: str) -> None:
        name = "bad-1.0-cp314-cp314-wasi_wasm32.whl"
        wheel = wheel_bytes({"bad.so": data}, name="bad", tags=("cp314-cp314-wasi_wasm32",))
        with pytest.raises(InitializationError, match=message) as caught:
            SandboxFactory(packages=[(name, wheel)])
        assert str(caught.value).startswith(name)
        assert "bad.so" in str(caught.value)
