"""What the tests of packages share."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from eryx import Session
from eryx.packages import PackageSet

PLAIN = {"greet/__init__.py": "def hello():\n    return 'hello'\n", "greet/data/x.txt": "text"}


def session_with(packages: PackageSet) -> Session:
    """A session that can import packages."""
    session = Session(vfs=packages.storage, vfs_mount_path="/packages")
    session.execute("import sys; sys.path.append('/packages')")
    return session


def printed(packages: PackageSet, code: str) -> str:
    return session_with(packages).execute(dedent(code)).stdout


def write(path: Path, data: bytes | str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)
