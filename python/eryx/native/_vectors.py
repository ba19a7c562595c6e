"""SIMD: what wasm2c writes of vectors, and the words of it that are known."""

from __future__ import annotations

import re

# All of these have one name for little and one for big machines.
SUBSTITUTIONS = [(re.compile(r"\bv128_(?=[iuf]\d+x\d+_)"), "simde_wasm_")]

# What simde takes from addresses is only used by guest_vectors.h.
KNOWN_NAMES = (
    r"|v128|v128_const|v128_(?:load|store)_default32|v128_load\d+_(?:splat|zero)"
    r"|v128_(?:load|store)\d+_lane\d+|[iu]\d+x\d+_load\d+x\d+_default32"
    r"|simde_wasm_(?!\w*(?:load|store))\w+"
)

_USE = re.compile(r"\bv128\b")


def uses_vectors(text: str) -> bool:
    """Whether functions in C have vectors."""
    return _USE.search(text) is not None
