"""The pool of those who make none."""

from __future__ import annotations

import threading
from collections.abc import Callable

from eryx.ext._cluster._pool import Pool


class Default:
    """A pool that is made when it is needed, and anew when the engine is another one."""

    def __init__(self, make: Callable[[], Pool]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._pool: Pool | None = None

    def pool(self) -> Pool:
        """The pool. Raises the exception of the engine if that is not connected."""
        with self._lock:
            if self._pool is None or not self._pool.is_connected:
                if self._pool is not None:
                    self._pool.close()
                    self._pool = None
                self._pool = self._make()
            return self._pool
