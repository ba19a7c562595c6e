"""Wheels and source archives of pure Python for tests that run real packages in the guest.

They are the groups "guest-packages" (wheels) and "guest-sources" (of packages that have no wheel
without compiled code) of the lock file, and are kept in the cache of the build. The group
"host-sources" has archives that carry C code for the host, "native-headers" wheels with headers
that native modules are compiled with.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from toolchain.cache import Cache, default_root, key_of
from toolchain.errors import BuildError
from toolchain.inputs import find_wheel
from toolchain.lock import Lock, PythonPackage, load_lock, sha256
from toolchain.process import run_tool

GROUP = "guest-packages"
SOURCES_GROUP = "guest-sources"
HOST_GROUP = "host-sources"
HEADERS_GROUP = "native-headers"
GROUPS = (GROUP, SOURCES_GROUP, HOST_GROUP, HEADERS_GROUP)

# What pip is to take wheels for: the guest, whatever Python this is.
GUEST_PLATFORM = (
    *("--platform", "any", "--implementation", "py", "--abi", "none"),
    *("--python-version", "3.14"),
)
WHEEL_OPTIONS = ("--only-binary", ":all:", *GUEST_PLATFORM)


def pip_options(group: str, *names: str) -> tuple[str, ...]:
    """How pip is to fetch these packages of a group."""
    if group in (SOURCES_GROUP, HOST_GROUP):
        # pip runs their setup.py to ask for the metadata, with what is locked in "wheel".
        return ("--no-binary", ",".join(names), "--no-build-isolation")
    return WHEEL_OPTIONS


def _download(
    group: str, packages: list[PythonPackage], output: Path, python: Path
) -> dict[str, Path]:
    """Fetches files; gives them by their hash."""
    options = pip_options(group, *(package.name for package in packages))
    requirements = output / "requirements.txt"
    requirements.write_text("\n".join(package.requirement for package in packages) + "\n")
    run_tool(
        [
            *(str(python), "-m", "pip", "download", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", *options),
            *("-d", str(output), "-r", str(requirements)),
        ],
        log=output / "download.log",
    )
    return {sha256(file): file for file in (*output.glob("*.whl"), *output.glob("*.tar.gz"))}


def _copy(file: Path, output: Path) -> None:
    shutil.copy(file, output)


def only_file(entry: Path) -> Path:
    """The package in an entry of the cache."""
    archives = list(entry.glob("*.tar.gz"))
    return archives[0] if archives else find_wheel(entry)


def wheels(
    *names: str, lock: Lock | None = None, python: Path | None = None, cache: Cache | None = None
) -> list[Path]:
    """The wheels of packages of the group, all of them without names.

    python: an interpreter that has pip; the present one by default.
    Raises BuildError if one is not in the lock file, cannot be fetched or has another hash.
    """
    return _fetch(GROUP, names, lock, python, cache)


def sources(
    *names: str, lock: Lock | None = None, python: Path | None = None, cache: Cache | None = None
) -> list[Path]:
    """The same for source archives."""
    return _fetch(SOURCES_GROUP, names, lock, python, cache)


def host_sources(
    *names: str, lock: Lock | None = None, python: Path | None = None, cache: Cache | None = None
) -> list[Path]:
    """The same for source archives that the host is compiled of."""
    return _fetch(HOST_GROUP, names, lock, python, cache)


def native_headers(
    *names: str, lock: Lock | None = None, python: Path | None = None, cache: Cache | None = None
) -> list[Path]:
    """The same for wheels with headers."""
    return _fetch(HEADERS_GROUP, names, lock, python, cache)


def _fetch(
    group: str,
    names: tuple[str, ...],
    lock: Lock | None,
    python: Path | None,
    cache: Cache | None,
) -> list[Path]:
    packages = {package.name: package for package in (lock or load_lock()).python.get(group, [])}
    unknown = [name for name in names if name not in packages]
    if unknown:
        raise BuildError(f"not in the group {group} of the lock file: {', '.join(unknown)}")
    cache = cache or Cache(default_root())
    wanted = [packages[name] for name in names or packages]
    keys = {package.name: key_of({"requirement": package.requirement}) for package in wanted}
    found = {package.name: cache.find(group, keys[package.name]) for package in wanted}
    missing = [package for package in wanted if found[package.name] is None]
    if missing:
        with tempfile.TemporaryDirectory() as directory:
            fetched = _download(group, missing, Path(directory), python or Path(sys.executable))
            for package in missing:
                file = fetched.get(package.sha256)
                if file is None:
                    raise BuildError(f"the file of {package.name} is not what the lock file says")
                found[package.name] = cache.store(group, keys[package.name], partial(_copy, file))
    return [only_file(entry) for entry in found.values() if entry is not None]
