"""What factories of packages would have to make first, for the companion wheel.

That is the bytecode of a package, and the memory of a factory as `eryx.science.factory` makes it.
Both are made in a process of its own, which finds the companion as it has been filled so far.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import eryx
from eryx import _eryx, _factory_cache, _science
from eryx._factory import SandboxFactory
from eryx.native import _prebuilt
from eryx.native._unpacked import folder_name
from eryx.packages import _bytecode, collect
from native.kit import Kit
from toolchain.cache import key_of
from toolchain.lock import sha256
from toolchain.process import run_tool

_ROOT = Path(__file__).resolve().parent.parent
_STEP = "science-ready"
# Increase it when the same contents become something else: when the form of frozen memory changes
# (src/live/factory.c). What is made before that is refused, and tests/science says so.
_VERSION = 3


def lay(
    site: Path, manifest: Mapping[str, object], archives: Mapping[str, dict[str, bytes]]
) -> None:
    """Makes a folder with the companion as if it were installed, and unpacked already.

    archives: the files of each.
    """
    listed = {}
    for name, files in archives.items():
        digest = hashlib.sha256(name.encode()).hexdigest()
        place = site / "cache/native" / folder_name(digest)
        place.mkdir(parents=True)
        for each, data in files.items():
            (place / each).write_bytes(data)
        sizes = {each: len(data) for each, data in files.items()}
        listed[name] = {"file": f"{name}.tar.xz", "sha256": digest, "files": sizes}
    folder = site / _prebuilt.PACKAGE
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "manifest.json").write_text(json.dumps({**manifest, "archives": listed}))


def made(
    name: str, *, memory: bool, parts: Mapping[str, str], site: Path, kit: Kit
) -> dict[str, bytes]:
    """What is made of a package, by the hashes that it is found by; from the cache if it is there.

    memory: that of a factory, not bytecode. parts: hashes of what it is made of, of the companion.
    site: a folder that `lay` has made.
    """
    folder = Path(eryx.__file__).parent
    key = key_of(
        {
            "version": _VERSION,
            "what": [name, memory],
            "parts": dict(parts),
            "build": _eryx.BUILD_ID,
            "image": sha256(folder / "image.bin"),
        }
    )
    make = partial(run, name=name, memory=memory, site=site)
    entry = kit.cache.find(_STEP, key) or kit.cache.store(_STEP, key, make)
    return {path.name: path.read_bytes() for path in sorted((entry / "made").iterdir())}


def run(output: Path, *, name: str, memory: bool, site: Path) -> None:
    """Makes it, in the folder `made` of output."""
    (output / "made").mkdir()
    paths = [str(site), str(Path(eryx.__file__).parent.parent), str(_ROOT)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "ERYX_CACHE_DIR": str(site / "cache"),
    }
    make = "_make_memory" if memory else "_make_bytecode"
    program = f"import sys; from native import ready; ready.{make}(*sys.argv[1:])"
    run_tool(
        [sys.executable, "-c", program, name, str(output / "made")],
        log=site / f"{name}.log",
        environment=environment,
    )


def _make_bytecode(name: str, output: str) -> None:
    wheel = _science.find(name)
    assert wheel is not None
    for sources in collect([wheel], bytecode=False)._sources:
        found = _bytecode.bytecode_of(sources, cache=False)
        if found:
            (Path(output) / _bytecode.key_of(sources)).write_bytes(_bytecode.pack(found))


def _make_memory(name: str, output: str) -> None:
    settings = _science.settings([name], {"cache": False})
    template = SandboxFactory(**settings)._template()
    key = _factory_cache.key_of(template.description, settings.get("setup_code"))
    (Path(output) / key).write_bytes(template.frozen)
