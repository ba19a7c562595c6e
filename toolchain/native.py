"""Compiles the generated C to native code, one cached object per file, and makes libguest.a.

The guest's functions are compiled twice: plain and metered (``ERYX_METERED``, guest_instance.h).
Both have the same names in C, so that one profile fits both; the object files of the metered ones
then give them other names.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache, key_of
from toolchain.errors import BuildError
from toolchain.instrument import HOT_FILE, METERED_PREFIX, PREFIX
from toolchain.lock import sha256
from toolchain.process import run_tool
from toolchain.tools import Tools

# An old glibc, so that the wheel runs everywhere; a processor that has FSGSBASE has all of
# x86-64-v2.
TARGET_FLAGS = ["-target", "x86_64-linux-gnu.2.28", "-mcpu=x86_64_v2+fsgsbase"]

FLAGS = [
    *("-std=c17", "-g0", "-fPIC", "-fvisibility=hidden", "-w"),
    # What wasm2c's output must be compiled with to mean what WebAssembly says. Sibling calls must
    # stay calls for one more reason: recursion is bounded by the stack, loops by ticks, and a
    # sibling call is neither.
    *("-frounding-math", "-fno-optimize-sibling-calls", "-fno-strict-aliasing"),
    *("-fno-sanitize=all", "-fno-stack-protector", "-fomit-frame-pointer"),
    *("-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
]
OPTIMISATION = "-O2"
HOT_OPTIMISATION = "-O3"
METERED = "-DERYX_METERED"
USE_PROFILE = "-fprofile-instr-use"
ONE_VARIANT = "-DERYX_ONE_VARIANT"
INTERFACE_FILES = ("guest_imports.c", "guest_module.c", "guest_symbols.c")
_STRING_TABLE = 3  # SHT_STRTAB
HOST_HEADERS = ("wasm-rt.h", "guest_instance.h", "guest_code.h")


@dataclass(frozen=True)
class Compiler:
    """A C compiler and the flags that PGO adds to ours."""

    command: list[str]
    identity: str
    environment: dict[str, str]
    extra_flags: tuple[str, ...] = ()


def zig_compiler(tools: Tools, identity: str, flags: tuple[str, ...] = ()) -> Compiler:
    """The compiler of the pipeline, with more flags if wanted."""
    command = [str(tools.zig), "cc", *TARGET_FLAGS]
    return Compiler(command, identity, tools.zig_environment(), flags)


def identify_flags(flags: Iterable[str]) -> list[str]:
    """Flags as they count for the cache: of a profile it is what it says, not where it lies."""
    found = []
    for flag in flags:
        name, _, path = flag.partition("=")
        found.append(f"{name}={sha256(Path(path))}" if name == USE_PROFILE else flag)
    return found


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def rename_functions(data: bytes) -> bytes:
    """An object file with the guest's functions called as in the metered code."""
    old, new = PREFIX.encode(), METERED_PREFIX.encode()
    if len(old) != len(new) or data[:6] != b"\x7fELF\x02\x01":
        raise BuildError("functions can be renamed in 64-bit ELF files only, to names as long")
    start = struct.unpack_from("<Q", data, 0x28)[0]
    size, count = struct.unpack_from("<HH", data, 0x3A)
    renamed = bytearray(data)
    for header in range(start, start + size * count, size):
        kind = struct.unpack_from("<I", data, header + 4)[0]
        offset, length = struct.unpack_from("<QQ", data, header + 0x18)
        if kind == _STRING_TABLE:
            strings = data[offset : offset + length]
            renamed[offset : offset + length] = strings.replace(old, new)
    if old in renamed or new not in renamed:
        raise BuildError("the names of functions are not where they were in object files")
    return bytes(renamed)


def compile_native(
    generated: Path,
    host_headers: Path,
    output: Path,
    *,
    compiler: Compiler,
    tools: Tools,
    cache: Cache,
    jobs: int,
    progress: Callable[[str], None],
    one_variant: bool = False,
) -> None:
    """Compiles generated/*.c; writes libguest.a and include/ to output.

    one_variant: the plain code stands in for the metered.
    """
    # Only two files know the imports and exports; a change there leaves the others as they are.
    shared = [generated / name for name in ("guest_operations.h", "guest_table.h")]
    shared += [*(host_headers / name for name in HOST_HEADERS)]
    interface = [generated / "include" / name for name in ("guest_imports.h", "guest_exports.h")]
    interface.append(host_headers / "guest_symbols.h")
    shared_digest = _digest(shared)
    interface_digest = _digest([*shared, *interface])
    compiled = 0

    def compile_file(source: Path, metered: bool) -> Path:
        nonlocal compiled
        level = HOT_OPTIMISATION if source.name == HOT_FILE else OPTIMISATION
        flags = [*FLAGS, level, *compiler.extra_flags]
        if metered:
            flags.append(METERED)
        elif one_variant:
            flags.append(ONE_VARIANT)
        key = key_of(
            {
                "compiler": compiler.identity,
                "flags": identify_flags(flags),
                "headers": interface_digest if source.name in INTERFACE_FILES else shared_digest,
                "source": hashlib.sha256(source.read_bytes()).hexdigest(),
            }
        )
        found = cache.find("object", key)
        if found:
            return found / "object.o"

        def build(work: Path) -> None:
            run_tool(
                [
                    *compiler.command,
                    *flags,
                    *(f"-I{path}" for path in (generated, generated / "include", host_headers)),
                    *("-c", str(source), "-o", str(work / "object.o")),
                ],
                log=work / "log",
                environment=compiler.environment,
            )
            if metered:
                data = (work / "object.o").read_bytes()
                (work / "object.o").write_bytes(rename_functions(data))

        entry = cache.store("object", key, build)
        compiled += 1
        progress(f"{source.name}{', metered' if metered else ''} ({compiled} compiled)")
        return entry / "object.o"

    sources = sorted(
        generated.glob("*.c"),
        key=lambda path: (path.name != HOT_FILE, -path.stat().st_size),
    )
    wanted = {
        f"{source.stem}{'_metered' if metered else ''}": (source, metered)
        for source in sources
        for metered in (False, True)
        if not metered or (source.name not in INTERFACE_FILES and not one_variant)
    }
    with ThreadPoolExecutor(jobs) as pool:
        made = pool.map(lambda entry: compile_file(*entry), wanted.values())
        results = dict(zip(wanted, made, strict=True))
    objects = output / "objects"
    objects.mkdir()
    for name, path in results.items():
        shutil.copyfile(path, objects / f"{name}.o")
    run_tool(
        [
            *(str(tools.zig), "ar", "rcsD", str(output / "libguest.a")),
            *(str(objects / f"{name}.o") for name in sorted(results)),
        ],
        log=output / "ar.log",
        environment=tools.zig_environment(),
    )
    shutil.rmtree(objects)
    shutil.copytree(generated / "include", output / "include")
