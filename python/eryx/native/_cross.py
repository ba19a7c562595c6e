"""Compilers for wasm32-wasi that make native modules, on top of zig."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eryx.native import _cxx_flags, _wasi
from eryx.native._compile import run_tool, zig_environment, zig_program
from eryx.native._errors import NativeModuleError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TARGET = ("-target", "wasm32-wasi")
# Before those of the C library.
HEADERS = Path(__file__).with_name("headers")
COMPILE_FLAGS = (
    f"-I{HEADERS}",
    *(*_TARGET, "-O2", "-g0", "-fPIC", "-fno-sanitize=all", "-DNDEBUG"),
    *("-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_GETPID", "-D_WASI_EMULATED_PROCESS_CLOCKS"),
    "-D_GNU_SOURCE",  # what musl has of POSIX, also with -std=c11
    *_cxx_flags.LONG_JUMPS,
)
# The C++ library of modules that throw, which they share.
CXX_LIBRARY = Path(__file__).with_name("libraries") / "liberyx-c++.so"
LINK_FLAGS = (
    *("-shared", "--experimental-pic", "--no-entry", "-Bsymbolic", "--strip-debug"),
    *("--unresolved-symbols=import-dynamic", "--export=__wasm_call_ctors"),
)
_CXX_SUFFIXES = (".cpp", ".cc", ".cxx", ".C")

# What build backends pass on from their own Python's configuration and that means nothing here.
_DROPPED = ("-L", "-l", "-march=", "-mtune=", "-fuse-ld=", "-Wl,", "-rdynamic", "-flto")
_SYSTEM = ("/usr/include", "/usr/local/include", "/usr/lib", "/usr/local/lib", "/lib")
# Libraries that the guest has, or that are linked anyway.
_PRESENT = re.compile(
    r"c|m|dl|rt|util|pthread|resolv|stdc\+\+|c\+\+|c\+\+abi|gcc|gcc_s|gcc_eh|atomic|unwind"
    r"|python3[.\w]*|wasi-emulated-.*|crt.*"
)
_CXX_LIBRARIES = ("-lc++", "-lstdc++")
_COMPILE_ONLY = ("-c", "-E", "-S", "-fsyntax-only")


def _identity(zig: Path) -> str:
    return hashlib.sha256(f"{zig.resolve()} {zig.stat().st_size}".encode()).hexdigest()[:12]


def _zig_library(zig: Path) -> Path:
    for candidate in (zig.parent / "lib", zig.resolve().parent.parent / "lib" / "zig"):
        if (candidate / "compiler_rt.zig").exists():
            return candidate
    raise NativeModuleError(f"{zig}: its library is not where it should be")


def runtime_object(cache: Path) -> Path:
    """The compiler's own helper functions (128-bit arithmetic and so on), compiled once."""
    zig = Path(zig_program())
    target = cache / f"compiler_rt-{_identity(zig)}.o"
    if not target.exists():
        partial = cache / f"compiler_rt-{os.getpid()}.partial.o"
        run_tool(
            [
                *(str(zig), "build-obj", str(_zig_library(zig) / "compiler_rt.zig"), *_TARGET),
                *("-fPIC", "-OReleaseSmall", f"-femit-bin={partial}"),
            ],
            zig_environment(cache),
        )
        partial.replace(target)
    return target


def cxx_archives(cache: Path) -> list[Path]:
    """The C++ standard library without exceptions, compiled once, which takes a minute."""
    zig = Path(zig_program())
    targets = [cache / f"{name}-{_identity(zig)}.a" for name in ("libc++", "libc++abi")]
    if all(target.exists() for target in targets):
        return targets
    with tempfile.TemporaryDirectory(dir=cache, prefix="cxx-") as work_name:
        work = Path(work_name)
        source = work / "program.cpp"
        source.write_text("#include <string>\nint main() { return (int)std::string().size(); }\n")
        own = str(work / "zig")
        run_tool(
            [
                *(str(zig), "c++", *_TARGET, "-fPIC", "-O2", str(source)),
                *("-o", str(work / "program.wasm")),
            ],
            {**os.environ, "ZIG_GLOBAL_CACHE_DIR": own, "ZIG_LOCAL_CACHE_DIR": own},
        )
        for target in targets:
            name = target.name.rpartition("-")[0] + ".a"
            found = next(iter((work / "zig" / "o").glob(f"*/{name}")), None)
            if found is None:
                raise NativeModuleError(f"zig made no {name}")
            found.replace(target)
    return targets


def _support_object(name: str, cache: Path) -> Path:
    """A source file of ours that modules bring along, compiled once."""
    zig = Path(zig_program())
    source = Path(__file__).with_name(name)
    identity = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    target = cache / f"{source.stem}-{_identity(zig)}-{identity}.o"
    if not target.exists():
        partial = cache / f"{source.stem}-{os.getpid()}.partial.o"
        run_tool(
            [*compile_command([], cxx=False), "-c", str(source), "-o", str(partial)],
            zig_environment(cache),
        )
        partial.replace(target)
    return target


