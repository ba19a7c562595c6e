"""sys.exit with text goes to stderr; atexit functions run before the end."""

import atexit
import sys


@atexit.register
def last():
    print("last")


atexit.register(print, "first", "of", "all", sep="-")
for code in (None, 0, 3, "text", (1, 2)):
    try:
        sys.exit(code)
    except SystemExit as error:
        print(repr(error), error.code)
try:
    raise SystemExit
except BaseException as error:
    print(type(error).__mro__)
sys.exit("the end, with a text")
