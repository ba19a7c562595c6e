"""The command ``eryx completion``: what a shell needs to complete the words of the command."""

from __future__ import annotations

import argparse
import sys

from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHELLS = ("bash", "zsh", "tcsh")
# What options and arguments that are files, or folders, are called in help texts.
_FILES = ("FILE", "PACKAGE", "PROGRAM", "WHEEL", "NAME|SDIST", "HOST:GUEST[:ro|rw|overlay]")
_FOLDERS = ("DIR", "FOLDER")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = (
        'For bash: eval "$(eryx completion bash)" in ~/.bashrc; for zsh the same in ~/.zshrc.'
    )
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise EryxError(
            "completion takes the package shtab: pip install 'eryx-sandbox[completion]'"
        ) from None
    sys.stdout.write(_with_scripts(shtab.complete(_whole(shtab), options.shell), options.shell))
    return 0


def _with_scripts(text: str, shell: str) -> str:
    """Makes files complete where a script or its arguments stand, which shtab knows nothing of."""
    if shell == "bash":
        return text.replace("complete -o bashdefault -F", "complete -o default -o bashdefault -F")
    if shell == "zsh":
        commands = "_describe 'eryx commands' _commands\n"
        text = text.replace(commands, f"{commands}  _files\n")
        last = "serve) _arguments -C -s $_shtab_eryx_serve_options ;;\n"
        return text.replace(last, f"{last}        *) _files ;;\n")
    return text


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
        elif action.nargs != 0 and isinstance(action.metavar, str):
            if action.metavar in _FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.metavar in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            # A colon separates the parts of what zsh is told.
            action.metavar = action.metavar.replace(":", " ")
