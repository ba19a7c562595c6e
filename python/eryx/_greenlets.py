"""Event loops for gevent, where many greenlets take turns in one thread.

asyncio knows one running event loop of a thread. While that of a greenlet waits the others would be
told that it runs, and could run none themselves; so what they have takes its place meanwhile.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
from typing import Any

# The running event loop, and what is told of async generators.
_State = tuple[asyncio.AbstractEventLoop | None, Any, Any]
_NOTHING: _State = (None, None, None)


def _exchange(state: _State) -> _State:
    """Sets what the thread has; gives what it had."""
    loop, first, last = state
    earlier = asyncio._get_running_loop(), *sys.get_asyncgen_hooks()
    asyncio._set_running_loop(loop)
    sys.set_asyncgen_hooks(first, last)
    return earlier


class _Selector(selectors.DefaultSelector):
    """gevent's own, which lets the other greenlets go on while it waits."""

    others = _NOTHING

    def select(self, timeout: float | None = None) -> list[Any]:
        own = _exchange(self.others)
        try:
            return super().select(timeout)
        finally:
            self.others = _exchange(own)


class GreenletEventLoop(asyncio.SelectorEventLoop):
    """An event loop that a greenlet can run while others run theirs."""

    def __init__(self) -> None:
        self._waiting = _Selector()
        super().__init__(self._waiting)

    def run_forever(self) -> None:
        """Does what that of asyncio does."""
        self._waiting.others = _exchange(_NOTHING)
        try:
            super().run_forever()
        finally:
            _exchange(self._waiting.others)


def runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether it is this greenlet that runs an event loop, and not another one of the thread."""
    return getattr(loop, "_thread_id", None) == threading.get_ident()
