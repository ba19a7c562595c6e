"""What is known of one package."""

from __future__ import annotations

from dataclasses import dataclass

# Read by the module site, which sandboxes do not run: what these files want would never happen.
_SITE_MODULES = {"sitecustomize.py", "usercustomize.py"}

# What WebAssembly begins with.
_WEBASSEMBLY = b"\0asm"

# Files that a package could be built from, but that mean nothing to Python.
_NATIVE_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".rs", ".f", ".f90", ".go", ".m", ".s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One package of a `PackageSet`."""

    name: str
    """Its name, as it says itself; that of the folder if it says nothing."""
    version: str | None
    """Its version, None if it says none."""
    source: str
    """Where it comes from: a path, or the name that came with bytes."""
    files: int = 0
    """Number of its files, bytecode aside."""
    size: int = 0
    """Bytes of its files, bytecode aside."""
    requires: tuple[str, ...] = ()
    """Requirements that it declares, markers and extras included."""
    ignored: tuple[str, ...] = ()
    """Entries that were left out: ``.pth`` and ``sitecustomize`` files, scripts, headers, data."""
    not_built: tuple[str, ...] = ()
    """Sources of native modules that it could have; it must do with its fallback in Python."""

    def __str__(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}" if self.version else self.name


Package.__module__ = "eryx.packages"


def is_ignored(path: str) -> bool:
    """Whether a file of /site-packages is left out."""
    top, slash, _ = path.partition("/")
    if not slash and (top.endswith(".pth") or top in _SITE_MODULES):
        return True
    if not slash:
        return False
    return (top in ("sitecustomize", "usercustomize")) or is_bytecode(path)


def is_bytecode(path: str) -> bool:
    """Whether it is a cache of another interpreter; the guest's own is made anew."""
    return "__pycache__" in path.split("/")


def is_native_source(path: str) -> bool:
    return path.endswith(_NATIVE_SOURCES)


def is_native_module(path: str, data: bytes) -> bool:
    """Whether it is an extension module of the guest's kind."""
    return path.endswith(".so") and data.startswith(_WEBASSEMBLY)
