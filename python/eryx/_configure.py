"""Settings of the process, which all sandboxes share."""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx._eryx import set_descriptor_limits, set_stop_signal


def configure(
    *,
    threads: int | None = None,
    stop_signal: int | None = None,
    max_descriptors: int | None = None,
    max_descriptors_per_sandbox: int | None = None,
) -> None:
    """Sets what all sandboxes of this process share.

    Each call sets everything; what is left out goes back to its default.

    Args:
        threads: How many threads guests share that compute for longer than a moment in
            `Sandbox.execute_async`, 1 to 1,000; None for the number of CPUs that this process may
            use. They are started when a run needs them and end when they have nothing to do for
            some time. `Sandbox.execute` computes on the thread of its caller and needs none of
            them. Can be set at any time.
        stop_signal: The real-time signal by which guests are stopped, `signal.SIGRTMIN` to
            `signal.SIGRTMAX`; None for one that has no handler when the first guest runs. Can be
            set only before that.
        max_descriptors: How many file descriptors all guests together may take for files of volumes
            and for sockets; None for a half of `RLIMIT_NOFILE`.
        max_descriptors_per_sandbox: How many each sandbox may take that is made from now on; None
            for a sixteenth of `RLIMIT_NOFILE`, but at least 16 and at most 1,024. A guest that
            meets one of the two gets `OSError` with `errno.EMFILE`.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: An argument is outside of its range, or a signal is chosen after a guest has
            run.

    >>> import eryx
    >>> eryx.configure(threads=4)
    """
    from eryx._scheduler import set_threads

    numbers = {
        "stop_signal": stop_signal,
        "max_descriptors": max_descriptors,
        "max_descriptors_per_sandbox": max_descriptors_per_sandbox,
    }
    for name, number in numbers.items():
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            raise TypeError(f"{name} must be an int or None, not {type(number).__name__}")
        if number is not None and not 1 <= number < 1 << 31:
            raise ValueError(f"{name} must be a positive number, not {number}")
    if not set_stop_signal(stop_signal or 0) and stop_signal is not None:
        raise ValueError(
            f"stop_signal {stop_signal} cannot be set: it is not a real-time signal, or a guest "
            "has run already"
        )
    set_threads(threads)
    set_descriptor_limits(max_descriptors or 0, max_descriptors_per_sandbox or 0)


configure.__module__ = "eryx"
late_annotations(globals(), configure)
