"""Who waits for a sandbox of a pool."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Waiter:
    """A thread or a task that waits for a sandbox."""

    __slots__ = ("begin", "granted", "wake")

    def __init__(self, wake: Callable[[], object]) -> None:
        self.wake = wake
        self.begin = time.monotonic()
        self.granted = False  # it has a place of the pool now
