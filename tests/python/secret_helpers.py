"""What the tests of secrets share."""

from __future__ import annotations

import base64
import re
from typing import Any

from eryx import NetConfig, ResourceLimits, Sandbox, Session
from guest_memory import find_in_guests

VALUE = "s3cr3t-" + "/+VALUE&" + "1234567890"
OTHER = "0ther." + "value!" + "ABCDEF"
PLACEHOLDER = re.compile("eryx_secret_[0-9a-f]{32}")
# A program whose result is the placeholder.
READ = "import os; result = os.environ['API_KEY']"
LOCAL = NetConfig().allow_localhost()
PATIENT = ResourceLimits(execution_timeout_ms=120_000)


def needles(value: str) -> list[bytes]:
    """A value and what of its Base64 is the same wherever it begins."""
    encoded = value.encode()
    cores = [
        base64.b64encode(b"x" * before + encoded)[(4 * before + 2) // 3 :][: len(encoded) - 2]
        for before in range(3)
    ]
    return [encoded, *cores]


def key(*hosts: str, value: str = VALUE) -> dict[str, dict[str, Any]]:
    """Secrets with one that may go to these hosts."""
    return {"API_KEY": {"value": value, "allowed_hosts": list(hosts)}}


class Guests:
    """Sandboxes of a test; in the end nothing of a value may be in their memory."""

    def __init__(self) -> None:
        self._all: list[Sandbox] = []

    def sandbox(self, **options: Any) -> Sandbox:
        made = Sandbox(**{"resource_limits": PATIENT, "network": LOCAL, **options})
        self._all.append(made)
        return made

    def session(self, **options: Any) -> Session:
        made = Session(**{"resource_limits": PATIENT, "network": LOCAL, **options})
        self._all.append(made)
        return made

    def keep(self, sandbox: Sandbox) -> None:
        self._all.append(sandbox)

    def check(self) -> None:
        """Fails if the memory of any has something of a value."""
        if self._all:
            assert find_in_guests(*needles(VALUE), *needles(OTHER)) == []
