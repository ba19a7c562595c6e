"""The command ``eryx completion``: what a shell needs to complete the words of the command."""

from __future__ import annotations

import argparse
import sys

from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHELLS = ("bash", "zsh", "tcsh")
# Options and arguments that are files, and those that are folders.
_FILES = ("factory", "package", "tools", "mcp_config", "script", "setup", "key_file", "file")
_FOLDERS = ("out", "output", "site_packages", "cache")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = 'For bash: eval "$(eryx completion bash)" in ~/.bashrc.'
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise EryxError(
            "completion takes the package shtab: pip install 'eryx-sandbox[completion]'"
        ) from None
    sys.stdout.write(shtab.complete(_whole(shtab), options.shell))
    return 0


def _whole(shtab: Any) -> argparse.ArgumentParser:
    """A parser that has all commands, and files where they are files."""
    from eryx._cli import program_parser
    from eryx._cli_commands import COMMANDS

    parser = program_parser()
    parser.usage = None
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.summary))
    _mark_files(shtab, parser)
    return parser


def _mark_files(shtab: Any, parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _mark_files(shtab, inner)
        elif action.nargs != 0 and action.dest in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.nargs != 0 and action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
