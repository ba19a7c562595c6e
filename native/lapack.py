"""BLAS and LAPACK as one shared library: OpenBLAS, and LAPACK of Debian's source by f2c.

scipy calls all of LAPACK, from many modules, so it lies in a library that they share.
"""

from __future__ import annotations

import re
from pathlib import Path

from native import fortran
from native.kit import Kit
from toolchain import debian
from toolchain.process import run_tool

SOURCES = Path(__file__).with_name("lapack")
# What scipy does not call, and f2c does not read: what takes arrays as whole values.
_LEFT_OUT = re.compile(
    r".*(rfsx|svxx|_extended|trsyl3|gedmdq?|lamch|isnan|xerbla|xerbla_array|getsqrhrt|laqz\d"
    r"|gges3|ggev3|bdsvdx|gesvdx)"
)
_FREE_FORM = ("lartg", "lassq")
_F2C = ("-A", "-R", "-a", "-Nx2000", "-Nn2000")


def to_c(lapack: Path, output: Path, kit: Kit) -> list[Path]:
    """Makes C of LAPACK's source tree; gives the files. Raises BuildError if f2c refuses one."""
    packages = output / "packages"
    packages.mkdir(parents=True)
    (package,) = debian.download(["f2c"], packages)
    debian.unpack(package, output / "tools")
    program = output / "tools" / "usr" / "bin" / "f2c"
    folder = lapack / "SRC"
    found = [*folder.glob("*.f"), *folder.glob("DEPRECATED/*.f"), lapack / "INSTALL" / "ilaver.f"]
    wanted = sorted(path for path in found if not _LEFT_OUT.fullmatch(path.stem))
    texts = {path.stem: fortran.fortran77(path.stem, path.read_text()) for path in wanted}
    for name in (f"{kind}{each}" for kind in "sdcz" for each in _FREE_FORM):
        texts[name] = fortran.of_free_form(name, (folder / f"{name}.f90").read_text())
    made = []
    for name, text in texts.items():
        source = output / f"{name}.f"
        source.write_text(text)
        run_tool(
            [str(program), *_F2C, f"-d{output}", source.name],
            log=output / "f2c.log",
            directory=output,
        )
        target = output / f"{name}.c"
        target.write_text(fortran.c_of(name, target.read_text()))
        made.append(target)
    return [*made, SOURCES / "runtime.c"]
