"""Real packages run in sandboxes; docs/packages.md says the same about them as is seen here."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

import eryx
from eryx import ResourceLimits, SandboxFactory, Session
from eryx.packages import PackageSet, collect, resolve
from real_packages import CASES, Case

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from toolchain import guest_packages  # noqa: E402
from toolchain.cache import default_root  # noqa: E402
from toolchain.lock import load_lock  # noqa: E402

DOCUMENT = ROOT / "docs" / "packages.md"
ROW = re.compile(r"^\| ([a-z0-9-]+) \| (\S+) \| (\S+) \| (.*) \|$", re.MULTILINE)


@cache
def directory() -> Path:
    """All packages of the lock file, in one directory."""
    path = Path(mkdtemp(prefix="eryx-packages-"))
    for file in guest_packages.wheels() + guest_packages.sources():
        (path / file.name).symlink_to(file)
    return path


@pytest.fixture(scope="module", autouse=True)
def remove_directory() -> object:
    yield
    if directory.cache_info().currsize:
        for file in directory().iterdir():
            file.unlink()
        directory().rmdir()
        directory.cache_clear()


def chosen_for(*requirements: str) -> tuple[PackageSet, list[str]]:
    """Packages with what they need. Compiling takes a while, so the bytecode is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ERYX_CACHE_DIR", str(default_root() / "test-bytecode"))
        chosen = resolve(requirements, find_links=directory())
        return collect(chosen, cache=True), chosen


def session_with(packages: PackageSet, chosen: list[str]) -> Session:
    """A session of a factory, which takes the bytecode that was made for the set."""
    assert packages.missing == ()
    limits = ResourceLimits(max_memory_bytes=512 << 20)
    return SandboxFactory(packages=chosen).create_session(resource_limits=limits)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def documented() -> dict[str, tuple[str, str, str]]:
    """The rows of the table: version, import time and remark by name."""
    found = {row[1]: (row[2], row[3], row[4]) for row in ROW.finditer(DOCUMENT.read_text())}
    assert len(found) >= 25
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.package)
def test_package(case: Case) -> None:
    """A package is imported and used, together with what it needs, or fails as documented."""
    packages, chosen = chosen_for(case.package, *case.extra)
    session = session_with(packages, chosen)
    if case.fails:
        with pytest.raises(eryx.ExecutionError, match=case.fails):
            session.execute(case.program)
        return
    done = session.execute(case.program)
    assert lines(done.stdout) == lines(case.output)
    version = next(str(p.version) for p in packages.packages if _same(p.name, case.package))
    code = f"import importlib.metadata; print(importlib.metadata.version({case.package!r}))"
    assert session.execute(code).stdout == version


def _same(name: str, package: str) -> bool:
    return re.sub(r"[-_.]+", "-", name).lower() == package


def test_all_together() -> None:
    """All packages fit into one set, and a session can import all of those that work."""
    packages, chosen = chosen_for(*(case.package for case in CASES))
    session = session_with(packages, chosen)
    works = [case for case in CASES if not case.fails]
    for case in works:
        session.execute(f"import {case.imports}")
    count = session.execute("import sys; print(len(sys.modules))").stdout
    assert int(count) > 1000


class TestDocument:
    def test_same_packages(self) -> None:
        assert list(documented()) == sorted(case.package for case in CASES)
        assert len(CASES) >= 25

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.package)
    def test_row(self, case: Case) -> None:
        """Versions are those of the lock file, and the table says what works."""
        version, time, remark = documented()[case.package]
        lock = load_lock().python
        locked = {package.name: package.version for package in lock["guest-sources"]}
        locked |= {package.name: package.version for package in lock["guest-packages"]}
        assert version == locked[case.package]
        assert remark.startswith("**does not work**") == bool(case.fails)
        assert (time == "–") == bool(case.fails)
