"""The wheels that tests run in the guest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolchain import guest_packages
from toolchain.cache import Cache
from toolchain.errors import BuildError
from toolchain.lock import load_lock, sha256


def test_wheels_are_those_of_the_lock_file() -> None:
    expected = {
        package.name: package.sha256 for package in load_lock().python[guest_packages.GROUP]
    }
    (found,) = guest_packages.wheels("idna")
    assert found.name.startswith("idna-")
    assert found.name.endswith("-py3-none-any.whl")
    assert sha256(found) == expected["idna"]


def test_an_unknown_package_is_named() -> None:
    with pytest.raises(BuildError, match="no-such-package"):
        guest_packages.wheels("idna", "no-such-package")


def test_a_damaged_wheel_is_fetched_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (first,) = guest_packages.wheels("idna", cache=cache)
    good = first.read_bytes()
    first.write_bytes(good[:100])
    (again,) = guest_packages.wheels("idna", cache=cache)
    assert again.read_bytes() == good
