"""Source archives that come as crates: Cargo fetches them, the lock file says which bytes they are.

Only the archive is taken. Nothing in it is run as a crate, and what it depends on is not used.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from toolchain.cache import Cache, key_of
from toolchain.errors import BuildError
from toolchain.lock import Crate, check_bytes
from toolchain.process import run_tool

MANIFEST = """\
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"

[lib]
path = "fetch.rs"

[dependencies]
{name} = "={version}"
"""


def _cargo_home() -> Path:
    named = os.environ.get("CARGO_HOME")
    return Path(named) if named else Path.home() / ".cargo"


def fetch_archive(crate: Crate, work: Path, expected: str | None = None) -> Path:
    """Lets Cargo fetch a crate; gives the archive, after a look at its hash if one is expected.

    work: a directory that is written to.
    """
    cargo = shutil.which("cargo")
    if cargo is None:
        raise BuildError("cargo is missing: run python3 -m toolchain.setup")
    (work / "fetch.rs").touch()
    # What follows "+" is not part of a requirement.
    version = crate.version.partition("+")[0]
    (work / "Cargo.toml").write_text(MANIFEST.format(name=crate.name, version=version))
    run_tool(
        [cargo, "fetch", "--manifest-path", str(work / "Cargo.toml")],
        log=work / "cargo.log",
    )
    name = f"{crate.name}-{crate.version}.crate"
    found = list((_cargo_home() / "registry" / "cache").glob(f"*/{name}"))
    if not found:
        raise BuildError(f"cargo fetched no {name}")
    for archive in found:
        if expected is not None:
            check_bytes(name, archive.read_bytes(), expected)
    return found[0]


def extract(crate: Crate, output: Path, cache: Cache) -> Path:
    """Writes a crate's files below a directory; gives the directory that they are in.

    Raises BuildError if it cannot be fetched, or is not what the lock file says.
    """

    def fetch(work: Path) -> None:
        data = fetch_archive(crate, work, crate.sha256).read_bytes()
        for path in list(work.iterdir()):
            path.unlink()
        (work / "archive.crate").write_bytes(data)

    key = key_of({"crate": crate.name, "sha256": crate.sha256})
    entry = cache.find("crate", key) or cache.store("crate", key, fetch)
    with tarfile.open(entry / "archive.crate") as archive:
        archive.extractall(output, filter="data")
    return output / f"{crate.name}-{crate.version}"
