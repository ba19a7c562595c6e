"""Starts the threads of this package: daemons, since a function of the host may never return."""

from __future__ import annotations

import sys
import threading

from eryx._eryx import IN_MAIN_INTERPRETER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def start_thread(name: str, target: Callable[[], object]) -> None:
    """Starts a thread. Raises RuntimeError if there can be none.

    In a subinterpreter there is none: a daemon that is left at its end ends the process.
    """
    if not IN_MAIN_INTERPRETER:
        raise RuntimeError("eryx starts no threads in a subinterpreter")
    threading.Thread(target=target, name=name, daemon=True).start()


def threads_are_greenlets() -> bool:
    """Whether gevent has put greenlets, of which one thread has many, in the place of threads."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
