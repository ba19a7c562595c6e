"""What this process has of memory because of its sandboxes."""

from __future__ import annotations

import sys
from typing import NamedTuple

from eryx import _eryx
from eryx._annotations import late_annotations


class Memory(NamedTuple):
    """Memory that eryx holds, as the kernel counts it; see `memory`."""

    private: int
    """Bytes that single sandboxes have to themselves: what programs have written, and the stacks
    that they run on."""
    shared: int
    """Bytes that sandboxes have in common: of images and packages, each page counted once, and what
    forks, checkpoints and factories are kept in."""
    reserved: int
    """Bytes of address space, 8 GiB for each sandbox; nearly all of it has no memory."""
    workers: int
    """Bytes that worker processes have to themselves; they are in none of the others."""
    guests: int
    """Sandboxes that there are, with those kept ready for the next ones (see `trim`)."""
    mappings: int
    """Mappings of the whole process, of which ``vm.max_map_count`` allows 65,530 by default."""


Memory.__module__ = "eryx"


def memory() -> Memory:
    """Looks at the memory of all sandboxes, sessions, pools, factories and images of this process.

    The kernel is asked for each mapping, which takes some microseconds for each of them. What a
    sandbox has in Python objects and in the memory of the C library is not in the figures: results,
    files that programs have made, storages. In the child of a fork(), pages that it still has in
    common with its parent are no longer private.

    Raises EryxError where the system does not tell (``/proc/self/smaps``).

    >>> import eryx
    >>> session = eryx.Session()
    >>> before = eryx.memory()
    >>> _ = session.execute("data = bytearray(b'x') * 10_000_000")
    >>> round((eryx.memory().private - before.private) / 1_000_000)
    10
    """
    private, shared, reserved, guests, mappings = _eryx.memory()
    processes = sys.modules.get("eryx._processes")
    workers = 0 if processes is None else processes.private_bytes_of_all()
    return Memory(private, shared, reserved, workers, guests, mappings)


memory.__module__ = "eryx"
late_annotations(globals(), Memory, memory)
