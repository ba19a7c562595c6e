"""The engine that all sandboxes of this interpreter share, opened when the first one is made."""

from __future__ import annotations

import os
import sys

from eryx._annotations import late_annotations
from eryx._cache_folder import cache_folder
from eryx._eryx import Core, Engine, Packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx._factory_template import Template
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
            os.path.join(directory, "image.bin"),
            os.path.join(directory, "stdlib.bin"),
            os.path.join(directory, "seeds.bin"),
            cache_folder("images"),
        )
    return _engine


class Recipe:
    """What an engine that was derived is made of, for another process."""

    __slots__ = ("_held", "_most_memory", "number")

    _last = 0

    def __init__(self, held: Template | bytes, most_memory: int) -> None:
        """held: as for `hold`; most_memory: bytes that sandboxes may begin with."""
        Recipe._last += 1
        self.number = Recipe._last
        self._held = held
        self._most_memory = most_memory

    def hold(self, sealed: bytes) -> None:
        """Keeps the template in that form, sealed without a key."""
        self._held = sealed

    def parts(self) -> tuple[bytes, bytes, int]:
        """What was frozen, the archive of packages (empty for none) and the limit of memory."""
        held = self._held
        if isinstance(held, bytes):
            from eryx._factory_template import open_template

            held = open_template(held, None, None)
        return held.frozen, held.archive, self._most_memory


class Place:
    """Where sandboxes start, and what they have."""

    __slots__ = ("engine", "names", "native_modules", "packages", "recipe")

    def __init__(
        self,
        engine: Engine,
        packages: Packages | None = None,
        native_modules: tuple[object, ...] = (),
        recipe: Recipe | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        """packages: None for those of the engine; native_modules: handles; recipe: of the engine,
        None if it is the shared one; names: of all packages, for who has to be told.
        """
        self.engine = engine
        self.packages = packages
        self.native_modules = native_modules
        self.recipe = recipe
        self.names = names

    def new_core(
        self, limits: tuple[int, ...], equipment: Equipment, mounts: CoreMounts = ()
    ) -> Core:
        """A sandbox. equipment: what it has besides."""
        if equipment.isolation is not None:
            return self._new_core_in_process(limits, equipment, mounts)
        return Core(
            self.engine,
            limits,
            mounts,
            equipment.volumes,
            self.packages,
            equipment.network,
            equipment.secrets,
            self.native_modules + equipment.native_modules,
            tuple([provider.core() for provider in equipment.providers]),
            equipment.deterministic,
        )

    def _new_core_in_process(
        self, limits: tuple[int, ...], equipment: Equipment, mounts: CoreMounts
    ) -> Core:
        """The same in a worker process."""
        from eryx._process_core import ProcessEquipment
        from eryx._processes import native_of

        assert equipment.isolation is not None
        stays = ProcessEquipment(
            mounts,
            equipment.volumes,
            tuple(provider.core() for provider in equipment.providers),
            native_of(self.native_modules + equipment.native_modules),
            equipment.network,
            equipment.secrets,
            equipment.deterministic,
        )
        core: Any = equipment.isolation.new_core(limits, self.recipe, stays)
        return core  # type: ignore[no-any-return]  # it has the methods of one


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
