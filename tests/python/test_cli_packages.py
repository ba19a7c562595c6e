"""Packages by name on the command line: eryx lock, eryx factory build -r, eryx --with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simple_index import Index
from wheel_files import wheel_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that pip is configured to use."""
    with Index() as running:
        for name in list(os.environ):
            if name.startswith("PIP_"):
                monkeypatch.delenv(name)
        file = tmp_path / "pip.conf"
        file.write_text(f"[global]\nindex-url = {running.url}\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
        monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path / "own-cache"))
        monkeypatch.chdir(tmp_path)
        put(running, "greet", "1.0", "words>=2")
        put(running, "words", "2.0")
        yield running


def put(index: Index, name: str, version: str, *requires: str) -> None:
    data = wheel_bytes(
        {f"{name}.py": f"version = {version!r}"},
        name=name,
        version=version,
        metadata="".join(f"Requires-Dist: {item}\n" for item in requires),
    )
    index.add(f"{name}-{version}-py3-none-any.whl", data)


def eryx(*words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "eryx", *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.usefixtures("index")
class TestLock:
    def test_names(self) -> None:
        assert eryx("lock", "greet") == "pylock.toml: greet 1.0, words 2.0\n"
        assert 'name = "words"' in Path("pylock.toml").read_text()

    def test_to_standard_output(self) -> None:
        assert eryx("lock", "words", "-o", "-").startswith('lock-version = "1.0"')
        assert not Path("pylock.toml").exists()

    def test_what_is_locked_is_kept_until_upgrade(self, index: Index) -> None:
        eryx("lock", "words", "-o", "pylock.dev.toml")
        put(index, "words", "3.0")
        assert "words 2.0" in eryx("lock", "words", "-o", "pylock.dev.toml")
        assert "words 3.0" in eryx("lock", "words", "-o", "pylock.dev.toml", "--upgrade")

    def test_files_of_requirements(self, index: Index) -> None:
        put(index, "words", "3.0")
        Path("limits.txt").write_text("words<3\n")
        Path("requirements.txt").write_text("greet\n")
        assert "words 2.0" in eryx("lock", "-r", "requirements.txt", "-c", "limits.txt")
        project = "[project]\ndependencies = ['greet']\n[dependency-groups]\ntest = ['words']\n"
        Path("pyproject.toml").write_text(project)
        assert eryx("lock", "-o", "a.toml") == "a.toml: greet 1.0, words 3.0\n"
        assert eryx("lock", "-r", "pyproject.toml", "--group", "test", "-o", "b.toml") == (
            "b.toml: words 3.0\n"
        )

    def test_errors(self) -> None:
        error = eryx("lock", "absent", code=1)
        assert error == "eryx: nothing fits absent (wanted by you): there is none\n"
        assert "pyproject.toml" in eryx("lock", code=1)
        assert "is not a requirement" in eryx("lock", "a b", code=1)


@pytest.mark.usefixtures("index")
class TestFactory:
    def test_of_a_lock(self, index: Index) -> None:
        eryx("lock", "greet")
        index.requests.clear()
        command = ("factory", "build", "-r", "pylock.toml", "--import", "greet", "-o", "x.factory")
        eryx(*command)
        assert [path for path in index.requests if "simple" in path] == []
        code = "import greet, words; print(words.version)"
        assert eryx("--factory", "x.factory", "-c", code) == "2.0\n"
        assert "packages: greet 1.0, words 2.0" in eryx("factory", "inspect", "x.factory")

    def test_of_requirements_and_names(self) -> None:
        Path("requirements.txt").write_text("greet\n")
        eryx("factory", "build", "-r", "requirements.txt", "-o", "x.factory")
        eryx("factory", "build", "--with", "words", "-o", "y.factory")
        assert "packages: words 2.0" in eryx("factory", "inspect", "y.factory")


class TestWith:
    def test_a_program_has_what_it_names(self, index: Index) -> None:
        code = "import greet, words; print(greet.version, words.version)"
        assert eryx("--with", "greet", "-c", code) == "1.0 2.0\n"
        index.requests.clear()
        assert eryx("--with", "greet", "-c", code) == "1.0 2.0\n"
        assert index.requests == []  # nothing is asked again
        put(index, "words", "3.0")
        assert eryx("--with", "greet", "--refresh", "-c", code) == "1.0 3.0\n"

    def test_several(self, index: Index) -> None:
        put(index, "words", "3.0")
        code = "import greet, words; print(words.version)"
        assert eryx("--with", "greet", "--with", "words<3", "-c", code) == "2.0\n"

    def test_without_a_network_what_there_was_is_taken(self, index: Index, tmp_path: Path) -> None:
        code = "import words; print(words.version)"
        eryx("--with", "words", "-c", code)
        for lock in (tmp_path / "own-cache" / "locks").iterdir():
            os.utime(lock, (0, 0))
        index.answers["/simple/words/"] = (500, {}, b"")
        assert eryx("--with", "words", "-c", code) == "2.0\n"
        assert "HTTP status 500" in eryx("--with", "words", "--refresh", "-c", code, code=1)

    def test_not_with_a_factory(self) -> None:
        assert "--with" in eryx("--factory", "x", "--with", "a", "-c", "1", code=2)


class TestProgress:
    def test_a_bar_on_a_terminal_that_strangers_names_do_not_move(self) -> None:
        import io

        from eryx._cli_progress import Progress

        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

            def fileno(self) -> int:
                return follower

        leader, follower = os.openpty()
        try:
            stream = Terminal()
            with Progress(1, stream) as progress:
                report = progress.report()
                report.begin("a-1.0\x1b[2J.whl")
                report.advance(5_000_000, 10_000_000)
            shown = stream.getvalue()
        finally:
            os.close(leader)
            os.close(follower)
        assert "\x1b[2J" not in shown
        assert "############............" in shown
        assert "5.0 MB of 10.0" in shown
        assert shown.endswith("\r\x1b[K")
