"""Clocks that the guest's time module has not."""

import time
from types import SimpleNamespace

_get_clock_info = time.get_clock_info


def get_clock_info(name: str, /) -> SimpleNamespace:
    """Give what is known of a clock."""
    return _get_clock_info("process_time" if name == "thread_time" else name)


get_clock_info.__doc__ = _get_clock_info.__doc__
get_clock_info.__module__ = "time"


def install() -> None:
    """Take for a thread what all of them compute: the host knows no more."""
    time.thread_time = time.process_time  # type: ignore[assignment]
    time.thread_time_ns = time.process_time_ns  # type: ignore[assignment]
    time.get_clock_info = get_clock_info
