"""Builds wheels with native modules for sandboxes from source distributions.

The package's own build backend runs on this machine's Python, in an environment that tells it the
configuration of the guest's Python and gives it compilers for wasm32-wasi.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from eryx.native import _meson
from eryx.native._compile import (
    _private_directory,
    default_cache,
    run_tool,
    zig_environment,
    zig_program,
)
from eryx.native._cross import write_compilers
from eryx.native._errors import NativeModuleError
from eryx.packages._standards import SpecifierSet

PLATFORM = "wasi_wasm32"
HEADERS = Path(__file__).resolve().with_name("python3.14")
CONFIG_MODULE = "_sysconfigdata_eryx_wasi"
_MACRO = re.compile(
    r"(?:HAVE|SIZEOF|ALIGNOF|WITH|USE|Py|PY|STDC|DOUBLE_IS|MAJOR|SYS|TIMEMODULE|ENABLE)_\w+"
    r"|_GNU_SOURCE|_ALL_SOURCE|WITHOUT_\w+|_Py\w+"
)
# These describe the Python that runs, and it takes them for its own.
_OWN_VARIABLES = (
    *("base", "prefix", "exec_prefix", "installed_base", "installed_platbase", "platbase"),
    *("projectbase", "userbase", "srcdir", "abiflags", "py_version", "py_version_short"),
    *("py_version_nodot", "py_version_nodot_plat"),
)
_DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"


def guest_configuration() -> dict[str, Any]:
    """``sysconfig.get_config_vars()`` of the guest, asked from a sandbox."""
    from eryx._sandbox import Sandbox

    program = "import sysconfig; result = sysconfig.get_config_vars()"
    done = Sandbox().execute(program)
    if not isinstance(done.result, dict):
        raise NativeModuleError("the guest does not tell its configuration")
    return done.result


def stage_headers(configuration: dict[str, Any], target: Path) -> None:
    """Links the headers of CPython into target, with a pyconfig.h that is the guest's."""
    target.mkdir(parents=True)
    for entry in HEADERS.iterdir():
        (target / entry.name).symlink_to(entry)
    lines = ["#ifndef Py_PYCONFIG_H", "#define Py_PYCONFIG_H"]
    for name, value in sorted(configuration.items()):
        if isinstance(value, int) and value and _MACRO.fullmatch(name):
            lines.append(f"#define {name} {int(value)}")
    (target / "pyconfig.h").write_text("\n".join([*lines, "#endif", ""]))


def make_compilers(
    work: Path, headers: Path, cache: Path, *, exceptions: bool = True
) -> dict[str, str]:
    """Writes the compilers that a build backend is to use; gives the environment for it."""
    own = {sysconfig.get_path("include"), sysconfig.get_path("platinclude")}
    dropped = [*(f"-I{path}" for path in own), "-pthread", "-g", "-msse2", "-flto"]
    write_compilers(work, cache, headers, dropped, exceptions=exceptions)
    cc, cxx = str(work / "cc"), str(work / "c++")
    return {
        **zig_environment(cache),
        "CC": cc,
        "CXX": cxx,
        "LDSHARED": f"{cc} -shared",
        "LDCXXSHARED": f"{cxx} -shared",
        "AR": f"{zig_program()} ar",
        "CFLAGS": "",
        "CXXFLAGS": "",
        "LDFLAGS": "",
        "_PYTHON_SYSCONFIGDATA_NAME": CONFIG_MODULE,
        "_PYTHON_HOST_PLATFORM": PLATFORM.replace("_", "-"),
    }


def write_configuration(
    work: Path, configuration: dict[str, Any], environment: dict[str, str]
) -> Path:
    """The module that sysconfig reads in place of this Python's own; gives its directory."""
    present = {
        **configuration,
        **{name: environment[name] for name in ("CC", "CXX", "LDSHARED", "AR", "CFLAGS")},
        "LDCXXSHARED": environment["LDCXXSHARED"],
        "BLDSHARED": environment["LDSHARED"],
        "CCSHARED": "",
        "ARFLAGS": "rcs",
        "OPT": "",
        "SHLIB_SUFFIX": ".so",
        "Py_GIL_DISABLED": 0,
        # Wheels are first tagged for the Python that runs; see _retag().
        "SOABI": f"cpython-{sys.version_info[0]}{sys.version_info[1]}",
    }
    for name in _OWN_VARIABLES:
        present.pop(name, None)
    directory = work / "configuration"
    directory.mkdir()
    (directory / f"{CONFIG_MODULE}.py").write_text(f"build_time_vars = {present!r}\n")
    return directory


def unpack(source: Path, target: Path) -> Path:
    """The tree of a source distribution (a .tar.gz, a .zip or a directory), in target."""
    try:
        if source.is_dir():
            return Path(shutil.copytree(source, target / "source", symlinks=True))
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(target)
        else:
            with tarfile.open(source) as archive:
                archive.extractall(target, filter="data")
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise NativeModuleError(f"{source}: it cannot be unpacked: {error}") from None
    trees = [entry for entry in target.iterdir() if entry.is_dir()]
    if len(trees) != 1:
        raise NativeModuleError(
            f"{source}: no source distribution: it has {len(trees)} directories"
        )
    return trees[0]


