"""Guests that compute beside each other: shares, waits, lag. ``bench/fairness.py [SLICES]``.

Prints figures; nothing here is a test.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any, cast

import eryx

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS = "while True: pass"
COUNTS = "n = 0\nwhile n < 1_000_000: n += 1\nprint(n)"
SANDBOXES = 1_000
# How many slices of 10 ms of the processor each of the endless guests has, on average.
SLICES = float(sys.argv[1]) if len(sys.argv) > 1 else 12.0


def limits(**fields: Any) -> eryx.ResourceLimits:
    return eryx.ResourceLimits(**{"execution_timeout_ms": 600_000, **fields})


def show(what: str, value: str) -> None:
    """One line of the table."""
    print(f"{what:<66} {value}", flush=True)


async def stop(sandboxes: list[eryx.Sandbox], runs: list[asyncio.Task[Any]]) -> list[Any]:
    """Ends the runs and gives what they left."""
    for sandbox in sandboxes:
        sandbox.cancel()
    return await asyncio.gather(*runs, return_exceptions=True)


async def lag(clock: Callable[[], float], seconds: float) -> float:
    """How long the loop was kept at most in a time by that clock, in milliseconds."""
    worst, end = 0.0, clock() + seconds
    while clock() < end:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, time.perf_counter() - began - 0.001)
    return worst * 1e3


async def shares() -> None:
    """Of many endless guests on two threads."""
    eryx.configure(threads=2)
    sandboxes = [eryx.Sandbox(resource_limits=limits(), meter=True) for _ in range(SANDBOXES)]
    runs = [asyncio.create_task(sandbox.execute_async(ENDLESS)) for sandbox in sandboxes]
    began = await lag(time.perf_counter, 1.0)
    going = await lag(time.process_time, SANDBOXES * SLICES * 0.010)
    ended = time.perf_counter()
    ends = cast("list[eryx.CancelledError]", await stop(sandboxes, runs))
    took = (time.perf_counter() - ended) * 1e3
    fuel = sorted(end.fuel_consumed or 0 for end in ends)
    mean = statistics.mean(fuel)
    show(
        f"{SANDBOXES:,} endless guests, 2 threads, {SLICES:g} slices: shares against their mean",
        f"{fuel[0] / mean:.2f} to {fuel[-1] / mean:.2f}",
    )
    middle = fuel[len(fuel) // 20 : -(len(fuel) // 20)]
    show(
        "the same without the 5 % at each end", f"{middle[0] / mean:.2f} to {middle[-1] / mean:.2f}"
    )
    show("worst lag of their loop in the first second", f"{began:.0f} ms")
    show("worst lag afterwards", f"{going:.0f} ms")
    show("all cancelled", f"{took:.0f} ms")
    eryx.configure()


async def equal_jobs() -> None:
    """40 programs with limits on the time of eight."""
    alone = await eryx.Sandbox(meter=True).execute_async(COUNTS)
    whole = alone.fuel_consumed or 1
    time_ms = int(alone.duration_ms * 8)
    for name, allowed in (
        ("cpu_timeout_ms", limits(cpu_timeout_ms=time_ms)),
        ("execution_timeout_ms", limits(execution_timeout_ms=time_ms)),
    ):
        sandboxes = [eryx.Sandbox(resource_limits=allowed, meter=True) for _ in range(40)]
        began = time.perf_counter()
        ends = await asyncio.gather(
            *[sandbox.execute_async(COUNTS) for sandbox in sandboxes], return_exceptions=True
        )
        took = time.perf_counter() - began
        late = [end for end in ends if isinstance(end, eryx.TimeoutError)]
        least = min(((end.fuel_consumed or 0) / whole for end in late), default=1.0)
        show(
            f"40 equal jobs, {name} of 8 times one alone ({alone.duration_ms:.0f} ms)",
            f"{len(late)} timed out, the least done is {least:.0%}, {took:.1f} s",
        )


async def beside_endless_guests() -> None:
    """What the application itself, and short programs, have to wait."""
    loop = asyncio.get_running_loop()
    for count in (6, 60):
        sandboxes = [eryx.Sandbox(resource_limits=limits()) for _ in range(count)]
        runs = [asyncio.create_task(sandbox.execute_async(ENDLESS)) for sandbox in sandboxes]
        await asyncio.sleep(0.5)
        lookups, threads, short, longer = [], [], [], []
        for _ in range(30):
            for times, action in (
                (lookups, lambda: loop.getaddrinfo("127.0.0.1", 80)),
                (threads, lambda: asyncio.to_thread(int)),
                (short, lambda: eryx.Sandbox().execute_async("print(1)")),
                (longer, lambda: eryx.Sandbox().execute_async("for i in range(200_000): pass")),
            ):
                began = time.perf_counter()
                await action()
                times.append((time.perf_counter() - began) * 1e3)
        await stop(sandboxes, runs)
        for name, times in (
            ("getaddrinfo", lookups),
            ("to_thread", threads),
            ("create + print(1)", short),
            ("create + 200,000 rounds of a loop", longer),
        ):
            times.sort()
            show(
                f"{name} beside {count} endless guests",
                f"median {statistics.median(times):.1f} ms, worst {times[-1]:.1f} ms",
            )


def main() -> None:
    for part in (shares, equal_jobs, beside_endless_guests):
        asyncio.run(part())


if __name__ == "__main__":
    main()
