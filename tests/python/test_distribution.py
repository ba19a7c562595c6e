"""The distribution eryx-sandbox: its name, and others that are in its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import eryx
from native_helpers import make_wheel

ROOT = Path(__file__).parents[2]
PACKAGE = Path(eryx.__file__).parent


class TestClash:
    """PyPI's `eryx` is another project, which installs a folder of the same name."""

    @pytest.fixture
    def site(self, tmp_path: Path) -> Path:
        """A folder that the package is installed in."""
        (tmp_path / "eryx").mkdir()
        for entry in PACKAGE.iterdir():
            (tmp_path / "eryx" / entry.name).symlink_to(entry)
        (tmp_path / "eryx" / "__init__.py").unlink()
        shutil.copy(PACKAGE / "__init__.py", tmp_path / "eryx")
        (tmp_path / "eryx" / "_clash.py").unlink()
        shutil.copy(PACKAGE / "_clash.py", tmp_path / "eryx")
        return tmp_path

    def run(self, site: Path) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.path.insert(0, {str(site)!r}); import eryx; print(eryx.__file__)"
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )

    @pytest.mark.parametrize(
        ("folder", "file", "content"),
        [
            ("eryx-1.2.dist-info", "RECORD", "eryx/__init__.py,sha256=x,1\n"),
            ("eryx-1.2-py3.11.egg-info", "installed-files.txt", "../eryx/__init__.py\n"),
            ("Eryx-1.2.dist-info", "top_level.txt", "eryx\n"),
        ],
    )
    def test_other_distribution_is_told(
        self, site: Path, folder: str, file: str, content: str
    ) -> None:
        (site / folder).mkdir()
        (site / folder / file).write_text(content)
        done = self.run(site)
        assert done.returncode == 1
        message = done.stderr.splitlines()[-1]
        assert message.startswith("ImportError: another distribution, ")
        assert "pip install eryx-sandbox" in message
        assert str(site / "eryx") in message

    def test_distributions_that_do_no_harm(self, site: Path) -> None:
        for folder, content in {
            "eryx_sandbox-0.1.0.dist-info": "eryx/__init__.py,sha256=x,1\n",
            "eryx-1.2.dist-info": "bin/eryx-tool,sha256=x,1\nother/eryx/__init__.py,,\n",
            "eryx-1.3.dist-info": "",
        }.items():
            (site / folder).mkdir()
            (site / folder / "RECORD").write_text(content)
        (site / "eryx-1.4.dist-info").mkdir()
        done = self.run(site)
        assert done.stdout.strip() == str(site / "eryx" / "__init__.py"), done.stderr


class TestMissingExtra:
    def test_native_is_told_alone(self, tmp_path: Path, spam_directory: Path) -> None:
        """Neither a file is named, nor is its code said to be invalid."""
        code = """
import sys
import tarfile
from eryx.native import _compile
_compile.importlib.util.find_spec = lambda name: None
_compile.shutil.which = lambda name: None
from eryx._cli import main
sys.exit(main(["precompile", "--cache", sys.argv[1], sys.argv[2]]))
"""
        (module,) = spam_directory.glob("spam*.so")
        wheel = make_wheel(tmp_path / "spam.whl", {module.name: module.read_bytes()})
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "cache"), str(wheel)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == (
            "eryx: wasm2c is missing: translating native modules takes the extra `native` "
            "(pip install 'eryx-sandbox[native]')\n"
        )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    code = f"import build_backend; build_backend.build_sdist({str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("eryx_sandbox-*.tar.gz")
    return made


class TestSourceDistribution:
    """It builds, or says in one sentence why it can't. (`make test` itself builds the checkout.)"""

    def install(
        self, archive: Path, folder: Path, variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Has pip install it into an environment of its own."""
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        return subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "--no-cache-dir", str(archive)],
            capture_output=True,
            text=True,
            env={**os.environ, **variables},
            timeout=1800,
            check=False,
        )

    def refusal(self, done: subprocess.CompletedProcess[str]) -> str:
        """What it said of why; there may be nothing else but what pip says itself."""
        assert done.returncode == 1
        report = (done.stdout + done.stderr).partition("lines of output]")[2]
        report = report or (done.stdout + done.stderr).partition("line of output]")[2]
        (line,) = report.partition("[end of output]")[0].strip().splitlines()
        assert line.startswith("eryx-sandbox cannot be built from its source here: ")
        return line.partition("here: ")[2]

    def test_what_it_holds(self, archive: Path) -> None:
        with tarfile.open(archive) as contents:
            names = {name.partition("/")[2] for name in contents.getnames()}
        tracked = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if tracked.returncode:
            pytest.skip("this is no checkout")
        wanted = {name for name in tracked.stdout.split() if not name.startswith(".ci/")}
        assert not wanted - names
        assert not {name for name in names if name.startswith(("build/", "dist/", ".venv"))}

    def test_missing_programs_are_named(self, archive: Path, tmp_path: Path) -> None:
        programs = tmp_path / "bin"
        programs.mkdir()
        for name in ("sh", "gcc", "make", "perl"):
            found = shutil.which(name)
            assert found is not None
            (programs / name).symlink_to(found)
        done = self.install(archive, tmp_path / "environment", {"PATH": str(programs)})
        assert self.refusal(done) == "missing on this machine: cmake cargo patch xz-utils"

    def test_missing_network_is_told(self, archive: Path, tmp_path: Path) -> None:
        nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
        reason = self.refusal(self.install(archive, tmp_path / "environment", nowhere))
        assert reason.startswith("No matching distribution found for ")

    def test_it_builds(self, archive: Path, tmp_path: Path) -> None:
        """With the results that the build has kept, but for what is compiled last."""
        done = self.install(archive, tmp_path, {})
        if done.returncode and "No matching distribution" in done.stdout + done.stderr:
            pytest.skip("what it takes to build cannot be fetched")
        assert done.returncode == 0, done.stdout + done.stderr
        for command in (["eryx"], ["python", "-m", "eryx"]):
            found = subprocess.run(
                [tmp_path / "bin" / command[0], *command[1:], "-c", "print('hello')"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (found.stdout, found.stderr) == ("hello\n", "")
