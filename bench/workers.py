"""Measures what worker processes cost, against sandboxes of this process; nothing here is a test.

python bench/workers.py
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import eryx

ROUNDS = 400
STARTS = 20


def one_us(work: Callable[[], object]) -> float:
    """Microseconds of one call."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e6


def pairs(here: Callable[[], object], there: Callable[[], object]) -> tuple[float, float, float]:
    """Medians of both, in turns, and of what the second takes more."""
    for work in (here, there):
        one_us(work)
    times = [(one_us(here), one_us(there)) for _ in range(ROUNDS)]
    first, second = zip(*times, strict=True)
    more = statistics.median(second) - statistics.median(first)
    return statistics.median(first), statistics.median(second), more


def show(name: str, here: float, there: float, more: float) -> None:
    print(
        f"{name:<44} {here:>8.1f} us here {there:>8.1f} in a worker, {more:>6.1f} more", flush=True
    )


def private_kilobytes(pid: int) -> int:
    """Memory of a process that it shares with nobody."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(
        int(line.split()[1])
        for line in text.splitlines()
        if line.startswith(("Private_Clean", "Private_Dirty"))
    )


def main() -> None:
    with eryx.Workers(processes=1) as workers:
        here, there = eryx.Session(), workers.session()
        show(
            "session, `x = 1`",
            *pairs(lambda: here.execute("x = 1"), lambda: there.execute("x = 1")),
        )
        code = "print(1)"
        box, far = eryx.Sandbox(), workers.sandbox()
        show("sandbox, `print(1)`", *pairs(lambda: box.execute(code), lambda: far.execute(code)))
        table = {"add": lambda a, b: a + b}
        box, far = eryx.Sandbox(callbacks=table), workers.sandbox(callbacks=table)
        code = "for i in range(10): await add(a=i, b=1)"
        show("ten callbacks", *pairs(lambda: box.execute(code), lambda: far.execute(code)))
        show("making a sandbox", *pairs(eryx.Sandbox, workers.sandbox))
        show("fork of a session", *pairs(here.fork, there.fork))

    starts = []
    for _ in range(STARTS):
        workers = eryx.Workers(processes=1)
        starts.append(one_us(workers.sandbox) / 1e3)
        workers.close()
    print(
        f"{'start of a worker, with its first sandbox':<44} {statistics.median(starts):>8.1f} ms, "
        f"{min(starts):.1f} at best"
    )

    with eryx.Workers(processes=2) as workers:
        boxes = [workers.sandbox(), workers.sandbox()]
        for box in boxes:
            box.execute("print(1)")
        if os.geteuid() == 0:
            most = max(private_kilobytes(pid) for pid in workers.pids)
            print(f"{'memory of a worker that it shares with nobody':<44} {most / 1024:>8.1f} MiB")


if __name__ == "__main__":
    main()
