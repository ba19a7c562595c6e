"""Builds and installs the C library, and programs of it, as somebody who has only the sources."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ROOT / "tests" / "hosts"
BUILD = ROOT / "build" / "c library"  # kept, so that only what has changed is compiled
# What a build takes; not the tests.
PARTS = (
    *("CMakeLists.txt", "LICENSE", "LICENSES", "cmake", "examples", "guest", "include", "protocol"),
    *("src", "toolchain", "tools"),
)
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes", "-Werror")
WARNINGS_CPP = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")

Done = subprocess.CompletedProcess[str]


def call(
    *command: str | Path,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
    stdin: str = "",
) -> Done:
    """Runs a program, without what the caller's environment says of eryx."""
    inherited = {name: value for name, value in os.environ.items() if name != "ERYX_DATA"}
    return subprocess.run(
        [str(word) for word in command],
        env={**inherited, "ERYX_ZIG_PYTHON": sys.executable, **(environment or {})},
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )


def succeed(
    *command: str | Path, environment: dict[str, str] | None = None, folder: Path | None = None
) -> str:
    """What a program prints, which must succeed."""
    done = call(*command, environment=environment, folder=folder)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


def link_sources(folder: Path) -> None:
    """Lets a folder look like the sources."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(ROOT / name)


def blocks(language: str) -> list[str]:
    """The examples of docs/c.md in a language."""
    text = (ROOT / "docs" / "c.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def build(compiler: str) -> Path:
    """Builds with the compiler of the system ("cc") or of the wheel ("zig"), from a source folder
    and in a build folder whose names have spaces. Gives the build folder.
    """
    source = BUILD / "source tree"
    link_sources(source)
    options = [
        *("-DCMAKE_BUILD_TYPE=Release", "-DERYX_PYTHON=OFF", "-DERYX_TESTS=OFF"),
        f"-DERYX_GUEST_DIR={ROOT / 'build' / 'guest'}",
        f"-DERYX_LIBRARIES_DIR={ROOT / 'build' / 'libraries'}",
    ]
    if compiler == "zig":
        options.append(f"-DCMAKE_TOOLCHAIN_FILE={source / 'cmake' / 'zig-toolchain.cmake'}")
    folder = BUILD / f"built by {compiler}"
    succeed("cmake", "-S", source, "-B", folder, *options)
    succeed("cmake", "--build", folder, "--parallel", str(os.cpu_count()))
    return folder


@dataclass(frozen=True)
class Library:
    """An installed library."""

    prefix: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a program that is linked with the shared library needs to find it."""
        return {"LD_LIBRARY_PATH": str(self.prefix / "lib")}

    def flags(self, package: str = "eryx") -> list[str]:
        """What pkg-config says."""
        said = succeed(
            *("pkg-config", "--cflags", "--libs", package),
            environment={"PKG_CONFIG_PATH": str(self.prefix / "lib" / "pkgconfig")},
        )
        return shlex.split(said)

    def compile(self, source: Path, output: Path, package: str = "eryx") -> Path:
        """Compiles a program by what pkg-config says. Gives its path."""
        if source.suffix == ".cpp":
            compiler = ["g++", "-std=c++17", *WARNINGS_CPP]
        else:
            compiler = ["gcc", "-std=c17", "-D_GNU_SOURCE", *WARNINGS]
        succeed(*compiler, source, "-o", output, *self.flags(package))
        return output

    def run(self, program: Path, *words: str | Path, **environment: str) -> str:
        """What a program prints that finds the library here, and that must succeed."""
        return succeed(program, *words, environment={**self.environment, **environment})
