"""Compiles the C part of the guest (guest/*.c) into a WebAssembly dynamic library."""

from __future__ import annotations

from pathlib import Path

from toolchain.errors import BuildError
from toolchain.process import run_tool
from toolchain.tools import Tools

COMPILE_FLAGS = [
    *("-target", "wasm32-wasi", "-std=c17", "-O3", "-g0", "-fPIC", "-fvisibility=hidden"),
    *(
        "-fno-sanitize=all",
        "-Wall",
        "-Wextra",
        "-Wshadow",
        "-Wstrict-prototypes",
        "-Wvla",
        "-Werror",
    ),
]

# What the other libraries want and no library of the package has, or not as we want it.
PROVIDED = (
    *("getpid", "dlopen", "dlsym", "dlerror", "__main_argc_argv", "_exit"),
    *("pthread_create", "pthread_self", "pthread_detach", "pthread_join", "pthread_getattr_np"),
    *("pthread_key_create", "pthread_key_delete", "pthread_getspecific", "pthread_setspecific"),
    *("pthread_mutex_init", "pthread_mutex_destroy", "pthread_mutex_lock", "pthread_mutex_trylock"),
    *("pthread_mutex_timedlock", "pthread_mutex_unlock"),
    *("pthread_cond_init", "pthread_cond_destroy", "pthread_cond_wait", "pthread_cond_timedwait"),
    *("pthread_cond_signal", "pthread_cond_broadcast"),
    *("clock_nanosleep", "nanosleep", "sched_yield", "poll", "select"),
    *("lseek", "__wasilibc_tell", "read", "pread", "write", "pwrite"),
    *("stat", "lstat", "fstat", "fstatat", "access", "faccessat"),
    *("open", "openat", "mkdir", "mkdirat", "close", "dup", "dup2"),
    *("chdir", "__wasilibc_find_relpath_alloc"),
    *("clock", "times", "wcsftime"),
)

LINK_FLAGS = [
    *("-shared", "--experimental-pic", "--no-entry", "--unresolved-symbols=import-dynamic"),
    *("--export-dynamic", "--strip-debug"),
]


def compile_guest(root: Path, sources: list[Path], output: Path, tools: Tools) -> None:
    """Writes output/guest.wasm; includes are found from the root of the project on."""
    if not sources:
        raise BuildError("there are no C files in guest/")
    objects = []
    for source in sources:
        target = output / f"{source.stem}.o"
        run_tool(
            [
                str(tools.zig),
                "cc",
                *COMPILE_FLAGS,
                "-iquote",
                str(root),
                "-c",
                str(source),
                "-o",
                str(target),
            ],
            log=output / f"{source.stem}.log",
            environment=tools.zig_environment(),
        )
        objects.append(target)
    exports = [f"--export={name}" for name in PROVIDED]
    run_tool(
        [
            *(str(tools.zig), "wasm-ld", *LINK_FLAGS, *exports),
            *map(str, objects),
            *("-o", str(output / "guest.wasm")),
        ],
        log=output / "link.log",
        environment=tools.zig_environment(),
    )
    for path in objects:
        path.unlink()
