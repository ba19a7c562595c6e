"""Compiles the generated C to native code, one cached object per file, and makes libguest.a."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache, key_of
from toolchain.instrument import HOT_FILE
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
INTERFACE_FILES = ("guest_imports.c", "guest_module.c", "guest_symbols.c")
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


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


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
) -> None:
    """Compiles generated/*.c; writes libguest.a and include/ to output."""
    # Only two files know the imports and exports; a change there leaves the others as they are.
    shared = [generated / "guest_operations.h", *(host_headers / name for name in HOST_HEADERS)]
    interface = [generated / "include" / name for name in ("guest_imports.h", "guest_exports.h")]
    interface.append(host_headers / "guest_symbols.h")
    shared_digest = _digest(shared)
    interface_digest = _digest([*shared, *interface])
    compiled = 0

    def compile_file(source: Path) -> Path:
        nonlocal compiled
        level = HOT_OPTIMISATION if source.name == HOT_FILE else OPTIMISATION
        flags = [*FLAGS, level, *compiler.extra_flags]
        key = key_of(
            {
                "compiler": compiler.identity,
                "flags": flags,
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

        entry = cache.store("object", key, build)
        compiled += 1
        progress(f"{source.name} ({compiled} compiled)")
        return entry / "object.o"

    sources = sorted(
        generated.glob("*.c"),
        key=lambda path: (path.name != HOT_FILE, -path.stat().st_size),
    )
    with ThreadPoolExecutor(jobs) as pool:
        results = dict(
            zip((path.stem for path in sources), pool.map(compile_file, sources), strict=True)
        )
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
