"""Running tools, with their output in a log file that is shown only when they fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

from toolchain.errors import BuildError


def run_tool(
    command: list[str],
    *,
    log: Path,
    directory: Path | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Runs a command; on failure raises BuildError with the end of its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        try:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=environment,
                check=False,
            ).returncode
        except OSError as error:
            raise BuildError(f"cannot run {command[0]}: {error}") from error
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise BuildError(f"{Path(command[0]).name} failed with code {code}:\n{tail[-4000:]}")
