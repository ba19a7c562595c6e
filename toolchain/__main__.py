"""Command line of the pipeline: python3 -m toolchain."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from toolchain.cache import Cache, default_root
from toolchain.errors import BuildError
from toolchain.pipeline import Options, Pipeline, clean


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m toolchain",
        description="Builds the guest: libguest.a, its headers, standard library and image.",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="parallel compilations"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="say where results are and what compiles"
    )
    parser.add_argument("--clean", action="store_true", help="forget all earlier results first")
    parser.add_argument("--forget", action="store_true", help="forget all earlier results and stop")
    parser.add_argument("--pgo", action="store_true", help="profile-guided optimisation")
    parser.add_argument("--output", type=Path, help="directory for the products (build/guest)")
    arguments = parser.parse_args()

    options = Options(max(arguments.jobs, 1), arguments.verbose, arguments.pgo)
    if arguments.output:
        options.output = arguments.output.absolute()
    cache = Cache(default_root())
    started = time.monotonic()
    try:
        if arguments.clean or arguments.forget:
            clean(cache, options)
        if arguments.forget:
            return 0
        pipeline = Pipeline(options, cache)
        pipeline.run()
        pipeline.prune()
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"done in {time.monotonic() - started:.0f} s: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
