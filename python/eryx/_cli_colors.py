"""Tracebacks in colours, as Python's own are on a terminal."""

from __future__ import annotations

import os
import re
import sys

_RED, _BOLD_RED = "\x1b[31m", "\x1b[1;31m"
_MAGENTA, _BOLD_MAGENTA = "\x1b[35m", "\x1b[1;35m"
_RESET = "\x1b[0m"

_PLACE = re.compile(r'^(\s*(?:[|+] *)*)File "(.*)", line (\d+)(?:, in (.*))?$')
_MARKS = re.compile(r"^[\s|]*[~^]+[~^\s]*$")
_ERROR = re.compile(r"^((?:\s*[|+] *)?)([A-Za-z_][\w.]*)(?:: (.*))?$")


def wanted(descriptor: int) -> bool:
    """Whether what goes there is to be in colours: as Python decides it."""
    if sys.flags.ignore_environment:
        return os.isatty(descriptor)
    chosen = os.environ.get("PYTHON_COLORS")
    if chosen in ("0", "1"):
        return chosen == "1"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and os.isatty(descriptor)


def prompt(text: str) -> str:
    """A prompt in colour."""
    return f"{_BOLD_MAGENTA}{text}{_RESET}"


def traceback(text: str) -> str:
    """A traceback in colours. The text has to be free of what a terminal acts on."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        place = _PLACE.match(line)
        if place:
            before, file, at, function = place.groups()
            lines[number] = (
                f'{before}File {_MAGENTA}"{file}"{_RESET}, line {_MAGENTA}{at}{_RESET}'
                + (f", in {_MAGENTA}{function}{_RESET}" if function else "")
            )
        elif _MARKS.match(line):
            lines[number] = re.sub(r"\^+|~+", _coloured_mark, line)
        else:
            error = _ERROR.match(line)
            if error:
                before, kind, message = error.groups()
                lines[number] = f"{before}{_BOLD_MAGENTA}{kind}{_RESET}" + (
                    f": {_MAGENTA}{message}{_RESET}" if message is not None else ""
                )
    return "\n".join(lines)


def _coloured_mark(found: re.Match[str]) -> str:
    colour = _BOLD_RED if found[0][0] == "^" else _RED
    return f"{colour}{found[0]}{_RESET}"
