"""Debian's packages and sources of a newer suite, through apt, which checks their signatures.

Nothing is installed and no file of the system is touched: apt gets directories of its own, so that
it needs no rights. The mirror is the one that the machine uses already.
"""

from __future__ import annotations

import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.lock import sha256

SUITE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TIMEOUT_SECONDS = 600


def download(names: list[str], output: Path) -> list[Path]:
    """Downloads binary packages into output; gives their files in the same order."""
    with _apt("deb", output.parent) as options:
        _run("apt-get", *options, "--quiet", "download", *names, directory=output)
    return [_only(output, f"{name}_*.deb") for name in names]


def unpack(package: Path, output: Path) -> None:
    """Unpacks a binary package."""
    _run("dpkg-deb", "--extract", str(package), str(output))


def source(name: str, version: str, file: str, digest: str, output: Path) -> Path:
    """Downloads the files of a source package into output; gives one of them.

    Raises BuildError if Debian has another version by now, or the file another SHA-256.
    """
    with _apt("deb-src", output.parent) as options:
        wanted = f"{name}={version}"
        command = ("--quiet", "source", "--download-only", "--only-source", wanted)
        _run("apt-get", *options, *command, directory=output)
    found = output / file
    if not found.is_file():
        raise BuildError(f"the source package {wanted} has no {file}")
    if sha256(found) != digest:
        raise BuildError(f"{file} is not what the lock file says: its SHA-256 is {sha256(found)}")
    return found


def _only(directory: Path, pattern: str) -> Path:
    found = list(directory.glob(pattern))
    if len(found) != 1:
        raise BuildError(f"apt did not download {pattern}")
    return found[0]


@contextmanager
def _apt(kind: str, scratch_in: Path) -> Iterator[list[str]]:
    """Options for apt with the lists of the suite. kind: of the lines in sources.list."""
    with tempfile.TemporaryDirectory(dir=scratch_in, prefix=".apt-") as name:
        scratch = Path(name)
        sources = scratch / "sources.list"
        sources.write_text(f"{kind} [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
        for directory in ("state/lists/partial", "cache/archives/partial", "parts"):
            (scratch / directory).mkdir(parents=True)
        (scratch / "status").touch()
        options = [
            f"-oDir::State={scratch / 'state'}",
            f"-oDir::State::status={scratch / 'status'}",
            f"-oDir::Cache={scratch / 'cache'}",
            f"-oDir::Etc::SourceList={sources}",
            f"-oDir::Etc::SourceParts={scratch / 'parts'}",
            "-oDir::Etc::Preferences=-",
            f"-oDir::Etc::PreferencesParts={scratch / 'parts'}",
            "-oAcquire::Languages=none",
            "-oAcquire::Retries=3",
            "-oAPT::Sandbox::User=root",
            "-oAPT::Update::Post-Invoke-Success=",
            "-oAPT::Get::List-Cleanup=false",
        ]
        _run("apt-get", *options, "--quiet", "update")
        yield options


def mirror() -> str:
    """The address of the Debian archive that the machine's apt has been told to use."""
    listed = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    for address in listed.split():
        if urllib.parse.urlsplit(address).path.strip("/").split("/")[-1] == "debian":
            return address
    raise BuildError("apt of this machine has no Debian mirror to fetch from")


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
    except OSError as error:
        raise BuildError(f"{command[0]}, which this takes, cannot be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{command[0]} took more than {_TIMEOUT_SECONDS} s") from error
    if done.returncode != 0:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip()[-1000:]}")
    return done.stdout
