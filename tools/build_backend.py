"""What `pip install` of the source calls (PEP 517): makes the guest, then the wheel.

It takes nothing but Python itself, so that it can say in one sentence what is missing. All else is
installed into `.venv` of the source, as `make wheel` does, whose wheel is the same.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"

# What says that the guest is there and that these are the tools' own calls (tools/build_wheel.py).
GUEST_SETTING = "cmake.define.ERYX_GUEST_DIR"

Settings = dict[str, str | list[str]]


def get_requires_for_build_sdist(settings: Settings | None = None) -> list[str]:
    return [] if VENV_PYTHON.exists() else ["scikit-build-core>=1.1,<2"]


def build_sdist(directory: str, settings: Settings | None = None) -> str:
    from scikit_build_core import build

    return build.build_sdist(directory, settings)


def prepare_metadata_for_build_wheel(directory: str, settings: Settings | None = None) -> str:
    if GUEST_SETTING in (settings or {}):
        from scikit_build_core import build

        return build.prepare_metadata_for_build_wheel(directory, settings)
    _prepare()
    code = (
        "import sys; from scikit_build_core import build; "
        "print(build.prepare_metadata_for_build_wheel(sys.argv[1]))"
    )
    return _last_line([str(VENV_PYTHON), "-c", code, directory])


def build_wheel(
    directory: str, settings: Settings | None = None, metadata_directory: str | None = None
) -> str:
    if GUEST_SETTING in (settings or {}):
        from scikit_build_core import build

        return build.build_wheel(directory, settings, metadata_directory)
    _prepare()
    command = [str(VENV_PYTHON), "-m", "toolchain"]
    _last_line([*command, "--pgo"] if shutil.which("clang-19") else command)
    return Path(_last_line([str(VENV_PYTHON), "tools/build_wheel.py", directory])).name


def _prepare() -> None:
    """Makes .venv with what building takes, or ends with what is missing."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        _refuse(f"it is for Linux on x86-64, and this is {sys.platform} on {platform.machine()}")
    _last_line([sys.executable, "-m", "toolchain.setup", "--no-system-packages"], brief=True)


def _last_line(command: list[str], *, brief: bool = False) -> str:
    """Runs a command in the source; gives the last line that it printed, or ends with its error.

    brief: whether one line says all that is to be known of an error.
    """
    # Nothing of the environment that pip makes for the build.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        if not brief:
            print(done.stdout, done.stderr)
        reasons = [line for line in said if line.lower().startswith("error: ")]
        _refuse((reasons or said)[-1].removeprefix("ERROR: ").removeprefix("error: "))
    print(done.stdout)  # for pip --verbose
    return done.stdout.strip().splitlines()[-1]


def _refuse(reason: str) -> NoReturn:
    sys.exit(f"eryx-sandbox cannot be built from its source here: {reason}")