def compile_command(arguments: Sequence[str], *, cxx: bool, exceptions: bool = True) -> list[str]:
    """The command that compiles with these arguments.

    exceptions: of C++; without them a throw is an error of the compiler.
    """
    language = ["c++" if cxx else "cc", *COMPILE_FLAGS]
    if cxx and exceptions:
        language += _cxx_flags.FLAGS
    else:
        language.append("-fno-exceptions")
    return [zig_program(), *language, *arguments]


def link_command(
    objects: Sequence[str], output: str, cache: Path, *, cxx: bool, exceptions: bool = True
) -> list[str]:
    """The command that links objects to a module, whose name is that of the file.

    Modules in C++ share a library, or bring their part along if they are without exceptions.
    """
    name = os.path.basename(output).split(".")[0]
    # What the compiler makes of setjmp() and longjmp() is in the first one.
    archives = [_support_object("long_jump.c", cache), runtime_object(cache)]
    if cxx:
        archives[:0] = [CXX_LIBRARY] if exceptions else cxx_archives(cache)
        archives.insert(0, _support_object("thread_exit.c", cache))
    return [
        *(zig_program(), "wasm-ld", *LINK_FLAGS, f"--export-if-defined=PyInit_{name}"),
        *(*objects, *map(str, archives), "-o", output),
    ]


def _write_program(path: Path, function: str, *arguments: object) -> None:
    """Writes a program that calls a function of this module with these and its own arguments."""
    given = ", ".join(map(repr, arguments))
    zig_packages = str(Path(zig_program()).parents[1])
    path.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parents[2]), zig_packages]!r}\n"
        f"from eryx.native._cross import {function}\n"
        f"sys.exit({function}({given}, sys.argv[1:]))\n"
    )
    path.chmod(0o700)


def write_rust_linker(work: Path, cache: Path) -> Path:
    """Writes the program ``rust-ld`` into work, where the compilers are; gives its path."""
    config = json.loads((work / "compilers.json").read_text())
    program = work / "rust-ld"
    _write_program(program, "link_rust", json.dumps({**config, "cache": str(cache)}))
    return program


def write_compilers(
    work: Path,
    cache: Path,
    include: Path,
    dropped: Sequence[str],
    *,
    prefixes: Sequence[Path] = (),
    exceptions: bool = True,
) -> None:
    """Writes the programs ``cc``, ``c++``, ``ar``, ``ranlib`` and ``strip`` into work.

    include: where headers are looked for first; dropped: arguments that are left out; prefixes:
    folders whose include and lib have libraries for wasm32-wasi; exceptions: of C++.
    """
    config = {
        "prefixes": [str(prefix.resolve()) for prefix in prefixes],
        "exceptions": exceptions,
        "cache": str(cache),
        "include": str(include),
        "dropped": list(dropped),
        "marker": str(work / "uses-c++"),
    }
    (work / "compilers.json").write_text(json.dumps(config))
    for name in ("cc", "c++"):
        _write_program(work / name, "main", json.dumps(config), name == "c++")
    for tool in ("ar", "ranlib"):
        program = work / tool
        program.write_text(f'#!/bin/sh\nexec "{zig_program()}" {tool} "$@"\n')
        program.chmod(0o700)
    strip = work / "strip"
    strip.write_text("#!/bin/sh\nexit 0\n")
    strip.chmod(0o700)


def _archives(arguments: Sequence[str], prefixes: Sequence[str]) -> tuple[list[str], list[str]]:
    """The libraries that ``-l`` and ``-L`` mean, and the names of those that are not there.

    What the system has is made for this machine. A shared one is what modules of one wheel share.
    """
    named = [argument[2:] for argument in arguments if argument.startswith("-L")]
    places = [place for place in named if not place.startswith(_SYSTEM)]
    places += [f"{prefix}/lib" for prefix in prefixes]
    found: list[str] = []
    missing: list[str] = []
    for argument in arguments:
        if argument.startswith("-l"):
            name = argument[2:]
            paths = [f"{place}/lib{name}.{kind}" for place in places for kind in ("so", "a")]
            path = next((path for path in paths if os.path.exists(path)), None)
            if path is not None:
                found.append(path)
            elif not _PRESENT.fullmatch(name):
                missing.append(name)
    return found, missing


def _expanded(arguments: Sequence[str]) -> list[str]:
    """Arguments with those that files of arguments have."""
    result: list[str] = []
    for argument in arguments:
        if argument.startswith("@") and os.path.isfile(argument[1:]):
            result += _expanded(shlex.split(Path(argument[1:]).read_text()))
        else:
            result.append(argument)
    return result


