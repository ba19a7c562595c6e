"""Prepares a machine for the build: system packages, and .venv with what is needed.

Run as ``python3 -m toolchain.setup``, with --development for the tests and linters too. System
packages are installed only as root on a system with apt-get; elsewhere the program says what is
missing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from toolchain import guest_packages, mcp_servers, rust
from toolchain.command import exit_status
from toolchain.errors import BuildError
from toolchain.lock import load_lock
from toolchain.process import run_tool
from toolchain.tools import install_packages

ROOT = Path(__file__).resolve().parents[1]

# Groups of the lock file that are installed into .venv.
BUILD_GROUPS = ("tools", "wheel")
GROUPS = (*BUILD_GROUPS, "development")

# Program to Debian package.
SYSTEM_PROGRAMS = {
    "make": "make",
    "gcc": "gcc",
    "cmake": "cmake",
    "cargo": "cargo",
    "patch": "patch",
    "xz": "xz-utils",
}
SYSTEM_FILES = {"/usr/include/stdio.h": "libc6-dev"}

# Debian 12's own Cargo does not know today's registry; this one is kept new.
NEWER_CARGO = "cargo-web"

# Program to Debian package, of what only tests want; they are skipped without it.
TEST_PROGRAMS = {"/usr/sbin/nginx": "nginx", "/usr/bin/redis-server": "redis-server"}


def missing_system_packages() -> list[str]:
    """Debian packages of what the build needs and this machine has not."""
    missing = [name for program, name in SYSTEM_PROGRAMS.items() if not shutil.which(program)]
    missing += [name for path, name in SYSTEM_FILES.items() if not Path(path).exists()]
    return missing if _has_whole_perl() else [*missing, "perl"]


def _has_whole_perl() -> bool:
    """Whether Perl has the modules that OpenSSL's Configure wants; Debian's perl-base has not."""
    command = ["perl", "-MIPC::Cmd", "-MFile::Compare", "-e", "1"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install_system_packages(missing: list[str], log: Path) -> None:
    """Installs Debian packages; raises BuildError that names them if that cannot be done here."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        raise BuildError(f"missing on this machine, to be installed as root: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        [apt, "update", "-q"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if "cargo" in missing:
        known = subprocess.run(["apt-cache", "show", NEWER_CARGO], capture_output=True, check=False)
        if known.returncode == 0:
            missing = [NEWER_CARGO if name == "cargo" else name for name in missing]
    run_tool(
        [apt, "install", "-y", "-q", "--no-install-recommends", *missing],
        log=log,
        environment=environment,
    )


def missing_test_packages() -> list[str]:
    """Debian packages of what tests want and this machine could have, but has not."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return []
    return [name for path, name in TEST_PROGRAMS.items() if not Path(path).exists()]


def prepare(*, development: bool, system_packages: bool = True) -> Path:
    """Makes the machine ready to build, and to test and work on the project; gives .venv's Python.

    system_packages: whether to install what is missing of the system's, where that can be done.

    Raises BuildError that names what is missing.
    """
    logs = ROOT / "build" / "log"
    missing = missing_system_packages() + (missing_test_packages() if development else [])
    if missing and not system_packages:
        raise BuildError(f"missing on this machine: {' '.join(missing)}")
    if missing:
        print("installing:", *missing, flush=True)
        install_system_packages(missing, logs / "apt.log")
    lock = load_lock()
    for group in GROUPS if development else BUILD_GROUPS:
        python = install_packages(ROOT, lock.python[group], group, logs / f"{group}.log")
    if development:
        guest_packages.wheels(lock=lock, python=python)
        guest_packages.sources(lock=lock, python=python)
        rust.prepare(logs)
        mcp_servers.install(lock=lock)
    return python


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m toolchain.setup")
    parser.add_argument(
        "--development", action="store_true", help="also what tests and linters use"
    )
    parser.add_argument(
        "--no-system-packages", action="store_true", help="install no packages of the system"
    )
    arguments = parser.parse_args()
    return exit_status(
        lambda: print(
            prepare(
                development=arguments.development,
                system_packages=not arguments.no_system_packages,
            )
        )
    )


if __name__ == "__main__":
    sys.exit(main())
