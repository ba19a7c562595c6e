"""Installs source archives and source directories of pure Python, without running anything of them.

What a build would install is found out from what lies there: the .egg-info directory of setuptools
tells it, and for others pyproject.toml, setup.cfg or the usual layouts do.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from eryx._errors import InitializationError
from eryx.packages._metadata import (
    Metadata,
    check_python,
    make_metadata,
    read_metadata,
    with_extra,
    write_dist_info,
)
from eryx.packages._package import Package, is_bytecode, is_ignored, is_native_source
from eryx.packages._standards import canonicalize_name
from eryx.packages._tree import MAX_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from eryx.packages._tree import Tree

# Build backends whose packages are made of compiled code.
_NATIVE_BACKENDS = (
    "maturin",
    "mesonpy",
    "scikit_build_core",
    "skbuild",
    "setuptools_rust",
    "sipbuild",
)

_MAX_TEXT_BYTES = 256 * 1024  # of a file for builders
_MAX_TAKEN = 20 * MAX_FILES  # since packages and those inside of them may both be named

_ROOTS = ("src", "", "lib", "python", "lib3")

# Directories at the top of a project that are not its package, even with an __init__.py in them.
_NOT_PACKAGES = {
    *("test", "tests", "testing", "doc", "docs", "example", "examples", "sample", "samples"),
    *("benchmark", "benchmarks", "bench", "script", "scripts", "tool", "tools", "util", "utils"),
    *(
        "build",
        "dist",
        "bin",
        "requirements",
        "tasks",
        "ci",
        "vendor",
        "extra",
        "extras",
        "packaging",
    ),
}
_NOT_MODULES = {"setup", "conftest", "noxfile", "fabfile", "tasks", "versioneer", "dodo", "test"}


def is_source_tree(files: Iterable[str]) -> bool:
    """Whether paths are those of a project: what a source archive unpacks to."""
    return not {"PKG-INFO", "pyproject.toml", "setup.py", "setup.cfg"}.isdisjoint(files)


def single_directory(files: Iterable[str]) -> str | None:
    """The one directory at the top, if there is nothing beside it."""
    tops = {path.partition("/")[0] for path in files}
    directories = {path.partition("/")[0] for path in files if "/" in path}
    return tops.pop() if len(tops) == 1 and tops == directories else None


def unwrapped(tree: Tree) -> dict[str, bytes]:
    """The files of a source archive without the directory that all of them lie in."""
    top = single_directory(tree.files)
    if top is None:
        raise InitializationError(
            f"{tree.label}: a source archive has one directory at its top, this one has not"
        )
    return {path[len(top) + 1 :]: data for path, data in tree.files.items()}


class _Project:
    """A source tree and what its files for builders say."""

    def __init__(self, label: str, files: dict[str, bytes]) -> None:
        self.label = label
        self.files = files
        self.paths = sorted(files)
        self.taken = 0
        self.pyproject = self._toml("pyproject.toml")
        self.project = _table(self.pyproject, "project")
        self.tool = _table(self.pyproject, "tool")
        self.setup_cfg = self._ini("setup.cfg")
        backend = _table(self.pyproject, "build-system").get("build-backend", "")
        self.backend = backend if isinstance(backend, str) else ""
        self.egg_info = min(
            (
                path.rpartition("/")[0]
                for path in files
                if path.rpartition("/")[0].endswith(".egg-info") and path.count("/") <= 3
                if path.endswith("/PKG-INFO")
            ),
            key=lambda path: (path.count("/"), path),
            default=None,
        )

    def text(self, path: str) -> str:
        data = self.files.get(path, b"")
        if len(data) > _MAX_TEXT_BYTES:
            raise InitializationError(
                f"{self.label}: {path} is larger than {_MAX_TEXT_BYTES >> 10} KiB"
            )
        return data.decode("utf-8", "replace")

    def _toml(self, path: str) -> dict[str, Any]:
        import tomllib

        try:
            return tomllib.loads(self.text(path))
        except (ValueError, RecursionError) as error:
            raise InitializationError(f"{self.label}: {path} is malformed: {error}") from None

    def _ini(self, path: str) -> dict[str, dict[str, str]]:
        import configparser

        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(self.text(path))
        except configparser.Error as error:
            raise InitializationError(f"{self.label}: {path} is malformed: {error}") from None
        return {section: dict(parser.items(section)) for section in parser.sections()}

    def metadata(self) -> Metadata | None:
        """Name and version, if it says both without running anything."""
        for path in ("PKG-INFO", f"{self.egg_info}/PKG-INFO"):
            if path in self.files:
                return read_metadata(self.label, path, self.files[path])
        static = self.setup_cfg.get("metadata", {})
        name = self.project.get("name") or static.get("name")
        version = self.project.get("version") or static.get("version", "")
        if not isinstance(name, str) or not isinstance(version, str):
            return None
        text = f"Name: {name}\nVersion: {version}\n".encode()
        if not version or version.startswith(("attr:", "file:")):
            return None
        metadata = read_metadata(self.label, "pyproject.toml", text)
        python = self.project.get("requires-python")
        metadata.requires_python = python if isinstance(python, str) else ""
        metadata.requires = _strings(self.project.get("dependencies"))
        return metadata


def install_source(label: str, files: dict[str, bytes]) -> tuple[dict[str, bytes], Package]:
    """The files of a project as they lie in /site-packages, and what it is.

    Raises InitializationError if it cannot be told what of it is the package, if it is compiled
    code, or if it is not for the guest's Python.
    """
    project = _Project(label, files)
    if project.backend.partition(".")[0] in _NATIVE_BACKENDS:
        raise InitializationError(
            f"{label}: is built by {project.backend}, so it is not pure Python"
        )
    metadata = project.metadata()
    if metadata is not None:
        check_python(label, metadata.requires_python)

    ignored: list[str] = []
    native: list[str] = [path for path in files if is_native_source(path) and _is_code(path)]
    installed: dict[str, bytes] = {}
    for source, target in _package_files(project, metadata):
        if is_bytecode(target):
            continue
        if is_ignored(target):
            ignored.append(source)
        elif not is_native_source(target):
            installed[target] = files[source]
    if not any(path.endswith(".py") for path in installed):
        raise InitializationError(f"{label}: there is no Python in what seems to be its package")

    size, count = sum(map(len, installed.values())), len(installed)
    name = label.replace("\\", "/").rstrip("/").rpartition("/")[2]
    if metadata is not None:
        name = metadata.name
        _add_dist_info(project, metadata, installed)
    package = Package(
        name=name,
        version=None if metadata is None else metadata.version,
        source=label,
        files=count,
        size=size,
        requires=() if metadata is None else tuple(metadata.requires),
        ignored=tuple(ignored),
        not_built=tuple(native),
    )
    return installed, package


def source_metadata(tree: Tree) -> Metadata | None:
    """What a source archive says of itself, for the choice among several."""
    project = _Project(tree.label, unwrapped(tree))
    metadata = project.metadata()
    if metadata is not None:
        _add_old_requirements(project, metadata)
    return metadata


def _is_code(path: str) -> bool:
    """Whether it is no example or test."""
    return _NOT_PACKAGES.isdisjoint(path.split("/")[:-1])


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


# ---- What of it is the package -----------------------------------------------------------------


def _package_files(project: _Project, metadata: Metadata | None) -> list[tuple[str, str]]:
    """Pairs of path in the project and path in /site-packages."""
    for find in (_by_egg_info, _by_tool_tables, _by_setup_cfg):
        found = find(project)
        if found:
            return found
    name = metadata.name if metadata is not None else _static_name(project)
    found = _by_name(project, name) or _by_layout(project)
    if found:
        return found
    raise InitializationError(
        f"{project.label}: it cannot be told what of it is the package:"
        " give a wheel, or the directory of the package"
    )


def _static_name(project: _Project) -> str:
    for table in (project.project, _table(project.tool, "poetry")):
        if isinstance(table.get("name"), str):
            return str(table["name"])
    return project.setup_cfg.get("metadata", {}).get("name", "")


def _joined(root: str, name: str) -> str:
    return f"{root}/{name}" if root else name


def _take(project: _Project, root: str, name: str) -> list[tuple[str, str]]:
    """The package or module of a (dotted) name under a root."""
    path = name.replace(".", "/")
    prefix = _joined(root, path)
    if prefix + ".py" in project.files:
        return [(prefix + ".py", path + ".py")]
    skip = len(root) + 1 if root else 0
    begin = bisect_left(project.paths, prefix + "/")
    end = bisect_left(project.paths, prefix + "0")  # what comes after "/"
    project.taken += end - begin
    if project.taken > _MAX_TAKEN:
        raise InitializationError(f"{project.label}: its packages are named over and over")
    return [(file, file[skip:]) for file in project.paths[begin:end]]


def _by_egg_info(project: _Project) -> list[tuple[str, str]]:
    """What setuptools wrote down when it made the archive."""
    if project.egg_info is None:
        return []
    root = project.egg_info.rpartition("/")[0]
    found: list[tuple[str, str]] = []
    for line in project.text(f"{project.egg_info}/top_level.txt").split():
        if re.fullmatch(r"\w+", line):  # extension modules are listed, too, and just not there
            found += _take(project, root, line)
    return found


def _by_tool_tables(project: _Project) -> list[tuple[str, str]]:
    """What pyproject.toml tells the builder."""
    found: list[tuple[str, str]] = []
    poetry = _table(project.tool, "poetry").get("packages")
    for item in poetry if isinstance(poetry, list) else ():
        if isinstance(item, dict) and isinstance(item.get("include"), str):
            root = item.get("from", "")
            name = item["include"].removesuffix(".py").rstrip("/").replace("/", ".")
            found += _take(project, root if isinstance(root, str) else "", name)
    if found:
        return found

    hatch = _table(_table(_table(project.tool, "hatch"), "build"), "targets")
    wheel = _table(hatch, "wheel")
    for path in _strings(wheel.get("packages")) or _strings(wheel.get("only-include")):
        root, _, name = path.strip("/").rpartition("/")
        found += _take(project, root, name.removesuffix(".py"))
    if found:
        return found

    flit = _table(_table(project.tool, "flit"), "module").get("name")
    if isinstance(flit, str):
        return _take(project, "src", flit) or _take(project, "", flit)

    setuptools = _table(project.tool, "setuptools")
    roots = _table(setuptools, "package-dir")
    default_root = roots.get("", "")
    for name in _strings(setuptools.get("packages")) + _strings(setuptools.get("py-modules")):
        found += _take(project, default_root if isinstance(default_root, str) else "", name)
    where = _strings(_table(_table(setuptools, "packages"), "find").get("where"))
    for root in where:
        found += _all_under(project, root.strip("./"))
    return list(dict.fromkeys(found))


def _by_setup_cfg(project: _Project) -> list[tuple[str, str]]:
    options = project.setup_cfg.get("options", {})
    root = ""
    for line in options.get("package_dir", "").split("\n"):
        key, equals, value = line.partition("=")
        if equals and not key.strip():
            root = value.strip().strip("./")
    found: list[tuple[str, str]] = []
    packages = options.get("packages", "")
    if packages.startswith(("find:", "find_namespace:")):
        where = project.setup_cfg.get("options.packages.find", {}).get("where", root)
        found += _all_under(project, where.strip().strip("./"))
        packages = ""
    for name in (packages + "\n" + options.get("py_modules", "")).replace(",", "\n").split():
        found += _take(project, root, name)
    return list(dict.fromkeys(found))


def _by_name(project: _Project, name: str) -> list[tuple[str, str]]:
    """A package or module with the name of the project, where such things usually lie."""
    wanted = canonicalize_name(name)
    if not wanted:
        return []
    for root in _ROOTS:
        if root == "src" and (found := _all_under(project, root)):
            return found
        for top in _tops(project, root):
            if canonicalize_name(top) == wanted:
                return _take(project, root, top)
    return []


def _by_layout(project: _Project) -> list[tuple[str, str]]:
    """All of src, or the only package or module there is."""
    found = _all_under(project, "src")
    if found:
        return found
    tops = _tops(project, "")
    packages = [top for top in tops if f"{top}/__init__.py" in project.files]
    if len(packages) != 1:
        packages = [top for top in tops if f"{top}.py" in project.files] if not packages else []
    return _take(project, "", packages[0]) if len(packages) == 1 else []


def _all_under(project: _Project, root: str) -> list[tuple[str, str]]:
    """All packages and modules in a directory that holds nothing else; "" tells nothing."""
    if not root:
        return []
    found: list[tuple[str, str]] = []
    for top in _tops(project, root):
        found += _take(project, root, top)
    return found


def _tops(project: _Project, root: str) -> list[str]:
    """Names of the packages and modules in a directory, those aside that are about the project."""
    prefix = root + "/" if root else ""
    found: dict[str, None] = {}
    for path in project.files:
        if not path.startswith(prefix) or not path.endswith(".py"):
            continue
        top, slash, _ = path.removeprefix(prefix).partition("/")
        name = top if slash else top.removesuffix(".py")
        if name.isidentifier() and name not in (_NOT_PACKAGES if slash else _NOT_MODULES):
            found[name] = None
    return list(found)


# ---- The .dist-info directory --------------------------------------------------------------------


def _add_dist_info(project: _Project, metadata: Metadata, installed: dict[str, bytes]) -> None:
    name = re.sub(r"[-_.]+", "_", metadata.name)
    directory = f"{name}-{metadata.version.replace('-', '_')}.dist-info"
    written = project.files.get("PKG-INFO") or project.files.get(f"{project.egg_info}/PKG-INFO")
    extras = {
        extra: _strings(requirements)
        for extra, requirements in _table(project.project, "optional-dependencies").items()
    }
    if written is None:
        written = make_metadata(metadata, extras)
    else:
        known = len(metadata.requires)
        _add_old_requirements(project, metadata)
        added = "".join(f"Requires-Dist: {text}\n" for text in metadata.requires[known:])
        written = added.encode() + written
    installed[f"{directory}/METADATA"] = written
    entry_points = project.text(f"{project.egg_info}/entry_points.txt") or _entry_points(project)
    if entry_points:
        installed[f"{directory}/entry_points.txt"] = entry_points.encode()
    tops = sorted({path.partition("/")[0].removesuffix(".py") for path in installed if "/" in path})
    tops = [top for top in tops if not top.endswith(".dist-info")]
    installed[f"{directory}/top_level.txt"] = "".join(f"{top}\n" for top in tops).encode()
    write_dist_info(directory, installed)


def _add_old_requirements(project: _Project, metadata: Metadata) -> None:
    """Requirements of archives from before they were in PKG-INFO."""
    if metadata.requires or project.egg_info is None:
        return
    extra = marker = ""
    for line in project.text(f"{project.egg_info}/requires.txt").splitlines():
        line = line.strip()
        if line.startswith("["):
            extra, _, marker = line.strip("[]").partition(":")
        elif line:
            text = f"{line}; {marker}" if marker else line
            metadata.requires.append(with_extra(text, extra) if extra else text)


def _entry_points(project: _Project) -> str:
    groups = {
        "console_scripts": _table(project.project, "scripts"),
        "gui_scripts": _table(project.project, "gui-scripts"),
        **_table(project.project, "entry-points"),
    }
    lines: list[str] = []
    for group, entries in groups.items():
        if isinstance(entries, dict) and entries:
            lines.append(f"[{group}]")
            lines += [f"{key} = {value}" for key, value in entries.items()]
    return "".join(" ".join(line.split()) + "\n" for line in lines)
