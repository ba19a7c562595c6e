"""Isolated environments to build in, with what wheels for sandboxes have laid over them."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from eryx.native._errors import NativeModuleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eryx.native._find_source import Project
    from eryx.native._pythons import Python
    from eryx.native._steps import Steps

_RUN_BACKEND = Path(__file__).with_name("_run_backend.py")


def make(directory: Path, python: Python, steps: Steps) -> str:
    """An empty environment with pip; gives the path of its Python."""
    steps.begin("making an environment")
    steps.run([python.program, "-I", "-m", "venv", str(directory)], env=_environ())
    return str(directory / "bin" / "python")


def install(python: str, requires: Iterable[str], steps: Steps) -> None:
    """Installs what is required, by pip."""
    wanted = list(requires)
    if wanted:
        steps.begin("installing what its build takes")
        # What this Python has beside is none of the environment.
        command = [python, "-I", "-m", "pip", "install", "--disable-pip-version-check"]
        steps.run([*command, *wanted], env=_environ())


def backend_command(
    python: str, project: Project, hook: str, settings: dict[str, object], argument: Path
) -> list[str]:
    """The command that runs a hook of a project's backend."""
    return [
        *(python, "-P", str(_RUN_BACKEND), hook, project.backend, json.dumps(settings)),
        *(str(argument), *project.paths),
    ]


def further_requirements(
    python: str,
    project: Project,
    settings: dict[str, object],
    environment: dict[str, str],
    work: Path,
    steps: Steps,
) -> list[str]:
    """What the backend takes to build this project, beyond what the project says."""
    steps.begin("asking what its build takes")
    answer = work / "requires.json"
    hook = "get_requires_for_build_wheel"
    command = backend_command(python, project, hook, settings, answer)
    steps.run(command, cwd=project.tree, env=environment)
    return [str(each) for each in json.loads(answer.read_text())]


def _environ() -> dict[str, str]:
    return dict(os.environ)


def pinned(wheel: Path) -> str:
    """The requirement of the same version for this machine."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version}"


def lay_over(site: Path, wheels: Iterable[Path]) -> None:
    """Puts headers and static libraries of wheels for sandboxes over those for this machine, which
    builds find when they ask the package where they are."""
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for entry in archive.infolist():
                    parts = PurePosixPath(entry.filename)
                    if parts.suffix == ".a" or (parts.suffix == ".h" and "include" in parts.parts):
                        archive.extract(entry, site)
        except (OSError, zipfile.BadZipFile) as error:
            raise NativeModuleError(f"{wheel}: it cannot be read: {error}") from None


def site_packages(environment: Path) -> Path:
    """Where an environment has its packages."""
    return next(iter(environment.glob("lib/python*/site-packages")))
