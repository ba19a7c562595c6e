"""Shell blocks of documents, run in a folder of their own.

A block ```sh is a script that must succeed. A block ```console has commands after `$ ` (more lines
of a command after `> `), each with its output, also that on stderr, below it; `...` stands for any
text. All blocks of a document are run in one folder, in order.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A block of another kind that begins so should have been a shell block.
COMMAND = re.compile(r"(\$ |eryx |make |pip |python3? |cmake |cc |gcc |sh |cd )")
TIMEOUT_S = 300


@dataclass
class Command:
    """One command, and what it prints; None if the document does not say."""

    text: str
    output: str | None = None


@dataclass
class Document:
    """The commands of a document, and the blocks that should be commands."""

    commands: list[Command] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)


def read(text: str) -> Document:
    """All that is to be run of a document."""
    found = Document()
    for kind, block in FENCE.findall(text):
        if kind == "sh":
            found.commands.append(Command(block))
        elif kind == "console":
            found.commands += _console(block)
        elif kind == "" and COMMAND.match(block):
            found.unmarked.append(block)
    return found


def _console(block: str) -> list[Command]:
    commands: list[Command] = []
    continued = False
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append(Command(line[2:], ""))
        elif line.startswith(">"):
            commands[-1].text += line[1:].removeprefix(" ")
        elif continued:
            commands[-1].text += line
        else:
            assert commands, f"a console block begins with its output: {line}"
            commands[-1].output = (commands[-1].output or "") + line
        continued = line.endswith("\\\n") and (continued or line.startswith("$ "))
    return commands


def environment(folder: Path) -> dict[str, str]:
    """What commands find: eryx, python and pip are those of the tests, and home is the folder."""
    programs = folder / "bin"
    programs.mkdir()
    python = shlex.quote(sys.executable)
    for name, words in {
        "eryx": f"{python} -m eryx",
        "python": python,
        "python3": python,
        "pip": f"{python} -m pip --disable-pip-version-check",
    }.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}


def run(command: Command, folder: Path, variables: dict[str, str]) -> None:
    """Runs it. Raises AssertionError if it does not do what the document says."""
    done = subprocess.run(
        ["sh", "-e" if command.output is None else "+e", "-c", command.text],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_S,
        cwd=folder,
        env=variables,
        check=False,
    )
    printed = done.stdout.decode()
    if command.output is None:
        assert done.returncode == 0, f"{command.text}\n{printed}"
        return
    pattern = ".*".join(re.escape(part) for part in command.output.split("..."))
    assert re.fullmatch(pattern, printed, re.DOTALL), (
        f"{command.text}\nprinted\n{printed}\nin place of\n{command.output}"
    )
