"""excepthook, unraisablehook, atexit, audit hooks, breakpointhook, meta path."""

import atexit
import sys


def hook(kind, error, trace):
    print("my hook:", kind.__name__, error, trace.tb_lineno)


sys.excepthook = hook
sys.unraisablehook = lambda u: print(
    "unraisable:", type(u.exc_value).__name__, u.exc_value, u.err_msg
)


class Bad:
    def __del__(self):
        raise KeyError("in __del__")


Bad()
sys.breakpointhook = lambda *a, **k: print("breakpoint", a, k)
breakpoint(1, x=2)
sys.audit("my.event", 1)
sys.displayhook = lambda value: print("shown", value)
exec(compile("1 + 1", "", "single"))
atexit.register(lambda: print("at exit"))
atexit.register(print, "registered", sep="")
atexit.unregister(print)


@atexit.register
def fails():
    print("failing")


raise ValueError("nobody catches this")
