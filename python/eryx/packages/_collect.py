"""Puts packages from many sources together into what a sandbox sees at /site-packages."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import MappingProxyType

from eryx._errors import InitializationError
from eryx._files import read_file
from eryx.packages._archives import read_tar_gz, read_zip
from eryx.packages._directory import read_directory
from eryx.packages._metadata import read_metadata, readable_requirements
from eryx.packages._package import Package, is_bytecode, is_ignored, is_native_module
from eryx.packages._set import Missing, PackageSet
from eryx.packages._source_tree import (
    install_source,
    is_source_tree,
    single_directory,
    unwrapped,
)
from eryx.packages._standards import canonicalize_name, parse_version
from eryx.packages._tree import MAX_BYTES, Tree
from eryx.packages._wheel import install_wheel

Bytes = bytes | bytearray | memoryview
Source = str | os.PathLike[str] | Bytes | tuple[str, Bytes]

_KINDS = ".whl, .tar.gz, .tgz, .zip or a directory"

# Plain sandboxes have no ctypes. Packages that import it mostly want sizes and types of data, which
# the guest's runtime has for them; there are no foreign functions either way.
_CTYPES = "_ctypes.py"
_CTYPES_SOURCE = b"""\
from _eryx_runtime import ctypes_data, ctypes_memory
for _part in (ctypes_data, ctypes_memory):
    globals().update({name: value for name, value in vars(_part).items() if name[:2] != "__"})
