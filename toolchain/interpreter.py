"""Builds CPython for the guest from its source: one dynamic library, libpython3.14, in WebAssembly.

Neither configure nor make is run. What configure would find out is in cpython/pyconfig.h, which
files there are is read from CPython's own Makefile, and the modules are listed here.

CPython holds some of its modules frozen, as bytecode in C, which a Python of the same version has
to make. That is the library itself: linked with zig's C library to a program that Node runs.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain import crates
from toolchain.cache import Cache
from toolchain.errors import BuildError
from toolchain.lock import Crate
from toolchain.process import run_tool
from toolchain.tools import Tools

SOURCE = "python3.14"  # as Debian calls it
NAME = "libpython"
STANDARD_LIBRARY = "stdlib"
CONFIGURATION = Path(__file__).with_name("cpython")

_TARGET = ("-target", "wasm32-wasi")
FLAGS = (
    *(*_TARGET, "-std=c11", "-O3", "-g0", "-fPIC", "-w", "-DNDEBUG", "-fno-sanitize=all"),
    # Integers go round, as CPython's own build has it (-fno-strict-overflow); pointers do not: with
    # that, no offset would be folded into a load or store.
    "-fwrapv",
    "-fvisibility=hidden",
    # The C library is that of WASI 0.2. Its clocks are pointers, which CPython takes for numbers.
    *("-D__wasilibc_use_wasip2", "-Wno-int-conversion"),
)
LINK_FLAGS = (
    *("-shared", "--experimental-pic", "--no-entry", "--unresolved-symbols=import-dynamic"),
    *("--export-dynamic", "--strip-debug", "-Bsymbolic"),
)
CORE = "-DPy_BUILD_CORE"
MODULE = "-DPy_BUILD_CORE_BUILTIN"

# Built-in modules and their files in Modules/.
MODULES: dict[str, tuple[str, ...]] = {
    "_sqlite3": tuple(
        f"_sqlite/{name}.c"
        for name in (
            *("blob", "connection", "cursor", "microprotocols", "module", "prepare_protocol"),
            *("row", "statement", "util"),
        )
    ),
    "array": ("arraymodule.c",),
    "_asyncio": ("_asynciomodule.c",),
    "_bisect": ("_bisectmodule.c",),
    "_csv": ("_csv.c",),
    "_heapq": ("_heapqmodule.c",),
    "_json": ("_json.c",),
    "_lsprof": ("_lsprof.c", "rotatingtree.c"),
    "_pickle": ("_pickle.c",),
    "_queue": ("_queuemodule.c",),
    "_random": ("_randommodule.c",),
    "_struct": ("_struct.c",),
    "_zoneinfo": ("_zoneinfo.c",),
    "math": ("mathmodule.c",),
    "cmath": ("cmathmodule.c",),
    "_statistics": ("_statisticsmodule.c",),
    "_decimal": ("_decimal/_decimal.c",),
    "binascii": ("binascii.c",),
    "zlib": ("zlibmodule.c",),
    "_md5": ("md5module.c",),
    "_sha1": ("sha1module.c",),
    "_sha2": ("sha2module.c",),
    "_sha3": ("sha3module.c",),
    "_blake2": ("blake2module.c",),
    "_hmac": ("hmacmodule.c",),
    "pyexpat": ("pyexpat.c",),
    "_elementtree": ("_elementtree.c",),
    "_codecs_cn": ("cjkcodecs/_codecs_cn.c",),
    "_codecs_hk": ("cjkcodecs/_codecs_hk.c",),
    "_codecs_iso2022": ("cjkcodecs/_codecs_iso2022.c",),
    "_codecs_jp": ("cjkcodecs/_codecs_jp.c",),
    "_codecs_kr": ("cjkcodecs/_codecs_kr.c",),
    "_codecs_tw": ("cjkcodecs/_codecs_tw.c",),
    "_multibytecodec": ("cjkcodecs/multibytecodec.c",),
    "unicodedata": ("unicodedata.c",),
    "select": ("selectmodule.c",),
    "_socket": ("socketmodule.c",),
    "atexit": ("atexitmodule.c",),
    "faulthandler": ("faulthandler.c",),
    "posix": ("posixmodule.c",),
    "_signal": ("signalmodule.c",),
    "_tracemalloc": ("_tracemalloc.c",),
    "_suggestions": ("_suggestions.c",),
    "_datetime": ("_datetimemodule.c",),
    "_codecs": ("_codecsmodule.c",),
    "_collections": ("_collectionsmodule.c",),
    "errno": ("errnomodule.c",),
    "_io": tuple(
        f"_io/{name}.c"
        for name in (
            *("_iomodule", "iobase", "fileio", "bytesio", "bufferedio", "textio", "stringio"),
        )
    ),
    "itertools": ("itertoolsmodule.c",),
    "_sre": ("_sre/sre.c",),
    "_sysconfig": ("_sysconfig.c",),
    "_thread": ("_threadmodule.c",),
    "time": ("timemodule.c",),
    "_types": ("_typesmodule.c",),
    "_typing": ("_typingmodule.c",),
    "_weakref": ("_weakref.c",),
    "_abc": ("_abc.c",),
    "_functools": ("_functoolsmodule.c",),
    "_locale": ("_localemodule.c",),
    "_opcode": ("_opcode.c",),
    "_operator": ("_operator.c",),
    "_stat": ("_stat.c",),
    "_symtable": ("symtablemodule.c",),
}
# What needs nothing that only the guest's C library has.
_FREEZING_MODULES = ("posix", "_signal", "_io", "errno", "_codecs", "_thread", "time", "_weakref")

_SINGLE_FILES = ("LICENSE", "Makefile.pre.in", "Tools/freeze/flag.py")
_PREFIX = "/python-stdlib"
_GETPATH = (
    *(f'-DPREFIX="{_PREFIX}"', f'-DEXEC_PREFIX="{_PREFIX}"', '-DVERSION="3.14"'),
    *('-DVPATH=""', '-DPLATLIBDIR="lib"', '-DPYTHONPATH=""'),
)
_DEFINED: dict[str, tuple[str, ...]] = {
    "Modules/getbuildinfo.c": ('-DGITVERSION=""', '-DGITTAG=""', '-DGITBRANCH=""'),
    "Python/dynload_shlib.c": ('-DSOABI="cpython-314-wasm32-wasi"',),
    "Python/getplatform.c": ('-DPLATFORM="wasi"',),
    "Python/sysmodule.c": ('-DABIFLAGS=""', '-DMULTIARCH="wasm32-wasi"'),
    "Modules/_sysconfig.c": (
        *('-DEXT_SUFFIX=".cpython-314-wasm32-wasi.so"', '-DSOABI="cpython-314-wasm32-wasi"'),
    ),
    "Modules/socketmodule.c": ("-include", str(CONFIGURATION / "inet.h")),
    "Modules/binascii.c": ("-DUSE_ZLIB_CRC32",),
}
_DECIMAL = ("-IModules/_decimal/libmpdec", "-DCONFIG_32=1", "-DANSI=1")
_HACL = ("-IModules/_hacl", "-IModules/_hacl/include", "-D_BSD_SOURCE", "-D_DEFAULT_SOURCE")
_BY_FOLDER: dict[str, tuple[str, ...]] = {
    "Modules/_decimal/": _DECIMAL,
    "Modules/_hacl/": _HACL,
    "Modules/expat/": ("-IModules/expat",),
    "Modules/pyexpat.c": ("-IModules/expat",),
    "Modules/_elementtree.c": ("-IModules/expat",),
    "Modules/md5": _HACL,
    "Modules/sha": _HACL,
    "Modules/blake2": _HACL,
    "Modules/hmac": _HACL,
    "Modules/_io/": ("-IModules/_io",),
    "Modules/_sqlite/": ("-IModules/_sqlite",),
}
# Variables of the Makefile.
_CORE_OBJECTS = ("PARSER_OBJS", "OBJECT_OBJS", "PYTHON_OBJS")
_LIBRARY_OBJECTS = (
    *("LIBMPDEC_OBJS", "LIBEXPAT_OBJS"),
    *("LIBHACL_MD5_OBJS", "LIBHACL_SHA1_OBJS", "LIBHACL_SHA2_OBJS", "LIBHACL_SHA3_OBJS"),
    *("LIBHACL_BLAKE2_OBJS", "LIBHACL_HMAC_OBJS"),
)
_MAKE = {
    "DYNLOADFILE": "dynload_shlib.o",
    "LIBOBJS": "Python/dup2.o",
    "MACHDEP_OBJS": "",
    "DTRACE_OBJS": "",
}
_ZLIB = (
    *("adler32", "crc32", "deflate", "infback", "inffast", "inflate", "inftrees", "trees"),
    *("zutil", "compress", "uncompr", "gzclose", "gzlib", "gzread", "gzwrite"),
)
_SQLITE = (
    *("-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_LOCALTIME"),
    *("-DSQLITE_OMIT_SHARED_CACHE", "-DSQLITE_OMIT_WAL", "-DSQLITE_MAX_MMAP_SIZE=0"),
    *("-DSQLITE_ENABLE_MATH_FUNCTIONS", "-DSQLITE_ENABLE_PERCENTILE"),
    *("-DSQLITE_DIRECT_OVERFLOW_READ", "-DSQLITE_DEFAULT_AUTOVACUUM=0"),
)


@dataclass(frozen=True)
class Sources:
    """Where everything was unpacked."""

    python: Path
    zlib: Path
    sqlite: Path


@dataclass(frozen=True)
class Unit:
    """One file to compile, with the flags that are its own."""

    source: Path
    target: str
    flags: tuple[str, ...]


def unpack(archive: Path, output: Path) -> str:
    """Unpacks what is needed of CPython's source; gives the day of the release."""
    wanted = ("Include/", "Modules/", "Objects/", "Parser/", "Python/", "Programs/", "Lib/")
    with tarfile.open(archive) as tar:
        released = 0
        for member in tar:
            _, _, path = member.name.partition("/")
            released = max(released, int(member.mtime))
            if path in _SINGLE_FILES:
                pass
            elif not path.startswith(wanted) or path.startswith("Lib/test/"):
                continue
            member.name = path
            tar.extract(member, output, filter="data")
    return time.strftime("%b %d %Y", time.gmtime(released))


