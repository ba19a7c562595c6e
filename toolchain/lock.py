"""The lock file: every input of the pipeline with its version and hash."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.errors import BuildError

LOCK_PATH = Path(__file__).parent / "lock.json"


@dataclass(frozen=True)
class PythonPackage:
    name: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """A line of a requirements file for pip --require-hashes."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(frozen=True)
class GuestPackage:
    """The package that CPython for WebAssembly comes in."""

    package: PythonPackage
    platform: str
    frames: dict[str, str]  # name of the member to SHA-256 of its bytes


@dataclass(frozen=True)
class NpmPackage:
    name: str
    version: str
    integrity: str


@dataclass(frozen=True)
class Crate:
    """A package of Cargo's registry, of which the source archive is taken."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class DebianSource:
    """One file of a source package of Debian."""

    version: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Lock:
    python: dict[str, list[PythonPackage]]
    guest: GuestPackage
    npm: list[NpmPackage]
    npm_servers: dict[str, Any]  # dependencies and packages of a package-lock.json
    crates: dict[str, Crate]
    debian: dict[str, DebianSource]
    headers_sha256: str  # of python-headers.tar.xz
    newer_library_sha256: str  # of newer-library.tar.xz


def load_lock(path: Path = LOCK_PATH) -> Lock:
    """Reads the lock file; raises BuildError if it is not complete."""
    try:
        data = json.loads(path.read_text())
        guest = data["guest"]
        return Lock(
            {
                group: [
                    PythonPackage(name, entry["version"], entry["sha256"])
                    for name, entry in packages.items()
                ]
                for group, packages in data["python"].items()
            },
            GuestPackage(
                PythonPackage(guest["package"], guest["version"], guest["sha256"]),
                guest["platform"],
                dict(guest["frames"]),
            ),
            [
                NpmPackage(name, entry["version"], entry["integrity"])
                for name, entry in data["npm"].items()
            ],
            data["npm-servers"],
            {
                name: Crate(name, entry["version"], entry["sha256"])
                for name, entry in data["crates"].items()
            },
            {name: DebianSource(**entry) for name, entry in data["debian"].items()},
            data["headers"]["sha256"],
            data["newer-library"]["sha256"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(f"lock file {path} cannot be used: {error!r}") from error


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_bytes(name: str, data: bytes, expected: str) -> None:
    """Raises BuildError if data does not have the expected SHA-256."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise BuildError(
            f"{name} is not what the lock file says: expected SHA-256 {expected}, got {found}"
        )


def check_integrity(path: Path, expected: str) -> None:
    """Raises BuildError if a file does not have the expected npm integrity (sha512, base64)."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != expected:
        raise BuildError(
            f"{path.name} is not what the lock file says: expected {expected}, got {found}"
        )
