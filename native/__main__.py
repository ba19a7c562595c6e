"""``python -m native``: builds packages for science for sandboxes, and the companion wheel."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from native import build, pack, recipes, table
from toolchain.command import exit_status


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m native")
    parser.add_argument(
        "names", nargs="*", metavar="RECIPE", help="the usual ones if none is named"
    )
    parser.add_argument(
        "--also", action="append", default=[], metavar="RECIPE", help="besides these; repeated"
    )
    parser.add_argument("--wheels", action="store_true", help="build wheels, and nothing more")
    parser.add_argument("-o", "--output", type=Path, default=Path("dist"), help="where to (dist)")
    parser.add_argument("--unpack", type=Path, help="also unpack it into this folder")
    parser.add_argument(
        "--cached", action="store_true", help="also all that was built and translated before"
    )
    parser.add_argument(
        "--table", action="store_true", help="of what was made before: times, sizes, own tests"
    )
    parser.add_argument("--jobs", type=int)
    options = parser.parse_args()
    return exit_status(lambda: _do(options))


def _do(options: argparse.Namespace) -> None:
    kit = build.kit(options.jobs)
    if options.table:
        print(table.as_text(table.rows(pack.target(options.output), kit)))
        return
    names = recipes.closure([*(options.names or recipes.usual()), *options.also])
    if options.cached:
        others = [name for name in recipes.every() if name not in names]
        names = [*names, *(name for name in others if build.is_cached(name, kit))]
        print("packages:", *names, flush=True)
    if options.wheels:
        for name in names:
            for wheel in build.wheels(name, kit):
                print(wheel)
        return
    wheel = pack.pack(names, options.output, kit)
    print(wheel)
    if options.unpack is not None:
        pack.unpack(wheel, options.unpack)


if __name__ == "__main__":
    sys.exit(main())