__version__ = ctypes_data.__version__
"""

Installed = tuple[dict[str, bytes], list[Package]]


def collect(
    sources: Iterable[Source] = (),
    *,
    site_packages: str | os.PathLike[str] | None = None,
    bytecode: bool = True,
    cache: bool = False,
) -> PackageSet:
    """Reads packages for sandboxes. Nothing of them is run, and nothing is written to disk.

    sources: wheels, source archives of pure Python, zip files, directories (a package, a project or
        a directory of packages), as paths, as bytes, or as tuples of name and bytes.
    site_packages: a directory of packages, such as an installer fills.
    bytecode: whether to compile the modules, in a sandbox, so that importing them is quick.
    cache: whether to keep the bytecode on disk, for other processes, too.

    Dependencies are not fetched; `PackageSet.missing` names those that are not among the sources.

    Raises InitializationError, which names the source and the entry, for what is missing, damaged,
    not allowed or not for the sandbox; TypeError for arguments that are wrong.

    >>> packages = collect(["greet-1.0-py3-none-any.whl"])
    >>> packages.packages[0].name, packages.packages[0].version
    ('greet', '1.0')
    """
    if isinstance(sources, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise TypeError("packages must be a sequence of paths or bytes, not a single one")
    files: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    packages: list[Package] = []
    size = 0
    installed = [_install(source, number) for number, source in enumerate(sources, 1)]
    if site_packages is not None:
        installed.append(_install_site(read_directory(_directory(site_packages))))
    for own_files, own_packages in installed:
        _check_same(packages, own_packages)
        packages += own_packages
        source = own_packages[0].source
        size += sum(map(len, own_files.values()))
        if size > MAX_BYTES:
            limit = f"{MAX_BYTES >> 20} MiB"
            raise InitializationError(f"{source}: makes the packages larger than {limit}")
        _merge(files, owners, own_files, source)
    if _CTYPES not in files and any(
        b"ctypes" in data for path, data in files.items() if path.endswith(".py")
    ):
        _merge(files, owners, {_CTYPES: _CTYPES_SOURCE}, "eryx")
    _check_tree(owners)
    found = PackageSet(
        tuple(packages),
        MappingProxyType(files),
        _missing(packages, files),
        MappingProxyType(
            {path: owners[path] for path, data in files.items() if is_native_module(path, data)}
        ),
        tuple(own_files for own_files, _ in installed),
    )
    return found.with_bytecode(cache=cache) if bytecode else found


def _directory(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"site_packages must be a path, not {type(path).__name__}")
    if not os.path.isdir(name):
        raise InitializationError(f"{name}: is not a directory")
    return name


def _install(source: Source, number: int) -> Installed:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _install_bytes(f"package {number} (bytes)", None, bytes(source))
    if isinstance(source, tuple):
        if len(source) != 2 or not isinstance(source[0], str):
            raise TypeError("a package given as a tuple must be (name, bytes)")
        name, data = source
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the contents of {name!r} must be bytes, not {type(data).__name__}")
        return _install_bytes(name, name, bytes(data))
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"a package must be a path, bytes or (name, bytes), not {type(source).__name__}"
        )
    path = os.fspath(source)
    if not isinstance(path, str):
        raise TypeError("the path of a package must be a str, not bytes")
    if "\0" in path:
        raise InitializationError(f"{path!r}: has a NUL in its name")
    if os.path.isdir(path):
        return _install_directory(path)
    if not os.path.lexists(path):
        raise InitializationError(f"{path}: there is no such file or directory")
    _check_kind(path)
    return _install_bytes(path, path, read_file(path, MAX_BYTES))


def _check_kind(name: str) -> None:
    lower = name.lower()
    if lower.endswith(".egg"):
        raise InitializationError(f"{name}: eggs are not read; take {_KINDS}")
    if not lower.endswith((".whl", ".tar.gz", ".tgz", ".zip")):
        raise InitializationError(f"{name}: is of an unknown kind; packages are {_KINDS}")


def _install_bytes(label: str, name: str | None, data: bytes) -> Installed:
    if name is not None:
        _check_kind(name)
        lower = name.lower()
        if lower.endswith((".tar.gz", ".tgz")):
            return _install_tar(label, data)
        tree = read_zip(label, data)
        if lower.endswith(".whl"):
            files, package = install_wheel(tree, os.path.basename(name))
            return files, [package]
        return _install_zip(tree)
    if data.startswith(b"\x1f\x8b"):
        return _install_tar(label, data)
    if not data.startswith(b"PK"):
        raise InitializationError(f"{label}: is neither a zip file nor a .tar.gz")
    tree = read_zip(label, data)
    if any(path.endswith(".dist-info/WHEEL") and path.count("/") == 1 for path in tree.files):
        files, package = install_wheel(tree, None)
        return files, [package]
    return _install_zip(tree)


def _install_tar(label: str, data: bytes) -> Installed:
    files, package = install_source(label, unwrapped(read_tar_gz(label, data)))
    return files, [package]


def _install_zip(tree: Tree) -> Installed:
    top = single_directory(tree.files)
    if top is not None and f"{top}/__init__.py" not in tree.files:
        inner = unwrapped(tree)
        if is_source_tree(inner):
            files, package = install_source(tree.label, inner)
            return files, [package]
    if is_source_tree(tree.files):
        files, package = install_source(tree.label, tree.files)
        return files, [package]
    return _install_site(tree)


def _install_directory(path: str) -> Installed:
    tree = read_directory(path)
    if "__init__.py" in tree.files:
        name = os.path.basename(os.path.realpath(path))
        if not name.isidentifier():
            raise InitializationError(f"{path}: {name!r} is not a name that a package can have")
        files = {
            f"{name}/{inner}": data
            for inner, data in tree.files.items()
            if not is_ignored(f"{name}/{inner}")
        }
        size = sum(map(len, files.values()))
        return files, [Package(name=name, version=None, source=path, files=len(files), size=size)]
    if is_source_tree(tree.files):
        files, package = install_source(path, tree.files)
        return files, [package]
    return _install_site(tree)


def _install_site(tree: Tree) -> Installed:
    """A directory of packages: what its .dist-info directories name, and the rest."""
    files = {path: data for path, data in tree.files.items() if not is_ignored(path)}
    ignored = tuple(path for path in tree.files if is_ignored(path) and not is_bytecode(path))
    if not any(path.endswith(".py") for path in files):
        raise InitializationError(f"{tree.label}: there is no Python in it")
    packages: list[Package] = []
    covered: set[str] = set()
    for path in sorted(files):
        directory, _, name = path.partition("/")
        if name != "METADATA" or not directory.endswith(".dist-info"):
            continue
        metadata = read_metadata(tree.label, path, files[path])
        record = files.get(f"{directory}/RECORD", b"").decode("utf-8", "replace").splitlines()
        listed = {line.split(",")[0].strip('"') for line in record} & files.keys()
        tops = files.get(f"{directory}/top_level.txt", b"").decode("utf-8", "replace").split()
        covered |= {directory, *tops, *(path.partition("/")[0] for path in listed)}
        packages.append(
            Package(
                name=metadata.name,
                version=metadata.version,
                source=tree.label,
                files=len(listed),
                size=sum(len(files[path]) for path in listed),
                requires=tuple(metadata.requires),
            )
        )
    sizes: dict[str, list[int]] = {}
    for path, data in files.items():
        sizes.setdefault(path.partition("/")[0], []).append(len(data))
    for top, own in sorted(sizes.items()):
        name = top.removesuffix(".py")
        if not name.isidentifier() or {top, name} & covered:
            continue
        packages.append(
            Package(name=name, version=None, source=tree.label, files=len(own), size=sum(own))
        )
    if not packages:
        raise InitializationError(f"{tree.label}: there is no package in it")
    if ignored:
        import dataclasses

        packages[0] = dataclasses.replace(packages[0], ignored=ignored)
    return files, packages


def _check_same(packages: list[Package], added: list[Package]) -> None:
    """Refuses a second version of a package."""
    known = {canonicalize_name(package.name): package for package in packages}
    for package in added:
        other = known.get(canonicalize_name(package.name))
        if other is not None and not (other.version is None and package.version is None):
            raise InitializationError(
                f"{package.source}: {package} is there twice: {other} came from {other.source}"
            )


def _merge(
    files: dict[str, bytes], owners: dict[str, str], added: dict[str, bytes], source: str
) -> None:
    for path, data in added.items():
        if path in files and files[path] != data:
            raise InitializationError(
                f"{source}: {path!r} is in {owners[path]}, too, with other contents"
            )
        files[path] = data
        owners[path] = source


def _check_tree(owners: dict[str, str]) -> None:
    """Refuses a file where another source has a directory."""
    for path, source in owners.items():
        parent = path.rpartition("/")[0]
        while parent:
            if parent in owners:
                raise InitializationError(
                    f"{source}: {path!r} lies in {parent!r}, which is a file of {owners[parent]}"
                )
            parent = parent.rpartition("/")[0]


def _missing(packages: list[Package], files: dict[str, bytes]) -> tuple[Missing, ...]:
    """Requirements that nothing here fulfils."""
    known: dict[str, Package] = {canonicalize_name(each.name): each for each in packages}
    tops = {canonicalize_name(path.partition("/")[0].removesuffix(".py")) for path in files}
    found: list[Missing] = []
    for package in packages:
        for requirement in readable_requirements(package.requires):
            if not requirement.counts():
                continue
            other = known.get(requirement.name)
            if other is None:
                if requirement.name not in tops:
                    found.append(Missing(requirement.name, requirement.shown, str(package), None))
            elif other.version is not None and not requirement.fits(parse_version(other.version)):
                found.append(
                    Missing(requirement.name, requirement.shown, str(package), other.version)
                )
    return tuple(found)
