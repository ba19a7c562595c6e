"""The headers of simde that have WebAssembly's vectors, out of a wheel that carries them.

Native modules with SIMD are compiled with them (src/machine/guest_vectors.h).
"""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from toolchain.errors import BuildError

PREFIX = PurePosixPath("cmeel.prefix/include/simde")
MAIN = "wasm/simd128.h"


def extract(wheel: Path, output: Path) -> None:
    """Writes the headers to a directory; raises BuildError if the main one is missing."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            # What all parts have in common lies at the top.
            if not path.is_relative_to(PREFIX) or path.suffix != ".h":
                continue
            relative = path.relative_to(PREFIX)
            if len(relative.parts) == 1 or str(relative) == MAIN:
                target = output / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
    if not (output / MAIN).exists():
        raise BuildError(f"{wheel.name} has no {PREFIX / MAIN}")
