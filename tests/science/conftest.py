"""What the tests of packages for science share. They need eryx-science (make science)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
# Programs that tests start find it as well.
SCIENCE = str(ROOT / "build" / "science")
sys.path.insert(0, SCIENCE)
os.environ["PYTHONPATH"] = os.pathsep.join(
    [SCIENCE, *filter(None, [os.environ.get("PYTHONPATH", "")])]
)

from eryx import science  # noqa: E402


def has(name: str) -> bool:
    """Whether eryx-science has a package: one that was built of numpy alone has the rest not."""
    return science.find(name) is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("needs"):
            missing = [name for name in mark.args if not has(name)]
            if missing:
                reason = f"this eryx-science has no {', '.join(missing)}: make science"
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(names): packages that a test takes")
    config.addinivalue_line("markers", "sample: what `make test` runs as well")


def pytest_report_header() -> str:
    """Which packages there are, as not all may have been built."""
    from eryx.native._prebuilt import installed

    found = installed()
    names = sorted(found.wheels) if found is not None else []
    return f"eryx-science: {', '.join(names) or 'is not installed'}"
