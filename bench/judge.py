"""Judging programs that a model has written against tests; nothing here is a test.

    python bench/judge.py [--programs 10000] [--engine ray] [--engine dask] [--monty COMMAND]

Ten thousand programs are made of templates: right ones, wrong ones, some that fail, some that never
end, some that end their interpreter. Each is judged by calling its function with some arguments.
They are judged in this process, on clusters of one node (where ray and distributed are
installed: `python3 -m toolchain.environments cluster` prints a Python that has both), by a
`multiprocessing` pool in which each program is a new process of Python, as those do who have no
sandbox, and by Monty, where COMMAND is a Python in which pydantic-monty is installed.

Programs a second and core are of processor time, which other users of the machine disturb less than
the clock: that of this process and of all that it has started, the engine's own processes as well.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

LIMIT_MS = 100  # of processor time for a program; what is right takes less than one

# What is asked for, right and wrong ways to do it, and what the tests are.
TASKS: list[tuple[str, str, str, str]] = [
    (
        "double",
        "def solve(n):\n    return 2 * n\n",
        "def solve(n):\n    return n ** 2\n",
        "[solve(n) for n in range(20)] == [2 * n for n in range(20)]",
    ),
    (
        "primes",
        "def solve(n):\n    found = []\n    for k in range(2, n):\n"
        "        if all(k % p for p in found):\n            found.append(k)\n    return found\n",
        "def solve(n):\n    return [k for k in range(2, n) if k % 2]\n",
        "solve(60)[-3:] == [47, 53, 59] and len(solve(60)) == 17",
    ),
    (
        "words",
        "def solve(text):\n    counts = {}\n    for word in text.lower().split():\n"
        "        counts[word] = counts.get(word, 0) + 1\n"
        "    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))\n",
        "def solve(text):\n    return sorted(text.split())\n",
        "solve('the cat and the dog and the end')[:2] == [('the', 3), ('and', 2)]",
    ),
    (
        "brackets",
        "def solve(text):\n    depth = 0\n    for letter in text:\n"
        "        depth += (letter == '(') - (letter == ')')\n        if depth < 0:\n"
        "            return False\n    return depth == 0\n",
        "def solve(text):\n    return text.count('(') == text.count(')')\n",
        "[solve(t) for t in ('()', '(()', ')(', '')] == [True, False, False, True]",
    ),
    (
        "fibonacci",
        "def solve(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n"
        "    return a\n",
        "def solve(n):\n    return n if n < 3 else solve(n - 1) + solve(n - 3)\n",
        "solve(10) == 55 and solve(50) == 12586269025",
    ),
]
ENDLESS = "def solve(*arguments):\n    while True:\n        pass\n"
FAILING = "def solve(*arguments):\n    return {}['missing']\n"
DEEP = "def solve(*arguments):\n    return solve(*arguments) + 1\n"
CRASHING = "import os\ndef solve(*arguments):\n    os._exit(3)\n"


def make_programs(count: int) -> Iterator[tuple[str, str]]:
    """Programs that print a verdict, and what is to come out."""
    chance = random.Random(7)
    for number in range(count):
        _, right, wrong, test = TASKS[number % len(TASKS)]
        kind = chance.random()
        verdict = "right" if kind < 0.55 else "wrong"
        code = right if kind < 0.55 else wrong
        if kind >= 0.85:
            verdict, code = "failed", FAILING if kind < 0.93 else DEEP if kind < 0.94 else CRASHING
        if kind >= 0.995:
            verdict, code = "endless", ENDLESS
        yield f"{code}# {number}\nprint('right' if {test} else 'wrong')\n", verdict


def verdict_of(ending: Any) -> str:
    """What is to be said of a run of ours."""
    import eryx

    if isinstance(ending, eryx.TimeoutError):
        return "endless"
    return "failed" if isinstance(ending, Exception) else str(ending.stdout)


def processor_seconds(root: int) -> float:
    """Processor time of a process and all that it has started, those that have ended as well."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = sum(map(int, fields[11:15])) / ticks
    total = 0.0
    for process, seconds in used.items():
        above = process
        while above and above != root:
            above = parents.get(above, 0)
        total += seconds if above == root else 0.0
    return total


