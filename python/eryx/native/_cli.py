"""The commands ``eryx precompile`` and ``eryx build-wheel``."""

from __future__ import annotations

import argparse


def add_precompile(parser: argparse.ArgumentParser) -> None:
    """The command ``eryx precompile``."""
    parser.add_argument(
        "wheels", nargs="+", metavar="WHEEL|NAME", help="a path, or a package of eryx-science"
    )
    _add_cache(parser)
    parser.set_defaults(run=_precompile)


def add_build_wheel(parser: argparse.ArgumentParser) -> None:
    """The command ``eryx build-wheel``."""
    parser.add_argument(
        "source",
        metavar="NAME|SDIST",
        help="name of a package (numpy, numpy==2.5.5), archive, or directory (./numpy)",
    )
    parser.add_argument(
        "-o", "--output", default=".", metavar="DIR", help="directory for the wheel (.)"
    )
    parser.add_argument(
        "--python", metavar="PROGRAM", help="the Python that runs the build; else one that fits"
    )
    parser.add_argument(
        "--no-isolation", action="store_true", help="build with the packages of this environment"
    )
    parser.add_argument(
        "--exceptions",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="of C++; without them a module has its own part of the library",
    )
    parser.add_argument(
        "--setup",
        action="append",
        default=[],
        metavar="ARGUMENT",
        help="for the setup of Meson or CMake, as --setup=-Dname=value",
    )
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="for the package's build backend, as pip's --config-settings",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        metavar="WHEEL",
        dest="wheels",
        help="a wheel for sandboxes whose headers and static libraries the build is to find",
    )
    parser.add_argument(
        "--prefix",
        action="append",
        default=[],
        metavar="DIR",
        dest="prefixes",
        help="a folder with include and lib of C libraries that were built for wasm32-wasi",
    )
    parser.add_argument(
        "--rebuild", action="store_true", help="build it although the same was built before"
    )
    _add_cache(parser)
    parser.set_defaults(run=_build_wheel)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache", metavar="DIR", help="where translated modules and built wheels are kept"
    )


def _settings(pairs: list[str]) -> dict[str, str]:
    """KEY=VALUE each. Raises NativeModuleError for what is no pair."""
    from eryx.native import NativeModuleError

    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise NativeModuleError(f"--config {pair}: it is not KEY=VALUE")
        found[key] = value
    return found


def _build_wheel(options: argparse.Namespace) -> int:
    from eryx.native import build_wheel

    wheel = build_wheel(
        options.source,
        options.output,
        python=options.python,
        isolation=not options.no_isolation,
        exceptions=options.exceptions,
        setup=options.setup,
        settings=_settings(options.config),
        with_wheels=options.wheels,
        prefixes=options.prefixes,
        rebuild=options.rebuild,
        cache=options.cache,
    )
    print(wheel)
    return 0


def _precompile(options: argparse.Namespace) -> int:
    from eryx._factory_contents import is_name
    from eryx._science import wheels
    from eryx.native import from_wheel

    named = [name for name in options.wheels if is_name(name)]
    paths = [path for path in options.wheels if path not in named]
    for wheel in [*paths, *(wheels(named) if named else [])]:
        for module in from_wheel(wheel, cache=options.cache):
            print(f"{module.name}: {module.library}")
    return 0
