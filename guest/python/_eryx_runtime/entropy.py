"""Random numbers that no two sandboxes have in common.

Seeding the generator of `random` takes a tenth of a short run, and most programs have no use for
it. So the image's module is without the functions of that generator, and the first look for one of
them seeds it and puts them there.
"""

import os
import random
import sys
from types import ModuleType

import _eryx
from _eryx_runtime import array_entropy

_NUMPY = array_entropy.NAME
_random = random.__dict__
_seed = random.seed
_random_bytes = os.urandom
_forget_random = _eryx.forget_random
_modules = sys.modules
_functions = {
    name: value
    for name, value in _random.items()
    if value is random._inst or getattr(value, "__self__", None) is random._inst  # type: ignore[attr-defined]
}


def renew() -> None:
    """Forget what other sandboxes of the same image, or the original of a copy, know as well."""
    if "_inst" in _random:
        _seed_anew()
    _forget_random()
    if type(_modules.get(_NUMPY)) is ModuleType:
        array_entropy.postpone()
    tempfile = _modules.get("tempfile")
    if type(tempfile) is ModuleType:  # its names come from a generator of its own
        tempfile.__dict__["_name_sequence"] = None


def _seed_anew() -> None:
    # Its own way takes 2,496 bytes of entropy. The first byte makes it equal work for any number.
    _seed(int.from_bytes(b"\1" + _random_bytes(32)))


def postpone() -> None:
    """Take the functions away until one is looked for; for the image."""
    for name in _functions:
        _random.pop(name, None)
    _random["__getattr__"] = _look_up
    _random["__dir__"] = _names


def _look_up(name: str) -> object:
    """As ``random.__getattr__``."""
    _bring()
    try:
        return _functions[name]
    except KeyError:
        raise AttributeError(
            f"module 'random' has no attribute {name!r}", name=name, obj=random
        ) from None


def _names() -> list[str]:
    """As ``random.__dir__``."""
    _bring()
    return sorted(_random)


def _bring() -> None:
    if "_inst" not in _random:
        _seed_anew()
        _random.update(_functions)
    _random.pop("__getattr__", None)
    _random.pop("__dir__", None)
