"""The Python that packages are built with: Debian's 3.14, unpacked where it can be used as it is.

numpy and others are built with Python 3.12 or later, and a machine may have none. Nothing is
installed: the interpreter is told where its own loader and libraries are.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from toolchain import debian
from toolchain.cache import Cache, key_of
from toolchain.errors import BuildError
from toolchain.lock import PythonPackage
from toolchain.process import run_tool

VERSION = "3.14"
PACKAGES = (
    *("python3.14", "python3.14-minimal", "python3.14-venv", "python3-pip-whl"),
    *("libpython3.14-minimal", "libpython3.14-stdlib"),
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libbz2-1.0", "liblzma5", "libzstd1"),
    *("libexpat1", "libffi8", "libsqlite3-0", "libssl3t64", "libuuid1"),
)
_WHEELS = "/usr/share/python-wheels/"


def find(cache: Cache, patchelf: Path) -> Path:
    """The interpreter, fetched unless it is there. patchelf: the program of that name.

    Which 3.14 it is depends on the day when it was fetched, as Debian keeps one version of each
    package; apt checks its signature.
    """
    key = key_of({"packages": PACKAGES, "suite": debian.SUITE})
    entry = cache.find("build-python", key)
    if entry is None:
        entry = cache.store("build-python", key, partial(_build, patchelf=patchelf, cache=cache))
        # It has to know where it lies, which is known only now.
    return _placed(entry, patchelf)


def _build(output: Path, patchelf: Path, cache: Cache) -> None:
    packages = output / "packages"
    packages.mkdir()
    for package in debian.download(list(PACKAGES), packages):
        debian.unpack(package, output / "root")
        package.unlink()
    packages.rmdir()
    # What is linked to the whole file system is no part of an entry.
    for link in output.rglob("*"):
        if link.is_symlink() and not link.exists():
            link.unlink()
    if not (output / "root" / "usr" / "bin" / f"python{VERSION}").is_file():
        raise BuildError(f"Debian's packages have no python{VERSION}")


def _placed(entry: Path, patchelf: Path) -> Path:
    """The interpreter of an entry, beside which it finds all of its own."""
    root = entry / "root"
    stamp = entry.with_name(f"{entry.name}.placed")
    target = stamp / "usr" / "bin" / f"python{VERSION}"
    if target.exists():
        return target
    partial_root = stamp.with_suffix(".partial")
    run_tool(["rm", "-rf", str(partial_root), str(stamp)], log=entry.parent / "placed.log")
    run_tool(["cp", "-a", str(root), str(partial_root)], log=entry.parent / "placed.log")
    program = partial_root / "usr" / "bin" / f"python{VERSION}"
    loader = "usr/lib64/ld-linux-x86-64.so.2"
    libraries = "usr/lib/x86_64-linux-gnu"
    run_tool(
        [
            *(str(patchelf), "--set-interpreter", str(stamp / loader)),
            *("--force-rpath", "--set-rpath", str(stamp / libraries), str(program)),
        ],
        log=entry.parent / "placed.log",
    )
    for file in (partial_root / "usr/lib/python3.14").glob("_sysconfigdata_*.py"):
        file.write_text(file.read_text().replace(f"'{_WHEELS}'", f"'{stamp}{_WHEELS}'"))
    partial_root.rename(stamp)
    return target


def environment(python: Path, directory: Path, packages: list[PythonPackage]) -> Path:
    """A virtual environment with packages, made in directory; gives its interpreter."""
    log = directory.parent / f"{directory.name}.log"
    run_tool([str(python), "-m", "venv", str(directory)], log=log)
    own = directory / "bin" / "python"
    if packages:
        requirements = directory / "requirements.txt"
        requirements.write_text("".join(f"{package.requirement}\n" for package in packages))
        run_tool(
            [
                *(str(own), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"),
                *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
                *("-r", str(requirements)),
            ],
            log=log,
        )
    return own
