"""The command ``eryx lock``."""

from __future__ import annotations

import argparse
import os
import sys

from eryx._cli_progress import Progress

_EXIT_OK = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = (
        "Packages are looked for where pip is configured to look. Nothing of them is run. "
        "Needs the extra `install`."
    )
    parser.add_argument(
        "packages", nargs="*", metavar="NAME", help="package, such as jinja2 or 'rich>=14'"
    )
    parser.add_argument(
        "-r",
        "--requirements",
        action="append",
        default=[],
        metavar="FILE",
        help="requirements.txt, or pyproject.toml, whose dependencies count; may be repeated",
    )
    parser.add_argument(
        "-c",
        "--constraint",
        action="append",
        default=[],
        metavar="FILE",
        help="file that limits versions; may be repeated",
    )
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="NAME",
        help="dependency group of the pyproject.toml, in place of its dependencies; may be "
        "repeated",
    )
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="NAME",
        help="extra of the pyproject.toml; may be repeated",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="pylock.toml",
        metavar="FILE",
        help="file to write; - for standard output (pylock.toml)",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="take the newest versions, and not those that the file has already where they fit",
    )
    where = parser.add_argument_group("where packages are")
    where.add_argument("-i", "--index-url", metavar="URL", help="index in place of the usual one")
    where.add_argument(
        "--extra-index-url",
        action="append",
        default=[],
        metavar="URL",
        help="index that is asked before; the first one that knows a package has it; may be "
        "repeated",
    )
    where.add_argument(
        "-f",
        "--find-links",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of wheels, or page with links to them; may be repeated",
    )
    where.add_argument("--no-index", action="store_true", help="only what --find-links has")
    parser.set_defaults(run=_lock)


def _lock(options: argparse.Namespace) -> int:
    from eryx.packages import Indexes, Lock, lock

    if not (options.packages or options.requirements):
        options.requirements = ["pyproject.toml"]
    indexes = Indexes.configured().with_options(
        index_url=options.index_url,
        extra_index_urls=options.extra_index_url,
        find_links=options.find_links,
        no_index=options.no_index,
    )
    earlier = None
    if options.output != "-" and not options.upgrade and os.path.exists(options.output):
        earlier = Lock.read(options.output)
    with Progress(1, sys.stderr) as progress:
        progress.begin("looking packages up")
        found = lock(
            options.packages,
            files=options.requirements,
            constraints=options.constraint,
            groups=options.group,
            extras=options.extra,
            indexes=indexes,
            earlier=earlier,
            report=progress.report(),
        )
    if options.output == "-":
        print(found.to_toml(), end="")
        return _EXIT_OK
    found.write(options.output)
    print(f"{options.output}: {', '.join(' '.join(each) for each in found.packages) or 'nothing'}")
    return _EXIT_OK
