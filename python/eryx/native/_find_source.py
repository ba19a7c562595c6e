"""Source distributions: given by path, or fetched by name as pip would."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eryx.native._errors import NativeModuleError
from eryx.packages._standards import Requirement, canonicalize_name

_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
_FETCH = Path(__file__).with_name("_fetch_source.py")
_DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"


@dataclass(frozen=True)
class Project:
    """An unpacked source distribution.

    label: what messages call it; tree: where it is; name: as names are compared, or empty;
    requires: what its build takes; paths: where its backend is found before all others.
    """

    label: str
    tree: Path
    name: str = ""
    version: str = ""
    requires_python: str | None = None
    requires: tuple[str, ...] = ()
    backend: str = _DEFAULT_BACKEND
    paths: tuple[str, ...] = ()
    description: dict[str, Any] = field(default_factory=dict)


def is_path(source: str) -> bool:
    """Whether a text means a file or a folder and no name, as pip sees it."""
    looks = os.sep in source or source.startswith(".")
    return looks or source.lower().endswith(_ARCHIVES)


def _pip(label: str, python: str) -> str:
    """A Python that has pip."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    done = subprocess.run([python, "-I", "-m", "pip", "--version"], capture_output=True)
    if done.returncode:
        raise NativeModuleError(
            f"{label}: fetching it: pip is missing: install it (`python -m ensurepip`), or give the"
            " source archive"
        )
    return python


def fetch(requirement: str, directory: Path) -> Path:
    """Fetches the source archive of a package from where pip takes packages.

    requirement: a name, with versions if they matter. The newest one that is for the guest's Python
    is taken.

    Raises NativeModuleError if there is none.
    """
    try:
        wanted = Requirement(requirement)
    except ValueError as error:
        raise NativeModuleError(f"{error}; folders are written as ./name") from None
    if wanted.url is not None:
        raise NativeModuleError(f"{requirement}: give the archive itself, not an address")
    directory.mkdir(parents=True, exist_ok=True)
    python = _pip(requirement, sys.executable)
    command = [python, "-I", str(_FETCH), wanted.name, str(wanted.specifier), str(directory)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    path = Path(done.stdout.strip())
    if done.returncode or not path.is_file():
        said = done.stderr.strip()[-2000:]
        raise NativeModuleError(f"{requirement}: fetching its source archive: {said}")
    return path


def unpack(source: Path, target: Path) -> Path:
    """The tree of a source distribution (an archive or a directory), in target."""
    try:
        if source.is_dir():
            return Path(shutil.copytree(source, target / "source", symlinks=True))
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(target)
        else:
            with tarfile.open(source) as archive:
                archive.extractall(target, filter="data")
    except (OSError, shutil.Error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise NativeModuleError(f"{source}: it cannot be unpacked: {error}") from None
    trees = [entry for entry in target.iterdir() if entry.is_dir()]
    if len(trees) != 1:
        raise NativeModuleError(
            f"{source}: no source distribution: it has {len(trees)} directories"
        )
    return trees[0]


def read_project(source: Path, tree: Path) -> Project:
    """What a tree says of itself. Raises NativeModuleError if that cannot be read."""
    try:
        described = tomllib.loads((tree / "pyproject.toml").read_text())
    except FileNotFoundError:
        described = {}
    except (OSError, ValueError) as error:
        raise NativeModuleError(f"{source}: pyproject.toml cannot be read: {error}") from None
    project = _table(described, "project")
    build = _table(described, "build-system")
    metadata = _metadata(tree)
    name = str(project.get("name") or metadata.get("Name", ""))
    version = str(project.get("version") or metadata.get("Version", ""))
    wanted = project.get("requires-python") or metadata.get("Requires-Python")
    return Project(
        label=f"{name} {version}".strip() or source.name,
        tree=tree,
        name=canonicalize_name(name) if name else "",
        version=version,
        requires_python=str(wanted) if wanted else None,
        requires=tuple(map(str, build.get("requires", ["setuptools", "wheel"]))),
        backend=str(build.get("build-backend", _DEFAULT_BACKEND)),
        # Without a backend the old way of setuptools is meant, which finds modules beside setup.py.
        paths=tuple(build.get("backend-path", [] if "build-backend" in build else ["."])),
        description=described,
    )


def _table(description: dict[str, Any], name: str) -> dict[str, Any]:
    table = description.get(name, {})
    return table if isinstance(table, dict) else {}


def _metadata(tree: Path) -> dict[str, str]:
    """The fields of the file PKG-INFO that source archives have."""
    try:
        head = (tree / "PKG-INFO").read_text(errors="replace").partition("\n\n")[0]
    except OSError:
        return {}
    return dict(re.findall(r"^(Name|Version|Requires-Python): *(.+?) *$", head, re.MULTILINE))


def content_digest(path: Path) -> str:
    """SHA-256 of a file, or of all names and files in a directory."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for entry in sorted(path.rglob("*")):
        name = str(entry.relative_to(path))
        if entry.is_symlink():
            digest.update(repr((name, os.readlink(entry))).encode())
        elif entry.is_file():
            digest.update(repr((name, entry.stat().st_mode, content_digest(entry))).encode())
    return digest.hexdigest()
