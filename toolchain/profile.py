"""Profile-guided optimisation: an instrumented build, a training run, and what it counted.

zig has no profile runtime, so the instrumented build is made by LLVM 19 of the system. Its counters
belong to the source, not to the compiler's intermediate code, so that zig's newer clang can use
them, for the plain code and for the metered.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from toolchain import stdlib
from toolchain.bytecode import compile_library
from toolchain.cache import Cache
from toolchain.errors import BuildError
from toolchain.image import build_image, build_image_tool
from toolchain.native import USE_PROFILE, Compiler, compile_native
from toolchain.process import run_tool
from toolchain.setup import install_system_packages
from toolchain.tools import Tools

CLANG = "clang-19"
MERGER = "llvm-profdata-19"
PACKAGES = ["clang-19", "llvm-19", "libclang-rt-19-dev"]
INSTRUMENT = "-fprofile-instr-generate"
TRAINING = Path(__file__).parent / "training"


def require_llvm(log: Path) -> None:
    """Installs LLVM 19 if it is missing; raises BuildError that names it if that cannot be done."""
    if not shutil.which(CLANG) or not shutil.which(MERGER):
        install_system_packages(PACKAGES, log)


def instrumenting_compiler() -> Compiler:
    command = [CLANG, "-march=x86-64-v2", "-mfsgsbase"]
    return Compiler(command, CLANG, dict(os.environ), (INSTRUMENT,))


def training_programs() -> list[Path]:
    """The programs whose run decides what is optimised."""
    return sorted(TRAINING.glob("*.py"))


def use_flags(profile: Path) -> tuple[str, ...]:
    """Compiler flags that apply a profile."""
    return (f"{USE_PROFILE}={profile}",)


def collect(
    root: Path,
    host_headers: Path,
    generated: Path,
    library: dict[str, bytes],
    output: Path,
    *,
    tools: Tools,
    cache: Cache,
    jobs: int,
    progress: Callable[[str], None],
) -> None:
    """Writes output/guest.profdata.

    library: the files of the standard library, by path.
    """
    guest = output / "guest"
    guest.mkdir()
    compile_native(
        generated,
        host_headers,
        guest,
        compiler=instrumenting_compiler(),
        tools=tools,
        cache=cache,
        jobs=jobs,
        progress=progress,
        one_variant=True,
    )
    tool = build_image_tool(
        root,
        guest,
        output / "host",
        jobs,
        [f"-DCMAKE_C_COMPILER={CLANG}", f"-DCMAKE_EXE_LINKER_FLAGS={INSTRUMENT}"],
    )
    # Starting Python from nothing happens once for each build: it does not count.
    archive, image = output / "stdlib.bin", output / "image.bin"
    stdlib.pack_library(library, {}, archive)
    unused = {"LLVM_PROFILE_FILE": str(output / "start.unused")}
    build_image(tool, archive, image, unused)
    compiled = compile_library(tool, archive, image, output, unused)
    stdlib.pack_library(library, compiled, archive)
    build_image(tool, archive, image, unused)
    profiles = []
    for program in training_programs():
        profile = output / f"{program.stem}.profraw"
        result = subprocess.run(
            [str(tool), "run", str(archive), str(image), str(program)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LLVM_PROFILE_FILE": str(profile)},
            check=False,
        )
        if result.returncode:
            tail = result.stderr.decode(errors="replace")[-2000:]
            raise BuildError(f"training program {program.name} failed:\n{tail}")
        profiles.append(str(profile))
    run_tool(
        [MERGER, "merge", "-o", str(output / "guest.profdata"), *profiles],
        log=output / "merge.log",
    )
    for path in [guest, output / "host"]:
        shutil.rmtree(path)
    for path in [archive, image, *output.glob("*.profraw"), *output.glob("*.unused")]:
        path.unlink()
