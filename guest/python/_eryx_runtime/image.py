"""Build time: what is done once, so that no sandbox has to do it."""

import _sitebuiltins
import builtins
import gc
import importlib
import os
import sys

from _eryx_runtime import (
    clocks,
    databases,
    displays,
    entropy,
    event_loop,
    file_copies,
    file_modes,
    identity,
    immortal,
    interrupts,
    locales,
    namespaces,
    network,
    passwords,
    pipes,
    processes,
    program,
    sources,
    streams,
    threads,
)
from _eryx_runtime.numbers import REQUEST_KEEP_STATE
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


class _Help(_sitebuiltins._Helper):
    """help() that knows functions of the host."""

    def __call__(self, *arguments: object, **named: object) -> None:
        if arguments and isinstance(arguments[0], namespaces.Callback):
            print(arguments[0].help_text())
        else:
            super().__call__(*arguments, **named)


def _add_site_builtins() -> None:
    """Give builtins what the module site adds, which is not run here."""
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    builtins.help = _Help()
    for name in ("copyright", "credits", "license"):
        text = f"See https://docs.python.org/3/license.html for the {name} of Python."
        setattr(builtins, name, _sitebuiltins._Printer(name, text))


def prepare_image() -> None:
    """Import what is preloaded."""
    threads.install()
    interrupts.install()
    event_loop.install()
    event_loop.number_tasks(False)
    network.install()
    file_modes.install()
    file_copies.install()
    pipes.install()
    identity.install()
    processes.install()
    sources.install()
    clocks.install()
    locales.install()
    _add_site_builtins()
    displays.install()
    for name in MODULES:
        importlib.import_module(name)
    databases.install()
    passwords.install()
    streams.install()


def prepare_round() -> bytes:
    """Give a program that warms the runtime up; run repeatedly, and the first time as a session's.

    What it makes CPython do is done then: modules loaded late, caches filled, code specialised.
    """
    program.make_fresh(building=True)
    _run_again()
    return _WARM_UP.encode()


def _run_again() -> None:
    """Do what a session does from its second run on."""
    for _ in range(3):
        code, variables = program.begin(b"x = 1", "result", [], REQUEST_KEEP_STATE, None)
        exec(code, variables)
        program.finish(None, None)
        program.close()
    program.make_fresh(building=True)


def settle_image() -> None:
    """Leave what the first rounds made as it will be shared by all sandboxes."""
    program.make_fresh(building=True)
    immortal.settle()


def seal_image() -> None:
    """Forget the warm-up."""
    event_loop.forget_session()
    event_loop.number_tasks(True)
    namespaces.install(None, {}, None)
    program.make_fresh(building=False)
    entropy.postpone()
    sys.argv = [program.FILENAME]
    sys.path.insert(0, os.getcwd())  # where a script's own modules are
    gc.collect()
    gc.freeze()