def makefile_objects(text: str, *names: str) -> list[str]:
    """The sources of the objects that variables of CPython's Makefile list."""
    joined = text.replace("\\\n", " ")

    def value(name: str) -> str:
        if name in _MAKE:
            return _MAKE[name]
        found = re.search(rf"^{name}[ \t]*=(.*)$", joined, re.M)
        if found is None:
            raise BuildError(f"CPython's Makefile has no {name}")
        plain = re.sub(r"@\w+@", "", found[1])
        return re.sub(r"\$\((\w+)\)", lambda match: value(match[1]), plain)

    objects = " ".join(value(name) for name in names).split()
    return [path.removesuffix(".o") + ".c" for path in dict.fromkeys(objects)]


def table_of_modules(template: str, names: list[str] | tuple[str, ...]) -> str:
    """config.c with these modules, of its template."""
    declared = "\n".join(f"extern PyObject* PyInit_{name}(void);" for name in names)
    entries = "\n".join(f'    {{"{name}", PyInit_{name}}},' for name in names)
    text = template.replace("/* -- ADDMODULE MARKER 1 -- */", declared)
    return text.replace("/* -- ADDMODULE MARKER 2 -- */", entries)


def frozen_modules(text: str) -> list[tuple[str, str, str]]:
    """Name, source and header of what CPython's Makefile freezes."""
    pattern = r"^\t\$\(FREEZE_MODULE(?:_BOOTSTRAP)?\) (\S+) \$\(srcdir\)/(\S+) (\S+)$"
    found = re.findall(pattern, text, re.M)
    if len(found) < 20:
        raise BuildError("CPython's Makefile freezes its modules in another way")
    return found


