"""Which Python builds a package: the one that runs, or another one of this machine that fits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eryx.native._errors import NativeModuleError
from eryx.packages._standards import SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Iterator

# The guest's own version comes first: the build then sees what the package will run on.
_MINORS = (14, 13, 12, 11, 15, 16)
_MANAGERS = (("PYENV_ROOT", "~/.pyenv", "versions"), ("", "~/.local/share/uv", "python"))
_ASK = """\
import json, sys, sysconfig
paths = [sysconfig.get_path(name) for name in ("include", "platinclude")]
print(json.dumps([sys.executable, "%d.%d.%d" % sys.version_info[:3], paths]))
"""
_ASK_TIMEOUT_S = 20


@dataclass(frozen=True)
class Python:
    """An interpreter of this machine.

    includes: where its own headers lie, which are not those of the guest.
    """

    program: str
    version: str
    includes: tuple[str, ...]

    @property
    def tag(self) -> str:
        """As in names of files: cpython-312."""
        major, minor, *_ = self.version.split(".")
        return f"cpython-{major}{minor}"


def ask(program: str) -> Python | None:
    """What a program says of itself; None if it is no Python that runs."""
    try:
        done = subprocess.run(
            [program, "-I", "-c", _ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
        )
        found, version, includes = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Python(str(found), str(version), tuple(map(str, includes)))


def _others() -> Iterator[str]:
    """Programs of this machine that may be a Python, each at most once."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    names = [f"python3.{minor}" for minor in _MINORS]
    found = [os.path.join(folder, name) for name in names for folder in folders if folder]
    for variable, home, kind in _MANAGERS:
        root = Path(os.environ.get(variable, home)).expanduser() / kind
        versions = list(root.glob("*/bin")) if root.is_dir() else []
        found += [str(path / name) for name in names for path in versions]
    seen: set[str] = set()
    for path in found:
        real = os.path.realpath(path)
        if real not in seen and os.access(path, os.X_OK):
            seen.add(real)
            yield path


def _by_uv(wanted: str) -> str | None:
    """What the tool uv has, where it is there."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    command = [uv, "python", "find", "--no-python-downloads", wanted or "3.14"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def present(label: str, wanted: str | None) -> Python:
    """The Python that runs, in whose environment the package is built.

    Raises NativeModuleError if it is none of those that the package takes.
    """
    python = ask(sys.executable)
    if python is None:
        raise NativeModuleError(f"{label}: choosing a Python: {sys.executable} does not run")
    if not SpecifierSet(wanted or "").contains(python.version):
        raise NativeModuleError(
            f"{label}: choosing a Python: it is built with Python {wanted}, and this is"
            f" {python.version}: run eryx with such a one, or leave --no-isolation out"
        )
    return python


def choose(label: str, wanted: str | None, named: str | None) -> Python:
    """The Python that a package is built with.

    label: of the package, for messages; wanted: which versions it says it takes; named: the
    interpreter that the caller asks for.

    Raises NativeModuleError that says which one is missing.
    """
    specifiers = SpecifierSet(wanted or "")
    if named is not None:
        path = shutil.which(named)
        python = ask(path) if path is not None else None
        if python is None:
            raise NativeModuleError(f"{label}: choosing a Python: {named} is none that runs")
        if not specifiers.contains(python.version):
            raise NativeModuleError(
                f"{label}: choosing a Python: it is built with Python {wanted}, and {named} is"
                f" {python.version}"
            )
        return python
    seen: list[str] = []
    for program in (sys.executable, *_others(), _by_uv(wanted or "")):
        python = ask(program) if program else None
        if python is None:
            continue
        if specifiers.contains(python.version):
            return python
        seen.append(python.version)
    raise NativeModuleError(
        f"{label}: choosing a Python: it is built with Python {wanted}, and this machine has"
        f" {', '.join(dict.fromkeys(seen))}: install such a one (`uv python install 3.14` does),"
        " or name it with --python"
    )
