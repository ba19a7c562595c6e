"""The measurements of `make bench`: prints a table with the machine's name; nothing here is a test.

    python bench/run.py [--native COMMAND] [--guest TOOL STDLIB IMAGE] [GROUP or KERNEL...]

Groups: process, sandbox, memory, kernels, sizes; all of them without names. --native: a CPython
3.14 to compare with, which gets the kernels on its standard input; else python3.14 on the PATH.
--guest: another build to run the kernels in, through eryx-image.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import eryx

HERE = Path(__file__).parent
KERNELS = HERE / "kernels.py"
GROUPS = ("process", "sandbox", "memory", "kernels", "sizes")
# Native and guest take turns, so that what else the machine does meets both.
ROUNDS = 4
SECONDS_PER_KERNEL = 0.1

Times = dict[str, float]


def machine() -> str:
    """Processor, number of cores and operating system."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.platform(terse=True)}"


def quantiles(action: Callable[[], object], count: int) -> tuple[float, float]:
    """Median and 99th percentile of the duration of an action, in microseconds."""
    for _ in range(max(count // 10, 3)):
        action()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e6)
    times.sort()
    return statistics.median(times), times[min(len(times) - 1, len(times) * 99 // 100)]


def private_bytes() -> int:
    """Memory of this process that it shares with nobody."""
    total = 0
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            total += int(line.split()[1]) * 1024
    return total


def show(what: str, value: str) -> None:
    """One line of the table."""
    print(f"{what:<52} {value}", flush=True)


def process_times() -> None:
    """Import and first run, each in a process of its own."""
    programs = {
        "import eryx, over an empty process": "import eryx",
        "whole process: create, print(1), exit": "import eryx; eryx.Sandbox().execute('print(1)')",
    }

    def spawn(code: str) -> Callable[[], object]:
        return lambda: subprocess.run(
            [sys.executable, "-P", "-c", code], check=True, stdout=subprocess.DEVNULL
        )

    empty, _ = quantiles(spawn("pass"), 30)
    for what, code in programs.items():
        median, _ = quantiles(spawn(code), 30)
        base = empty if "over" in what else 0.0
        show(what, f"{(median - base) / 1000:8.1f} ms")


def core_actions() -> dict[str, Callable[[], object]]:
    """What the C library does, with as little Python around it as there can be."""
    from eryx._engine import shared_engine
    from eryx._eryx import Core
    from eryx._limits import DEFAULT_CORE_LIMITS

    engine = shared_engine()
    session = Core(engine, DEFAULT_CORE_LIMITS)

    def step() -> None:
        session.begin(b"x = 1", keep_state=True)
        session.run()

    def step_and_reset() -> None:
        step()
        session.reset()

    return {
        "C library: create and drop": lambda: Core(engine, DEFAULT_CORE_LIMITS),
        "C library: 'x = 1' and keep the state": step,
        "C library: 'x = 1' and reset": step_and_reset,
    }


def sandbox_times() -> None:
    """What a sandbox costs when everything is warm."""

    def whole() -> None:
        eryx.Sandbox().execute("print(1)")

    actions: dict[str, Callable[[], object]] = {"create and drop a sandbox": eryx.Sandbox}
    for what, action in {**actions, **core_actions()}.items():
        median, p99 = quantiles(action, 3000)
        show(what, f"{median:8.1f} us, p99 {p99:.1f}")
    median, p99 = quantiles(whole, 3000)
    show("create, print(1), drop", f"{median:8.1f} us, p99 {p99:.1f}")
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < 2:
        whole()
        count += 1
    show("the same in one thread", f"{count / (time.perf_counter() - start):8.0f} a second")
    sandbox = eryx.Sandbox()
    median, p99 = quantiles(lambda: sandbox.execute("x = 1"), 3000)
    show("execute('x = 1') in a sandbox that is reused", f"{median:8.1f} us, p99 {p99:.1f}")
    code = "\n".join(f"def f{n}(x):\n    return [x + {n} for _ in range(3)]" for n in range(100))
    median, p99 = quantiles(lambda: sandbox.execute(code), 300)
    show("execute 200 lines of functions", f"{median:8.1f} us, p99 {p99:.1f}")


def memory() -> None:
    """Private memory of sandboxes that have run something and now wait."""
    eryx.Sandbox().execute("x = 1")
    for count in (1, 100, 1000):
        gc.collect()
        before = private_bytes()
        live = [eryx.Sandbox() for _ in range(count)]
        idle = private_bytes() - before
        for sandbox in live:
            sandbox.execute("x = 1")
        used = private_bytes() - before
        del live, sandbox
        left = private_bytes() - before
        show(
            f"private memory each, {count} live, new / after a run",
            f"{idle / count / 1024:8.0f} / {used / count / 1024:.0f} KiB; "
            f"{left / 1024:.0f} KiB in all when dropped",
        )


def kernel_times(
    command: Sequence[str] | None, names: list[str], source: str | None, *, meter: bool = False
) -> Times:
    """Runs the kernels once; command: what runs them, None for a sandbox of the package."""
    arguments = [str(SECONDS_PER_KERNEL), *names]
    if command is None:
        limits = eryx.ResourceLimits(execution_timeout_ms=600_000)
        sandbox = eryx.Sandbox(resource_limits=limits, meter=meter)
        output = sandbox.execute(KERNELS.read_text(), arguments=arguments).stdout
    else:
        done = subprocess.run(
            [*command, *arguments], input=source or "", capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)} failed:\n{done.stderr}")
        output = done.stdout
    times: Times = json.loads(output)
    return times


def keep_best(best: Times, times: Times) -> None:
    """Takes over those that are better."""
    for kernel, seconds in times.items():
        best[kernel] = min(seconds, best.get(kernel, seconds))


def mean_ratio(times: Times, others: Times) -> float:
    """Geometric mean over the kernels."""
    return math.exp(statistics.fmean(math.log(times[name] / others[name]) for name in times))


def speed(names: list[str], native: list[str], guest: list[str] | None) -> None:
    """The kernels, in the guest, metered and not, and if there is one in a native CPython."""
    ours: Times = {}
    metered: Times = {}
    theirs: Times = {}
    command = [guest[0], "run", *guest[1:], str(KERNELS)] if guest else None
    for _ in range(ROUNDS):
        keep_best(ours, kernel_times(command, names, None))
        if not guest:
            keep_best(metered, kernel_times(None, names, None, meter=True))
        if native:
            keep_best(theirs, kernel_times([*native, "-"], names, KERNELS.read_text()))
    for kernel, seconds in ours.items():
        text = f"{seconds * 1000:8.2f} ms"
        if kernel in theirs:
            text += f"  {seconds / theirs[kernel]:5.2f} x native"
        show(f"kernel {kernel}", text)
    if metered:
        show("geometric mean, metered", f"{mean_ratio(metered, ours):8.2f} x not metered")
    if theirs:
        show("geometric mean", f"{mean_ratio(ours, theirs):8.2f} x native")
    else:
        show("native CPython 3.14", "not found: not compared (see --native)")


def sizes() -> None:
    """What is shipped."""
    package = Path(eryx.__file__).parent
    for path in [*(HERE.parent / "dist").glob("*.whl"), *package.glob("*.bin")]:
        show(path.name, f"{path.stat().st_size / 1e6:8.1f} MB")


def native_command(given: str | None) -> list[str]:
    """The native CPython to compare with; empty if there is none."""
    text = given or os.environ.get("ERYX_NATIVE_PYTHON")
    if text:
        return shlex.split(text)
    found = shutil.which("python3.14")
    return [found] if found else []


def main() -> None:
    """Measures what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--native", metavar="COMMAND")
    parser.add_argument("--guest", nargs=3, metavar=("TOOL", "STDLIB", "IMAGE"))
    options = parser.parse_args()
    groups = [name for name in options.names if name in GROUPS]
    kernels = [name for name in options.names if name not in GROUPS]
    if not options.names:
        groups = list(GROUPS)
    print(f"eryx {eryx.__version__} on {machine()}, Python {platform.python_version()}")
    if "process" in groups:
        process_times()
    if "sandbox" in groups:
        sandbox_times()
    if "memory" in groups:
        memory()
    if kernels or "kernels" in groups:
        speed(kernels, native_command(options.native), options.guest)
    if "sizes" in groups:
        sizes()


if __name__ == "__main__":
    main()
