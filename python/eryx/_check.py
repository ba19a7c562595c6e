"""Type errors of a program before it runs, by the type checker ty; imported when somebody asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

from eryx._annotations import late_annotations
from eryx._errors import EryxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from eryx._callbacks import CallbackTable

_FINDING = re.compile(r"[^:]*:(\d+):(\d+): (error|warning)\[([\w-]+)\] (.*)")

# What a program may do here, and a module of its own may not.
_ALLOWED = re.compile(r"`await` outside|`async \w+` outside|outside of an asynchronous function")

_NAMES = """\
def display(*objects: object, **options: Any) -> None: ...
def list_callbacks() -> list[dict[str, Any]]: ...
async def invoke(name: str, /, *positional: Any, **named: Any) -> Any: ...
"""

_SECONDS = 60


class Diagnostic(NamedTuple):
    """One thing that is wrong with a program; its text is what a model should see."""

    line: int
    """Counted from 1."""
    column: int
    """Counted from 1."""
    rule: str
    """Its name, such as ``unresolved-reference``."""
    message: str
    """What is wrong."""

    def __str__(self) -> str:
        """Line, column, message and rule."""
        return f"line {self.line}, column {self.column}: {self.message} [{self.rule}]"


Diagnostic.__module__ = "eryx"


def check(code: str, table: CallbackTable | None, names: Iterable[str]) -> list[Diagnostic]:
    """What ty finds. names: globals that the program finds, of any type.

    Raises EryxError if ty is not installed, or fails.
    """
    with tempfile.TemporaryDirectory(prefix="eryx-check-") as folder:
        _write(folder, "__builtins__.pyi", _builtins(table, names))
        _write(folder, "program.py", code)
        _write(folder, "ty.toml", "")  # so that no settings of folders above count
        done = _run_ty(folder)
    found = [
        Diagnostic(int(line), int(column), rule, message)
        for line, column, _, rule, message in _FINDING.findall(done)
        if not _ALLOWED.search(message)
    ]
    return sorted(found)


def _builtins(table: CallbackTable | None, names: Iterable[str]) -> str:
    """What is there without import, as a stub."""
    stub = "from typing import Any\n"
    if table is not None:
        from eryx._stub import stub_text

        stub = stub_text(list(table.by_name.values()), takes_any_dict=True)
    return stub + _NAMES + "".join(f"{name}: Any\n" for name in names)


def _write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(text)


def _run_ty(folder: str) -> str:
    command = [sys.executable, "-m", "ty", "check", "--output-format", "concise", "--no-progress"]
    try:
        done = subprocess.run(
            [*command, "--python-version", "3.14", "program.py"],
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EryxError(f"the type checker ty cannot be run: {error}") from None
    if "No module named ty" in done.stderr:
        raise EryxError("check() needs the type checker ty: pip install 'eryx-sandbox[check]'")
    found_something = done.returncode == 1 and "Found" in done.stdout
    if done.returncode != 0 and not found_something:
        raise EryxError(f"the type checker ty failed: {done.stderr.strip()[-500:]}")
    return done.stdout


late_annotations(globals(), Diagnostic)
