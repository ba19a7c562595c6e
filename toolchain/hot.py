"""The functions that most time is spent in: they are compiled together, as one file.

hot_functions.txt is made of a training profile: ``python3 -m toolchain.hot PROFILE``, where PROFILE
is the guest.profdata that ``python3 -m toolchain --pgo --verbose`` tells the place of. It changes
the speed of the guest and nothing else.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from toolchain.errors import BuildError

LIST_PATH = Path(__file__).parent / "hot_functions.txt"
COUNT = 700
MERGER = "llvm-profdata-19"


def load_hot_functions(path: Path = LIST_PATH) -> frozenset[str]:
    """The names in the list."""
    return frozenset(
        line for line in path.read_text().splitlines() if line and not line.startswith("#")
    )


def weigh(report: str) -> dict[str, int]:
    """How often the blocks of each guest function ran, from what llvm-profdata shows."""
    weights: dict[str, int] = {}
    name = ""
    for line in report.splitlines():
        if match := re.match(r"  (\S.*):$", line):
            name = match[1]
        elif match := re.match(r"    Function count: (\d+)", line):
            weights[name] = int(match[1])
        elif match := re.match(r"    Block counts: \[(.+)\]", line):
            weights[name] = weights.get(name, 0) + sum(map(int, match[1].split(", ")))
    return {name: weight for name, weight in weights.items() if name.startswith("w2c_guest_")}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    command = [MERGER, "show", "--all-functions", "--counts", sys.argv[1]]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    weights = weigh(report)
    if len(weights) < COUNT:
        raise BuildError(f"{sys.argv[1]} has counts of {len(weights)} guest functions only")
    hottest = sorted(weights, key=lambda name: -weights[name])[:COUNT]
    LIST_PATH.write_text(
        "# Written by python3 -m toolchain.hot; see there.\n" + "\n".join(sorted(hottest)) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
