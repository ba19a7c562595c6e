"""Attributes of sys that are the same everywhere."""

import platform
import sys

print(
    sys.version_info[:2],
    sys.implementation.name,
    sys.byteorder,
    sys.maxunicode,
    sys.getdefaultencoding(),
    sys.getfilesystemencoding(),
    sys.flags.optimize,
    sys.flags.utf8_mode in (0, 1),
    sys.float_info.mant_dig,
    sys.getrecursionlimit(),
    sys.argv,
    sys.dont_write_bytecode in (True, False),
    callable(sys.exc_info),
    sys.exc_info(),
    sys.copyright.split("\n")[0],
    sys.api_version,
    sys.hexversion >> 16,
    sys.version.split(".")[:2],
    sys.float_repr_style,
    sys.int_info.bits_per_digit,
    platform.python_implementation(),
    platform.python_version_tuple()[:2],
    isinstance(sys.path, list),
    sys.warnoptions,
    sys.is_finalizing(),
    sys.getswitchinterval(),
    "sys" in sys.modules,
    sys.gettrace(),
    sys.getprofile(),
    sys.ps1 if hasattr(sys, "ps1") else "no ps1",
    sys.get_coroutine_origin_tracking_depth(),
)
print(
    sys.getrefcount(object()) > 0,
    sys._getframe().f_code.co_name,
    sys.exception(),
    sys.unraisablehook is sys.__unraisablehook__,
    sys.excepthook is sys.__excepthook__,
)
try:
    1 / 0
except ZeroDivisionError:
    print(sys.exception(), sys.exc_info()[0].__name__)
for attempt in (
    lambda: sys.setrecursionlimit(-1),
    lambda: sys._getframe(999),
    lambda: sys.intern(5),
    lambda: sys.getsizeof(),
    lambda: sys.exit([1]),
    lambda: sys.nothing,
    lambda: sys.set_int_max_str_digits(5),
    lambda: sys.getsizeof([]) > 0,
):
    try:
        print(attempt())
    except BaseException as error:
        print(type(error).__name__, error)


def tracer(frame, event, arg):
    print(event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno)
    return tracer


def traced(n):
    if n:
        n -= 1
    return n


sys.settrace(tracer)
traced(1)
sys.settrace(None)
sys.setprofile(
    lambda frame, event, arg: (
        print(event, arg if event == "c_call" else "") if event.startswith("c_c") else None
    )
)
len([])
sys.setprofile(None)
