"""Other sandboxes for Python code, measured side by side with this one; nothing here is a test.

    python bench/peers.py [--pyeryx COMMAND] [--monty COMMAND]

A COMMAND starts a Python in which that package is installed (pyeryx, pydantic-monty), and gets its
program on standard input. The interpreter that runs this file has our own.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import time

ROUNDS = 3

# Both packages are imported as `eryx`.
_ERYX = """
import eryx
def whole():
    eryx.Sandbox().execute("print(1)")
limits = eryx.ResourceLimits(execution_timeout_ms=600_000)
def run(code):
    return eryx.Sandbox(resource_limits=limits).execute(code).stdout
"""
_MONTY = """
import io
import pydantic_monty
pool = pydantic_monty.Monty().__enter__()
def whole():
    with pool.checkout() as session:
        session.feed_run("print(1)", print_callback=lambda stream, text: None)
def run(code):
    out = []
    with pool.checkout() as session:
        session.feed_run(code, print_callback=lambda stream, text: out.append(text))
    return "".join(out)
"""
_MEASURE = """
import json, statistics, time
def median(action, count):
    action()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
def seconds(code):
    start = time.perf_counter()
    run(code)
    return time.perf_counter() - start
KERNELS = {
    "recursion": "def f(n):\\n    return n if n < 2 else f(n - 1) + f(n - 2)\\nprint(f(25))",
    "loop of floats": "x = 0.0\\nfor n in range(500000):\\n    x += n * 0.5\\nprint(x)",
    "list and dict": "d = {}\\nfor n in range(300000):\\n    d[n % 997] = d.get(n % 997, 0) + n\\n"
                     "print(sorted(d.values())[0])",
    "strings": "words = []\\nfor n in range(150000):\\n    words.append(str(n) + 'x')\\n"
               "print(len(' '.join(words)))",
}
report = {"create, print(1), drop": median(whole, 100)}
for name, code in KERNELS.items():
    report[name] = min(seconds(code) for _ in range(3))
print(json.dumps(report))
"""


def measure(command: list[str], setup: str) -> dict[str, float]:
    """The figures of one package, in seconds."""
    done = subprocess.run(
        [*command, "-"], input=setup + _MEASURE, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed:\n{done.stderr}")
    report: dict[str, float] = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(
            [*command, "-"],
            input=setup + "whole()",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        times.append(time.perf_counter() - start)
    return {"whole process": statistics.median(times), **report}


def main() -> None:
    """Measures in turns and prints a table of the best."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pyeryx", metavar="COMMAND")
    parser.add_argument("--monty", metavar="COMMAND")
    options = parser.parse_args()
    subjects = {"eryx": ([sys.executable], _ERYX)}
    if options.pyeryx:
        subjects["pyeryx"] = (shlex.split(options.pyeryx), _ERYX)
    if options.monty:
        subjects["monty"] = (shlex.split(options.monty), _MONTY)
    best: dict[str, dict[str, float]] = {name: {} for name in subjects}
    for _ in range(ROUNDS):
        for name, (command, setup) in subjects.items():
            for what, seconds in measure(command, setup).items():
                best[name][what] = min(seconds, best[name].get(what, seconds))
    print(f"{'milliseconds':<28}" + "".join(f"{name:>12}" for name in subjects))
    for what in best["eryx"]:
        row = "".join(f"{best[name][what] * 1000:12.2f}" for name in subjects)
        print(f"{what:<28}{row}")


if __name__ == "__main__":
    main()
