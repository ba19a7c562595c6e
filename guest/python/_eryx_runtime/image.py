"""Build time: what is done once, so that no sandbox has to do it."""

import _sitebuiltins
import builtins
import gc
import importlib
import sys
from types import CodeType

import _eryx
from _eryx_runtime import event_loop, file_modes, interrupts, namespaces, program, streams
from _eryx_runtime.preload import MODULES

# Touches what most programs touch.
_WARM_UP = """\
import asyncio, json, re, sys, traceback
from dataclasses import dataclass

@dataclass
class Point:
    x: int
    y: float = 0.5

async def double(n):
    await asyncio.sleep(0)
    return n * 2

print("warm", Point(1), f"{1.5:.2f}", [n for n in range(3)])
print("warm", file=sys.stderr)
re.sub(r"\\d+", "n", "a1b22")
try:
    {}["absent"]
except KeyError as error:
    traceback.format_exception(error)
result = json.loads(json.dumps({"pairs": await asyncio.gather(double(1), double(2))}))

# While the image is made, the host answers every call with null.
from _eryx_runtime import namespaces
namespaces.install(b'[{"name": "warm.up", "schema": {"properties": {"a": {}}}}]', globals(), None)
warm.up.sync(a=[1.5, "text"])
await warm.up({"b": None})
await asyncio.gather(warm.up(1), warm.up(a=2), invoke("warm.up"))
list_callbacks()
"""


def _add_site_builtins() -> None:
    """Give builtins what the module site adds, which is not run here."""
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    builtins.help = _sitebuiltins._Helper()
    for name in ("copyright", "credits", "license"):
        text = f"See https://docs.python.org/3/license.html for the {name} of Python."
        setattr(builtins, name, _sitebuiltins._Printer(name, text))


def prepare_image() -> None:
    """Import what is preloaded."""
    interrupts.install()
    event_loop.install()
    file_modes.install()
    _add_site_builtins()
    for name in MODULES:
        importlib.import_module(name)
    streams.install()


def prepare_round() -> bytes:
    """Give a program that warms the runtime up; run repeatedly, and the first time as a session's.

    What it makes CPython do is done then: modules loaded late, caches filled, code specialised.
    """
    program.make_fresh(building=True)
    return _WARM_UP.encode()


def _make_all_immortal() -> None:
    """Stop counting references to all objects there are."""
    # Those that the garbage collector knows, and what they refer to. With little memory, since what
    # is taken for this and freed again would be in the image, too.
    waiting = gc.get_objects()
    while waiting:
        item = waiting.pop()
        if sys._is_immortal(item):
            continue
        _eryx.make_immortal(item)
        waiting.extend(gc.get_referents(item))
        # What the collector is not told of, as it cannot be part of a cycle.
        if isinstance(item, dict):
            waiting.extend(item)
        elif isinstance(item, CodeType):
            waiting += (item.co_consts, item.co_names, item.co_filename, item.co_name)
            waiting += (item.co_qualname, item.co_linetable, item.co_exceptiontable)
            waiting += item.co_varnames + item.co_cellvars + item.co_freevars


def settle_image() -> None:
    """Leave what the first rounds made as it will be shared by all sandboxes.

    Objects of the image live as long as their sandbox. So their references need no counting and the
    garbage collector need not look at them; both would only make private copies of shared pages.
    """
    program.make_fresh(building=True)
    gc.collect()
    _make_all_immortal()
    gc.collect()
    gc.freeze()


def seal_image() -> None:
    """Forget the warm-up."""
    event_loop.forget_session()
    namespaces.install(None, {}, None)
    program.make_fresh(building=False)
    sys.argv = [program.FILENAME]
    gc.collect()
    gc.freeze()
