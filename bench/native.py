"""Measures native modules; nothing here is a test.

python bench/native.py [--native COMMAND]

Builds the wheels of the packages from their locked sources, and times a few uses of each in a
sandbox. --native: a CPython 3.14 that has the same packages, which gets the program on its standard
input; then the ratios are printed as well.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import eryx
from eryx import native
from toolchain import guest_packages

PACKAGES = ("markupsafe", "msgpack", "regex", "simplejson")

# Prints the median seconds of each use as JSON; the same program in a sandbox and outside.
PROGRAM = r"""
import json, statistics, time
import markupsafe, msgpack, regex, simplejson

plain = "The quick brown fox jumps over the lazy dog. " * 200
marked = "<b>Tom & 'Jerry'</b> " * 400
data = {"rows": [{"id": n, "name": f"row {n}", "value": n / 7, "tags": ["a", "b", None]}
                 for n in range(2000)]}
packed, dumped = msgpack.packb(data), simplejson.dumps(data)
mails = "someone@example.com, nobody, other.one@mail.example.org; " * 400
capitals = "Hello wOrld Ünder Ångström und so weiter " * 400
mail = regex.compile(r"[\w.]+@[\w.]+\.\w+")
capital = regex.compile(r"\p{Lu}\w+")
fuzzy = regex.compile(r"(?:someone){e<=2}")

uses = {
    "markupsafe: escape what needs it": lambda: markupsafe.escape(marked),
    "markupsafe: escape what does not": lambda: markupsafe.escape(plain),
    "msgpack: pack": lambda: msgpack.packb(data),
    "msgpack: unpack": lambda: msgpack.unpackb(packed),
    "regex: e-mail addresses": lambda: mail.findall(mails),
    "regex: \\p{Lu}": lambda: capital.findall(capitals),
    "regex: fuzzy": lambda: fuzzy.findall(mails[:2000]),
    "simplejson: dumps": lambda: simplejson.dumps(data),
    "simplejson: loads": lambda: simplejson.loads(dumped),
}
times = {}
for name, use in uses.items():
    rounds = 1
    while True:
        started = time.perf_counter()
        for _ in range(rounds):
            use()
        spent = time.perf_counter() - started
        if spent > 0.02:
            break
        rounds *= 2
    samples = []
    for _ in range(15):
        started = time.perf_counter()
        for _ in range(rounds):
            use()
        samples.append((time.perf_counter() - started) / rounds)
    times[name] = statistics.median(samples)
print(json.dumps(times))
"""


def show(what: str, value: str) -> None:
    print(f"{what:<40} {value}", flush=True)


def build(directory: Path) -> list[Path]:
    """Wheels of the packages, and how long each step took."""
    wheels = []
    for package in PACKAGES:
        (source,) = guest_packages.sources(package)
        started = time.perf_counter()
        wheel = native.build_wheel(source, directory, isolation=False)
        built = time.perf_counter()
        native.from_wheel(wheel, cache=directory / "cache")
        translated = time.perf_counter()
        show(package, f"build {built - started:6.1f} s, translate {translated - built:6.1f} s")
        wheels.append(wheel)
    return wheels


def load_times(wheels: list[Path]) -> None:
    """What is left to do once everything is translated."""
    eryx.SandboxFactory(packages=wheels, imports=PACKAGES)
    started = time.perf_counter()
    factory = eryx.SandboxFactory(packages=wheels, imports=PACKAGES)
    show("factory of all four, translated before", f"{time.perf_counter() - started:8.3f} s")
    samples = []
    for _ in range(200):
        started = time.perf_counter()
        factory.create_sandbox().execute("print(1)")
        samples.append(time.perf_counter() - started)
    show("its sandboxes: create, print(1), drop", f"{statistics.median(samples) * 1e6:8.1f} us")
    fresh = eryx.SandboxFactory(packages=wheels)
    code = "import time; t = time.perf_counter(); import msgpack; print(time.perf_counter() - t)"
    samples = [float(fresh.create_sandbox().execute(code).stdout) for _ in range(50)]
    show("import msgpack in a new sandbox", f"{statistics.median(samples) * 1e3:8.2f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--native", metavar="COMMAND", help="a CPython 3.14 with the packages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        wheels = build(Path(name))
        load_times(wheels)
        factory = eryx.SandboxFactory(packages=wheels)
        limits = eryx.ResourceLimits(execution_timeout_ms=300_000)
        sandbox = factory.create_sandbox(resource_limits=limits)
        inside: dict[str, float] = json.loads(sandbox.execute(PROGRAM).stdout)
    outside: dict[str, float] = {}
    if options.native:
        done = subprocess.run(
            [*options.native.split(), "-"],
            input=PROGRAM,
            capture_output=True,
            text=True,
            check=True,
        )
        outside = json.loads(done.stdout)
    for use, seconds in inside.items():
        ratio = f"  {seconds / outside[use]:5.2f} x native" if use in outside else ""
        show(use, f"{seconds * 1e6:10.1f} us{ratio}")
    if outside:
        mean = statistics.geometric_mean(inside[use] / outside[use] for use in inside)
        show("geometric mean", f"{mean:10.2f} x native")
    return 0


if __name__ == "__main__":
    sys.exit(main())
