"""Random numbers of numpy that no two sandboxes have in common.

The functions of `numpy.random` share one generator, which is seeded when the module is loaded: in
the image of a factory, so that all of its sandboxes would draw the same numbers. Seeding it takes
as long as a short run. So it is seeded at the first look for one of these functions. Where the
module itself has them, in functions that were taken out of it before, it is as it was.
"""

import os
import sys
from types import ModuleType
from typing import Any

NAME = "numpy.random.mtrand"
_PACKAGE = "numpy.random"

# What in these modules does not use the generator, and is most often looked for.
_OTHERS = frozenset(("default_rng", "Generator", "SeedSequence", "RandomState", "BitGenerator"))

_modules = sys.modules
_attribute = ModuleType.__getattribute__
_random_bytes = os.urandom


class _Unseeded(ModuleType):
    """A module of numpy whose generator is seeded when it is used."""

    def __getattribute__(self, name: str) -> Any:
        if name[:2] != "__" and name not in _OTHERS:
            _seed()
        return _attribute(self, name)


def _found() -> list[ModuleType]:
    """The modules, unless a program has put something else in their places."""
    named = (_modules.get(NAME), _modules.get(_PACKAGE))
    return [module for module in named if isinstance(module, ModuleType)]


def postpone() -> None:
    """Have the generator seeded before it is used."""
    for module in _found():
        if type(module) is ModuleType:
            module.__class__ = _Unseeded


def _seed() -> None:
    for module in _found():
        if type(module) is _Unseeded:
            module.__class__ = ModuleType
    words = [int.from_bytes(_random_bytes(4)) for _ in range(8)]
    try:
        _modules[NAME].__dict__["_rand"].seed(words)
    except Exception:  # a program has given it another generator
        return
