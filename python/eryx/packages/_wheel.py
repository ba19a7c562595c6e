"""Installs wheels: from the tree of an archive to the tree of /site-packages."""

from __future__ import annotations

import base64
import csv
import hashlib

from eryx._errors import InitializationError
from eryx.packages._metadata import Metadata, check_python, parse_fields, read_metadata
from eryx.packages._metadata import write_dist_info as _write_dist_info
from eryx.packages._package import Package, is_ignored, is_native_module
from eryx.packages._standards import (
    Tag,
    Version,
    canonicalize_name,
    fits_guest,
    is_wasi,
    parse_tags,
    parse_version,
    parse_wheel_filename,
)
from eryx.packages._tree import Tree, problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_HASHES = {"sha256", "sha384", "sha512"}
_UNHASHED = {"RECORD", "RECORD.jws", "RECORD.p7s"}

Named = tuple[str, Version, frozenset[Tag]]


def parse_file_name(name: str) -> Named | None:
    """Normalized name, version and tags that the name of a wheel tells; None if it is malformed."""
    try:
        found, version, _, tags = parse_wheel_filename(name)
    except ValueError:
        return None
    return found, version, tags


def tags_problem(tags: Collection[Tag]) -> str:
    """Why a wheel with these tags cannot be used; empty if it can."""
    if any(fits_guest(tag) for tag in tags):
        return ""
    shown = ", ".join(sorted(map(str, tags))[:4]) or "nothing"
    if any(tag.platform != "any" and not is_wasi(tag) for tag in tags):
        return (
            f"is made for {shown}; the sandbox takes pure Python (py3-none-any) and native modules"
            " for WASI (cp314-cp314-wasi_wasm32). The package may have such a wheel,"
            " or a source archive with a fallback in Python"
        )
    return f"is made for {shown}, not for Python 3.14"


def is_native(tags: Collection[Tag]) -> bool:
    """Whether a wheel with these tags, which can be used, has native modules."""
    return not any(fits_guest(tag) and tag.platform == "any" for tag in tags)


def install_wheel(tree: Tree, file_name: str | None) -> tuple[dict[str, bytes], Package]:
    """The files of a wheel as they lie in /site-packages, and what it is.

    file_name: its name if it is known; the tags in it count together with those inside.
    Raises InitializationError for wheels that are malformed, damaged or not for the guest.
    """
    label = tree.label
    named = parse_file_name(file_name) if file_name else None
    if file_name and named is None:
        raise InitializationError(f"{label}: its file name is not that of a wheel")
    info = _dist_info(tree)
    native = is_native(_check_wheel_file(tree, info, named[2] if named else None))
    metadata = _check_metadata(tree, info, named)
    _check_record(tree, info)

    files: dict[str, bytes] = {}
    ignored: list[str] = []
    data_prefix = info.removesuffix(".dist-info") + ".data/"
    for path, data in tree.files.items():
        target = path
        if path.startswith(data_prefix):
            scheme, _, target = path.removeprefix(data_prefix).partition("/")
            if scheme not in ("purelib", "platlib"):
                ignored.append(path)
                continue
            if target in tree.files or target in files:
                raise problem(label, path, "is there twice")
        if is_ignored(target):
            ignored.append(path)
        elif target:
            if native and target.endswith(".so") and not is_native_module(target, data):
                raise problem(label, path, "is not a module for WebAssembly, as the wheel promises")
            files[target] = data
    for name in _UNHASHED:
        files.pop(f"{info}/{name}", None)
    _write_dist_info(info, files)
    package = Package(
        name=metadata.name,
        version=metadata.version,
        source=label,
        files=len(files),
        size=sum(map(len, files.values())),
        requires=tuple(metadata.requires),
        ignored=tuple(ignored),
    )
    return files, package


def wheel_metadata(tree: Tree, file_name: str) -> Metadata:
    """What a wheel says of itself, for the choice among several."""
    info = _dist_info(tree)
    return _check_metadata(tree, info, parse_file_name(file_name))


def _dist_info(tree: Tree) -> str:
    found = {
        path.partition("/")[0]
        for path in tree.files
        if path.partition("/")[0].endswith(".dist-info") and "/" in path
    }
    if len(found) != 1:
        raise InitializationError(
            f"{tree.label}: a wheel has one .dist-info directory, this one {len(found)}"
        )
    return found.pop()


def _required(tree: Tree, path: str) -> bytes:
    data = tree.files.get(path)
    if data is None:
        raise InitializationError(f"{tree.label}: {path} is missing")
    return data


def _check_wheel_file(tree: Tree, info: str, named_tags: frozenset[Tag] | None) -> frozenset[Tag]:
    """The tags of the wheel, which fit; those of its file name if that is known."""
    fields = parse_fields(_required(tree, f"{info}/WHEEL").decode("utf-8", "replace"))
    version = fields.get("wheel-version", [""])[0]
    if version.partition(".")[0] != "1":
        raise InitializationError(
            f"{tree.label}: has wheel format {version[:100]!r}; only 1.x can be read"
        )
    tags = named_tags
    if tags is None:
        try:
            tags = parse_tags(fields.get("tag", []))
        except ValueError as error:
            raise InitializationError(f"{tree.label}: {info}/WHEEL: {str(error)[:200]}") from None
    reason = tags_problem(tags)
    if reason:
        raise InitializationError(f"{tree.label}: {reason}")
    return tags


def _check_metadata(tree: Tree, info: str, named: Named | None) -> Metadata:
    path = f"{info}/METADATA"
    metadata = read_metadata(tree.label, path, _required(tree, path))
    if named is not None:
        name, version, _ = named
        own = canonicalize_name(metadata.name), parse_version(metadata.version)
        if own != (name, version):
            raise InitializationError(
                f"{tree.label}: is named as {name} {version},"
                f" but is {metadata.name} {metadata.version}"
            )
    if canonicalize_name(info.partition("-")[0]) != canonicalize_name(metadata.name):
        raise InitializationError(f"{tree.label}: {info} is not that of {metadata.name}")
    check_python(tree.label, metadata.requires_python)
    return metadata


def _check_record(tree: Tree, info: str) -> None:
    """Compares all files with what RECORD says of them, if there is one."""
    data = tree.files.get(f"{info}/RECORD")
    if data is None:
        return
    label = tree.label
    own = {f"{info}/{name}" for name in _UNHASHED}
    try:
        rows = list(csv.reader(data.decode("utf-8", "replace").splitlines()))
    except csv.Error as error:
        raise InitializationError(f"{label}: {info}/RECORD is malformed: {error}") from None
    for row in rows:
        if not row:
            continue
        if len(row) != 3:
            raise InitializationError(f"{label}: {info}/RECORD has a line that is malformed")
        path, digest, size = row
        if path in own or path.endswith("/"):
            continue
        contents = tree.files.get(path)
        if contents is None:
            raise problem(label, path, "is in RECORD but not in the wheel")
        if not digest:
            continue
        algorithm, _, expected = digest.partition("=")
        if algorithm not in _HASHES:
            raise problem(label, path, f"has a hash of the kind {algorithm!r} in RECORD")
        found = base64.urlsafe_b64encode(hashlib.new(algorithm, contents).digest()).decode()
        if found.rstrip("=") != expected.rstrip("=") or (size and size != str(len(contents))):
            raise problem(label, path, "is not what RECORD says")
