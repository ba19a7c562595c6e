"""What sessions take of a machine: ``python bench/footprint.py [--sessions N] [--mib M]``.

Makes sessions in this process, runs a program in each, and prints what the kernel says of the
process; the same for sessions in a worker process. `docs/deploying.md` has the figures.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

import eryx

PROGRAM = "x = [n * n for n in range(1000)]"
LARGE = "y = bytearray({} << 20)\nfor i in range(0, len(y), 4096): y[i] = 1"


def figures(process: str = "self") -> dict[str, float]:
    """Memory in MiB, and the number of mappings."""
    folder = Path("/proc", process)
    found = {}
    for line in (folder / "smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        found[name] = int(value.split()[0]) / 1024
    size = next(
        line for line in (folder / "status").read_text().splitlines() if line.startswith("VmSize")
    )
    return {
        "RSS": found["Rss"],
        "private": found["Private_Clean"] + found["Private_Dirty"],
        "address space": int(size.split()[1]) / 1024,
        "mappings": len((folder / "maps").read_text().splitlines()),
    }


def print_row(name: str, found: dict[str, float], before: dict[str, float], count: int) -> None:
    """One row: all of it, and how much one session makes of it."""
    parts = [
        f"{what} {value:,.0f} ({(value - before[what]) / max(count, 1):,.2f} each)"
        for what, value in found.items()
    ]
    print(f"{name}: {', '.join(parts)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--mib", type=int, default=8, help="what a large one has of its own")
    options = parser.parse_args()
    eryx.Sandbox().execute("1")
    before = figures()
    print_row("no session", before, before, 0)
    sessions = [eryx.Session() for _ in range(options.sessions)]
    for session in sessions:
        session.execute(PROGRAM)
    print_row(f"{options.sessions} sessions", figures(), before, options.sessions)
    there = figures()
    for session in sessions[: options.sessions // 10]:
        session.execute(LARGE.format(options.mib))
    name = f"a tenth of them with {options.mib} MiB more"
    print_row(name, figures(), there, options.sessions // 10)
    for session in sessions:
        session.close()
    del sessions, session
    gc.collect()
    print_row("all closed", figures(), before, options.sessions)
    with eryx.Workers(processes=1) as workers:
        first = workers.session()
        first.execute(PROGRAM)
        (worker,) = workers.pids
        before = figures(str(worker))
        print_row("a worker with one session", before, before, 0)
        more = [workers.session() for _ in range(options.sessions // 10)]
        for session in more:
            session.execute(PROGRAM)
        name = f"{len(more)} more"
        print_row(name, figures(str(worker)), before, len(more))
    return 0


if __name__ == "__main__":
    sys.exit(main())
