"""Fetches CPython's test suite: Debian's packages of it (toolchain/debian.py)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from toolchain import debian
from toolchain.cache import default_root
from toolchain.errors import BuildError

# The tests, and the library, where Debian has what the tests have in common (test/support).
PACKAGES = ("libpython3.14-testsuite", "libpython3.14-stdlib")


class SuiteError(Exception):
    """The test suite cannot be had."""


def can_fetch() -> bool:
    """Whether this machine has what fetching takes."""
    tools = ("apt-get", "apt-cache", "dpkg-deb")
    return all(shutil.which(tool) for tool in tools) and debian.KEYRING.is_file()


def find_suite(version: str) -> tuple[Path, str]:
    """The directory that holds the package `test`, and its version; fetched unless it is cached.

    version: the one that is wanted. If the mirror has another one by now, that one is given.
    """
    base = default_root() / "python-testsuite"
    wanted = base / version
    if wanted.is_dir():
        return wanted, version
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base) as scratch:
        try:
            packages = debian.download([*PACKAGES], Path(scratch))
            # NAME_VERSION_ARCHITECTURE.deb, where an epoch is left out.
            field = packages[0].name.split("_")[1]
            found = field.split("-")[0].split("+")[0].split("~")[0]
            target = base / found
            unpacked = Path(scratch) / "unpacked"
            for package in () if target.is_dir() else packages:
                debian.unpack(package, unpacked)
        except BuildError as error:
            raise SuiteError(str(error)) from None
        if not target.is_dir():
            tests = unpacked / "usr" / "lib" / "python3.14" / "test"
            if not (tests / "support").is_dir() or not (tests / "test_grammar.py").is_file():
                raise SuiteError(f"the packages of version {field} do not hold the test suite")
            kept = Path(scratch) / "kept"
            kept.mkdir()
            tests.rename(kept / "test")
            kept.rename(target)
        return target, found
