"""Fetches the package that CPython for WebAssembly comes in, and takes its parts out."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.lock import GuestPackage, sha256
from toolchain.process import run_tool
from toolchain.tools import Tools


def download(package: GuestPackage, output: Path, tools: Tools) -> None:
    """Downloads the wheel and checks its hash."""
    requirements = output / "requirements.txt"
    requirements.write_text(package.package.requirement + "\n")
    run_tool(
        [
            *(str(tools.python), "-m", "pip", "download", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--platform", package.platform, "-d", str(output), "-r", str(requirements)),
        ],
        log=output / "download.log",
    )
    wheel = find_wheel(output)
    found = sha256(wheel)
    if found != package.package.sha256:
        raise BuildError(
            f"{wheel.name} is not what the lock file says: expected SHA-256"
            f" {package.package.sha256}, got {found}"
        )


def find_wheel(directory: Path) -> Path:
    """The one wheel in a directory."""
    wheels = list(directory.glob("*.whl"))
    if len(wheels) != 1:
        raise BuildError(f"expected one wheel in {directory}, found {len(wheels)}")
    return wheels[0]


# zstandard is in the pipeline's own environment, not in the one that runs this program.
_DECOMPRESS = """
import pathlib, sys, zstandard
data = sys.stdin.buffer.read()
position = data.find(b"\\x28\\xb5\\x2f\\xfd")
count = 0
while position >= 0:
    # Most hits are chance; a real frame gives a module or an archive.
    try:
        window = data[position : position + (64 << 20)]
        frame = zstandard.ZstdDecompressor().decompressobj().decompress(window)
    except zstandard.ZstdError:
        frame = b""
    if len(frame) > 512:
        pathlib.Path(sys.argv[1], f"frame-{count}").write_bytes(frame)
        count += 1
    position = data.find(b"\\x28\\xb5\\x2f\\xfd", position + 4)
"""


def extract(wheel: Path, frames: dict[str, str], output: Path, tools: Tools) -> None:
    """Writes each frame of the lock file to output/<name>; a frame is known by its hash alone."""
    with zipfile.ZipFile(wheel) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".abi3.so")]
        if len(libraries) != 1:
            raise BuildError(f"{wheel.name} has {len(libraries)} extension modules, expected one")
        data = archive.read(libraries[0])
    result = subprocess.run(
        [str(tools.python), "-c", _DECOMPRESS, str(output)],
        input=data,
        capture_output=True,
        check=False,
    )
    if result.returncode:
        raise BuildError(
            f"cannot decompress {wheel.name}: {result.stderr.decode(errors='replace')}"
        )
    paths = sorted(output.glob("frame-*"))
    members = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    write_members(members, frames, output)


def write_members(members: list[bytes], frames: dict[str, str], output: Path) -> None:
    """Finds every wanted frame among the members by its hash and writes it."""
    by_digest = {hashlib.sha256(member).hexdigest(): member for member in members}
    for name, digest in frames.items():
        if digest not in by_digest:
            have = ", ".join(f"{d[:16]} ({len(m)} bytes)" for d, m in by_digest.items())
            raise BuildError(
                f"frame {name} is not in the package: expected SHA-256 {digest}, got only {have}"
            )
        (output / name).write_bytes(by_digest[digest])
