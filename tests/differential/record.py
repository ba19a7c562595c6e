"""Writes the `.out` files anew: what a native CPython 3.14 makes of the programs.

``ERYX_NATIVE_PYTHON="chroot /somewhere python3.14" python tests/differential/record.py [name ...]``
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from differential import RECORDED, expected_path, find_native, run_natively, sources


def main() -> int:
    """Records the programs that are named, or all."""
    native = find_native()
    # What another release says may be another thing.
    if native is None or native.version != RECORDED:
        print(f"Python {'.'.join(map(str, RECORDED))} is needed", file=sys.stderr)
        return 1
    programs = sources()
    wanted = sys.argv[1:] or list(programs)
    texts = run_natively(native, {name: programs[name] for name in wanted})
    for name, text in texts.items():
        expected_path(name).write_bytes(text.encode())
    print(f"{len(texts)} recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
