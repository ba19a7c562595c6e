"""Threads in a guest and natively: start and join, hand-over through queues, pools over callbacks.

    python bench/threads.py [--native PYTHON]

Each figure is the least of several rounds, in microseconds unless it says otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import subprocess
import sys
import time

import eryx

PROGRAM = """
import json, queue, threading, time

def least(measure, rounds=9):
    return min(measure() for _ in range(rounds))

def start_and_join(count=200):
    begin = time.perf_counter()
    for _ in range(count):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    return (time.perf_counter() - begin) / count * 1e6

def ping_pong(kind, count=3000):
    there, back = kind(), kind()
    def echo():
        while (item := there.get()) is not None:
            back.put(item)
    thread = threading.Thread(target=echo)
    thread.start()
    begin = time.perf_counter()
    for n in range(count):
        there.put(n)
        back.get()
    spent = time.perf_counter() - begin
    there.put(None)
    thread.join()
    return spent / count * 1e6

print(json.dumps({
    "start and join": least(start_and_join),
    "ping-pong, SimpleQueue": least(lambda: ping_pong(queue.SimpleQueue)),
    "ping-pong, Queue": least(lambda: ping_pong(queue.Queue)),
}))
"""

POOL = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    result = sum(pool.map(lambda n: slow.sync(n=n), range(100)))
"""

IDLE = """
import threading
event = threading.Event()
for _ in range({count}):
    threading.Thread(target=event.wait, daemon=True).start()
"""


def resident_bytes() -> int:
    """What this process has in memory."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


async def slow(n: int) -> int:
    """Takes a while, as a service would."""
    await asyncio.sleep(0.01)
    return n


async def pool_ms() -> float:
    """100 calls of 10 ms from eight threads."""
    sandbox = eryx.Sandbox(callbacks=[{"name": "slow", "fn": slow}])
    least = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        await sandbox.execute_async(POOL)
        least = min(least, (time.perf_counter() - begin) * 1000)
    return least


def idle_bytes() -> float:
    """Of 64 threads that wait, each."""
    limits = eryx.ResourceLimits(max_threads=65)
    sessions = [eryx.Session(resource_limits=limits) for _ in range(2)]
    sessions[0].execute(IDLE.format(count=64))  # what is needed once
    sessions[1].execute("import threading\nevent = threading.Event()")
    before = resident_bytes()
    sessions[1].execute(IDLE.format(count=64))
    return (resident_bytes() - before) / 64


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--native", default=sys.executable, metavar="COMMAND")
    native_python = parser.parse_args().native
    guest = json.loads(eryx.Sandbox().execute(PROGRAM).stdout)
    done = subprocess.run(
        [*shlex.split(native_python), "-"],
        input=PROGRAM,
        capture_output=True,
        text=True,
        check=True,
    )
    native = json.loads(done.stdout)
    for name, value in guest.items():
        print(f"{name:<44} {value:8.2f} us   native {native[name]:8.2f} us")
    print(f"{'pool of 8 over 100 callbacks of 10 ms':<44} {asyncio.run(pool_ms()):8.1f} ms")
    print(f"{'memory of a thread that waits':<44} {idle_bytes() / 1024:8.1f} KiB")


main()
