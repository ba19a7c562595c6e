"""The types that the package tells are those that it has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import eryx

PACKAGES = str(Path(eryx.__file__).parents[1])


def run_tool(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mypy")
    environment = dict(os.environ)
    if "site-packages" not in PACKAGES:
        environment["MYPYPATH"] = PACKAGES
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )


def test_stub_of_the_native_module(tmp_path: Path) -> None:
    done = run_tool("mypy.stubtest", "eryx._eryx", cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_package_is_what_its_types_say(tmp_path: Path) -> None:
    """The package carries its types in the source; what runs must have the same names."""
    settings = str(Path(__file__).parents[2] / "pyproject.toml")
    done = run_tool("mypy.stubtest", "eryx", "--mypy-config-file", settings, cwd=tmp_path)
    problems = done.stdout.strip().split("\n\n")
    assert problems[-1].startswith(("Found", "Success")), done.stdout + done.stderr
    for problem in problems[:-1]:
        # What private modules have for type checkers and themselves, and what mypy makes up.
        private = re.match(
            r"error: eryx\.(\w+\.)*_\w+\.(_\w+ |.* is not present at runtime"
            r"|.* runtime does not have \*+\w+ )",  # functools.cache
            problem,
        )
        # What is of others, and "disjoint_base", which is of Python 3.15's typing.
        other = "error: eryx._vendor." in problem or "is a disjoint base at runtime" in problem
        # tests/agents and tests/jupyter look at these, where there is what they import.
        elsewhere = re.match(r"error: eryx\.ext\.[\w.]+ failed to import", problem)
        assert private or other or elsewhere, problem


def test_caller_is_told_the_types(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import eryx\n"
        "limits = eryx.ResourceLimits(max_fuel=1)\n"
        "reveal_type(limits.max_fuel)\n"
        "reveal_type(eryx.Sandbox(resource_limits=limits).execute('').stdout)\n"
        "limits.max_fule = 1\n"
        "eryx.Sandbox(limits)\n"
        "eryx.Sandbox().execute(b'')\n"
    )
    output = run_tool("mypy", "--strict", str(program), cwd=tmp_path).stdout
    assert 'Revealed type is "int | None"' in output.replace("builtins.", "")
    assert 'Revealed type is "str"' in output.replace("builtins.", "")
    places = [line.split(": error:")[0] for line in output.splitlines() if ": error:" in line]
    assert places == ["program.py:5", "program.py:6", "program.py:7"], output
