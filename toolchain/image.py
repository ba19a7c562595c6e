"""Builds the image tool from the host library, and images with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.process import run_tool


def build_image_tool(
    root: Path, guest: Path, build: Path, jobs: int, more_options: Sequence[str] = ()
) -> Path:
    """Builds eryx-image with CMake against the guest in a directory; gives the program."""
    if not shutil.which("cmake"):
        raise BuildError("cmake is missing: install it with the system's package manager")
    options = [
        *("-DCMAKE_BUILD_TYPE=Release", f"-DERYX_GUEST_DIR={guest}"),
        *("-DERYX_PYTHON=OFF", "-DERYX_TESTS=OFF", "-DERYX_EXAMPLES=OFF"),
        *more_options,
    ]
    build.mkdir(parents=True, exist_ok=True)
    run_tool(["cmake", "-S", str(root), "-B", str(build), *options], log=build / "configure.log")
    run_tool(
        ["cmake", "--build", str(build), "--target", "eryx-image", "--parallel", str(jobs)],
        log=build / "build.log",
    )
    tool = build / "eryx-image"
    if not os.access(tool, os.X_OK):
        raise BuildError(f"the build made no {tool}")
    return tool


def run_image_tool(
    tool: Path, arguments: Sequence[Path | str], failure: str, environment: Mapping[str, str] | None
) -> str:
    """Runs eryx-image; gives what it printed. Raises BuildError that begins with failure."""
    result = subprocess.run(
        [str(part) for part in (tool, *arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    if result.returncode:
        tail = (result.stdout[-2000:] + result.stderr[-4000:]).strip()
        raise BuildError(f"{failure} (code {result.returncode}):\n{tail}")
    return result.stdout


def build_image(
    tool: Path, archive: Path, image: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Starts Python with the library in an archive and writes its image."""
    run_image_tool(tool, ["build", archive, image], "the image could not be made", environment)
