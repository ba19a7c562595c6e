"""Runs programs in deterministic sessions and prints what they did, as JSON.

``python record.py [--workers] [--sample] [NAME...]``: those of tests/determinism and of
tests/differential, or every seventh of them, or the ones named; in worker processes, if that is
wanted. Started by test_determinism.py, which compares.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import eryx

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = (TESTS / "determinism" / "programs", TESTS / "differential" / "programs")

EVERY_OF_SAMPLE = 7

# What differs from run to run elsewhere, in the state that the program has left.
EPILOGUE = """

import asyncio as _a, os as _o, random as _r, secrets as _s, threading as _t, time as _c
import uuid as _u
print(_r.random(), _o.urandom(9), _s.token_hex(4), _u.uuid4(), _u.uuid1())
print(_c.time_ns(), _c.monotonic_ns(), _c.perf_counter(), _c.process_time_ns(), _c.localtime())
print(id(object()), hash("the seed"), {str(n) for n in range(20)}, _o.listdir("/tmp"))
_l = []
_w = [_t.Thread(target=lambda n=n: (_c.sleep(0.01 * (n % 3)), _l.append(n))) for n in range(5)]
[w.start() for w in _w], [w.join() for w in _w]
print(_l, _c.time_ns(), _o.stat("/data").st_mtime_ns)
"""


def programs() -> dict[str, str]:
    """All of them, by name."""
    return {
        f"{folder.parent.name}/{path.relative_to(folder).with_suffix('')}": path.read_text("utf-8")
        for folder in FOLDERS
        for path in sorted(folder.rglob("*.py"))
    }


class Host:
    """Callbacks that take any time, and so are answered in any order."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def fetch(self, key: str, size: int = 3) -> str:
        """Gives a text after a while."""
        self.calls.append(key)
        await asyncio.sleep(random.random() / 200)
        return key * size

    async def fail(self, text: str) -> None:
        """Fails after a while."""
        await asyncio.sleep(random.random() / 200)
        raise eryx.ToolError(text)

    def now(self) -> int:
        """Answers at once."""
        self.calls.append("now")
        return len(self.calls)


def digest_of_state(session: eryx.Session, path: Path) -> str:
    """SHA-256 of all that the session is, memory and files."""
    try:
        session.save(path)
    except eryx.EryxError as error:
        return str(error)
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def record(
    name: str, source: str, state_path: Path, isolation: Literal["process"] | None
) -> dict[str, Any]:
    """What a program did."""
    host = Host()
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    deterministic = eryx.Deterministic(seed=seed, start="2031-05-06T07:08:09Z")
    limits = eryx.ResourceLimits(execution_timeout_ms=120_000, max_memory_bytes=256 << 20)
    session = eryx.Session(
        deterministic=deterministic,
        resource_limits=limits,
        callbacks={"fetch": host.fetch, "fail": host.fail, "now": host.now},
        isolation=isolation,
    )
    seen: dict[str, Any] = {"output": []}
    for code in (source, EPILOGUE):
        try:
            done = await session.execute_async(code, on_stdout=lambda text: None)
            seen["output"] += [done.stdout, done.stderr, done.result, done.fuel_consumed]
        except eryx.EryxError as error:
            seen["output"] += [type(error).__name__, str(error), getattr(error, "stdout", None)]
            seen["output"].append(getattr(error, "fuel_consumed", None))
    seen["calls"] = host.calls
    seen["state"] = digest_of_state(session, state_path)
    session.close()
    return seen


async def main() -> None:
    """Prints an object of all of them."""
    named = programs()
    wanted = [name for name in sys.argv[1:] if not name.startswith("--")]
    if "--sample" in sys.argv:
        wanted = sorted(named)[::EVERY_OF_SAMPLE]
    isolation: Literal["process"] | None = "process" if "--workers" in sys.argv else None
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        seen = {
            name: await record(name, source, state, isolation)
            for name, source in named.items()
            if not wanted or name in wanted
        }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
