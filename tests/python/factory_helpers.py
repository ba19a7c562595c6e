"""What the tests of factories share."""

from __future__ import annotations

from pathlib import Path

import eryx
from wheel_files import wheel_bytes

SETUP = """
import decimal
rate = decimal.Decimal("1.19")
seen = []
def gross(n):
    seen.append(n)
    return n * rate
"""

GREETER = {
    "greeter/__init__.py": "from greeter.words import HELLO\n\ndef greet(who):\n"
    "    return f'{HELLO}, {who}!'\n",
    "greeter/words.py": "HELLO = 'Hello'\nloaded = []\n",
    "greeter/data.txt": "data of the package",
}


def output(sandbox: eryx.Sandbox, code: str) -> str:
    return sandbox.execute(code).stdout


def wheel(
    folder: Path, name: str, version: str, files: dict[str, str], requires: str | None = None
) -> Path:
    """Makes a wheel of pure Python."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    metadata = "" if requires is None else f"Requires-Dist: {requires}\n"
    path.write_bytes(wheel_bytes(files, name=name, version=version, metadata=metadata))
    return path