def _flags_of(path: str) -> tuple[str, ...]:
    own = _DEFINED.get(path, ())
    for prefix, flags in _BY_FOLDER.items():
        if path.startswith(prefix):
            own += flags
    return own


def _units(sources: Sources, makefile: str, day: str) -> list[Unit]:
    """All but the table of modules and what is frozen."""
    units = []
    include = ("-I.", "-IInclude", "-IInclude/internal", "-IInclude/internal/mimalloc")
    others = {
        "Modules/zlibmodule.c": sources.zlib,
        "Modules/binascii.c": sources.zlib,
        "Modules/_sqlite/": sources.sqlite,
    }
    core = makefile_objects(makefile, *_CORE_OBJECTS)
    core += ["Modules/main.c", "Modules/gcmodule.c", "Modules/getbuildinfo.c"]
    modules = [f"Modules/{file}" for files in MODULES.values() for file in files]
    libraries = makefile_objects(makefile, *_LIBRARY_OBJECTS)
    for kind, paths in ((CORE, core), (MODULE, modules), (MODULE, libraries)):
        for path in paths:
            flags = (*include, kind, *_flags_of(path))
            flags += tuple(f"-I{at}" for name, at in others.items() if path.startswith(name))
            if path == "Modules/getbuildinfo.c":
                flags += (f'-DDATE="{day}"', '-DTIME="00:00:00"')
            units.append(Unit(Path(path), path.replace("/", "-")[:-2] + ".o", flags))
    for name in _ZLIB:
        flags = ("-DHAVE_UNISTD_H", "-DHAVE_STDARG_H", "-D_LARGEFILE64_SOURCE=1")
        units.append(Unit(sources.zlib / f"{name}.c", f"zlib-{name}.o", flags))
    units.append(Unit(sources.sqlite / "sqlite3.c", "sqlite3.o", _SQLITE))
    return units


