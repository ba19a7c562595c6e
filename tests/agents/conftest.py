"""For the tests of eryx.ext: they run in the environments of toolchain/environments.py."""

from __future__ import annotations

import os

# Frameworks that would tell somebody of each run.
os.environ.update(
    OPENAI_AGENTS_DISABLE_TRACING="1",
    LANGSMITH_TRACING="false",
    ANONYMIZED_TELEMETRY="False",
    HF_HUB_OFFLINE="1",
)
