"""The engine that all sandboxes of this interpreter share, opened when the first one is made."""

from __future__ import annotations

import os
import sys

from eryx._annotations import late_annotations
from eryx._eryx import Core, Engine, Packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eryx._options import Equipment
    from eryx._storage import CoreMounts

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


class Place:
    """Where sandboxes start, and what they have."""

    __slots__ = ("engine", "native_modules", "packages")

    def __init__(
        self,
        engine: Engine,
        packages: Packages | None = None,
        native_modules: tuple[object, ...] = (),
    ) -> None:
        """packages: None for those of the engine; native_modules: handles."""
        self.engine = engine
        self.packages = packages
        self.native_modules = native_modules

    def new_core(
        self, limits: tuple[int, ...], equipment: Equipment, mounts: CoreMounts = ()
    ) -> Core:
        """A sandbox. equipment: what it has besides."""
        return Core(
            self.engine,
            limits,
            mounts,
            equipment.volumes,
            self.packages,
            equipment.network,
            equipment.secrets,
            self.native_modules + equipment.native_modules,
        )


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
late_annotations(globals(), trim)
