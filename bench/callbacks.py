"""Callbacks, tracing, streaming: what they cost. ``python bench/callbacks.py [SANDBOXES]``."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from statistics import median
from typing import Any

import eryx

UNLIMITED = eryx.ResourceLimits.unlimited()
ROUNDS = 5

LOOP = """
import time
began = time.perf_counter()
for _ in range({count}):
    {call}
result = (time.perf_counter() - began) / {count} * 1e6
"""

GATHER = """
import asyncio, time
await asyncio.gather(*[work() for _ in range(10)])
began = time.perf_counter()
await asyncio.gather(*[work() for _ in range({count})])
result = (time.perf_counter() - began) * 1e3
"""

LINES = """
import time
began = time.perf_counter()
for i in range({count}):
    x = i
result = (time.perf_counter() - began) / {count} / 2 * 1e9
"""


def same(value: int) -> int:
    return value


async def same_later(value: int) -> int:
    return value


async def work() -> None:
    await asyncio.sleep(0.01)


def work_in_thread() -> None:
    time.sleep(0.01)


def sandbox(**functions: Any) -> eryx.Sandbox:
    callbacks = [
        {"name": name, "fn": fn, "thread": fn is work_in_thread} for name, fn in functions.items()
    ]
    return eryx.Sandbox(callbacks=callbacks, resource_limits=UNLIMITED)


def report(name: str, values: list[float], unit: str) -> None:
    print(f"{name:58} {median(values):10.2f} {unit}  (best {min(values):.2f})", flush=True)


def measure(name: str, unit: str, box: eryx.Sandbox, code: str, *, on_loop: bool = False) -> None:
    """Reports what the program gives as its result."""
    values = []
    for _ in range(ROUNDS):
        result = asyncio.run(box.execute_async(code)) if on_loop else box.execute(code)
        values.append(float(result.result))
    report(name, values, unit)


def round_trips() -> None:
    box = sandbox(same=same, same_later=same_later)
    for name, call in (
        ("sync function, name.sync()", "same.sync(value=1)"),
        ("sync function, await", "await same(value=1)"),
        ("async function, await", "await same_later(value=1)"),
    ):
        for on_loop in (False, True):
            where = "execute_async" if on_loop else "execute"
            code = LOOP.format(count=1000, call=call)
            measure(f"round trip, {name}, {where}", "us", box, code, on_loop=on_loop)


def parallel() -> None:
    for name, fn in (("async", work), ("thread=True", work_in_thread)):
        box = sandbox(work=fn)
        for on_loop in (False, True):
            where = "execute_async" if on_loop else "execute"
            code = GATHER.format(count=100)
            measure(f"100 callbacks of 10 ms, {name}, {where}", "ms", box, code, on_loop=on_loop)


def small_runs() -> None:
    plain, with_one = eryx.Sandbox(), sandbox(same=same)
    for name, box in (("no callbacks", plain), ("one callback declared", with_one)):
        values = []
        for _ in range(300):
            began = time.perf_counter()
            box.execute("print(1)")
            values.append((time.perf_counter() - began) * 1e6)
        report(f"execute('print(1)'), {name}", values, "us")


def traced_lines() -> None:
    box = eryx.Sandbox(resource_limits=UNLIMITED, max_trace_events=10_000_000)
    values: dict[bool, list[float]] = {}
    for trace in (False, True):
        code = LINES.format(count=20_000)
        values[trace] = [float(box.execute(code, trace=trace).result) for _ in range(ROUNDS)]
        report(f"one line, trace={trace}", values[trace], "ns")


def streamed_output() -> None:
    received = 0

    def handler(text: str) -> None:
        nonlocal received
        received += len(text)

    box = eryx.Sandbox(on_stdout=handler, resource_limits=UNLIMITED)
    for name, line, count in (("lines of 80", 79, 200_000), ("pieces of 64 KiB", 65_535, 1000)):
        values = []
        for _ in range(ROUNDS):
            received = 0
            began = time.perf_counter()
            box.execute(f"line = 'x' * {line}\nfor _ in range({count}): print(line)")
            values.append(received / (time.perf_counter() - began) / 1e6)
        report(f"streamed output, {name}", values, "MB/s")


def private_bytes() -> int:
    with open("/proc/self/smaps_rollup") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return sum(int(fields[name].split()[0]) * 1024 for name in ("Private_Clean", "Private_Dirty"))


async def waiting_sandboxes(count: int) -> None:
    """All wait for a callback at the same time, on one thread."""
    gate = asyncio.Event()
    all_wait = asyncio.Event()
    waiting = 0

    async def meet() -> int:
        nonlocal waiting
        waiting += 1
        if waiting == count:
            all_wait.set()
        await gate.wait()
        return 1

    callbacks = [{"name": "meet", "fn": meet}]
    threads = threading.active_count()
    before, descriptors = private_bytes(), len(os.listdir("/proc/self/fd"))
    began = time.perf_counter()
    boxes = [eryx.Sandbox(callbacks=callbacks, resource_limits=UNLIMITED) for _ in range(count)]
    tasks = [asyncio.create_task(box.execute_async("result = await meet()")) for box in boxes]
    await all_wait.wait()
    reached = time.perf_counter()
    used = (private_bytes() - before) / count / 1e6
    name = f"{count} sandboxes"
    print(f"{name}, created and waiting after {(reached - began) * 1e3:.0f} ms", end=", ")
    print(f"{used:.2f} MB private memory each", end=", ")
    print(f"{threading.active_count() - threads} more threads", end=", ")
    print(f"{len(os.listdir('/proc/self/fd')) - descriptors} more file descriptors")
    gate.set()
    results = await asyncio.gather(*tasks)
    print(f"{name}, all answered and ended {(time.perf_counter() - reached) * 1e3:.0f} ms later")
    assert all(result.result == 1 for result in results)


def main() -> None:
    """Runs everything."""
    round_trips()
    parallel()
    small_runs()
    traced_lines()
    streamed_output()
    asyncio.run(waiting_sandboxes(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))


if __name__ == "__main__":
    main()
