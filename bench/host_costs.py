"""What the dearest calls and events of a guest cost the host: ``python bench/host_costs.py``.

These are the ones that end in Python. Of the imports and of TLS, ``tests/c/test_host_costs``
and ``test_tls_costs`` print tables.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "python"))

from host_costs import UNITS, dearest_call, dearest_trace


def main() -> None:
    rows = [(*dearest_call(unit), f"a call with {name}") for name, unit in UNITS.items()]
    rows.append((*dearest_trace(), "a batch of events"))
    print(f"{'ms':>8}  {'values':>8}")
    for values, milliseconds, name in sorted(rows, key=lambda row: -row[1]):
        print(f"{milliseconds:8.2f}  {values:8,}  {name}")


if __name__ == "__main__":
    main()
