"""Clocks that the guest's time module has not."""

import time


def install() -> None:
    """There is one thread: what it computes is what the process does."""
    time.thread_time = time.process_time  # type: ignore[assignment]
    time.thread_time_ns = time.process_time_ns  # type: ignore[assignment]
