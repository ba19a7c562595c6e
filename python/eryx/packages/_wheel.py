"""Installs wheels: from the tree of an archive to the tree of /site-packages."""

from __future__ import annotations

import base64
import csv
import hashlib
import re

from eryx._errors import InitializationError
from eryx.packages._metadata import Metadata, check_python, parse_fields, read_metadata
from eryx.packages._metadata import write_dist_info as _write_dist_info
from eryx.packages._package import Package, is_ignored, is_native_module
from eryx.packages._requirements import GUEST_VERSION, normalize
from eryx.packages._tree import Tree, problem
from eryx.packages._versions import Version

_FILE_NAME = re.compile(
    r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(?:-(?P<build>[0-9][^-/]*))?"
    r"-(?P<python>[^-/]+)-(?P<abi>[^-/]+)-(?P<platform>[^-/]+)\.whl",
    re.ASCII,
)
# Python in a sandbox calls its platform "wasi-wasm32"; others put a version in or turn it around.
_WASI = re.compile(r"wasi(?:_[0-9a-z_]+)?_wasm32|wasm32_wasi(?:p[0-9])?", re.ASCII)
_MINOR = int(GUEST_VERSION.split(".")[1])
_HASHES = {"sha256", "sha384", "sha512"}
_UNHASHED = {"RECORD", "RECORD.jws", "RECORD.p7s"}

Tag = tuple[str, str, str]


def parse_file_name(name: str) -> tuple[str, str, list[Tag]] | None:
    """Normalized name, version and tags that the name of a wheel tells; None if it is malformed."""
    match = _FILE_NAME.fullmatch(name)
    if match is None:
        return None
    tags = [
        (python, abi, platform)
        for python in match["python"].lower().split(".")
        for abi in match["abi"].lower().split(".")
        for platform in match["platform"].lower().split(".")
    ]
    return normalize(match["name"]), match["version"].replace("_", "-"), tags


def tag_fits(tag: Tag) -> bool:
    """Whether a wheel with that tag is for the guest: pure Python, or native modules for WASI."""
    python, abi, platform = tag
    if abi == "none":
        return _python_fits(python) and (platform == "any" or _is_wasi(platform))
    if not _is_wasi(platform):
        return False
    if abi == "abi3":
        return _minor_of(python, "cp3") in range(2, _MINOR + 1)
    return python == abi == f"cp3{_MINOR}"


def _python_fits(python: str) -> bool:
    return python in ("py3", "cp3", f"cp3{_MINOR}") or _minor_of(python, "py3") <= _MINOR


def _minor_of(python: str, prefix: str) -> int:
    """14 for cp314; something that never fits for other tags."""
    digits = python.removeprefix(prefix)
    return int(digits) if python.startswith(prefix) and digits.isdecimal() else _MINOR + 1


def _is_wasi(platform: str) -> bool:
    return _WASI.fullmatch(platform) is not None


def tags_problem(tags: list[Tag]) -> str:
    """Why a wheel with these tags cannot be used; empty if it can."""
    if any(tag_fits(tag) for tag in tags):
        return ""
    shown = ", ".join("-".join(tag) for tag in tags[:4]) or "nothing"
    foreign = {tag[2] for tag in tags if tag[2] != "any" and not _is_wasi(tag[2])}
    if foreign:
        return (
            f"is made for {shown}; the sandbox takes pure Python (py3-none-any) and native modules"
            f" for WASI (cp3{_MINOR}-cp3{_MINOR}-wasi_wasm32). The package may have such a wheel,"
            " or a source archive with a fallback in Python"
        )
    return f"is made for {shown}, not for Python 3.{_MINOR}"


def is_native(tags: list[Tag]) -> bool:
    """Whether a wheel with these tags, which can be used, has native modules."""
    return not any(tag_fits(tag) and tag[2] == "any" for tag in tags)


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
                raise problem(label, path, "is no module for WebAssembly, as the wheel promises")
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


def _check_wheel_file(tree: Tree, info: str, named_tags: list[Tag] | None) -> list[Tag]:
    """The tags of the wheel, which fit; those of its file name if that is known."""
    fields = parse_fields(_required(tree, f"{info}/WHEEL").decode("utf-8", "replace"))
    version = fields.get("wheel-version", [""])[0]
    if version.partition(".")[0] != "1":
        raise InitializationError(
            f"{tree.label}: has wheel format {version!r}; only 1.x can be read"
        )
    tags = named_tags
    if tags is None:
        tags = []
        for text in fields.get("tag", []):
            parts = text.lower().split("-")
            if len(parts) != 3:
                raise InitializationError(f"{tree.label}: {info}/WHEEL has the tag {text!r}")
            tags.append((parts[0], parts[1], parts[2]))
    reason = tags_problem(tags)
    if reason:
        raise InitializationError(f"{tree.label}: {reason}")
    return tags


def _check_metadata(tree: Tree, info: str, named: tuple[str, str, list[Tag]] | None) -> Metadata:
    path = f"{info}/METADATA"
    metadata = read_metadata(tree.label, path, _required(tree, path))
    if named is not None:
        name, version, _ = named
        try:
            same = Version(version) == Version(metadata.version)
        except ValueError:
            same = False
        if name != normalize(metadata.name) or not same:
            raise InitializationError(
                f"{tree.label}: is named as {name} {version},"
                f" but is {metadata.name} {metadata.version}"
            )
    if normalize(info.partition("-")[0]) != normalize(metadata.name):
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
