"""Fetches CPython's test suite: Debian's packages of it, through apt, which checks its signature.

Nothing is installed and no file of the system is touched: apt gets directories of its own, so that
it needs no rights. The mirror is the one that the machine uses already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

# The tests, and the library, where Debian has what the tests have in common (test/support).
PACKAGES = ("libpython3.14-testsuite", "libpython3.14-stdlib")
SUITE = "forky"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TIMEOUT_SECONDS = 300


class SuiteError(Exception):
    """The test suite cannot be had."""


def cache_directory() -> Path:
    """Where the toolchain keeps what it fetches, too."""
    explicit = os.environ.get("ERYX_CACHE")
    if explicit:
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "eryx-build"


def can_fetch() -> bool:
    """Whether this machine has what fetching takes."""
    tools = ("apt-get", "apt-cache", "dpkg-deb")
    return all(shutil.which(tool) for tool in tools) and _KEYRING.is_file()


def find_suite(version: str) -> tuple[Path, str]:
    """The directory that holds the package `test`, and its version; fetched unless it is cached.

    version: the one that is wanted. If the mirror has another one by now, that one is given.
    """
    base = cache_directory() / "python-testsuite"
    wanted = base / version
    if wanted.is_dir():
        return wanted, version
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base) as scratch:
        packages = _download(Path(scratch))
        field = _run("dpkg-deb", "--field", str(packages[0]), "Version").strip()
        found = field.split("-")[0].split("+")[0].split("~")[0]
        target = base / found
        if not target.is_dir():
            unpacked = Path(scratch) / "unpacked"
            for package in packages:
                _run("dpkg-deb", "--extract", str(package), str(unpacked))
            tests = unpacked / "usr" / "lib" / "python3.14" / "test"
            if not (tests / "support").is_dir() or not (tests / "test_grammar.py").is_file():
                raise SuiteError(f"the packages of version {field} do not hold the test suite")
            kept = Path(scratch) / "kept"
            kept.mkdir()
            tests.rename(kept / "test")
            kept.rename(target)
        return target, found


def _download(scratch: Path) -> list[Path]:
    """The packages' files, in the order of PACKAGES."""
    sources = scratch / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {SUITE} main\n")
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (scratch / directory).mkdir(parents=True)
    (scratch / "status").touch()
    options = [
        f"-oDir::State={scratch / 'state'}",
        f"-oDir::State::status={scratch / 'status'}",
        f"-oDir::Cache={scratch / 'cache'}",
        f"-oDir::Etc::SourceList={sources}",
        "-oDir::Etc::SourceParts=-",
        "-oDir::Etc::Preferences=-",
        "-oDir::Etc::PreferencesParts=-",
        "-oAcquire::Languages=none",
        "-oAcquire::Retries=3",
        "-oAPT::Sandbox::User=root",
        "-oAPT::Update::Post-Invoke-Success=",
        "-oAPT::Get::List-Cleanup=false",
    ]
    _run("apt-get", *options, "--quiet", "update")
    _run("apt-get", *options, "--quiet", "download", *PACKAGES, directory=scratch)
    files = []
    for package in PACKAGES:
        found = list(scratch.glob(f"{package}_*.deb"))
        if len(found) != 1:
            raise SuiteError(f"apt did not download {package}")
        files += found
    return files


def _mirror() -> str:
    """The address of the Debian archive that the machine's apt has been told to use."""
    listed = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    for address in listed.split():
        if urllib.parse.urlsplit(address).path.strip("/").split("/")[-1] == "debian":
            return address
    raise SuiteError("apt of this machine has no Debian mirror to fetch the test suite from")


def _run(*command: str, directory: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SuiteError(f"{command[0]} took more than {_TIMEOUT_SECONDS} s") from error
    if done.returncode != 0:
        raise SuiteError(f"{command[0]} failed:\n{done.stderr.strip()[-1000:]}")
    return done.stdout
