"""The distribution eryx-sandbox: its name, and others that are in its place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import eryx
from native_helpers import make_wheel

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
