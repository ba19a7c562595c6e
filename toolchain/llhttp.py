"""The C code of llhttp, a parser of HTTP/1.1, out of an archive of a package that carries it.

Its authors have generated it; here it is only taken out, and cmake/llhttp.cmake compiles it.
"""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from toolchain.errors import BuildError

FILES = ("build/c/llhttp.c", "build/llhttp.h", "src/native/api.c", "src/native/http.c")


def extract(archive: Path, output: Path) -> None:
    """Writes the files that are compiled to a directory; raises BuildError if one is missing."""
    wanted = {f"vendor/llhttp/{name}" for name in FILES}
    with tarfile.open(archive) as members:
        for member in members:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            stream = members.extractfile(member) if str(path) in wanted else None
            if stream is not None:
                wanted.remove(str(path))
                (output / path.name).write_bytes(stream.read())
    if wanted:
        raise BuildError(f"{archive.name} has no {', '.join(sorted(wanted))}")
