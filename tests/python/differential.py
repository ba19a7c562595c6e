"""The programs of tests/differential, and what runs them natively."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[1] / "differential"
PROGRAMS = DIRECTORY / "programs"
# The native Python that the expected outputs come from. Earlier ones have faults that it has not.
RECORDED = (3, 14, 8)


@dataclass(frozen=True)
class Native:
    """A native Python: how it is started, and its version."""

    command: tuple[str, ...]
    version: tuple[int, int, int]


def sources() -> dict[str, str]:
    """The programs by name, which is `area/name`."""
    paths = sorted(PROGRAMS.glob("*/*.py"))
    return {f"{path.parent.name}/{path.stem}": path.read_text("utf-8") for path in paths}


def expected_path(name: str) -> Path:
    """Where the output is that a program has natively."""
    return PROGRAMS / f"{name}.out"


def find_native() -> Native | None:
    """CPython 3.14: ERYX_NATIVE_PYTHON, which is a command, or one in PATH; None without one."""
    found = os.environ.get("ERYX_NATIVE_PYTHON") or shutil.which("python3.14")
    if not found:
        return None
    command = tuple(shlex.split(found))
    question = "import sys; print(sys.implementation.name, *sys.version_info[:3])"
    try:
        done = subprocess.run(
            [*command, "-c", question], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    implementation, *numbers = done.stdout.split()
    major, minor, micro = map(int, numbers)
    if implementation != "cpython" or (major, minor) != (3, 14):
        return None
    return Native(command, (major, minor, micro))


def run_natively(native: Native, programs: dict[str, str]) -> dict[str, str]:
    """What the programs write, by name."""
    runner = (DIRECTORY / "run_native.py").read_text("utf-8")
    done = subprocess.run(
        [*native.command, "-c", runner],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=True,
    )
    texts: dict[str, str] = json.loads(done.stdout)
    return texts
