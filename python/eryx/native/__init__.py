"""Native extension modules in sandboxes: translated from WebAssembly before they are used.

Needs the extra ``eryx-sandbox[native]`` to translate; what has been translated is kept and loads
without it. See docs/native.md.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from eryx.native import _prebuilt
from eryx.native._errors import MissingToolError, NativeModuleError
from eryx.native._module import NativeModule

__all__ = ["NativeModule", "NativeModuleError", "build_wheel", "from_wheel", "translate"]

# What a module may name as needed and every sandbox has.
_PRESENT = (
    *("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libpython3.14.so"),
    *("libpython3.so", "libwasi-emulated-signal.so", "libwasi-emulated-getpid.so"),
    "libwasi-emulated-process-clocks.so",
)
# What else a module may name as needed and comes with eryx: modules as any other.
_LIBRARIES = ("liberyx-c++.so", "libc++.so", "libc++abi.so")

_WHEEL_MAX_BYTES = 512 << 20
# What zipfile raises for damaged archives.
_UNREADABLE = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error),
)


def translate(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    needed: Iterable[NativeModule] = (),
    cache: str | os.PathLike[str] | None = None,
) -> NativeModule:
    """Translates one module, or takes it from the cache.

    source: path or content of the WebAssembly file.
    name: for messages; None for the file name of the path.
    needed: modules that this one may name as needed. The guest's C++ library (``libc++.so`` and
        ``libc++abi.so``) is there without being given.
    cache: directory for the results, which only you may be able to write; None for the folder
        ``native`` of ``$ERYX_CACHE_DIR``, or of ``eryx`` in the user's cache folder.

    Raises NativeModuleError if the file is not a native module for this eryx; it names the file.
    """
    if isinstance(source, bytes):
        data = source
        name = name or "module"
    else:
        data = _read(source)
        name = name or os.path.basename(os.fspath(source))
    work = _Translator(needed, cache, compiling=True)
    return work.translate(data, name, name)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise NativeModuleError(f"{os.fspath(path)}: {error.strerror}") from None


def from_wheel(
    wheel: str | os.PathLike[str],
    *,
    needed: Iterable[NativeModule] = (),
    cache: str | os.PathLike[str] | None = None,
) -> list[NativeModule]:
    """Translates all modules in a wheel (its ``.so`` files), or takes them from the cache.

    Modules of a wheel may need each other. needed: further ones; cache: see `translate`.

    Raises NativeModuleError if one of them cannot be translated or the wheel cannot be read; the
    message names wheel and file. A wheel without native modules gives an empty list.
    """
    label = os.path.basename(os.fspath(wheel))
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith(".so")]
            if sum(entry.file_size for entry in entries) > _WHEEL_MAX_BYTES:
                raise NativeModuleError(f"{label}: its modules are too large")
            files = {f"{label}: {entry.filename}": archive.read(entry) for entry in entries}
    except _UNREADABLE as error:
        raise NativeModuleError(f"{label}: it cannot be read: {error}") from None
    return from_files(files, needed=needed, cache=cache)


def build_wheel(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] = ".",
    *,
    python: str | os.PathLike[str] | None = None,
    isolation: bool = True,
    exceptions: bool = True,
    setup: Iterable[str] = (),
    settings: Mapping[str, str] | None = None,
    with_wheels: Iterable[str | os.PathLike[str]] = (),
    prefixes: Iterable[str | os.PathLike[str]] = (),
    rebuild: bool = False,
    cache: str | os.PathLike[str] | None = None,
) -> Path:
    """Builds the wheel of a source distribution for sandboxes; gives its path.

    source: a name, with versions if they matter (``"numpy==2.5.5"``), whose source archive pip
        fetches from where it takes packages; or an archive or a directory, which as text has a
        separator in it (``"./numpy"``). Its build scripts run on this machine with your rights.
    output: directory for the wheel.
    python: the interpreter that runs them. By default the present one, or another one of this
        machine if the package says that it is not for this one.
    isolation: install what the build requires in an environment of its own, with pip; else the
        present environment has to have it.
    exceptions: of C++. Without them a throw does not compile, and the module brings its part of the
        C++ library along instead of sharing one.
    setup: arguments for the setup of packages that are built by Meson or scikit-build-core.
    settings: further ones for the package's build backend (``config_settings`` of PEP 517).
    with_wheels: wheels for sandboxes of what the package is built with, as numpy for pandas: their
        headers and static libraries are taken instead of those for this machine.
    prefixes: folders with ``include`` and ``lib`` of C libraries for wasm32-wasi.
    rebuild: build it although the same was built before.
    cache: as of `translate`; also for wheels that were built, and the logs.

    Raises NativeModuleError if it cannot be built; the message names the package and the step, and
    has the last that the build said, and the file with all of it.
    """
    from eryx.native._build import Options, build

    options = Options(
        python=None if python is None else os.fspath(python),
        isolation=isolation,
        exceptions=exceptions,
        setup=tuple(setup),
        settings=dict(settings or {}),
        with_wheels=tuple(Path(wheel) for wheel in with_wheels),
        prefixes=tuple(Path(prefix) for prefix in prefixes),
        rebuild=rebuild,
    )
    found = source if isinstance(source, str) else Path(source)
    return build(found, Path(output), options, Path(cache) if cache else None)


def from_files(
    files: Mapping[str, bytes],
    *,
    needed: Iterable[NativeModule] = (),
    cache: str | os.PathLike[str] | None = None,
    compiling: bool = True,
) -> list[NativeModule]:
    """Translates modules that may need each other, or takes them from the cache.

    files: contents by what messages call them, which ends with a file name.
    needed, cache: as of `translate`. A module that is among the needed ones is not translated.
    compiling: False to take nothing that is not in the cache.

    Raises NativeModuleError that names the file.
    """
    work = _Translator(needed, cache, compiling=compiling)
    modules: list[NativeModule] = []
    pending = dict(files)
    while pending:
        waiting: dict[str, bytes] = {}
        for label, data in pending.items():
            try:
                name = os.path.basename(label.rpartition(": ")[2])
                modules.append(work.translate(data, name, label))
            except _NeededError as error:
                waiting[label] = data
                reason = error
        if len(waiting) == len(pending):
            raise reason
        pending = waiting
    return modules


class _NeededError(NativeModuleError):
    """Another module is needed first."""

    __module__ = "eryx.native"


class _Translator:
    """Translates modules of which later ones may need earlier ones."""

    def __init__(
        self,
        needed: Iterable[NativeModule],
        cache: str | os.PathLike[str] | None,
        *,
        compiling: bool,
    ) -> None:
        self._by_name = {module.name: module for module in needed}
        self._by_hash = {module.sha256: module for module in self._by_name.values()}
        self._cache = Path(cache) if cache else None
        self._compiling = compiling

    def translate(self, data: bytes, name: str, label: str) -> NativeModule:
        """label: what messages call the file."""
        from eryx.native._compile import translate_cached

        digest = hashlib.sha256(data).hexdigest()
        known = self._by_hash.get(digest)
        if known is not None:
            return known
        try:
            found = _prebuilt.translated(data, digest) or translate_cached(
                data, self._cache, compiling=self._compiling
            )
        except MissingToolError:
            raise  # whatever the file is
        except NativeModuleError as error:
            raise NativeModuleError(f"{label}: {error}") from None
        library, library_digest, names = found
        needed = {item: self._provided(item) for item in names if item not in _PRESENT}
        missing = [item for item, module in needed.items() if module is None]
        if missing:
            raise _NeededError(f"{label}: it needs {', '.join(missing)}, which nobody gave")
        present = tuple(module for module in needed.values() if module is not None)
        module = NativeModule(name, digest, library, library_digest, present)
        self._by_name[name] = self._by_hash[digest] = module
        return module

    def _provided(self, name: str) -> NativeModule | None:
        """What a module calls by that name."""
        if name not in self._by_name and name in _LIBRARIES:
            data = _read(Path(__file__).with_name("libraries") / name)
            self._by_name[name] = self.translate(data, name, name)
        return self._by_name.get(name)
