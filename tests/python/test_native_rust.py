"""Native modules in Rust: built by maturin, what a panic becomes, and what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import eryx
from eryx import ExecutionError, ResourceLimits, SandboxFactory, native
from eryx.native import NativeModuleError, _rust
from eryx.native._find_source import Project
from eryx.native._steps import Steps
from native_helpers import SOURCES
from toolchain import rust

pytestmark = pytest.mark.usefixtures("one_cache_of_zig")


@pytest.fixture(scope="module")
def toolchain() -> dict[str, str]:
    """What the environment of a build has to say; only machines without Rust have none."""
    found = rust.environment()
    if found is None:
        pytest.skip("no Rust with the sources of its standard library is here")
    return found


@pytest.fixture(scope="module")
def wheel(
    toolchain: dict[str, str], tmp_path_factory: pytest.TempPathFactory, one_cache_of_zig: None
) -> Path:
    directory = tmp_path_factory.mktemp("rust")
    tree = Path(shutil.copytree(SOURCES / "rust", directory / "tree"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**toolchain, "CARGO_NET_OFFLINE": "true"}.items():
            patch.setenv(name, value)
        return native.build_wheel(tree, directory / "out", isolation=False)


@pytest.fixture(scope="module")
def factory(wheel: Path) -> SandboxFactory:
    return SandboxFactory(packages=[wheel], imports=["ham"])


def run(factory: SandboxFactory, program: str) -> str:
    return factory.create_sandbox().execute(f"import ham\n{program}").stdout


class TestModule:
    """A module that PyO3 makes."""

    def test_wheel(self, wheel: Path) -> None:
        assert wheel.name == "ham-1.0.0-cp314-cp314-wasi_wasm32.whl"

    def test_values_and_errors(self, factory: SandboxFactory) -> None:
        assert run(factory, "print(ham.count('a b a') == {'a': 2, 'b': 1}, ham.half(42))") == (
            "True 21"
        )
        program = "try: ham.half(-3)\nexcept ValueError as error: print(error)"
        assert run(factory, program) == "-3 is odd"
        assert run(factory, "print(ham.pick([1, 2], 1))") == "2"

    def test_what_is_outside(self, factory: SandboxFactory) -> None:
        """Time, output, variables and files are the guest's own."""
        program = (
            "import os, time; os.environ['HAM'] = 'set'\n"
            "open('/tmp/text', 'w').write('of a file')\n"
            "print(abs(ham.now()[0] - time.time()) < 5, ham.now()[1])\n"
            "print(ham.outside('/tmp/text'), ham.outside('/nothing'))"
        )
        assert run(factory, program).splitlines() == [
            "True True",
            "from Rust",
            "from Rust",
            "('set', 'of a file') ('set', 'NotFound')",
        ]

    def test_calls_of_wasi(self, factory: SandboxFactory) -> None:
        """What crates ask of WASI preview 1 themselves is done by the guest as well."""
        program = (
            "import os, time; os.environ['HAM'] = 'set'\n"
            "now, variables, *others = ham.calls_of_wasi()\n"
            "print(abs(now - time.time()) < 5, variables == len(os.environ), others)"
        )
        assert run(factory, program) == "True True [8, True, True]"

    def test_it_is_part_of_a_session(self, factory: SandboxFactory) -> None:
        session = factory.create_session()
        session.execute("import ham; counted = ham.count('x x')")
        assert session.fork().execute("print(counted, ham.half(4))").stdout == "{'x': 2} 2"

    def test_an_endless_loop_ends(self, factory: SandboxFactory) -> None:
        limits = ResourceLimits(execution_timeout_ms=300)
        sandbox = factory.create_sandbox(resource_limits=limits)
        with pytest.raises(eryx.TimeoutError):
            sandbox.execute("import ham; ham.spin()")


class TestPanics:
    """A panic is an exception in Python, whatever the package asks for."""

    def test_one_that_is_caught_in_python(self, factory: SandboxFactory) -> None:
        program = (
            "for _ in range(3):\n"
            "    try: ham.pick([1, 2], 7)\n"
            "    except BaseException as error: print(type(error).__name__, error)\n"
            "print(ham.pick([5], 0))"
        )
        message = "PanicException index out of bounds: the len is 2 but the index is 7"
        assert run(factory, program).splitlines() == [message] * 3 + ["5"]

    def test_destructors_are_run_on_the_way(self, factory: SandboxFactory) -> None:
        program = (
            "called = []\n"
            "try: ham.panic_with_guard(lambda: called.append(1))\n"
            "except BaseException as error: print(called, error)"
        )
        assert run(factory, program) == "[1] as was wished"

    def test_one_that_is_caught_in_rust(self, factory: SandboxFactory) -> None:
        assert run(factory, "print(ham.catch())") == "True"

    def test_one_that_nothing_catches_in_python(self, factory: SandboxFactory) -> None:
        with pytest.raises(ExecutionError, match="index out of bounds"):
            run(factory, "ham.pick([], 0)")

    def test_a_second_one_ends_the_run(self, factory: SandboxFactory) -> None:
        sandbox = factory.create_sandbox()
        with pytest.raises(ExecutionError):
            sandbox.execute("import ham; ham.panic_twice()")
        assert factory.create_sandbox().execute("import ham; print(ham.half(2))").stdout == "1"


class TestToolchain:
    """What is said where Rust, or a part of it, is missing."""

    def find(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> str:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        with (
            Steps("ham 1", tmp_path / "log") as steps,
            pytest.raises(NativeModuleError) as caught,
        ):
            _rust.find_toolchain(steps)
        return str(caught.value)

    def test_no_cargo(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said = self.find(tmp_path, monkeypatch)
        assert said == (
            "ham 1: looking for Rust: cargo is missing: install Rust (rustup, or the packages"
            " cargo, rustc and rust-src of your system)"
        )

    def test_too_old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        version = "echo 'rustc 1.63.0 (4b91a6ea7 2022-08-08)'; echo 'release: 1.63.0'"
        said = self.find(tmp_path, monkeypatch, cargo="", rustc=version)
        assert "this is rustc 1.63.0 (4b91a6ea7 2022-08-08), and Rust 1.87 is needed" in said

    def test_no_sources(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        rustc = (
            'case "$*" in -vV) echo "release: 1.95.0";; *target-list) echo wasm32-wasip1;;'
            f" *sysroot) echo {tmp_path};; esac"
        )
        said = self.find(tmp_path, monkeypatch, cargo="", rustc=rustc)
        assert "`rustup component add rust-src` brings them" in said

    def test_which_packages_take_it(self, tmp_path: Path) -> None:
        def wanted(backend: str, *requires: str) -> bool:
            project = Project("ham", tmp_path, backend=backend, requires=requires)
            return _rust.is_wanted(project)

        assert wanted("maturin", "maturin>=1")
        assert wanted("setuptools.build_meta", "setuptools", "setuptools-rust>=1.5")
        assert not wanted("setuptools.build_meta", "setuptools")
