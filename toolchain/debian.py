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

from toolchain.cache import Cache, key_of
from toolchain.errors import BuildError
from toolchain.lock import Lock, check_bytes

SUITE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = "debian-source"
_TIMEOUT_SECONDS = 600
_HELPER = "/usr/lib/apt/apt-helper"  # apt's own downloads, with its settings
_ALONE = ("-oAcquire::Retries=3", "-oAPT::Sandbox::User=root")


def download(names: list[str], output: Path) -> list[Path]:
    """Downloads binary packages into output; gives their files in the same order."""
    with _apt(output.parent) as options:
        _run("apt-get", *options, "--quiet", "download", *names, directory=output)
    return [_only(output, f"{name}_*.deb") for name in names]


def unpack(package: Path, output: Path) -> None:
    """Unpacks a binary package."""
    _run("dpkg-deb", "--extract", str(package), str(output))


def source(name: str, file: str, digest: str, output: Path) -> Path:
    """Downloads one file of a source package into output.

    It is asked for by its place in the archive, which has more than its newest lists name; what it
    is its SHA-256 tells. Raises BuildError if the archive has it no more, or with another SHA-256.
    """
    folder = name[:4] if name.startswith("lib") else name[0]
    address = f"{mirror().rstrip('/')}/pool/main/{folder}/{name}/{file}"
    found = output / file
    _run(_HELPER, *_ALONE, "download-file", address, str(found), f"SHA256:{digest}")
    check_bytes(file, found.read_bytes(), digest)
    return found


def cached_source(name: str, lock: Lock, cache: Cache) -> Path:
    """The archive of a source package in the lock file, as its authors published it."""
    wanted = lock.debian.get(name)
    if wanted is None:
        raise BuildError(f"{name} is not among the Debian sources of the lock file")

    def fetch(output: Path) -> None:
        source(name, wanted.file, wanted.sha256, output)

    key = key_of({"file": wanted.file, "sha256": wanted.sha256})
    entry = cache.find(SOURCES, key) or cache.store(SOURCES, key, fetch)
    return entry / wanted.file


def _only(directory: Path, pattern: str) -> Path:
    found = list(directory.glob(pattern))
    if len(found) != 1:
        raise BuildError(f"apt did not download {pattern}")
    return found[0]


@contextmanager
def _apt(scratch_in: Path) -> Iterator[list[str]]:
    """Options for apt with the lists of the suite."""
    with tempfile.TemporaryDirectory(dir=scratch_in, prefix=".apt-") as name:
        scratch = Path(name)
        sources = scratch / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
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
            *_ALONE,
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
