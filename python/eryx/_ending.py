"""The end of a run that its caller gives up: the guest gets the moment that `cancel()` gives it."""

from __future__ import annotations

import select
import time

from eryx._eryx import EVENT_CONNECT, EVENT_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._eryx import Core, Outcome

# The library ends a guest that goes on after a few milliseconds, 100 at most.
_MOST_SECONDS = 1.0
_SLICE_NS = 1_000_000
_LONGEST_WAIT_MS = 5


def end_run(core: Core) -> Outcome | None:
    """Stops the run and lets the guest come to its end, with nothing of the host's any more.

    None if there is no such end: the run has to be dropped.
    """
    try:
        core.cancel()
        end = time.monotonic() + _MOST_SECONDS
        while time.monotonic() < end:
            try:
                event = core.step(_SLICE_NS)
            except ValueError:  # it has ended already, and nobody has taken note
                event = None
            if event is None:
                return core.outcome()
            if isinstance(event, tuple):
                if event[0] == EVENT_CONNECT:
                    core.connect_answer(False)
                elif event[0] == EVENT_WAIT:
                    _wait(event[1], event[2])
            elif event:
                _wait(event, -1)
    except BaseException:  # the caller raises what it gives the run up for
        pass
    return None


def _wait(wake_ns: int, descriptor: int) -> None:
    """Waits until the time or until the descriptor can be read, but not for long."""
    poll = select.poll()
    if descriptor >= 0:
        poll.register(descriptor, select.POLLIN)
    poll.poll(min(max(wake_ns - time.monotonic_ns(), 0) / 1e6, _LONGEST_WAIT_MS))
