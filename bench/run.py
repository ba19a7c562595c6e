"""The measurements of `make bench`: prints a table with the machine's name; nothing here is a test.

Set ERYX_NATIVE_PYTHON to a command line for a native CPython 3.14 (for instance one in a chroot, to which the
kernels are given on standard input) to have the guest's speed put into relation.
"""

from __future__ import annotations

import json
import math
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import eryx

HERE = Path(__file__).parent
KERNELS = (HERE / "kernels.py").read_text()
ROUNDS = 7


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
    print(f"{what:<52} {value}", flush=True)


def process_times() -> None:
    """Import and first run, each in a process of its own."""
    programs = {
        "import eryx, over an empty process": "import eryx",
        "whole process: create, print(1), exit": "import eryx; eryx.Sandbox().execute('print(1)')",
    }

    def spawn(code: str) -> Callable[[], object]:
        return lambda: subprocess.run(
            [sys.executable, "-I", "-c", code], check=True, stdout=subprocess.DEVNULL
        )

    empty, _ = quantiles(spawn("pass"), 30)
    for what, code in programs.items():
        median, _ = quantiles(spawn(code), 30)
        base = empty if "over" in what else 0.0
        show(what, f"{(median - base) / 1000:8.1f} ms")


def sandbox_times() -> None:
    """What a sandbox costs when everything is warm."""

    def whole() -> None:
        eryx.Sandbox().execute("print(1)")

    create, create_p99 = quantiles(eryx.Sandbox, 2000)
    show("create and drop a sandbox", f"{create:8.1f} us, p99 {create_p99:.1f}")
    median, p99 = quantiles(whole, 2000)
    show("create, print(1), drop", f"{median:8.1f} us, p99 {p99:.1f}, {1e6 / median:.0f} a second")
    sandbox = eryx.Sandbox()
    median, p99 = quantiles(lambda: sandbox.execute("x = 1"), 2000)
    show("execute('x = 1') in a sandbox that is reused", f"{median:8.1f} us, p99 {p99:.1f}")


def memory() -> None:
    """Private memory of sandboxes that have run something and now wait."""
    for count in (1, 100, 1000):
        before = private_bytes()
        live = [eryx.Sandbox() for _ in range(count)]
        idle = private_bytes() - before
        for sandbox in live:
            sandbox.execute("x = 1")
        used = private_bytes() - before
        show(
            f"private memory each, {count} live, new / after a run",
            f"{idle / count / 1024:8.0f} / {used / count / 1024:.0f} KiB",
        )
        del live


def speed() -> None:
    """The kernels, in the guest and, if there is one, in a native CPython."""
    code = KERNELS.replace('if __name__ == "__main__":', "if True:")
    limits = eryx.ResourceLimits(execution_timeout_ms=600_000)
    done = eryx.Sandbox(resource_limits=limits).execute(code)
    guest = json.loads(done.stdout)
    command = os.environ.get("ERYX_NATIVE_PYTHON")
    native: dict[str, float] = {}
    if command:
        found = subprocess.run(
            [*shlex.split(command), "-"], input=KERNELS, capture_output=True, text=True, check=True
        )
        native = json.loads(found.stdout)
    ratios = []
    for kernel, seconds in guest.items():
        text = f"{seconds * 1000:8.2f} ms"
        if kernel in native:
            ratios.append(seconds / native[kernel])
            text += f"  {ratios[-1]:5.2f} x native"
        show(f"kernel {kernel}", text)
    if ratios:
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
        show("geometric mean", f"{mean:8.2f} x native")


def sizes() -> None:
    root = HERE.parent
    for path in [*root.glob("dist/*.whl"), root / "build/guest/image.bin"]:
        if path.exists():
            show(path.name, f"{path.stat().st_size / 1e6:8.1f} MB")


def main() -> None:
    print(f"eryx {eryx.__version__} on {machine()}, Python {platform.python_version()}")
    process_times()
    sandbox_times()
    memory()
    speed()
    sizes()


if __name__ == "__main__":
    main()