class Report:
    """Measures ways to judge, and prints a line for each."""

    def __init__(self, programs: list[tuple[str, str]]) -> None:
        self.programs = programs
        self.least: float | None = None

    def measure(
        self, name: str, judge: Callable[[list[str]], Iterable[str]], note: str = ""
    ) -> None:
        """Judges all programs."""
        codes = [code for code, _ in self.programs]
        before, started = processor_seconds(os.getpid()), time.perf_counter()
        verdicts = [*judge(codes)]
        seconds = time.perf_counter() - started
        used = processor_seconds(os.getpid()) - before
        self.show(name, verdicts, seconds, used, note)

    def show(self, name: str, verdicts: list[str], seconds: float, used: float, note: str) -> None:
        count = len(verdicts)
        wrong = sum(one != other for one, (_, other) in zip(verdicts, self.programs, strict=False))
        each = used / count
        if self.least is None:
            self.least = each
        share = max(0.0, 1 - self.least / each)
        print(
            f"{name:<30}{count:>7} {count / seconds:>9.0f} {count / used:>9.0f} "
            f"{each * 1e6:>9.0f} {share:>7.0%} {wrong:>7}  {note}",
            flush=True,
        )


def judge_here(codes: list[str]) -> Iterator[str]:
    """In this process, without any engine."""
    import eryx

    limits = eryx.ResourceLimits(cpu_timeout_ms=LIMIT_MS)
    with eryx.SandboxPool(max_size=1) as pool:
        for code in codes:
            try:
                with pool.acquire(resource_limits=limits) as sandbox:
                    yield verdict_of(sandbox.execute(code))
            except eryx.EryxError as error:
                yield verdict_of(error)


def on_cluster(pool: Any) -> Callable[[list[str]], Iterator[str]]:
    """By a pool of `eryx.ext.ray` or `eryx.ext.dask`."""
    import eryx

    limits = eryx.ResourceLimits(cpu_timeout_ms=LIMIT_MS)

    def judge(codes: list[str]) -> Iterator[str]:
        for answer in pool.map(codes, resource_limits=limits):
            yield verdict_of(answer.ending)

    return judge


def measure_ray(report: Report, processes: int) -> None:
    import ray

    from eryx.ext import ray as engine

    started = time.perf_counter()
    ray.init(
        num_cpus=processes,
        object_store_memory=100 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
    )
    with engine.Pool() as pool:
        pool.submit("1").result()
        up = time.perf_counter() - started
        report.measure("eryx.ext.ray", on_cluster(pool), f"{up:.1f} s to start")
        figures(report, pool)
    ray.shutdown()


