"""The packages' own tests, run inside; expected.toml says which of them fail, and why."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

import own_tests
import pytest

from eryx import SandboxFactory
from native import build, sources, table
from toolchain.lock import load_lock

_ITEMS = own_tests.expected()
_PINNED = {each.name for each in load_lock().python[sources.TESTS]}


@cache
def _factory(package: own_tests.Package) -> SandboxFactory:
    return own_tests.factory(package, build.kit())


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(
            item,
            marks=[
                pytest.mark.needs(*item.package.of_companion(_PINNED)),
                *([pytest.mark.sample] if item.sample else []),
            ],
            id=f"{item.package.name}-{item.path}",
        )
        for item in _ITEMS
    ],
)
def test_own_tests(item: own_tests.Expected) -> None:
    """All tests pass that passed before, and no others fail."""
    outcome = own_tests.run(_factory(item.package), item, build.kit())
    table.keep_outcome(item.package.name, item.path, asdict(outcome))
    found = own_tests.problems(item, outcome)
    assert not found, "\n".join(found)
