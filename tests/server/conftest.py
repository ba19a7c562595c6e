"""For the tests of eryx.server: they run in an environment of toolchain/environments.py."""

from __future__ import annotations

import os

import pytest

from eryx.server import ApiKey, new_key

# Object stores and clients look for what the machine has of them.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)


@pytest.fixture(scope="module")
def keys() -> list[tuple[str, ApiKey]]:
    """Of two holders, each with what is to be sent."""
    return [new_key("alice"), new_key("bob")]
