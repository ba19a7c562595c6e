"""Waiting that would never end.

There is one thread in a guest: what it waits for without a time limit, nobody else brings about,
and the C library aborts. So conditions, and with them events, semaphores, barriers, queues and
futures, raise an exception instead. A bare lock is left as it is, for it has to be fast.
"""

import threading


class _Waiter:
    """The lock that a condition waits for."""

    __slots__ = ("_lock",)

    def __init__(self):
        self._lock = _allocate_lock()

    def acquire(self, blocking=True, timeout=-1):
        if not blocking or timeout >= 0:
            return self._lock.acquire(blocking, timeout)
        if not self._lock.acquire(False):
            raise RuntimeError("this would wait for ever: there are no other threads")
        return True

    def release(self):
        self._lock.release()

    def locked(self):
        return self._lock.locked()


_allocate_lock = threading._allocate_lock


def install():
    """Give the conditions of threading such locks to wait for."""
    threading._allocate_lock = _Waiter
