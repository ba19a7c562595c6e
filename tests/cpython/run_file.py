"""Runs one file of the suite in a sandbox, in a process of its own: LIBRARY SECONDS REQUEST

REQUEST is what guest_program.py takes. The output is one line of JSON: `error` says why there is no
result, else it is null.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import eryx
import eryx._engine
from eryx._eryx import Engine

_PROGRAM = Path(__file__).with_name("guest_program.py")
_MIB = 1024 * 1024


def main() -> None:
    """Runs and prints."""
    library, seconds, request = sys.argv[1:]
    image = Path(eryx.__file__).with_name("image.bin")
    eryx._engine._engine = Engine(image, library)
    last_test = ""

    def note_test(text: str) -> None:
        nonlocal last_test
        for line in text.splitlines():
            if line.startswith("test "):
                last_test = line.removeprefix("test ")

    limits = eryx.ResourceLimits(
        execution_timeout_ms=int(float(seconds) * 1000),
        max_memory_bytes=2048 * _MIB,
        max_vfs_bytes=512 * _MIB,
        max_output_bytes=64 * _MIB,
    )
    start = time.monotonic()
    report: dict[str, object] = {"error": None}
    said = ""
    try:
        sandbox = eryx.Sandbox(resource_limits=limits, on_stderr=note_test)
        done = sandbox.execute(_PROGRAM.read_text(), arguments=[request])
        said = (
            f"{len(done.stdout)} characters, the last {done.stdout[-700:]!r}; {done.stderr[-700:]}"
        )
        report |= json.loads(done.stdout.rstrip().rpartition("\n")[2])
    except (eryx.EryxError, ValueError) as error:
        traceback = getattr(error, "traceback", None) or said
        report["error"] = f"{type(error).__name__}: {error}; in {last_test or 'no test'}"
        report["details"] = {"error": str(traceback)[-1500:]}
    report["seconds"] = time.monotonic() - start
    print(json.dumps(report))


main()
