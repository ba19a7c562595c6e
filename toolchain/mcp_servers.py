"""The reference servers of the Model Context Protocol, from npm, which tests talk to."""

from __future__ import annotations

import json
from pathlib import Path

from toolchain.cache import Cache, default_root, key_of
from toolchain.errors import BuildError
from toolchain.lock import Lock, load_lock
from toolchain.process import run_tool
from toolchain.tools import find_node

ROOT = Path(__file__).resolve().parents[1]


def install(*, lock: Lock | None = None) -> tuple[Path, Path]:
    """Installs them if need be; gives Node and the folder of the packages.

    npm checks each package against the hash in the lock file, and runs none of their scripts.

    Raises BuildError.
    """
    lock = lock or load_lock()
    logs = ROOT / "build" / "log"
    node, npm = find_node(ROOT, lock, logs / "node.log")
    locked = lock.npm_servers
    root = {"name": "servers", "version": "1.0.0", "dependencies": locked["dependencies"]}
    whole = {
        "name": root["name"],
        "version": root["version"],
        "lockfileVersion": 3,
        "packages": {"": root, **locked["packages"]},
    }

    def build(work: Path) -> None:
        (work / "package.json").write_text(json.dumps(root))
        (work / "package-lock.json").write_text(json.dumps(whole))
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-bin-links")
        run_tool([*npm, "ci", *options], log=logs / "mcp-servers.log", directory=work)

    cache = Cache(default_root())
    key = key_of({"servers": locked})
    found = cache.find("mcp-servers", key) or cache.store("mcp-servers", key, build)
    return node, found / "node_modules"


def command(name: str) -> list[str]:
    """What starts a server, such as ``server-everything``; its arguments come behind it."""
    node, packages = install()
    program = packages / "@modelcontextprotocol" / name / "dist" / "index.js"
    if not program.exists():
        raise BuildError(f"{program} is missing")
    return [str(node), str(program)]
