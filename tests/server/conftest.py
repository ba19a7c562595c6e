"""For the tests of eryx.server: they run in an environment of toolchain/environments.py."""

from __future__ import annotations

import os

# Object stores and clients look for what the machine has of them.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)
