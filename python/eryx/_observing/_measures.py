"""What there is at a moment: sandboxes, pools, workers and memory."""

from __future__ import annotations

import os
import time

from eryx import _processes
from eryx._errors import EryxError
from eryx._lease import HELD, PooledSandbox
from eryx._living import Living
from eryx._memory import memory
from eryx._process_core import ProcessCore
from eryx._session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from eryx._memory import Memory
    from eryx._observing._observer import Labels
    from eryx._pool import SandboxPool
    from eryx._sandbox import Sandbox

sandboxes: Living[Sandbox] = Living()
pools: Living[SandboxPool] = Living()

# To look at the memory of thousands of sandboxes takes long; it may take this part of the time.
_SHARE = 0.01


def kind_of(sandbox: Sandbox) -> tuple[str, str]:
    """What a sandbox is, and how it is isolated."""
    kind = "sandbox"
    if isinstance(sandbox, Session):
        kind = "session"
    elif isinstance(sandbox, PooledSandbox):
        kind = "pooled"
    return kind, "process" if isinstance(sandbox._core, ProcessCore) else "none"


class _Looks:
    """Looks at the memory, and not too often."""

    def __init__(self) -> None:
        self._last: Memory | None = None
        self._next = 0.0

    def look(self) -> Memory | None:
        now = time.monotonic()
        if now >= self._next:
            try:
                self._last = memory()
            except EryxError:
                self._last = None
            ended = time.monotonic()
            self._next = ended + (ended - now) / _SHARE
        return self._last


_looks = _Looks()


def _is_there(sandbox: Sandbox) -> bool:
    if sandbox._closed or sandbox._turn.process != os.getpid():
        return False
    return not isinstance(sandbox, PooledSandbox) or sandbox._state == HELD


def _live() -> Iterator[tuple[Labels, float]]:
    counts = {
        (kind, isolation): 0
        for kind in ("sandbox", "session", "pooled")
        for isolation in ("none", "process")
    }
    for sandbox in sandboxes:
        if _is_there(sandbox):
            counts[kind_of(sandbox)] += 1
    for (kind, isolation), count in counts.items():
        yield {"eryx.sandbox.kind": kind, "eryx.sandbox.isolation": isolation}, count


def _pooled() -> Iterator[tuple[Labels, float]]:
    mine = [pool for pool in pools if pool._process == os.getpid()]
    yield {"eryx.pool.state": "idle"}, sum(len(pool._idle) for pool in mine)
    yield {"eryx.pool.state": "in_use"}, sum(pool._in_use for pool in mine)


def _waiting() -> Iterator[tuple[Labels, float]]:
    yield {}, sum(len(pool._waiting) for pool in pools if pool._process == os.getpid())


def _workers() -> Iterator[tuple[Labels, float]]:
    yield {}, len(_processes.processes_of_all())


def _memory() -> Iterator[tuple[Labels, float]]:
    looked = _looks.look()
    if looked is not None:
        for state in ("private", "shared", "reserved", "workers"):
            yield {"eryx.memory.state": state}, getattr(looked, state)


MEASURED = {
    "eryx.sandbox.live": _live,
    "eryx.pool.sandboxes": _pooled,
    "eryx.pool.waiting": _waiting,
    "eryx.worker.live": _workers,
    "eryx.memory.usage": _memory,
}
