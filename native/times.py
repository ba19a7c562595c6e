"""How long steps of a build took: kept beside what they made, for the table of packages."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

from toolchain.cache import Cache

_FOLDER = "science-times"


def timed(cache: Cache, key: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    """A step that writes down how long it takes, under a key of its own."""

    def make_and_measure(output: Path) -> None:
        start, before = time.monotonic(), _processor_seconds()
        make(output)
        found = {
            "seconds": time.monotonic() - start,
            "processor": _processor_seconds() - before,
            "load": os.getloadavg()[0],
        }
        earlier = read(cache, key)
        # The longest one: others found most of their parts made.
        if earlier is None or earlier["processor"] < found["processor"]:
            path = _path(cache, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(found))

    return make_and_measure


def read(cache: Cache, key: str) -> dict[str, float] | None:
    """Seconds, those of processors, and the machine's load at the end; None if it is not known."""
    try:
        found: dict[str, float] = json.loads(_path(cache, key).read_text())
    except (OSError, ValueError):
        return None
    return found


def _path(cache: Cache, key: str) -> Path:
    return cache.root / _FOLDER / f"{key[:40]}.json"


def _processor_seconds() -> float:
    """Of the programs that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
