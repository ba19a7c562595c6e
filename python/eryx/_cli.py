"""The command ``eryx``: runs a Python program in a sandbox."""

from __future__ import annotations

import argparse
import os
import sys

import eryx
from eryx import _cli_commands, _cli_options, _cli_program, _cli_streams
from eryx._errors import EryxError

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_USAGE = """eryx [OPTIONS] [SCRIPT | -] [ARGS...]
       eryx [OPTIONS] -c CODE [-- ARGS...]
       eryx [OPTIONS] -m MODULE [ARGS...]
       eryx COMMAND ..."""

_EPILOG = """Exit codes: 0 success, 1 the program failed, 2 wrong usage, 124 it was stopped for its
time, 125 by another limit, 130 by Ctrl-C, N after sys.exit(N)."""


def program_parser() -> argparse.ArgumentParser:
    """The options in front of a program. What is behind them is for `split`."""
    parser = argparse.ArgumentParser(
        prog="eryx",
        usage=_USAGE,
        description="Run a Python program in a sandbox: no files, no environment, and no network "
        "unless it is allowed.\nAll that is behind SCRIPT or MODULE is the program's own. Without "
        "a program, on a terminal, there is a prompt.",
        epilog=f"{_cli_commands.summaries()}\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-c", dest="code", metavar="CODE", help="run program text")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module as a program")
    parser.add_argument("--version", action="version", version=f"eryx {eryx.__version__}")
    _cli_options.add_options(parser)
    parser.add_argument(
        "--mcp",
        dest="mcp_known",
        action="store_true",
        help="let the program call the tools of the MCP servers that other programs here are "
        "configured for (see --mcp-config)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--result", action="store_true", help="print the variable `result` as JSON at the end"
    )
    output.add_argument(
        "--json", action="store_true", help="print everything about the run as one JSON object"
    )
    output.add_argument(
        "--trace", action="store_true", help="show each line on standard error as it is run"
    )
    output.add_argument("--meter", action="store_true", help="count the work, for --json")
    return parser


def split(parser: argparse.ArgumentParser, words: list[str]) -> tuple[list[str], list[str]]:
    """The options, and what is behind them: a script and its arguments, or arguments alone."""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return words[:at], words[at + 1 :]
        if word == "-" or not word.startswith("-"):
            break
        if word.startswith("--"):
            name, attached = word.partition("=")[:2]
        else:
            name, attached = word[:2], word[2:]
        action = parser._option_string_actions.get(name)
        at += 1 if action is None or action.nargs == 0 or attached else 2
        if name == "-m":
            break
    behind = words[at:]
    # What was needed before is allowed: eryx SCRIPT -- ARGS.
    if len(behind) > 1 and behind[1] == "--":
        del behind[1]
    return words[:at], behind


def _run_program(words: list[str]) -> int:
    parser = program_parser()
    own, behind = split(parser, words)
    options = parser.parse_args(own)
    _cli_options.check(parser, options)
    if options.code is not None:
        if options.module is not None:
            parser.error("-c and -m cannot be given together")
        if behind and "--" not in words:
            parser.error("-c and a script cannot be given together; arguments come after --")
    elif options.module is None and not behind and os.isatty(0):
        for name in ("json", "result", "meter", "trace"):
            if getattr(options, name):
                parser.error(f"argument --{name}: there is no program")
        from eryx import _cli_repl

        return _cli_repl.run(options)
    program = _cli_program.read(options, behind)
    if program is None:
        parser.print_help()
        return EXIT_OK
    return _cli_program.run(program, options)


def _command(words: list[str]) -> int:
    if words and words[0] in _cli_commands.COMMANDS:
        return _cli_commands.run(words[0], words[1:])
    return _run_program(words)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; arguments are those of the process by default. Returns the exit code."""
    _cli_streams.prepare()
    try:
        try:
            return _command(sys.argv[1:] if arguments is None else list(arguments))
        finally:
            try:
                sys.stdout.flush()
            except OSError as error:
                raise _cli_streams.OutputClosedError(1, error) from error
    except _cli_streams.OutputClosedError as error:
        _cli_streams.give_up(error, EXIT_FAILURE)
    except BrokenPipeError:  # of a command that prints
        _cli_streams.give_up(None, EXIT_FAILURE)
    except (EryxError, OSError, ValueError) as error:
        _cli_streams.complain(error)
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
