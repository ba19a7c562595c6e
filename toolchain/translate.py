"""Translates the linked WebAssembly module to C with wasm2c."""

from __future__ import annotations

from pathlib import Path

from toolchain.process import run_tool
from toolchain.tools import Tools

# Features that the module does not use are off, so that no code for them is generated. Two output
# files make wasm2c declare all functions in its header; instrument.py distributes them anew.
WASM2C_FLAGS = ["-n", "guest", "--num-outputs=2", "--disable-exceptions", "--disable-tail-call"]


def translate(module: Path, output: Path, tools: Tools) -> None:
    """Writes guest.h, guest-impl.h and guest_*.c to output."""
    run_tool(
        [tools.wasm2c(), str(module), "-o", str(output / "guest.c"), *WASM2C_FLAGS],
        log=output / "wasm2c.log",
    )
