"""How late hostile programs end: ``python bench/lateness.py [--runs N] [--deadline-ms N]``.

Each run is one of the programs of tests/python/hostile_programs.py in turn. Its lateness is the
time from the deadline to the exception in the caller. A run that is far too late ends the script.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time
from pathlib import Path
from typing import Any

import eryx

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "python"))

from hostile_programs import PROGRAMS

WORST = 10
STUCK_SECONDS = 60


def cb(**_: Any) -> None:
    """What the programs call."""


def lateness_ms(code: str, deadline_ms: int) -> float | None:
    """Of one run; None if it ended in another way, such as at its memory limit."""
    limits = eryx.ResourceLimits(execution_timeout_ms=deadline_ms, max_callback_invocations=None)
    sandbox = eryx.Sandbox(resource_limits=limits, callbacks=[{"name": "cb", "fn": cb}])
    began = time.perf_counter()
    try:
        sandbox.execute(code)
    except eryx.TimeoutError:
        return (time.perf_counter() - began) * 1000 - deadline_ms
    except eryx.EryxError:
        pass
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--deadline-ms", type=int, default=50)
    options = parser.parse_args()
    names = list(PROGRAMS)
    found: list[tuple[float, str]] = []
    others: set[str] = set()
    for number in range(options.runs):
        name = names[number % len(names)]
        print(f"\r{number:6} {name:<40}", end="", file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
        late = lateness_ms(PROGRAMS[name], options.deadline_ms)
        faulthandler.cancel_dump_traceback_later()
        if late is None:
            others.add(name)
        else:
            found.append((late, name))
    found.sort()
    print(file=sys.stderr)
    print(f"{len(found)} runs of {len(names)} programs, deadline {options.deadline_ms} ms")
    for label, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1)):
        place = min(len(found) - 1, int(len(found) * share))
        print(f"{label:>6} {found[place][0]:8.2f} ms late")
    print("latest:")
    for late, name in found[: -WORST - 1 : -1]:
        print(f"  {late:8.2f} ms  {name}")
    if others:
        print("ended in another way:", ", ".join(sorted(others)))


if __name__ == "__main__":
    main()
