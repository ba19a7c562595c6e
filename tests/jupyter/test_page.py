"""The page docs/jupyter: its example and its commands are run."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "jupyter" / "README.md").read_text()


def shell_blocks() -> ModuleType:
    """That of tests/python, which is no folder of this environment."""
    path = ROOT / "tests" / "python" / "shell_blocks.py"
    specification = importlib.util.spec_from_file_location("shell_blocks", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["shell_blocks"] = module
    specification.loader.exec_module(module)
    return module


def test_example(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    program = tmp_path / "example.py"
    program.write_text(code)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "3"


def test_commands(tmp_path: Path) -> None:
    module = shell_blocks()
    commands = module.read(TEXT).commands
    assert len(commands) == 3
    variables = module.environment(tmp_path)
    variables.pop("JUPYTER_PATH", None)
    for command in commands:
        module.run(command, tmp_path, variables)