class Builder:
    """Compiles into one directory."""

    def __init__(self, sources: Sources, output: Path, tools: Tools, jobs: int) -> None:
        self.sources = sources
        self.output = output
        self.tools = tools
        self.jobs = jobs

    def run(self, name: str, *command: str) -> None:
        run_tool(
            list(command),
            log=self.output / f"{name}.log",
            directory=self.sources.python,
            environment=self.tools.zig_environment(),
        )

    def compile_one(self, unit: Unit) -> Path:
        target = self.output / unit.target
        zig = (str(self.tools.zig), "cc", *FLAGS, *unit.flags)
        self.run(unit.target, *zig, "-c", str(unit.source), "-o", str(target))
        return target

    def compile(self, units: list[Unit]) -> list[Path]:
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(self.compile_one, units))


def build(
    archive: Path, zlib: Crate, sqlite: Crate, output: Path, tools: Tools, cache: Cache, jobs: int
) -> None:
    """Writes output/libpython, CPython's headers and the tar of its standard library to output.

    archive: CPython's source; the crates hold those of zlib and SQLite.
    """
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".source-") as name:
        work = Path(name)
        day = unpack(archive, work / "python")
        sources = Sources(
            work / "python",
            crates.extract(zlib, work, cache) / "src" / "zlib",
            crates.extract(sqlite, work, cache) / "sqlite3",
        )
        _build(sources, day, output, tools, jobs)


