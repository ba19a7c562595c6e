"""What packages and libraries for sandboxes are built with."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache
from toolchain.lock import Lock
from toolchain.process import run_tool


@dataclass(frozen=True)
class Kit:
    """What libraries are built with."""

    lock: Lock
    cache: Cache
    ninja: Path
    zig: Path
    compile: tuple[str, ...]
    """The command that compiles C for sandboxes, without files."""
    compile_cxx: tuple[str, ...]
    jobs: int

    @property
    def environment(self) -> dict[str, str]:
        own = str(self.cache.root / "zig")
        return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": own, "ZIG_LOCAL_CACHE_DIR": own}

    @property
    def identity(self) -> str:
        """The compiler and its flags, wherever they lie."""
        text = shlex.join(self.compile).replace(str(self.zig), "zig")
        return re.sub(r"-I\S+/eryx/native/headers", "-Iheaders", text) + str(
            self.zig.stat().st_size
        )

    def tool(self, path: Path, *command: str, behind: tuple[str, ...] = ()) -> Path:
        """A program that runs a command with its own arguments, and these behind."""
        path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@" {shlex.join(behind)}\n')
        path.chmod(0o700)
        return path


def compiled(
    files: Iterable[Path], work: Path, kit: Kit, *flags: str, cxx: bool = False
) -> list[Path]:
    """Objects of these files, in work."""
    command = [*(kit.compile_cxx if cxx else kit.compile), "-w", *flags]

    def compile_file(source: Path) -> Path:
        target = work / f"{source.parent.name}-{source.stem}.o"
        run_tool(
            [*command, "-c", str(source), "-o", str(target)],
            log=work / f"{target.name}.log",
            environment=kit.environment,
        )
        return target

    with ThreadPoolExecutor(kit.jobs) as pool:
        return list(pool.map(compile_file, files))


def archive_of(objects: Iterable[Path], target: Path, kit: Kit, log: Path) -> None:
    """Puts objects into a static library."""
    run_tool(
        [str(kit.zig), "ar", "rcs", str(target), *map(str, objects)],
        log=log,
        environment=kit.environment,
    )
