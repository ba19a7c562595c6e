"""Fetches what recipes are made of: source archives and wheels of PyPI, sources of Debian.

Everything is in the lock file with its hash, and kept in the cache of the build.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from toolchain.cache import Cache, key_of
from toolchain.errors import BuildError
from toolchain.guest_packages import WHEEL_OPTIONS
from toolchain.lock import Lock, PythonPackage, sha256
from toolchain.process import run_tool

SOURCES = "science-sources"
WHEELS = "science-wheels"
TESTS = "science-tests"

# pip asks the backend of a source archive for its metadata, for which many want a compiler; this
# one gives what the archive says of itself.
_BACKEND = """\
import sys
from pathlib import Path

__legacy__ = sys.modules[__name__]
__all__ = ["get_requires_for_build_wheel", "prepare_metadata_for_build_wheel"]

def prepare_metadata_for_build_wheel(directory, settings=None):
    text = Path("PKG-INFO").read_text()
    lines = text.split("\\n\\n")[0].splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    name = f"{fields['Name'].replace('-', '_')}-{fields['Version']}.dist-info"
    Path(directory, name).mkdir()
    Path(directory, name, "METADATA").write_text(text)
    return name

def get_requires_for_build_wheel(settings=None):
    return []

class Backend:
    # What backends that packages bring along are made of.

    def build_wheel(self, *_):
        raise NotImplementedError

build_wheel = Backend().build_wheel
"""
_BACKENDS = (
    *("mesonpy", "maturin", "backend", "setuptools/build_meta", "setuptools/__init__"),
    *("hatchling/build", "hatchling/__init__"),
)


def _package(lock: Lock, group: str, name: str) -> PythonPackage:
    for package in lock.python.get(group, []):
        if package.name == name:
            return package
    raise BuildError(f"{name} is not in the group {group} of the lock file")


def archive(name: str, lock: Lock, cache: Cache) -> Path:
    """The source archive of a package."""
    return _fetched(_package(lock, SOURCES, name), SOURCES, cache)


def is_fetched(name: str, lock: Lock, cache: Cache) -> bool:
    """Whether the source archive of a package is in the cache."""
    return _entry(_package(lock, SOURCES, name), SOURCES, cache) is not None


def wheel(name: str, lock: Lock, cache: Cache, group: str = WHEELS) -> Path:
    """A wheel of pure Python."""
    return _fetched(_package(lock, group, name), group, cache)


def version(name: str, lock: Lock) -> str:
    """The version of a source archive."""
    return _package(lock, SOURCES, name).version


def _entry(package: PythonPackage, group: str, cache: Cache) -> Path | None:
    return cache.find(group, key_of({"requirement": package.requirement}))


def _fetched(package: PythonPackage, group: str, cache: Cache) -> Path:
    key = key_of({"requirement": package.requirement})
    entry = _entry(package, group, cache) or cache.store(
        group, key, partial(_download, package=package, group=group)
    )
    (found,) = (path for path in entry.iterdir() if path.suffix in (".gz", ".whl"))
    return found


def _download(output: Path, *, package: PythonPackage, group: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for backend in _BACKENDS:
            file = directory / "backends" / f"{backend}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("" if backend.endswith("__init__") else _BACKEND)
        requirements = directory / "requirements.txt"
        requirements.write_text(f"{package.requirement}\n")
        is_source = group == SOURCES
        options = ("--no-binary", ":all:", "--no-build-isolation", "--ignore-requires-python")
        run_tool(
            [
                *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check"),
                *("--require-hashes", "--no-deps", *(options if is_source else WHEEL_OPTIONS)),
                *("-d", str(directory / "found"), "-r", str(requirements)),
            ],
            log=directory / "download.log",
            environment={**_environment(), "PYTHONPATH": str(directory / "backends")},
        )
        files = [file for file in (directory / "found").iterdir() if file.is_file()]
        found = [file for file in files if sha256(file) == package.sha256]
        if len(found) != 1:
            raise BuildError(f"the file of {package.name} is not what the lock file says")
        shutil.copy(found[0], output)


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)


def unpack(archive: Path, output: Path) -> None:
    """Unpacks an archive with one folder in it, whose contents become those of output."""
    output.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["tar", "xf", str(archive), "-C", str(output), "--strip-components=1"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{archive.name} cannot be unpacked: {done.stderr.strip()}")


def apply(patches: list[Path], tree: Path, log: Path) -> None:
    """Changes a tree. Raises BuildError if a patch does not fit."""
    for patch in patches:
        run_tool(["patch", "--batch", "--fuzz=0", "-p1", "-i", str(patch)], log=log, directory=tree)