def _build(sources: Sources, day: str, output: Path, tools: Tools, jobs: int) -> None:
    builder = Builder(sources, output, tools, jobs)
    for patch in sorted(CONFIGURATION.glob("*.patch")):
        builder.run(patch.stem, "patch", "--batch", "--fuzz=0", "-p1", "-i", str(patch))
    (sources.python / "pyconfig.h").write_bytes((CONFIGURATION / "pyconfig.h").read_bytes())
    makefile = (sources.python / "Makefile.pre.in").read_text()
    objects = builder.compile(_units(sources, makefile, day))
    _freeze(builder, makefile, objects)
    template = (sources.python / "Modules" / "config.c.in").read_text()
    (sources.python / "Modules" / "config.c").write_text(table_of_modules(template, [*MODULES]))
    flags = ("-I.", "-IInclude", "-IInclude/internal", CORE)
    objects += builder.compile(
        [
            Unit(Path("Modules/config.c"), "config.o", flags),
            Unit(Path("Modules/getpath.c"), "getpath.o", (*flags, *_GETPATH)),
            Unit(Path("Python/frozen.c"), "frozen.o", flags),
            Unit(CONFIGURATION / "builtins.c", "builtins.o", ("-fvisibility=hidden",)),
        ]
    )
    builder.run(
        "link",
        *(str(tools.zig), "wasm-ld", *LINK_FLAGS, *map(str, objects)),
        *("-o", str(output / NAME)),
    )
    for path in (*output.glob("*.o"), *output.glob("*.log")):
        path.unlink()
    with tarfile.open(output / STANDARD_LIBRARY, "w") as tar:
        for path in sorted((sources.python / "Lib").rglob("*")):
            tar.add(path, str(path.relative_to(sources.python / "Lib")), recursive=False)
        tar.add(sources.python / "LICENSE", "LICENSE.txt")
    include = sources.python / "Include"
    for path in include.rglob("*.h"):
        target = output / "include" / path.relative_to(include)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


_NODE = """
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";
const [program, root, ...modules] = process.argv.slice(2);
const code = await WebAssembly.compile(readFileSync(program));
const absent = new Proxy({}, { get: (_, name) => () => { throw new Error(name + " is absent"); } });
for (let at = 0; at < modules.length; at += 3) {
  const args = ["freeze", ...modules.slice(at, at + 3)];
  const wasi = new WASI({ version: "preview1", args, preopens: { "/": root }, returnOnExit: true });
  const imports = { wasi_snapshot_preview1: wasi.wasiImport };
  for (const { module } of WebAssembly.Module.imports(code)) imports[module] ??= absent;
  const status = wasi.start(await WebAssembly.instantiate(code, imports));
  if (status !== 0) throw new Error(args.join(" ") + ": " + status);
}
"""


def _freeze(builder: Builder, makefile: str, objects: list[Path]) -> None:
    """Makes the headers of the frozen modules."""
    sources, output, tools = builder.sources, builder.output, builder.tools
    template = (sources.python / "Modules" / "config.c.in").read_text()
    (sources.python / "Modules" / "config_freeze.c").write_text(
        table_of_modules(template, _FREEZING_MODULES)
    )
    flags = ("-I.", "-IInclude", "-IInclude/internal", CORE)
    own = builder.compile(
        [
            Unit(Path("Programs/_freeze_module.c"), "freeze_module.o", flags),
            Unit(Path("Modules/getpath_noop.c"), "getpath_noop.o", flags),
            Unit(Path("Modules/config_freeze.c"), "config_freeze.o", flags),
        ]
    )
    archive = output / "core.a"
    builder.run("ar", str(tools.zig), "ar", "rcsD", str(archive), *map(str, objects))
    program = output / "freeze.wasm"
    builder.run(
        "freeze_link",
        *(str(tools.zig), "cc", *_TARGET, "-O1", *map(str, own), str(archive)),
        *("-lwasi-emulated-signal", "-lwasi-emulated-getpid", "-lwasi-emulated-process-clocks"),
        *("-Wl,--import-symbols", "-Wl,-z,stack-size=4194304"),
        *("-o", str(program)),
    )
    script = output / "freeze.mjs"
    script.write_text(_NODE)
    frozen = [part for entry in frozen_modules(makefile) for part in entry]
    builder.run(
        "freeze",
        *(str(tools.node), "--no-warnings", str(script), str(program)),
        *(str(sources.python), *(f"/{p}" if "/" in p else p for p in frozen)),
    )
    for path in (archive, program, script):
        path.unlink()
