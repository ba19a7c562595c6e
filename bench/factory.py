"""Measures factories and pools; nothing here is a test.

python bench/factory.py [WHEEL ... --import MODULE]

With wheels, such as those of jinja2 and markupsafe, these are what the factory is made of. Without
any it is modules of the standard library that are not in the image.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import eryx

STANDARD = ["http.client", "urllib.request", "unittest", "zipfile"]


def median_us(work: Callable[[], object], rounds: int) -> float:
    """Median of some rounds, in microseconds."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def medians_us(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Medians of works that take turns, so that what else the machine does concerns all."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for taken, work in zip(times, works, strict=True):
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) * 1e6 for taken in times]


def show(name: str, value: float, unit: str) -> None:
    print(f"{name:<58} {value:>10.1f} {unit}", flush=True)


FIRST_BUILD = """
import sys, time, eryx
wheels, modules, cache = eval(sys.argv[1])
begin = time.perf_counter()
factory = eryx.SandboxFactory(packages=wheels or None, imports=modules, cache=cache or False)
print(time.perf_counter() - begin)
"""


def first_build_ms(wheels: list[str], modules: list[str], cache: str) -> float:
    """Build in a new process, which has compiled nothing yet."""
    words = [sys.executable, "-c", FIRST_BUILD, repr((wheels, modules, cache))]
    environment = {**os.environ, "ERYX_CACHE_DIR": cache}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout) * 1e3


def measure_factory(wheels: list[str], modules: list[str]) -> eryx.SandboxFactory:
    def build() -> eryx.SandboxFactory:
        return eryx.SandboxFactory(packages=wheels or None, imports=modules)

    first = statistics.median(first_build_ms(wheels, modules, "") for _ in range(5))
    show("factory: first build of a process", first, "ms")
    show("factory: build again, bytecode in memory", median_us(build, 5) / 1e3, "ms")
    factory = build()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "factory")
        show("factory: save", median_us(lambda: build().save(path), 3) / 1e3, "ms with build")
        factory.save(path)
        show("factory: load", median_us(lambda: eryx.SandboxFactory.load(path), 9) / 1e3, "ms")
        show("factory: file", os.path.getsize(path) / 1e6, "MB")
        cached = median_us(
            lambda: eryx.SandboxFactory(packages=wheels or None, imports=modules, cache=folder), 5
        )
        show("factory: build again from the cache", cached / 1e3, "ms")
        cached = statistics.median(first_build_ms(wheels, modules, folder) for _ in range(5))
        show("factory: first build of a process, from the cache", cached, "ms")
    return factory


def measure_sandboxes(wheels: list[str], modules: list[str], factory: eryx.SandboxFactory) -> None:
    plain = eryx.SandboxFactory(packages=wheels or None)
    program = "import " + ", ".join(modules)
    without = median_us(lambda: plain.create_sandbox().execute(program), 20)
    imported = median_us(lambda: factory.create_sandbox().execute(program), 200)
    show(f"sandbox: {program[:40]}", without / 1e3, "ms")
    show("sandbox: the same, imported by the factory", imported / 1e3, "ms")
    creates: list[Callable[[], eryx.Sandbox]] = [
        eryx.Sandbox,
        factory.create_sandbox,
        factory.create_session,
    ]

    def run_in(create: Callable[[], eryx.Sandbox]) -> Callable[[], object]:
        return lambda: create().execute("print(1)")

    runs = [run_in(create) for create in creates]
    names = ("plain sandbox", "sandbox of the factory", "session of the factory")
    for name, value in zip(names, medians_us(creates, 1000), strict=True):
        show(f"{name}: create, drop", value, "us")
    for name, value in zip(names, medians_us(runs, 1000), strict=True):
        show(f"{name}: create, print(1), drop", value, "us")


def measure_callbacks() -> None:
    callbacks = [{"name": "ask", "fn": lambda: 1}]
    factory = eryx.SandboxFactory(callbacks=callbacks)
    plain = median_us(lambda: eryx.Sandbox().execute("1"), 1000)
    show("callbacks: run without any", plain, "us")
    one = median_us(lambda: eryx.Sandbox(callbacks=callbacks).execute("1"), 1000)
    show("callbacks: run with one declared", one, "us")
    declared = median_us(lambda: factory.create_sandbox().execute("1"), 1000)
    show("callbacks: run with one declared in the factory", declared, "us")


def measure_pool(factory: eryx.SandboxFactory) -> None:
    with factory.create_pool(max_size=4) as pool:

        def lease() -> None:
            with pool.acquire():
                pass

        def use() -> None:
            with pool.acquire() as sandbox:
                sandbox.execute("print(1)")

        show("pool: acquire, release", median_us(lease, 2000), "us")
        show("pool: acquire, print(1), release", median_us(use, 1000), "us")

        async def use_async() -> None:
            async with pool.acquire() as sandbox:
                await sandbox.execute_async("print(1)")

        async def many() -> float:
            started = time.perf_counter()
            await asyncio.gather(*[use_async() for _ in range(2000)])
            return (time.perf_counter() - started) / 2000 * 1e6

        show("pool of 4: 2,000 asyncio tasks, each print(1)", asyncio.run(many()), "us each")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures factories and pools.")
    parser.add_argument("wheels", nargs="*")
    parser.add_argument("--import", dest="modules", action="append", metavar="MODULE")
    options = parser.parse_args()
    modules = options.modules or ([] if options.wheels else STANDARD)
    factory = measure_factory(options.wheels, modules)
    if modules:
        measure_sandboxes(options.wheels, modules, factory)
    measure_callbacks()
    measure_pool(factory)


if __name__ == "__main__":
    main()