def measure_dask(report: Report, processes: int) -> None:
    from distributed import Client, LocalCluster

    from eryx.ext import dask as engine

    started = time.perf_counter()
    with (
        LocalCluster(
            n_workers=processes, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as cluster,
        Client(cluster),
        engine.Pool() as pool,
    ):
        pool.submit("1").result()
        up = time.perf_counter() - started
        report.measure("eryx.ext.dask", on_cluster(pool), f"{up:.1f} s to start")
        figures(report, pool)


def figures(report: Report, pool: Any) -> None:
    """What docs/scale.md reckons with: bytes and the time of this process for each program."""
    import eryx
    from eryx.ext._cluster import _plain

    stats = pool.stats()
    codes = [code for code, _ in report.programs][:500]
    before = time.process_time()
    endings = [answer.ending for answer in pool.map(codes)]
    driver = (time.process_time() - before) / len(codes)
    import pickle

    there = len(pickle.dumps([(code, {}) for code in codes], 5)) / len(codes)
    back = len(_plain.dumps(endings)) / len(codes)
    idle = pool.stats().messages
    started = time.perf_counter()
    for _ in range(200):
        pool.submit("1").result()
    single = (time.perf_counter() - started) / 200
    session = pool.session()
    session.execute("x = 1")
    times = []
    for _ in range(50):
        started = time.perf_counter()
        session.execute("x += 1")
        times.append(time.perf_counter() - started)
    session.close()
    local = eryx.Session()
    local.execute("x = 1")
    with tempfile.TemporaryDirectory() as folder:
        local.save(f"{folder}/state")
        size = Path(f"{folder}/state").stat().st_size
    print(
        f"    driver: {driver * 1e6:.0f} us of processor a program; {there:.0f} bytes there and "
        f"{back:.0f} back; {len(report.programs) / max(1, stats.messages):.0f} programs a message; "
        f"one by one {single * 1e3:.2f} ms; a run of a session, saved, "
        f"{sorted(times)[25] * 1e3:.2f} ms; its state {size} bytes; {idle} messages",
        flush=True,
    )


def judge_by_process(code: str) -> str:
    """One program in a new process of Python: no sandbox at all."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code],
            capture_output=True,
            text=True,
            timeout=2.0,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "endless"
    return "failed" if done.returncode else done.stdout.strip()


def judge_by_processes(processes: int) -> Callable[[list[str]], Iterator[str]]:
    def judge(codes: list[str]) -> Iterator[str]:
        with multiprocessing.Pool(processes) as pool:
            yield from pool.imap(judge_by_process, codes, chunksize=8)

    return judge


_MONTY = """
import json, resource, sys, time
import pydantic_monty
programs = json.load(sys.stdin)
limits = {"max_feed_duration_secs": LIMIT}
started, verdicts = time.perf_counter(), []
with pydantic_monty.Monty() as pool:
    for code in programs:
        out = []
        try:
            with pool.checkout(limits=limits) as session:
                session.feed_run(code, print_callback=lambda stream, text: out.append(text))
            verdicts.append("".join(out).strip())
        except Exception as error:
            late = "TimeoutError" in type(error).__name__ + str(error)
            verdicts.append("endless" if late else "failed")
seconds = time.perf_counter() - started
both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
used = sum(sum(resource.getrusage(who)[:2]) for who in both)
print(json.dumps([verdicts, seconds, used]))
"""


def measure_monty(report: Report, command: str) -> None:
    codes = [code for code, _ in report.programs]
    done = subprocess.run(
        [*shlex.split(command), "-c", _MONTY.replace("LIMIT", str(LIMIT_MS / 1000))],
        input=json.dumps(codes),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"monty: left out, since it failed: {done.stderr.strip()[-300:]}")
        return
    verdicts, seconds, used = json.loads(done.stdout)
    report.show("pydantic-monty", verdicts, seconds, used, "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=1, help="of engines and pools")
    parser.add_argument("--engine", action="append", choices=["ray", "dask"])
    parser.add_argument("--bare", type=int, default=500, help="how many by processes of Python")
    parser.add_argument("--monty", metavar="COMMAND")
    options = parser.parse_args()
    programs = [*make_programs(options.programs)]
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(v for _, v in programs).items())
    print(f"{kinds}; a limit of {LIMIT_MS} ms; {options.processes} processes\n")
    print(
        f"{'':<30}{'judged':>7} {'a second':>9} {'and core':>9} {'us each':>9} {'engine':>7} "
        f"{'wrongly':>7}"
    )
    report = Report(programs)
    report.measure("eryx, in this process", judge_here)
    for name, measure in (("dask", measure_dask), ("ray", measure_ray)):
        if options.engine is None or name in options.engine:
            try:
                measure(report, options.processes)
            except ImportError as error:
                print(f"eryx.ext.{name}: left out, since it is not here: {error}")
    if options.bare:
        some = Report(programs[: options.bare])
        some.least = report.least
        some.measure("multiprocessing, a python each", judge_by_processes(options.processes))
    if options.monty:
        measure_monty(report, options.monty)
    else:
        print("pydantic-monty: left out; --monty says where it is")


if __name__ == "__main__":
    main()
