"""The C code of libdeflate that unpacks zlib's format, out of the crate that carries it.

The host reads factory files with it; cmake/libdeflate.cmake compiles it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from toolchain.cache import Cache
from toolchain.crates import extract as extract_crate
from toolchain.errors import BuildError
from toolchain.lock import Crate

FILES = (
    *("libdeflate.h", "common_defs.h", "lib/lib_common.h", "lib/cpu_features_common.h"),
    *("lib/adler32.c", "lib/deflate_decompress.c", "lib/utils.c", "lib/zlib_decompress.c"),
    *("lib/decompress_template.h", "lib/deflate_constants.h", "lib/zlib_constants.h"),
    *("lib/x86/adler32_impl.h", "lib/x86/adler32_template.h", "lib/x86/decompress_impl.h"),
    *("lib/x86/cpu_features.c", "lib/x86/cpu_features.h"),
)


def extract(crate: Crate, output: Path, *, cache: Cache) -> None:
    """Writes the files that are compiled to a directory; raises BuildError if one is missing."""
    work = output / "work"
    source = extract_crate(crate, work, cache) / "libdeflate"
    for name in FILES:
        if not (source / name).is_file():
            raise BuildError(f"{crate.name} has no {name}")
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, output / name)
    shutil.rmtree(work)
