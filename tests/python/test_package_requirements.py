"""Files that say which packages are wanted, and what pip is configured to use."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eryx import InitializationError
from eryx.packages import Indexes, Lock, lock
from wheel_files import wheel_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PIP_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path / "own-cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with packages in wheels/, in which the test runs."""
    folder = tmp_path / "here"
    (folder / "wheels").mkdir(parents=True)
    for name in ("a", "b", "c"):
        for version in ("1.0", "2.0"):
            data = wheel_bytes({f"{name}.py": ""}, name=name, version=version)
            (folder / "wheels" / f"{name}-{version}-py3-none-any.whl").write_bytes(data)
    monkeypatch.chdir(folder)
    return folder


def names(locked: Lock) -> list[str]:
    return [f"{name} {version}" for name, version in locked.packages]


def locked(text: str, **more: object) -> list[str]:
    Path("requirements.txt").write_text(text)
    nothing = Indexes(no_index=True)
    return names(lock(files=["requirements.txt"], indexes=nothing, **more))  # type: ignore[arg-type]


@pytest.mark.usefixtures("here")
class TestRequirementsFiles:
    def test_as_pip_reads_them(self) -> None:
        Path("more.txt").write_text("c<2 # not the new one\n")
        Path("limits.txt").write_text("a<2\nabsent==1\n")
        text = """
            # comment \\
            --find-links wheels
            -r more.txt
            --constraint=limits.txt
            a \\
                >=1
            b ; sys_platform == "wasi"
            absent ; sys_platform == "win32"
        """
        assert locked("\n".join(map(str.strip, text.splitlines()))) == ["a 1.0", "b 2.0", "c 1.0"]

    def test_hashes(self) -> None:
        digest = hashlib.sha256(Path("wheels/a-1.0-py3-none-any.whl").read_bytes()).hexdigest()
        text = f"-f wheels\na --hash=sha256:{digest} --hash=sha256:{'0' * 64}\n"
        assert locked(text) == ["a 1.0"]
        with pytest.raises(InitializationError, match="has none of the hashes that are allowed"):
            locked(f"-f wheels\na --hash=sha256:{'0' * 64}\n")
        with pytest.raises(InitializationError, match=r"b-2.0.* has none of the hashes"):
            locked(f"{text}b\n")  # one hash, and all need one
        with pytest.raises(InitializationError, match="only those of sha256 count"):
            locked("a --hash=md5:00\n")

    def test_variables_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PLACE", "wheels")
        assert locked("--find-links ${PLACE}\na\n") == ["a 2.0"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("-e .", "requirements.txt:2: -e is not taken"),
            ("--trusted-host x", "--trusted-host is not taken"),
            ("./a.whl", r"requirements.txt:2: .*paths and addresses are not taken"),
            ("https://x.example/a-1.tar.gz", "paths and addresses are not taken"),
            ("a @ file:///a-1.tar.gz", "a is wanted from an address"),
            ("a b", "is not a requirement"),
            ("-r requirements.txt", "name each other without end"),
            ("-r absent.txt", "absent.txt: No such file"),
            ("--config 'x", "No closing quotation"),
            ("a --config-settings=x", "--config-settings is not taken"),
        ],
    )
    def test_what_is_not_taken(self, line: str, reason: str) -> None:
        with pytest.raises(InitializationError, match=reason):
            locked(f"\n{line}\n")


@pytest.mark.usefixtures("here")
class TestProjects:
    TEXT = """
        [project]
        name = "own"
        version = "1"
        dependencies = ["a"]
        [project.optional-dependencies]
        More_Things = ["b<2"]
        [dependency-groups]
        test = ["c==1.0", {include-group = "lint"}]
        lint = ["b"]
        circle = [{include-group = "circle"}]
        broken = ["a b"]
    """

    def locked(self, text: str = TEXT, **more: object) -> list[str]:
        Path("pyproject.toml").write_text(text)
        indexes = Indexes(no_index=True, find_links=("wheels",))
        return names(lock(files=["pyproject.toml"], indexes=indexes, **more))  # type: ignore[arg-type]

    def test_dependencies_extras_and_groups(self) -> None:
        assert self.locked() == ["a 2.0"]
        assert self.locked(extras=["more-things"]) == ["a 2.0", "b 1.0"]
        assert self.locked(groups=["test"]) == ["b 2.0", "c 1.0"]

    def test_what_is_not_there(self) -> None:
        with pytest.raises(InitializationError, match="has no extra 'absent'"):
            self.locked(extras=["absent"])
        for group, reason in (
            ("absent", "absent"),
            ("circle", "[Cc]ycl"),
            ("broken", r"(?s)pyproject.toml: .*a b"),
        ):
            with pytest.raises(InitializationError, match=reason):
                self.locked(groups=[group])

    @pytest.mark.parametrize(
        "text",
        [
            "[project",
            "project = 1",
            "[project]\ndependencies = 1",
            "[project]\ndependencies = [1]",
            "[project]\nname = 'a'\ndynamic = ['dependencies']",
            "a = " + "[" * 10_000,
        ],
    )
    def test_malformed(self, text: str) -> None:
        with pytest.raises(InitializationError, match=r"pyproject.toml: "):
            self.locked(text)


class TestPipsConfiguration:
    """The same as what `pip config list` says."""

    def pip(self, variables: Mapping[str, str]) -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **variables},
        )
        lines = (line.partition("=") for line in done.stdout.splitlines())
        return {name: value.strip("'") for name, _, value in lines}

    def test_files_and_variables(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = tmp_path / "home" / ".config" / "pip" / "pip.conf"
        own.parent.mkdir(parents=True)
        own.write_text(
            "[global]\nindex-url = https://one.example/simple\ntimeout = 7\n"
            "[install]\nextra-index-url =\n  https://two.example/\n  https://three.example/\n"
            "[freeze]\nindex-url = https://never.example\n"
        )
        monkeypatch.delenv("PIP_CONFIG_FILE")
        found = Indexes.configured()
        assert found.index_url == self.pip({})["global.index-url"] == "https://one.example/simple"
        assert found.extra_index_urls == ("https://two.example/", "https://three.example/")
        assert found.timeout_s == 7
        monkeypatch.setenv("PIP_INDEX_URL", "https://four.example/")
        assert Indexes.configured().index_url == self.pip({})[":env:.index-url"]

        named = tmp_path / "pip.conf"
        named.write_text("[global]\nno_index = true\ncert = /a.pem\nfind-links = /absent\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(named))
        monkeypatch.delenv("PIP_INDEX_URL")
        assert "global.index-url" not in self.pip({})
        found = Indexes.configured()
        assert (found.index_url, found.no_index, found.cert) == (None, True, "/a.pem")
        assert found.find_links == ()  # what is not there is passed over, as pip does
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        assert Indexes.configured() == Indexes()

    def test_malformed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "pip.conf"
        file.write_text("index-url = x\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
        with pytest.raises(InitializationError, match=r"pip.conf"):
            Indexes.configured()