def _kept(arguments: Sequence[str], dropped: Sequence[str]) -> list[str]:
    """Arguments that mean something here."""
    result: list[str] = []
    for argument in arguments:
        path = argument.removeprefix("-isystem").removeprefix("-I")
        if path.startswith(_SYSTEM) and (path != argument or result[-1:] == ["-isystem"]):
            if path == argument:
                result.pop()
        elif not argument.startswith(_DROPPED) and argument not in dropped:
            result.append(argument)
    return result


def main(config_text: str, is_cxx: bool, arguments: list[str]) -> int:
    """What ``cc`` and ``c++`` do: compile, or link a module if there is ``-shared``.

    Other links are checks of build systems, which make a program that nobody runs.
    """
    config: dict[str, Any] = json.loads(config_text)
    cache = Path(config["cache"])
    prefixes: list[str] = config["prefixes"]
    if "-Wl,--version" in arguments:
        print("LLD 22 (compatible with GNU linkers)")
        return 0
    if "--print-search-dirs" in arguments:
        print(f"libraries: ={os.pathsep.join(f'{prefix}/lib' for prefix in prefixes)}")
        return 0
    if "--version" in arguments or "-dumpversion" in arguments:
        return subprocess.call([zig_program(), "cc", *arguments], env=zig_environment(cache))
    marker = Path(config["marker"])
    arguments = _expanded(arguments)
    cxx = is_cxx or any(argument.endswith(_CXX_SUFFIXES) for argument in arguments)
    compiles = any(argument in _COMPILE_ONLY for argument in arguments)
    libraries, missing = _archives(arguments, prefixes)
    if missing and not compiles:
        print(f"cc: -l{missing[0]}: there is no lib{missing[0]}.a for wasm32-wasi", file=sys.stderr)
        return 1
    if cxx:
        marker.touch()
    asks = any(argument in _CXX_LIBRARIES for argument in arguments)
    arguments = _kept(arguments, config["dropped"])
    environment = zig_environment(cache)
    if "-shared" not in arguments:
        include = [f"-I{config['include']}", "-Wno-everything"]
        further = [f"-I{prefix}/include" for prefix in prefixes]
        # zig links a library of its own, which has no exceptions, with programs.
        exceptions = config["exceptions"] and compiles
        options = [*include, *arguments, *further, *([] if compiles else libraries)]
        command = compile_command(options, cxx=cxx, exceptions=exceptions)
        return subprocess.call(command, env=environment)
    place = arguments.index("-o") + 1
    output = arguments[place]
    shared = tuple(f"{prefix}/lib/" for prefix in prefixes)
    objects = [
        argument
        for argument in [*arguments[:place], *arguments[place + 1 :]]
        if argument.endswith((".o", ".a"))
        or (argument.endswith(".so") and argument.startswith(shared))
    ] + libraries
    # Also what is in C itself may be linked to a library in C++.
    cxx = cxx or asks or marker.exists()
    command = link_command(objects, output, cache, cxx=cxx, exceptions=config["exceptions"])
    return subprocess.call(command, env=environment)


def link_rust(config_text: str, arguments: list[str]) -> int:
    """What ``rust-ld`` does: links what rustc made to a module that exports what it says."""
    config: dict[str, Any] = json.loads(config_text)
    joined: list[str] = []
    for argument in _expanded(arguments):
        if joined[-1:] in (["-l"], ["-L"]):
            joined[-1] += argument
        else:
            joined.append(argument)
    libraries, missing = _archives(joined, config["prefixes"])
    if missing:
        print(f"cc: -l{missing[0]}: there is no lib{missing[0]}.a for wasm32-wasi", file=sys.stderr)
        return 1
    exported = [
        f"--export={name}" for before, name in itertools.pairwise(joined) if before == "--export"
    ]
    objects = [argument for argument in joined if argument.endswith((".o", ".a", ".rlib"))]
    cache = Path(config["cache"])
    output = Path(joined[joined.index("-o") + 1])

    def link(*further: str) -> int:
        command = link_command(
            [*exported, *further, *objects, *libraries],
            str(output),
            cache,
            cxx=Path(config["marker"]).exists(),
            exceptions=config["exceptions"],
        )
        return subprocess.call(command, env=zig_environment(cache))

    code = link()
    if code:
        return code
    _, called = _wasi.redirected(output.read_bytes())
    provided = called & set(_wasi.PROVIDED)
    if not provided:
        return 0
    names = (f"--export={_wasi.PREFIX}{name}" for name in sorted(provided))
    code = link(*names, str(_support_object("wasi_preview1.c", cache)))
    if code == 0:
        output.write_bytes(_wasi.redirected(output.read_bytes(), provided)[0])
    return code
