"""The C++ library with exceptions, for native modules: one dynamic library from zig's own sources.

All modules of a sandbox share it, so that what one throws another can catch. The standard library,
its part for the language (libc++abi) and the part that unwinds (libunwind) are in it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from toolchain import leaves
from toolchain.errors import BuildError
from toolchain.process import run_tool
from toolchain.tools import Tools

NAME = "liberyx-c++.so"

FLAGS = (
    *("-target", "wasm32-wasi", "-O2", "-g0", "-fPIC", "-w", "-DNDEBUG", "-fno-sanitize=all"),
    "-fvisibility-inlines-hidden",
    *("-D_WASI_EMULATED_SIGNAL", "-D_LIBCPP_BUILDING_LIBRARY", "-D_LIBCXXABI_BUILDING_LIBRARY"),
    *("-DLIBCXX_BUILDING_LIBCXXABI", "-D_LIBUNWIND_IS_NATIVE_ONLY"),
    *("-D__USING_WASM_EXCEPTIONS__", "-D__declspec(x)="),
)
INCLUDES = (*("libcxxabi/include", "libcxx/include", "libcxxabi/src", "libcxx/src", "libcxx/libc"),)
UNWINDING = ("libunwind/include", "libunwind/src")
# For other systems, or replaced by those that are taken.
LEFT_OUT = (*("cxa_noexception.cpp", "cxa_thread_atexit.cpp", "random_shuffle.cpp", "print.cpp"),)


def sources(library: Path) -> list[Path]:
    """What is compiled of the folder ``lib`` of zig."""
    found = [
        path
        for folder in ("libcxxabi/src", "libcxx/src", "libcxx/src/ryu")
        for path in sorted((library / folder).glob("*.cpp"))
        if path.name not in LEFT_OUT
    ]
    if not found:
        raise BuildError(f"{library}: zig's C++ library is not there")
    return [*found, library / "libunwind" / "src" / "Unwind-wasm.c"]


def build(output: Path, tools: Tools, jobs: int) -> None:
    """Writes the library into output."""
    library = tools.zig.resolve().parent / "lib"
    unwinding = [f"-I{library / name}" for name in UNWINDING]
    includes = [*unwinding, *(f"-I{library / name}" for name in INCLUDES)]

    def compile_file(source: Path) -> Path:
        target = output / f"{source.parent.parent.name}-{source.stem}.o"
        cxx = source.suffix == ".cpp"
        # What compilers call in libunwind says nothing of being its interface.
        language = (
            ["c++", "-std=c++23", "-fvisibility=hidden", *includes]
            if cxx
            else ["cc", "-std=c11", "-fvisibility=default", *unwinding]
        )
        run_tool(
            [
                *(str(tools.zig), *language, *FLAGS, *leaves.cxx_flags.FLAGS),
                *("-c", str(source), "-o", str(target)),
            ],
            log=output / f"{target.stem}.log",
            environment=tools.zig_environment(),
        )
        return target

    runtime = output / "compiler_rt.o"
    run_tool(
        [
            *(str(tools.zig), "build-obj", str(library / "compiler_rt.zig")),
            *("-target", "wasm32-wasi", "-fPIC", "-OReleaseSmall", f"-femit-bin={runtime}"),
        ],
        log=output / "compiler_rt.log",
        environment=tools.zig_environment(),
    )
    with ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compile_file, sources(library)))
    run_tool(
        [
            *(str(tools.zig), "wasm-ld", "-shared", "--experimental-pic", "--no-entry"),
            *("-Bsymbolic", "--strip-debug", "--unresolved-symbols=import-dynamic"),
            *(
                "--export=__wasm_call_ctors",
                *map(str, [*objects, runtime]),
                "-o",
                str(output / NAME),
            ),
        ],
        log=output / "link.log",
        environment=tools.zig_environment(),
    )
    for path in [*objects, runtime]:
        path.unlink()
