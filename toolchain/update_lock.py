"""Changes versions in the lock file: ``python3 -m toolchain.update_lock NAME==VERSION...``

Works for the Python packages and the crates that are in it; their new hashes are those of what pip
and Cargo download now.
Look at the difference before you commit it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from toolchain import crates, guest_packages
from toolchain.errors import BuildError
from toolchain.lock import LOCK_PATH, Crate, sha256

WHEEL = ("--only-binary", ":all:")


def fetch_hash(requirement: str, options: tuple[str, ...] = WHEEL) -> str:
    """SHA-256 of the file that pip downloads for NAME==VERSION."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *(*options, "-d", directory, requirement),
        ]
        if subprocess.run(command, check=False).returncode:
            raise BuildError(f"pip cannot download {requirement}")
        return sha256(guest_packages.only_file(Path(directory)))


def fetch_crate_hash(name: str, version: str) -> str:
    """SHA-256 of the archive that Cargo downloads."""
    with tempfile.TemporaryDirectory() as directory:
        return sha256(crates.fetch_archive(Crate(name, version, ""), Path(directory)))


def update(requirements: list[str], path: Path = LOCK_PATH) -> None:
    """Rewrites the entries of the packages named."""
    data = json.loads(path.read_text())
    for requirement in requirements:
        name, separator, version = requirement.partition("==")
        if not separator:
            raise BuildError(f"{requirement!r} is not of the form NAME==VERSION")
        if name == data["guest"]["package"]:
            data["guest"]["version"] = version
            data["guest"]["sha256"] = fetch_hash(
                requirement, (*WHEEL, "--platform", data["guest"]["platform"])
            )
            print("the frames of the guest package have to be looked up by hand")
            continue
        if name in data["crates"]:
            digest = fetch_crate_hash(name, version)
            data["crates"][name] = {"version": version, "sha256": digest}
            continue
        groups = {key: group for key, group in data["python"].items() if name in group}
        if not groups:
            raise BuildError(f"{name} is not in {path}")
        for key, group in groups.items():
            is_special = key in guest_packages.GROUPS
            options = guest_packages.pip_options(key, name) if is_special else WHEEL
            digest = fetch_hash(requirement, options)
            group[name] = {"version": version, "sha256": digest}
    path.write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    try:
        update(sys.argv[1:])
    except BuildError as error:
        sys.exit(f"error: {error}")
