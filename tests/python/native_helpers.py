"""Native modules for tests: small ones in C and C++, and files put together byte by byte."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import eryx
from eryx.native import NativeModule, _compile, _cross
from toolchain import wasm_binary as wasm
from toolchain.leaves import binary

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).with_name("native")
SUFFIX = ".cpython-314-wasm32-wasi.so"


def built(
    source: Path,
    directory: Path,
    *,
    flags: Sequence[str] = (),
    libraries: Sequence[str] = (),
    exceptions: bool = True,
) -> Path:
    """Compiles one source file to a native module in a directory; gives its path.

    libraries: for C++, in place of the standard library; exceptions: of C++.
    """
    cache = _compile._private_directory(_compile.default_cache())
    environment = _compile.zig_environment(cache)
    cxx = source.suffix == ".cpp"
    compiled = directory / f"{source.stem}.o"
    output = directory / f"{source.stem}{SUFFIX}"
    include = (f"-I{ROOT / 'guest'}", "-Wno-missing-field-initializers")
    objects = [str(compiled), *libraries]
    for command in (
        _cross.compile_command(
            [*include, *flags, "-c", str(source), "-o", str(compiled)],
            cxx=cxx,
            exceptions=exceptions,
        ),
        _cross.link_command(
            objects, str(output), cache, cxx=cxx and not libraries, exceptions=exceptions
        ),
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    compiled.unlink()
    return output


def session(directory: Path, *modules: NativeModule, **options: object) -> eryx.Session:
    """A session that finds modules in a directory, and may load these."""
    made = eryx.Session(
        native_modules=modules,
        volumes=[(str(directory), "/native", True)],
        **options,  # type: ignore[arg-type]
    )
    made.execute("import sys; sys.path.append('/native')")
    return made


def make_wheel(path: Path, files: dict[str, bytes]) -> Path:
    """A zip file, named as a wheel."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def section(number: int, *items: bytes) -> bytes:
    return binary.encode_section(number, binary.encode_vector(list(items)))


def custom(name: str, payload: bytes) -> bytes:
    return binary.encode_section(0, binary.encode_name(name) + payload)


def dylink(memory: int = 16, table: int = 0) -> bytes:
    needs = b"".join(map(binary.encode_unsigned, (memory, 4, table, 0)))
    return custom("dylink.0", b"\1" + binary.encode_unsigned(len(needs)) + needs)


VOID = b"\x60\0\0"
I32 = b"\x60\0\1\x7f"
MEMORY_IMPORT = wasm.Import("env", "memory", 2, b"\0\1").encode()
TABLE_IMPORT = wasm.Import("env", "__indirect_function_table", 1, b"\x70\0\0").encode()
MEMORY_BASE = wasm.Import("env", "__memory_base", 3, b"\x7f\0").encode()
TABLE_BASE = wasm.Import("env", "__table_base", 3, b"\x7f\0").encode()


def body(*code: int, local_groups: bytes = b"\0") -> bytes:
    content = local_groups + bytes(code) + b"\x0b"
    return binary.encode_unsigned(len(content)) + content


def module(*sections: bytes, needs: bytes | None = None) -> bytes:
    return binary.MAGIC + (dylink() if needs is None else needs) + b"".join(sections)


def function_module(*code: int, local_groups: bytes = b"\0", name: str = "PyInit_bad") -> bytes:
    """A module with one function of type () -> i32, exported."""
    return module(
        section(1, I32),
        section(2, MEMORY_IMPORT, TABLE_IMPORT, MEMORY_BASE, TABLE_BASE),
        section(3, b"\0"),
        section(7, wasm.Export(name, 0, 0).encode()),
        section(10, body(*code, local_groups=local_groups)),
    )


IMPORT_VOID = wasm.Import("env", "no_such_function", 0, b"\0").encode()
