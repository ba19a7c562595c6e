"""Many sandboxes at once, from threads and from asyncio; nothing here is a test.

    python bench/many.py [--pyeryx COMMAND] [--monty COMMAND] [--counts 1,2,8,64,1000]
                         [--seconds 1] [--rounds 3]

A COMMAND starts a Python in which that package is installed (pyeryx, pydantic-monty); the one that
runs this file has our own. Each sandbox runs one program after the other, for as long as the
measurement lasts and once at least: it computes (2 ms), waits (10 ms), does next to nothing
(print(1) from a clean state), or calls back (10 times). The subjects take turns; of the rounds the
one with the median throughput is shown. Memory is that of all processes while all sandboxes are
live, beyond that with one, where pages are divided among those who share them (PSS).
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

COUNTS = (1, 2, 8, 64, 1000)
KINDS = ("compute", "wait", "print", "call back")  # the last has callbacks
DRIVERS = ("threads", "asyncio")

# Both packages are imported as `eryx`.
_ERYX = """
import eryx
CODE = {
    "compute": "x = 0.0\\nfor n in range(20000): x += n * 0.5",
    "wait": "import time; time.sleep(0.01)",
    "call back": "for n in range(10): await add(a=n, b=1)",
    "print": "print(1)",
}
def add(a, b):
    return a + b
integer = {"type": "integer"}
schema = {"type": "object", "properties": {"a": integer, "b": integer}}
callback = {"name": "add", "fn": add, "description": "adds", "schema": schema}
def open_sandbox(calls):
    return eryx.Sandbox(callbacks=[callback] if calls else None)
def run(sandbox, kind):
    sandbox.execute(CODE[kind])
async def open_async(calls):
    return open_sandbox(calls)
async def run_async(sandbox, kind):
    await sandbox.execute_async(CODE[kind])
"""
_MONTY = """
import pydantic_monty
CODE = {
    "compute": "x = 0.0\\nfor n in range(20000): x += n * 0.5",
    "wait": "nap()",
    "call back": "for n in range(10): add(n, 1)",
    "print": "print(1)",
}
def nap():
    time.sleep(0.01)
async def nap_async():
    await asyncio.sleep(0.01)
def add(a, b):
    return a + b
def ignore(stream, text):
    pass
limits = {"max_suspensions": 1_000_000_000}
names = {"nap": nap, "add": add}
names_async = {"nap": nap_async, "add": add}
if driver == "threads":
    pool = pydantic_monty.Monty(max_processes=2 * count + 1).__enter__()
def open_sandbox(calls):
    return pool.checkout(limits=limits).__enter__()
def run(sandbox, kind):
    sandbox.feed_run(CODE[kind], external_lookup=names, print_callback=ignore)
async def open_async(calls):
    global pool
    if "pool" not in globals():
        pool = await pydantic_monty.AsyncMonty(max_processes=2 * count + 1).__aenter__()
    return await pool.checkout(limits=limits).__aenter__()
async def run_async(sandbox, kind):
    code = CODE[kind].replace("nap()", "await nap()")
    await sandbox.feed_run(code, external_lookup=names_async, print_callback=ignore)
"""
# Behind driver, count, length and kinds, and what is above. Tells when memory is to be looked at,
# and goes on at the next line of its standard input.
_MEASURE = """
def tell(value):
    print(json.dumps(value), flush=True)
    sys.stdin.readline()

