"""Modules that are missing, and programs that install packages while they run."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eryx
from eryx.packages import Indexes, Installer
from simple_index import Index
from wheel_files import wheel_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    monkeypatch.setenv("ERYX_CACHE_DIR", str(tmp_path / "own-cache"))
    with Index() as running:
        put(running, "greet", "1.0", "words>=2")
        put(running, "words", "2.0")
        put(running, "words", "3.0")
        yield running


def put(index: Index, name: str, version: str, *requires: str, more: bytes = b"") -> None:
    data = wheel_bytes(
        {f"{name}/__init__.py": f"version = {version!r}", f"{name}/more.txt": more},
        name=name,
        version=version,
        metadata="".join(f"Requires-Dist: {item}\n" for item in requires),
    )
    index.add(f"{name}-{version}-py3-none-any.whl", data)


def session(index: Index, *allow: str, **more: object) -> eryx.Session:
    indexes = Indexes(index_url=index.url)
    installer = Installer(allow or ["greet", "words"], indexes=indexes, **more)  # type: ignore[arg-type]
    return eryx.Session(callbacks=installer.callbacks)


INSTALL = "import eryx; eryx.install({!r})"


class TestInstall:
    def test_with_all_that_it_needs(self, index: Index) -> None:
        live = session(index)
        live.execute(INSTALL.format("greet") + "\nimport greet, words")
        assert live.execute("(greet.version, words.version)").value == ["1.0", "3.0"]
        assert live.execute(INSTALL.format("greet")).value == []
        code = "import importlib.metadata as m; m.version('greet')"
        assert live.execute(code).value == "1.0"
        assert live.execute("open(greet.__path__[0] + '/more.txt').read()").value == ""

    def test_what_it_gives(self, index: Index) -> None:
        assert session(index).execute(INSTALL.format("greet")).value == ["greet 1.0", "words 3.0"]

    def test_what_is_installed_is_kept(self, index: Index) -> None:
        live = session(index)
        live.execute(INSTALL.format("words<3"))
        assert live.execute(INSTALL.format("greet")).value == ["greet 1.0"]
        assert live.execute("import words; words.version").value == "2.0"

    def test_large_packages_come_in_pieces(self, index: Index) -> None:
        data = os.urandom(1 << 20)
        put(index, "large", "1.0", more=data)
        live = session(index, "l*")
        live.execute(INSTALL.format("large"))
        code = """
import hashlib, large
hashlib.sha256(open(large.__path__[0] + "/more.txt", "rb").read()).hexdigest()
"""
        assert live.execute(code).value == hashlib.sha256(data).hexdigest()

    def test_forks_and_saved_sessions_have_it(self, index: Index, tmp_path: Path) -> None:
        live = session(index)
        live.execute(INSTALL.format("greet"))
        fork = live.fork()
        assert fork.execute("import greet; greet.version").value == "1.0"
        live.save(tmp_path / "saved")
        again = eryx.Session()
        again.load(tmp_path / "saved")
        assert again.execute("import words; words.version").value == "3.0"

    def test_async(self, index: Index) -> None:
        async def main() -> object:
            live = session(index)
            return (await live.execute_async(INSTALL.format("words"))).value

        assert asyncio.run(main()) == ["words 3.0"]


class TestLimits:
    def refused(self, live: eryx.Session, code: str, reason: str) -> None:
        with pytest.raises(eryx.ExecutionError, match=reason):
            live.execute(code)

    def test_hosts_that_allow_none(self) -> None:
        self.refused(eryx.Session(), INSTALL.format("x"), "this host allows no installing")

    def test_names_that_are_not_allowed(self, index: Index) -> None:
        live = session(index, "words")
        self.refused(live, INSTALL.format("greet"), "greet is none of the packages that may be")
        assert index.requests == []
        self.refused(
            live, INSTALL.format("words @ http://x/words-9-py3-none-any.whl"), "an address"
        )
        self.refused(live, INSTALL.format("../words"), "is not a requirement")
        self.refused(live, "import eryx; eryx.install(1)", "requirements must be str")
        self.refused(live, "import eryx; eryx.install(*['words'] * 200)", "too many packages")
        assert index.requests == []

    def test_size(self, index: Index) -> None:
        live = session(index, max_bytes=1000)
        put(index, "words", "4.0", more=bytes(2000))
        self.refused(live, INSTALL.format("words"), "and may have 1,000")

    def test_number(self, index: Index) -> None:
        live = session(index, max_installs=1)
        live.execute(INSTALL.format("words"))
        self.refused(live, INSTALL.format("words"), "no more packages may be installed")

    def test_time(self, index: Index) -> None:
        live = session(index, timeout_s=0)
        self.refused(live, INSTALL.format("words"), "the time for fetching packages is over")

    def test_compiled_code(self, index: Index) -> None:
        data = wheel_bytes(
            {"n.so": b"\0asm\1\0\0\0"}, name="n", version="1.0", tags=("cp314-cp314-wasi_wasm32",)
        )
        index.add("n-1.0-cp314-cp314-wasi_wasm32.whl", data)
        self.refused(session(index, "n"), INSTALL.format("n"), "is compiled code")

    def test_pieces_that_nobody_asked_for(self, index: Index) -> None:
        live = session(index)
        for arguments in ("token='x', number=0", "token='', number=-1"):
            self.refused(live, f"_eryx_piece.sync({arguments})", "there is no such piece")

    def test_the_quota_of_the_guest_holds(self, index: Index) -> None:
        put(index, "words", "4.0", more=os.urandom(1 << 20))
        indexes = Indexes(index_url=index.url)
        live = eryx.Session(
            callbacks=Installer(["words"], indexes=indexes).callbacks,
            resource_limits=eryx.ResourceLimits(max_vfs_bytes=100_000),
        )
        with pytest.raises(eryx.ExecutionError, match=r"OSError|Errno"):
            live.execute(INSTALL.format("words"))
        assert live.execute("1 + 1").value == 2


class TestMissing:
    def told(self, code: str, live: eryx.Sandbox | None = None) -> str:
        with pytest.raises(eryx.ExecutionError) as caught:
            (live or eryx.Sandbox()).execute(code)
        assert caught.value.exc_type == "ModuleNotFoundError"
        return caught.value.traceback or ""

    def test_names_the_way_to_get_it(self) -> None:
        text = self.told("import requests")
        assert "ModuleNotFoundError: No module named 'requests'\nThere is no module" in text
        assert "`eryx --with requests`" in text
        assert "SandboxFactory(requirements=['requests'])" in text

    def test_packages_that_are_called_otherwise(self) -> None:
        assert "--with pyyaml" in self.told("import yaml")
        assert "--with my-thing" in self.told("import my_thing.part")

    def test_compiled_ones(self) -> None:
        text = self.told("import numpy as np")
        assert "eryx-science" in text
        assert "`eryx build-wheel numpy`" in text

    def test_where_installing_is_allowed(self, index: Index) -> None:
        text = self.told("import yaml", session(index))
        assert "eryx.install('pyyaml')" in text

    @pytest.mark.parametrize(
        "code", ["import json.nothing", "import _nothing", "raise ModuleNotFoundError('own words')"]
    )
    def test_what_no_package_has(self, code: str) -> None:
        assert "--with" not in self.told(code)

    def test_programs_that_look_for_it_see_what_python_says(self, sandbox: eryx.Sandbox) -> None:
        code = """
import importlib.util
print(importlib.util.find_spec("requests"))
try:
    import requests
except ImportError as error:
    print(error)
"""
        assert sandbox.execute(code).stdout == "None\nNo module named 'requests'"
