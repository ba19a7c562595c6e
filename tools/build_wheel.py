"""Builds the wheel: ``python tools/build_wheel.py OUTPUT_DIRECTORY``.

Has to be run by the Python of the tools (`.venv`), which has scikit-build-core, wheel and ziglang;
nothing is fetched. The native parts are built by zig against glibc 2.28, which is what the platform
tag promises.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from toolchain.lock import load_lock  # noqa: E402
from tools.sbom import FILE_NAME, make_sbom  # noqa: E402

PLATFORM = "manylinux_2_28_x86_64"


# What is made of all the libraries, by path in the wheel.
BUILT = ("eryx/_eryx.abi3.so", "eryx/image.bin", "eryx/stdlib.bin", "eryx/seeds.bin")


def add_sbom(wheel: Path, scratch: Path) -> None:
    """Puts the bill of materials where PEP 770 says, and writes the wheel anew."""
    command = [sys.executable, "-m", "wheel"]
    subprocess.run(
        [*command, "unpack", "--dest", str(scratch), str(wheel)], check=True, capture_output=True
    )
    name, version = wheel.name.split("-")[:2]
    tree = scratch / f"{name}-{version}"
    document = make_sbom(
        version, load_lock(), [(path, (tree / path).read_bytes()) for path in BUILT]
    )
    folder = tree / f"{name}-{version}.dist-info" / "sboms"
    folder.mkdir()
    (folder / FILE_NAME).write_text(document)
    wheel.unlink()
    subprocess.run(
        [*command, "pack", "--dest-dir", str(wheel.parent), str(tree)],
        check=True,
        capture_output=True,
    )


def main() -> int:
    """Builds, tags and prints the path of the wheel."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    output = Path(sys.argv[1]).resolve()
    output.mkdir(parents=True, exist_ok=True)
    guest = Path(os.environ.get("ERYX_GUEST_DIR", ROOT / "build" / "guest")).resolve()
    for name in ("libguest.a", "image.bin", "stdlib.bin", "seeds.bin"):
        if not (guest / name).is_file():
            print(f"{guest / name} is missing: run python3 -m toolchain first", file=sys.stderr)
            return 1
    environment = {**os.environ, "ERYX_ZIG_PYTHON": sys.executable}
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
                *("--no-build-isolation", "--wheel-dir", scratch, str(ROOT)),
                f"-Ccmake.define.ERYX_GUEST_DIR={guest}",
                f"-Ccmake.define.CMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / 'zig-toolchain.cmake'}",
            ],
            check=True,
            env=environment,
        )
        (built,) = Path(scratch).glob("eryx_sandbox-*.whl")
        tagged = subprocess.run(
            [
                *(sys.executable, "-m", "wheel", "tags", "--remove"),
                *("--platform-tag", PLATFORM, str(built)),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()[-1]
        add_sbom(Path(scratch) / tagged, Path(scratch))
        target = output / tagged
        target.unlink(missing_ok=True)
        shutil.move(str(Path(scratch) / tagged), target)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
