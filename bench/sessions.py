"""Measures sessions, forks, checkpoints, snapshots and files; nothing here is a test.

python bench/sessions.py
"""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import eryx
from eryx._engine import shared_engine

LIMITS = eryx.ResourceLimits(max_memory_bytes=512 * 2**20)
STATE = """
numbers = list(range(10_000))
class Point:
    def __init__(self, x): self.x = x
def double(n): return 2 * n
"""


def median_us(work: Callable[[], object], rounds: int = 50) -> float:
    """Median of some rounds, in microseconds; what a round leaves is dropped outside of it."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        left = work()
        times.append(time.perf_counter() - started)
        del left
    return statistics.median(times) * 1e6


def private_bytes() -> int:
    """Memory of this process that is not of files."""
    with open("/proc/self/statm") as file:
        _, resident, of_files, *_ = map(int, file.read().split())
    return (resident - of_files) * os.sysconf("SC_PAGE_SIZE")


def show(name: str, value: float, unit: str) -> None:
    print(f"{name:<58} {value:>10.1f} {unit}", flush=True)


def measure_live_state(name: str, session: eryx.Session) -> None:
    started = time.perf_counter()
    first = session.fork()
    show(f"{name}: first fork", (time.perf_counter() - started) * 1e6, "us")
    show(f"{name}: fork", median_us(session.fork), "us")
    show(f"{name}: checkpoint", median_us(session.checkpoint), "us")
    checkpoint = session.checkpoint()
    show(f"{name}: rollback", median_us(lambda: session.rollback(checkpoint)), "us")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "session")
        show(f"{name}: save", median_us(lambda: first.save(path), 5) / 1e3, "ms")
        show(f"{name}: load", median_us(lambda: first.load(path), 5) / 1e3, "ms")
        show(f"{name}: file", os.path.getsize(path) / 1e6, "MB")


def main() -> None:
    session = eryx.Session(resource_limits=LIMITS)
    session.execute("x = 1")
    show("session: execute('x = 1')", median_us(lambda: session.execute("x = 1"), 500), "us")
    show("session: create", median_us(eryx.Session, 100), "us")
    show(
        "session: create, execute, drop", median_us(lambda: eryx.Session().execute("1"), 200), "us"
    )
    measure_live_state("small session", session)

    large = eryx.Session(resource_limits=LIMITS)
    large.execute("buffer = bytearray(b'x') * 100_000_000")
    measure_live_state("100 MB session", large)
    del large

    session.reset()
    session.execute(STATE)
    snapshot = session.snapshot_state()
    other = eryx.Session()
    show("10,000 ints, class, function: snapshot", median_us(session.snapshot_state) / 1e3, "ms")
    show("the same: restore", median_us(lambda: other.restore_state(snapshot)) / 1e3, "ms")
    show("the same: restore in a new session", median_us(lambda: restored(snapshot)) / 1e3, "ms")
    show("the same: size", len(snapshot) / 1e3, "kB")

    gc.collect()
    before = private_bytes()
    idle = [eryx.Session() for _ in range(1_000)]
    for one in idle:
        one.execute("x = 1")
    show("1,000 idle sessions: memory of each", (private_bytes() - before) / 1e6, "kB")
    idle.clear()
    gc.collect()
    show("all dropped: memory above the start", (private_bytes() - before) / 1e6, "MB")

    show("create, print(1), drop: recycled", median_us(run_once, 200), "us")
    show("create, print(1), drop: not recycled", median_us(run_fresh, 200), "us")


def restored(snapshot: bytes) -> eryx.Session:
    session = eryx.Session()
    session.restore_state(snapshot)
    return session


def run_once() -> None:
    eryx.Sandbox().execute("print(1)")


def run_fresh() -> None:
    shared_engine().trim()
    run_once()


if __name__ == "__main__":
    main()