_RUN_BACKEND = """\
import importlib, json, os, sys
name, _, attribute = sys.argv[1].partition(":")
sys.path[:0] = [os.path.abspath(entry) for entry in sys.argv[4:]] or []
backend = importlib.import_module(name)
for part in filter(None, attribute.split(".")):
    backend = getattr(backend, part)
backend.build_wheel(sys.argv[2], json.loads(sys.argv[3]))
"""


def build(
    source: Path,
    output: Path,
    *,
    isolation: bool,
    exceptions: bool,
    setup: list[str],
    with_wheels: list[Path],
    cache: Path | None,
) -> Path:
    """See `eryx.native.build_wheel`."""
    directory = _private_directory(cache or default_cache())
    if with_wheels and not isolation:
        raise NativeModuleError("wheels to build with are put into an environment of their own")
    with tempfile.TemporaryDirectory(prefix="eryx-build-") as work_name:
        work = Path(work_name)
        (work / "tree").mkdir()
        tree = unpack(source, work / "tree")
        described = _description(source, tree)
        project = _table(described, "build-system")
        _check_python(source, _table(described, "project"))
        python = sys.executable
        if isolation:
            requires = [*project.get("requires", ["setuptools", "wheel"])]
            python = _environment(work, [*requires, *map(_pinned, with_wheels)])
            lay_over(python, with_wheels)
        configuration = guest_configuration()
        stage_headers(configuration, work / "include")
        environment = make_compilers(work, work / "include", directory, exceptions=exceptions)
        paths = [str(write_configuration(work, configuration, environment))]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        made = work / "wheel"
        made.mkdir()
        backend = project.get("build-backend", _DEFAULT_BACKEND)
        settings: dict[str, object] = {}
        if backend == _meson.BACKEND:
            name = str(_table(described, "project").get("name", "")).lower()
            settings = _meson.settings(work, zig_program(), name, setup)
            # Meson and Ninja are looked for there.
            environment["PATH"] = os.pathsep.join(
                [os.path.dirname(python), os.environ.get("PATH", os.defpath)]
            )
        extra = project.get("backend-path", [] if "build-backend" in project else ["."])
        done = subprocess.run(
            [python, "-c", _RUN_BACKEND, backend, str(made), json.dumps(settings), *extra],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        wheels = list(made.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            said = (done.stdout + done.stderr)[-4000:].strip()
            raise NativeModuleError(f"{source}: the build failed:\n{said}")
        return _retag(wheels[0], output)


def _description(source: Path, tree: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((tree / "pyproject.toml").read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NativeModuleError(f"{source}: pyproject.toml cannot be read: {error}") from None


def _table(description: dict[str, Any], name: str) -> dict[str, Any]:
    table = description.get(name, {})
    return table if isinstance(table, dict) else {}


def _check_python(source: Path, project: dict[str, Any]) -> None:
    """The build runs on this Python, which the package has to be for."""
    wanted = project.get("requires-python")
    present = ".".join(map(str, sys.version_info[:3]))
    if isinstance(wanted, str) and not SpecifierSet(wanted).contains(present):
        raise NativeModuleError(
            f"{source}: it is built with Python {wanted}, and this is {present}: run eryx with"
            " such a one"
        )


def _environment(work: Path, requires: list[str]) -> str:
    directory = work / "environment"
    venv.create(directory, with_pip=True)
    python = str(directory / "bin" / "python")
    if requires:
        # What this Python has beside is none of the environment.
        run_tool([python, "-I", "-m", "pip", "install", "-q", *requires])
    return python


def _pinned(wheel: Path) -> str:
    """The requirement of the same version for this machine."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version}"


def lay_over(python: str, wheels: list[Path]) -> None:
    """Puts headers and static libraries of wheels for sandboxes over those for this machine, which
    builds find when they ask the package where they are."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    asked = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    site = Path(asked.stdout.strip())
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for entry in archive.infolist():
                    parts = PurePosixPath(entry.filename)
                    if parts.suffix == ".a" or (parts.suffix == ".h" and "include" in parts.parts):
                        archive.extract(entry, site)
        except (OSError, zipfile.BadZipFile) as error:
            raise NativeModuleError(f"{wheel}: it cannot be read: {error}") from None


def _retag(wheel: Path, output: Path) -> Path:
    """Copies a wheel, with tags for the guest's Python whatever Python has built it."""
    name, version, *build, python, abi, platform = wheel.stem.split("-")
    if platform != "any":
        python, abi = ("cp314", "cp314") if abi != "abi3" else (python, abi)
        platform = PLATFORM
    tag = f"{python}-{abi}-{platform}"
    output.mkdir(parents=True, exist_ok=True)
    target = output / ("-".join([name, version, *build, tag]) + ".whl")
    rows: list[tuple[str, str, str]] = []
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        record = ""
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                record = entry.filename
                continue
            if entry.filename.endswith(".dist-info/WHEEL"):
                lines = [x for x in data.decode().splitlines() if not x.startswith("Tag:")]
                data = "\n".join([*(x for x in lines if x), f"Tag: {tag}", ""]).encode()
            new.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append((entry.filename, f"sha256={digest}", str(len(data))))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
        new.writestr(record, text.getvalue())
    return target
