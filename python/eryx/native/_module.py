"""Translated modules, and how sandboxes get them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NativeModule:
    """A translated module, for ``Sandbox(native_modules=[...])``.

    name: of the file that it was translated from.
    sha256: of that file, in hex: a sandbox finds the module by it.
    library, library_sha256: the shared object in the cache, and its hash.
    needed: other modules that it uses.
    """

    __module__ = "eryx.native"

    name: str
    sha256: str
    library: Path
    library_sha256: str
    needed: tuple[NativeModule, ...] = field(default=(), repr=False, compare=False)
    _opened: list[object] = field(default_factory=list, repr=False, compare=False, hash=False)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: what is opened belongs to this process."""
        return {**vars(self), "_opened": []}

    def open(self) -> Any:  # a handle that only the binding can read
        """Opens the shared object; done when the first sandbox wants it.

        Raises InitializationError if it is damaged, was made for another build of eryx or needs
        something that sandboxes have not.
        """
        from eryx._eryx import open_native_module

        if not self._opened:
            handles = tuple(module.open() for module in self.needed)
            digest = bytes.fromhex(self.library_sha256)
            self._opened.append(open_native_module(os.fsencode(self.library), digest, handles))
        return self._opened[0]


def open_modules(modules: Iterable[NativeModule]) -> tuple[Any, ...]:
    """Handles for the binding, of the modules and of all that they need, in the library's order."""
    found: dict[str, Any] = {}

    def add(module: NativeModule) -> None:
        if not isinstance(module, NativeModule):
            wrong = type(module).__name__
            raise TypeError(f"native_modules has to hold NativeModule, not {wrong}")
        if module.sha256 not in found:
            for other in module.needed:
                add(other)
            found[module.sha256] = module.open()

    for module in modules:
        add(module)
    return tuple([found[digest] for digest in sorted(found)])
