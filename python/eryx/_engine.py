"""The engine that all sandboxes of this interpreter share, opened when the first one is made."""

from __future__ import annotations

import os
import sys

from eryx._eryx import Engine

_engine: Engine | None = None


def shared_engine() -> Engine:
    """Opens the engine of the files that came with the package, or gives the one that is open.

    Raises InitializationError if the files are missing or were made by another build.
    """
    global _engine
    if _engine is None:
        directory = os.path.dirname(__file__)
        # Two threads that come here at once make two engines, which does no harm: the one that is
        # forgotten is closed with its last sandbox.
        _engine = Engine(
            os.path.join(directory, "image.bin"), os.path.join(directory, "stdlib.bin")
        )
    return _engine


def trim() -> None:
    """Gives the memory back to the system that is kept for the next sandboxes.

    That is at most a few megabytes; the next sandboxes start a little slower.
    """
    if _engine is not None:
        _engine.trim()
    factories = sys.modules.get("eryx._factory")
    if factories is not None:
        factories.trim()


trim.__module__ = "eryx"
