"""Modules of the Python package that the pipeline uses as well.

The package itself cannot be imported before it is built: its native module needs the guest that is
made here. Its leaves, which import nothing of the package, can: they are loaded from their files.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = [
    "ARCHIVE",
    "BINARY",
    "CXX_FLAGS",
    "WASM2C",
    "archive",
    "binary",
    "cxx_flags",
    "wasm2c",
]

PACKAGE = Path(__file__).parent.parent / "python" / "eryx"

ARCHIVE = PACKAGE / "_archive.py"
BINARY = PACKAGE / "native" / "_binary.py"
CXX_FLAGS = PACKAGE / "native" / "_cxx_flags.py"
WASM2C = PACKAGE / "native" / "_wasm2c.py"


def _load(path: Path) -> ModuleType:
    name = f"{__name__}.{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look there
    specification.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from eryx import _archive as archive
    from eryx.native import _binary as binary
    from eryx.native import _cxx_flags as cxx_flags
    from eryx.native import _wasm2c as wasm2c
else:
    archive = _load(ARCHIVE)
    binary = _load(BINARY)
    cxx_flags = _load(CXX_FLAGS)
    wasm2c = _load(WASM2C)
