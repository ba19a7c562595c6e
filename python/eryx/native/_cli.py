"""The commands ``eryx precompile`` and ``eryx build-wheel``."""

from __future__ import annotations

import argparse
import sys

from eryx._errors import EryxError

COMMANDS = ("precompile", "build-wheel")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eryx")
    commands = parser.add_subparsers(dest="command", required=True)
    precompile = commands.add_parser(
        "precompile", help="translate the native modules of wheels, so that they load at once"
    )
    precompile.add_argument("wheels", nargs="+", metavar="WHEEL")
    build = commands.add_parser(
        "build-wheel", help="build a wheel for sandboxes from a source distribution"
    )
    build.add_argument("source", metavar="SDIST", help="archive or directory")
    build.add_argument("-o", "--output", default=".", help="directory for the wheel (.)")
    build.add_argument(
        "--no-isolation", action="store_true", help="build with the packages of this environment"
    )
    build.add_argument(
        "--no-exceptions",
        action="store_true",
        help="compile C++ without exceptions, with its own part of the library",
    )
    build.add_argument(
        "--setup",
        action="append",
        default=[],
        metavar="ARGUMENT",
        help="for the setup of a package that is built by Meson, as --setup=-Dname=value",
    )
    build.add_argument(
        "--with",
        action="append",
        default=[],
        metavar="WHEEL",
        dest="wheels",
        help="a wheel for sandboxes whose headers and static libraries the build is to find",
    )
    for command in (precompile, build):
        command.add_argument("--cache", metavar="DIR", help="where translated modules are kept")
    return parser


def main(arguments: list[str]) -> int:
    """Runs one of the commands; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "precompile":
            return _precompile(options)
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
    except EryxError as error:
        print(f"eryx: {error}", file=sys.stderr)
        return 1
    print(wheel)
    return 0


def _precompile(options: argparse.Namespace) -> int:
    from eryx.native import from_wheel

    for wheel in options.wheels:
        for module in from_wheel(wheel, cache=options.cache):
            print(f"{module.name}: {module.library}")
    return 0
