"""BLAS and LAPACK as one shared library: OpenBLAS, and LAPACK of Debian's source by f2c.

scipy calls all of LAPACK, from many modules, so it lies in a library that they share. Subroutines
give nothing there, as scipy declares them: in WebAssembly a call has to agree with the function.
"""

from __future__ import annotations

import re
from pathlib import Path

from eryx.native import _cross
from native import fortran, openblas
from native.kit import Kit, archive_of, compiled
from toolchain import debian
from toolchain.process import run_tool

SOURCES = Path(__file__).with_name("lapack")
# What scipy does not call, and f2c does not read: what takes arrays as whole values.
_LEFT_OUT = re.compile(
    r".*(rfsx|svxx|_extended|trsyl3|gedmdq?|lamch|isnan|xerbla|xerbla_array|getsqrhrt|laqz\d"
    r"|gges3|ggev3|bdsvdx|gesvdx|2stage|trd_(sy2sb|he2hb)"
    r"|chla_transtype)"
)
_FREE_FORM = ("lartg", "lassq")
_F2C = ("-A", "-R", "-a", "-Nx2000", "-Nn2000")
# OpenBLAS has its own, which take something else.
_RENAMED = ("c_abs", "z_abs")
_PKG_CONFIG = """\
prefix=${pcfiledir}/../..
Name: openblas
Description: OpenBLAS with LAPACK
Version: 0.3.34
Libs: -L${prefix}/lib -lopenblas
Cflags: -I${prefix}/include
"""


def build(work: Path, output: Path, kit: Kit, extra: list[Path]) -> None:
    """OpenBLAS of the tree source0 with LAPACK of the tree source1, as lib/libopenblas.so."""
    _let_subroutines_give_nothing(work / "source0")
    folder = openblas.compiled(work, kit, extra)
    openblas.copy_headers(folder, output)
    files = to_c(work / "source1", work / "c", kit)
    rest = work / "liblapack.a"
    renamed = [f"-D{name}=fortran_{name}" for name in _RENAMED]
    flags = [openblas.VECTORS, *renamed, f"-I{SOURCES}"]
    archive_of(compiled(files, files[0].parent, kit, *flags), rest, kit, work / "archive.log")
    cache = kit.cache.root / "science-compilers" / "native"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Where both have a function it is OpenBLAS's.
    wanted = [f"--undefined={file.stem}_" for file in files if file.parent != SOURCES]
    exported = [f"--export-if-defined={name}_" for name in _names(work / "source1")]
    blas = str(folder / "lib" / "libopenblas.a")
    objects = [*wanted, *exported, "--whole-archive", blas, "--no-whole-archive", str(rest)]
    target = output / "lib" / "libopenblas.so"
    run_tool(
        _cross.link_command(objects, str(target), cache, cxx=False),
        log=work / "link.log",
        environment=kit.environment,
    )
    (output / "lib" / "pkgconfig").mkdir()
    (output / "lib" / "pkgconfig" / "openblas.pc").write_text(_PKG_CONFIG)


def _names(lapack: Path) -> list[str]:
    """All that BLAS and LAPACK have."""
    folders = ("SRC", "SRC/DEPRECATED", "INSTALL", "BLAS/SRC")
    return sorted({path.stem for each in folders for path in (lapack / each).glob("*.f*")})


def _let_subroutines_give_nothing(tree: Path) -> None:
    """Also those of LAPACK that OpenBLAS has, which give a number that nobody takes."""
    for file in (tree / "interface" / "lapack").glob("*.c"):
        text = re.sub(rb"^int NAME\(", b"void NAME(", file.read_bytes(), flags=re.M)
        file.write_bytes(re.sub(rb"\breturn 0;", b"return;", text))
    pattern = rb"^int( +BLASFUNC\((?:[sdcz]\w+|xerbla)\))"
    header = tree / "common_interface.h"
    header.write_bytes(re.sub(pattern, rb"void\1", header.read_bytes(), flags=re.M))
    errors = tree / "driver" / "others" / "xerbla.c"
    text = re.sub(pattern, rb"void\1", errors.read_bytes(), flags=re.M)
    errors.write_bytes(
        text.replace(b"  return openblas_xerbla_dispatch", b"  openblas_xerbla_dispatch")
    )


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
