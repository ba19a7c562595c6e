"""Builds wheels with native modules for sandboxes from source distributions.

The package's own build backend runs on this machine's Python, in an environment that tells it the
configuration of the guest's Python and gives it compilers for wasm32-wasi.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eryx._eryx import BUILD_ID
from eryx.native import _cmake, _environment, _meson, _pythons, _rust
from eryx.native._compile import (
    _private_directory,
    default_cache,
    zig_environment,
    zig_program,
)
from eryx.native._cross import write_compilers
from eryx.native._errors import NativeModuleError
from eryx.native._find_source import (
    Project,
    content_digest,
    fetch,
    is_path,
    read_project,
    unpack,
)
from eryx.native._recipes import Patch, Recipe, apply_patches, patches, recipe
from eryx.native._retag import PLATFORM, retag
from eryx.native._steps import Steps

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
# What the environment says to builds that matters to them.
_BUILD_VARIABLES = ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS")
_SCIKIT_BUILD = ("scikit_build_core.build", "scikit_build_core.setuptools.build_meta")


@dataclass(frozen=True)
class Options:
    """How a wheel is built; see `eryx.native.build_wheel`."""

    python: str | None = None
    isolation: bool = True
    exceptions: bool = True
    setup: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    with_wheels: tuple[Path, ...] = ()
    prefixes: tuple[Path, ...] = ()
    rebuild: bool = False


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


def _make_compilers(
    work: Path, cache: Path, python: _pythons.Python, options: Options
) -> dict[str, str]:
    """Writes the compilers that a build backend is to use; gives the environment for it."""
    dropped = [*(f"-I{path}" for path in python.includes), "-pthread", "-g", "-msse2", "-flto"]
    write_compilers(
        work,
        cache,
        work / "include",
        dropped,
        prefixes=options.prefixes,
        exceptions=options.exceptions,
    )
    cc, cxx = str(work / "cc"), str(work / "c++")
    found = os.pathsep.join(str(prefix / "lib" / "pkgconfig") for prefix in options.prefixes)
    return {
        **zig_environment(cache),
        "CC": cc,
        "CXX": cxx,
        "LDSHARED": f"{cc} -shared",
        "LDCXXSHARED": f"{cxx} -shared",
        "AR": str(work / "ar"),
        "RANLIB": str(work / "ranlib"),
        "STRIP": str(work / "strip"),
        **{name: os.environ.get(name, "") for name in _BUILD_VARIABLES},
        # What this machine has of libraries is none for sandboxes.
        "PKG_CONFIG_PATH": "",
        "PKG_CONFIG_LIBDIR": found or str(work / "none"),
        "_PYTHON_SYSCONFIGDATA_NAME": CONFIG_MODULE,
        "_PYTHON_HOST_PLATFORM": PLATFORM.replace("_", "-"),
    }


def _write_configuration(
    work: Path, configuration: dict[str, Any], environment: dict[str, str], python: _pythons.Python
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
        # Wheels are first tagged for the Python that runs; see retag().
        "SOABI": python.tag,
    }
    for name in _OWN_VARIABLES:
        present.pop(name, None)
    directory = work / "configuration"
    directory.mkdir()
    (directory / f"{CONFIG_MODULE}.py").write_text(f"build_time_vars = {present!r}\n")
    return directory


def build(source: str | Path, output: Path, options: Options, cache: Path | None) -> Path:
    """See `eryx.native.build_wheel`. A source that is text may be a name."""
    directory = _private_directory(cache or default_cache())
    if options.with_wheels and not options.isolation:
        raise NativeModuleError("wheels to build with are put into an environment of their own")
    for path in (*options.with_wheels, *options.prefixes):
        if not path.exists():
            raise NativeModuleError(f"{path}: there is no such file")
    with tempfile.TemporaryDirectory(prefix="eryx-build-") as work_name:
        work = Path(work_name)
        (work / "tree").mkdir()
        if isinstance(source, Path) or is_path(source):
            path = Path(source)
            if not path.exists():
                raise NativeModuleError(f"{path}: there is no such file")
        else:
            path = fetch(source, work / "fetched")
        project = read_project(path, unpack(path, work / "tree"))
        return _build_cached(path, project, work, output, options, directory)


def _build_cached(
    path: Path, project: Project, work: Path, output: Path, options: Options, directory: Path
) -> Path:
    python = (
        _pythons.choose(project.label, project.requires_python, options.python)
        if options.isolation or options.python is not None
        else _pythons.present(project.label, project.requires_python)
    )
    told, found = recipe(project.name), patches(project.name, project.version)
    entry = directory / "wheels" / _key(path, python, told, found, options)
    if options.isolation and not options.rebuild:
        for wheel in entry.glob("*.whl"):
            return _copied(wheel, output)
    log = directory / "log" / f"{project.label.replace(' ', '-').replace(os.sep, '-')}.log"
    with Steps(project.label, log) as steps:
        apply_patches(project, found, steps)
        made = _run_build(project, python, told, work, options, directory, steps)
        steps.begin("checking the wheel")
        try:
            wheel = retag(made, work / "result", options.prefixes)
        except NativeModuleError as error:
            raise steps.error(str(error)) from None
    if not options.isolation:
        return _copied(wheel, output)  # nobody knows what it was built with
    entry.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=entry.parent, prefix="work-") as partial:
        shutil.copy(wheel, partial)
        shutil.rmtree(entry, ignore_errors=True)
        with contextlib.suppress(OSError):  # somebody else was faster
            os.rename(partial, entry)
        Path(partial).mkdir(exist_ok=True)
    return _copied(wheel, output)


def _copied(wheel: Path, output: Path) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    target = output / wheel.name
    shutil.copyfile(wheel, target)
    return target


def _key(
    path: Path, python: _pythons.Python, told: Recipe, found: list[Patch], options: Options
) -> str:
    """What a wheel is kept under: all that it is made of, but for the versions of tools that pip
    chooses."""
    zig = Path(zig_program())
    own = sorted(Path(__file__).parent.glob("_*.py"))
    parts = [
        *(BUILD_ID, python.tag, zig.resolve(), zig.stat().st_size, told, options.exceptions),
        *(options.setup, sorted(options.settings.items())),
        *(os.environ.get(name) for name in _BUILD_VARIABLES),
        *map(content_digest, own),
        *(content_digest(patch.path) for patch in found),
        *map(content_digest, options.with_wheels),
        *map(content_digest, options.prefixes),
        content_digest(path),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _run_build(
    project: Project,
    python: _pythons.Python,
    told: Recipe,
    work: Path,
    options: Options,
    directory: Path,
    steps: Steps,
) -> Path:
    """Runs the backend; gives the wheel that it made."""
    program = python.program
    if options.isolation:
        program = _environment.make(work / "environment", python, steps)
        requires = [*project.requires, *map(_environment.pinned, options.with_wheels)]
        _environment.install(program, requires, steps)
        _environment.lay_over(_environment.site_packages(work / "environment"), options.with_wheels)
    steps.begin("preparing the compilers")
    configuration = guest_configuration()
    stage_headers(configuration, work / "include")
    environment = _make_compilers(work, directory, python, options)
    paths = [str(_write_configuration(work, configuration, environment, python))]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    # Meson, Ninja, CMake and Cython are looked for there.
    environment["PATH"] = os.pathsep.join(
        [os.path.dirname(program), os.environ.get("PATH", os.defpath)]
    )
    roots = [work, *options.prefixes, Path(os.path.dirname(program)).parent]
    suffix = str(configuration["EXT_SUFFIX"])
    environment.update(_cmake.environment(work, program, configuration, roots))
    if _rust.is_wanted(project):
        toolchain = _rust.find_toolchain(steps)
        root = _rust.sysroot(toolchain, directory, steps)
        for name in _rust.REPLACED:
            environment.pop(name, None)
        environment.update(_rust.environment(toolchain, root, work, directory, suffix))
    settings = _settings(project, told, work, options)
    if options.isolation:
        further = _environment.further_requirements(
            program, project, settings, environment, work, steps
        )
        _environment.install(program, further, steps)
        _environment.lay_over(_environment.site_packages(work / "environment"), options.with_wheels)
    steps.begin("building")
    made = work / "wheel"
    made.mkdir()
    command = _environment.backend_command(program, project, "build_wheel", settings, made)
    steps.run(command, cwd=project.tree, env=environment)
    wheels = list(made.glob("*.whl"))
    if len(wheels) != 1:
        raise steps.error(f"the backend {project.backend} made {len(wheels)} wheels")
    return wheels[0]


def _settings(project: Project, told: Recipe, work: Path, options: Options) -> dict[str, object]:
    """What the backend is told (`config_settings` of PEP 517)."""
    setup = [*told.setup, *options.setup]
    settings: dict[str, object] = {}
    if project.backend == _meson.BACKEND:
        settings = _meson.settings(work, setup)
    elif project.backend in _SCIKIT_BUILD:
        settings = {"build-dir": str(work / "cmake-build")}
        if setup:
            settings["cmake.args"] = ";".join(setup)
    return {**settings, **told.settings, **options.settings}