def from_threads(sandboxes, kind):
    times = []
    began = end = 0.0
    def begin():
        nonlocal began, end
        began = time.perf_counter()
        end = began + length
    start = threading.Barrier(len(sandboxes), begin)
    def work(sandbox):
        try:
            run(sandbox, kind)
            start.wait()
            while True:
                before = time.perf_counter()
                run(sandbox, kind)
                now = time.perf_counter()
                times.append(now - before)
                if now >= end:
                    return
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    threads = [threading.Thread(target=work, args=(sandbox,)) for sandbox in sandboxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, time.perf_counter() - began

async def from_asyncio(sandboxes, kind):
    times = []
    async def work(sandbox):
        while True:
            before = time.perf_counter()
            await run_async(sandbox, kind)
            now = time.perf_counter()
            times.append(now - before)
            if now >= end:
                return
    await asyncio.gather(*[run_async(sandbox, kind) for sandbox in sandboxes])
    began = time.perf_counter()
    end = began + length
    await asyncio.gather(*[work(sandbox) for sandbox in sandboxes])
    return times, time.perf_counter() - began

def summary(times, seconds):
    times.sort()
    return [len(times) / seconds, times[len(times) // 2], times[len(times) * 99 // 100]]

def measure_threads():
    report = {}
    run(open_sandbox(False), "print")
    tell(None)
    for kind in kinds:
        if kind != "wait" and kind != "print":
            sandboxes = [open_sandbox(kind == "call back") for _ in range(count)]
        report[kind] = summary(*from_threads(sandboxes, kind))
        if kind == "print":
            tell(None)
    tell(report)

async def measure_asyncio():
    report = {}
    await run_async(await open_async(False), "print")
    tell(None)
    for kind in kinds:
        if kind != "wait" and kind != "print":
            sandboxes = [await open_async(kind == "call back") for _ in range(count)]
        report[kind] = summary(*await from_asyncio(sandboxes, kind))
        if kind == "print":
            tell(None)
    tell(report)

if driver == "threads":
    measure_threads()
else:
    asyncio.run(measure_asyncio())
os._exit(0)  # nobody waits for a thousand processes to end
"""

Report = dict[str, list[float]]


def tree(process: int) -> list[int]:
    """The process and all that it has started."""
    found = [process]
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        found += [each for child in children.read_text().split() for each in tree(int(child))]
    return found


def memory_bytes(process: int) -> int:
    """Memory of a process and its children."""
    total = 0
    for each in tree(process):
        try:
            text = Path(f"/proc/{each}/smaps_rollup").read_text()
        except ProcessLookupError:
            continue  # it has ended
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def measure(command: list[str], setup: str, driver: str, count: int, length: float) -> Report:
    """One process; of each kind runs a second, median and 99th percentile, and the memory each."""
    header = (
        f"import asyncio, json, os, sys, threading, time\n"
        f"driver, count, length, kinds = {driver!r}, {count}, {length}, {KINDS!r}\n"
    )
    with subprocess.Popen(
        [*command, "-c", header + setup + _MEASURE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        answers = []
        memory = []
        for _ in range(3):
            line = process.stdout.readline()
            if not line:
                sys.exit(f"{shlex.join(command)} failed")
            answers.append(json.loads(line))
            memory.append(memory_bytes(process.pid))
            process.stdin.write("\n")
            process.stdin.flush()
    report: Report = answers[-1]
    report["memory"] = [(memory[1] - memory[0]) / count]
    return report


def median_of(reports: list[Report]) -> Report:
    """Of each kind the report with the median throughput."""
    return {
        kind: sorted((report[kind] for report in reports), key=lambda figures: figures[0])[
            len(reports) // 2
        ]
        for kind in reports[0]
    }


def subjects(options: argparse.Namespace) -> dict[str, tuple[list[str], str]]:
    """How each is started and what it defines."""
    found = {"eryx": ([sys.executable], _ERYX)}
    if options.pyeryx:
        found["pyeryx"] = (shlex.split(options.pyeryx), _ERYX)
    if options.monty:
        found["monty"] = (shlex.split(options.monty), _MONTY)
    return found


def can(subject: str, driver: str, count: int) -> bool:
    """pyeryx has no async methods, and each sandbox of Monty is a process."""
    if subject == "pyeryx":
        return driver == "threads" and count <= 64
    return subject != "monty" or count <= 64


def show(driver: str, count: int, reports: dict[str, Report]) -> None:
    """The lines of the table for a number of sandboxes."""
    for kind in KINDS:
        line = f"{driver:<8}{count:>5} {kind:<10}"
        for report in reports.values():
            rate, median, p99 = report[kind]
            line += f"{rate:>10.0f}/s {median * 1e3:>8.2f} {p99 * 1e3:>8.2f} ms"
        print(line)
    line = f"{driver:<8}{count:>5} {'MB each':<10}"
    for report in reports.values():
        line += f"{report['memory'][0] / 1e6:>12.2f}{'':>21}"
    print(line, flush=True)


def main() -> None:
    """Measures in turns and prints a table: runs a second, median and 99th percentile of one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pyeryx", metavar="COMMAND")
    parser.add_argument("--monty", metavar="COMMAND")
    parser.add_argument("--counts", default=",".join(map(str, COUNTS)))
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = subjects(options)
    print(f"{os.cpu_count()} cores" + " " * 16 + "".join(f"{name:>33}" for name in found))
    scaling: dict[str, dict[int, list[float]]] = {}
    for driver in DRIVERS:
        for count in map(int, options.counts.split(",")):
            collected: dict[str, list[Report]] = {
                name: [] for name in found if can(name, driver, count)
            }
            for _ in range(options.rounds):
                for name, reports in collected.items():
                    reports.append(measure(*found[name], driver, count, options.seconds))
            show(driver, count, {name: median_of(reports) for name, reports in collected.items()})
            if driver == "threads" and count in (1, 2):
                for kind in KINDS:
                    rates = [report[kind][0] for report in collected["eryx"]]
                    scaling.setdefault(kind, {})[count] = rates
    for kind, rates in scaling.items():
        if len(rates) == 2:
            ratio = statistics.median(rates[2]) / statistics.median(rates[1])
            print(f"two threads against one, {kind}: {ratio:.2f}")


if __name__ == "__main__":
    main()
