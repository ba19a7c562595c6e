"""The result of reading packages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from eryx._annotations import late_annotations
from eryx._errors import InitializationError
from eryx.packages._package import Package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from eryx._storage import VfsStorage
    from eryx.native import NativeModule


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement of a package that no package of the set fulfils."""

    name: str
    """Name of what is missing, in lower case with hyphens."""
    requirement: str
    """The whole requirement, such as ``markupsafe>=2.0``."""
    wanted_by: str
    """Name and version of the package that wants it."""
    found: str | None
    """The version that is there but does not fit; None if there is none."""

    def __str__(self) -> str:
        """What is missing and why."""
        instead = f", but {self.found} is there" if self.found is not None else ""
        return f"{self.requirement} (wanted by {self.wanted_by}{instead})"


class PackageSet:
    """Packages that have been read and checked: what a sandbox sees at ``/site-packages``."""

    def __init__(
        self,
        packages: tuple[Package, ...],
        files: Mapping[str, bytes],
        missing: tuple[Missing, ...],
        native_files: Mapping[str, str] = MappingProxyType({}),
        sources: tuple[Mapping[str, bytes], ...] = (),
    ) -> None:
        """Sets are made by `collect`."""
        self.packages = packages
        """The packages, in the order of their sources."""
        self.files = files
        """All files by their paths under ``/site-packages``, bytecode included if it was wanted."""
        self.missing = missing
        """Requirements that are not fulfilled. Importing may work without them."""
        self.native_files = native_files
        """Sources of the native modules among the files, by their paths."""
        self._sources = sources  # the files of each source, which is compiled by itself

    def with_bytecode(self, *, cache: bool = False) -> PackageSet:
        """The same with the bytecode of all modules, which makes importing them quick.

        cache: whether to keep it on disk, for other processes, too.
        """
        from eryx.packages._bytecode import bytecode_of, cache_path

        files = dict(self.files)
        for source in self._sources:
            found = bytecode_of(source, cache=cache)
            files.update({cache_path(path): data for path, data in found.items()})
        return PackageSet(
            self.packages, MappingProxyType(files), self.missing, self.native_files, self._sources
        )

    @cached_property
    def archive(self) -> bytes:
        """All files as one piece, which sandboxes share."""
        from eryx._archive import pack

        return pack(self.files)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all names and contents, in hexadecimal."""
        import hashlib

        return hashlib.sha256(self.archive).hexdigest()

    def native_modules(
        self, *, needed: Iterable[NativeModule] = (), compiling: bool = True
    ) -> tuple[NativeModule, ...]:
        """The native modules, translated now or earlier.

        needed: modules that are translated already, and others that these need.
        compiling: False to take only what was translated before.
        Raises NativeModuleError, which names the source and the file.
        """
        if not self.native_files:
            return ()
        from eryx.native import from_files

        files = {f"{label}: {path}": self.files[path] for path, label in self.native_files.items()}
        return tuple(from_files(files, needed=needed, compiling=compiling))

    @property
    def storage(self) -> VfsStorage:
        """A new storage with the files, to be mounted by a `Session`."""
        from eryx._storage import VfsStorage

        storage = VfsStorage(max_bytes=2**62, max_entries=2**31)
        for path, data in self.files.items():
            storage.write_bytes(path, data)
        return storage

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, bytecode included."""
        return sum(map(len, self.files.values()))

    def explain_missing(self) -> str:
        """What is missing, as a sentence for an error message; empty if nothing is."""
        if not self.missing:
            return ""
        return "missing packages: " + ", ".join(map(str, self.missing))

    def check(self) -> None:
        """Raises InitializationError that lists what is missing, if anything is."""
        if self.missing:
            raise InitializationError(self.explain_missing())

    def __reduce__(self) -> tuple[object, ...]:
        """For copies and pickle; with the contents of all files."""
        return _restored, (
            self.packages,
            dict(self.files),
            self.missing,
            dict(self.native_files),
            tuple(map(dict, self._sources)),
        )

    def __eq__(self, other: object) -> bool:
        """Equal if they have the same packages and files."""
        if not isinstance(other, PackageSet):
            return NotImplemented
        return (
            self.packages == other.packages
            and self.files == other.files
            and self.missing == other.missing
            and self.native_files == other.native_files
        )

    def __hash__(self) -> int:
        """Fits __eq__."""
        return hash(self.packages)

    def __repr__(self) -> str:
        """The packages."""
        return f"<PackageSet: {', '.join(map(str, self.packages)) or 'empty'}>"


def _restored(
    packages: tuple[Package, ...],
    files: dict[str, bytes],
    missing: tuple[Missing, ...],
    native_files: dict[str, str],
    sources: tuple[dict[str, bytes], ...],
) -> PackageSet:
    """A set with the contents of another one."""
    return PackageSet(
        packages,
        MappingProxyType(files),
        missing,
        MappingProxyType(native_files),
        tuple(map(MappingProxyType, sources)),
    )


Missing.__module__ = PackageSet.__module__ = "eryx.packages"
late_annotations(globals(), PackageSet)
