"""Modules that were translated for everybody: those of the package eryx-science.

Its wheels have stubs in the place of the modules, which are files of a few bytes: valid WebAssembly
with nothing in it but the hash of the module that was translated. The guest shows a stub to the
host, which finds the translation by the hash of the stub. A package's wheel and its translated
modules are one compressed archive, which is unpacked at the first use. So is what factories would
have to make of them first: bytecode, and the memory of factories that were made already.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from eryx._errors import InitializationError
from eryx._eryx import BUILD_ID
from eryx.native._errors import NativeModuleError

PACKAGE = "eryx_science"
FORMAT = 4
INSTALL = "pip install eryx-science"

_HEAD = b"\0asm\1\0\0\0"
_NAME = b"eryx.prebuilt"


def stub(data: bytes) -> bytes:
    """What stands for a module in wheels whose modules are translated already."""
    content = bytes([len(_NAME)]) + _NAME + hashlib.sha256(data).digest()
    return _HEAD + bytes([0, len(content)]) + content


def is_stub(data: bytes) -> bool:
    """Whether a file is one that `stub` made."""
    start = _HEAD + bytes([0, 1 + len(_NAME) + 32, len(_NAME)]) + _NAME
    return len(data) == len(start) + 32 and data.startswith(start)


class Prebuilt:
    """The contents of the package."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.version: str = manifest["version"]
        self.imports: dict[str, list[str]] = manifest["imports"]
        self.versions: dict[str, str] = manifest["versions"]
        self.needs: dict[str, list[str]] = manifest["needs"]
        # Among these what the package itself does not name as needed on this machine.
        self.also: dict[str, list[str]] = manifest["also"]
        # Programs that make a first use quick, by package.
        self.warm_up: dict[str, str] = manifest["warm_up"]
        self.wheels: dict[str, str] = manifest["wheels"]
        """Names of files, by package."""
        self.folder = folder
        self._archives: dict[str, dict[str, Any]] = manifest["archives"]
        self._modules: dict[str, dict[str, Any]] = manifest["modules"]
        # By a hash of all that they are made of (`_bytecode`, `_factory_cache`).
        self._bytecode: dict[str, dict[str, str]] = manifest["bytecode"]
        self._factories: dict[str, dict[str, str]] = manifest["factories"]
        self._places: dict[str, Path] = {}

    def wheel_paths(self, names: Iterable[str]) -> list[Path]:
        """The wheels of packages, which are unpacked, several at a time, unless they were before.

        Raises InitializationError if one cannot be.
        """
        wanted = list(names)
        if len(wanted) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(min(len(wanted), os.cpu_count() or 1)) as pool:
                places = list(pool.map(self._unpacked, wanted))
        else:
            places = [self._unpacked(name) for name in wanted]
        return [place / self.wheels[name] for place, name in zip(places, wanted, strict=True)]

    def find(self, digest: str) -> tuple[Path, str, list[str]] | None:
        """The shared object of a module, its SHA-256 and what it needs by name.

        digest: SHA-256 of the file that the guest shows.

        Raises InitializationError as `wheel_paths`.
        """
        entry = self._modules.get(digest)
        if entry is None:
            return None
        path = self._unpacked(entry["archive"]) / entry["file"]
        return path, entry["sha256"], list(entry["needed"])

    def bytecode(self, key: str) -> bytes | None:
        """The bytecode of a package, in the form of `eryx.packages._bytecode`; None for none.

        key: of all that it is made of.
        """
        return self._read(self._bytecode.get(key))

    def frozen(self, key: str) -> bytes | None:
        """The memory of a factory that was made already; None for none.

        key: of all that it is made of.
        """
        return self._read(self._factories.get(key))

    def _read(self, entry: dict[str, str] | None) -> bytes | None:
        """What an entry names; None also if it is not what it was, for it can be made anew."""
        if entry is None:
            return None
        try:
            data = (self._unpacked(entry["archive"]) / entry["file"]).read_bytes()
        except (OSError, InitializationError):
            return None
        return data if hashlib.sha256(data).hexdigest() == entry["sha256"] else None

    def _unpacked(self, name: str) -> Path:
        """The folder with the files of an archive, which is unpacked unless it was before."""
        from eryx.native._unpacked import unpacked

        known = self._places.get(name)
        if known is None or not known.exists():
            archive = self._archives[name]
            path = self.folder / archive["file"]
            known = self._places[name] = unpacked(path, archive["sha256"], archive["files"])
        return known


@cache
def installed() -> Prebuilt | None:
    """What is installed next to eryx; None for nothing.

    Raises InitializationError if it was made for another build of eryx, or is damaged.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0])
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] == FORMAT and manifest["build"] == BUILD_ID:
            return Prebuilt(folder, manifest)
        version = manifest["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InitializationError(f"{folder}: eryx-science is damaged: {error}") from None
    raise InitializationError(
        f"eryx-science {version} was made for another build of eryx: "
        "pip install --upgrade --force-reinstall eryx-sandbox eryx-science"
    )


def undamaged() -> Prebuilt | None:
    """The same for those who can do without it: None also for what cannot be used."""
    try:
        return installed()
    except InitializationError:
        return None


def translated(data: bytes, digest: str) -> tuple[Path, str, list[str]] | None:
    """What `Prebuilt.find` gives for a file; None for what has to be translated.

    Raises NativeModuleError for a stub whose module is not there.
    """
    if not is_stub(data):
        science = undamaged()
        return None if science is None else science.find(digest)
    try:
        science = installed()
    except InitializationError as error:
        raise NativeModuleError(str(error)) from None
    found = None if science is None else science.find(digest)
    if found is None:
        raise NativeModuleError(f"its translation is in a package that is missing: {INSTALL}")
    return found
