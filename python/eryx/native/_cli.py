"""The commands ``eryx precompile`` and ``eryx build-wheel``."""

from __future__ import annotations

import argparse


def add_precompile(parser: argparse.ArgumentParser) -> None:
    """The command ``eryx precompile``."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL")
    _add_cache(parser)
    parser.set_defaults(run=_precompile)


def add_build_wheel(parser: argparse.ArgumentParser) -> None:
    """The command ``eryx build-wheel``."""
    parser.add_argument("source", metavar="SDIST", help="archive or directory")
    parser.add_argument("-o", "--output", default=".", help="directory for the wheel (.)")
    parser.add_argument(
        "--no-isolation", action="store_true", help="build with the packages of this environment"
    )
    parser.add_argument(
        "--no-exceptions",
        action="store_true",
        help="compile C++ without exceptions, with its own part of the library",
    )
    parser.add_argument(
        "--setup",
        action="append",
        default=[],
        metavar="ARGUMENT",
        help="for the setup of a package that is built by Meson, as --setup=-Dname=value",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        metavar="WHEEL",
        dest="wheels",
        help="a wheel for sandboxes whose headers and static libraries the build is to find",
    )
    _add_cache(parser)
    parser.set_defaults(run=_build_wheel)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache", metavar="DIR", help="where translated modules are kept")


def _build_wheel(options: argparse.Namespace) -> int:
    from eryx.native import build_wheel

    wheel = build_wheel(
        options.source,
        options.output,
        isolation=not options.no_isolation,
        exceptions=not options.no_exceptions,
        setup=options.setup,
        with_wheels=options.wheels,
        cache=options.cache,
    )
    print(wheel)
    return 0


def _precompile(options: argparse.Namespace) -> int:
    from eryx.native import from_wheel

    for wheel in options.wheels:
        for module in from_wheel(wheel, cache=options.cache):
            print(f"{module.name}: {module.library}")
    return 0
