"""The subcommands of ``eryx``: where they are, and how they are run.

A command has a function that adds its arguments to a parser, and says with
``parser.set_defaults(run=function)`` what is to be called with the options and gives the exit code.
What that raises of EryxError, OSError and ValueError is told by `eryx._cli.main`. The module is
imported only for its command, and for completion.
"""

from __future__ import annotations

import argparse
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Command:
    """What ``eryx --help`` says of a command, and its function."""

    __slots__ = ("_function", "_module", "summary")

    def __init__(self, summary: str, place: str) -> None:
        """place: module and function, as ``module:function``."""
        self.summary = summary
        self._module, _, self._function = place.partition(":")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Gives the parser what the command takes."""
        add: Callable[[argparse.ArgumentParser], None]
        add = getattr(import_module(self._module), self._function)
        add(parser)


COMMANDS = {
    "build-wheel": Command(
        "build a wheel for sandboxes from a source distribution",
        "eryx.native._cli:add_build_wheel",
    ),
    "completion": Command(
        "print what a shell needs to complete words", "eryx._cli_completion:add_arguments"
    ),
    "doctor": Command("tell what this machine has", "eryx._cli_doctor:add_arguments"),
    "factory": Command(
        "make and look at files that sandboxes start from", "eryx._cli_factory:add_arguments"
    ),
    "kernel": Command(
        "make sandboxes known to Jupyter as a kernel", "eryx._cli_kernel:add_arguments"
    ),
    "lock": Command(
        "look packages up by name, and write which files they are (pylock.toml)",
        "eryx._cli_lock:add_arguments",
    ),
    "precompile": Command(
        "translate the native modules of wheels, so that they load at once",
        "eryx.native._cli:add_precompile",
    ),
    "serve": Command(
        "serve sessions over HTTP, or as a tool of MCP clients", "eryx._cli_serve:add_arguments"
    ),
}


def summaries() -> str:
    """The commands for ``--help``."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(("commands:", *lines))


def run(name: str, words: list[str]) -> int:
    """Runs the command with the words behind its name. Returns the exit code."""
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"eryx {name}", description=f"{command.summary[0].upper()}{command.summary[1:]}."
    )
    command.add_arguments(parser)
    options = parser.parse_args(words)
    function: Callable[[argparse.Namespace], int] = options.run
    return function(options)
